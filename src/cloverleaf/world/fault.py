"""Who is to blame for a collision: rules in a fixed order, on what both users did just before.

1. Who entered the junction or the crossing on red, if only one of them did.
2. A person on a crossing: the vehicle, unless the crossing gives no priority and no light.
3. Who moved into a user that stood still.
4. Who had to yield by the right-of-way of the junction's links.
5. Same direction: who changed into the lane within the last CUT_IN_TIME; else who was behind; side by side, who was faster.
6. A motor vehicle against a person or rider outside all this (liability as in art. 76 of China's Road Traffic Safety Law).
Otherwise unknown. Rule 5 names the one behind even when the one ahead braked without need: that one is reported as struck from behind.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.geometry import to_body
from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph, LaneKind
from cloverleaf.types.state import F64, I32, I64, U8

CUT_IN_TIME = 2.0  # s
STANDING = 0.2  # m/s, below which a user counts as standing
SAME, OPPOSITE = 0.7, -0.7  # cosine of the angle between headings
RED, RED_YELLOW = 114, 117  # ord of r and u
_CROSSING = int(LaneKind.CROSSING)
_BICYCLE, _EBIKE, _PEDESTRIAN = 6, 5, 7
_REAR_END, _SIDE, _CROSSED, _HEAD_ON, _ON_FOOT, _RIDER = range(6)
_NONE, _RED_LIGHT, _PRIORITY, _STOOD, _YIELD, _CUT_IN, _FOLLOWED, _CLOSE, _STRONGER = range(9)


class RightOfWay(NamedTuple):
    """What the rules need of the map, by lane and link."""

    lane_link: I32  # (L,) link served by an internal lane, -1
    lane_kind: I32  # (L,)
    lane_edge: I32  # (L,)
    lane_crossing: I32  # (L,) a row of the crossing columns for a crossing lane, -1
    lane_junction_a: I32  # (L,) junctions at the ends of the lane's edge, or the one it lies in; -1
    lane_junction_b: I32
    link_signal: I32  # (K,)
    link_signal_index: I32
    crossing_has_priority: U8  # (C,)
    crossing_signal: I32
    crossing_signal_index: I32
    foe_start: I64  # (K + 1,)
    foe_link: I32
    foe_yield: U8


class Conduct(NamedTuple):
    """What each user did lately, by row of Actors; kept up by `watch`."""

    trip: I64  # whose record this is
    lane: I32  # lane in the last step
    changed: F64  # s, time of the last lane change
    ran_red: U8  # 1: entered the present junction or crossing on red


def right_of_way(graph: LaneGraph) -> RightOfWay:
    """The map's part of the rules."""
    lanes = len(graph.lane_edge)
    crossing = np.full(lanes, -1, np.int32)
    for row in range(len(graph.crossing_lane) - 1, -1, -1):
        crossing[graph.crossing_lane[row]] = row
    edge = graph.lane_edge
    first, second = graph.edge_from[edge].astype(np.int32), graph.edge_to[edge].astype(np.int32)
    inner = graph.lane_internal_link >= 0
    first[inner] = second[inner] = graph.link_junction[graph.lane_internal_link[inner]]
    foot = crossing >= 0
    first[foot] = second[foot] = graph.link_junction[graph.crossing_link[crossing[foot]]]
    return RightOfWay(
        graph.lane_internal_link, graph.lane_kind, graph.lane_edge, crossing, first, second,
        graph.link_signal, graph.link_signal_index,
        graph.crossing_has_priority, graph.crossing_signal, graph.crossing_signal_index,
        graph.link_foe_start, graph.foe_link, graph.foe_yield,
    )  # fmt: skip


def empty_conduct(capacity: int) -> Conduct:
    """A clean record for `capacity` rows."""
    return Conduct(
        np.full(capacity, -1, np.int64), np.full(capacity, -1, np.int32),
        np.full(capacity, -1e18), np.zeros(capacity, np.uint8),
    )  # fmt: skip


@kernel
def _red(light, head_start, group, index):
    """True if head `index` of signal group `group` shows red or red-yellow; False where there is no signal."""
    if group < 0:
        return False
    letter = light[head_start[group] + index]
    return letter in (RED, RED_YELLOW)


@kernel
def watch(actors, conduct, rules, head_start, light, time):
    """Note lane changes and entries on red. head_start (G + 1,), light (heads,): SignalState; time: s."""
    for i in range(actors.kind.shape[0]):
        lane = actors.lane[i]
        if actors.kind[i] == 0:
            conduct.trip[i] = -1
            continue
        if conduct.trip[i] != actors.trip[i]:
            conduct.trip[i] = actors.trip[i]
            conduct.lane[i] = lane
            conduct.changed[i] = -1e18
            conduct.ran_red[i] = 0
            continue
        before = conduct.lane[i]
        if lane == before:
            continue
        conduct.lane[i] = lane
        if lane < 0 or before < 0:
            continue
        if rules.lane_edge[lane] == rules.lane_edge[before]:
            conduct.changed[i] = time
            continue
        link, crossing = rules.lane_link[lane], rules.lane_crossing[lane]
        if link >= 0:
            if rules.lane_link[before] != link:
                conduct.ran_red[i] = _red(light, head_start, rules.link_signal[link], rules.link_signal_index[link])
        elif crossing >= 0:
            conduct.ran_red[i] = _red(
                light, head_start, rules.crossing_signal[crossing], rules.crossing_signal_index[crossing]
            )
        else:
            conduct.ran_red[i] = 0


@kernel
def yields(rules, link, other):
    """True if `link` gives way to `other`."""
    if link < 0 or other < 0:
        return False
    for k in range(rules.foe_start[link], rules.foe_start[link + 1]):  # noqa: SIM110 - a kernel has no any()
        if rules.foe_link[k] == other and rules.foe_yield[k] == 1:
            return True
    return False


@kernel
def classify(actors, a, b):
    """(CollisionKind, who was struck from behind: 0 nobody, 1 a, 2 b) from the poses of rows a and b."""
    turn = math.cos(actors.heading[a] - actors.heading[b])
    ahead, left = to_body(actors.x[b], actors.y[b], actors.x[a], actors.y[a], actors.heading[a])
    kind, behind = _CROSSED, 0
    if turn > SAME:
        kind = _REAR_END if abs(left) < 0.35 * (actors.width[a] + actors.width[b]) else _SIDE
        if kind == _REAR_END:
            behind = 2 if ahead > 0.0 else 1
    elif turn < OPPOSITE:
        kind = _HEAD_ON
    foot = (actors.kind[a] == _PEDESTRIAN) or (actors.kind[b] == _PEDESTRIAN)
    bike_a = actors.kind[a] == _BICYCLE or actors.kind[a] == _EBIKE
    bike_b = actors.kind[b] == _BICYCLE or actors.kind[b] == _EBIKE
    if foot:
        return _ON_FOOT, 0
    if bike_a != bike_b:
        return _RIDER, behind
    return kind, behind


@kernel
def _crossing_fault(actors, conduct, rules, person, other_red):
    """For a person on a crossing: 1 the person, 2 the vehicle, 0 not on a crossing."""
    lane = actors.lane[person]
    if lane < 0 or rules.lane_kind[lane] != _CROSSING:
        return 0
    row = rules.lane_crossing[lane]
    if row < 0:
        return 2
    return 2 if rules.crossing_has_priority[row] == 1 or rules.crossing_signal[row] >= 0 else 1


@kernel
def blame(actors, conduct, rules, a, b, time):
    """(Fault, FaultReason) of rows a and b at first contact."""
    red_a, red_b = conduct.ran_red[a] == 1, conduct.ran_red[b] == 1
    if red_a != red_b:
        return (1 if red_a else 2), _RED_LIGHT
    foot_a, foot_b = actors.kind[a] == _PEDESTRIAN, actors.kind[b] == _PEDESTRIAN
    if foot_a != foot_b:
        who = _crossing_fault(actors, conduct, rules, a if foot_a else b, red_b if foot_a else red_a)
        if who > 0:
            return (1 if (who == 1) == foot_a else 2), _PRIORITY
    stands_a, stands_b = abs(actors.speed[a]) < STANDING, abs(actors.speed[b]) < STANDING
    if stands_a != stands_b:
        return (2 if stands_a else 1), _STOOD
    link_a = rules.lane_link[actors.lane[a]] if actors.lane[a] >= 0 else -1
    link_b = rules.lane_link[actors.lane[b]] if actors.lane[b] >= 0 else -1
    if link_a != link_b:
        yields_a, yields_b = yields(rules, link_a, link_b), yields(rules, link_b, link_a)
        if yields_a != yields_b:
            return (1 if yields_a else 2), _YIELD
    turn = math.cos(actors.heading[a] - actors.heading[b])
    if turn > SAME and foot_a == foot_b:
        cut_a, cut_b = time - conduct.changed[a] < CUT_IN_TIME, time - conduct.changed[b] < CUT_IN_TIME
        if cut_a != cut_b:
            return (1 if cut_a else 2), _CUT_IN
        ahead, left = to_body(actors.x[b], actors.y[b], actors.x[a], actors.y[a], actors.heading[a])
        if abs(left) < 0.35 * (actors.width[a] + actors.width[b]):
            return (1 if ahead > 0.0 else 2), _FOLLOWED
        if actors.speed[a] != actors.speed[b]:
            return (1 if actors.speed[a] > actors.speed[b] else 2), _CLOSE
    if foot_a != foot_b:
        return (2 if foot_a else 1), _STRONGER
    return 0, _NONE

"""Collisions among all road users: oriented boxes through the grid, each pair reported once at first contact.

Users bound to a lane follow its drawn centre line to the centimetre; a person at the wheel evades by decimetres. Contact counts for
them only if the cores of the boxes touch, `side_margin` and `end_margin` inside their edges; smart cars, persons and riders have
their full boxes. Two persons who brush past each other do not
collide. Users can only meet if their lanes share an edge or a junction, so a bridge and the road below never do.
After contact both stand still and are removed `clear_after` later; a pair of two users that have already crashed is not reported
again, so that a pile-up counts one event for each user who joins it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.boxes import boxes_overlap
from cloverleaf.algo.jit import kernel
from cloverleaf.map.spatial import column_of, row_of
from cloverleaf.types.state import F64, I64
from cloverleaf.world.fault import STANDING, blame, classify

CELL = 7.0
"""m, side of the grid's cells that suits a search by cars."""
BESIDE = 1.8
"""m right of the centre line from which on a standing vehicle is beside the road."""
PULLING_OUT = 0.3
"""m right of the centre line: somebody on the way between both."""
_HUMAN = 0
_EBIKE, _BICYCLE, _PEDESTRIAN = 5, 6, 7


class CollisionRules(NamedTuple):
    """What counts as contact, and what happens after."""

    side_margin: float = 0.25  # m, per side of lane-bound users
    end_margin: float = 0.1  # m, at front and rear of lane-bound users
    clear_after: float = 10.0  # s until crashed users are removed


class Crashes(NamedTuple):
    """Which users have crashed, by row of Actors."""

    trip: I64  # (capacity,) whose crash this is
    until: F64  # (capacity,) s, when the wreck is removed; 0 not crashed


def empty_crashes(capacity: int) -> Crashes:
    """Nobody has crashed."""
    return Crashes(np.full(capacity, -1, np.int64), np.zeros(capacity))


@kernel
def _reach(length, width):
    """Radius of the circle around a box, m."""
    return 0.5 * math.sqrt(length * length + width * width)


@kernel
def core(actors, row, side_margin, end_margin):
    """(length, width) of the box that counts for contact, m."""
    length, width, kind = actors.length[row], actors.width[row], actors.kind[row]
    if actors.control[row] != _HUMAN or kind in (_EBIKE, _BICYCLE, _PEDESTRIAN):
        return length, width
    return max(length - 2.0 * end_margin, 0.5 * length), max(width - 2.0 * side_margin, 0.3 * width)


@kernel
def may_meet(rules, lane_a, lane_b):
    """True unless the lanes are known to have nothing to do with each other (a bridge and the road below)."""
    if lane_a < 0 or lane_b < 0 or rules.lane_edge[lane_a] == rules.lane_edge[lane_b]:
        return True
    a0, a1 = rules.lane_junction_a[lane_a], rules.lane_junction_b[lane_a]
    b0, b1 = rules.lane_junction_a[lane_b], rules.lane_junction_b[lane_b]
    if (a0 < 0 and a1 < 0) or (b0 < 0 and b1 < 0):
        return True
    return (a0 >= 0 and a0 in (b0, b1)) or (a1 >= 0 and a1 in (b0, b1))


@kernel
def _report(events, actors, conduct, rules, a, b, time):
    """Write one event; a full buffer only counts it."""
    n = events.filled[0]
    if n >= events.time.shape[0]:
        events.filled[1] += 1
        return
    events.filled[0] = n + 1
    events.time[n] = time
    events.trip_a[n], events.trip_b[n] = actors.trip[a], actors.trip[b]
    events.kind_a[n], events.kind_b[n] = actors.kind[a], actors.kind[b]
    events.control_a[n], events.control_b[n] = actors.control[a], actors.control[b]
    events.x_a[n], events.y_a[n], events.x_b[n], events.y_b[n] = actors.x[a], actors.y[a], actors.x[b], actors.y[b]
    events.heading_a[n], events.heading_b[n] = actors.heading[a], actors.heading[b]
    events.speed_a[n], events.speed_b[n] = actors.speed[a], actors.speed[b]
    vx = actors.speed[a] * math.cos(actors.heading[a]) - actors.speed[b] * math.cos(actors.heading[b])
    vy = actors.speed[a] * math.sin(actors.heading[a]) - actors.speed[b] * math.sin(actors.heading[b])
    events.impact_speed[n] = math.sqrt(vx * vx + vy * vy)
    events.kind[n], events.struck_from_behind[n] = classify(actors, a, b)
    events.fault[n], events.reason[n] = blame(actors, conduct, rules, a, b, time)


@kernel
def off_road(actors, row, other):
    """True if `row` stands beside the road and `other` pulls in there or out: no net draws those places, so nothing is known of room."""
    return (
        actors.control[row] == _HUMAN
        and actors.d[row] < -BESIDE
        and actors.speed[row] < STANDING
        and actors.lane[row] == actors.lane[other]
        and actors.d[other] < -PULLING_OUT
    )


@kernel
def _touch(actors, rules, a, b, side_margin, end_margin):
    """True if the cores of rows a and b overlap and their lanes may meet."""
    if off_road(actors, a, b) or off_road(actors, b, a):
        return False
    if not may_meet(rules, actors.lane[a], actors.lane[b]):
        return False
    la, wa = core(actors, a, side_margin, end_margin)
    lb, wb = core(actors, b, side_margin, end_margin)
    return boxes_overlap(
        actors.x[a], actors.y[a], actors.heading[a], la, wa, actors.x[b], actors.y[b], actors.heading[b], lb, wb
    )


@kernel
def crashed(actors, crashes, row):
    """True if the user who holds `row` now has crashed."""
    return crashes.until[row] > 0.0 and crashes.trip[row] == actors.trip[row] and actors.kind[row] > 0


@kernel
def _mark(actors, crashes, row, until):
    """The user of `row` is a wreck until then; a user hit again keeps the time of the first crash."""
    if not crashed(actors, crashes, row):
        crashes.trip[row] = actors.trip[row]
        crashes.until[row] = until


@kernel
def detect(actors, grid, rules, conduct, crashes, events, settings, time):
    """Report new contacts at `time` (s) and mark both users as crashed. `grid` must be fresh; returns how many contacts.

    Each user looks for partners that are not larger than itself, so a car's search is small although buses are long.
    """
    found = 0
    for a in range(actors.kind.shape[0]):
        if actors.kind[a] == 0:
            continue
        radius = _reach(actors.length[a], actors.width[a])
        low, high = column_of(grid, actors.x[a] - 2.0 * radius), column_of(grid, actors.x[a] + 2.0 * radius)
        for r in range(row_of(grid, actors.y[a] - 2.0 * radius), row_of(grid, actors.y[a] + 2.0 * radius) + 1):
            for k in range(grid.start[r * grid.columns + low], grid.start[r * grid.columns + high + 1]):
                dx, dy = grid.x[k] - actors.x[a], grid.y[k] - actors.y[a]
                if dx * dx + dy * dy > 4.0 * radius * radius:
                    continue
                b = grid.item[k]
                other = _reach(actors.length[b], actors.width[b])
                if other > radius or (other == radius and b >= a):
                    continue
                if crashed(actors, crashes, a) and crashed(actors, crashes, b):
                    continue
                if actors.kind[a] == _PEDESTRIAN and actors.kind[b] == _PEDESTRIAN:
                    continue
                if actors.speed[a] == 0.0 and actors.speed[b] == 0.0:
                    continue
                if _touch(actors, rules, a, b, settings.side_margin, settings.end_margin):
                    _report(events, actors, conduct, rules, min(a, b), max(a, b), time)
                    _mark(actors, crashes, a, time + settings.clear_after)
                    _mark(actors, crashes, b, time + settings.clear_after)
                    found += 1
    return found


@kernel
def settle(actors, crashes, time, expired):
    """Hold crashed users still and list those to remove: rows into `expired` (int32), returns how many; forgets free rows."""
    count = 0
    for i in range(crashes.until.shape[0]):
        if crashes.until[i] <= 0.0:
            continue
        if not crashed(actors, crashes, i):
            crashes.until[i] = 0.0
            continue
        actors.speed[i] = 0.0
        actors.accel[i] = 0.0
        actors.yaw_rate[i] = 0.0
        if time >= crashes.until[i] and count < expired.shape[0]:
            expired[count] = i
            count += 1
            crashes.until[i] = 0.0
    return count

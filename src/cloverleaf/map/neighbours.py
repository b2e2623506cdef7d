"""Lane lists and neighbour search: who is ahead and behind on a lane, in linked lists kept sorted by position.

Vehicles of a lane form a doubly linked list from `first` (most advanced) to `last` (rearmost). Insertion walks from the rear,
where vehicles enter, so it costs a step or two.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import inlined
from cloverleaf.types.traffic import AHEAD, BEHIND, LANE, LENGTH, MIN_GAP, NEVER, ODO, TRIP, LaneLists, S


def empty_lists(lanes: int, junctions: int) -> LaneLists:
    """Lists of a world without vehicles."""

    def none() -> np.ndarray:
        return np.full(lanes, -1, np.int32)

    return LaneLists(
        none(), none(), none(), none(), np.zeros(lanes), np.zeros(max(junctions, 1), np.int32),
        np.zeros(lanes),
    )  # fmt: skip


@inlined
def enter(veh, lists, slot, lane):
    """Put `slot` on `lane` at its position S, behind everyone who is further."""
    s = veh.f[slot, S]
    ahead = lists.last[lane]
    while ahead >= 0 and veh.f[ahead, S] < s:
        ahead = veh.i[ahead, AHEAD]
    if ahead < 0:
        behind = lists.first[lane]
        lists.first[lane] = slot
    else:
        behind = veh.i[ahead, BEHIND]
        veh.i[ahead, BEHIND] = slot
    if behind < 0:
        lists.last[lane] = slot
    else:
        veh.i[behind, AHEAD] = slot
    veh.i[slot, AHEAD] = ahead
    veh.i[slot, BEHIND] = behind
    veh.i[slot, LANE] = lane
    lists.fill[lane] += veh.f[slot, LENGTH] + veh.f[slot, MIN_GAP]


@inlined
def leave(veh, lists, slot):
    """Take `slot` out of the list of its lane."""
    lane = veh.i[slot, LANE]
    ahead = veh.i[slot, AHEAD]
    behind = veh.i[slot, BEHIND]
    if ahead < 0:
        lists.first[lane] = behind
    else:
        veh.i[ahead, BEHIND] = behind
    if behind < 0:
        lists.last[lane] = ahead
    else:
        veh.i[behind, AHEAD] = ahead
    veh.i[slot, AHEAD] = -1
    veh.i[slot, BEHIND] = -1
    lists.fill[lane] -= veh.f[slot, LENGTH] + veh.f[slot, MIN_GAP]


@inlined
def leader_at(veh, lists, lane, lane_length, s):
    """Nearest vehicle on `lane` whose front is at or beyond `s` (m), -1 none; searched from the nearer end."""
    if s < 0.5 * lane_length:
        ahead = lists.last[lane]
        while ahead >= 0 and veh.f[ahead, S] < s:
            ahead = veh.i[ahead, AHEAD]
        return ahead
    ahead = -1
    probe = lists.first[lane]
    while probe >= 0 and veh.f[probe, S] >= s:
        ahead = probe
        probe = veh.i[probe, BEHIND]
    return ahead


@inlined
def overhang(veh, lists, lane, lane_length):
    """Rear position (m on `lane`) of the vehicle that left the lane last, and its slot; (1e18, -1) if its tail is gone."""
    slot = lists.left_slot[lane]
    if slot < 0 or veh.i[slot, TRIP] != lists.left_trip[lane]:
        return NEVER, -1
    back = lane_length + veh.f[slot, ODO] - lists.left_odo[lane] - veh.f[slot, LENGTH]
    if back >= lane_length:
        return NEVER, -1
    return back, slot


@inlined
def left_behind(veh, lists, lane):
    """How far (m) beyond the end of `lane` the tail of the vehicle is that left it last; 1e9 if it is no longer on the road."""
    slot = lists.left_slot[lane]
    if slot < 0 or veh.i[slot, TRIP] != lists.left_trip[lane]:
        return 1e9
    return veh.f[slot, ODO] - lists.left_odo[lane] - veh.f[slot, LENGTH]

"""Keeping the box clear: how much room there is behind the junction ahead."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.types.traffic import AHEAD, BEHIND, HALTING_SPEED, LANE_NEXT, LENGTH, LINK_TO, LINK_VIA, MIN_GAP, S, V

ENOUGH = 1e9


@kernel
def room_behind(veh, lists, roads, slot, link):
    """Room (m) for one more vehicle behind `link`, if the vehicles there that move keep moving up to those who stand.

    Only a queue that reaches back to the junction matters; vehicles on the own path inside the junction need room too.
    """
    f = veh.f
    lane = roads.link_i[link, LINK_TO]
    rear = lists.last[lane]
    used = 0.0
    space = ENOUGH
    walked = 0
    while rear >= 0 and walked < 12:
        if f[rear, V] <= HALTING_SPEED * 5.0:
            space = f[rear, S] - f[rear, LENGTH] - used
            break
        used += f[rear, LENGTH] + f[rear, MIN_GAP]
        rear = veh.i[rear, AHEAD]
        walked += 1
    if space == ENOUGH:
        return space
    inner = roads.link_i[link, LINK_VIA]
    while inner >= 0:
        other = lists.first[inner]
        while other >= 0:
            if other != slot:
                space -= f[other, LENGTH] + f[other, MIN_GAP]
            other = veh.i[other, BEHIND]
        inner = roads.link_i[roads.lane_i[inner, LANE_NEXT], LINK_VIA]
    return space

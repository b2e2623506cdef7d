"""Keeping the box clear: how much room there is behind the junction ahead."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.types.traffic import (
    AHEAD,
    BEHIND,
    FOE_BEGIN,
    FOE_END,
    HALTING_SPEED,
    LANE_LENGTH,
    LANE_NEXT,
    LENGTH,
    LINK_FOES,
    LINK_FOES_END,
    LINK_LINE,
    LINK_TO,
    LINK_VIA,
    MIN_GAP,
    S,
    V,
)

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


@kernel
def would_block(veh, lists, roads, slot, link):
    """True if `slot`, moving up to those who may have to wait inside the junction on its path, would stand where other paths cross."""
    f = veh.f
    inner = roads.link_i[link, LINK_VIA]
    other = lists.first[inner] if inner >= 0 else -1
    if other < 0:
        return False
    waits = roads.lane_f[inner, LANE_LENGTH] - roads.link_f[roads.lane_i[inner, LANE_NEXT], LINK_LINE]
    front = max(waits, f[other, S])
    while other >= 0:
        front -= f[other, LENGTH] + f[slot, MIN_GAP]
        other = veh.i[other, BEHIND]
    if front < 0.0:
        return True
    for row in range(roads.link_i[link, LINK_FOES], roads.link_i[link, LINK_FOES_END]):
        if roads.foe_f[row, FOE_BEGIN] < front and roads.foe_f[row, FOE_END] > front - f[slot, LENGTH]:
            return True
    return False

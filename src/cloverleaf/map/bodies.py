"""Bodies of lane changers: a changer belongs to its new lane at once, but for a while its body still hangs over the old one."""

from __future__ import annotations

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.neighbours import leader_at
from cloverleaf.types.traffic import AHEAD, LANE_LENGTH, LANE_WIDTH, LENGTH, WIDTH, D, S

ROOM_BESIDE = -0.4
"""m between the boxes' sides from which on two vehicles on neighbouring lanes are beside each other. Negative: people at the wheel
evade each other by decimetres."""


@inlined
def in_each_others_way(f, roads, slot, lane, other, beside):
    """True if the bodies of `slot` on `lane` and of `other` on the neighbouring lane `beside` overlap sideways."""
    apart = 0.5 * (roads.lane_f[lane, LANE_WIDTH] + roads.lane_f[beside, LANE_WIDTH])
    return apart - abs(f[slot, D]) - abs(f[other, D]) < 0.5 * (f[slot, WIDTH] + f[other, WIDTH]) + ROOM_BESIDE


@kernel
def hangs_over(veh, lists, roads, lane, towards, s, length, width, distance):
    """True if a vehicle on `lane` (-1 none) hangs over to its left (`towards` 1) or right (-1) beside a box whose front is at `s` (m).

    `length` and `width` (m) are those of the box, `distance` (m) is from the centre line of `lane` to the box's centre.
    """
    if lane < 0:
        return False
    f = veh.f
    other = leader_at(veh, lists, lane, roads.lane_f[lane, LANE_LENGTH], s - length)
    for _ in range(4):
        if other < 0 or f[other, S] - f[other, LENGTH] > s:
            return False
        if distance - f[other, D] * towards < 0.5 * (width + f[other, WIDTH]) + ROOM_BESIDE:
            return True
        other = veh.i[other, AHEAD]
    return False

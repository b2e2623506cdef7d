"""Room shared by lanes that are not each other's continuation (map/clashes.py): whoever is in it goes first, the others keep behind."""

from __future__ import annotations

from cloverleaf.algo.following import krauss_follow_speed, stop_speed
from cloverleaf.algo.jit import kernel
from cloverleaf.map.neighbours import overhang
from cloverleaf.types.traffic import (
    BEHIND,
    CLASH_ALONG,
    CLASH_BEGIN,
    CLASH_END,
    CLASH_LANE,
    CLASH_OTHER_BEGIN,
    CLASH_OTHER_END,
    DECEL,
    EMERGENCY,
    LANE_CLASH,
    LANE_CLASH_END,
    LANE_LENGTH,
    LENGTH,
    MIN_GAP,
    TAU,
    S,
    V,
)

FREE = 1e9
CLEAR = 1.5  # m before room taken by a crossing path at which one waits, out of the way of whoever crosses
SAME = 0.01  # m: fronts closer than this count as level, then the lower slot goes first


@kernel
def clash_speed(veh, lists, roads, slot, lane, ahead, dt):
    """Speed (m/s) that keeps `slot` out of room taken from other lanes; `ahead` (m) is from its front to the start of `lane`."""
    f = veh.f
    best = FREE
    for row in range(roads.lane_i[lane, LANE_CLASH], roads.lane_i[lane, LANE_CLASH_END]):
        beside = roads.clash_i[row, CLASH_LANE]
        other = lists.first[beside]
        if other < 0 and lists.left_slot[beside] < 0:
            continue
        begin, end = ahead + roads.clash_f[row, CLASH_BEGIN], ahead + roads.clash_f[row, CLASH_END]
        if end + f[slot, LENGTH] < 0.0:
            continue
        low, high = roads.clash_f[row, CLASH_OTHER_BEGIN], roads.clash_f[row, CLASH_OTHER_END]
        along = roads.clash_i[row, CLASH_ALONG] == 1
        if not along and begin < 0.0:
            continue
        scale = (end - begin) / max(high - low, 0.1)
        back, this = overhang(veh, lists, beside, roads.lane_f[beside, LANE_LENGTH])
        hanging = this >= 0
        if not hanging:
            this = other
        while this >= 0:
            if not hanging:
                back = f[this, S] - f[this, LENGTH]
            front = back + f[this, LENGTH]
            if front <= low:
                break
            if this != slot and back < high:
                if along:
                    at = begin + (front - low) * scale
                    if at > SAME or (at >= -SAME and this < slot):
                        gap = max(begin + (back - low) * scale, begin) - f[slot, MIN_GAP]
                        speed = krauss_follow_speed(
                            gap, f[slot, V], f[this, V], f[this, DECEL], f[slot, DECEL], f[slot, EMERGENCY],
                            f[slot, TAU], dt,
                        )  # fmt: skip
                        best = min(best, speed)
                else:
                    best = min(best, stop_speed(max(0.0, begin - CLEAR), f[slot, DECEL], dt, dt))
            this = other if hanging else veh.i[this, BEHIND]
            hanging = False
    return best

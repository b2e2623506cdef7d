"""Room shared by lanes that are not each other's continuation (map/clashes.py): whoever is in it goes first, the others keep behind."""

from __future__ import annotations

from cloverleaf.algo.following import brake_gap, krauss_follow_speed, stop_speed
from cloverleaf.algo.jit import kernel
from cloverleaf.human.gap_acceptance import RED, YELLOW
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
    LANE_NEXT,
    LENGTH,
    LINK,
    LINK_ENTRY,
    LINK_FROM,
    LINK_LIGHT,
    LINK_VIA,
    MIN_GAP,
    TAU,
    S,
    V,
)

FREE = 1e9
CLEAR = 1.5  # m before room taken by a crossing path at which one waits, out of the way of whoever crosses
LINE = 0.1  # m before room shared with a path that runs along at which one stops
SLOW = 0.5  # m/s, speed at least reckoned with, so that times are finite
CREEP, SOON = 1.0, 1.0  # m/s, s: who drives slower, or can stop for longer than that, lets others go
TIME_GAP = 0.5  # s kept to those who will have crossed before
SAME = 0.01  # m: fronts closer than this count as level, then the lower slot goes first


@kernel
def comes_next(veh, lists, roads, lane):
    """Vehicle that will enter the junction's path `lane` next, -1 nobody or its light is not green, and its way to there (m)."""
    onward = roads.lane_i[lane, LANE_NEXT]
    if onward < 0:
        return -1, 0.0
    link = roads.link_i[onward, LINK_ENTRY]
    if roads.link_i[link, LINK_VIA] != lane:
        return -1, 0.0
    source = roads.link_i[link, LINK_FROM]
    other = lists.first[source]
    if other < 0 or veh.i[other, LINK] != link:
        return -1, 0.0
    light = roads.link_i[link, LINK_LIGHT]
    if light >= 0 and roads.light[light] in (RED, YELLOW):
        return -1, 0.0
    return int(other), roads.lane_f[source, LANE_LENGTH] - veh.f[other, S]


@kernel
def goes_first(f, slot, other, way, other_way, room, dt):
    """True if `slot`, `way` metres before shared room, is to let `other` go first, which is `other_way` metres before it and moving.

    Of two who come, the one goes first who can no longer stop; of two who soon cannot, whoever is there first; nobody if `other` is
    gone before: `room` (m) is what it has to cover in there. Who stands can always stop, so nobody is held up by somebody who waits.
    """
    v, theirs = max(f[slot, V], SLOW), f[other, V]
    if way < brake_gap(f[slot, V], f[slot, DECEL], 0.0, dt):
        return False
    rest = other_way - brake_gap(theirs, f[other, DECEL], 0.0, dt)
    if rest >= 0.0:
        if theirs < CREEP or rest > theirs * SOON:
            return False
        mine, its = way / v, other_way / theirs
        if its > mine or (its == mine and slot < other):
            return False
    return (other_way + room) / theirs + TIME_GAP > way / v


@kernel
def clash_speed(veh, lists, roads, slot, lane, ahead, dt):
    """Speed (m/s) that keeps `slot` out of room taken from other lanes; `ahead` (m) is from its front to the start of `lane`."""
    f = veh.f
    best = FREE
    for row in range(roads.lane_i[lane, LANE_CLASH], roads.lane_i[lane, LANE_CLASH_END]):
        beside = roads.clash_i[row, CLASH_LANE]
        begin, end = ahead + roads.clash_f[row, CLASH_BEGIN], ahead + roads.clash_f[row, CLASH_END]
        if end + f[slot, LENGTH] < 0.0:
            continue
        low, high = roads.clash_f[row, CLASH_OTHER_BEGIN], roads.clash_f[row, CLASH_OTHER_END]
        along = roads.clash_i[row, CLASH_ALONG] == 1
        if not along and begin < 0.0:
            continue
        line = begin - (LINE if along else CLEAR)
        scale = (end - begin) / max(high - low, 0.1)
        back, this = overhang(veh, lists, beside, roads.lane_f[beside, LANE_LENGTH])
        hanging = this >= 0
        if not hanging:
            this = lists.first[beside]
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
                    best = min(best, stop_speed(max(0.0, line), f[slot, DECEL], dt, dt))
            this = lists.first[beside] if hanging else veh.i[this, BEHIND]
            hanging = False
        if line <= 0.0:
            continue
        way = low
        if this >= 0:
            way -= f[this, S]
        else:
            this, before = comes_next(veh, lists, roads, beside)
            way += before
        if this >= 0 and this != slot and goes_first(f, slot, this, line, way, high - low + f[this, LENGTH], dt):
            best = min(best, stop_speed(line, f[slot, DECEL], dt, dt))
    return best

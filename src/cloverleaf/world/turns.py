"""Turns from the wrong lane: what drivers do who block each other at a stop line, when the road beside them is free at last.

Without it two drivers who both want the other's lane would wait for ever. The turner goes straight on until its tail has left the
lane, then slants over to the path that it takes; so what matters is that nobody on the lanes that it crosses arrives meanwhile.
"""

from __future__ import annotations

from cloverleaf.algo.following import speed_after
from cloverleaf.algo.jit import kernel
from cloverleaf.map.neighbours import left_behind
from cloverleaf.types.traffic import (
    ACCEL,
    AHEAD,
    LANE,
    LANE_INDEX,
    LANE_INTO,
    LANE_INTO_END,
    LANE_LENGTH,
    LANE_WIDTH,
    LENGTH,
    LINK,
    LINK_FROM,
    LINK_LENGTH,
    LINK_LIGHT,
    MIN_GAP,
    POS,
    V_LANE,
    WAIT,
    S,
    V,
)
from cloverleaf.world.motion import SLANT

END_ZONE = 25.0  # m before the end of a lane in which that is possible
LONG_WAIT = 40.0  # s after which it is enough that nobody is near: those further away have to brake
RED = 114  # ord of r


@kernel
def shortest_time(distance, speed, accel, top):
    """Least time (s) to cover `distance` metres from `speed`, by full acceleration up to `top` (m/s)."""
    fastest = speed_after(distance, speed, accel, top)
    if fastest <= speed:
        return distance / max(speed, 0.1)
    gained = (fastest - speed) / accel
    return gained + max(0.0, distance - 0.5 * (fastest + speed) * gained) / fastest


@kernel
def time_to_end(veh, lists, roads, lane, within):
    """Least time (s) until somebody leaves `lane` at its end, as far as it is below `within`; who is stuck there as well does not."""
    f = veh.f
    length = roads.lane_f[lane, LANE_LENGTH]
    head = lists.first[lane]
    if head >= 0 and veh.i[head, LINK] < 0:
        return within
    if head >= 0:
        return shortest_time(length - f[head, S], f[head, V], f[head, ACCEL], f[head, V_LANE])
    soonest = within
    for k in range(roads.lane_i[lane, LANE_INTO], roads.lane_i[lane, LANE_INTO_END]):
        link = roads.into[k]
        source = roads.link_i[link, LINK_FROM]
        head = lists.first[source]
        if head >= 0 and veh.i[head, LINK] == link:
            way = length + roads.link_f[link, LINK_LENGTH] + roads.lane_f[source, LANE_LENGTH] - f[head, S]
            time = shortest_time(way, f[head, V], f[head, ACCEL], f[head, V_LANE])
            soonest = min(soonest, time)
    return soonest


@kernel
def way_is_free(veh, lists, roads, slot, off):
    """True if `slot`, first on its lane, can drive off to the path of the lane `off` lanes to the left and be across in time."""
    f = veh.f
    lane = veh.i[slot, LANE]
    slanting = abs(off) * roads.lane_f[lane, LANE_WIDTH] / SLANT
    way = roads.lane_f[lane, LANE_LENGTH] - f[slot, S] + f[slot, LENGTH] + slanting
    across = shortest_time(way, f[slot, V], f[slot, ACCEL], f[slot, V_LANE])
    room = f[slot, LENGTH] + slanting + f[slot, MIN_GAP]
    patient = f[slot, WAIT] < LONG_WAIT
    if patient and left_behind(veh, lists, lane) < room:
        return False
    step = 1 if off > 0 else -1
    beside = lane
    while beside != lane + off:
        beside += step
        head = lists.first[beside]
        if head >= 0 and veh.i[head, LINK] >= 0 and roads.lane_f[beside, LANE_LENGTH] - f[head, S] < END_ZONE:
            return False
        if patient and (
            left_behind(veh, lists, beside) < room or time_to_end(veh, lists, roads, beside, across) < across
        ):
            return False
    return True


@kernel
def turn_from_wrong_lane(veh, lists, roads, paths, slot):
    """Let `slot`, stuck at the end of a lane that does not lead on, take the link of the lane it cannot reach, or give up on it.

    To be asked anew in every step while it stands: who was far away then may be near now.
    """
    f, i = veh.f, veh.i
    lane = i[slot, LANE]
    link = i[slot, LINK]
    if link >= 0 and roads.link_i[link, LINK_FROM] == lane:
        return
    i[slot, LINK] = -1
    if i[slot, AHEAD] >= 0 or roads.lane_f[lane, LANE_LENGTH] - f[slot, S] > END_ZONE:
        return
    row = paths.pos_row[i[slot, POS]] + roads.lane_i[lane, LANE_INDEX]
    off = paths.row_offset[row]
    if off == 0:
        return
    link = paths.row_link[row + off]
    if link < 0:
        return
    light = roads.link_i[link, LINK_LIGHT]
    if (light < 0 or roads.light[light] != RED) and way_is_free(veh, lists, roads, slot, off):
        i[slot, LINK] = link

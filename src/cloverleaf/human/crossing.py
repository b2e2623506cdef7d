"""Who is in the way inside the junction ahead: the speed that respects vehicles already on conflicting paths.

Announcements (gap_acceptance.py) decide who may enter; this decides what is physically possible. A vehicle outside the junction
treats everyone on a conflicting path as ahead of it; of two inside, the one who entered the conflict area first goes first.
"""

from __future__ import annotations

from cloverleaf.algo.following import follow_speed, stop_speed
from cloverleaf.algo.jit import kernel
from cloverleaf.map.neighbours import overhang
from cloverleaf.types.traffic import (
    ACC,
    ACCEL,
    BEHIND,
    CROSSING,
    DECEL,
    EMERGENCY,
    ENTRY,
    FOE_BEGIN,
    FOE_END,
    FOE_LANE,
    FOE_MERGE,
    FOE_OTHER_BEGIN,
    FOE_OTHER_END,
    FOE_YIELD,
    LANE_LENGTH,
    LENGTH,
    LINK_FOES,
    LINK_FOES_END,
    LINK_LENGTH,
    MIN_GAP,
    MODEL,
    NEVER,
    TAU,
    V_LANE,
    WAIT,
    S,
    V,
)

FREE = 1e9
PATIENCE = 5.0  # s of waiting after which one begins to make do with less room
SQUEEZE_RATE = 0.1  # m/s
MOST_SQUEEZE = 1.8  # m
NARROWEST = 0.28  # share of a conflict area by which it may shrink at either side: bodies are narrower than the lanes that it is made of
EDGE = 0.5  # m that who waits may reach into a conflict area
STUCK = 2.0  # s of waiting after which a vehicle in the way is taken to stay there


@kernel
def gives_way(f, i, foe_i, slot, other, row, at_own, at_other):
    """Of two vehicles inside the junction: True if `slot` is the one to wait for `other` at the conflict `row`."""
    mine = f[slot, ENTRY]
    theirs = f[other, ENTRY]
    if mine != theirs:
        return theirs < mine
    if foe_i[row, FOE_MERGE] == 1 and at_own != at_other:
        return at_other < at_own
    if foe_i[row, FOE_YIELD] == 1:
        return True
    return other < slot and i[other, CROSSING] >= 0


@kernel
def conflict_speed(veh, lists, roads, slot, link, ahead, inside, line, dt):
    """Speed (m/s) that respects all vehicles on paths in conflict with `link`, and how long somebody has stood in the way.

    `ahead` is the distance (m) from the front to the start of the link's path (negative inside), `line` the distance to the
    point where one can wait (a stop line, or 0). Who still has to give way inside the junction, on the first part of a path in two,
    lets those go first who are past their last line. Returns (speed, seconds that somebody has stood on the path).
    """
    f = veh.f
    tau, decel, emergency, gap0 = f[slot, TAU], f[slot, DECEL], f[slot, EMERGENCY], f[slot, MIN_GAP]
    best = FREE
    stuck = 0.0
    # who has stood for a while passes others closely
    squeeze = min(MOST_SQUEEZE, max(0.0, SQUEEZE_RATE * (f[slot, WAIT] - PATIENCE)))
    for row in range(roads.link_i[link, LINK_FOES], roads.link_i[link, LINK_FOES_END]):
        lane = roads.foe_i[row, FOE_LANE]
        other = lists.first[lane]
        left = lists.left_slot[lane]
        if other < 0 and left < 0:
            continue
        begin = ahead + roads.foe_f[row, FOE_BEGIN]
        end = ahead + roads.foe_f[row, FOE_END]
        merge = roads.foe_i[row, FOE_MERGE] == 1
        if end < 0.0 and not merge:
            continue
        length = roads.lane_f[lane, LANE_LENGTH]
        back, hanging = overhang(veh, lists, lane, length)
        other = hanging if hanging >= 0 else other
        first = hanging >= 0
        foe_begin = roads.foe_f[row, FOE_OTHER_BEGIN]
        foe_end = roads.foe_f[row, FOE_OTHER_END]
        while other >= 0:
            this = other
            if first:
                first = False
                other = lists.first[lane]
            else:
                back = f[this, S] - f[this, LENGTH]
                other = veh.i[this, BEHIND]
            if this == slot:
                continue
            front = back + f[this, LENGTH]
            close = min(squeeze, NARROWEST * (foe_end - foe_begin))
            # who has stood at the edge of the area for a while, perhaps for this very driver, is not yet in it
            entered = front > foe_begin + (max(close, EDGE) if f[this, WAIT] > STUCK else close)
            past = back > foe_end - close
            if merge:
                at_own = ahead + roads.link_f[link, LINK_LENGTH]
                at_other = length - front
                if inside and not gives_way(f, veh.i, roads.foe_i, slot, this, row, at_own, at_other):
                    if not (entered and at_other < at_own):
                        continue
                if inside and at_other > at_own and (f[slot, ENTRY] != NEVER or f[this, ENTRY] == NEVER):
                    continue
                gap = at_own - gap0 - (length - back)
            else:
                if past:
                    continue
                blocks = entered and begin > 0.0
                if inside and not blocks:
                    if begin < -0.1 or not gives_way(f, veh.i, roads.foe_i, slot, this, row, begin, foe_begin - front):
                        continue
                gap = begin - gap0 - (foe_end - back)
            if not entered and f[this, WAIT] > STUCK and (inside or (roads.foe_i[row, FOE_YIELD] == 0 and not merge)):
                continue
            if gap >= 0.0:
                safe = follow_speed(
                    veh.i[slot, MODEL], gap, f[slot, V], f[slot, ACC], f[this, V], f[this, DECEL], veh.i[this, MODEL],
                    f[slot, V_LANE], f[slot, ACCEL], decel, emergency, tau, dt,
                )  # fmt: skip
            else:
                safe = stop_speed(line if merge or not inside else 0.0, decel, dt, dt)
            if not merge and begin >= 0.0:
                stop = stop_speed(begin - gap0, decel, dt, dt)
                away = (begin - gap) / max(f[this, V], 0.1)
                final = max(f[slot, V], 2.0 * (begin - gap0) / away - f[slot, V])
                timed = f[slot, V] + dt * (final - f[slot, V]) / away
                safe = max(safe, min(timed, stop))
            best = min(best, safe)
            if not merge and entered:
                stuck = max(stuck, f[this, WAIT])
    return best, stuck

"""Lane changing: to stay on the route, to gain speed, to keep right, and to let others in.

Emulates the documented behaviour of SUMO's default model (LC2013, Erdmann 2014): the wish to change grows with the speed gained
and with the time that the right lane could be used freely; a change that the route needs becomes urgent when the way left per
lane to cross is shorter than a look-ahead distance. An urgent changer without a gap asks the follower on the target lane to make
room and fits itself behind the leader there.
"""

from __future__ import annotations

from cloverleaf.algo.following import krauss_follow_speed, secure_gap, stop_speed
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.neighbours import leader_at
from cloverleaf.types.traffic import (
    AHEAD,
    ASSERT,
    ATTENTIVE,
    BEHIND,
    CONTROL,
    COOPERATE,
    DECEL,
    EMERGENCY,
    FACTOR,
    HALTED,
    LANE,
    LANE_ALLOW,
    LANE_INDEX,
    LANE_INTERNAL,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_SPEED,
    LENGTH,
    MIN_GAP,
    POS,
    STATE,
    TAU,
    TRIP,
    V_LANE,
    V_TYPE,
    VCLASS,
    WAIT,
    S,
    V,
)

LOOK_FORWARD = 10.0  # s of driving that an urgent change is prepared ahead
LOOK_LEFT = 2.0  # preparation for changes to the left takes longer
THRESHOLD = 0.2  # accumulated relative gain (s) at which a driver changes
KEEP_RIGHT_TIME = 5.0  # s of free driving on the right lane that make a driver move there
MIN_SECONDS = 20.0  # s that a faster lane must be usable
NORM_SPEED = 10.0  # m/s, floor of the reference speed of relative gains
CHANGE_TIME = (
    2.0  # s that a change takes: none is begun so late that it would end in the junction, unless the route needs it
)
INTERVAL = 0.5  # s between considerations where nothing is urgent
EAGER_TIME = 20.0  # s of waiting after which half of the safe gap is accepted
CRAWL = 0.5  # m/s
SLOW = 2.0  # m/s, speed at which one who stands expects to use up the way left
HASTE = 2.0  # share of the way left in which a change is to be done
FALL_BEHIND = 7.0 / 3.6  # m/s (and m/s2) by which a changer falls back behind the vehicle beside it
SOON = 10.0  # s left for a change from which on a changer falls back firmly
ACCEPT_TIME = 7.0  # s of free driving beyond which the right lane counts as free
JAM_SPEED = 5.0 / 3.6  # m/s: a lane faster by less is not worth leaving the right lane for


@inlined
def lane_speed(f, i, slot, other, gap, top, dt):
    """Speed (m/s) that a driver expects behind `other` (-1 nobody) `gap` metres ahead."""
    if other < 0:
        return top
    if gap < 0.0:
        return 0.0
    v = f[slot, V]
    if gap > top * (f[slot, TAU] + dt) + 0.5 * top * top / f[slot, DECEL]:
        return top
    safe = krauss_follow_speed(
        gap, v, f[other, V], f[other, DECEL], f[slot, DECEL], f[slot, EMERGENCY], f[slot, TAU], dt
    )
    return min(safe, top)


@inlined
def keep_right_gain(f, slot, other, gap, top, left, interval):
    """How much the wish to keep right grows in this consideration, from how long the right lane could be used freely."""
    free = max(0.0, left - 0.5 * f[slot, V] * f[slot, V] / f[slot, DECEL])
    seconds = min(ACCEPT_TIME, free / max(top, 0.1))
    if other >= 0 and f[other, V] < top:
        room = max(
            0.0, min(free, gap - 0.5 * max(0.0, f[slot, V] ** 2 - f[other, V] ** 2) / f[slot, DECEL] - f[slot, V])
        )
        seconds = min(seconds, room / (top - f[other, V]))
    return interval * THRESHOLD * (seconds / ACCEPT_TIME) / KEEP_RIGHT_TIME


@inlined
def fits(f, slot, ahead, gap_ahead, behind, gap_behind, dt):
    """True if both gaps on the target lane are safe."""
    v = f[slot, V]
    eager = f[slot, ASSERT] * (1.0 + f[slot, WAIT] / EAGER_TIME)
    least = -0.7 * f[slot, MIN_GAP] * min(1.0, f[slot, WAIT] / EAGER_TIME)
    if ahead >= 0:
        need = secure_gap(v, f[ahead, V], f[ahead, DECEL], f[slot, DECEL], f[slot, TAU], dt)
        if gap_ahead < least or gap_ahead < least + need / eager:
            return False
    if behind >= 0:
        need = secure_gap(f[behind, V], v, f[slot, DECEL], f[behind, DECEL], f[behind, TAU], dt)
        if gap_behind < least or gap_behind < least + need / eager:
            return False
    return True


@inlined
def ask_for_room(f, i, near, slot, ahead, gap_ahead, behind, gap_behind, left, dt):
    """An urgent changer without a gap: fall in behind the leader of the target lane, and let its follower make room."""
    v = f[slot, V]
    tau, decel, emergency = f[slot, TAU], f[slot, DECEL], f[slot, EMERGENCY]
    remaining = max(dt, left / max(v, SLOW) / HASTE)
    if ahead >= 0:
        if gap_ahead >= 0.0:
            speed = krauss_follow_speed(gap_ahead, v, f[ahead, V], f[ahead, DECEL], decel, emergency, tau, dt)
        elif f[ahead, V] > CRAWL and (f[ahead, S] > f[slot, S] or ahead < slot):
            speed = max(0.0, f[ahead, V] - FALL_BEHIND)
        else:
            # who stands beside may be waiting for this very place: go on rather than wait for each other
            speed = v
        if speed < v:
            rate = min(decel, max((v - speed) / remaining, FALL_BEHIND if remaining < SOON else 0.0))
            near.help[slot] = min(near.help[slot], max(speed, v - rate * dt))
    gap = gap_behind
    while behind >= 0 and gap < 0.0:
        # who is beside cannot make room and has to pass; the next one can
        behind = i[behind, BEHIND]
        if behind >= 0:
            gap = f[slot, S] - f[slot, LENGTH] - f[behind, S] - f[behind, MIN_GAP]
    if behind >= 0 and f[behind, COOPERATE] > 0.0:
        vb = f[behind, V]
        speed = krauss_follow_speed(gap, vb, v, decel, f[behind, DECEL], f[behind, EMERGENCY], f[behind, TAU], dt)
        near.help[behind] = min(near.help[behind], max(speed, vb - f[behind, DECEL] * dt))


@inlined
def wish(view, near, intents, slot, interval):
    """Lane-change wish of one driver: -1, 0 or +1."""
    veh, lists, roads, paths = view.vehicles, view.lists, view.roads, view.paths
    f, i = veh.f, veh.i
    dt = view.clock.time[1]
    lane = i[slot, LANE]
    s, v = f[slot, S], f[slot, V]
    row = paths.pos_row[i[slot, POS]] + roads.lane_i[lane, LANE_INDEX]
    off = paths.row_offset[row]
    memory = 1.0 - 0.1 * interval
    look = v if v > near.look[slot] else memory * near.look[slot] + (1.0 - memory) * v
    near.look[slot] = look
    size = 2.0 * (f[slot, LENGTH] + f[slot, MIN_GAP])
    current = paths.row_length[row]
    ahead = i[slot, AHEAD]
    gap = f[ahead, S] - f[ahead, LENGTH] - s - f[slot, MIN_GAP] if ahead >= 0 else 1e9
    here = -1.0
    for side in range(-1, 2, 2):
        target = roads.lane_i[lane, LANE_LEFT] if side > 0 else roads.lane_i[lane, LANE_RIGHT]
        if target < 0 or (roads.lane_i[target, LANE_ALLOW] & i[slot, VCLASS]) == 0:
            continue
        goal = row + side
        reach = look * LOOK_FORWARD * (LOOK_LEFT if side > 0 else 1.0) + size
        strategic = off * side > 0
        urgent = strategic and (current - s - lists.fill[target]) < reach * abs(off)
        left = paths.row_length[goal] - s
        if not urgent:
            if roads.lane_f[lane, LANE_LENGTH] - s < CHANGE_TIME * v:
                continue
            jam = max(lists.fill[target], lists.fill[lane])
            if off == 0:
                if paths.row_offset[goal] != 0 and 2.0 * (left - jam) < reach:
                    continue
            elif not strategic and (left - jam) < reach * (abs(off) + 2.0):
                continue
        target_length = roads.lane_f[target, LANE_LENGTH]
        other = leader_at(veh, lists, target, target_length, s)
        behind = lists.first[target] if other < 0 else i[other, BEHIND]
        gap_other = f[other, S] - f[other, LENGTH] - s - f[slot, MIN_GAP] if other >= 0 else 1e9
        gap_behind = s - f[slot, LENGTH] - f[behind, S] - f[behind, MIN_GAP] if behind >= 0 else 1e9
        if urgent:
            if fits(f, slot, other, gap_other, behind, gap_behind, dt):
                return side
            intents.urgent[slot] = 1 if side > 0 else 2
            ask_for_room(f, i, near, slot, other, gap_other, behind, gap_behind, (current - s) / abs(off), dt)
            continue
        if off != 0 and not strategic:
            continue
        top = min(f[slot, V_TYPE], roads.lane_f[target, LANE_SPEED] * f[slot, FACTOR])
        if here < 0.0:
            here = lane_speed(f, i, slot, ahead, gap, f[slot, V_LANE], dt)
            if off != 0 and current - s < 1e8:
                here = min(here, max(0.1, stop_speed(current - s, f[slot, DECEL], f[slot, TAU], dt)))
        there = lane_speed(f, i, slot, other, gap_other, top, dt)
        gain = (there - here) / max(there, NORM_SPEED)
        g = near.gain[slot]
        if side < 0:
            if here - JAM_SPEED > there:
                if g < 0.0:
                    g *= 0.5**interval
            else:
                g -= interval * max(gain, 0.0)
                near.keep[slot] -= keep_right_gain(f, slot, other, gap_other, top, left, interval)
            near.gain[slot] = g
            if near.keep[slot] < -THRESHOLD or (g < -THRESHOLD and left / max(0.1, v) > MIN_SECONDS):
                if fits(f, slot, other, gap_other, behind, gap_behind, dt):
                    return side
        else:
            if here >= there:
                if g > 0.0:
                    g *= 0.5**interval
            else:
                g += interval * gain
            near.gain[slot] = g
            if g > THRESHOLD and gain > 0.001 and left / max(0.1, v) > MIN_SECONDS:
                if fits(f, slot, other, gap_other, behind, gap_behind, dt):
                    return side
    return 0


@kernel
def wish_all(view, mind, near, intents):
    """Fill `intents.change` for all human drivers; who has nothing urgent thinks about it every `INTERVAL` seconds."""
    veh, roads = view.vehicles, view.roads
    dt = view.clock.time[1]
    stride = max(1, int(INTERVAL / dt + 0.5))
    interval = stride * dt
    step = view.clock.step[0]
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if (step + slot) % stride != 0 and intents.urgent[slot] == 0:
            continue
        lane = veh.i[slot, LANE]
        if lane < 0 or (roads.lane_i[lane, LANE_LEFT] < 0 and roads.lane_i[lane, LANE_RIGHT] < 0):
            continue
        if roads.lane_i[lane, LANE_INTERNAL] > 0 or veh.i[slot, STATE] >= HALTED or veh.i[slot, CONTROL] != 0:
            continue
        if mind.f[slot, ATTENTIVE] == 0.0:
            continue
        if near.owner[slot] != veh.i[slot, TRIP]:
            near.owner[slot] = veh.i[slot, TRIP]
            near.gain[slot] = 0.0
            near.keep[slot] = 0.0
            near.look[slot] = 0.0
        intents.urgent[slot] = 0
        side = wish(view, near, intents, slot, interval)
        intents.change[slot] = side
        if side != 0:
            near.gain[slot] = 0.0
            near.keep[slot] = 0.0

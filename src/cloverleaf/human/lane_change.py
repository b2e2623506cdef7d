"""Lane changing: to stay on the route, to gain speed, to keep right, and to let others in.

Emulates the documented behaviour of SUMO's default model (LC2013, Erdmann 2014): the wish to change grows with the speed gained
and with the time that the right lane could be used freely; a change that the route needs becomes urgent when the way left per
lane to cross, less what is jammed, is shorter than a look-ahead distance (`human/urgent.py` says how gaps are then made).
"""

from __future__ import annotations

from cloverleaf.algo.following import brake_gap, krauss_follow_speed, secure_gap, stop_speed
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.human.urgent import ask_for_room, safe_gap
from cloverleaf.map.neighbours import leader_at
from cloverleaf.types.traffic import (
    AHEAD,
    ASSERT,
    ATTENTIVE,
    BEHIND,
    CONTROL,
    DECEL,
    EMERGENCY,
    FACTOR,
    HALTED,
    LANE,
    LANE_ALLOW,
    LANE_EDGE,
    LANE_INDEX,
    LANE_INTERNAL,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_SPEED,
    LC_GAIN,
    LC_KEEP,
    LC_STRATEGIC,
    LENGTH,
    LINK_TO,
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
THRESHOLD = 0.2  # accumulated relative gain (s) at which a driver changes to the left
THRESHOLD_RIGHT = 2.0  # the same to the right
KEEP_RIGHT_TIME = 5.0  # s of free driving on the right lane that make a driver move there
ACCEPT_TIME = 7.0  # s of free driving, times the speed in m/s, beyond which the right lane counts as free
MIN_SECONDS = 20.0  # s that a faster lane must be usable
NORM_SPEED = 10.0  # m/s, floor of the reference speed of relative gains
JAM_SPEED = 5.0 / 3.6  # m/s: a lane faster by less is not worth leaving the right lane for
MOTORWAY = 80.0 / 3.6  # m/s: above this nobody moves onto a lane on the right that ends
TURN_LANE = 200.0  # m: a lane that leads elsewhere within this distance is not used to gain speed
CHANGE_TIME = (
    2.0  # s that a change takes: none is begun so late that it would end in the junction, unless the route needs it
)
INTERVAL = 0.5  # s between considerations where nothing is urgent
EAGER_TIME = 20.0  # s of waiting after which half of the safe gap is accepted
FAR = 1000.0  # m of free way beyond which jams do not matter
JAM_LANES = 8  # lanes ahead whose vehicles count as a jam
HALT_SIGHT = 100.0  # m at which drivers begin to pass who halts on their lane


@inlined
def lane_speed(f, i, slot, other, gap, way, top, dt):
    """Speed (m/s) that a driver expects behind `other` (-1 nobody) `gap` metres ahead on a lane that leads on for `way` metres."""
    if other < 0:
        return top if way > 300.0 else min(top, stop_speed(way, f[slot, DECEL], f[slot, TAU], dt))
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
def keep_right_gain(f, slot, other, gap, way, interval, dt):
    """How much the wish to keep right grows in this consideration, from how long the right lane could be used freely."""
    top, decel = f[slot, V_LANE], f[slot, DECEL]
    accepted = ACCEPT_TIME * max(1.0, f[slot, V])
    free = max(0.0, way - brake_gap(top, decel, f[slot, TAU], dt))
    seconds = min(accepted, free / max(top, 0.1))
    if other >= 0 and f[other, V] < top:
        room = max(0.0, min(free, gap - secure_gap(top, f[other, V], f[other, DECEL], decel, f[slot, TAU], dt)))
        seconds = min(seconds, room / (top - f[other, V]))
    return interval * THRESHOLD_RIGHT * (seconds / accepted) / KEEP_RIGHT_TIME


@inlined
def fits(f, slot, ahead, gap_ahead, behind, gap_behind, dt):
    """True if both gaps on the target lane are safe, whoever speeds up or brakes now going on so for a reaction time."""
    eager = f[slot, ASSERT] * (1.0 + f[slot, WAIT] / EAGER_TIME)
    least = -0.7 * f[slot, MIN_GAP] * min(1.0, f[slot, WAIT] / EAGER_TIME)
    if ahead >= 0 and gap_ahead < least + safe_gap(f, slot, ahead, dt) / eager:
        return False
    return behind < 0 or gap_behind >= least + safe_gap(f, behind, slot, dt) / eager


@kernel
def queue_ahead(view, near, slot, lane, row):
    """Lengths (m) of the vehicles ahead of `slot` on `lane` and on the lanes that follow it by the path's `row`."""
    veh, lists, roads, paths = view.vehicles, view.lists, view.roads, view.paths
    other = leader_at(veh, lists, lane, roads.lane_f[lane, LANE_LENGTH], veh.f[slot, S])
    if other == slot:
        other = veh.i[slot, AHEAD]
    total = near.ahead[other] + veh.f[other, LENGTH] + veh.f[other, MIN_GAP] if other >= 0 else 0.0
    pos = veh.i[slot, POS]
    for _ in range(JAM_LANES):
        link = paths.row_link[row]
        if link < 0 or paths.pos_last[pos] == 1:
            break
        lane = roads.link_i[link, LINK_TO]
        edge = roads.lane_i[lane, LANE_EDGE]
        pos += 1
        while paths.pos_edge[pos] != edge and paths.pos_last[pos] == 0:
            pos += 1
        row = paths.pos_row[pos] + roads.lane_i[lane, LANE_INDEX]
        total += lists.fill[lane]
    return total


@inlined
def passes_halted(view, slot, ahead, gap, way, other, gap_other):
    """True if somebody who halts on the own lane is to be passed by a lane that leads on for `way` metres."""
    f, i = view.vehicles.f, view.vehicles.i
    if ahead < 0 or (i[ahead, STATE] & HALTED) == 0 or gap >= HALT_SIGHT:
        return False
    needed = gap + f[slot, LENGTH] + f[ahead, LENGTH] + f[ahead, MIN_GAP]
    return way > needed and (other < 0 or (i[other, STATE] & HALTED) == 0 or gap_other > needed)


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
        reach = look * LOOK_FORWARD * f[slot, LC_STRATEGIC] * (LOOK_LEFT if side > 0 else 1.0) + size
        strategic = off * side > 0
        elsewhere = off == 0 and paths.row_offset[goal] != 0
        way = paths.row_length[goal]
        other = leader_at(veh, lists, target, roads.lane_f[target, LANE_LENGTH], s)
        behind = lists.first[target] if other < 0 else i[other, BEHIND]
        gap_other = f[other, S] - f[other, LENGTH] - s - f[slot, MIN_GAP] if other >= 0 else 1e9
        gap_behind = s - f[slot, LENGTH] - f[behind, S] - f[behind, MIN_GAP] if behind >= 0 else 1e9
        left = current - s
        urgent = strategic and left < reach * abs(off)
        if strategic and not urgent and left < FAR:
            urgent = left - queue_ahead(view, near, slot, lane + off, row + off) < reach * abs(off)
        if not urgent and passes_halted(view, slot, ahead, gap, min(way, current) - s, other, gap_other):
            urgent = True
            left = gap
        if urgent:
            if fits(f, slot, other, gap_other, behind, gap_behind, dt):
                return side
            intents.urgent[slot] = 1 if side > 0 else 2
            ask_for_room(f, i, near, slot, side, other, gap_other, behind, gap_behind, left, max(1, abs(off)), look, dt)
            continue
        if roads.lane_f[lane, LANE_LENGTH] - s < CHANGE_TIME * v:
            continue
        if elsewhere or (off != 0 and not strategic):
            if elsewhere and way < TURN_LANE and (ahead < 0 or (i[ahead, STATE] & HALTED) == 0):
                continue
            if elsewhere and side < 0 and roads.lane_f[lane, LANE_SPEED] > MOTORWAY:
                continue
            free, needed = way - s, reach * (abs(off) + 2.0)
            if free < needed:
                continue
            if (
                free < FAR
                and free - max(queue_ahead(view, near, slot, target, goal), queue_ahead(view, near, slot, lane, row))
                < needed
            ):
                continue
        if here < 0.0:
            here = lane_speed(f, i, slot, ahead, gap, current, f[slot, V_LANE], dt)
        top = min(f[slot, V_TYPE], roads.lane_f[target, LANE_SPEED] * f[slot, FACTOR])
        there = lane_speed(f, i, slot, other, gap_other, way, top, dt)
        gain = (there - here) / max(there, NORM_SPEED)
        usable = way / max(0.1, v) > MIN_SECONDS
        g = near.gain[slot]
        change = False
        if side < 0:
            if here - JAM_SPEED > there:
                if g < 0.0:
                    g *= 0.5**interval
            else:
                if g < 0.0 or gain > 0.0:
                    g -= interval * gain
                near.keep[slot] -= keep_right_gain(f, slot, other, gap_other, way, interval, dt)
                change = near.keep[slot] * f[slot, LC_KEEP] < -THRESHOLD_RIGHT
            change = change or (g * f[slot, LC_GAIN] < -THRESHOLD_RIGHT and usable)
            change = change or (strategic and gain >= 0.0 and g < 0.0)
        else:
            if here >= there:
                if g > 0.0:
                    g *= (0.5 if here > there else 0.8) ** interval
            else:
                g += interval * gain
            change = g * f[slot, LC_GAIN] > THRESHOLD and gain > 0.001 and usable
            change = change or (strategic and gain >= 0.0 and g > 0.0)
        near.gain[slot] = g
        if change and fits(f, slot, other, gap_other, behind, gap_behind, dt):
            return side
    return 0


@kernel
def measure_queues(view, near):
    """Fill `near.ahead`: lengths (m) with minimum gaps of all vehicles ahead of each one on its lane."""
    veh = view.vehicles
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if veh.i[slot, AHEAD] >= 0 or veh.i[slot, LANE] < 0:
            continue
        total = 0.0
        while slot >= 0:
            near.ahead[slot] = total
            total += veh.f[slot, LENGTH] + veh.f[slot, MIN_GAP]
            slot = veh.i[slot, BEHIND]


@kernel
def wish_all(view, mind, near, intents):
    """Fill `intents.change` for all human drivers; who has nothing urgent thinks about it every `INTERVAL` seconds."""
    veh, roads = view.vehicles, view.roads
    dt = view.clock.time[1]
    stride = max(1, int(INTERVAL / dt + 0.5))
    interval = stride * dt
    step = view.clock.step[0]
    if step % stride == 0:
        measure_queues(view, near)
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
        passed = dt if intents.urgent[slot] > 0 else interval
        intents.urgent[slot] = 0
        side = wish(view, near, intents, slot, passed)
        intents.change[slot] = side
        if side != 0:
            near.gain[slot] = 0.0
            near.keep[slot] = 0.0
            near.look[slot] = 0.0

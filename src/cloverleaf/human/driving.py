"""Driving: what each driver announces to the links ahead, and the speed then chosen for the coming step.

Two passes over all drivers, both from the same state: `plan_all` finds the safe speed up to each link ahead and announces arrival
times; `decide_all` checks with `gap_acceptance` which links may be passed and settles the speed. So no driver sees another's decision
of the same step, and the order of drivers cannot matter.
"""

from __future__ import annotations

import math

from cloverleaf.algo.following import (
    arrival_time,
    brake_gap,
    free_speed,
    speed_after,
    stop_speed,
)
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import uniform
from cloverleaf.human.beside import SLIGHT, behind, behind_changers, behind_old_leader, hang_over
from cloverleaf.human.clash import clash_speed
from cloverleaf.human.crossing import STUCK, conflict_speed
from cloverleaf.human.gap_acceptance import (
    GREEN_MAJOR,
    RED,
    RED_YELLOW,
    YELLOW,
    is_open,
    is_priority,
    link_state,
)
from cloverleaf.human.room import room_behind, would_block
from cloverleaf.map.neighbours import overhang
from cloverleaf.types.traffic import (
    ACCEL,
    ACCEPT_FACTOR,
    AHEAD,
    ARRIVE,
    ARRIVE_SPEED,
    ATTENTIVE,
    BRAKE_FACTOR,
    BRAKE_SPEED,
    CAME_BY,
    CONTROL,
    CROSSING,
    DECEL,
    DISTANCE,
    EMERGENCY,
    FACTOR,
    GAP_FACTOR,
    HALTED,
    IMPATIENCE,
    ITEMS,
    LANE,
    LANE_CLASH,
    LANE_CLASH_END,
    LANE_INDEX,
    LANE_INTERNAL,
    LANE_LENGTH,
    LANE_NEXT,
    LANE_SPEED,
    LEAVE,
    LEAVE_SPEED,
    LENGTH,
    LINK,
    LINK_CLEAR,
    LINK_CONT,
    LINK_CROSSINGS,
    LINK_ENTRY,
    LINK_FREE,
    LINK_JUNCTION,
    LINK_LENGTH,
    LINK_LIGHT,
    LINK_LINE,
    LINK_ROUNDABOUT,
    LINK_TO,
    LINK_VIA,
    LINK_VISIBILITY,
    LINK_WATCHED,
    MIN_GAP,
    MODEL,
    PARKED,
    POS,
    REQUEST,
    RUN_RED,
    RUN_YIELD,
    SIGMA,
    STATE,
    STOP,
    TAU,
    V_LANE,
    V_PASS,
    V_TYPE,
    V_WAIT,
    WAIT,
    WAITED,
    D,
    S,
    V,
)

NO_HELP = 1e9
SIDE_ROOM = 16.0  # m left free at the end of a lane that does not lead on
LIGHT_GAP = 1.0  # m kept to the stop line of a signal or a priority link
LINE_GAP = 0.1  # m kept to the stop line of a minor link
PAST_LINE = 0.3  # m beyond the place to wait from which on one goes on
HORIZON = 14.0  # s: vehicles on links that others yield to announce themselves this early
YELLOW_DECEL = 3.0  # m/s2 that anybody is ready to brake with at a yellow light
TIME_TO_IMPATIENCE = 180.0  # s of waiting until fully impatient


@kernel
def withdraw(head, link, count, slot):
    """Take back the announcements that `slot` made in the step before."""
    for item in range(slot * ITEMS, slot * ITEMS + count[slot]):
        head[link[item]] = -1
    count[slot] = 0


@kernel
def announce(head, following, item, link):
    """Register `item` at `link`."""
    following[item] = head[link]
    head[link] = item


@kernel
def plan_all(view, mind, near):
    """First pass: walk the lanes ahead of every vehicle, fill its items in `near` and the speed `near.end` if all links are open.

    Smart cars announce themselves too, so that people can yield to them.
    """
    veh, lists, roads, paths = view.vehicles, view.lists, view.roads, view.paths
    f, i = veh.f, veh.i
    now, dt = view.clock.time[0], view.clock.time[1]
    for k in range(veh.count[0]):
        withdraw(near.head, near.link, near.count, veh.active[k])
    hang_over(view, near)
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if i[slot, LANE] < 0 or (i[slot, STATE] & PARKED) != 0:
            continue
        v, accel, decel, tau, gap0 = f[slot, V], f[slot, ACCEL], f[slot, DECEL], f[slot, TAU], f[slot, MIN_GAP]
        lane = i[slot, LANE]
        seen = roads.lane_f[lane, LANE_LENGTH] - f[slot, S]
        top = min(v + accel * dt, f[slot, V_TYPE])
        gentle = v - decel * dt
        safe = min(top, max(f[slot, V_LANE], gentle))
        perceived = mind.f[slot, GAP_FACTOR]
        ahead = i[slot, AHEAD]
        if ahead >= 0:
            gap = (f[ahead, S] - f[ahead, LENGTH] - f[slot, S]) * perceived - gap0
            if v == 0.0 and f[ahead, V] == 0.0 and gap <= 0.001:
                near.end[slot] = 0.0
                continue
            safe = behind(f, i, slot, ahead, gap, safe, dt)
        else:
            back, other = overhang(veh, lists, lane, roads.lane_f[lane, LANE_LENGTH])
            if other >= 0 and other != slot:
                safe = behind(f, i, slot, other, (back - f[slot, S]) * perceived - gap0, safe, dt)
        if f[slot, D] > SLIGHT or f[slot, D] < -SLIGHT:
            safe = behind_old_leader(view, slot, safe)
        if near.hang[lane] >= 0:
            safe = behind_changers(view, near, slot, lane, -f[slot, S], safe)
        if roads.lane_i[lane, LANE_CLASH_END] > roads.lane_i[lane, LANE_CLASH]:
            safe = min(safe, clash_speed(veh, lists, roads, slot, lane, -f[slot, S], dt))
        look = top * (dt + tau) + 0.5 * top * top / decel + gap0
        link = i[slot, LINK]
        far = (
            look + SIDE_ROOM if link < 0 else (max(look, HORIZON * v) if roads.link_i[link, LINK_WATCHED] > 0 else look)
        )
        if link >= 0:
            far += roads.link_f[link, LINK_LINE]
        if seen > far and i[slot, STOP] < 0 and i[slot, CROSSING] < 0:
            near.end[slot] = safe
            continue
        crossing = i[slot, CROSSING]
        pos = i[slot, POS]
        passing = safe
        waiting_at = -1.0
        count = 0
        slowed = False
        if crossing >= 0:
            whole = roads.link_f[crossing, LINK_LENGTH]
            to_end = seen
            inner = roads.link_i[roads.lane_i[lane, LANE_NEXT], LINK_VIA]
            if inner >= 0:
                to_end += roads.lane_f[inner, LANE_LENGTH]
            if lists.junction_count[roads.link_i[crossing, LINK_JUNCTION]] > 1:
                line = max(0.0, seen - max(LINE_GAP, roads.link_f[link, LINK_LINE])) if inner >= 0 else 0.0
                held, stuck = conflict_speed(veh, lists, roads, slot, crossing, to_end - whole, True, line, dt)
                safe = min(safe, held)
                if stuck > 0.0 and inner >= 0 and seen > roads.link_f[link, LINK_LINE]:
                    # somebody stands further on: wait where one is in nobody's way
                    safe = min(safe, stop_speed(seen - roads.link_f[link, LINK_LINE], decel, dt, dt))
                passing = safe
        while True:
            stop = i[slot, STOP]
            if stop >= 0 and view.stop_lane[stop] == lane and (i[slot, STATE] & HALTED) == 0:
                rest = seen + view.stop_end[stop] - roads.lane_f[lane, LANE_LENGTH]
                safe = min(safe, max(gentle, stop_speed(rest, decel, dt, dt)))
                break
            internal = roads.lane_i[lane, LANE_INTERNAL] > 0
            if not internal and paths.pos_last[pos] == 1:
                break
            if link < 0:
                rest = seen
                row = paths.pos_row[pos] + roads.lane_i[lane, LANE_INDEX]
                if not internal:
                    # a scheduled halt on another lane is not to be driven past
                    rest = max(0.0, seen - max(0.0, roads.lane_f[lane, LANE_LENGTH] - paths.row_length[row]))
                if not internal and paths.row_offset[row] > 0:
                    # who has to go left waits short of the end, so that somebody coming the other way can pass in front
                    length = roads.lane_f[lane, LANE_LENGTH]
                    rest -= max(0.0, min(min(SIDE_ROOM, 0.5 * length), length - f[slot, LENGTH] - 1.0))
                safe = min(safe, stop_speed(rest, decel, dt, dt))
                break
            via = roads.link_i[link, LINK_VIA]
            follow = via if via >= 0 else roads.link_i[link, LINK_TO]
            if roads.link_i[link, LINK_FREE] == 0:
                if count == ITEMS:
                    safe = min(safe, stop_speed(seen - LINE_GAP, decel, dt, dt))
                    break
                item = slot * ITEMS + count
                count += 1
                state = link_state(roads, link)
                light = roads.link_i[link, LINK_LIGHT] >= 0
                shut = light and (state in (RED, YELLOW, RED_YELLOW))
                brake = max(decel, min(YELLOW_DECEL, f[slot, EMERGENCY])) if shut else decel
                need = brake_gap(v, brake, 0.0, dt)
                if shut:
                    offset = LIGHT_GAP
                elif is_priority(state):
                    offset = min(roads.link_f[link, LINK_VISIBILITY] - 0.1, LIGHT_GAP)
                else:
                    offset = 0.0
                offset = max(offset, roads.link_f[link, LINK_LINE])
                if seen >= need:
                    offset = min(offset, seen - need)
                offset = max(LINE_GAP, offset)
                wait = min(safe, stop_speed(max(0.0, seen - offset), brake, dt, dt))
                request = (safe > 0.001 and not (slowed and not internal)) or (internal and waiting_at < 0.0)
                near.link[item] = link
                a = near.f
                a[item, V_WAIT] = wait
                a[item, DISTANCE] = seen
                if shut and seen >= need and mind.f[slot, RUN_RED] == 0.0:
                    a[item, REQUEST] = 0.0
                    a[item, V_PASS] = safe
                    break
                if not internal and lists.junction_count[roads.link_i[link, LINK_JUNCTION]] > 0:
                    held, stuck = conflict_speed(veh, lists, roads, slot, link, seen, False, seen - LINE_GAP, dt)
                    if held < safe:
                        safe = max(held, min(wait, safe))
                    if stuck > STUCK and seen >= need:
                        request = False
                if crossing < 0 and not internal and roads.link_i[link, LINK_CROSSINGS] > 0:
                    blocked = view.crossing_block[link]
                    if blocked < 1e9:
                        held = stop_speed(seen + blocked - 1.0, decel, dt, dt)
                        if blocked < 3.0 + f[slot, LENGTH]:
                            held = max(min(held, wait), 0.0)
                        safe = min(safe, held)
                a[item, V_PASS] = safe
                passing = min(passing, safe) if count > 1 else passing
                arrive_speed = passing
                if roads.link_f[link, LINK_LINE] > 0.0:
                    # who stands well before the place where paths cross is there sooner than at its present speed
                    arrive_speed = max(passing, speed_after(seen, safe, accel, f[slot, V_LANE]))
                minor = not is_priority(state) and need < seen and not internal
                if minor and mind.f[slot, RUN_YIELD] == 0.0 and seen > roads.link_f[link, LINK_VISIBILITY]:
                    visible = stop_speed(roads.link_f[link, LINK_VISIBILITY], decel, 0.0, dt)
                    arrive_speed = min(
                        arrive_speed, speed_after(roads.link_f[link, LINK_VISIBILITY], visible, accel, f[slot, V_TYPE])
                    )
                    slowed = True
                if minor and roads.link_i[link, LINK_ROUNDABOUT] > 0:
                    slowed = True
                next_top = min(roads.lane_f[follow, LANE_SPEED] * f[slot, FACTOR], f[slot, V_TYPE])
                leave_speed = min(
                    next_top, speed_after(roads.link_f[link, LINK_LENGTH], arrive_speed, accel, f[slot, V_TYPE])
                )
                arrive = now + arrival_time(seen, max(safe, 0.0), max(arrive_speed, 0.0), accel, decel)
                braking = 0.0
                if seen < brake_gap(safe, decel, tau, dt):
                    braking = min(
                        arrive_speed, max(0.0, math.sqrt(max(0.0, v * v - 2.0 * decel * max(0.0, seen - v * tau))))
                    )
                a[item, REQUEST] = 1.0 if request else 0.0
                a[item, ARRIVE] = arrive
                a[item, ARRIVE_SPEED] = arrive_speed
                way = roads.link_f[link, LINK_LENGTH] + f[slot, LENGTH]
                a[item, LEAVE] = arrive + way / max(0.5 * (arrive_speed + leave_speed), 0.001)
                a[item, LEAVE_SPEED] = leave_speed
                a[item, BRAKE_SPEED] = braking
                a[item, WAITED] = f[slot, WAIT]
                waiting_at = wait
                if not internal and roads.link_i[link, LINK_CLEAR] > 0 and request:
                    if room_behind(veh, lists, roads, slot, link) < f[slot, LENGTH] + gap0 or (
                        roads.link_i[link, LINK_CONT] == 1
                        and state != GREEN_MAJOR
                        and would_block(veh, lists, roads, slot, link)
                    ):
                        a[item, REQUEST] = 0.0
            line = (
                roads.link_f[roads.lane_i[via, LANE_NEXT], LINK_LINE]
                if via >= 0 and roads.lane_i[via, LANE_NEXT] >= 0
                else 0.0
            )
            if seen > look + line:
                break
            next_top = min(roads.lane_f[follow, LANE_SPEED] * f[slot, FACTOR], f[slot, V_TYPE])
            if next_top < safe:
                safe = min(safe, max(free_speed(seen, next_top, decel, dt), gentle))
            if not internal or via < 0:
                if roads.lane_i[follow, LANE_INTERNAL] == 0:
                    pos += 1
            if roads.lane_i[follow, LANE_CLASH_END] > roads.lane_i[follow, LANE_CLASH]:
                safe = min(safe, clash_speed(veh, lists, roads, slot, follow, seen, dt))
            if near.hang[follow] >= 0:
                safe = behind_changers(view, near, slot, follow, seen, safe)
            other = lists.last[follow]
            if other >= 0 and other != slot:
                gap = (seen + f[other, S] - f[other, LENGTH]) * perceived - gap0
                foreign = (
                    gap < 0.0 and f[other, S] < f[other, LENGTH] and i[other, CAME_BY] != roads.link_i[link, LINK_ENTRY]
                )
                if foreign and waiting_at >= 0.0:
                    safe = min(safe, waiting_at)
                elif foreign and crossing < 0 and not internal:
                    safe = min(safe, stop_speed(seen - LINE_GAP, decel, dt, dt))
                else:
                    safe = behind(f, i, slot, other, gap, safe, dt)
                if count > 0:
                    last = slot * ITEMS + count - 1
                    near.f[last, LEAVE_SPEED] = min(near.f[last, LEAVE_SPEED], max(safe, 0.0))
                break
            length = roads.lane_f[follow, LANE_LENGTH]
            back, other = overhang(veh, lists, follow, length)
            if other >= 0 and other != slot:
                safe = behind(f, i, slot, other, (seen + back) * perceived - gap0, safe, dt)
            seen += length
            passing = min(speed_after(length, safe, accel, f[slot, V_TYPE]), next_top)
            lane = follow
            if roads.lane_i[lane, LANE_INTERNAL] > 0:
                link = roads.lane_i[lane, LANE_NEXT]
            else:
                link = paths.row_link[paths.pos_row[pos] + roads.lane_i[lane, LANE_INDEX]]
        near.count[slot] = count
        near.end[slot] = safe
        for item in range(slot * ITEMS, slot * ITEMS + count):
            if near.f[item, REQUEST] != 0.0 and roads.link_i[near.link[item], LINK_WATCHED] > 0:
                announce(near.head, near.next, item, near.link[item])


@kernel
def decide_all(view, mind, near, intents):
    """Second pass: speeds of all human drivers. Pass the links that are open, wait at the first that is not, then dawdle."""
    veh, roads = view.vehicles, view.roads
    f, i = veh.f, veh.i
    dt = view.clock.time[1]
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if i[slot, LANE] < 0 or (i[slot, STATE] & PARKED) != 0:
            intents.speed[slot] = 0.0
            continue
        if i[slot, CONTROL] != 0:
            intents.speed[slot] = f[slot, V]
            continue
        v, accel, decel = f[slot, V], f[slot, ACCEL], f[slot, DECEL]
        if (i[slot, STATE] & HALTED) != 0:
            intents.speed[slot] = 0.0
            continue
        if mind.f[slot, ATTENTIVE] == 0.0:
            intents.speed[slot] = v
            continue
        safe = near.end[slot]
        least = 0.0
        for item in range(slot * ITEMS, slot * ITEMS + near.count[slot]):
            a = near.f
            link = near.link[item]
            if a[item, REQUEST] == 0.0:
                safe = min(safe, a[item, V_WAIT])
                break
            state = link_state(roads, link)
            light = roads.link_i[link, LINK_LIGHT] >= 0
            distance = a[item, DISTANCE]
            can_brake = distance > brake_gap(v, decel, 0.0, dt) or v < decel * dt
            if light and state == YELLOW:
                if can_brake and mind.f[slot, RUN_RED] == 0.0:
                    safe = min(safe, a[item, V_WAIT])
                    break
                continue
            if light and (state in (RED, RED_YELLOW)):
                if can_brake and mind.f[slot, RUN_RED] == 0.0:
                    safe = min(safe, a[item, V_WAIT])
                    break
                continue
            if roads.link_i[link, LINK_CONT] == 1:
                continue
            if distance < roads.link_f[link, LINK_LINE] - PAST_LINE:
                # in the way of others already: to wait here would be to wait for each other
                continue
            if mind.f[slot, RUN_YIELD] != 0.0:
                continue
            impatience = 1.0
            if can_brake:
                impatience = min(1.0, f[slot, IMPATIENCE] + f[slot, WAIT] / TIME_TO_IMPATIENCE)
            passes = is_open(
                view, near, item, link, state, slot, impatience, f[slot, WAIT], mind.f[slot, ACCEPT_FACTOR]
            )
            inner = roads.link_i[link, LINK_ENTRY] != link
            if passes:
                if not is_priority(state) and not inner:
                    if distance > roads.link_f[link, LINK_VISIBILITY] and can_brake:
                        safe = min(safe, a[item, V_WAIT])
                        break
                    least = min(min((distance + 0.1) / dt, a[item, V_PASS]), v + accel * dt)
                continue
            if not can_brake and not light and distance < brake_gap(v, f[slot, EMERGENCY], 0.0, dt):
                continue
            safe = min(safe, a[item, V_WAIT])
            least = 0.0
            break
        if safe + 0.001 < least:
            least = safe
        if near.help[slot] < safe:
            safe = min(safe, max(near.help[slot], v - decel * dt))
            least = 0.0
        near.help[slot] = NO_HELP
        low = max(0.0, min(v - decel * dt, max(safe, v - f[slot, EMERGENCY] * dt)))
        high = max(low, min(safe, min(f[slot, V_LANE], v + accel * dt)))
        speed = high
        if i[slot, MODEL] == 0 and f[slot, SIGMA] > 0.0:
            draw = uniform(veh.key[slot], view.clock.step[0])
            scale = high if high < accel else accel
            speed = max(low, max(0.0, high - dt * f[slot, SIGMA] * scale * draw))
        speed = max(speed, min(least, high))
        if mind.f[slot, BRAKE_FACTOR] != 1.0 and speed < v:
            speed = v + (speed - v) * mind.f[slot, BRAKE_FACTOR]
        intents.speed[slot] = speed

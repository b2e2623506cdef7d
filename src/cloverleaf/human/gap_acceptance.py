"""Gap acceptance at links: may I pass now, given who announced what to the links that I yield to?

Vehicles announce when they will arrive at and leave each link ahead. A driver who has to yield passes only if every announced
time window of a foe lies clearly before or after the own one; for a shared target lane the speeds must also allow to merge. The
rules emulate what the SUMO documentation describes for its right-of-way model (time gap 1 s, impatience, all-way stop by waiting time).
"""

from __future__ import annotations

import math

from cloverleaf.algo.following import brake_gap
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.types.traffic import (
    ARRIVE,
    ARRIVE_SPEED,
    BRAKE_SPEED,
    DECEL,
    DISTANCE,
    FOE_LINK,
    FOE_MERGE,
    FOE_YIELD,
    ITEMS,
    LEAVE,
    LEAVE_SPEED,
    LINK_ENTRY,
    LINK_FOES,
    LINK_FOES_END,
    LINK_LIGHT,
    LINK_STATE,
    REQUEST,
    WAITED,
    V,
)

TIME_GAP = 1.0  # s kept to crossing traffic
STAND_OFF = 1.0  # s of standing after which right before left no longer holds among those who stand
ZIPPER_GAP = 16.0  # s looked ahead where lanes merge one by one
RED, YELLOW, GREEN_MAJOR, ALLWAY, STOP_SIGN, ZIPPER, EQUAL = 114, 121, 71, 119, 115, 90, 61  # ord of r y G w s Z =
RED_YELLOW, DARK, BLINKING, STOP_GREEN = 117, 79, 111, 115


@inlined
def link_state(roads, link):
    """The letter that holds at `link` now: the light's if there is one, else the unsignalised state."""
    light = roads.link_i[link, LINK_LIGHT]
    if light >= 0:
        return int(roads.light[light])
    return roads.link_i[link, LINK_STATE]


@inlined
def is_priority(state):
    """True for letters that never yield (capitals)."""
    return 65 <= state <= 90


@kernel
def unsafe_merge(leader_speed, follower_speed, leader_decel, follower_decel, dt):
    """True if a follower at this speed could not stop behind a leader who brakes now."""
    return brake_gap(leader_speed, leader_decel, 0.0, dt) < brake_gap(follower_speed, follower_decel, 0.0, dt)


@kernel
def braking_arrival(arrive, foe_arrive, impatience, foe_distance, foe_decel, now, dt):
    """When an impatient driver expects a foe who is made to brake: (arrival time, arrival speed)."""
    if math.floor(arrive / dt) == math.floor(foe_arrive / dt):
        return foe_arrive, -1.0
    m = foe_decel * impatience
    span = foe_arrive - arrive
    d = span * m
    v = foe_distance / max(foe_arrive - now + dt, dt)
    rest = foe_distance - v * (arrive - now)
    if 0.5 * v * v / m <= rest:
        return foe_arrive + 30.0, 0.0
    x = (math.sqrt(max(0.0, 4.0 * (v - d) * (v - d) - 4.0 * m * span * d)) * -0.5 - d + v) / m
    return foe_arrive + x, v - (span + x) * m


@kernel
def blocked_by(f, a, now, dt, item, foe_item, merge, state, impatience, own_decel, waited, risk):
    """True if the announcement `foe_item` keeps `item` from passing."""
    if a[foe_item, REQUEST] == 0.0:
        return False
    arrive = a[item, ARRIVE]
    leave = a[item, LEAVE]
    foe_arrive = a[foe_item, ARRIVE]
    foe_decel = f[foe_item // ITEMS, DECEL]
    if state == ALLWAY:
        if waited > a[foe_item, WAITED]:
            return False
        if waited == a[foe_item, WAITED] and (arrive < foe_arrive or (arrive == foe_arrive and item < foe_item)):
            return False
    if state == ZIPPER and (arrive < foe_arrive or (arrive == foe_arrive and item < foe_item)):
        return False
    if state == EQUAL and waited > STAND_OFF and a[foe_item, WAITED] > 0.0:
        # everybody waits for the one on the right: whoever has stood longest goes
        if waited > a[foe_item, WAITED] or (waited == a[foe_item, WAITED] and item < foe_item):
            return False
    foe_speed = a[foe_item, BRAKE_SPEED]
    if impatience > 0.0 and arrive < foe_arrive:
        later, speed = braking_arrival(arrive, foe_arrive, impatience, a[foe_item, DISTANCE], foe_decel, now, dt)
        foe_arrive = (1.0 - impatience) * foe_arrive + impatience * later
        if speed >= 0.0:
            foe_speed = speed
    if risk != 1.0:
        foe_arrive = now + (foe_arrive - now) * risk
    ahead = TIME_GAP if state != ZIPPER else ZIPPER_GAP
    if a[foe_item, LEAVE] < arrive:
        if merge == 0:
            return False
        return arrive - a[foe_item, LEAVE] < ahead or unsafe_merge(
            a[foe_item, LEAVE_SPEED], a[item, ARRIVE_SPEED], foe_decel, own_decel, dt
        )
    if foe_arrive > leave + ahead:
        return merge == 1 and unsafe_merge(a[item, LEAVE_SPEED], foe_speed, own_decel, foe_decel, dt)
    return True


@inlined
def is_open(view, approaches, item, link, state, slot, impatience, waited, risk):
    """True if the driver of `slot` may pass `link` (not red) as announced in `item`."""
    roads = view.roads
    entry = roads.link_i[link, LINK_ENTRY]
    inner = entry != link
    if inner:
        if link_state(roads, entry) == GREEN_MAJOR:
            return True
    elif is_priority(state) and state != ZIPPER:
        return True
    if not inner and (state in (STOP_SIGN, ALLWAY)) and waited == 0.0:
        return False
    decel = view.vehicles.f[slot, DECEL]
    moving_only = inner and link_state(roads, entry) == RED
    for row in range(roads.link_i[link, LINK_FOES], roads.link_i[link, LINK_FOES_END]):
        if roads.foe_i[row, FOE_YIELD] == 0:
            continue
        foe = approaches.head[roads.foe_i[row, FOE_LINK]]
        while foe >= 0:
            other = foe // ITEMS
            if other != slot and not (moving_only and view.vehicles.f[other, V] <= 0.1):
                if blocked_by(
                    view.vehicles.f,
                    approaches.f,
                    view.clock.time[0],
                    view.clock.time[1],
                    item,
                    foe,
                    roads.foe_i[row, FOE_MERGE],
                    state,
                    impatience,
                    decel,
                    waited,
                    risk,
                ):
                    return False
            foe = approaches.next[foe]
    return True

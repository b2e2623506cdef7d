"""Conditions by value and by entity, with edges and delays, and the triggers made of them (clauses "Conditions" and "Trigger")."""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.distance import distance_to_actor, distance_to_place, gap_between, gap_on_road, lane_gap
from cloverleaf.loop.storyboard.layout import settle
from cloverleaf.loop.storyboard.place import drives_along
from cloverleaf.loop.storyboard.signals import phase_column
from cloverleaf.loop.storyboard.state import (
    AX,
    AY,
    COMPLETE,
    DELAYS,
    END_SINCE,
    EVENTS,
    EVENTS_BEFORE,
    FINISHED_AT,
    HEADING,
    KNOWN,
    L_ELEMENT,
    L_STATE,
    L_TIME,
    L_TRANSITION,
    LANE,
    LAST,
    LOG_CONDITION,
    LOGGED,
    MASK,
    ODOMETER,
    OFFROAD_SINCE,
    PITCH,
    PRESENT,
    ROAD,
    ROLL,
    RUNNING,
    SEEN_EVENT,
    SEEN_TICK,
    SKIPPED_AT,
    SPEED,
    STANDBY,
    STARTED_AT,
    STATE,
    STILL_SINCE,
    STOPPED_AT,
    TICK,
    TIME,
    TURN,
    VALUE,
    VX,
    VY,
    VZ,
    S,
    X,
    Y,
)
from cloverleaf.map.opendrive.lanes import section_at
from cloverleaf.map.opendrive.tables import LANE_BEGIN, LANE_END, LANE_ID, USE
from cloverleaf.scenario.storyboard import tables as T

CLOSE = 1e-6  # slack of comparisons, so that a sum of steps reaches a round number


@inlined
def holds(rule, a, b):
    """`a rule b`, equal within CLOSE."""
    if rule == T.GREATER:
        return a > b + CLOSE
    if rule == T.LESS:
        return a < b - CLOSE
    if rule == T.GREATER_EQUAL:
        return a >= b - CLOSE
    if rule == T.LESS_EQUAL:
        return a <= b + CLOSE
    return (abs(a - b) <= CLOSE) == (rule == T.EQUAL)


@inlined
def element_state(p, clock, el, c, co):
    """A storyboard element is in a state, or made a transition since the condition was last looked at (or in the step before)."""
    e, mode = p.conditions[c, T.C_REF], p.conditions[c, T.C_MODE]
    since = clock[EVENTS_BEFORE]
    if co[c, SEEN_TICK] == clock[TICK] - 1.0:
        since = co[c, SEEN_EVENT]
    co[c, SEEN_TICK], co[c, SEEN_EVENT] = clock[TICK], clock[EVENTS]
    if mode == T.START:
        return el[e, STARTED_AT] > since
    if mode == T.STOP:
        return el[e, STOPPED_AT] > since
    if mode == T.SKIPPED:
        return el[e, SKIPPED_AT] > since
    if mode == T.FINISH:
        return el[e, FINISHED_AT] > since
    if mode == T.STANDBY_STATE:
        return el[e, STATE] == STANDBY
    if mode == T.RUNNING_STATE:
        return el[e, STATE] == RUNNING or el[e, STARTED_AT] > since
    return el[e, STATE] == COMPLETE


@kernel
def along_direction(mode, x, y, z, heading):
    """Part of a vector along a direction of an entity's frame: longitudinal, lateral or vertical."""
    if mode == T.LONGITUDINAL:
        return x * math.cos(heading) + y * math.sin(heading)
    if mode == T.LATERAL:
        return y * math.cos(heading) - x * math.sin(heading)
    return z


@kernel
def lanes_clear(p, v, m, n, a, c, i):
    """RelativeClearance: no other entity within the distances and lanes, and one of those lanes exists."""
    slot = p.conditions[c, T.C_SLOT]
    ahead, behind, low, high = v[slot], v[slot + 1], v[slot + 2], v[slot + 3]
    road = int(a[i, ROAD])
    if road < 0:
        return False
    sign = 1 if drives_along(m, road, a[i, LANE]) else -1  # to the left counts positive
    listed = p.conditions[c, T.C_REF]
    for k in range(p.entities.shape[0]):
        if k == i or a[k, PRESENT] == 0.0:
            continue
        if listed >= 0:
            named = False
            for q in range(p.members[listed]):
                named = named or p.members[listed + 1 + q] == k
            if not named:
                continue
        ds, _ = lane_gap(m, n, a, i, k)
        if p.conditions[c, T.C_FREE] == 1 and ds < math.inf:
            ds = distance_to_actor(m, n, a, i, k, T.ROAD_SYSTEM, T.ALONG, 1)
        if not -behind <= ds <= ahead:
            continue
        opposite = a[k, ROAD] == a[i, ROAD] and (a[k, LANE] > 0) != (a[i, LANE] > 0)
        lanes = sign * (a[k, LANE] - a[i, LANE])
        if opposite:
            lanes -= 1.0 if lanes > 0.0 else -1.0
        if low <= lanes <= high and not (opposite and p.conditions[c, T.C_MODE] == 0):
            return False
    section = section_at(m, road, a[i, S])
    for row in range(m.section_i[section, LANE_BEGIN], m.section_i[section, LANE_END]):
        lane_id = m.lane_i[row, LANE_ID]
        if lane_id == 0 or m.lane_i[row, USE] != 2:
            continue
        same = (lane_id > 0) == (a[i, LANE] > 0)
        if (same or p.conditions[c, T.C_MODE] == 1) and low <= sign * (lane_id - a[i, LANE]) <= high:
            return True
    return False


@inlined
def entity_holds(p, v, m, g, n, clock, a, path, c, i):
    """A condition by entity for one triggering entity i."""
    kind, rule, mode = p.conditions[c, T.C_KIND], p.conditions[c, T.C_RULE], p.conditions[c, T.C_MODE]
    slot, other, at = p.conditions[c, T.C_SLOT], p.conditions[c, T.C_REF], p.conditions[c, T.C_POSITION]
    system, free = p.conditions[c, T.C_SYSTEM], p.conditions[c, T.C_FREE]
    value = v[slot] if slot >= 0 else 0.0
    spare = p.entities.shape[0]
    if kind != T.CLEARANCE and other >= 0 and a[other, PRESENT] == 0.0:
        return False
    if kind == T.SPEED:
        if mode == T.DIRECTION_ANY:
            return holds(rule, a[i, SPEED], value)
        return holds(rule, along_direction(mode, a[i, VX], a[i, VY], a[i, VZ], a[i, HEADING]), value)
    if kind == T.STAND_STILL:
        return clock[TIME] - a[i, STILL_SINCE] > value
    if kind == T.TRAVELED:
        return a[i, ODOMETER] >= value
    if kind == T.END_OF_ROAD:
        return clock[TIME] - a[i, END_SINCE] > value - CLOSE
    if kind == T.OFFROAD:
        return clock[TIME] - a[i, OFFROAD_SINCE] > value
    if kind == T.RELATIVE_SPEED:
        if mode == T.DIRECTION_ANY:
            return holds(rule, a[i, SPEED] - a[other, SPEED], value)
        x, y, z = a[i, VX] - a[other, VX], a[i, VY] - a[other, VY], a[i, VZ] - a[other, VZ]
        return holds(rule, along_direction(mode, x, y, z, a[i, HEADING]), value)
    if kind == T.ACCELERATION:
        if mode == T.DIRECTION_ANY:
            return holds(rule, math.sqrt(a[i, AX] * a[i, AX] + a[i, AY] * a[i, AY]), value)
        return holds(rule, along_direction(mode, a[i, AX], a[i, AY], 0.0, a[i, HEADING]), value)
    if kind == T.COLLISION:
        for k in range(p.entities.shape[0]):
            wanted = k == other or (other < 0 and p.entities[k, T.N_KIND] == mode - 1)
            if wanted and k != i and a[k, PRESENT] == 1.0 and gap_between(a, i, k) <= 0.0:
                return True
        return False
    if kind == T.HEADWAY:
        d = distance_to_actor(m, n, a, i, other, system, mode, free)
        if not 0.0 <= d < math.inf or a[i, SPEED] < CLOSE:
            return False
        return holds(rule, d / a[i, SPEED], value)
    if kind == T.COLLISION_TIME:
        if other >= 0:
            d = distance_to_actor(m, n, a, i, other, system, mode, free)
            speed = math.sqrt(a[other, VX] * a[other, VX] + a[other, VY] * a[other, VY])
            closing = a[i, SPEED]
            if speed > CLOSE:
                along = (a[i, VX] * a[other, VX] + a[i, VY] * a[other, VY]) / speed
                closing = (1.0 if along >= 0.0 else -1.0) * (along - speed)
        else:
            settle(p, v, m, g, n, a, path, at, spare)
            d = distance_to_place(m, n, a, i, spare, system, mode, free)
            closing = a[i, SPEED]
        if not d < math.inf or abs(d) < CLOSE or abs(closing) < CLOSE or d / closing < 0.0:
            return False
        return holds(rule, d / closing, value)
    if kind == T.REACH:
        settle(p, v, m, g, n, a, path, at, spare)
        dx, dy = a[spare, X] - a[i, X], a[spare, Y] - a[i, Y]
        return math.sqrt(dx * dx + dy * dy) < value
    if kind == T.DISTANCE:
        settle(p, v, m, g, n, a, path, at, spare)
        return holds(rule, abs(distance_to_place(m, n, a, i, spare, system, mode, free)), value)
    if kind == T.RELATIVE_DISTANCE:
        return holds(rule, abs(distance_to_actor(m, n, a, i, other, system, mode, free)), value)
    if kind == T.CLEARANCE:
        return lanes_clear(p, v, m, n, a, c, i)
    if kind == T.ANGLE or kind == T.RELATIVE_ANGLE:
        angle = a[i, HEADING] if mode == 0 else (a[i, PITCH] if mode == 1 else a[i, ROLL])
        if kind == T.RELATIVE_ANGLE:
            angle -= a[other, HEADING] if mode == 0 else (a[other, PITCH] if mode == 1 else a[other, ROLL])
        elif system == T.ROAD_SYSTEM and a[i, ROAD] >= 0:
            angle = a[i, TURN] if mode == 0 else 0.0
        elif system == T.LANE_SYSTEM and a[i, ROAD] >= 0:
            against = 0.0 if drives_along(m, int(a[i, ROAD]), a[i, LANE]) else math.pi
            angle = a[i, TURN] - against if mode == 0 else 0.0
        elif system == T.ENTITY_SYSTEM:
            angle = 0.0
        return abs(wrap_angle(angle - value)) <= v[slot + 1] + CLOSE
    return False


@inlined
def plain_value(p, v, m, g, n, clock, a, el, path, variable, co, c):
    """The logical expression of a condition, without edge and delay; notes the triggering entities."""
    kind, slot = p.conditions[c, T.C_KIND], p.conditions[c, T.C_SLOT]
    if kind == T.TIME:
        return holds(p.conditions[c, T.C_RULE], clock[TIME], v[slot])
    if kind == T.ELEMENT_STATE:
        return element_state(p, clock, el, c, co)
    if kind == T.VARIABLE:
        return holds(p.conditions[c, T.C_RULE], variable[p.conditions[c, T.C_REF]], v[slot])
    if kind == T.SIGNAL:
        return variable[p.sizes[T.Z_VARIABLES] + p.conditions[c, T.C_REF]] == v[slot]
    if kind == T.TIME_OF_DAY:
        return holds(p.conditions[c, T.C_RULE], v[p.sizes[T.Z_DAY]] + clock[TIME], v[slot])
    if kind == T.SIGNAL_PHASE:
        return variable[phase_column(p, p.conditions[c, T.C_REF])] == v[slot]
    if kind == T.NEVER:
        return False
    every = p.conditions[c, T.C_ALL] == 1
    result, mask = every, 0.0
    for q in range(p.conditions[c, T.C_BEGIN], p.conditions[c, T.C_END]):
        i = p.members[q]
        here = False
        if a[i, PRESENT] == 1.0:
            other = p.conditions[c, T.C_REF]
            quick = (
                kind == T.RELATIVE_DISTANCE
                and p.conditions[c, T.C_MODE] == T.ALONG
                and p.conditions[c, T.C_SYSTEM] == T.ROAD_SYSTEM
            )
            if quick and a[other, PRESENT] == 1.0 and a[i, ROAD] == a[other, ROAD] and a[i, ROAD] >= 0.0:
                ds = gap_on_road(a, i, other, p.conditions[c, T.C_FREE])
                here = holds(p.conditions[c, T.C_RULE], abs(ds), v[slot])
            else:
                here = entity_holds(p, v, m, g, n, clock, a, path, c, i)
        if here and i < 50:
            mask += 2.0**i
        result = (result and here) if every else (result or here)
        if every and not here:
            break
    co[c, MASK] = mask if result else 0.0
    return result


@kernel
def delayed_value(d, time, delay, value):
    """Remember a value and tell the one `delay` seconds ago; False before anything was known."""
    count = int(d[2 * DELAYS])
    now = 1.0 if value else 0.0
    if count == 0 or d[DELAYS + count - 1] != now:
        if count == DELAYS:
            for k in range(DELAYS - 1):
                d[k], d[DELAYS + k] = d[k + 1], d[DELAYS + k + 1]
            count -= 1
        d[count], d[DELAYS + count] = time, now
        count += 1
        d[2 * DELAYS] = count
    at = time - delay + CLOSE
    found = 0.0
    for k in range(count):
        if d[k] <= at:
            found = d[DELAYS + k]
    return found == 1.0


@inlined
def condition_value(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, c):
    """A condition with its edge and delay."""
    edge = p.conditions[c, T.C_EDGE]
    now = plain_value(p, v, m, g, n, clock, a, el, path, variable, co, c)
    before, known = co[c, LAST] == 1.0, co[c, KNOWN] == 1.0
    co[c, LAST] = 1.0 if now else 0.0
    co[c, KNOWN] = 1.0
    if edge == T.EDGE_RISING:
        now = known and now and not before
    elif edge == T.EDGE_FALLING:
        now = known and before and not now
    elif edge == T.EDGE_BOTH:
        now = known and before != now
    history = p.conditions[c, T.C_HISTORY]
    if history >= 0:
        now = delayed_value(delayed[history], clock[TIME], v[p.conditions[c, T.C_DELAY]], now)
    if now and co[c, VALUE] == 0.0 and clock[LOGGED] < log.shape[0]:
        row = int(clock[LOGGED])
        log[row, L_TIME], log[row, L_ELEMENT], log[row, L_STATE], log[row, L_TRANSITION] = (
            clock[TIME],
            c,
            LOG_CONDITION,
            0.0,
        )
        clock[LOGGED] += 1.0
    co[c, VALUE] = 1.0 if now else 0.0
    return now


@inlined
def trigger_fires(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, t, fired):
    """A trigger: any of its groups with all conditions true. Bits of the triggering entities go to `fired[0]`."""
    begin, end = p.triggers[t, T.T_BEGIN], p.triggers[t, T.T_END]
    if begin == end:
        return p.triggers[t, T.T_EMPTY] == 1
    result = False
    fired[0] = 0.0
    for q in range(begin, end):
        every = True
        mask = 0.0
        for c in range(p.groups[q, T.G_BEGIN], p.groups[q, T.G_END]):
            if not every and p.conditions[c, T.C_EDGE] == T.EDGE_NONE and p.conditions[c, T.C_HISTORY] < 0:
                continue  # its value now cannot matter, and nothing has to be remembered
            every = condition_value(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, c) and every
            mask = max(mask, co[c, MASK])
        if every and p.groups[q, T.G_BEGIN] < p.groups[q, T.G_END]:
            result = True
            fired[0] = max(fired[0], mask)
    if result:
        for q in range(begin, end):
            for c in range(p.groups[q, T.G_BEGIN], p.groups[q, T.G_END]):
                co[c, KNOWN] = 0.0
    return result


@kernel
def forget_trigger(p, co, delayed, t):
    """Start a trigger afresh, for another execution of its element."""
    if t < 0:
        return
    for q in range(p.triggers[t, T.T_BEGIN], p.triggers[t, T.T_END]):
        for c in range(p.groups[q, T.G_BEGIN], p.groups[q, T.G_END]):
            co[c, KNOWN], co[c, VALUE] = 0.0, 0.0
            if p.conditions[c, T.C_HISTORY] >= 0:
                delayed[p.conditions[c, T.C_HISTORY], 2 * DELAYS] = 0.0

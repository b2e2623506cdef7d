"""A world from its Init actions to its end: one step in the order of the standard's default loop.

Triggers are evaluated, actions stepped, then actors move and time goes on; velocities, distances and collisions follow from the motion.
"""

from __future__ import annotations

import math

from cloverleaf.algo.boxes import boxes_overlap
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.actions import start_action
from cloverleaf.loop.storyboard.control import DIRECT, controls, drive, move_default
from cloverleaf.loop.storyboard.distance import box_centre, direction
from cloverleaf.loop.storyboard.elements import evaluate_triggers, start_element, step_actions
from cloverleaf.loop.storyboard.routing import TELEPORTED, next_choice, next_goal, pull
from cloverleaf.loop.storyboard.signals import cycle_signals
from cloverleaf.loop.storyboard.state import (
    ACCEL,
    AT_END,
    AX,
    AY,
    BOX_X,
    BOX_Y,
    BRAKE,
    CHANCE,
    CONTROLLER,
    DIR_OF,
    DT,
    END_SINCE,
    ENDED,
    EVENTS,
    EVENTS_BEFORE,
    G_LOW,
    G_SCALE,
    GOAL_ROAD,
    GOAL_ROUTE,
    HEADING,
    LAT_CONTROL,
    LENGTH,
    LIMIT,
    LIST_STAMP,
    LON_CONTROL,
    MAX_ACCEL,
    MAX_DECEL,
    MAX_SPEED,
    MOVED,
    ODOMETER,
    OFFROAD_SINCE,
    OFFSET,
    OLD_SPEED,
    OLD_X,
    OLD_Y,
    OLD_Z,
    PATH_ACTION,
    PRESENT,
    REACH,
    ROAD,
    ROW,
    SPEED,
    STEERED,
    STILL_SINCE,
    T_ROAD,
    THROTTLE,
    TICK,
    TIME,
    TOUCHED,
    TOUCHED_BY,
    TOW,
    TRAILER,
    VX,
    VY,
    VZ,
    WHEEL,
    WIDTH,
    S,
    X,
    Y,
    Z,
)
from cloverleaf.loop.storyboard.traffic import drive_traffic, step_traffic
from cloverleaf.map.opendrive.lanes import lane_extent, profile_at, section_at
from cloverleaf.map.opendrive.tables import LANE_ID, USE
from cloverleaf.scenario.storyboard import tables as T

STILL = 1e-3  # m/s, slower counts as standing
OUTSIDE_ROAD = 1e-6
INSIDE = 0.5  # m from the centre of a lane for traffic, where nobody needs to look whether it is on the road


@kernel
def prepare(p, v, first, a, el, variable, asked, running, dt, clock):
    """Everything as it is before Init: entities without a place, elements waiting, variables at their first values."""
    for c in range(clock.shape[0]):
        if c != 7:
            clock[c] = 0.0
    clock[DT] = dt
    for i in range(a.shape[0]):
        for c in range(a.shape[1]):
            a[i, c] = 0.0
        a[i, DIR_OF] = math.nan
        a[i, ROAD], a[i, ROW] = -1.0, -1.0
        a[i, LON_CONTROL], a[i, LAT_CONTROL], a[i, CONTROLLER] = -1.0, -1.0, -1.0
        a[i, PATH_ACTION], a[i, GOAL_ROUTE], a[i, GOAL_ROAD] = -1.0, -1.0, -1.0
        a[i, TOW], a[i, TRAILER], a[i, TOUCHED_BY] = -1.0, -1.0, -1.0
        a[i, STILL_SINCE], a[i, OFFROAD_SINCE], a[i, END_SINCE] = math.nan, math.nan, math.nan
        a[i, TOUCHED], a[i, LIMIT] = math.nan, math.nan
        a[i, THROTTLE], a[i, BRAKE], a[i, WHEEL] = math.nan, math.nan, math.nan
        a[i, G_LOW], a[i, G_SCALE], a[i, CHANCE] = math.inf, 1.0, math.nan
    for i in range(p.entities.shape[0]):
        slot = p.entities[i, T.N_SLOT]
        a[i, PRESENT] = p.entities[i, T.N_PRESENT]
        a[i, LENGTH], a[i, WIDTH] = v[slot + T.B_LENGTH], v[slot + T.B_WIDTH]
        a[i, BOX_X], a[i, BOX_Y] = v[slot + T.B_X], v[slot + T.B_Y]
        a[i, REACH] = 0.5 * (a[i, LENGTH] + a[i, WIDTH]) + abs(a[i, BOX_X]) + abs(a[i, BOX_Y])
        a[i, MAX_SPEED], a[i, MAX_ACCEL] = v[slot + T.B_MAX_SPEED], v[slot + T.B_MAX_ACCEL]
        a[i, MAX_DECEL] = v[slot + T.B_MAX_DECEL]
        a[i, CONTROLLER] = p.entities[i, T.N_CONTROLLER]
    for e in range(el.shape[0]):
        for c in range(el.shape[1]):
            el[e, c] = 0.0
    asked[LIST_STAMP], running[LIST_STAMP] = -1, -1
    for k in range(variable.shape[0]):
        variable[k] = v[first + k]


@kernel
def start_world(p, v, m, g, n, first, dt, clock, a, el, path, variable, co, asked, running, delayed, log):
    """Init: all its actions at time 0 in document order, then the storyboard starts."""
    prepare(p, v, first, a, el, variable, asked, running, dt, clock)
    for c in range(co.shape[0]):
        for k in range(co.shape[1]):
            co[c, k] = 0.0
    for d in range(delayed.shape[0]):
        delayed[d, delayed.shape[1] - 1] = 0.0
    for i in range(p.entities.shape[0]):
        trailer = p.entities[i, T.N_TRAILER]
        if trailer >= 0:
            a[i, TRAILER], a[trailer, TOW] = trailer, i
    for e in range(p.sizes[T.Z_INIT], p.elements.shape[0]):
        start_action(p, v, m, g, n, clock, a, el, path, variable, log, e)
    start_element(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, 0)
    for i in range(p.entities.shape[0]):
        if p.entities[i, T.N_DRIVER] > 0 and p.entities[i, T.N_CONTROLLER] < 0:
            a[i, LON_CONTROL] = DIRECT  # from here on; where it does not steer, the storyboard still does
        a[i, OLD_X], a[i, OLD_Y], a[i, OLD_Z] = a[i, X], a[i, Y], a[i, Z]
        a[i, STEERED] = TELEPORTED
        # Init has placed it: from now on the driver has the speed; its way stays the storyboard's (a trajectory, a route, the lane)
        if p.entities[i, T.N_DRIVER] > 0 and p.entities[i, T.N_CONTROLLER] < 0:
            a[i, LON_CONTROL] = DIRECT


@kernel
def beside_road(m, n, a, i):
    """True if an actor's reference point lies outside the lanes of its road, those of type none not counted."""
    if a[i, ROAD] < 0:
        return len(m.road_length) > 0
    road, s = int(a[i, ROAD]), a[i, S]
    base, _ = profile_at(m, road, 2, s)
    side = a[i, T_ROAD] - base
    row = n.edge[section_at(m, road, s), 0 if side > 0.0 else 1]
    if m.lane_i[row, LANE_ID] == 0 or (m.lane_i[row, LANE_ID] > 0) != (side > 0.0):
        return abs(side) > OUTSIDE_ROAD
    _, outer, _, _, _, _ = lane_extent(m, row, s)
    return abs(side) > outer + OUTSIDE_ROAD


@inlined
def after_motion(p, m, n, clock, a, i, dt):
    """Velocity, acceleration, distance travelled, and since when an actor stands, is off the road or at its end."""
    dx, dy, dz = a[i, X] - a[i, OLD_X], a[i, Y] - a[i, OLD_Y], a[i, Z] - a[i, OLD_Z]
    a[i, OLD_X], a[i, OLD_Y], a[i, OLD_Z] = a[i, X], a[i, Y], a[i, Z]
    c, s = direction(a, i)  # for all, so that a world's columns do not tell who looked at whom
    stood = abs(a[i, VX]) < OUTSIDE_ROAD and abs(a[i, VY]) < OUTSIDE_ROAD
    if a[i, STEERED] == TELEPORTED or dt <= 0.0:
        a[i, VX], a[i, VY], a[i, VZ] = a[i, SPEED] * c, a[i, SPEED] * s, 0.0
    else:
        per_s = 1.0 / dt
        vx, vy = dx * per_s, dy * per_s
        a[i, AX], a[i, AY] = (vx - a[i, VX]) * per_s, (vy - a[i, VY]) * per_s
        a[i, ACCEL] = (a[i, SPEED] - a[i, OLD_SPEED]) * per_s
        a[i, VX], a[i, VY], a[i, VZ] = vx, vy, dz * per_s
        a[i, ODOMETER] += math.sqrt(dx * dx + dy * dy)
    a[i, OLD_SPEED] = a[i, SPEED]
    time = clock[TIME]
    if abs(a[i, SPEED]) < STILL:
        if math.isnan(a[i, STILL_SINCE]):
            a[i, STILL_SINCE] = time
    else:
        a[i, STILL_SINCE] = math.nan
    if a[i, AT_END] == 1.0:
        if math.isnan(a[i, END_SINCE]):
            a[i, END_SINCE] = time
        elif stood:
            a[i, SPEED] = 0.0
    else:
        a[i, END_SINCE] = math.nan
    inside = a[i, ROW] >= 0.0 and abs(a[i, OFFSET]) < INSIDE and m.lane_i[int(a[i, ROW]), USE] == 2
    if inside or not beside_road(m, n, a, i):
        a[i, OFFROAD_SINCE] = math.nan
    elif math.isnan(a[i, OFFROAD_SINCE]):
        a[i, OFFROAD_SINCE] = time


@inlined
def note_collisions(p, clock, a):
    """First contact of every actor with another, by their boxes."""
    count = p.entities.shape[0]
    for i in range(count):
        if a[i, PRESENT] == 0.0:
            continue
        x, y, reach = a[i, X], a[i, Y], a[i, REACH]
        for k in range(i + 1, count):
            dx, dy, both = a[k, X] - x, a[k, Y] - y, reach + a[k, REACH]
            if dx * dx + dy * dy > both * both:
                continue
            if a[k, PRESENT] == 0.0 or (not math.isnan(a[i, TOUCHED]) and not math.isnan(a[k, TOUCHED])):
                continue
            if a[i, TRAILER] == k or a[k, TRAILER] == i:
                continue
            ax, ay = box_centre(a, i)
            bx, by = box_centre(a, k)
            if boxes_overlap(
                ax, ay, a[i, HEADING], a[i, LENGTH], a[i, WIDTH], bx, by, a[k, HEADING], a[k, LENGTH], a[k, WIDTH]
            ):
                if math.isnan(a[i, TOUCHED]):
                    a[i, TOUCHED], a[i, TOUCHED_BY] = clock[TIME], k
                if math.isnan(a[k, TOUCHED]):
                    a[k, TOUCHED], a[k, TOUCHED_BY] = clock[TIME], i


@inlined
def step_world(
    p, v, m, g, n, limit, dt, clock, a, el, path, variable, co, asked, running, delayed, log, scratch, command, memory, own, near, act
):  # fmt: skip
    """One step of one world of dt seconds; 0: evaluate and start what is due, without moving."""
    clock[DT] = dt
    clock[TICK] += 1.0
    count = p.entities.shape[0]
    for i in range(count):
        a[i, MOVED] = 0.0
        if a[i, STEERED] != TELEPORTED or clock[TICK] > 1.0:
            a[i, STEERED] = 0.0
    if p.signals.shape[0] > 0:
        cycle_signals(p, v, variable, clock[TIME])
    seen = clock[EVENTS]
    evaluate_triggers(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, scratch, asked)
    clock[EVENTS_BEFORE] = seen
    if clock[ENDED] == 1.0:
        return
    if p.traffic.shape[0] > 0:
        step_traffic(p, v, m, g, n, limit, clock, a, path, variable)
    step_actions(p, v, m, g, n, clock, a, el, path, co, delayed, log, running)
    clock[TIME] += dt
    scripted, wanderers = p.sizes[T.Z_OWN], p.sizes[T.Z_WANDER] == 1
    for i in range(count):
        if a[i, PRESENT] == 0.0 or a[i, TOW] >= 0.0:
            continue
        if wanderers:
            next_choice(clock, a, i)
        if i >= scripted:
            drive_traffic(p, m, n, limit, clock, a, i)
        elif controls(p, a, i, LON_CONTROL) or controls(p, a, i, LAT_CONTROL):
            drive(p, v, m, g, n, clock, a, limit, command, memory, own, near, act, i)
        else:
            move_default(p, v, m, n, clock, a, i)
        if a[i, GOAL_ROAD] >= 0.0 and a[i, GOAL_ROAD] == a[i, ROAD]:
            next_goal(p, v, m, g, n, a, i)
    for i in range(count):
        if a[i, PRESENT] == 1.0 and a[i, TRAILER] >= 0.0 and a[i, TOW] < 0.0:
            head = i
            for _ in range(8):
                trailer = int(a[head, TRAILER])
                if trailer < 0:
                    break
                pull(p, v, m, g, a, head, trailer)
                head = trailer
    for i in range(count):
        if a[i, PRESENT] == 1.0:
            after_motion(p, m, n, clock, a, i, dt)
    note_collisions(p, clock, a)

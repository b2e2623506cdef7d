"""Where actors are put and sent: teleport, routes, adding and deleting, trailers."""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import ROUTE_CHOICE, stream, uniform
from cloverleaf.loop.storyboard.layout import settle
from cloverleaf.loop.storyboard.place import place_at
from cloverleaf.loop.storyboard.resolve import copy_place, simple_place
from cloverleaf.loop.storyboard.state import (
    CHANCE,
    CHOICES,
    GOAL_POINT,
    GOAL_ROAD,
    GOAL_ROUTE,
    HEADING,
    OLD_X,
    OLD_Y,
    OLD_Z,
    PRESENT,
    ROAD,
    SEED,
    SPEED,
    STEERED,
    TOW,
    TRAILER,
    VX,
    VY,
    WANDERS,
    X,
    Y,
    Z,
)
from cloverleaf.scenario.storyboard import tables as T

TELEPORTED = 2.0  # in STEERED: no motion, so no velocity and no distance travelled follows from it


@kernel
def teleport(p, v, m, g, n, a, path, at, i):
    """Move an actor to a position at once; its route stays, trailers line up behind it."""
    spare = p.entities.shape[0]
    goal = a[i, GOAL_ROAD]
    settle(p, v, m, g, n, a, path, at, spare)
    copy_place(a, spare, i)
    a[i, GOAL_ROAD] = goal
    jump(a, i)
    head = i
    for _ in range(8):
        trailer = int(a[head, TRAILER])
        if trailer < 0:
            break
        align(p, v, m, g, a, head, trailer)
        head = trailer


@kernel
def jump(a, i):
    """Make the actor's place its old place too."""
    a[i, OLD_X], a[i, OLD_Y], a[i, OLD_Z] = a[i, X], a[i, Y], a[i, Z]
    a[i, STEERED] = TELEPORTED
    a[i, VX], a[i, VY] = a[i, SPEED] * math.cos(a[i, HEADING]), a[i, SPEED] * math.sin(a[i, HEADING])


@kernel
def hitch_point(p, v, a, i):
    """Where a trailer hangs on an actor; the rear of its box if it has no hitch."""
    slot = p.entities[i, T.N_SLOT]
    dx = v[slot + T.B_HITCH]
    if math.isnan(dx):
        dx = v[slot + T.B_X] - 0.5 * v[slot + T.B_LENGTH]
    return a[i, X] + dx * math.cos(a[i, HEADING]), a[i, Y] + dx * math.sin(a[i, HEADING])


@kernel
def bar(p, v, trailer):
    """Length from a trailer's reference point to its coupler, m."""
    slot = p.entities[trailer, T.N_SLOT]
    dx = v[slot + T.B_COUPLER]
    return v[slot + T.B_X] + 0.5 * v[slot + T.B_LENGTH] if math.isnan(dx) else dx


@kernel
def align(p, v, m, g, a, tow, trailer):
    """Put a trailer straight behind its towing vehicle."""
    hx, hy = hitch_point(p, v, a, tow)
    length, h = bar(p, v, trailer), a[tow, HEADING]
    place_at(m, g, a, trailer, hx - length * math.cos(h), hy - length * math.sin(h), h)
    a[trailer, SPEED] = a[tow, SPEED]
    jump(a, trailer)


@kernel
def pull(p, v, m, g, a, tow, trailer):
    """Draw a trailer: its reference point follows the hitch at a fixed distance."""
    hx, hy = hitch_point(p, v, a, tow)
    dx, dy = hx - a[trailer, X], hy - a[trailer, Y]
    d = math.sqrt(dx * dx + dy * dy)
    if d < 1e-9:
        return
    length = bar(p, v, trailer)
    place_at(m, g, a, trailer, hx - length * dx / d, hy - length * dy / d, math.atan2(dy, dx))
    a[trailer, SPEED] = a[tow, SPEED]


@kernel
def connect(a, i, trailer):
    """Hang a trailer on an actor, in place of any other."""
    disconnect(a, i)
    a[i, TRAILER], a[trailer, TOW] = trailer, i


@kernel
def disconnect(a, i):
    """Let go of an actor's trailer."""
    trailer = int(a[i, TRAILER])
    if trailer >= 0:
        a[trailer, TOW], a[i, TRAILER] = -1.0, -1.0


@kernel
def follow_route(p, v, m, g, n, a, route, i):
    """Send an actor along a route: towards its next waypoint at every junction."""
    a[i, GOAL_ROUTE], a[i, GOAL_POINT], a[i, WANDERS] = route, p.routes[route, T.R_BEGIN], 0.0
    next_goal(p, v, m, g, n, a, i)


@kernel
def wander(a, i):
    """Let an actor choose its way at random at every junction (clause RandomRouteAction)."""
    a[i, GOAL_ROUTE], a[i, GOAL_ROAD], a[i, WANDERS] = -1.0, -1.0, 1.0


@kernel
def next_choice(clock, a, i):
    """Draw what a wandering actor does at the next junction, if it has not been drawn yet."""
    if a[i, WANDERS] == 1.0 and math.isnan(a[i, CHANCE]):
        a[i, CHANCE] = uniform(stream(int(clock[SEED]), 0, i, ROUTE_CHOICE), int(a[i, CHOICES]))
        a[i, CHOICES] += 1.0


@kernel
def next_goal(p, v, m, g, n, a, i):
    """Advance to the next waypoint while the actor is on the road of the present one."""
    route = int(a[i, GOAL_ROUTE])
    if route < 0:
        return
    spare = p.entities.shape[0]
    while int(a[i, GOAL_POINT]) < p.routes[route, T.R_END]:
        a[spare, ROAD] = -1.0
        simple_place(p, v, m, g, n, a, p.members[int(a[i, GOAL_POINT])], spare)
        a[i, GOAL_ROAD] = a[spare, ROAD]
        if a[spare, ROAD] != a[i, ROAD]:
            return
        a[i, GOAL_POINT] += 1.0
    a[i, GOAL_ROUTE], a[i, GOAL_ROAD] = -1.0, -1.0


@kernel
def add_entity(p, v, m, g, n, a, path, at, i):
    """Bring an entity into the scenario at a position."""
    if a[i, PRESENT] == 0.0:
        a[i, PRESENT] = 1.0
        teleport(p, v, m, g, n, a, path, at, i)


@kernel
def delete_entity(a, i):
    """Take an entity out of the scenario."""
    disconnect(a, i)
    a[i, PRESENT], a[i, SPEED] = 0.0, 0.0
    a[i, HEADING] = wrap_angle(a[i, HEADING])

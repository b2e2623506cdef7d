"""Actions started, stepped and left: one dispatch for all kinds."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.control import controls
from cloverleaf.loop.storyboard.following import start_follow, step_follow
from cloverleaf.loop.storyboard.lateral import (
    start_lane_change,
    start_lane_offset,
    start_lateral,
    step_lane_change,
    step_lane_offset,
    step_lateral,
)
from cloverleaf.loop.storyboard.lifecycle import begin, finish
from cloverleaf.loop.storyboard.longitudinal import (
    asked_speed,
    start_distance,
    start_speed,
    step_distance,
    step_speed,
)
from cloverleaf.loop.storyboard.routing import (
    add_entity,
    connect,
    delete_entity,
    disconnect,
    follow_route,
    teleport,
    wander,
)
from cloverleaf.loop.storyboard.signals import show_phase
from cloverleaf.loop.storyboard.speed_profile import start_profile, step_profile
from cloverleaf.loop.storyboard.state import (
    BRAKE,
    CONTROLLER,
    DESIRED,
    DT,
    LAT_CONTROL,
    LON_CONTROL,
    PATH_ACTION,
    PRESENT,
    THROTTLE,
    TIME,
    TOW,
    W0,
    WHEEL,
)
from cloverleaf.loop.storyboard.synchronize import start_synchronize, step_synchronize
from cloverleaf.loop.storyboard.traffic import start_traffic, stop_traffic
from cloverleaf.scenario.storyboard import tables as T

CLOSE = 1e-6  # s


@kernel
def set_variable(p, v, variable, k):
    """SetAction, or a modification by a sum or a product."""
    ref, mode, value = p.actions[k, T.A_REF], p.actions[k, T.A_MODE], v[p.actions[k, T.A_SLOT]]
    if mode == T.SET:
        variable[ref] = value
    elif mode == T.ADD_VALUE:
        variable[ref] += value
    else:
        variable[ref] *= value


@kernel
def activate(a, i, row, lon, lat):
    """Give domains to a controller (2), take them from it (1), or leave them (0)."""
    if lon == 2:
        a[i, LON_CONTROL] = row
    elif lon == 1:
        a[i, LON_CONTROL] = -1.0
    if lat == 2:
        a[i, LAT_CONTROL] = row
    elif lat == 1:
        a[i, LAT_CONTROL] = -1.0


@kernel
def override(v, slot, a, i):
    """Hold or release pedals and wheel; what the action does not name stays."""
    for q in range(3):
        active, value = v[slot + 2 * q], v[slot + 2 * q + 1]
        if math.isnan(active):
            continue
        held = value if active == 1.0 else math.nan
        if q == 0:
            a[i, THROTTLE] = held
        elif q == 1:
            a[i, BRAKE] = held
        else:
            a[i, WHEEL] = held


@inlined
def out_of_hand(p, a, k, i):
    """True if another controller owns what a motion action would set."""
    domain = p.actions[k, T.A_DOMAIN]
    if i < 0 or domain == 0:
        return False
    lon = (domain & T.LON) != 0 and controls(p, a, i, LON_CONTROL)
    lat = (domain & T.LAT) != 0 and controls(p, a, i, LAT_CONTROL)
    return lon or lat


@kernel
def start_action(p, v, m, g, n, clock, a, el, path, variable, log, e):
    """Start an action; what is done at once also ends at once."""
    k = p.elements[e, T.E_ACTION]
    kind, i = p.actions[k, T.A_KIND], p.actions[k, T.A_ACTOR]
    begin(clock, el, log, e)
    if i >= 0 and a[i, PRESENT] == 0.0 and kind != T.ADD:
        finish(clock, el, log, e)
        return
    if out_of_hand(p, a, k, i):
        if kind == T.SET_SPEED:
            a[i, DESIRED] = asked_speed(p.actions, v, a, k)
        finish(clock, el, log, e)
        return
    if kind == T.SET_SPEED:
        start_speed(p, v, a, el, e, k, i)
    elif kind == T.SPEED_PROFILE:
        start_profile(p, v, clock, a, el, e, k, i)
    elif kind == T.KEEP_DISTANCE:
        start_distance(p, m, n, a, el, e, k, i)
    elif kind == T.LANE_CHANGE:
        start_lane_change(p, v, m, a, el, e, k, i)
    elif kind == T.LANE_OFFSET:
        start_lane_offset(p, v, m, n, a, el, e, k, i)
    elif kind == T.KEEP_LATERAL:
        start_lateral(p, v, a, el, e, k, i)
    elif kind == T.SYNCHRONIZE:
        start_synchronize(a, el, e)
    elif kind == T.FOLLOW:
        start_follow(p, v, m, g, n, a, path, el, e, k, i)
    elif kind == T.LASTING:
        el[e, W0] = clock[TIME]
    elif kind == T.TELEPORT:
        if a[i, TOW] < 0.0:
            teleport(p, v, m, g, n, a, path, p.actions[k, T.A_POSITION], i)
    else:
        _at_once(p, v, m, g, n, clock, a, path, variable, k, kind, i)
        if kind not in (T.ROUTE, T.ACQUIRE, T.RANDOM_ROUTE):
            finish(clock, el, log, e)


@kernel
def _at_once(p, v, m, g, n, clock, a, path, variable, k, kind, i):
    """Actions without duration."""
    ref = p.actions[k, T.A_REF]
    if kind == T.ROUTE or kind == T.ACQUIRE:
        follow_route(p, v, m, g, n, a, ref, i)
    elif kind == T.RANDOM_ROUTE:
        wander(a, i)
    elif kind == T.TRAFFIC:
        start_traffic(p, v, m, g, n, clock, a, path, variable, ref)
    elif kind == T.TRAFFIC_STOP:
        stop_traffic(p, variable, ref)
    elif kind == T.ASSIGN:
        a[i, CONTROLLER] = ref
        mode = p.actions[k, T.A_MODE]
        activate(a, i, ref, 2 if mode & 1 else 0, 2 if mode & 2 else 0)
    elif kind == T.ACTIVATE:
        activate(a, i, a[i, CONTROLLER] if ref < 0 else ref, p.actions[k, T.A_MODE], p.actions[k, T.A_SHAPE])
    elif kind == T.OVERRIDE:
        override(v, p.actions[k, T.A_SLOT], a, i)
    elif kind == T.ADD:
        add_entity(p, v, m, g, n, a, path, p.actions[k, T.A_POSITION], i)
    elif kind == T.DELETE:
        delete_entity(a, i)
    elif kind == T.SET_VARIABLE:
        set_variable(p, v, variable, k)
    elif kind == T.SIGNAL_STATE:
        variable[p.sizes[T.Z_VARIABLES] + ref] = v[p.actions[k, T.A_SLOT]]
    elif kind == T.SIGNAL_PHASE_SET:
        show_phase(p, v, variable, ref, p.actions[k, T.A_MODE], clock[TIME])
    elif kind == T.CONNECT:
        connect(a, i, ref)
    elif kind == T.DISCONNECT:
        disconnect(a, i)


@inlined
def step_action(p, v, m, g, n, clock, a, el, path, log, e):
    """One step of a running action."""
    k = p.elements[e, T.E_ACTION]
    kind, i = p.actions[k, T.A_KIND], p.actions[k, T.A_ACTOR]
    if a[i, PRESENT] == 0.0 or out_of_hand(p, a, k, i):
        leave_action(p, a, e)
        finish(clock, el, log, e)
    elif kind == T.SET_SPEED:
        step_speed(p.actions, v, clock, a, el, log, e, k, i)
    elif kind == T.FOLLOW:
        step_follow(p, v, m, g, clock, a, path, el, log, e, k, i)
    elif kind == T.SYNCHRONIZE:
        step_synchronize(p, v, m, g, n, clock, a, path, el, log, e, k, i)
    elif kind == T.LANE_CHANGE:
        step_lane_change(p, v, m, n, clock, a, el, log, e, k, i)
    elif kind == T.LANE_OFFSET:
        step_lane_offset(p, v, m, n, clock, a, el, log, e, k, i)
    elif kind == T.KEEP_DISTANCE:
        step_distance(p, v, m, n, clock, a, el, log, e, k, i)
    elif kind == T.SPEED_PROFILE:
        step_profile(p, v, clock, a, el, log, e, k, i)
    elif kind == T.KEEP_LATERAL:
        step_lateral(p, v, m, g, n, clock, a, el, log, e, k, i)
    elif kind == T.LASTING and clock[TIME] + clock[DT] < el[e, W0] + v[p.actions[k, T.A_SLOT]] - CLOSE:
        return
    else:
        finish(clock, el, log, e)


@kernel
def leave_action(p, a, e):
    """What an action held of its actor is free again."""
    k = p.elements[e, T.E_ACTION]
    i = p.actions[k, T.A_ACTOR]
    if p.actions[k, T.A_KIND] == T.FOLLOW and int(a[i, PATH_ACTION]) == e:
        a[i, PATH_ACTION] = -1.0

"""Who moves an actor in a step: an action, a controller, or the default controller, which keeps lane and speed."""

from __future__ import annotations

import math

from cloverleaf.algo.following import iidm_accel
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.algo.rng import SLOPPY_DRIVER, normal, stream
from cloverleaf.loop.storyboard.driver import (
    COMMAND_ACCEL,
    COMMAND_CURVATURE,
    COMPILED,
    GAP,
    NEAR_BESIDE,
    NEAR_SPEED,
    NOBODY,
    OUTSIDE,
    OWN_ACTIVE,
    OWN_DESIRED,
    OWN_DT,
    OWN_SPEED,
    PRESENT_HERE,
    look,
)
from cloverleaf.loop.storyboard.glide import advance
from cloverleaf.loop.storyboard.place import find_lane
from cloverleaf.loop.storyboard.state import (
    BRAKE,
    DESIRED,
    DT,
    G_LOW,
    HEADING,
    LAT_CONTROL,
    LON_CONTROL,
    M0,
    M1,
    MAX_ACCEL,
    MAX_DECEL,
    MAX_SPEED,
    MOVED,
    OFFSET,
    SEED,
    SPEED,
    STEERED,
    THROTTLE,
    TICK,
    TOW,
    X,
    Y,
)
from cloverleaf.scenario.storyboard import tables as T

DIRECT = 1e6  # in *_CONTROL: a driver from outside without any controller in the scenario
COMFORT = 2.0  # m/s2
BESIDE = 0.3  # m of lateral gap below which another one counts as ahead
STILL = 1e-9


@inlined
def controls(p, a, i, column):
    """True if a controller other than the default one acts on a domain: our own, or a driver from outside that is there."""
    row = a[i, column]
    if row < 0.0:
        return False
    if p.entities[i, T.N_DRIVER] > NOBODY:
        return True
    if row >= DIRECT:
        return False
    kind = p.controllers[int(row), T.K_KIND]
    return kind in (T.ACC, T.AWAITED)


@kernel
def acc_accel(p, v, a, near, row, i):
    """Adaptive cruise control: improved IDM behind the nearest entity that overlaps the own path."""
    slot = p.controllers[row, T.K_SLOT]
    wanted = v[slot + 1] if not math.isnan(v[slot + 1]) else a[i, DESIRED]
    gap, speed = math.inf, 0.0
    for k in range(p.entities.shape[0]):
        if near[k, PRESENT_HERE] == 1.0 and near[k, GAP] >= 0.0 and abs(near[k, NEAR_BESIDE]) < BESIDE:
            if near[k, GAP] < gap:
                gap, speed = near[k, GAP], near[k, NEAR_SPEED]
    accel, decel = min(a[i, MAX_ACCEL], COMFORT), min(a[i, MAX_DECEL], 2.0 * COMFORT)
    if not gap < math.inf:
        gap, speed = 1e4, max(wanted, a[i, SPEED])
    return max(iidm_accel(gap, a[i, SPEED], speed, max(wanted, 0.1), accel, decel, v[slot], 2.0), -a[i, MAX_DECEL])


@kernel
def sloppy(p, v, clock, a, row, i):
    """A driver who wanders: first-order disturbances of speed (M0, share) and lateral speed (M1, m/s) added to what the storyboard asks
    for. Standard: a controller in addition to the actions."""
    slot, dt = p.controllers[row, T.K_SLOT], clock[DT]
    key = stream(int(clock[SEED]), 0, i, SLOPPY_DRIVER)
    tick = int(clock[TICK]) * 2
    share = math.exp(-dt / 2.0)
    noise = math.sqrt(1.0 - share * share) * v[slot + 3]
    a[i, M0] = share * a[i, M0] + noise * 0.05 * normal(key, tick)
    a[i, M1] = share * a[i, M1] + noise * 0.2 * normal(key, tick + 1)


@inlined
def drive(p, v, m, g, n, clock, a, limit, command, memory, own, near, act, i):
    """One step of an actor that a controller moves."""
    dt = clock[DT]
    lon, lat = controls(p, a, i, LON_CONTROL), controls(p, a, i, LAT_CONTROL)
    kind = p.entities[i, T.N_DRIVER]
    accel, curvature = 0.0, math.nan
    row = int(a[i, LON_CONTROL] if lon else a[i, LAT_CONTROL])
    if kind == COMPILED:
        # seen at the end of the step before; what the storyboard asks of it now is known at once
        own[i, OWN_SPEED], own[i, OWN_DESIRED] = a[i, SPEED], a[i, DESIRED]
        own[i, OWN_ACTIVE] = 1.0 if a[i, LON_CONTROL] >= 0.0 else 0.0
        own[i, OWN_DT] = dt
        command[i, COMMAND_ACCEL], command[i, COMMAND_CURVATURE] = 0.0, math.nan
        act(own[i], near[i], memory[i], command[i])
    if kind in (COMPILED, OUTSIDE):
        accel, curvature = command[i, COMMAND_ACCEL], command[i, COMMAND_CURVATURE]
        if math.isnan(accel):
            accel = 0.0
    elif p.controllers[row, T.K_KIND] == T.ACC:
        look(p, m, n, clock, a, limit, i, own[i], near[i])
        accel = acc_accel(p, v, a, near[i], row, i)
    if lon:
        if not math.isnan(a[i, BRAKE]):
            accel = min(accel, -a[i, BRAKE] * a[i, MAX_DECEL])
        if not math.isnan(a[i, THROTTLE]):
            accel = max(accel, a[i, THROTTLE] * a[i, MAX_ACCEL])
        old = a[i, SPEED]
        a[i, SPEED] = min(max(old + accel * dt, min(old, 0.0)), a[i, MAX_SPEED])
    if (lat or a[i, LON_CONTROL] == DIRECT) and not math.isnan(curvature):
        way = a[i, SPEED] * dt
        a[i, HEADING] = wrap_angle(a[i, HEADING] + way * curvature)
        a[i, X] += way * math.cos(a[i, HEADING])
        a[i, Y] += way * math.sin(a[i, HEADING])
        find_lane(m, g, a, i)
        a[i, MOVED], a[i, STEERED] = 1.0, 1.0
    elif a[i, MOVED] == 0.0:
        advance(m, n, a, i, a[i, SPEED] * dt)
        a[i, MOVED] = 1.0


@kernel
def overridden(a, i, dt):
    """Pedals that an OverrideControllerValueAction holds act on the speed of an actor without a controller of its own."""
    accel = 0.0
    if not math.isnan(a[i, THROTTLE]):
        accel += a[i, THROTTLE] * min(a[i, MAX_ACCEL], 10.0)
    if not math.isnan(a[i, BRAKE]):
        accel -= a[i, BRAKE] * min(a[i, MAX_DECEL], 10.0)
    a[i, SPEED] = min(max(a[i, SPEED] + accel * dt, 0.0), a[i, MAX_SPEED])


@inlined
def move_default(p, v, m, n, clock, a, i):
    """The default controller: on along the lane at the speed that the actions set, unless one of them moved the actor already."""
    if not (math.isnan(a[i, BRAKE]) and math.isnan(a[i, THROTTLE])):
        overridden(a, i, clock[DT])
    if len(m.road_length) == 0 and a[i, MOVED] == 0.0 and a[i, TOW] < 0.0:
        a[i, SPEED] = 0.0  # without roads there is no lane to follow
        return
    if a[i, MOVED] == 0.0 and abs(a[i, SPEED]) > STILL and a[i, TOW] < 0.0:
        way = a[i, SPEED] * clock[DT]
        row = int(min(max(a[i, LON_CONTROL], a[i, LAT_CONTROL]), DIRECT))
        if 0 <= row < DIRECT and p.controllers[row, T.K_KIND] == T.SLOPPY:
            sloppy(p, v, clock, a, row, i)
            if a[i, LON_CONTROL] == row:
                way *= 1.0 + a[i, M0]
            if a[i, LAT_CONTROL] == row:
                a[i, OFFSET] += a[i, M1] * clock[DT]
                a[i, G_LOW] = math.inf
        advance(m, n, a, i, way)
        a[i, MOVED] = 1.0

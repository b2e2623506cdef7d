"""SynchronizeAction: arrive at a place when the master arrives at its own, with the final speed asked for.

The master's arrival is estimated anew in every step from its distance and speed. The speed profile has one or two parts of constant
acceleration of equal size: straight to the final speed if that fits, else first away from it and then back; if even that would
need to reverse, the entity stops and waits (clause "SynchronizeAction").
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.distance import road_ds
from cloverleaf.loop.storyboard.layout import settle
from cloverleaf.loop.storyboard.lifecycle import finish
from cloverleaf.loop.storyboard.state import (
    DT,
    PATH_ACTION,
    PATH_S,
    ROAD,
    SPEED,
    TURN,
    VX,
    VY,
    W0,
    W1,
    W2,
    W3,
    W4,
    S,
    X,
    Y,
)
from cloverleaf.loop.storyboard.trajectory import nearest_on_path
from cloverleaf.scenario.storyboard import tables as T

TINY = 1e-6
FREE, TWO_PARTS, LINEAR, STOPPING, STOPPED, STEADY, WAITING = range(7)  # W0
CONVEX, CONCAVE = 1.0, 2.0  # W1: first faster, first slower
HARDEST = 8.0  # m/s2, when there is no room to stop otherwise
SLACK = 0.1  # m/s
FAR = 1e10  # s, arrival of a master that stands


@kernel
def way_to(p, v, m, g, n, a, path, el, i, at):
    """Metres from actor i to a position along its trajectory, else along roads, else straight; negative once it lies behind."""
    spare = p.entities.shape[0]
    settle(p, v, m, g, n, a, path, at, spare)
    leading = int(a[i, PATH_ACTION])
    if leading >= 0:
        j = p.actions[p.elements[leading, T.E_ACTION], T.A_REF]
        named = p.positions[at, T.P_KIND] == T.AT_TRAJECTORY
        if named and p.trajectories[p.positions[at, T.P_REF], T.J_NAME] == p.trajectories[j, T.J_NAME]:
            return a[spare, PATH_S] - a[i, PATH_S]
        begin = p.trajectories[j, T.J_ROW]
        s, _ = nearest_on_path(path, begin, begin + p.trajectories[j, T.J_ROWS], a[spare, X], a[spare, Y])
        return s - a[i, PATH_S]
    ds, _ = road_ds(m, n, int(a[i, ROAD]), a[i, S], int(a[spare, ROAD]), a[spare, S])
    if abs(ds) < math.inf and a[i, ROAD] >= 0:
        moving = a[i, SPEED] if abs(a[i, SPEED]) > TINY else 1.0
        facing = 1.0 if math.cos(a[i, TURN]) * moving >= 0.0 else -1.0
        return ds * facing
    dx, dy = a[spare, X] - a[i, X], a[spare, Y] - a[i, Y]
    return math.sqrt(dx * dx + dy * dy)


@kernel
def speed_along_way(a, i):
    """Speed of an actor along its trajectory, or along its road, m/s."""
    speed = math.sqrt(a[i, VX] * a[i, VX] + a[i, VY] * a[i, VY])
    if a[i, PATH_ACTION] >= 0 or a[i, ROAD] < 0:
        return speed
    return speed * abs(math.cos(a[i, TURN]))


@kernel
def start_synchronize(a, el, e):
    """W0 phase, W1 form, W2 and W3 distances of the step before, W4 unused."""
    el[e, W0], el[e, W1], el[e, W2], el[e, W3], el[e, W4] = FREE, 0.0, math.inf, math.inf, 0.0


@kernel
def wanted_final(p, v, a, k):
    """Final speed, m/s; NaN if the action leaves it open."""
    mode, value = p.actions[k, T.A_MODE] - 1, v[p.actions[k, T.A_SLOT]]
    other = a[p.actions[k, T.A_REF], SPEED]
    if mode == T.DELTA:
        return other + value
    if mode == T.FACTOR:
        return other * value
    return value if mode == T.ABSOLUTE else math.nan


@kernel
def two_part_accel(v0, v1, way, time):
    """Acceleration now, and the speed at the apex, of two parts of equal and opposite acceleration over `way` in `time`."""
    if abs(v1 - v0) < TINY:
        apex = 2.0 * way / time - v0
        return 2.0 * (apex - v0) / time, apex
    root = 2.0 * way * way - 2.0 * (v1 + v0) * time * way + (v1 * v1 + v0 * v0) * time * time
    root = math.sqrt(2.0) * math.sqrt(max(root, 0.0))
    for side in range(2):
        signed = root if side == 0 else -root
        first = -(signed + 2.0 * way - 2.0 * v1 * time) / (2.0 * (v1 - v0))
        if 0.0 < first < time:
            apex = (2.0 * way - signed) / (2.0 * time)
            return (apex - v0) / first, apex
    return 0.0, 0.0


@kernel
def step_synchronize(p, v, m, g, n, clock, a, path, el, log, e, k, i):
    """Set the speed of this step."""
    slot, dt, master = p.actions[k, T.A_SLOT], clock[DT], p.actions[k, T.A_REF]
    final = wanted_final(p, v, a, k)
    open_end = math.isnan(final)
    master_way = way_to(p, v, m, g, n, a, path, el, master, p.actions[k, T.A_EXTRA])
    ahead = master_way >= 0.0
    master_way = abs(master_way)
    way = abs(way_to(p, v, m, g, n, a, path, el, i, p.actions[k, T.A_POSITION]))
    near_master, near = v[slot + 2], v[slot + 3]
    done = way < near + TINY or master_way < near_master + TINY or way > el[e, W2] or master_way > el[e, W3]
    el[e, W2], el[e, W3] = way, master_way
    way, master_way = max(way - near, TINY), max(master_way - near_master, TINY)
    speed_master = speed_along_way(a, master)
    time = FAR
    if ahead and speed_master > TINY:
        time = master_way / speed_master
        done = done or time < dt
    elif el[e, W0] != WAITING:
        el[e, W0] = WAITING
        a[i, SPEED] = 0.0
    if done:
        if not open_end:
            a[i, SPEED] = final
        finish(clock, el, log, e)
        return
    if open_end:
        if time < FAR:
            final = 2.0 * way / time - a[i, SPEED]
            a[i, SPEED] += (final - a[i, SPEED]) / time * dt
        return
    steady = v[slot + 1]
    kind = p.actions[k, T.A_SHAPE]
    if kind != 0 and el[e, W0] != STEADY and final > TINY:
        length = steady if kind == 1 else steady * final
        if way - length < TINY or time - length / final < TINY:
            el[e, W0] = STEADY
        else:
            way -= length
            time -= length / final
    if el[e, W0] == STEADY:
        a[i, SPEED] = final
        return
    if el[e, W0] == WAITING:
        if not time < FAR:
            return
        el[e, W0] = FREE
    if el[e, W0] == STOPPING:
        a[i, SPEED] = max(a[i, SPEED] - HARDEST * dt, 0.0)
        if a[i, SPEED] == 0.0:
            el[e, W0] = STOPPED
        return
    if el[e, W0] == STOPPED:
        if final <= 0.0 or time >= 2.0 * way / final:
            a[i, SPEED] = 0.0
            return
        el[e, W0] = LINEAR
    if el[e, W0] == LINEAR:
        if time > FAR - 1.0:
            a[i, SPEED] = 0.0
        elif time > 1e-3 and way > 1e-3:
            a[i, SPEED] = max(2.0 * way / time - final, 0.0)
        else:
            a[i, SPEED] = 0.0
        return
    if el[e, W0] == TWO_PARTS and abs(a[i, SPEED] - (2.0 * way / time - final)) < SLACK:
        el[e, W0] = LINEAR
        return
    if el[e, W0] == FREE:
        el[e, W0] = TWO_PARTS
        el[e, W1] = CONVEX if 0.5 * (final + a[i, SPEED]) < way / time else CONCAVE
    now = a[i, SPEED]
    accel, apex = two_part_accel(now, final, way, time)
    if (el[e, W1] == CONCAVE and accel > 0.0) or (el[e, W1] == CONVEX and accel < 0.0):
        el[e, W0] = LINEAR
        accel = 0.0
    elif apex < 0.0:
        stop_time = 2.0 * now * way / (now * now + final * final)
        accel = -now / stop_time if stop_time > TINY else 0.0
        if stop_time * now > way:
            accel = -HARDEST
            el[e, W0] = STOPPING
        if now + accel * dt < 0.0:
            a[i, SPEED] = 0.0
            el[e, W0] = STOPPED
            return
    a[i, SPEED] = now + accel * dt

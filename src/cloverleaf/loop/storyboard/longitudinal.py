"""SpeedAction and LongitudinalDistanceAction."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.distance import distance_to_actor
from cloverleaf.loop.storyboard.lifecycle import finish
from cloverleaf.loop.storyboard.place import move_along
from cloverleaf.loop.storyboard.state import (
    DESIRED,
    DT,
    MAX_ACCEL,
    MAX_DECEL,
    MAX_SPEED,
    SPEED,
    W0,
    W1,
    W2,
    W3,
    W4,
    W5,
)
from cloverleaf.loop.storyboard.transition import peak_factor, range_by_dimension, shape_value
from cloverleaf.scenario.storyboard import tables as T

TINY = 1e-6
REACHED = 0.1  # m
HUGE = 1e9  # in place of no limit, where it is multiplied by a step
STIFFNESS = 0.4  # of the spring that holds a distance, per m/s2 of what the entity may accelerate


@kernel
def clip(value, limit):
    """A value within plus and minus a limit."""
    return min(max(value, -limit), limit)


@inlined
def asked_speed(actions, v, a, k):
    """Target of a speed action now, m/s."""
    value, mode = v[actions[k, T.A_SLOT]], actions[k, T.A_MODE]
    if mode == T.ABSOLUTE:
        return value
    other = a[actions[k, T.A_REF], SPEED]
    return other + value if mode == T.DELTA else other * value


@kernel
def start_speed(p, v, a, el, e, k, i):
    """W0 start, W1 target, W2 time gone, W3 duration, W4 how much slower the performance makes it, W5 1 once reached."""
    shape, dimension = p.actions[k, T.A_SHAPE], p.actions[k, T.A_DIMENSION]
    value = v[p.actions[k, T.A_SLOT] + 1]
    speed = a[i, SPEED]
    target = clip(asked_speed(p.actions, v, a, k), a[i, MAX_SPEED])
    duration = range_by_dimension(shape, dimension, value, target - speed)
    if dimension == T.OF_DISTANCE and shape != T.STEP:
        # symmetric shapes cover the distance at the mean speed; through zero, each part at its own
        if abs(target - speed) < TINY:
            duration = 0.0
        elif speed * target < 0.0:
            share = speed * speed / (speed * speed + target * target)
            duration = 2.0 * value * (share / abs(speed) + (1.0 - share) / abs(target))
        else:
            duration = 2.0 * value / abs(speed + target)
    limit = a[i, MAX_ACCEL] if target > speed else a[i, MAX_DECEL]
    slower = 1.0
    if duration > TINY and limit < math.inf:
        slower = max(1.0, peak_factor(shape) * abs(target - speed) / duration / max(limit, TINY))
    el[e, W0], el[e, W1], el[e, W2], el[e, W3], el[e, W4], el[e, W5] = speed, target, 0.0, duration, slower, 0.0
    a[i, SPEED] = shape_value(shape, speed, target, 0.0, duration)
    a[i, DESIRED] = target


@inlined
def step_speed(actions, v, clock, a, el, log, e, k, i):
    """Follow the shape; a continuous relative target is followed for ever."""
    dt, shape = clock[DT], actions[k, T.A_SHAPE]
    if actions[k, T.A_MODE] != T.ABSOLUTE:
        el[e, W1] = clip(asked_speed(actions, v, a, k), a[i, MAX_SPEED])
        if actions[k, T.A_DIMENSION] == T.OF_RATE:
            el[e, W3] = range_by_dimension(shape, T.OF_RATE, v[actions[k, T.A_SLOT] + 1], el[e, W1] - el[e, W0])
    duration = el[e, W3]
    lowest, highest = -min(a[i, MAX_DECEL], HUGE) * dt, min(a[i, MAX_ACCEL], HUGE) * dt
    if duration > 0.0 and el[e, W2] > duration - TINY:
        change = min(max(el[e, W1] - a[i, SPEED], lowest), highest)
        new = a[i, SPEED] + change
    else:
        el[e, W2] = min(el[e, W2] + dt / el[e, W4], duration)
        new = shape_value(shape, el[e, W0], el[e, W1], el[e, W2], duration)
        wanted = new - a[i, SPEED]
        if duration > 0.0 and not lowest - TINY * dt <= wanted <= highest + TINY * dt:
            new = a[i, SPEED] + min(max(wanted, lowest), highest)
            el[e, W2] = max(el[e, W2] - dt * (1.0 - (new - a[i, SPEED]) / wanted), 0.0)
    if el[e, W2] > duration - TINY and abs(new - el[e, W1]) < TINY:
        el[e, W5] = 1.0
        new = el[e, W1]
    a[i, SPEED] = new
    a[i, DESIRED] = el[e, W1]
    if el[e, W5] == 1.0 and actions[k, T.A_CONTINUOUS] == 0:
        finish(clock, el, log, e)


@kernel
def start_distance(p, m, n, a, el, e, k, i):
    """W0 1 trailing, -1 leading; W1 acceleration."""
    side = p.actions[k, T.A_MODE]
    if side == T.ANY_SIDE:
        now = distance_to_actor(
            m, n, a, i, p.actions[k, T.A_REF], p.actions[k, T.A_SYSTEM], T.ALONG, p.actions[k, T.A_FREE]
        )  # fmt: skip
        side = T.LEADING if now < 0.0 else T.TRAILING
    el[e, W0], el[e, W1] = 1.0 if side == T.TRAILING else -1.0, 0.0


@kernel
def step_distance(p, v, m, n, clock, a, el, log, e, k, i):
    """Hold a distance: at once without constraints (clause "LongitudinalDistanceAction"), else by a critically damped spring."""
    slot, other, dt = p.actions[k, T.A_SLOT], p.actions[k, T.A_REF], clock[DT]
    now = distance_to_actor(m, n, a, i, other, p.actions[k, T.A_SYSTEM], T.ALONG, p.actions[k, T.A_FREE])
    wanted = v[slot] if not math.isnan(v[slot]) else abs(a[other, SPEED]) * v[slot + 1]
    if not abs(now) < math.inf:
        return
    error = now - el[e, W0] * abs(wanted)
    if p.actions[k, T.A_CONTINUOUS] == 0 and abs(error) < REACHED:
        finish(clock, el, log, e)
    accel, decel, top = v[slot + 2], v[slot + 3], v[slot + 4]
    if not accel < math.inf and not decel < math.inf:
        move_along(m, n, a, i, error, 0)
        a[i, SPEED] = a[other, SPEED]
        return
    accel, decel = min(accel, a[i, MAX_ACCEL]), min(decel, a[i, MAX_DECEL])
    stiffness = STIFFNESS * min(accel if error < 0.0 else decel, 1e3)
    ask = error * stiffness - (a[i, SPEED] - a[other, SPEED]) * 2.0 * math.sqrt(stiffness)
    ask = min(max(ask, -decel), accel)
    before = el[e, W1]
    ask = max(before - min(v[slot + 6], HUGE) * dt, ask) if ask < 0.0 and ask < before else ask
    ask = min(before + min(v[slot + 5], HUGE) * dt, ask) if ask >= 0.0 and ask > before else ask
    el[e, W1] = ask
    a[i, SPEED] = clip(a[i, SPEED] + ask * dt, min(top, a[i, MAX_SPEED]))

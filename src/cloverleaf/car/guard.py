"""The guard: RSS and a stopping envelope on the planned command, from tracks and path alone; the only part that may override.

It knows nothing of proposals, predictions or right of way. Each tick it asks two questions of every confirmed object:
is the RSS distance kept (longitudinally, to oncoming traffic, sideways), and would the car that acts as planned for one response time
and then brakes firmly still come to rest without touching an object that goes on as it does now?
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.boxes import boxes_overlap
from cloverleaf.algo.jit import kernel
from cloverleaf.car.occupy import lasting, offset_at
from cloverleaf.car.path import path_index, project
from cloverleaf.car.state import (
    ASKEW,
    COUNT,
    LENGTH,
    SPEED,
    T_HEADING,
    T_LENGTH,
    T_TRUST,
    T_VX,
    T_VY,
    T_WIDTH,
    T_X,
    T_Y,
    T_YAW,
    WIDTH,
    X,
    Y,
)  # fmt: skip
from cloverleaf.measure.rss import rss_brake, rss_lateral, rss_longitudinal, rss_opposite

RHO = 0.3  # s, response of the whole chain: one tick, filters, actuators
ACCEL_MAX, BRAKE_MIN, BRAKE_MAX, BRAKE_CORRECT = 1.8, 6.0, 8.0, 5.0  # m/s2
LATERAL_ACCEL, LATERAL_BRAKE, LATERAL_MARGIN = 0.1, 1.0, 0.05
TRUSTED = 0.5
STRONGEST = 8.0
DRIFT_DOUBT, YAW_DOUBT = 0.5, 0.1  # m/s, rad/s: what noise alone makes of an object that keeps its lane
ALONG = 0.94  # cosine of the angle to the road up to which an object is taken to follow it
NOTHING, REAR_END, ONCOMING, ENVELOPE = 0, 1, 2, 3


@kernel
def longitudinal_limit(v, along, gap):
    """Highest acceleration (m/s2) that RSS allows behind something `gap` m ahead which moves `along` m/s (negative: towards us)."""
    if along >= -0.5:
        front = max(along, 0.0)
        if gap >= rss_longitudinal(v, front, RHO, ACCEL_MAX, BRAKE_MIN, BRAKE_MAX):
            return math.inf
        needed = rss_brake(v, front, gap, RHO, BRAKE_MAX)
        return -min(needed, STRONGEST) if v > 0.1 else min(0.0, gap - 0.5)
    if gap >= rss_opposite(v, -along, RHO, ACCEL_MAX, BRAKE_CORRECT, BRAKE_MIN):
        return math.inf
    return -BRAKE_CORRECT if v > 0.1 else 0.0


@kernel
def sideways_unsafe(d, lateral_speed, reach):
    """True if an object at lateral distance `d` (m, left positive) that drifts so fast may come into our lane; reach: half widths' sum."""
    gap = abs(d) - reach
    if d > 0.0:
        return gap < rss_lateral(lateral_speed, 0.0, RHO, LATERAL_ACCEL, LATERAL_BRAKE, LATERAL_MARGIN)
    return gap < rss_lateral(0.0, lateral_speed, RHO, LATERAL_ACCEL, LATERAL_BRAKE, LATERAL_MARGIN)


@kernel
def beyond(value, doubt):
    """What of a noisy value is certain: `value` moved towards zero by `doubt`."""
    return value - min(max(value, -doubt), doubt)


@kernel
def envelope_hit(path, f, i, ask, x, y, heading, vx, vy, yaw, length, width):
    """Would acting as planned for RHO and then braking by BRAKE_MIN touch an object that goes on as it does now?

    Who drives along our way or against it follows the road's bends and drifts sideways only as far as the measured drift is beyond
    doubt: a degree of noise in a heading must not bring the neighbouring lane into ours. All others keep speed and yaw rate.
    """
    s, v, segment = 0.0, f[i, SPEED], path_index(path, 0.0, np.int64(0))
    t, dt = 0.0, 0.15
    os, od, at = project(path, x, y, np.int64(-1))
    c, q = path.cos[at], path.sin[at]
    along, drift = vx * c + vy * q, beyond(vy * c - vx * q, DRIFT_DOUBT)
    with_road = abs(math.cos(heading) * c + math.sin(heading) * q) > ALONG
    speed, turn = vx * math.cos(heading) + vy * math.sin(heading), beyond(yaw, YAW_DOUBT)
    while v > 0.0 and t < 4.0:
        a = ask if t < RHO else -BRAKE_MIN
        after = max(0.0, v + a * dt)
        s += 0.5 * (v + after) * dt
        v = after
        t += dt
        segment = path_index(path, s, segment)
        d = offset_at(f, i, s)
        if with_road:
            os += along * dt
            od += drift * dt
            if abs(os - s) < 0.5 * (f[i, LENGTH] + length) + 0.15 and abs(od - d) < 0.5 * (f[i, WIDTH] + width) + 0.05:
                return os - s > -0.25 * f[i, LENGTH]
            continue
        x += speed * math.cos(heading) * dt
        y += speed * math.sin(heading) * dt
        heading += turn * dt
        rest = s - path.s[segment]
        px = path.x[segment] + rest * path.cos[segment] - d * path.sin[segment]
        py = path.y[segment] + rest * path.sin[segment] + d * path.cos[segment]
        if boxes_overlap(
            px, py, path.heading[segment], f[i, LENGTH] + 0.3, f[i, WIDTH] + 0.1, x, y, heading, length, width
        ):
            # Whoever comes from behind has to look out for himself.
            ahead = (x - px) * path.cos[segment] + (y - py) * path.sin[segment]
            return ahead > -0.25 * f[i, LENGTH]
    return False


@kernel
def guard(path, fleet, i, ask):
    """(acceleration allowed, reason, track) for the planned acceleration `ask` of car i."""
    f = fleet.f
    v, half, width = f[i, SPEED], 0.5 * f[i, LENGTH], 0.5 * f[i, WIDTH]
    allowed, reason, who = ask, np.int64(NOTHING), np.int64(-1)
    stop = v * v / (2.0 * BRAKE_MIN) + v * 1.5 + 8.0
    for k in range(fleet.i[i, COUNT]):
        if fleet.track[i, k, T_TRUST] < TRUSTED:
            continue
        x, y = fleet.track[i, k, T_X], fleet.track[i, k, T_Y]
        dx, dy = x - f[i, X], y - f[i, Y]
        vx, vy = fleet.track[i, k, T_VX], fleet.track[i, k, T_VY]
        speed = math.sqrt(vx * vx + vy * vy)
        if dx * dx + dy * dy > (stop + 3.0 * speed + 10.0) ** 2:
            continue
        s, d, segment = project(path, x, y, np.int64(-1))
        heading = fleet.track[i, k, T_HEADING]
        c, q = path.cos[segment], path.sin[segment]
        turn_c = abs(math.cos(heading) * c + math.sin(heading) * q)
        turn_s = abs(math.sin(heading) * c - math.cos(heading) * q)
        hl, hw = 0.5 * fleet.track[i, k, T_LENGTH], 0.5 * fleet.track[i, k, T_WIDTH]
        gap = s - hl * turn_c - hw * turn_s - half
        reach = hl * turn_s + hw * turn_c + width + f[i, ASKEW] * lasting(f, i, max(s, 0.0))
        along, across = vx * c + vy * q, vy * c - vx * q
        e = d - offset_at(f, i, max(s, 0.0))
        limit, why = math.inf, NOTHING
        inside = abs(e) < reach - 0.05
        if (
            s > 0.0
            and gap > -0.5 * half
            and (inside or (turn_c > 0.7 and abs(across) > 0.3 and sideways_unsafe(e, across, reach)))
        ):
            limit = longitudinal_limit(v, along, max(gap, 0.0))
            why = REAR_END if along >= -0.5 else ONCOMING
        if limit == math.inf and v > 0.5 and s > -half:
            if envelope_hit(
                path, f, i, ask, x, y, heading, vx, vy, fleet.track[i, k, T_YAW], 2.0 * hl, 2.0 * hw,
            ):  # fmt: skip
                limit, why = -BRAKE_MIN, ENVELOPE
        if limit < allowed:
            allowed, reason, who = limit, why, k
    return allowed, reason, who

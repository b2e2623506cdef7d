"""Follow the plan: steering from a preview of the path, acceleration with the actuator's lag made up for."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.control import lead, slew, steer_for, track_curvature
from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.occupy import shift_at
from cloverleaf.car.path import path_index, project
from cloverleaf.car.simulate import JERK_DOWN, JERK_HARD, JERK_RELEASE, JERK_UP
from cloverleaf.car.state import ACCEL, ASK, HEADING, LENGTH, SPEED, STEER, YAW_RATE, X, Y

PREVIEW = 0.2  # s, dead time and lag of the steering
STEER_MAX, STEER_RATE = 0.6, 0.55  # rad, rad/s
WINDOW = 2.5  # m, over which the path's heading is averaged to get its curvature
HOLD_STILL = -1.2  # m/s2, brake that keeps a standing car where it is


@kernel
def heading_at(path, s, segment):
    """Direction (rad) of the path at `s`, smoothed over its kinks."""
    i = path_index(path, s, segment)
    span = path.s[i + 1] - path.s[i]
    rest = path.s[i + 1] - s
    # Turn over to the next segment's direction within WINDOW of the joint, and from the last one's likewise.
    heading = path.heading[i]
    reach = min(WINDOW, 0.5 * span)
    if rest < reach and i + 2 < path.n[0]:
        nxt = min(WINDOW, 0.5 * (path.s[i + 2] - path.s[i + 1]))
        heading += wrap_angle(path.heading[i + 1] - path.heading[i]) * (reach - rest) / max(reach + nxt, 1e-6)
    elif span - rest < reach and i > 0:
        back = min(WINDOW, 0.5 * (path.s[i] - path.s[i - 1]))
        heading -= wrap_angle(path.heading[i] - path.heading[i - 1]) * (reach - span + rest) / max(reach + back, 1e-6)
    return heading


@kernel
def steer(path, f, i, dt):
    """Front wheel angle (rad) for car i on its path."""
    v, base = f[i, SPEED], wheelbase(f[i, LENGTH])
    # Where the car will be when the wheels have obeyed.
    turn = f[i, YAW_RATE] * PREVIEW
    # The centre moves aside of the heading when the rear axle turns.
    slip = math.atan(0.5 * math.tan(f[i, STEER])) if v > 0.5 else 0.0
    mid = f[i, HEADING] + 0.5 * turn + slip
    x = f[i, X] + v * PREVIEW * math.cos(mid)
    y = f[i, Y] + v * PREVIEW * math.sin(mid)
    s, d, segment = project(path, x, y, np.int64(-1))
    here = shift_at(f, i, s)
    step = max(0.5, 0.1 * v)
    before, after = shift_at(f, i, max(s - step, 0.0)), shift_at(f, i, s + step)
    slope = (after - before) / (2.0 * step)
    bend = (after - 2.0 * here + before) / (step * step) if s > step else 0.0
    ahead = 1.5 + 0.1 * v
    curvature = (
        wrap_angle(heading_at(path, s + ahead, segment) - heading_at(path, s - ahead, segment)) / (2.0 * ahead) + bend
    )
    course = wrap_angle(f[i, HEADING] + turn + slip - heading_at(path, s, segment) - math.atan(slope))
    length = max(4.0, 0.9 * v + 1.0)
    offset = min(max(d - here, -2.0), 2.0)
    kappa = track_curvature(curvature, offset, course, length)
    most = 4.0 / max(v * v, 4.0)
    kappa = min(max(kappa, -max(most, 0.02)), max(most, 0.02)) if v > 4.0 else kappa
    wanted = steer_for(kappa, base, STEER_MAX)
    # A standing car does not turn its wheels.
    if v < 0.1:
        wanted = f[i, STEER]
    f[i, STEER] = slew(f[i, STEER], wanted, STEER_RATE, STEER_RATE, dt)
    return f[i, STEER]


@kernel
def accelerate(f, i, wanted, hard, dt):
    """Demanded acceleration (m/s2): smooth unless `hard`, leading the lag, holding a standing car."""
    if hard:
        f[i, ASK] = wanted
        return wanted
    down = JERK_HARD if wanted < -3.0 else JERK_DOWN
    f[i, ASK] = slew(f[i, ASK], wanted, JERK_UP if f[i, ASK] >= 0.0 else JERK_RELEASE, down, dt)
    if f[i, SPEED] < 0.15 and wanted <= 0.0:
        f[i, ASK] = min(max(f[i, ASK], HOLD_STILL), 0.0)
        return HOLD_STILL
    if f[i, ASK] < 0.0 and f[i, SPEED] < 0.5:
        # The last bit of a stop: let go, so that it does not jerk.
        f[i, ASK] = max(f[i, ASK], -1.0 - 2.0 * f[i, SPEED])
    return lead(f[i, ASK], f[i, ACCEL], 0.35, 0.8)

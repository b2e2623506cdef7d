"""Pieces of vehicle motion: single track kinematics, first-order lag, friction circle (compiled, scalar).

The reference point is the centre of the box, midway between the axles; speed is taken along the heading, which is the same all along
the longitudinal axis. Kinematic single track about the rear axle (Rajamani 2012, "Vehicle Dynamics and Control", ch. 2):
x' = v cos psi, y' = v sin psi, psi' = v tan(delta) / L.
"""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel

GRAVITY = 9.80665
"""m/s2"""
WHEELBASE_SHARE = 0.6
"""Wheelbase per length of the body: compact cars 0.58-0.62 (2.7 m of 4.5 m), city buses 0.49-0.5; our box has its axles centred."""


@kernel
def wheelbase(length):
    """Wheelbase of a body of this length, m; long bodies (buses, trucks) have longer overhangs."""
    return length * (WHEELBASE_SHARE if length < 7.0 else 0.5)


@kernel
def lag(value, target, tau, dt):
    """First-order lag towards `target` over `dt`, exact for a constant target; tau <= 0 follows at once."""
    return target if tau <= 0.0 else target + (value - target) * math.exp(-dt / tau)


@kernel
def limit_rate(value, target, rate, dt):
    """`target`, but not farther than `rate * dt` from `value`."""
    return min(max(target, value - rate * dt), value + rate * dt)


@kernel
def friction_circle(ax, ay, grip):
    """The acceleration (ax, ay) shortened to at most `grip` = mu g with its direction kept, m/s2."""
    square = ax * ax + ay * ay
    if square <= grip * grip:
        return ax, ay
    share = grip / math.sqrt(square)
    return ax * share, ay * share


@kernel
def single_track_step(x, y, heading, speed, accel, yaw_rate, base, dt):
    """One step of the single track: new (x, y, heading, speed) of the centre, from accel (m/s2) and yaw rate (rad/s).

    Semi-implicit: speed first (a car that stops within the step stays at 0), then the heading, then the rear axle along the heading
    of mid-step - second order in dt for constant inputs. `base`: wheelbase, m.
    """
    new_speed = speed + accel * dt
    travel = 0.5 * (speed + new_speed) * dt
    if new_speed < 0.0 and speed >= 0.0:
        new_speed = 0.0
        travel = speed * speed / (-2.0 * accel)
    middle = heading + 0.5 * yaw_rate * dt
    new_heading = wrap_angle(heading + yaw_rate * dt)
    half = 0.5 * base
    new_x = x - half * math.cos(heading) + travel * math.cos(middle) + half * math.cos(new_heading)
    new_y = y - half * math.sin(heading) + travel * math.sin(middle) + half * math.sin(new_heading)
    return new_x, new_y, new_heading, new_speed


@kernel
def steer_for_curvature(curvature, base):
    """Front wheel angle that drives the rear axle on a circle of this curvature (1/m, left positive), rad."""
    return math.atan(base * curvature)

"""Tracking control in scalars: curvature feedback on a path, and a lead that makes up for a slow actuator.

Lateral: with way driven as the clock, offset e and course error psi of a car obey e' = psi, psi' = curvature - path curvature.
kappa = kappa_path - e / l^2 - 2 zeta psi / l places both poles at distance l (the LQR that weighs e with 1 and curvature
with l^4 has zeta = 0.71; a little more damping overshoots less when a lane change ends).
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

DAMPING = 0.9


@kernel
def track_curvature(path_curvature, offset, course_error, length):
    """Curvature (1/m) that takes offset (m, left positive) and course error (rad) to zero within about `length` m."""
    return path_curvature - offset / (length * length) - 2.0 * DAMPING * course_error / length


@kernel
def steer_for(curvature, base, limit):
    """Front wheel angle (rad) for a curvature of the rear axle's path, at most `limit`."""
    return min(max(math.atan(curvature * base), -limit), limit)


@kernel
def lead(wanted, real, gain, most):
    """Command that leads the wanted value by `gain` times what the actuator still owes, at most `most` beyond it."""
    return wanted + min(max(gain * (wanted - real), -most), most)


@kernel
def slew(previous, wanted, up, down, dt):
    """`wanted`, but changing by at most `up` and `down` per second."""
    return min(max(wanted, previous - down * dt), previous + up * dt)

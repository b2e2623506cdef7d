"""Intersection collision warning: will two road users occupy the same conflict area at about the same time?

T/CSAE 53 application 2. Warned is who can still do something: the one that must give way and does not brake for it.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

FAR_FUTURE = 1.0e9


@kernel
def time_to_cover(distance, speed, accel):
    """s until a road user has moved `distance` m, braking if it brakes now, never accelerating; FAR_FUTURE if it stops before."""
    if distance <= 0.0:
        return 0.0
    if speed < 0.1:
        return 1.0e9
    if accel > -0.3:
        return distance / speed
    under = speed * speed + 2.0 * accel * distance
    if under <= 0.0:
        return 1.0e9
    return (math.sqrt(under) - speed) / accel


@kernel
def warning_time(speed):
    """s before the conflict at which a warning is due: reaction 1 s, braking the relative `speed` at 3.5 m/s2, margin 0.3 s."""
    return 1.3 + speed / 7.0


@kernel
def needed_deceleration(distance, speed):
    """m/s2 to stop within `distance` m; large where there is no room."""
    if distance <= 0.1:
        return 1.0e9
    return speed * speed / (2.0 * distance)

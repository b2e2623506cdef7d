"""Responsibility-sensitive safety: the distances that keep the blame elsewhere, as scalar kernels.

Formulas: Shalev-Shwartz, Shammah, Shashua 2017, "On a Formal Model of Safe and Scalable Self-driving Cars", definitions 1, 2 and 6.
Speeds in m/s, accelerations in m/s2 and positive, `rho` the response time in s, results in m. `b_max` and `b_min` brake the
car in front and the one behind. Lateral speeds count positive towards the left; 'right' is the car on the right-hand side.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from cloverleaf.algo.jit import kernel


class RssParameters(NamedTuple):
    """One side's assumptions; the defaults are the conservative set of the ad-rss documentation."""

    rho: float = 1.0  # s
    accel_max: float = 3.5  # m/s2 during the response time
    brake_min: float = 4.0  # m/s2 that the car behind surely brakes
    brake_max: float = 8.0  # m/s2 that the car in front may brake
    brake_correct: float = 3.0  # m/s2 of a car that meets another on its own, correct side
    lateral_accel: float = 0.2  # m/s2
    lateral_brake: float = 0.8  # m/s2
    lateral_margin: float = 0.10  # m


@kernel
def rss_longitudinal(rear_speed, front_speed, rho, accel_max, brake_min, brake_max):
    """Least bumper distance behind a car going the same way: it brakes by brake_max, we accelerate for rho, then brake by brake_min."""
    peak = rear_speed + rho * accel_max
    rear_way = rear_speed * rho + 0.5 * accel_max * rho * rho + peak * peak / (2.0 * brake_min)
    return max(0.0, rear_way - front_speed * front_speed / (2.0 * brake_max))


@kernel
def rss_opposite(correct_speed, other_speed, rho, accel_max, brake_correct, brake_min):
    """Least distance of two cars that drive towards each other; the first is on its correct side. Speeds >= 0."""
    peak = correct_speed + rho * accel_max
    other_peak = other_speed + rho * accel_max
    way = 0.5 * (correct_speed + peak) * rho + peak * peak / (2.0 * brake_correct)
    return way + 0.5 * (other_speed + other_peak) * rho + other_peak * other_peak / (2.0 * brake_min)


@kernel
def lateral_way(speed, rho, accel, brake):
    """Way to the left (m, signed) of a car that accelerates to the left for rho and then brakes its lateral speed away."""
    peak = speed + rho * accel
    stop = peak * peak / (2.0 * brake)
    return 0.5 * (speed + peak) * rho + (stop if peak >= 0.0 else -stop)


@kernel
def rss_lateral(left_speed, right_speed, rho, accel, brake, margin):
    """Least sideways gap between the car on the left and the one on the right; speeds positive to the left.

    Both drift towards each other for rho. The margin lies outside the maximum, as in the paper.
    """
    towards_left = lateral_way(right_speed, rho, accel, brake)
    towards_right = lateral_way(-left_speed, rho, accel, brake)
    return margin + max(0.0, towards_left + towards_right)


@kernel
def rss_brake(rear_speed, front_speed, gap, rho, brake_max):
    """Least constant deceleration after rho (m/s2) that stays behind a car which brakes by brake_max; inf if none does."""
    room = gap - rear_speed * rho + front_speed * front_speed / (2.0 * brake_max)
    if rear_speed <= 0.0:
        return 0.0
    return rear_speed * rear_speed / (2.0 * room) if room > 0.0 else math.inf

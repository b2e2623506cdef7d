"""Slow, obvious twins of the RSS, conflict and comfort kernels: simulations and brute force in small time steps."""

import math


def stopping_way(speed, rho, accel, brake, dt=1e-4):
    """Distance of a car that accelerates for rho and then brakes to rest, by integration."""
    way, t = 0.0, 0.0
    while speed > 0.0 or t < rho:
        a = accel if t < rho else -brake
        nxt = max(0.0, speed + a * dt)
        way += 0.5 * (speed + nxt) * dt
        speed = nxt
        t += dt
    return way


def longitudinal(rear, front, rho, accel_max, brake_min, brake_max):
    return max(0.0, stopping_way(rear, rho, accel_max, brake_min) - stopping_way(front, 0.0, 0.0, brake_max))


def opposite(correct, other, rho, accel_max, brake_correct, brake_min):
    return stopping_way(correct, rho, accel_max, brake_correct) + stopping_way(other, rho, accel_max, brake_min)


def lateral(left, right, rho, accel, brake, margin, dt=1e-4):
    """Both drift towards each other, then brake their own lateral speed; how much the gap shrinks in the end."""

    def drift(v):  # towards the other side positive
        way, t = 0.0, 0.0
        while t < rho:
            way += v * dt + 0.5 * accel * dt * dt
            v += accel * dt
            t += dt
        sign = 1.0 if v > 0 else -1.0
        v = abs(v)
        while v > 0.0:
            nxt = max(0.0, v - brake * dt)
            way += sign * 0.5 * (v + nxt) * dt
            v = nxt
        return way

    return margin + max(0.0, drift(right) + drift(-left))


def first_root(gap, speed, leader, accel, leader_accel, dt=1e-3, horizon=60.0):
    """Time at which the gap is used up, by stepping."""
    t = 0.0
    while t < horizon:
        t += dt
        if gap - (speed - leader) * t - 0.5 * (accel - leader_accel) * t * t <= 0.0:
            return t
    return math.nan


def discomfort_count(accel, lateral, yaw_rate, yaw_accel, jerk, lateral_jerk):
    """How many of the seven nuPlan bounds are broken."""
    checks = (
        accel < -4.05, accel > 2.40, abs(lateral) > 4.89, abs(yaw_rate) > 0.95, abs(yaw_accel) > 1.93,
        abs(jerk) > 4.13, math.hypot(jerk, lateral_jerk) > 8.37,
    )  # fmt: skip
    return sum(checks)

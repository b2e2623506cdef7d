"""Slow twins of the car-following kernels: simulate the braking instead of solving for it."""

from __future__ import annotations


def braking_way(speed: float, decel: float, headway: float, dt: float) -> float:
    """Drive `headway` seconds at `speed`, then brake step by step."""
    way = speed * headway
    speed -= decel * dt
    while speed > 0:
        way += speed * dt
        speed -= decel * dt
    return way


def stop_speed(gap: float, decel: float, tau: float, dt: float) -> float:
    """Largest speed whose stopping way fits, by bisection; speeds below one braking step stop within the gap itself."""

    def way(v: float) -> float:
        return braking_way(v, decel, tau, dt)

    low, high = 0.0, 100.0
    for _ in range(80):
        mid = 0.5 * (low + high)
        low, high = (mid, high) if way(mid) <= gap else (low, mid)
    return low


def iidm(gap: float, v: float, vl: float, v0: float, a: float, b: float, t: float, s0: float) -> float:
    """Treiber, Kesting 2013, equations (11.14) to (11.16), written out."""
    z = (s0 + max(0.0, v * t + v * (v - vl) / (2 * (a * b) ** 0.5))) / gap
    if v <= v0:
        free = a * (1 - (v / v0) ** 4)
        return a * (1 - z**2) if z >= 1 else free * (1 - z ** (2 * a / free)) if free > 1e-9 else 0.0
    free = -b * (1 - (v0 / v) ** (4 * a / b))
    return free + a * (1 - z**2) if z >= 1 else free

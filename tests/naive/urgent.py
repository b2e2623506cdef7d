"""Urgency of a sender by stepping through time."""

import math


def naive_urgency(dx: float, dy: float, vx: float, vy: float) -> float:
    """Least of distance / 5 now, and of time plus half the distance at the closest approach."""
    calm = math.hypot(dx, dy) / 5.0
    best, at = math.hypot(dx, dy), 0.0
    t = 0.0
    while t < 400.0 and (math.hypot(vx, vy) >= 0.1):
        gap = math.hypot(dx + vx * t, dy + vy * t)
        if gap < best:
            best, at = gap, t
        elif t > at + 1.0:
            break
        t += 0.02
    return calm if at == 0.0 else min(calm, at + best / 2.0)

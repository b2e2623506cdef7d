"""Slow arcs on the WGS84 ellipsoid by summing small steps."""

from __future__ import annotations

import math

A, F = 6378137.0, 1 / 298.257223563
E2 = F * (2 - F)


def meridian_arc(from_deg: float, to_deg: float, steps: int = 20000) -> float:
    """Metres along a meridian, by the midpoint rule."""
    h = math.radians(to_deg - from_deg) / steps
    total = 0.0
    for i in range(steps):
        s = math.sin(math.radians(from_deg) + (i + 0.5) * h)
        total += A * (1 - E2) / (1 - E2 * s * s) ** 1.5 * h
    return total


def parallel_arc(latitude_deg: float, difference_deg: float) -> float:
    """Metres along a parallel."""
    phi = math.radians(latitude_deg)
    return A * math.cos(phi) / math.sqrt(1 - E2 * math.sin(phi) ** 2) * math.radians(difference_deg)

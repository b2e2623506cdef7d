"""Which points of a lidar scan are ground: a polar grid whose height may rise and fall only as fast as roads do (compiled).

Each sector is walked outwards from the sensor. A ring's candidate is its lowest point; it becomes ground if the slope from the last ground
ring is one that a road can have, else the ground is carried on flat (after Himmelsbach et al. 2010, "Fast Segmentation of 3D Point
Clouds for Ground Vehicles"). Points are x forward, y left, z up from the sensor, m.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64

SECTORS, RINGS = 180, 110
FIRST_RING, RING_GROWTH = 0.6, 1.013  # m, and each ring is so much wider than the one before
SLOPE = 0.12  # rise over run between ground rings; kerbs and speed bumps add STEP
STEP = 0.10  # m
MOST_BELOW = 0.35  # m, a candidate this far below the expected ground is a reflection
TOLERANCE = 0.22  # m above the ground that still counts as ground


@kernel
def ring_of(distance):
    """Ring of a distance (m), RINGS - 1 for all beyond."""
    ring = math.log(1.0 + distance * (RING_GROWTH - 1.0) / FIRST_RING) / math.log(RING_GROWTH)
    return min(np.int64(ring), np.int64(RINGS - 1))


@kernel
def _ring_middle(ring):
    return FIRST_RING * (RING_GROWTH ** (ring + 0.5) - 1.0) / (RING_GROWTH - 1.0)


@kernel
def sector_of(x, y):
    """Sector of a direction."""
    share = (math.atan2(y, x) + math.pi) / (2.0 * math.pi)
    return min(np.int64(share * SECTORS), np.int64(SECTORS - 1))


@kernel
def _ground(points, mount, lowest, height, above):
    """Fill height (SECTORS, RINGS) of the ground and `above` (n,): how far each point is over it."""
    for a in range(SECTORS):
        for r in range(RINGS):
            lowest[a, r] = math.inf
    n = points.shape[0]
    for k in range(n):
        x, y, z = points[k, 0], points[k, 1], points[k, 2]
        if not math.isfinite(x + y + z):
            continue
        a, r = sector_of(x, y), ring_of(math.sqrt(x * x + y * y))
        lowest[a, r] = min(lowest[a, r], z)
    for a in range(SECTORS):
        level, at = -mount, 0.0
        for r in range(RINGS):
            middle = _ring_middle(r)
            z = lowest[a, r]
            if z < math.inf:
                room = SLOPE * (middle - at) + STEP
                if level - max(room, MOST_BELOW) <= z <= level + room:
                    level, at = z, middle
            height[a, r] = level
    for k in range(n):
        x, y, z = points[k, 0], points[k, 1], points[k, 2]
        above[k] = math.nan
        if math.isfinite(x + y + z):
            above[k] = z - height[sector_of(x, y), ring_of(math.sqrt(x * x + y * y))]


def height_above_ground(points: F64, mount: float = 1.73) -> F64:
    """Height (n,) of each point (n, >= 3) over the ground below it, m; NaN for points that are not finite.

    mount: height of the sensor over the ground it stands on, m. Ground itself is what lies below `TOLERANCE`.
    """
    table = np.ascontiguousarray(points, np.float64)
    if table.ndim != 2 or table.shape[1] < 3:
        raise ValueError(f"points of shape (n, 3 or more) are needed, not {table.shape}")
    above = np.zeros(len(table))
    _ground(table, float(mount), np.zeros((SECTORS, RINGS)), np.zeros((SECTORS, RINGS)), above)
    return above

"""What is free, what is hidden, and what could come out of hiding: one range per direction around the sensor (compiled).

Free range of a direction: distance to the first thing that stands out of the ground, or to the last ground that was seen. Beyond it is
hidden. A road user that nobody can see may stand in any hidden place and come out at its top speed (Orzechowski et al. 2018, "Tackling
Occlusions & Limited Sensor Range with Set-based Safety Verification").
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64

DIRECTIONS = 720
LOWEST, HIGHEST = 0.3, 2.3  # m over ground; what lies between blocks the way and the view
MARGIN = 0.3  # m, so far behind the first surface the object itself is taken to reach


@kernel
def direction_of(x, y):
    """Number of the direction of a point."""
    share = (math.atan2(y, x) + math.pi) / (2.0 * math.pi)
    return min(np.int64(share * DIRECTIONS), np.int64(DIRECTIONS - 1))


@kernel
def _free(points, above, most, free):
    """free (DIRECTIONS,): range in m, at most `most`."""
    for d in range(DIRECTIONS):
        free[d] = 0.0
    for k in range(points.shape[0]):
        distance = math.sqrt(points[k, 0] * points[k, 0] + points[k, 1] * points[k, 1])
        if not distance > 0.0 or not above[k] < HIGHEST:
            continue
        d = direction_of(points[k, 0], points[k, 1])
        # Ground seen farther out is kept as a negative number until an obstacle replaces it.
        if above[k] >= LOWEST:
            if free[d] <= 0.0 or distance < free[d]:
                free[d] = distance
        elif free[d] <= 0.0:
            free[d] = min(free[d], -distance)
    for d in range(DIRECTIONS):
        free[d] = min(abs(free[d]), most)


@kernel
def _hiding(path, free, reach, margin, out):
    """Per path point (n, 2): distance to the nearest hidden place within `reach` m; inf if all of that is in view."""
    step = 0.5
    for k in range(path.shape[0]):
        best = math.inf
        wide = np.int64(reach / step)
        for i in range(-wide, wide + 1):
            for j in range(-wide, wide + 1):
                away = step * math.sqrt(i * i + j * j)
                if away > reach or away >= best:
                    continue
                x, y = path[k, 0] + i * step, path[k, 1] + j * step
                if math.sqrt(x * x + y * y) > free[direction_of(x, y)] + margin:
                    best = away
        out[k] = best


def free_ranges(points: F64, above: F64, most: float = 80.0) -> F64:
    """Free range (720,) m from a scan (n, >= 2) and its heights over ground (n,); direction k is the angle -pi + k * 0.5 degrees.

    A direction without any point is not known to be free: its range is 0.
    """
    free = np.zeros(DIRECTIONS)
    _free(np.ascontiguousarray(points, np.float64), np.ascontiguousarray(above, np.float64), float(most), free)
    return free


def hidden(free: F64, x: float, y: float) -> bool:
    """True if the place (x, y), m from the sensor, cannot be seen."""
    return math.hypot(x, y) > float(free[direction_of(float(x), float(y))]) + MARGIN


def nearest_hiding(free: F64, path: F64, reach: float = 8.0) -> F64:
    """Distance (n,) m from each point of a path (n, 2) to the nearest hidden place, inf beyond `reach`.

    Divided by the top speed of what may hide there, it is the time in which it could be on the path.
    """
    out = np.zeros(len(path))
    _hiding(np.ascontiguousarray(path, np.float64), free, float(reach), MARGIN, out)
    return out

"""Which share of each box a sensor sees past the others: a fan of level rays."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.types.state import F64
from cloverleaf.world.sensors.lidar import cast
from cloverleaf.world.sensors.surroundings import COS, HALF_LENGTH, HALF_WIDTH, SIN, TOP, X, Y

STEP = math.radians(0.25)


def fan(boxes: F64, pose: tuple[float, float, float, float], field: float, reach: float) -> tuple[F64, np.ndarray]:
    """Ranges (columns,) m, inf none, and rows of the boxes met (-2 none) over the field of view at the sensor's height.

    Lower boxes count as being as high as the sensor if they stand above half of its height: the rays stand for views of whole bodies.
    """
    columns = max(int(round(field / STEP)), 1)
    ranges, hits, cosines = np.empty((columns, 1)), np.empty((columns, 1), np.int64), np.empty((columns, 1))
    seen = np.ascontiguousarray(boxes, np.float64)
    if len(seen):
        seen = seen.copy()
        seen[:, TOP] = np.where(seen[:, TOP] > 0.5 * pose[2], np.maximum(seen[:, TOP], pose[2] + 0.01), seen[:, TOP])
    first = -0.5 * field + 0.5 * STEP
    cast(
        seen,
        np.array(pose, np.float64),
        np.array([first, STEP, 0.0]),
        np.zeros(1),
        float(reach),
        np.zeros(3),
        ranges,
        hits,
        cosines,
    )
    return ranges[:, 0], hits[:, 0]


def visible_shares(boxes: F64, pose: tuple[float, float, float, float], field: float, reach: float) -> F64:
    """Share 0..1 (n,) of each box's width that is in view and not hidden by another; 0 out of reach or view."""
    if not len(boxes):
        return np.zeros(0)
    _, hits = fan(boxes, pose, field, reach)
    count = np.bincount(hits[hits >= 0], minlength=len(boxes))
    dx, dy = boxes[:, X] - pose[0], boxes[:, Y] - pose[1]
    distance = np.maximum(np.hypot(dx, dy), 0.5)
    # sine of the angle between the line of sight and the box's axis
    across = np.abs(dy * boxes[:, COS] - dx * boxes[:, SIN]) / distance
    across = np.minimum(across, 1.0)
    half = boxes[:, HALF_LENGTH] * across + boxes[:, HALF_WIDTH] * np.sqrt(1.0 - across**2)
    whole = np.maximum(2.0 * np.arctan2(half, distance) / STEP, 1.0)
    return np.asarray(np.minimum(count / whole, 1.0))

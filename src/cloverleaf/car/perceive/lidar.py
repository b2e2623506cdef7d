"""From one lidar scan to objects: ground away, points grouped, boxes fitted, a class by size (geometry only, no learning)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.perceive.clusters import cluster
from cloverleaf.car.perceive.fitting import complete, fit_rectangle
from cloverleaf.car.perceive.ground import TOLERANCE, height_above_ground
from cloverleaf.types.state import F64, I64

HIGHEST = 2.3  # m over ground; trees and signs above are not looked at
LEAST_POINTS = 5
FAR_LEAST = 3  # beyond 30 m
OTHER, PEDESTRIAN, CAR, CYCLIST = range(4)
USUAL = ((0.0, 0.0), (0.7, 0.6), (3.9, 1.65), (1.75, 0.6))
"""Length and width, m, that the hidden part of a body of each class is completed to."""
O_X, O_Y, O_Z, O_HEADING, O_LENGTH, O_WIDTH, O_HEIGHT, O_CLASS, O_POINTS, O_BASE = range(10)
OBJECT = 10


class Scan(NamedTuple):
    """What was made of a scan."""

    objects: F64  # (m, OBJECT): centre, heading, size in the sensor's frame; class, points, height of its lowest point over ground
    above: F64  # (n,) height over ground
    label: I64  # (n,) cluster, -1 ground or not looked at


@kernel
def size_class(length, width, height, base, distance):
    """Class that a body's measured size allows; what is seen of a body is never longer than the body."""
    if height < 0.5 or height > 2.6 or base > 1.2:
        return 0
    if length < 1.25 and width < 1.0 and height > 0.9 + 0.004 * distance and length + width > 0.2:
        return 1
    if 1.0 <= length <= 2.3 and width < 1.0 and height > 0.9:
        return 3
    if 1.2 <= length <= 6.0 and width < 2.4 and (width > 0.9 or length > 2.4) and 0.5 < height < 2.3:
        return 2
    return 0


@kernel
def _fit_all(points, above, order, start, count, least, usual, rows):
    """One object per cluster that has points enough and an extent that something mobile could have; returns how many."""
    kept = 0
    for c in range(count):
        first, end = start[c], start[c + 1]
        if end - first < least:
            continue
        low, high, base = math.inf, -math.inf, math.inf
        x0 = y0 = math.inf
        x1 = y1 = -math.inf
        for k in range(first, end):
            z = points[order[k], 2]
            low, high, base = min(low, z), max(high, z), min(base, above[order[k]])
            x0, x1 = min(x0, points[order[k], 0]), max(x1, points[order[k], 0])
            y0, y1 = min(y0, points[order[k], 1]), max(y1, points[order[k], 1])
        distance = math.sqrt(0.25 * ((x0 + x1) * (x0 + x1) + (y0 + y1) * (y0 + y1)))
        if (end - first < 5 and distance < 30.0) or max(x1 - x0, y1 - y0) > 14.0:
            continue
        row = rows[kept]
        fit_rectangle(points, order, first, end, row[5:])
        height = high - low + base
        row[0], row[1], row[2] = row[5], row[6], high - 0.5 * height
        heading, length, width = row[7], row[8], row[9]
        kind = size_class(length, width, height, base, distance)
        if kind > 0:
            complete(row[5:], usual[kind, 0], usual[kind, 1])
            row[0], row[1], heading, length, width = row[5], row[6], row[7], row[8], row[9]
        row[3], row[4], row[5], row[6] = heading, length, width, height
        row[7], row[8], row[9] = kind, end - first, base
        kept += 1
    return kept


def detect(points: F64, mount: float = 1.73) -> Scan:
    """Objects of a scan (n, >= 3): x forward, y left, z up from the sensor, m. Points that are not finite are left out."""
    table = np.ascontiguousarray(points, np.float64)
    above = height_above_ground(table, mount)
    with np.errstate(invalid="ignore"):
        used = ((above > TOLERANCE) & (above < HIGHEST)).astype(np.int64)
    label, count = cluster(table, used)
    order = np.argsort(label, kind="stable")
    start = np.searchsorted(label[order], np.arange(count + 1))
    rows = np.zeros((count, OBJECT))
    kept = _fit_all(table, above, order, start, count, FAR_LEAST, np.array(USUAL), rows)
    return Scan(rows[:kept], above, label)

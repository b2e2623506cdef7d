"""Centre lines as columns: arc length, heading and curvature of many polylines at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I64


class PolylineColumns(NamedTuple):
    """Points of all lanes; lane i owns `start[i]:start[i + 1]`."""

    start: I64  # (lanes + 1,)
    x: F64  # m, (points,)
    y: F64
    z: F64
    s: F64  # m, scaled so that the last point of lane i is length[i]
    heading: F64  # rad, of the segment that starts here; the last repeats
    curvature: F64  # 1/m, left positive; 0 at both ends


def polyline_columns(start: I64, x: F64, y: F64, z: F64, length: F64) -> PolylineColumns:
    """Derive s, heading and curvature. Every polyline needs two points or more; `length` (lanes,) in m, > 0.

    Curvature at an inner vertex is the change of heading over half the two segments that meet there.
    """
    points = len(x)
    dx, dy = np.zeros(points), np.zeros(points)
    dx[:-1], dy[:-1] = np.diff(x), np.diff(y)
    last = start[1:] - 1
    dx[last], dy[last] = 0.0, 0.0
    step = np.hypot(dx, dy)
    total = np.concatenate(([0.0], np.cumsum(step)))[:-1]
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    raw = total - total[start[:-1]][owner]
    scale = np.where(raw[last] > 0.0, length / np.maximum(raw[last], 1e-9), 0.0)
    s = raw * scale[owner]
    s[last] = length
    heading = np.arctan2(dy, dx)
    heading[last] = heading[last - 1]
    curvature = np.zeros(points)
    inner = np.ones(points, dtype=bool)
    inner[start[:-1]] = inner[last] = False
    at = np.flatnonzero(inner)
    turn = (heading[at] - heading[at - 1] + np.pi) % (2.0 * np.pi) - np.pi
    curvature[at] = turn / np.maximum(0.5 * (step[at] + step[at - 1]), 0.1)
    return PolylineColumns(start, x, y, z, s, heading, curvature)

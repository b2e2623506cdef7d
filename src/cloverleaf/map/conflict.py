"""Where two lanes inside a junction get in each other's way: conflict areas as intervals of arc length."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, I64

SAMPLE = 0.25
"""m between the points of our lane that are held against the other lane."""


@kernel
def _segment_distance2(px, py, ax, ay, bx, by):
    """Squared distance of point p from segment ab, m2."""
    ux, uy = bx - ax, by - ay
    wx, wy = px - ax, py - ay
    norm = ux * ux + uy * uy
    t = 0.0
    if norm > 0.0:
        t = min(max((wx * ux + wy * uy) / norm, 0.0), 1.0)
    ex, ey = wx - t * ux, wy - t * uy
    return ex * ex + ey * ey


@kernel
def conflict_area(start, x, y, s, own, other, clearance):
    """Interval (begin, end, closest, distance) of lane `own` within `clearance` of lane `other`.

    begin > end where they never come that close; `closest` is the arc length of the closest approach, `distance` that distance, all m.
    """
    begin, end = 1e18, -1.0
    best, closest = 1e18, 0.0
    limit = clearance * clearance
    for i in range(start[own], start[own + 1] - 1):
        length = math.hypot(x[i + 1] - x[i], y[i + 1] - y[i])
        n = int(math.ceil(length / 0.25))
        if n < 1:
            n = 1
        for k in range(n + 1):
            f = k / n
            px = x[i] + f * (x[i + 1] - x[i])
            py = y[i] + f * (y[i + 1] - y[i])
            d2 = 1e18
            for j in range(start[other], start[other + 1] - 1):
                d2 = min(d2, _segment_distance2(px, py, x[j], y[j], x[j + 1], y[j + 1]))
            at = s[i] + f * (s[i + 1] - s[i])
            if d2 < best:
                best, closest = d2, at
            if d2 <= limit:
                begin = min(begin, at)
                end = max(end, at)
    return begin, end, closest, math.sqrt(best)


@kernel
def _conflict_areas(start, x, y, s, own, other, clearance, out):
    for i in range(own.shape[0]):
        begin, end, closest, distance = conflict_area(start, x, y, s, own[i], other[i], clearance[i])
        out[i, 0] = begin
        out[i, 1] = end
        out[i, 2] = closest
        out[i, 3] = distance


def conflict_areas(start: I64, x: F64, y: F64, s: F64, own: I32, other: I32, clearance: F64) -> F64:
    """`conflict_area` for many pairs; shape (pairs, 4): begin, end, closest, distance in m. Inputs as in `LaneGraph`."""
    out = np.zeros((len(own), 4))
    _conflict_areas(
        start,
        x,
        y,
        s,
        own.astype(np.int32, copy=False),
        other.astype(np.int32, copy=False),
        clearance.astype(np.float64),
        out,
    )
    return out

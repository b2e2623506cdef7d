"""Slow oracles of algo/boxes: polygons, edges and small time steps instead of separating axes."""

from __future__ import annotations

import numpy as np


def corners(box):
    """(4, 2) corners, anticlockwise from front left."""
    x, y, heading, length, width = box
    body = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [0.5 * length, 0.5 * width]
    c, s = np.cos(heading), np.sin(heading)
    return body @ np.array([[c, s], [-s, c]]) + [x, y]


def inside(point, polygon):
    """True if the point is left of (or on) every edge of a convex anticlockwise polygon."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    to_point = np.asarray(point) - polygon
    return bool((edges[:, 0] * to_point[:, 1] - edges[:, 1] * to_point[:, 0] >= -1e-12).all())


def edges_cross(a, b, c, d):
    """True if segments ab and cd share a point, by orientation signs (general position)."""

    def side(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) <= 0 and side(c, d, a) * side(c, d, b) <= 0


def overlap(a, b):
    """Boxes share a point: a corner of one lies in the other, or two edges cross."""
    pa, pb = corners(a), corners(b)
    if any(inside(p, pb) for p in pa) or any(inside(p, pa) for p in pb):
        return True
    return any(edges_cross(pa[i], pa[i - 1], pb[j], pb[j - 1]) for i in range(4) for j in range(4))


def point_segment(p, a, b):
    """Distance of a point to a segment."""
    ab = b - a
    t = np.clip(np.dot(p - a, ab) / np.dot(ab, ab), 0, 1)
    return float(np.hypot(*(p - a - t * ab)))


def distance(a, b):
    """Distance of two separate boxes: nearest corner to edge, both ways."""
    pa, pb = corners(a), corners(b)
    near = [point_segment(p, q[i], q[i - 1]) for own, q in ((pa, pb), (pb, pa)) for p in own for i in range(4)]
    return min(near)


def contact_time(a, va, b, vb, horizon, steps=4000):
    """First of `steps` + 1 evenly spaced moments at which the moving boxes overlap; inf if none."""
    for t in np.linspace(0.0, horizon, steps + 1):
        if overlap((a[0] + va[0] * t, a[1] + va[1] * t, *a[2:]), (b[0] + vb[0] * t, b[1] + vb[1] * t, *b[2:])):
            return float(t)
    return float("inf")

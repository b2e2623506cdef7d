"""Planar geometry of points, segments and polylines (compiled, scalar in, scalars out).

Metres and radians in one Cartesian plane; angles count anticlockwise from the x axis. A polyline is a range
`[first, last)` of parallel point columns, so that the centre lines of a whole map are read without copying.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

TWO_PI = 2.0 * math.pi


@kernel
def wrap_angle(angle):
    """The same direction in (-pi, pi]."""
    turned = angle - TWO_PI * math.floor((angle + math.pi) / TWO_PI)
    return math.pi if turned <= -math.pi else turned


@kernel
def to_body(x, y, frame_x, frame_y, frame_heading):
    """World point -> (forward, left) in the body frame of a pose."""
    c, s = math.cos(frame_heading), math.sin(frame_heading)
    dx, dy = x - frame_x, y - frame_y
    return dx * c + dy * s, dy * c - dx * s


@kernel
def to_world(forward, left, frame_x, frame_y, frame_heading):
    """Body point (forward, left) of a pose -> world point."""
    c, s = math.cos(frame_heading), math.sin(frame_heading)
    return frame_x + forward * c - left * s, frame_y + forward * s + left * c


@kernel
def segment_intersection(ax, ay, bx, by, cx, cy, dx, dy):
    """Where segments ab and cd cross: (share of ab, share of cd), both in [0, 1], or (-1, -1) if they do not.

    Parallel segments, overlapping ones included, count as not crossing.
    """
    rx, ry = bx - ax, by - ay
    qx, qy = dx - cx, dy - cy
    cross = rx * qy - ry * qx
    if abs(cross) < 1e-12:
        return -1.0, -1.0
    t = ((cx - ax) * qy - (cy - ay) * qx) / cross
    u = ((cx - ax) * ry - (cy - ay) * rx) / cross
    if t < 0.0 or t > 1.0 or u < 0.0 or u > 1.0:
        return -1.0, -1.0
    return t, u


@kernel
def project_on_segment(px, py, ax, ay, bx, by):
    """Nearest point of segment ab: (share of ab in [0, 1], squared distance in m2)."""
    rx, ry = bx - ax, by - ay
    square = rx * rx + ry * ry
    t = 0.0
    if square > 0.0:
        t = min(max(((px - ax) * rx + (py - ay) * ry) / square, 0.0), 1.0)
    ex, ey = px - (ax + t * rx), py - (ay + t * ry)
    return t, ex * ex + ey * ey


@kernel
def project_on_polyline(px, py, point_x, point_y, point_s, first, last):
    """Foot of a point on a polyline: (s, d, index of the segment's first point, distance).

    `s` interpolates the column `point_s`; `d` is the distance to the foot with its sign, left positive. Beyond an end the foot is
    the end point. At equal distances the earlier segment wins. Needs at least two points.
    """
    best, best_square, best_t = first, math.inf, 0.0
    for i in range(first, last - 1):
        t, square = project_on_segment(px, py, point_x[i], point_y[i], point_x[i + 1], point_y[i + 1])
        if square < best_square:
            best, best_square, best_t = i, square, t
    rx, ry = point_x[best + 1] - point_x[best], point_y[best + 1] - point_y[best]
    side = rx * (py - point_y[best]) - ry * (px - point_x[best])
    s = point_s[best] + best_t * (point_s[best + 1] - point_s[best])
    distance = math.sqrt(best_square)
    return s, (distance if side >= 0.0 else -distance), best, distance


@kernel
def segment_at(s, point_s, first, last):
    """Index of the segment of polyline [first, last) that holds arc length `s` (clamped to the ends), by bisection."""
    low, high = first, last - 2
    while low < high:
        middle = (low + high + 1) // 2
        if point_s[middle] <= s:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def point_on_polyline(s, d, point_x, point_y, point_s, first, last):
    """Pose at arc length `s` and left offset `d`: (x, y, heading). `s` beyond an end goes on straight."""
    i = segment_at(s, point_s, first, last)
    rx, ry = point_x[i + 1] - point_x[i], point_y[i + 1] - point_y[i]
    span = point_s[i + 1] - point_s[i]
    length = math.sqrt(rx * rx + ry * ry)
    if length <= 0.0 or span <= 0.0:
        return point_x[i], point_y[i], 0.0
    t = (s - point_s[i]) / span
    ux, uy = rx / length, ry / length
    return point_x[i] + t * rx - d * uy, point_y[i] + t * ry + d * ux, math.atan2(ry, rx)

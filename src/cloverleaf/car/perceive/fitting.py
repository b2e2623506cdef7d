"""Rectangles around clusters seen from one side: search over directions for the best L shape (compiled).

Zhang, Xu, Dong, Dolan 2017, "Efficient L-Shape Fitting for Vehicle Detection Using Laser Scanners", closeness criterion: of the directions
0 .. 90 degrees the one is taken whose rectangle has most points near its edges. What the sensor cannot see is then completed to a usual
size, away from the sensor.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

DIRECTIONS = 45
NEAREST = 0.03  # m, points nearer to an edge than this count alike


@kernel
def fit_rectangle(points, order, first, end, out):
    """Rectangle of points order[first:end]: out = (x, y, heading, length, width), heading along the longer side."""
    best, best_heading = -math.inf, 0.0
    for d in range(DIRECTIONS):
        heading = 0.5 * math.pi * d / DIRECTIONS
        c, s = math.cos(heading), math.sin(heading)
        low_u = low_v = math.inf
        high_u = high_v = -math.inf
        for k in range(first, end):
            u = points[order[k], 0] * c + points[order[k], 1] * s
            v = points[order[k], 1] * c - points[order[k], 0] * s
            low_u, high_u = min(low_u, u), max(high_u, u)
            low_v, high_v = min(low_v, v), max(high_v, v)
        worth = 0.0
        for k in range(first, end):
            u = points[order[k], 0] * c + points[order[k], 1] * s
            v = points[order[k], 1] * c - points[order[k], 0] * s
            near = min(min(u - low_u, high_u - u), min(v - low_v, high_v - v))
            worth += 1.0 / max(near, NEAREST)
        if worth > best:
            best, best_heading = worth, heading
            out[3], out[4] = high_u - low_u, high_v - low_v
            mu, mv = 0.5 * (low_u + high_u), 0.5 * (low_v + high_v)
            out[0], out[1] = mu * c - mv * s, mu * s + mv * c
    out[2] = best_heading
    if out[4] > out[3]:
        out[3], out[4] = out[4], out[3]
        out[2] = best_heading + 0.5 * math.pi if best_heading <= 0.0 else best_heading - 0.5 * math.pi


@kernel
def complete(out, length, width):
    """Grow a rectangle to at least length x width, keeping the sides that face the origin where they are."""
    c, s = math.cos(out[2]), math.sin(out[2])
    u, v = out[0] * c + out[1] * s, out[1] * c - out[0] * s
    if length > out[3]:
        u += math.copysign(0.5 * (length - out[3]), u)
        out[3] = length
    if width > out[4]:
        v += math.copysign(0.5 * (width - out[4]), v)
        out[4] = width
    out[0], out[1] = u * c - v * s, u * s + v * c

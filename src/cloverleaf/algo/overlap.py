"""How much two oriented boxes share: intersection and hull of rectangles, IoU and generalised IoU in three dimensions.

A rectangle is (x, y, heading, length, width). Callers pass scratch of shape (3, 16, 2), m: two polygons that swap roles and eight corners.
Generalised IoU: Rezatofighi et al. 2019, equation 3, with the hull of the footprints times the common height for the enclosing body.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.boxes import box_corner
from cloverleaf.algo.jit import kernel

SCRATCH_SHAPE = (3, 16, 2)


@kernel
def shared_area(ax, ay, ah, al, aw, bx, by, bh, bl, bw, scratch):
    """Area (m2) that rectangles a and b share: b is clipped by the four sides of a, in a's frame (Sutherland, Hodgman 1974)."""
    dx, dy = bx - ax, by - ay
    reach = 0.5 * (math.sqrt(al * al + aw * aw) + math.sqrt(bl * bl + bw * bw))
    if dx * dx + dy * dy >= reach * reach:
        return 0.0
    c, s = math.cos(ah), math.sin(ah)
    count = 4
    for i in range(4):
        scratch[0, i, 0], scratch[0, i, 1] = box_corner(i, dx * c + dy * s, dy * c - dx * s, bh - ah, bl, bw)
    now = 0
    for side in range(4):
        axis, sign = side >> 1, 1.0 - 2.0 * (side & 1)
        limit = 0.5 * (al if axis == 0 else aw)
        other, kept = 1 - now, 0
        for i in range(count):
            j = i + 1 if i + 1 < count else 0
            di = limit - sign * scratch[now, i, axis]
            dj = limit - sign * scratch[now, j, axis]
            if di >= 0.0:
                scratch[other, kept, 0], scratch[other, kept, 1] = scratch[now, i, 0], scratch[now, i, 1]
                kept += 1
            if (di > 0.0 and dj < 0.0) or (di < 0.0 and dj > 0.0):
                t = di / (di - dj)
                scratch[other, kept, 0] = scratch[now, i, 0] + t * (scratch[now, j, 0] - scratch[now, i, 0])
                scratch[other, kept, 1] = scratch[now, i, 1] + t * (scratch[now, j, 1] - scratch[now, i, 1])
                kept += 1
        now, count = other, kept
        if count < 3:
            return 0.0
    twice = 0.0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        twice += scratch[now, i, 0] * scratch[now, j, 1] - scratch[now, j, 0] * scratch[now, i, 1]
    return max(0.0, 0.5 * twice)


@kernel
def hull_area(ax, ay, ah, al, aw, bx, by, bh, bl, bw, scratch):
    """Area (m2) of the convex hull of two rectangles, by walking around it (Jarvis 1973)."""
    for i in range(4):
        scratch[2, i, 0], scratch[2, i, 1] = box_corner(i, 0.0, 0.0, ah, al, aw)
        scratch[2, i + 4, 0], scratch[2, i + 4, 1] = box_corner(i, bx - ax, by - ay, bh, bl, bw)
    first = 0
    for i in range(1, 8):
        if scratch[2, i, 0] < scratch[2, first, 0] or (
            scratch[2, i, 0] == scratch[2, first, 0] and scratch[2, i, 1] < scratch[2, first, 1]
        ):
            first = i
    twice, here = 0.0, first
    for _ in range(8):
        px, py = scratch[2, here, 0], scratch[2, here, 1]
        best, ex, ey = -1, 0.0, 0.0
        for i in range(8):
            qx, qy = scratch[2, i, 0] - px, scratch[2, i, 1] - py
            square = qx * qx + qy * qy
            if square < 1e-18:
                continue
            turn = ex * qy - ey * qx
            if best < 0 or turn < 0.0 or (turn == 0.0 and square > ex * ex + ey * ey):
                best, ex, ey = i, qx, qy
        if best < 0:
            break
        twice += px * (py + ey) - (px + ex) * py
        here = best
        if (
            abs(scratch[2, here, 0] - scratch[2, first, 0]) < 1e-9
            and abs(scratch[2, here, 1] - scratch[2, first, 1]) < 1e-9
        ):
            break
    return 0.5 * twice


@kernel
def box_iou(a, b, generalised, scratch):
    """IoU of two upright bodies, rows (x, y, z of the centre, heading, length, width, height); generalised: GIoU in (-1, 1]."""
    common = min(a[2] + 0.5 * a[6], b[2] + 0.5 * b[6]) - max(a[2] - 0.5 * a[6], b[2] - 0.5 * b[6])
    shared = 0.0
    if common > 0.0:
        shared = common * shared_area(a[0], a[1], a[3], a[4], a[5], b[0], b[1], b[3], b[4], b[5], scratch)
    union = a[4] * a[5] * a[6] + b[4] * b[5] * b[6] - shared
    iou = shared / union if union > 0.0 else 0.0
    if not generalised:
        return iou
    height = max(a[2] + 0.5 * a[6], b[2] + 0.5 * b[6]) - min(a[2] - 0.5 * a[6], b[2] - 0.5 * b[6])
    body = height * hull_area(a[0], a[1], a[3], a[4], a[5], b[0], b[1], b[3], b[4], b[5], scratch)
    return iou - (body - union) / body if body > 0.0 else iou


@kernel
def _iou_table(a, b, out, scratch):
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            out[i, j] = box_iou(a[i], b[j], False, scratch)


def iou_table(a, b):  # type: ignore[no-untyped-def]
    """IoU of every body of `a` (n, 7) with every body of `b` (m, 7), rows as in `box_iou`: shape (n, m)."""
    a, b = np.ascontiguousarray(a, np.float64), np.ascontiguousarray(b, np.float64)
    out = np.zeros((len(a), len(b)))
    _iou_table(a, b, out, np.zeros(SCRATCH_SHAPE))
    return out

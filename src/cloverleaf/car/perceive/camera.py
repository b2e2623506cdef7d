"""A pinhole camera found from objects whose bodies and image boxes are both known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64

USUAL_FOCUS = 700.0  # px
LEAST_PAIRS, MOST_PAIRS = 6, 300
NEAREST = 0.5  # m, corners nearer than this are projected from here


class Camera(NamedTuple):
    """Focal length, principal point and size of the image, px. Looks along x of a frame x forward, y left, z up."""

    focus: float
    centre_u: float
    centre_v: float
    width: float
    height: float

    def image_boxes(self, bodies: F64) -> F64:
        """Boxes x1 y1 x2 y2 (n, 4) px around bodies (n, 7: centre, heading, length, width, height), cut to the image."""
        return np.clip(project(bodies, self.focus, self.centre_u, self.centre_v), 0.0, [self.width, self.height] * 2)


def project(bodies: F64, focus: float, centre_u: float, centre_v: float) -> F64:
    """Boxes (n, 4) px around the eight projected corners of bodies (n, 7)."""
    x, y, z, heading, length, width, height = bodies.T[:, :, None]
    forward = np.array([1, 1, 1, 1, -1, -1, -1, -1]) * 0.5 * length
    left = np.array([1, 1, -1, -1, 1, 1, -1, -1]) * 0.5 * width
    c, s = np.cos(heading), np.sin(heading)
    depth = np.maximum(x + forward * c - left * s, NEAREST)
    u = centre_u - focus * (y + forward * s + left * c) / depth
    v = centre_v - focus * (z + np.array([1, -1] * 4) * 0.5 * height) / depth
    return np.stack([u.min(1), v.min(1), u.max(1), v.max(1)], axis=1)


def fit(bodies: F64, boxes: F64) -> Camera:
    """Least squares over focal length and principal point. The image is as large as the boxes reach.

    Boxes at the border are cut off and not used; with fewer than 6 others the usual focal length and the middle are taken.
    """
    from scipy.optimize import least_squares

    if not len(boxes):
        return Camera(USUAL_FOCUS, 0.0, 0.0, 0.0, 0.0)
    width, height = float(boxes[:, 2].max()), float(boxes[:, 3].max())
    start = [USUAL_FOCUS, 0.5 * width, 0.5 * height]
    inside = (boxes[:, 0] > 2) & (boxes[:, 1] > 2) & (boxes[:, 2] < width - 2) & (boxes[:, 3] < height - 2)
    rows = np.flatnonzero(inside & (bodies[:, 0] > 8.0))
    if len(rows) < LEAST_PAIRS:
        return Camera(start[0], start[1], start[2], width, height)
    rows = rows[:: max(1, len(rows) // MOST_PAIRS)]
    found = least_squares(lambda p: (project(bodies[rows], *p) - boxes[rows]).ravel(), start, loss="soft_l1").x
    return Camera(float(found[0]), float(found[1]), float(found[2]), width, height)

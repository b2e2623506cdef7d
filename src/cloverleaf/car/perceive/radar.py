"""Radar detections to objects: the own motion taken out, detections grouped in place and speed, a velocity fitted to each group.

Kellner, Barjenbruch, Klappstein, Dickmann, Dietmayer 2014, "Instantaneous Lateral Velocity Estimation of a Vehicle using Doppler Radar":
all points of a body that does not turn share (vx, vy), and each measures its projection on the line of sight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from cloverleaf.types.state import F64, I64

NEAR, ALIKE = 2.5, 1.5  # m and m/s: two detections nearer than both belong together
STANDING = 0.7  # m/s
LEAST_SPREAD = 0.05  # rad of azimuth from which a sideways speed can be told
PRIOR = 8.0  # m/s, of the sideways speed
NOISE = 0.15  # m/s, of a Doppler speed


class RadarObjects(NamedTuple):
    """Groups of detections in the sensor's frame (x forward, y left); m rows."""

    x: F64  # (m,) m, mean
    y: F64
    vx: F64  # (m,) m/s over ground; across the line of sight only as far as the azimuths tell
    vy: F64
    sideways_sigma: F64  # (m,) m/s, deviation of the speed across the line of sight
    points: I64  # (m,) detections in it
    moving: I64  # (m,) 1: not standing


def over_ground(x: F64, y: F64, doppler: F64, vx: float, vy: float, yaw_rate: float) -> F64:
    """Radial speed (n,) m/s over ground of detections at (x, y) m with measured radial speed `doppler` (away positive).

    vx, vy: speed of the sensor over ground in its own frame, m/s (its lever arm times the yaw rate included). A turn of the sensor about
    itself adds no radial speed, so `yaw_rate` only has to be finite.
    """
    distance = np.hypot(x, y)
    own = np.divide(x * vx + y * vy, distance, out=np.zeros_like(distance), where=distance > 0)
    return np.asarray(doppler + own if np.isfinite(yaw_rate) else np.full_like(doppler, np.nan))


def group(x: F64, y: F64, radial: F64) -> RadarObjects:
    """Objects of detections at (x, y) m with radial speeds over ground (m/s); those not finite are left out."""
    good = np.isfinite(x) & np.isfinite(y) & np.isfinite(radial)
    x, y, radial = x[good], y[good], radial[good]
    pairs = cKDTree(np.stack([x, y], 1)).query_pairs(NEAR, output_type="ndarray") if len(x) else np.zeros((0, 2), int)
    pairs = pairs[abs(radial[pairs[:, 0]] - radial[pairs[:, 1]]) < ALIKE]
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(x), len(x)))
    count, label = connected_components(graph, directed=False) if len(x) else (0, np.zeros(0, int))
    rows = []
    for k in range(count):
        mine = label == k
        angle = np.arctan2(y[mine], x[mine])
        middle = float(np.arctan2(y[mine].mean(), x[mine].mean()))
        # In axes along and across the line of sight of the middle, with a weak prior of no sideways speed.
        h = np.stack([np.cos(angle - middle), np.sin(angle - middle)], 1)
        information = h.T @ h / NOISE**2 + np.diag([1e-6, 1.0 / PRIOR**2])
        covariance = np.linalg.inv(information)
        along, across = covariance @ (h.T @ radial[mine]) / NOISE**2
        if np.ptp(angle) < LEAST_SPREAD:
            across = 0.0
        c, s = np.cos(middle), np.sin(middle)
        moving = abs(along) > STANDING or abs(across) > max(STANDING, 3.0 * np.sqrt(covariance[1, 1]))
        rows.append(
            (
                x[mine].mean(),
                y[mine].mean(),
                along * c - across * s,
                along * s + across * c,
                np.sqrt(covariance[1, 1]),
                mine.sum(),
                moving,
            )
        )
    table = np.array(rows, float).reshape(-1, 7)
    return RadarObjects._make([*table.T[:5], table[:, 5].astype(np.int64), table[:, 6].astype(np.int64)])

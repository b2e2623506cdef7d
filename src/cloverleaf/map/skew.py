"""How far equal positions on neighbouring lanes lie apart along the road, where a net draws the lanes of an edge unevenly."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import F64

TOLERATED = 1.0
"""m of shift that gaps have room for anyway."""


@kernel
def _skews(start, x, y, s, left, out):
    for lane in range(left.shape[0]):
        other = left[lane]
        if other < 0:
            continue
        worst = 0.0
        for i in range(start[lane], start[lane + 1]):
            best, at = 1e18, 0.0
            for j in range(start[other], start[other + 1] - 1):
                ux, uy = x[j + 1] - x[j], y[j + 1] - y[j]
                norm = ux * ux + uy * uy
                t = min(max(((x[i] - x[j]) * ux + (y[i] - y[j]) * uy) / norm, 0.0), 1.0) if norm > 0.0 else 0.0
                ex, ey = x[i] - x[j] - t * ux, y[i] - y[j] - t * uy
                if ex * ex + ey * ey < best:
                    best, at = ex * ex + ey * ey, s[j] + t * (s[j + 1] - s[j])
            worst = max(worst, abs(at - s[i]))
        out[lane] = max(out[lane], worst)
        out[other] = max(out[other], worst)


def lane_skews(graph: LaneGraph) -> F64:
    """Greatest shift (m) between equal positions on each lane and its neighbours, beyond what is tolerated; shape (L,)."""
    out = np.zeros(len(graph.lane_edge))
    normal = graph.edge_internal[graph.lane_edge] == 0
    left = np.where(normal, graph.lane_left, -1).astype(np.int32)
    _skews(graph.lane_point_start, graph.point_x, graph.point_y, graph.point_s, left, out)
    return np.maximum(0.0, out - TOLERATED)

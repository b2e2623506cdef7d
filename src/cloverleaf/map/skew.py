"""How far equal positions on neighbouring lanes lie apart along the road, where a net draws the lanes of an edge unevenly."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import F64
from cloverleaf.types.traffic import LANE_LEFT, LANE_LENGTH, LANE_SHIFT_BEGIN, LANE_SHIFT_END

TOLERATED = 1.0
"""m of shift that gaps have room for anyway."""


@kernel
def beside(start, x, y, s, other, px, py):
    """Arc length (m) of the place on `other` nearest to a point; its first and last segments go on straight."""
    best, at = 1e18, 0.0
    first, last = start[other], start[other + 1] - 2
    for j in range(first, last + 1):
        ux, uy = x[j + 1] - x[j], y[j + 1] - y[j]
        norm = ux * ux + uy * uy
        t = ((px - x[j]) * ux + (py - y[j]) * uy) / norm if norm > 0.0 else 0.0
        if j > first:
            t = max(t, 0.0)
        if j < last:
            t = min(t, 1.0)
        ex, ey = px - x[j] - t * ux, py - y[j] - t * uy
        if ex * ex + ey * ey < best:
            best, at = ex * ex + ey * ey, s[j] + t * (s[j + 1] - s[j])
    return at


@kernel
def _shifts(start, x, y, s, left, out):
    for lane in range(left.shape[0]):
        other = left[lane]
        if other < 0:
            continue
        first, last = start[lane], start[lane + 1] - 1
        begin = beside(start, x, y, s, other, x[first], y[first]) - s[first]
        end = beside(start, x, y, s, other, x[last], y[last]) - s[last]
        out[lane, 0], out[lane, 1] = begin, end
        rest = 0.0
        for i in range(first, last + 1):
            shift = beside(start, x, y, s, other, x[i], y[i]) - s[i]
            rest = max(rest, abs(shift - begin - (end - begin) * s[i] / s[last]))
        for i in range(start[other], start[other + 1]):
            at = beside(start, x, y, s, lane, x[i], y[i])
            if 0.0 <= at <= s[last]:
                rest = max(rest, abs(s[i] - at - begin - (end - begin) * at / s[last]))
        out[lane, 2] = max(out[lane, 2], rest)
        out[other, 2] = max(out[other, 2], rest)


def lane_shifts(graph: LaneGraph) -> F64:
    """Shift to the left neighbour at each lane's begin and end, and what a straight line between both leaves out; m, shape (L, 3).

    The shift is how much further on along the left lane the place beside lies, 0 without neighbour; what is left out counts on both
    sides, beyond what is tolerated.
    """
    out = np.zeros((len(graph.lane_edge), 3))
    normal = graph.edge_internal[graph.lane_edge] == 0
    left = np.where(normal, graph.lane_left, -1).astype(np.int32)
    _shifts(graph.lane_point_start, graph.point_x, graph.point_y, graph.point_s, left, out)
    out[:, 2] = np.maximum(0.0, out[:, 2] - TOLERATED)
    return out


@inlined
def shift_between(roads, lane, other, s):
    """How much further on (m) along the neighbour `other` the place beside `s` of `lane` lies; 0 where it is tolerated."""
    left = roads.lane_i[lane, LANE_LEFT] == other
    row = lane if left else other
    begin, end = roads.lane_f[row, LANE_SHIFT_BEGIN], roads.lane_f[row, LANE_SHIFT_END]
    shift = begin + (end - begin) * min(1.0, s / roads.lane_f[row, LANE_LENGTH])
    if -TOLERATED <= shift <= TOLERATED:
        return 0.0
    return shift if left else -shift

"""Which lane is a road user on: nearest lane segment of about the same heading, through a grid of cells."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph, LaneKind
from cloverleaf.types.state import I32, I64

CELL_M = 25.0
_REACH_M = 5.0


class LaneCells(NamedTuple):
    """Segments of lane centre lines by cell; cell c holds `segment[start[c]:start[c + 1]]` (index of the first point)."""

    origin_x: float
    origin_y: float
    columns: int
    rows: int
    start: I64  # (cells + 1,)
    segment: I32
    segment_lane: I32  # (points,) lane of the segment that begins at a point, -1 at a lane's last point


@kernel
def _count_cells(x, y, lane, origin_x, origin_y, columns, start, segment, write):
    """Cells that each segment's box (plus 5 m) touches: counts into `start[c + 1]`, or fills `segment` where `write`."""
    for p in range(len(lane)):
        if lane[p] < 0:
            continue
        low_i = int((min(x[p], x[p + 1]) - 5.0 - origin_x) / 25.0)
        high_i = int((max(x[p], x[p + 1]) + 5.0 - origin_x) / 25.0)
        low_j = int((min(y[p], y[p + 1]) - 5.0 - origin_y) / 25.0)
        high_j = int((max(y[p], y[p + 1]) + 5.0 - origin_y) / 25.0)
        for j in range(low_j, high_j + 1):
            for i in range(low_i, high_i + 1):
                c = j * columns + i
                if write != 0:
                    segment[start[c]] = p
                    start[c] += 1
                else:
                    start[c + 1] += 1


def lane_cells(graph: LaneGraph) -> LaneCells:
    """Index the lanes that vehicles drive on (normal and inside junctions)."""
    points = len(graph.point_x)
    lane_of = np.full(points, -1, np.int32)
    driven = np.isin(graph.lane_kind, [LaneKind.DRIVING, LaneKind.INTERNAL, LaneKind.BUS, LaneKind.BICYCLE])
    for lane in np.flatnonzero(driven):
        lane_of[graph.lane_point_start[lane] : graph.lane_point_start[lane + 1] - 1] = lane
    if not points:
        return LaneCells(0.0, 0.0, 1, 1, np.zeros(2, np.int64), np.zeros(0, np.int32), lane_of)
    origin_x, origin_y = float(graph.point_x.min()) - CELL_M, float(graph.point_y.min()) - CELL_M
    columns = int((graph.point_x.max() - origin_x) / CELL_M) + 2
    rows = int((graph.point_y.max() - origin_y) / CELL_M) + 2
    start = np.zeros(columns * rows + 1, np.int64)
    place = (np.float64(origin_x), np.float64(origin_y), np.int64(columns))
    nothing = np.zeros(0, np.int32)
    _count_cells(graph.point_x, graph.point_y, lane_of, *place, start, nothing, np.int64(0))
    np.cumsum(start, out=start)
    segment = np.zeros(int(start[-1]), np.int32)
    cursor = start.copy()
    _count_cells(graph.point_x, graph.point_y, lane_of, *place, cursor, segment, np.int64(1))
    return LaneCells(origin_x, origin_y, columns, rows, start, segment, lane_of)


@kernel
def match_lanes(cells: LaneCells, point_x, point_y, point_s, x, y, heading, length, lane, s):
    """Lane and arc length of the front bumper of road users at (x, y), shape (n,); lane -1 where none is near.

    A segment qualifies within 5 m and 60 degrees; the best has the smallest distance plus 3 m per radian of heading difference.
    """
    for i in range(len(x)):
        lane[i] = -1
        s[i] = 0.0
        c, r = int((x[i] - cells.origin_x) / 25.0), int((y[i] - cells.origin_y) / 25.0)
        if not (x[i] >= cells.origin_x and y[i] >= cells.origin_y and c < cells.columns and r < cells.rows):
            continue
        best = 1.0e9
        cell = r * cells.columns + c
        for q in range(cells.start[cell], cells.start[cell + 1]):
            p = cells.segment[q]
            ux, uy = point_x[p + 1] - point_x[p], point_y[p + 1] - point_y[p]
            size = math.sqrt(ux * ux + uy * uy)
            if size < 1e-9:
                continue
            ux, uy = ux / size, uy / size
            dx, dy = x[i] - point_x[p], y[i] - point_y[p]
            along = min(max(dx * ux + dy * uy, 0.0), size)
            gap = math.hypot(dx - along * ux, dy - along * uy)
            if gap > 5.0:
                continue
            cosine = ux * math.cos(heading[i]) + uy * math.sin(heading[i])
            if cosine < 0.5:
                continue
            score = gap + 3.0 * math.acos(min(cosine, 1.0))
            if score < best:
                best = score
                lane[i] = cells.segment_lane[p]
                s[i] = point_s[p] + along / size * (point_s[p + 1] - point_s[p]) + 0.5 * length[i]

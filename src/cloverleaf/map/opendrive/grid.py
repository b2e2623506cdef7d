"""A grid over the reference lines, so that the roads near a point are found at once."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.opendrive.geometry import last_at_or_before, piece_pose
from cloverleaf.map.opendrive.lanes import lane_extent, profile_at
from cloverleaf.map.opendrive.model import LaneGrid, OpenDriveMap, Piece

SPAN = 20.0  # m, longest span of a curved piece
LINE_SPAN = 60.0  # m, of a straight one
MARGIN = 2.0  # m beyond the outermost lane that still counts as near
CELLS = 400_000  # at most


@kernel
def road_sides(m, road, s, before):
    """Lateral positions of the right and left edge of the lanes at s; `before` 1: of the section that ends at s."""
    begin, end = m.road_section_start[road], m.road_section_start[road + 1]
    section = last_at_or_before(m.section_s, begin, end, s)
    if before == 1 and section > begin and m.section_s[section] >= s:
        section -= 1
    base, _ = profile_at(m, road, 2, s)
    left, right = 0.0, 0.0
    first, last = m.section_lane_start[section], m.section_lane_start[section + 1] - 1
    if m.lane_id[first] > 0:
        _, left, _, _ = lane_extent(m, road, first, s)
    if m.lane_id[last] < 0:
        _, right, _, _ = lane_extent(m, road, last, s)
    return base - right, base + left


@kernel
def fill_spans(m, grid):
    """Chord and reach of every span, from nine samples along it."""
    for i in range(len(grid.span_piece)):
        piece, road = grid.span_piece[i], grid.span_road[i]
        a, length = grid.span_s[i], grid.span_length[i]
        at = a - m.piece_s[piece]
        x0, y0, h0, _ = piece_pose(m, piece, at)
        x1, y1, _, _ = piece_pose(m, piece, at + length)
        dx, dy = x1 - x0, y1 - y0
        chord = math.sqrt(dx * dx + dy * dy)
        if chord > 1e-9:
            dx, dy = dx / chord, dy / chord
        else:
            dx, dy = math.cos(h0), math.sin(h0)
        reach = 0.0
        for k in range(9):
            step = length * k / 8.0
            x, y, h, _ = piece_pose(m, piece, at + step)
            for before in range(2):
                right, left = road_sides(m, road, min(a + step, m.road_length[road]), before)
                for t in (right, left):
                    px, py = x - t * math.sin(h) - x0, y + t * math.cos(h) - y0
                    along = min(max(px * dx + py * dy, 0.0), chord)
                    ex, ey = px - along * dx, py - along * dy
                    reach = max(reach, math.sqrt(ex * ex + ey * ey))
        grid.span_x[i] = x0
        grid.span_y[i] = y0
        grid.span_dx[i] = dx
        grid.span_dy[i] = dy
        grid.span_chord[i] = chord
        grid.span_reach[i] = reach + 2.0


@kernel
def chord_distance(grid, span, x, y):
    """Distance of a point from the chord of a span."""
    px, py = x - grid.span_x[span], y - grid.span_y[span]
    along = min(max(px * grid.span_dx[span] + py * grid.span_dy[span], 0.0), grid.span_chord[span])
    ex, ey = px - along * grid.span_dx[span], py - along * grid.span_dy[span]
    return math.sqrt(ex * ex + ey * ey)


@kernel
def fill_cells(grid, count, cells, store):
    """List spans per cell: first call (store 0) counts into `count`, second call writes into `cells` from `cell_start`."""
    nx, ny, size = grid.shape[0], grid.shape[1], grid.size[0]
    half = 0.5 * size * math.sqrt(2.0)
    for i in range(len(grid.span_piece)):
        r = grid.span_reach[i]
        x1 = grid.span_x[i] + grid.span_dx[i] * grid.span_chord[i]
        y1 = grid.span_y[i] + grid.span_dy[i] * grid.span_chord[i]
        c0 = max(int((min(grid.span_x[i], x1) - r - grid.origin[0]) / size), 0)
        c1 = min(int((max(grid.span_x[i], x1) + r - grid.origin[0]) / size), nx - 1)
        r0 = max(int((min(grid.span_y[i], y1) - r - grid.origin[1]) / size), 0)
        r1 = min(int((max(grid.span_y[i], y1) + r - grid.origin[1]) / size), ny - 1)
        for row in range(r0, r1 + 1):
            for col in range(c0, c1 + 1):
                x = grid.origin[0] + (col + 0.5) * size
                y = grid.origin[1] + (row + 0.5) * size
                if chord_distance(grid, i, x, y) <= r + half:
                    cell = row * nx + col
                    if store == 1:
                        cells[grid.cell_start[cell] + count[cell]] = i
                    count[cell] += 1


def build_grid(m: OpenDriveMap) -> LaneGrid:
    """Cut the pieces into spans and sort them into cells."""
    owner = np.repeat(np.arange(len(m.road_length), dtype=np.int32), np.diff(m.road_piece_start))
    longest = np.where(m.piece_kind == Piece.LINE, LINE_SPAN, SPAN)
    stop = np.append(m.piece_s[1:], 0.0)
    last = m.road_piece_start[1:] - 1
    stop[last] = m.road_length
    usable = np.maximum(stop - m.piece_s, 0.0)
    parts = np.maximum(np.ceil(usable / longest), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(parts), dtype=np.int32), parts)
    number = np.arange(len(piece)) - np.repeat(np.cumsum(parts) - parts, parts)
    length = (usable / parts)[piece]
    spans = len(piece)
    column = [np.zeros(spans) for _ in range(6)]
    empty = np.zeros(0, np.int64)
    grid = LaneGrid(
        piece, owner[piece], m.piece_s[piece] + number * length, length, *column,
        empty, np.zeros(0, np.int32), np.zeros(2), np.ones(2, np.int64), np.ones(1),
    )  # fmt: skip
    fill_spans(m, grid)
    reach = grid.span_reach
    ends = (grid.span_x + grid.span_dx * grid.span_chord, grid.span_y + grid.span_dy * grid.span_chord)
    low = np.array([(np.minimum(a, b) - reach).min() for a, b in zip((grid.span_x, grid.span_y), ends)])
    high = np.array([(np.maximum(a, b) + reach).max() for a, b in zip((grid.span_x, grid.span_y), ends)])
    extent = np.maximum(high - low, 1.0)
    size = max(10.0, math.sqrt(extent[0] * extent[1] / CELLS), extent.max() / 30_000)
    shape = np.ceil(extent / size).astype(np.int64)
    cells = int(shape[0] * shape[1])
    grid = grid._replace(origin=low, shape=shape, size=np.array([size]), cell_start=np.zeros(cells + 1, np.int64))
    count = np.zeros(cells, np.int64)
    fill_cells(grid, count, grid.cell_span, 0)
    start = np.concatenate(([0], np.cumsum(count))).astype(np.int64)
    grid = grid._replace(cell_start=start, cell_span=np.zeros(int(start[-1]), np.int32))
    fill_cells(grid, np.zeros(cells, np.int64), grid.cell_span, 1)
    return grid

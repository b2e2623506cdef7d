"""A grid over the reference lines, so that the roads near a point are found at once."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.opendrive.geometry import last_at_or_before, piece_pose
from cloverleaf.map.opendrive.lanes import lane_extent, profile_at
from cloverleaf.map.opendrive.model import Piece
from cloverleaf.map.opendrive.tables import (
    KIND,
    LANE_BEGIN,
    LANE_END,
    LANE_ID,
    PIECE_BEGIN,
    PIECE_END,
    SECTION_BEGIN,
    SECTION_END,
    SPAN_CHORD,
    SPAN_DX,
    SPAN_DY,
    SPAN_LEFT,
    SPAN_LENGTH,
    SPAN_PIECE,
    SPAN_REACH,
    SPAN_RIGHT,
    SPAN_ROAD,
    SPAN_S,
    SPAN_X,
    SPAN_Y,
    LaneGrid,
    MapTables,
)

SPAN = 20.0  # m, longest span of a curved piece
LINE_SPAN = 60.0  # m, of a straight one
CELL = 8.0  # m, smallest cell
CELLS = 400_000  # at most


@kernel
def road_sides(m, road, s, before):
    """Lateral positions of the right and left edge of the lanes at s; `before` 1: of the section that ends at s."""
    begin, end = m.road_i[road, SECTION_BEGIN], m.road_i[road, SECTION_END]
    section = last_at_or_before(m.section_s, begin, end, s)
    if before == 1 and section > begin and m.section_s[section] >= s:
        section -= 1
    base, _ = profile_at(m, road, 2, s)
    left, right = 0.0, 0.0
    first, last = m.section_i[section, LANE_BEGIN], m.section_i[section, LANE_END] - 1
    if m.lane_i[first, LANE_ID] > 0:
        _, left, _, _, _, _ = lane_extent(m, first, s)
    if m.lane_i[last, LANE_ID] < 0:
        _, right, _, _, _, _ = lane_extent(m, last, s)
    return base - right, base + left


@inlined
def chord_distance(grid, span, x, y):
    """Distance of a point from the chord of a span, and how far along the chord its foot lies (m, clamped)."""
    px, py = x - grid.span_f[span, SPAN_X], y - grid.span_f[span, SPAN_Y]
    along = px * grid.span_f[span, SPAN_DX] + py * grid.span_f[span, SPAN_DY]
    along = min(max(along, 0.0), grid.span_f[span, SPAN_CHORD])
    ex, ey = px - along * grid.span_f[span, SPAN_DX], py - along * grid.span_f[span, SPAN_DY]
    return math.sqrt(ex * ex + ey * ey), along


@kernel
def fill_spans(m, grid):
    """Chord, reach and lateral range of every span, from nine samples along it (plus margins of 1 m and 0.5 m)."""
    f = grid.span_f
    for i in range(len(f)):
        piece, road = grid.span_i[i, SPAN_PIECE], grid.span_i[i, SPAN_ROAD]
        a, length = f[i, SPAN_S], f[i, SPAN_LENGTH]
        at = a - m.piece_s[piece]
        x0, y0, h0, _ = piece_pose(m, piece, at)
        x1, y1, _, _ = piece_pose(m, piece, at + length)
        dx, dy = x1 - x0, y1 - y0
        chord = math.sqrt(dx * dx + dy * dy)
        if chord > 1e-9:
            dx, dy = dx / chord, dy / chord
        else:
            dx, dy = math.cos(h0), math.sin(h0)
        f[i, SPAN_X] = x0
        f[i, SPAN_Y] = y0
        f[i, SPAN_DX] = dx
        f[i, SPAN_DY] = dy
        f[i, SPAN_CHORD] = chord
        reach, most_right, most_left = 0.0, 1e18, -1e18
        for k in range(9):
            step = length * k / 8.0
            x, y, h, _ = piece_pose(m, piece, at + step)
            for before in range(2):
                right, left = road_sides(m, road, min(a + step, m.road_length[road]), before)
                most_right, most_left = min(most_right, right), max(most_left, left)
                for t in (right, left):
                    d, _ = chord_distance(grid, i, x - t * math.sin(h), y + t * math.cos(h))
                    reach = max(reach, d)
        f[i, SPAN_REACH] = reach + 1.0
        f[i, SPAN_RIGHT] = most_right - 0.5
        f[i, SPAN_LEFT] = most_left + 0.5


@kernel
def fill_cells(grid, count, cells, store):
    """List spans per cell: first call (store 0) counts into `count`, second call writes into `cells` from `cell_start`."""
    nx, ny, size = grid.shape[0], grid.shape[1], grid.frame[2]
    left, bottom = grid.frame[0], grid.frame[1]
    half = 0.5 * size * math.sqrt(2.0)
    f = grid.span_f
    for i in range(len(f)):
        r = f[i, SPAN_REACH]
        x0, y0 = f[i, SPAN_X], f[i, SPAN_Y]
        x1, y1 = x0 + f[i, SPAN_DX] * f[i, SPAN_CHORD], y0 + f[i, SPAN_DY] * f[i, SPAN_CHORD]
        c0 = max(int((min(x0, x1) - r - left) / size), 0)
        c1 = min(int((max(x0, x1) + r - left) / size), nx - 1)
        r0 = max(int((min(y0, y1) - r - bottom) / size), 0)
        r1 = min(int((max(y0, y1) + r - bottom) / size), ny - 1)
        for row in range(r0, r1 + 1):
            for col in range(c0, c1 + 1):
                d, _ = chord_distance(grid, i, left + (col + 0.5) * size, bottom + (row + 0.5) * size)
                if d <= r + half:
                    cell = row * nx + col
                    if store == 1:
                        cells[grid.cell_start[cell] + count[cell]] = i
                    count[cell] += 1


def build_grid(m: MapTables) -> LaneGrid:
    """Cut the pieces into spans and sort them into cells."""
    begin, end = m.road_i[:, PIECE_BEGIN], m.road_i[:, PIECE_END]
    owner = np.repeat(np.arange(len(m.road_length)), end - begin)
    longest = np.where(m.piece_i[:, KIND] == Piece.LINE, LINE_SPAN, SPAN)
    stop = np.append(m.piece_s[1:], 0.0)
    stop[end - 1] = m.road_length
    usable = np.maximum(stop - m.piece_s, 0.0)
    parts = np.maximum(np.ceil(usable / longest), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(parts)), parts)
    number = np.arange(len(piece)) - np.repeat(np.cumsum(parts) - parts, parts)
    f = np.zeros((len(piece), 10))
    f[:, SPAN_LENGTH] = (usable / parts)[piece]
    f[:, SPAN_S] = m.piece_s[piece] + number * f[:, SPAN_LENGTH]
    ids = np.column_stack((piece, owner[piece])).astype(np.int64)
    grid = LaneGrid(f, ids, np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(3), np.ones(2, np.int64))
    fill_spans(m, grid)
    a = f[:, [SPAN_X, SPAN_Y]]
    b = a + f[:, [SPAN_DX, SPAN_DY]] * f[:, [SPAN_CHORD]]
    reach = f[:, [SPAN_REACH]]
    low, high = (np.minimum(a, b) - reach).min(axis=0), (np.maximum(a, b) + reach).max(axis=0)
    extent = np.maximum(high - low, 1.0)
    size = max(CELL, math.sqrt(extent[0] * extent[1] / CELLS), extent.max() / 30_000)
    shape = np.ceil(extent / size).astype(np.int64)
    cells = int(shape[0] * shape[1])
    grid = grid._replace(frame=np.array([*low, size]), shape=shape, cell_start=np.zeros(cells + 1, np.int64))
    count = np.zeros(cells, np.int64)
    fill_cells(grid, count, grid.cell_span, 0)
    start = np.concatenate(([0], np.cumsum(count))).astype(np.int64)
    grid = grid._replace(cell_start=start, cell_span=np.zeros(int(start[-1]), np.int64))
    fill_cells(grid, np.zeros(cells, np.int64), grid.cell_span, 1)
    return grid

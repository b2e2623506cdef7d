"""What sensors' rays can meet: upright boxes - road users, buildings, walls, kerbs - with height, speed and how they reflect."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import F64, I64, Actors, Kind
from cloverleaf.world.sensing_sight import HEIGHT

# columns of a box table (n, BOX)
X, Y, COS, SIN, HALF_LENGTH, HALF_WIDTH, TOP, VX, VY, REFLECTANCE, RCS, KIND = range(12)
BOX = 12
REFLECTANCES = (0.0, 0.45, 0.5, 0.5, 0.3, 0.3, 0.3, 0.35, 0.45)  # by Kind, at 905 nm
RCS_DBSM = (0.0, 10.0, 22.0, 22.0, 0.0, -3.0, -3.0, -5.0, 12.0)  # dBsm by Kind, 77 GHz
BUILDING, KERB = (0.3, 15.0, 0.0), (0.25, -20.0, 0.0)  # reflectance, dBsm, kind
KERB_TOP, KERB_WIDTH = 0.12, 0.15  # m


class Surroundings(NamedTuple):
    """Everything around that stands still, sorted into square cells; a box stands in each cell that its circle touches."""

    box: F64  # (n, BOX)
    cell_start: I64  # (columns * rows + 1,)
    item: I64  # boxes by cell
    grid: F64  # (5,) x0, y0, cell m, columns, rows


def index_boxes(box: F64, cell: float = 30.0) -> Surroundings:
    """Surroundings of boxes (n, BOX)."""
    if not len(box):
        return Surroundings(
            np.zeros((0, BOX)), np.zeros(2, np.int64), np.zeros(0, np.int64), np.array([0.0, 0.0, cell, 1.0, 1.0])
        )
    reach = np.hypot(box[:, HALF_LENGTH], box[:, HALF_WIDTH])
    x0, y0 = float((box[:, X] - reach).min()), float((box[:, Y] - reach).min())
    columns = int((float((box[:, X] + reach).max()) - x0) / cell) + 1
    rows = int((float((box[:, Y] + reach).max()) - y0) / cell) + 1
    where: list[list[int]] = [[] for _ in range(columns * rows)]
    for k, (x, y, r) in enumerate(zip(box[:, X], box[:, Y], reach)):
        for row in range(int((y - r - y0) / cell), int((y + r - y0) / cell) + 1):
            for column in range(int((x - r - x0) / cell), int((x + r - x0) / cell) + 1):
                where[row * columns + column].append(k)
    start = np.concatenate(([0], np.cumsum([len(w) for w in where]))).astype(np.int64)
    items = np.array([k for w in where for k in w], np.int64)
    return Surroundings(np.ascontiguousarray(box), start, items, np.array([x0, y0, cell, columns, rows]))


def building_boxes(table: F64) -> F64:
    """Boxes (n, BOX) of buildings given as rows x, y, heading, length, width, height (m, rad)."""
    t = np.asarray(table, np.float64).reshape(-1, 6)
    out = np.zeros((len(t), BOX))
    out[:, X], out[:, Y], out[:, COS], out[:, SIN] = t[:, 0], t[:, 1], np.cos(t[:, 2]), np.sin(t[:, 2])
    out[:, HALF_LENGTH], out[:, HALF_WIDTH], out[:, TOP] = 0.5 * t[:, 3], 0.5 * t[:, 4], t[:, 5]
    out[:, REFLECTANCE], out[:, RCS], out[:, KIND] = BUILDING
    return out


def _along(graph: LaneGraph, lane: int, offset: float) -> F64:
    """Rows x0, y0, x1, y1 of a lane's line shifted `offset` m to the left."""
    a, b = int(graph.lane_point_start[lane]), int(graph.lane_point_start[lane + 1])
    heading = graph.point_heading[a:b]
    x, y = graph.point_x[a:b] - offset * np.sin(heading), graph.point_y[a:b] + offset * np.cos(heading)
    return np.column_stack((x[:-1], y[:-1], x[1:], y[1:]))


def _strips(lines: F64, width: float, top: float, surface: tuple[float, float, float]) -> F64:
    """Boxes along line pieces (n, 4)."""
    out = np.zeros((len(lines), BOX))
    d = lines[:, 2:] - lines[:, :2]
    length = np.maximum(np.hypot(*d.T), 1e-6)
    out[:, X], out[:, Y] = 0.5 * (lines[:, 0] + lines[:, 2]), 0.5 * (lines[:, 1] + lines[:, 3])
    out[:, COS], out[:, SIN] = d[:, 0] / length, d[:, 1] / length
    out[:, HALF_LENGTH], out[:, HALF_WIDTH], out[:, TOP] = 0.5 * length, 0.5 * width, top
    out[:, REFLECTANCE], out[:, RCS], out[:, KIND] = surface
    return out


def kerb_boxes(graph: LaneGraph) -> F64:
    """Kerbs at the right edge of the rightmost lane of each road outside junctions."""
    rows = [
        _along(graph, lane, -0.5 * float(graph.lane_width[lane]) - 0.5 * KERB_WIDTH)
        for lane in range(len(graph.lane_edge))
        if graph.lane_right[lane] < 0 and not graph.edge_internal[graph.lane_edge[lane]]
    ]
    return _strips(np.vstack([np.zeros((0, 4)), *rows]), KERB_WIDTH, KERB_TOP, KERB)


def street_front_boxes(
    graph: LaneGraph, setback: float = 8.0, height: float = 15.0, gap: float = 12.0, least: float = 15.0
) -> F64:
    """Buildings `setback` m beside each road, for maps that have none: one front per straight piece, `gap` m short of its ends.

    Fronts that would stand on a lane are left out.
    """
    rows = []
    for lane in range(len(graph.lane_edge)):
        if graph.lane_right[lane] >= 0 or graph.edge_internal[graph.lane_edge[lane]]:
            continue
        depth = 8.0
        for x0, y0, x1, y1 in _along(graph, lane, -0.5 * float(graph.lane_width[lane]) - setback - 0.5 * depth):
            length = math.hypot(x1 - x0, y1 - y0)
            if length - 2 * gap >= least:
                rows.append(
                    (0.5 * (x0 + x1), 0.5 * (y0 + y1), math.atan2(y1 - y0, x1 - x0), length - 2 * gap, depth, height)
                )
    table = np.array(rows).reshape(-1, 6)
    points = np.column_stack((graph.point_x, graph.point_y))
    free = []
    for k, (x, y, heading, length, width, _) in enumerate(table):
        d = points - (x, y)
        along, across = d @ (math.cos(heading), math.sin(heading)), d @ (-math.sin(heading), math.cos(heading))
        if not ((np.abs(along) < 0.5 * length + 4.0) & (np.abs(across) < 0.5 * width + 3.0)).any():
            free.append(k)
    return building_boxes(table[free])


def actor_boxes(actors: Actors, rows: I64) -> F64:
    """Boxes of road users in these rows of the state."""
    out = np.zeros((len(rows), BOX))
    kind = actors.kind[rows]
    out[:, X], out[:, Y] = actors.x[rows], actors.y[rows]
    out[:, COS], out[:, SIN] = np.cos(actors.heading[rows]), np.sin(actors.heading[rows])
    out[:, HALF_LENGTH], out[:, HALF_WIDTH] = 0.5 * actors.length[rows], 0.5 * actors.width[rows]
    out[:, VX], out[:, VY] = actors.speed[rows] * out[:, COS], actors.speed[rows] * out[:, SIN]
    out[:, TOP], out[:, REFLECTANCE] = np.array(HEIGHT)[kind], np.array(REFLECTANCES)[kind]
    out[:, RCS], out[:, KIND] = np.array(RCS_DBSM)[kind], kind
    return out


def around(surroundings: Surroundings, actors: Actors, own: int, x: float, y: float, reach: float) -> F64:
    """Boxes (n, BOX) within `reach` m of (x, y): road users but row `own`, then what stands still."""
    square = (actors.x - x) ** 2 + (actors.y - y) ** 2
    near = (actors.kind > Kind.NONE) & (square <= (reach + 10.0) ** 2)
    if own >= 0:
        near[own] = False
    g, cells = surroundings.grid, []
    for row in range(max(int((y - reach - g[1]) // g[2]), 0), min(int((y + reach - g[1]) // g[2]), int(g[4]) - 1) + 1):
        first = row * int(g[3]) + max(int((x - reach - g[0]) // g[2]), 0)
        last = row * int(g[3]) + min(int((x + reach - g[0]) // g[2]), int(g[3]) - 1)
        if last >= first:
            cells.append(surroundings.item[surroundings.cell_start[first] : surroundings.cell_start[last + 1]])
    still = np.unique(np.concatenate(cells)) if cells else np.zeros(0, np.int64)
    return np.vstack((actor_boxes(actors, np.flatnonzero(near)), surroundings.box[still]))

"""The car's own base map: the lane graph packed for its kernels, its routes resolved to lanes, and a grid to find lanes by place."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloverleaf.map.graph import LaneGraph, LaneKind, VehicleClass
from cloverleaf.map.paths import best_lanes
from cloverleaf.map.remembered import once_per_graph
from cloverleaf.map.road_tables import road_tables
from cloverleaf.types.demand import Routes
from cloverleaf.types.state import F64, I32, I64, U8
from cloverleaf.types.traffic import FOE_COLUMNS, LANE_COLUMNS, LINK_COLUMNS, LINK_VIA

CELL = 20.0  # m, side of a cell of the lane grid
DOT = 0.3  # m, below which an internal lane is no way to drive along

# columns of `Roadbook.point`
PX, PY, PS, PHEADING, PCOS, PSIN = range(6)


# columns of `Roadbook.lane_i` after those of types.traffic.Roads
LANE_LINKS, LANE_LINKS_END, LANE_POINTS, LANE_POINTS_END = range(LANE_COLUMNS, LANE_COLUMNS + 4)
# columns of `Roadbook.link_i` after those of types.traffic.Roads
SIGNAL, SIGNAL_PLACE = LINK_COLUMNS, LINK_COLUMNS + 1
FOE_TOGETHER = FOE_COLUMNS  # column of `Roadbook.foe_i` after those of types.traffic.Roads
EDGE, FIRST_ROW = 0, 1  # columns of `Roadbook.pos`
ROW_LINK, ROW_OFFSET = 0, 1  # columns of `Roadbook.row_i`
# columns of `Roadbook.walk`: m from the start of the link's path; ends of the crosswalk's middle line; its width
WALK_BEGIN, WALK_END, WALK_AX, WALK_AY, WALK_BX, WALK_BY, WALK_WIDTH = range(7)


class Roadbook(NamedTuple):
    """Static tables, few and wide; the columns of lanes, links and foes begin with those of types.traffic.Roads."""

    lane_f: F64  # (L, 6)
    lane_i: I32  # (L, LANE_COLUMNS + 4)
    link_f: F64  # (K, 4)
    link_i: I32  # (K, LINK_COLUMNS + 2) with signal group and position in its state string, -1 none
    foe_i: I32  # (F, FOE_COLUMNS + 1) with 1 if some phase shows both links green or no signal decides
    point: F64  # (P, 6) x, y, s, heading, cos, sin
    edge_lane: I64  # (E + 1,)
    cell_start: I64  # (cells + 1,)
    cell_lane: I32
    grid: F64  # (5,) low x, low y, cell, columns, rows
    pos_start: I64  # (routes + 1,)
    pos: I32  # (positions, 2) edge, row of its first lane
    row_i: I32  # (rows, 2) link of the best way on, lanes to change
    row_f: F64  # (rows,) length driveable without a lane change, m
    walk_start: I64  # (K + 1,)
    walk: F64  # (C, 7) crosswalks on the paths of links, by link


def _points(graph: LaneGraph) -> F64:
    out = np.empty((len(graph.point_x), 6))
    out[:, PX], out[:, PY], out[:, PS], out[:, PHEADING] = (
        graph.point_x,
        graph.point_y,
        graph.point_s,
        graph.point_heading,
    )
    out[:, PCOS], out[:, PSIN] = np.cos(graph.point_heading), np.sin(graph.point_heading)
    return out


def _together(graph: LaneGraph, own: I64) -> U8:
    """For each foe row: may both links have green at once? Links without a common signal group always may."""
    out = np.ones(len(graph.foe_link), np.uint8)
    green = np.isin(graph.phase_state, [ord(c) for c in "gGs"])
    other = graph.foe_link
    signals = graph.link_signal
    for group in range(len(graph.signal_links)):
        rows = np.flatnonzero((signals[own] == group) & (signals[other] == group))
        first, last = graph.signal_phase_start[group], graph.signal_phase_start[group + 1]
        width = int(graph.signal_links[group])
        if not len(rows) or first == last:
            continue
        states = np.stack([green[graph.phase_state_start[p] :][:width] for p in range(first, last)])
        a, b = graph.link_signal_index[own[rows]], graph.link_signal_index[other[rows]]
        out[rows] = (states[:, a] & states[:, b]).any(axis=0)
    return out


def _walks(graph: LaneGraph) -> tuple[I64, F64]:
    """The crosswalks that each link's path leads over."""
    order = np.argsort(graph.crossing_link, kind="stable")
    lane = graph.crossing_lane[order]
    a, b = graph.lane_point_start[lane], graph.lane_point_start[lane + 1] - 1
    table = np.column_stack(
        (
            graph.crossing_link_begin[order], graph.crossing_link_end[order], graph.point_x[a], graph.point_y[a], graph.point_x[b],
            graph.point_y[b], graph.lane_width[lane],
        )
    )  # fmt: skip
    start = np.searchsorted(graph.crossing_link[order], np.arange(len(graph.link_from) + 1)).astype(np.int64)
    return start, np.ascontiguousarray(table, np.float64)


@once_per_graph
def _grid(graph: LaneGraph) -> tuple[I64, I32, F64]:
    """Lanes for vehicles by the cells that their centre lines touch."""
    usable = np.isin(graph.lane_kind, [LaneKind.DRIVING, LaneKind.INTERNAL, LaneKind.BICYCLE, LaneKind.BUS])
    low_x, low_y = graph.point_x.min() - CELL, graph.point_y.min() - CELL
    columns = int((graph.point_x.max() - low_x) / CELL) + 2
    rows = int((graph.point_y.max() - low_y) / CELL) + 2
    pairs: set[tuple[int, int]] = set()
    for lane in np.flatnonzero(usable):
        a, b = graph.lane_point_start[lane], graph.lane_point_start[lane + 1]
        for k in range(a, b - 1):
            span = np.hypot(graph.point_x[k + 1] - graph.point_x[k], graph.point_y[k + 1] - graph.point_y[k])
            t = np.linspace(0.0, 1.0, int(span / 8.0) + 2)
            x = graph.point_x[k] + t * (graph.point_x[k + 1] - graph.point_x[k])
            y = graph.point_y[k] + t * (graph.point_y[k + 1] - graph.point_y[k])
            for shift_x, shift_y in ((0.0, 0.0), (4.0, 0.0), (-4.0, 0.0), (0.0, 4.0), (0.0, -4.0)):
                column = ((x + shift_x - low_x) / CELL).astype(int)
                row = ((y + shift_y - low_y) / CELL).astype(int)
                pairs.update(zip((row * columns + column).tolist(), [int(lane)] * len(t)))
    cells = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    start = np.searchsorted(cells[:, 0], np.arange(columns * rows + 1)).astype(np.int64)
    return start, cells[:, 1].astype(np.int32), np.array([low_x, low_y, CELL, columns, rows], np.float64)


def _routes(graph: LaneGraph, routes: Routes) -> tuple[I64, I32, I32, I32, F64, I32]:
    """Best lanes of every route: for passenger cars, or for the first class that can drive it."""
    start, edge = routes.start.astype(np.int64), routes.edge.astype(np.int32)
    count = len(start) - 1
    lanes = np.diff(graph.edge_lane_start)[edge] if len(edge) else np.zeros(0, np.int64)
    row = np.concatenate(([0], np.cumsum(lanes))).astype(np.int64)
    rows = int(row[-1])
    link, length, offset = np.full(rows, -1, np.int32), np.zeros(rows), np.zeros(rows, np.int32)
    broken = np.full(count, -1, np.int64)
    classes = np.full(count, int(VehicleClass.PASSENGER), np.int64)
    halt = np.full(len(edge), -1, np.int32)
    for other in (
        VehicleClass.BUS,
        VehicleClass.DELIVERY,
        VehicleClass.TRUCK,
        VehicleClass.EMERGENCY,
        VehicleClass.ALL,
    ):
        best_lanes(
            start, edge, row[:-1].astype(np.int32), halt, np.zeros(len(edge)), classes, graph.edge_lane_start,
            graph.lane_length, graph.lane_allow.astype(np.int64), graph.lane_link_start, graph.link_to,
            graph.lane_edge, link, length, offset, broken,
        )  # fmt: skip
        if not (broken >= 0).any():
            break
        classes[broken >= 0] = int(other)
    return start, edge, row[:-1].astype(np.int32), link, length, offset


def _dots(graph: LaneGraph) -> NDArray[np.bool_]:
    """Links whose only internal lane is a dot: netconvert writes some a centimetre long, in any direction, between lanes that meet."""
    via = graph.link_via
    lane = np.maximum(via, 0)
    a, b = graph.lane_point_start[lane], graph.lane_point_start[lane + 1] - 1
    drawn = np.hypot(graph.point_x[b] - graph.point_x[a], graph.point_y[b] - graph.point_y[a])
    first = np.minimum(graph.lane_link_start[lane], max(len(via) - 1, 0))
    return (via >= 0) & (graph.lane_length[lane] < DOT) & (drawn < DOT) & (via[first] < 0)


def build_roadbook(graph: LaneGraph, routes: Routes) -> Roadbook:
    """Pack `graph` and resolve `routes` (int edge sequences) for the kernels of the car."""
    roads = road_tables(graph)
    links = len(graph.link_from)
    own = np.repeat(np.arange(links), np.diff(graph.link_foe_start)).astype(np.int64)
    cell_start, cell_lane, grid = _grid(graph)
    pos_start, pos_edge, pos_row, row_link, row_length, row_offset = _routes(graph, routes)

    def table(*columns: NDArray[Any]) -> I32:
        return np.ascontiguousarray(np.column_stack(columns), dtype=np.int32)

    link_i = roads.link_i.copy()
    link_i[_dots(graph), LINK_VIA] = -1
    links_of, points_of = graph.lane_link_start, graph.lane_point_start
    return Roadbook(
        roads.lane_f,
        table(roads.lane_i, links_of[:-1], links_of[1:], points_of[:-1], points_of[1:]),
        roads.link_f,
        table(link_i, graph.link_signal, graph.link_signal_index),
        table(roads.foe_i, _together(graph, own)),
        _points(graph),
        graph.edge_lane_start.astype(np.int64),
        cell_start,
        cell_lane,
        grid,
        pos_start,
        table(pos_edge, pos_row),
        table(row_link, row_offset),
        row_length,
        *_walks(graph),
    )

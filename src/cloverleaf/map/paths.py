"""Routes resolved to lanes: for every lane of every edge of a route, how far it leads and by which link.

A driver on lane j of edge p looks up one row: `row_length` is the way to the point where a lane change becomes unavoidable,
`row_link` the link to take, `row_offset` how many lanes away the best lane is. Rows depend on the route, the vehicle class and the
lanes of scheduled halts, so trips that share these share a path.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import BaseMap, LaneGraph
from cloverleaf.types.demand import Demand
from cloverleaf.types.errors import DemandError
from cloverleaf.types.state import F64, I32, I64, U8
from cloverleaf.types.traffic import Paths

STUB = 30.0  # m
FAR = 3000.0  # m; beyond this a lane change can wait


@kernel
def _best_lanes(
    start, pos_edge, pos_row, pos_stop_lane, pos_stop_end, path_class, edge_lane_start, lane_length, lane_allow,
    lane_link_start, link_to, link_minor, lane_edge, row_link, row_length, row_offset, broken,
):  # fmt: skip
    for path in range(len(start) - 1):
        broken[path] = -1
        vclass = path_class[path]
        p = start[path + 1] - 1
        while p >= start[path]:
            edge = pos_edge[p]
            first = edge_lane_start[edge]
            lanes = edge_lane_start[edge + 1] - first
            row = pos_row[p]
            last = p + 1 == start[path + 1]
            best = -1.0
            leads = False
            for j in range(lanes):
                lane = first + j
                row_link[row + j] = -1
                row_length[row + j] = -1.0
                if (lane_allow[lane] & vclass) == 0:
                    continue
                length = lane_length[lane]
                if last:
                    row_length[row + j] = length
                    leads = True
                elif pos_stop_lane[p] >= 0:
                    onward = pos_row[p + 1] + j
                    if pos_stop_lane[p] == lane:
                        row_link[row + j] = row_link[onward]
                        row_length[row + j] = max(row_length[onward], length) + 1.0
                        leads = True
                    else:
                        row_length[row + j] = pos_stop_end[p]
                else:
                    next_edge = pos_edge[p + 1]
                    cand = -1.0
                    cand_offset = 0
                    for link in range(lane_link_start[lane], lane_link_start[lane + 1]):
                        to = link_to[link]
                        if lane_edge[to] != next_edge or (lane_allow[to] & vclass) == 0:
                            continue
                        at = pos_row[p + 1] + to - edge_lane_start[next_edge]
                        off = abs(row_offset[at])
                        if row_length[at] > cand + 1e-6 or (row_length[at] > cand - 1e-6 and off < cand_offset):
                            cand = row_length[at]
                            cand_offset = off
                            row_link[row + j] = link
                    if cand >= 0.0:
                        leads = True
                        length += cand
                    row_length[row + j] = min(length, FAR + lane_length[lane])
                best = max(best, row_length[row + j])
            if not leads:
                broken[path] = p
            for j in range(lanes):
                # a stub behind the junction is no place to change lanes: change before
                beyond = row_length[row + j] - lane_length[first + j]
                if row_link[row + j] >= 0 and beyond < STUB and row_length[row + j] < best - 0.01 and not last:
                    row_link[row + j] = -1
                    row_length[row + j] = lane_length[first + j]
            major = False
            for j in range(lanes):
                link = row_link[row + j]
                major = major or (link >= 0 and link_minor[link] == 0 and row_length[row + j] > best - 0.01)
            for j in range(lanes):
                link = row_link[row + j]
                if major and not last and link >= 0 and link_minor[link] > 0:
                    row_length[row + j] = min(row_length[row + j], lane_length[first + j])
            for j in range(lanes):
                row_offset[row + j] = 0
                if row_length[row + j] > best - 0.01:
                    continue
                for k in range(1, lanes):
                    if j - k >= 0 and row_length[row + j - k] > best - 0.01:
                        row_offset[row + j] = -k
                        break
                    if j + k < lanes and row_length[row + j + k] > best - 0.01:
                        row_offset[row + j] = k
                        break
            p -= 1


def best_lanes(
    start: I64, pos_edge: I32, pos_row: I32, pos_stop_lane: I32, pos_stop_end: F64, path_class: I64, edge_lane_start: I64,
    lane_length: F64, lane_allow: I64, lane_link_start: I64, link_to: I32, lane_edge: I32, row_link: I32, row_length: F64,
    row_offset: I32, broken: I64, link_minor: U8 | None = None,
) -> None:  # fmt: skip
    """Fill `row_*` backwards along each path; `broken[path]` becomes the first position that does not lead on, else -1.

    A position with `pos_stop_lane` >= 0 ends at a scheduled halt: its lane leads on to the next position (the same edge), the others end.
    Of lanes that lead equally far those whose link yields (`link_minor` (K,), see `minor_links`; None: no link does) count as ending:
    drivers merge before the junction, not at its yield line (so does SUMO's search for the best lanes).
    """
    minor = np.zeros(len(link_to), np.uint8) if link_minor is None else link_minor
    _best_lanes(
        start, pos_edge, pos_row, pos_stop_lane, pos_stop_end, path_class, edge_lane_start, lane_length, lane_allow,
        lane_link_start, link_to, minor, lane_edge, row_link, row_length, row_offset, broken,
    )  # fmt: skip


def minor_links(graph: LaneGraph) -> U8:
    """1 for links without a light that have to yield (lower-case states), shape (K,)."""
    return ((graph.link_state >= ord("a")) & (graph.link_signal < 0)).astype(np.uint8)


def _expand(
    graph: LaneGraph, edges: I32, halts: list[tuple[int, float]]
) -> tuple[list[int], list[int], list[float], list[int]]:
    """One path's positions: edges, with an extra position before each halt; returns edge, halt lane, halt end, route index."""
    rows: list[tuple[int, int, float, int]] = []
    queue = list(halts)
    for index, edge in enumerate(edges):
        while queue and int(graph.lane_edge[queue[0][0]]) == edge:
            lane, end = queue.pop(0)
            rows.append((int(edge), lane, end, index))
        rows.append((int(edge), -1, 0.0, index))
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows]


def build_paths(base_map: BaseMap, demand: Demand) -> Paths:
    """Resolve all routes of `demand`; raises DemandError where a route does not lead on for its vehicle class."""
    graph = base_map.graph
    trips, routes = demand.trips, demand.routes
    keys: dict[tuple[int, int, tuple[tuple[int, float], ...]], int] = {}
    trip_path = np.zeros(max(len(trips.depart), 1), np.int32)
    vclass = demand.types.vclass[trips.vtype].astype(np.int64)
    halts_per_trip = np.diff(trips.stop_start)
    pieces: list[tuple[list[int], list[int], list[float], list[int]]] = []
    classes: list[int] = []
    for trip in range(len(trips.depart)):
        a, b = trips.stop_start[trip], trips.stop_start[trip + 1]
        halts = (
            [(int(demand.stops.lane[k]), float(demand.stops.end_pos[k])) for k in range(a, b)]
            if halts_per_trip[trip]
            else []
        )
        route = int(trips.route[trip])
        key = (route, int(vclass[trip]), tuple(halts))
        if key not in keys:
            keys[key] = len(pieces)
            pieces.append(_expand(graph, routes.edge[routes.start[route] : routes.start[route + 1]], halts))
            classes.append(int(vclass[trip]))
        trip_path[trip] = keys[key]
    paths, broken = _resolve(graph, pieces, classes, trip_path)
    bad = np.nonzero(broken >= 0)[0]
    if len(bad):
        trip = int(np.nonzero(trip_path == bad[0])[0][0])
        edge = base_map.edge_ids[paths.pos_edge[broken[bad[0]]]]
        raise DemandError(
            f"trip '{demand.trip_ids[trip]}' cannot continue its route after edge '{edge}'",
            element=demand.trip_ids[trip],
            hint="connect the edges for this vehicle class, or route the trip again",
        )
    return paths


def _resolve(
    graph: LaneGraph,
    pieces: list[tuple[list[int], list[int], list[float], list[int]]],
    classes: list[int],
    trip_path: I32,
) -> tuple[Paths, I64]:
    start = np.concatenate(([0], np.cumsum([len(p[0]) for p in pieces]))).astype(np.int64)
    total = int(start[-1])

    def flat(column: int, kind: type) -> np.ndarray:
        return np.fromiter((v for piece in pieces for v in piece[column]), kind, total)

    edge: I32 = flat(0, np.int32)
    stop_lane: I32 = flat(1, np.int32)
    stop_end: F64 = flat(2, np.float64)
    index: I32 = flat(3, np.int32)
    lanes = np.diff(graph.edge_lane_start)[edge]
    row = np.concatenate(([0], np.cumsum(lanes))).astype(np.int64)
    last: U8 = np.zeros(total, np.uint8)
    last[start[1:] - 1] = 1
    rows = int(row[-1])
    row_link = np.full(rows, -1, np.int32)
    row_length = np.zeros(rows)
    row_offset = np.zeros(rows, np.int32)
    broken = np.full(len(pieces), -1, np.int64)
    best_lanes(
        start, edge, row[:-1].astype(np.int32), stop_lane, stop_end, np.array(classes, np.int64), graph.edge_lane_start,
        graph.lane_length, graph.lane_allow.astype(np.int64), graph.lane_link_start, graph.link_to, graph.lane_edge,
        row_link, row_length, row_offset, broken, minor_links(graph),
    )  # fmt: skip
    paths = Paths(start, edge, row[:-1].astype(np.int32), last, index, row_link, row_length, row_offset, trip_path)
    return paths, broken

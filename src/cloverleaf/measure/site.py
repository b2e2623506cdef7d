"""What the observers need of map and demand, repacked once per run into the arrays that their kernels read."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneGraph, LaneKind
from cloverleaf.types.demand import Demand
from cloverleaf.types.state import F64, I32, I64, U8


class Site(NamedTuple):
    """Lanes (L), links (K), conflict areas (A, sorted by lane), crosswalk areas (X, sorted by lane) and trips (T)."""

    lane_length: F64  # m
    lane_speed: F64  # m/s
    lane_slope: F64  # rad, uphill positive
    lane_edge: I32
    lane_inside: U8  # 1 within a junction
    lane_box: U8  # 1: standing here blocks the junction box
    lane_approach: U8  # 1: the edge leads to a junction where somebody may have to wait
    lane_link: I32  # the link that an internal lane serves, -1
    lane_next: I32  # the lane after an internal lane, -1
    lane_link_start: I64  # (L + 1,)
    link_to: I32
    link_via: I32
    link_head: I32  # signal head, -1 none
    area_start: I64  # (L + 1,)
    area_begin: F64  # m on the lane
    area_end: F64
    area_other: I32  # the area of the crossing path, -1 none
    walk_start: I64  # (L + 1,)
    walk_begin: F64  # m on the lane at which the crosswalk begins
    walk_lane: I32  # the crossing lane
    route_start: I64
    route_edge: I32
    trip_depart: F64  # s
    trip_emission: I32
    trip_max_speed: F64  # m/s
    trip_persons: F64
    trip_free: F64  # s that the planned route takes at the limit


def build_site(graph: LaneGraph, demand: Demand) -> Site:
    """Repack `graph` and `demand` for the observers."""
    lanes = len(graph.lane_length)
    inside = (graph.lane_kind == LaneKind.INTERNAL).astype(np.uint8)
    groups = np.zeros(len(graph.signal_links) + 1, np.int64)
    np.cumsum(graph.signal_links, out=groups[1:])
    signal = graph.link_signal
    head = np.where(signal >= 0, groups[np.maximum(signal, 0)] + graph.link_signal_index, -1).astype(np.int32)
    areas = _areas(graph, lanes)
    walks = _crosswalks(graph, lanes)
    types, trips = demand.types, demand.trips
    top = types.max_speed[trips.vtype] if len(trips.vtype) else np.zeros(0)
    return Site(
        graph.lane_length,
        graph.lane_speed,
        _slope(graph, lanes),
        graph.lane_edge,
        inside,
        _box(graph, inside),
        _approach(graph, inside),
        graph.lane_internal_link,
        _lane_next(graph, lanes, inside),
        graph.lane_link_start,
        graph.link_to,
        graph.link_via,
        head,
        *areas,
        *walks,
        demand.routes.start,
        demand.routes.edge,
        trips.depart,
        types.emission[trips.vtype].astype(np.int32),
        top,
        types.persons[trips.vtype].astype(np.float64),
        _free_times(graph, demand, top),
    )


def _slope(graph: LaneGraph, lanes: int) -> F64:
    first, last = graph.lane_point_start[:-1], graph.lane_point_start[1:] - 1
    if lanes == 0:
        return np.zeros(0)
    rise = graph.point_z[last] - graph.point_z[first]
    return np.arctan2(rise, np.maximum(graph.lane_length, 0.1))


def _lane_next(graph: LaneGraph, lanes: int, inside: U8) -> I32:
    """The way out of an internal lane is unique: its first link, through the next internal lane if there is one."""
    out = np.full(lanes, -1, np.int32)
    for lane in np.flatnonzero(inside):
        k = graph.lane_link_start[lane]
        if k < graph.lane_link_start[lane + 1]:
            out[lane] = graph.link_via[k] if graph.link_via[k] >= 0 else graph.link_to[k]
    return out


def _box(graph: LaneGraph, inside: U8) -> U8:
    """Internal lanes to be kept clear; the first lane of a link with a waiting place inside is not one of them."""
    box = np.zeros(len(inside), np.uint8)
    for lane in np.flatnonzero(inside):
        k = graph.lane_internal_link[lane]
        waits = k >= 0 and graph.link_cont[k] and graph.link_via[k] == lane
        box[lane] = 1 if k >= 0 and graph.link_keep_clear[k] and not waits else 0
    return box


def _approach(graph: LaneGraph, inside: U8) -> U8:
    """Lanes of edges from which at least one link is signalled or has to give way."""
    yields = np.zeros(len(graph.link_from), bool)
    if len(graph.foe_link):
        rows = np.repeat(np.arange(len(graph.link_from)), np.diff(graph.link_foe_start))
        np.logical_or.at(yields, rows, graph.foe_yield.astype(bool))
    edges = np.zeros(len(graph.edge_from), bool)
    waits = (yields | (graph.link_signal >= 0)) & ~inside[graph.link_from].astype(bool)
    edges[graph.lane_edge[graph.link_from[waits]]] = True
    return (edges[graph.lane_edge] & (inside == 0)).astype(np.uint8)


def _areas(graph: LaneGraph, lanes: int) -> tuple[I64, F64, F64, I32]:
    """Conflict areas by the internal lane that holds them, each knowing the area of its counterpart."""
    link = np.repeat(np.arange(len(graph.link_from)), np.diff(graph.link_foe_start)).astype(np.int64)
    rows = np.flatnonzero(graph.foe_own_lane >= 0)
    rows = rows[np.argsort(graph.foe_own_lane[rows], kind="stable")]
    where = {(int(link[r]), int(graph.foe_link[r])): a for a, r in enumerate(rows)}
    other = np.array([where.get((int(graph.foe_link[r]), int(link[r])), -1) for r in rows], np.int32)
    start = np.searchsorted(graph.foe_own_lane[rows], np.arange(lanes + 1)).astype(np.int64)
    return start, graph.foe_own_begin[rows], graph.foe_own_end[rows], other


def _crosswalks(graph: LaneGraph, lanes: int) -> tuple[I64, F64, I32]:
    """Where each internal lane meets crosswalks: the map gives metres along the whole path of a link."""
    found: list[tuple[int, float, int]] = []
    for c, k in enumerate(graph.crossing_link):
        lane, begin = int(graph.link_via[k]), float(graph.crossing_link_begin[c])
        while lane >= 0 and begin > graph.lane_length[lane]:
            begin -= float(graph.lane_length[lane])
            out = graph.lane_link_start[lane]
            lane = int(graph.link_via[out]) if out < graph.lane_link_start[lane + 1] else -1
        if lane >= 0:
            found.append((lane, begin, int(graph.crossing_lane[c])))
    found.sort()
    lane_of = np.array([f[0] for f in found], np.int64)
    start = np.searchsorted(lane_of, np.arange(lanes + 1)).astype(np.int64)
    return start, np.array([f[1] for f in found], np.float64), np.array([f[2] for f in found], np.int32)


def _free_times(graph: LaneGraph, demand: Demand, top: F64) -> F64:
    """Seconds that each trip's planned route takes at min(limit, own top speed), junctions included."""
    trips, routes = demand.trips, demand.routes
    first = graph.edge_lane_start[:-1]
    joins: dict[tuple[int, int], float] = {}
    for k in range(len(graph.link_from) - 1, -1, -1):
        key = int(graph.lane_edge[graph.link_from[k]]), int(graph.lane_edge[graph.link_to[k]])
        joins[key] = float(graph.link_length[k])
    pieces: dict[int, tuple[F64, F64]] = {}
    out = np.zeros(len(trips.depart))
    for t, r in enumerate(trips.route):
        if r not in pieces:
            edges = routes.edge[routes.start[r] : routes.start[r + 1]]
            lane = first[edges]
            extra = np.array([joins.get((int(a), int(b)), 0.0) for a, b in pairwise(edges)] + [0.0])
            pieces[r] = graph.lane_length[lane] + extra, graph.lane_speed[lane]
        length, limit = pieces[r]
        if len(length):
            speed = np.maximum(np.minimum(limit, top[t]), 0.1)
            arrival = trips.arrival_pos[t]
            spare = (length[-1] - arrival) / speed[-1] if arrival >= 0 else 0.0
            begin = max(trips.depart_pos[t], 0.0) / speed[0]
            out[t] = max(0.0, float((length / speed).sum()) - spare - begin)
    return out

"""Walks as polylines: sidewalks and crossings joined end to end, straight across walking areas.

People walk both ways on every lane, so the direction on each follows from where they come from. Walking areas may be outlines
(SUMO) or lines; either way they are crossed straight from the last footway to the next.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cloverleaf.algo.geometry import project_on_polyline
from cloverleaf.map.graph import LaneGraph, LaneKind
from cloverleaf.types.demand import Walks
from cloverleaf.types.state import F64, I32
from cloverleaf.types.walking import Walkways

HALF_STRIP = 1.75
"""m to either side of a vehicle's path that a person must not be in: half a car, half a person, 0.6 m between them."""


def _line(graph: LaneGraph, lane: int) -> F64:
    """(points, 2) centre line of a lane, m."""
    part = slice(int(graph.lane_point_start[lane]), int(graph.lane_point_start[lane + 1]))
    return np.column_stack([graph.point_x[part], graph.point_y[part]])


def _lengths(line: F64) -> F64:
    """Arc length at each point, m."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def _cut(line: F64, begin: float, end: float) -> F64:
    """The part of `line` between two shares of its length, reversed if begin > end."""
    low, high = sorted((begin, end))
    s = _lengths(line)
    low, high = low * s[-1], high * s[-1]
    inner = line[(s > low + 1e-6) & (s < high - 1e-6)]
    ends = np.array([[np.interp(v, s, line[:, k]) for k in (0, 1)] for v in (low, high)])
    part = np.vstack([ends[:1], inner, ends[1:]])
    return part if begin <= end else part[::-1]


def _directions(lines: list[F64], depart: float, arrival: float) -> list[bool]:
    """For each footway of a walk: True if walked in the direction of its line."""
    if len(lines) == 1:
        return [depart <= arrival]

    def gap(p: F64, line: F64) -> float:
        return float(min(np.hypot(*(p - line[0])), np.hypot(*(p - line[-1]))))

    forward = [gap(lines[0][-1], lines[1]) <= gap(lines[0][0], lines[1])]
    for before, line in pairwise(lines):
        here = before[-1] if forward[-1] else before[0]
        forward.append(bool(np.hypot(*(here - line[0])) <= np.hypot(*(here - line[-1]))))
    return forward


def _one_walk(
    graph: LaneGraph, path: I32, depart: float, arrival: float
) -> tuple[F64, list[int], list[tuple[int, int, int, bool]]]:
    """Points of one walk, the lane of each point, and its crossings (lane, first point, last point, forward)."""
    lanes = [int(lane) for lane in path if graph.lane_kind[lane] != LaneKind.WALKING_AREA]
    lines = [_line(graph, lane) for lane in lanes]
    share = [
        np.clip(pos / max(float(graph.lane_length[lane]), 1e-6), 0.0, 1.0)
        for pos, lane in ((depart, lanes[0]), (arrival, lanes[-1]))
    ]
    forward = _directions(lines, *share)
    points: list[F64] = []
    owner: list[int] = []
    crossings = []
    for k, (lane, line) in enumerate(zip(lanes, lines)):
        begin, end = (0.0, 1.0) if forward[k] else (1.0, 0.0)
        if k == 0:
            begin = share[0]
        if k == len(lanes) - 1:
            end = share[1]
        part = _cut(line, begin, end)
        if graph.lane_kind[lane] == LaneKind.CROSSING:
            first = len(owner)
            crossings.append((lane, first, first + len(part) - 1, forward[k]))
        points.append(part)
        owner += [lane] * len(part)
    return np.vstack(points), owner, crossings


def _link_point(graph: LaneGraph, link: int, s: float) -> tuple[float, float]:
    """Point on the path of `link` inside its junction, `s` m from its start."""
    lane = int(graph.link_via[link])
    while lane >= 0:
        length = float(graph.lane_length[lane])
        onward = range(int(graph.lane_link_start[lane]), int(graph.lane_link_start[lane + 1]))
        inner = next((int(graph.link_via[k]) for k in onward if graph.link_via[k] >= 0), -1)
        if s <= length or inner < 0:
            line = _line(graph, lane)
            at = _lengths(line)
            share = min(max(s / max(length, 1e-6), 0.0), 1.0) * at[-1]
            return float(np.interp(share, at, line[:, 0])), float(np.interp(share, at, line[:, 1]))
        s, lane = s - length, inner
    line = _line(graph, int(graph.link_to[link]))
    return float(line[0, 0]), float(line[0, 1])


def _strips(graph: LaneGraph) -> tuple[F64, F64]:
    """Begin and end (m along the crossing lane) of what each link's vehicles sweep; shape (C,) each."""
    middle = np.zeros(len(graph.crossing_lane))
    for row, (lane, link) in enumerate(zip(graph.crossing_lane, graph.crossing_link)):
        at = 0.5 * (graph.crossing_link_begin[row] + graph.crossing_link_end[row])
        x, y = _link_point(graph, int(link), float(at))
        first, last = int(graph.lane_point_start[lane]), int(graph.lane_point_start[lane + 1])
        middle[row] = project_on_polyline(x, y, graph.point_x, graph.point_y, graph.point_s, first, last)[0]
    return middle - HALF_STRIP, middle + HALF_STRIP


def build_walkways(graph: LaneGraph, walks: Walks) -> Walkways:
    """Resolve all walks; a walk without any footway is an empty polyline at its first lane's start."""
    xs, ss, lanes, starts, cross_starts, cross = [], [], [], [0], [0], []
    for w in range(len(walks.depart)):
        path = walks.path_lane[walks.path_start[w] : walks.path_start[w + 1]]
        line, owner, crossings = _one_walk(graph, path, float(walks.depart_pos[w]), float(walks.arrival_pos[w]))
        s = _lengths(line)
        cross += [(lane, s[first], s[last], ahead) for lane, first, last, ahead in crossings]
        xs.append(line)
        ss.append(s)
        lanes += owner
        starts.append(starts[-1] + len(line))
        cross_starts.append(len(cross))
    order = np.argsort(graph.crossing_lane, kind="stable").astype(np.int32)
    row_start = np.zeros(len(graph.lane_edge) + 1, np.int64)
    np.add.at(row_start, graph.crossing_lane.astype(np.int64) + 1, 1)
    points = np.vstack(xs) if xs else np.zeros((0, 2))
    begin, end = _strips(graph)
    return Walkways(
        np.array(starts, np.int64), np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1]),
        np.concatenate(ss) if ss else np.zeros(0), np.array(lanes, np.int32),
        np.array(cross_starts, np.int64), np.array([c[0] for c in cross], np.int32),
        np.array([c[1] for c in cross], float), np.array([c[2] for c in cross], float),
        np.array([c[3] for c in cross], np.uint8),
        np.cumsum(row_start), order, begin, end,
    )  # fmt: skip

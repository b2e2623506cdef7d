"""Lanes that share room, against brute force on dense points; stop lines and skews that follow from the drawing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.map.clashes import CLEARANCE, CROSSING_CLEARANCE, find_clashes
from cloverleaf.map.district import load_district
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.road_tables import road_tables
from cloverleaf.map.skew import TOLERATED, lane_skews
from cloverleaf.types import traffic as T

PASUBIO = Path(__file__).parents[3] / "shared" / "nets" / "bologna_pasubio" / "pasubio_buslanes.net.xml.gz"


def _dense(graph: LaneGraph, lane: int, step: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) every `step` metres along a centre line, and their arc lengths."""
    rows = slice(graph.lane_point_start[lane], graph.lane_point_start[lane + 1])
    s = graph.point_s[rows]
    at = np.linspace(0.0, s[-1], max(2, math.ceil(s[-1] / step) + 1))
    return np.column_stack((np.interp(at, s, graph.point_x[rows]), np.interp(at, s, graph.point_y[rows]))), at


@pytest.fixture(scope="module", params=["district", "pasubio"])
def graph(request: pytest.FixtureRequest) -> LaneGraph:
    if request.param == "district":
        return load_district()[0].graph
    if not PASUBIO.is_file():
        pytest.skip("shared traffic nets are not beside the checkout")
    return read_sumo_net(PASUBIO).graph


def test_rows_equal_brute_force(graph: LaneGraph) -> None:
    clashes = find_clashes(graph)
    own = np.repeat(np.arange(len(graph.lane_edge)), np.diff(clashes.start))
    assert len(own) > 50
    for row in np.random.default_rng(1).choice(len(own), 50, replace=False):
        mine, at = _dense(graph, own[row])
        theirs, _ = _dense(graph, clashes.other[row])
        limit = CLEARANCE if clashes.along[row] else CROSSING_CLEARANCE
        near = at[np.hypot(*(mine[:, None] - theirs[None]).transpose(2, 0, 1)).min(1) <= limit]
        assert near.min() == pytest.approx(clashes.begin[row], abs=0.4)
        assert near.max() == pytest.approx(clashes.end[row], abs=0.4)


def test_every_row_has_its_counterpart(graph: LaneGraph) -> None:
    clashes = find_clashes(graph)
    own = np.repeat(np.arange(len(graph.lane_edge)), np.diff(clashes.start))
    rows = {(a, b): k for k, (a, b) in enumerate(zip(own.tolist(), clashes.other.tolist()))}
    for (a, b), k in rows.items():
        back = rows[b, a]
        assert clashes.along[k] == clashes.along[back]
        assert (clashes.begin[k], clashes.end[k]) == (clashes.other_begin[back], clashes.other_end[back])


def test_paths_that_part_share_their_beginning(graph: LaneGraph) -> None:
    clashes = find_clashes(graph)
    found = 0
    for a in np.flatnonzero(graph.link_via >= 0):
        for b in range(graph.lane_link_start[graph.link_from[a]], graph.lane_link_start[graph.link_from[a] + 1]):
            first, second = graph.link_via[a], graph.link_via[b]
            if second < 0 or first == second or graph.edge_internal[graph.lane_edge[graph.link_from[a]]]:
                continue
            span = slice(clashes.start[first], clashes.start[first + 1])
            row = np.flatnonzero(clashes.other[span] == second)
            assert len(row) == 1
            assert clashes.begin[span][row[0]] == pytest.approx(0.0, abs=0.01)
            found += 1
    assert found > 20


def test_who_waits_inside_a_junction_stands_clear_of_all_crossing_paths(graph: LaneGraph) -> None:
    roads, clashes = road_tables(graph), find_clashes(graph)
    inside = graph.edge_internal[graph.lane_edge[graph.link_from]] > 0
    waits = 0
    for link in np.flatnonzero(inside & (graph.link_via >= 0)):
        lane, entry = graph.link_from[link], roads.link_i[link, T.LINK_ENTRY]
        if entry < 0 or roads.link_i[entry, T.LINK_CONT] == 0:
            continue
        front = graph.lane_length[lane] - roads.link_f[link, T.LINK_LINE]
        span = slice(clashes.start[lane], clashes.start[lane + 1])
        for other, begin, end in zip(clashes.other[span], clashes.begin[span], clashes.end[span]):
            served = graph.lane_internal_link[other]
            source = graph.link_from[served] if served >= 0 else other
            if graph.lane_edge[source] != graph.lane_edge[graph.link_from[entry]]:
                assert end <= front - 5.0 or begin >= front
        waits += 1
    assert waits > 3


def test_skews_equal_brute_force(graph: LaneGraph) -> None:
    skew = lane_skews(graph)
    for lane in np.flatnonzero((graph.lane_left >= 0) & (graph.edge_internal[graph.lane_edge] == 0))[:60]:
        theirs, at = _dense(graph, graph.lane_left[lane])
        rows = slice(graph.lane_point_start[lane], graph.lane_point_start[lane + 1])
        mine = np.column_stack((graph.point_x[rows], graph.point_y[rows]))
        beside = at[np.hypot(*(mine[:, None] - theirs[None]).transpose(2, 0, 1)).argmin(1)]
        worst = np.abs(beside - graph.point_s[rows]).max() - TOLERATED
        assert skew[lane] >= worst - 0.2

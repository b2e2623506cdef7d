"""Lanes that share room, against brute force on dense points; stop lines and shifts that follow from the drawing."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from tests.naive.tiny_net import GOOD

from cloverleaf.map.clashes import CLEARANCE, CROSSING_CLEARANCE, Clashes, find_clashes
from cloverleaf.map.district import load_district
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.road_tables import road_tables
from cloverleaf.map.rooms import join_opposed
from cloverleaf.map.skew import TOLERATED, lane_shifts, shift_between
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


def test_who_waits_inside_a_junction_stands_clear_of_all_paths_that_it_waits_for(graph: LaneGraph) -> None:
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
        # and of those that end on the same lane
        body, at = _dense(graph, lane)
        body = body[(at <= front) & (at > front - 5.0)]
        for foe in range(roads.link_i[entry, T.LINK_FOES], roads.link_i[entry, T.LINK_FOES_END]):
            path, _ = _dense(graph, roads.foe_i[foe, T.FOE_LANE])
            assert np.hypot(*(body[:, None] - path[None]).transpose(2, 0, 1)).min() > CLEARANCE - 0.2
        waits += 1
    assert waits > 3


def _beside(points: np.ndarray, at: np.ndarray, xy: np.ndarray) -> float:
    """Arc length of the point of a dense line nearest to `xy`."""
    return float(at[np.hypot(*(points - xy).T).argmin()])


def test_shifts_equal_brute_force(graph: LaneGraph) -> None:
    roads, shifts = road_tables(graph), lane_shifts(graph)
    for lane in np.flatnonzero((graph.lane_left >= 0) & (graph.edge_internal[graph.lane_edge] == 0))[:60]:
        left = int(graph.lane_left[lane])
        mine, own_at = _dense(graph, lane)
        theirs, at = _dense(graph, left)
        for k in range(0, len(own_at), 25):
            there = _beside(theirs, at, mine[k])
            if not 0.0 < there < at[-1]:
                continue  # beside the straight continuation, which the dense line has not
            shift = shift_between(roads, lane, left, own_at[k])
            error = there - own_at[k] - shift
            assert abs(error) <= TOLERATED + shifts[lane, 2] + 0.3
            assert shift == -shift_between(roads, left, lane, own_at[k]) or shift == 0.0


UNEVEN = GOOD.replace(
    """<lane id="a_0" index="0" speed="10" length="98" shape="0,0 98,0"/>""",
    """<lane id="a_0" index="0" speed="10" length="98" shape="6,-3 98,-3"/>
<lane id="a_1" index="1" speed="10" length="98" shape="0,0 98,0"/>""",
)


def test_lanes_that_begin_apart_are_level_where_they_end(tmp_path: Path) -> None:
    (tmp_path / "uneven.net.xml").write_text(UNEVEN)
    base_map = read_sumo_net(tmp_path / "uneven.net.xml")
    right, left = base_map.lane_ids.index("a_0"), base_map.lane_ids.index("a_1")
    roads = road_tables(base_map.graph)
    for s in (0.0, 30.0, 60.0):
        shift = 6.0 * (1.0 - s / 98.0)
        assert shift_between(roads, right, left, s) == pytest.approx(shift, abs=0.01)
        assert shift_between(roads, left, right, s) == pytest.approx(-shift, abs=0.01)
    assert shift_between(roads, right, left, 96.0) == 0.0
    assert roads.lane_f[right, T.LANE_SKEW] == 0.0


def _rooms(early: float) -> Clashes:
    """Rooms of a straight path (lane 0) with the parts (lanes 1, 2) of a path that turns back; it meets the second part at `early` m."""
    graph = SimpleNamespace(
        lane_edge=np.arange(3), lane_length=np.array([20.0, 5.0, 6.0]), edge_internal=np.ones(3, np.uint8),
        link_from=np.array([1]), link_via=np.array([2]),
    )  # fmt: skip
    rows = [(1, 15.0, 17.0, 0.0, 2.0), (2, early, early + 2.0, 3.0, 4.0), (0, 0.0, 2.0, 15.0, 17.0),
            (0, 3.0, 4.0, early, early + 2.0)]  # fmt: skip
    other, begin, end, other_begin, other_end = (np.array(c) for c in zip(*rows))
    clashes = Clashes(
        np.array([0, 2, 3, 4]), other.astype(np.int32), np.zeros(4, np.int32), begin, end, other_begin, other_end
    )
    return join_opposed(cast(LaneGraph, graph), clashes)


def test_path_that_meets_the_second_part_of_another_first_shares_one_room_with_both() -> None:
    rooms = _rooms(early=10.0)
    assert rooms.begin.tolist() == [10.0, 10.0, 0.0, 0.0]
    assert rooms.end.tolist() == [17.0, 17.0, 5.0, 4.0]
    assert rooms.other_begin.tolist() == [0.0, 0.0, 10.0, 10.0]
    assert rooms.other_end.tolist() == [5.0, 4.0, 17.0, 17.0]


def test_path_that_meets_both_parts_in_their_order_leaves_one_room_after_the_other() -> None:
    rooms = _rooms(early=17.5)
    assert rooms.begin.tolist() == [15.0, 17.5, 0.0, 3.0]
    assert rooms.end.tolist() == [17.0, 19.5, 2.0, 4.0]


def test_joined_rooms_have_their_counterparts(graph: LaneGraph) -> None:
    rooms = join_opposed(graph, find_clashes(graph))
    own = np.repeat(np.arange(len(graph.lane_edge)), np.diff(rooms.start))
    rows = {(a, b): k for k, (a, b) in enumerate(zip(own.tolist(), rooms.other.tolist()))}
    for (a, b), k in rows.items():
        back = rows[b, a]
        assert (rooms.begin[k], rooms.end[k]) == (rooms.other_begin[back], rooms.other_end[back])

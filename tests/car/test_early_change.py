"""Lanes for an exit are taken before the edge on which the exit begins: the built-in district's motorway."""

import numpy as np
import pytest
from test_closed_loop import Toy

from cloverleaf.car.fleet import Fleet
from cloverleaf.car.plan import changes_later, wanted_side
from cloverleaf.car.state import LANE, LANE_S, POS, ROUTE, SPEED
from cloverleaf.map.district import load_district
from cloverleaf.types.demand import Routes


@pytest.fixture(scope="module")
def motorway():
    """Base map and a car on route X1 to the exit, with its memory row ready to be placed."""
    base_map, _ = load_district()
    edges = [base_map.edge_ids.index(e) for e in ("X1+0", "X1+1", "ramp-off+0")]
    fleet = Fleet(base_map, Routes(np.array([0, 3]), np.array(edges, np.int32)))
    f, i = fleet.memory.f[0], fleet.memory.i[0]
    i[ROUTE], i[POS], f[SPEED] = 0, 0, 22.0
    return base_map.graph, fleet, f, i, edges


def test_the_lane_nearer_to_the_exit_is_wanted_in_time(motorway):
    g, fleet, f, i, edges = motorway
    right, left = int(g.edge_lane_start[edges[0]]), int(g.edge_lane_start[edges[0]]) + 1
    assert changes_later(fleet.book, 0, 0, right) == -1 and changes_later(fleet.book, 0, 0, left) == -2
    i[LANE], f[LANE_S] = left, 200.0
    assert wanted_side(fleet.book, fleet.memory, 0, 10.0)[::2] == (-1, 1)
    i[LANE] = right  # one lane is all that can be won here
    assert wanted_side(fleet.book, fleet.memory, 0, 10.0)[0] == 0
    i[LANE], f[LANE_S] = left, 10.0  # far ahead nobody keeps to the right for an exit
    assert wanted_side(fleet.book, fleet.memory, 0, 10.0)[0] == 0


@pytest.mark.parametrize("start", [120.0, 140.0, 146.0, 150.0])
def test_two_lanes_are_changed_in_the_room_that_is_left(motorway, start):
    """Who has to stop at the end of the lane between, before its change onto it is quite over, goes on to the exit nevertheless."""
    g, _, _, _, edges = motorway
    base_map, _ = load_district()
    toy = Toy(["X1+1", "ramp-off+0"], start=start, speed=9.0, base_map=base_map, lane=2)
    for _ in range(450):
        toy.step()
        if toy.fleet.memory.i[0, LANE] == g.edge_lane_start[edges[2]]:
            break
    assert toy.fleet.memory.i[0, LANE] == g.edge_lane_start[edges[2]], "it stands on the motorway"


def test_who_goes_straight_on_keeps_the_lane(motorway):
    g, _, _, _, edges = motorway
    base_map, _ = load_district()
    straight = [*edges[:2], base_map.edge_ids.index("X2+0")]
    fleet = Fleet(base_map, Routes(np.array([0, 3]), np.array(straight, np.int32)))
    f, i = fleet.memory.f[0], fleet.memory.i[0]
    i[ROUTE], i[POS], f[SPEED], f[LANE_S] = 0, 0, 22.0, 300.0
    for lane in range(int(g.edge_lane_start[edges[0]]), int(g.edge_lane_start[edges[0] + 1])):
        i[LANE] = lane
        assert wanted_side(fleet.book, fleet.memory, 0, 10.0)[0] == 0

"""Lane changes and who is beside: none is begun before the car has looked, and one that was begun is given up."""

import numpy as np
import pytest
from test_closed_loop import NET, Toy

from cloverleaf.algo.boxes import boxes_overlap
from cloverleaf.car.state import SHIFT
from cloverleaf.map.io.sumo_net import read_sumo_net

pytestmark = pytest.mark.skipif(not NET.exists(), reason="the shared micro nets are not here")


@pytest.fixture
def toy():
    """Our car on the right one of its lanes; its route turns left from another."""
    base_map = read_sumo_net(NET.resolve())
    g = base_map.graph
    link = next(
        k for k in np.flatnonzero(g.link_direction == 1) if g.link_signal[k] >= 0 and g.lane_index[g.link_from[k]] > 0
    )
    edges = [base_map.edge_ids[g.lane_edge[g.link_from[link]]], base_map.edge_ids[g.lane_edge[g.link_to[link]]]]
    toy = Toy(edges, start=40.0, speed=10.0)
    toy.link, toy.light, toy.t = int(link), ord("G"), 100.0
    return toy


def beside(toy):
    """A car in the lane to our left, half a length behind, as fast as we are."""
    x, y, h = toy.ahead(-2.0, 0.5 * (toy.map.graph.lane_width[toy.lane] + toy.map.graph.lane_width[toy.lane + 1]))
    return np.array([[x, y, h, toy.actors.speed[0], 4.6, 1.8, 1.0]])


def drive_on(toy, ticks):
    """Least distance kept sideways from the middle of the first lane, and whether the cars ever touch."""
    a, touched, aside = toy.actors, False, 0.0
    for _ in range(ticks):
        toy.others[:, 3] = a.speed[0]  # it stays beside
        toy.step()
        o = toy.others[0]
        touched |= boxes_overlap(a.x[0], a.y[0], a.heading[0], 4.6, 1.8, o[0], o[1], o[2], 4.6, 1.8)
        x, y, h = toy.ahead(0.0)
        aside = max(aside, (a.y[0] - y) * np.cos(h) - (a.x[0] - x) * np.sin(h))
    return touched, aside


def test_no_change_before_the_car_has_looked(toy):
    toy.others = beside(toy)
    touched, aside = drive_on(toy, 40)
    assert not touched and aside < 0.4


def test_a_change_is_given_up_for_somebody_who_turns_up_beside(toy):
    for _ in range(60):
        toy.step()
        if toy.fleet.memory.f[0, SHIFT] != 0.0:
            break
    assert toy.fleet.memory.f[0, SHIFT] != 0.0  # it wants to the left
    for _ in range(5):
        toy.step()
    toy.others = beside(toy)
    touched, _ = drive_on(toy, 40)
    assert not touched

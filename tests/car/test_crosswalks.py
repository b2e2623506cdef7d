"""Crosswalks: whoever is on one is let pass, also where there would be time to drive through before."""

from pathlib import Path

import numpy as np
import pytest
import test_closed_loop
from test_closed_loop import Toy

from cloverleaf.car.crosswalks import has_to_cross

NET = Path(test_closed_loop.NET).parents[1] / "ped_crossing" / "ped_crossing.net.xml"
PERSON = 7


@pytest.mark.parametrize(
    ("u", "du", "arrival", "yields"),
    [
        (4.0, 1.3, 3.0, True),  # comes into our way in 2 s
        (11.0, -1.3, 3.0, True),  # from the other side
        (6.0, 1.3, 30.0, False),  # gone long before we come
        (9.0, 1.3, 3.0, False),  # has passed
        (4.0, -1.3, 3.0, False),  # walks away
        (5.5, 0.0, 3.0, True),  # stands beside our way
        (0.5, 0.0, 3.0, False),  # stands far from it
        (0.0, 0.4, 3.0, False),  # far away and slow
    ],
)
def test_who_has_yet_to_cross(u, du, arrival, yields):
    assert has_to_cross(u, du, 7.0, 1.4, arrival) == yields


@pytest.fixture
def toy(monkeypatch):
    """Our car 19 m before the crosswalk, at 8 m/s."""
    if not NET.exists():
        pytest.skip("the shared micro nets are not here")
    monkeypatch.setattr(test_closed_loop, "NET", NET)
    probe = test_closed_loop.read_sumo_net(NET.resolve())
    g = probe.graph
    row = 0
    link = int(g.crossing_link[row])
    lane = int(g.link_from[link])
    edges = [probe.edge_ids[g.lane_edge[lane]], probe.edge_ids[g.lane_edge[g.link_to[link]]]]
    begin = g.lane_length[lane] + g.crossing_link_begin[row]
    toy = Toy(edges)
    toy.lane, toy.row, toy.begin = lane, row, begin
    toy.actors.x[0], toy.actors.y[0], toy.actors.heading[0] = toy.place(lane, begin - 21.3)
    return toy


def on_walk(toy, u):
    """x, y, heading of a person `u` m along the crosswalk, and its length."""
    g = toy.map.graph
    a = g.lane_point_start[g.crossing_lane[toy.row]]
    ax, ay, bx, by = g.point_x[a], g.point_y[a], g.point_x[a + 1], g.point_y[a + 1]
    length = np.hypot(bx - ax, by - ay)
    return ax + (bx - ax) * u / length, ay + (by - ay) * u / length, np.arctan2(by - ay, bx - ax), length


def way_along(toy):
    """Where the car's lane crosses, m along the crosswalk."""
    g = toy.map.graph
    x, y, _ = toy.place(int(g.link_via[g.crossing_link[toy.row]]), float(g.crossing_link_begin[toy.row]) + 1.0)
    x0, y0, h, _ = on_walk(toy, 0.0)
    return (x - x0) * np.cos(h) + (y - y0) * np.sin(h)


def front(toy):
    """m that the car's front is before the crosswalk."""
    g = toy.map.graph
    lane = int(g.link_from[g.crossing_link[toy.row]])
    x, y, h = toy.place(lane, 0.0)
    along = (toy.actors.x[0] - x) * np.cos(h) + (toy.actors.y[0] - y) * np.sin(h)
    return toy.begin - along - 2.3


def test_the_car_waits_for_a_person_it_could_pass_before(toy):
    way, (_, _, _, length) = way_along(toy), on_walk(toy, 0.0)
    toward = 1.0 if way > 0.5 * length else -1.0
    start = 0.3 if toward > 0 else length - 0.3
    pace = abs(way - start) / 8.2  # in the middle of our way in 8 s: 19 m take 2.3 s
    x, y, h, _ = on_walk(toy, start)
    toy.others = np.array([[x, y, h if toward > 0 else h + np.pi, pace, 0.5, 0.5, PERSON]])
    for _ in range(50):
        toy.step()
    assert front(toy) > 0.3
    for _ in range(150):
        toy.step()
    assert front(toy) < -10.0  # and goes on afterwards


def test_nobody_on_the_crosswalk_nothing_to_wait_for(toy):
    x, y, h, _ = on_walk(toy, -1.5)
    toy.others = np.array([[x, y, h, 0.0, 0.5, 0.5, PERSON]])
    for _ in range(60):
        toy.step()
    assert front(toy) < -5.0 and toy.actors.speed[0] > 7.0

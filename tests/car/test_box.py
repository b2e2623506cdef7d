"""In the junction box: nobody stops where another has to drive to get out, and at a fork every way counts until one shows."""

import numpy as np
import pytest
from test_closed_loop import NET, Toy, first_link, straight

from cloverleaf.algo.boxes import boxes_overlap
from cloverleaf.car.forecast import Forecaster
from cloverleaf.map.io.sumo_net import read_sumo_net

pytestmark = pytest.mark.skipif(not NET.exists(), reason="the shared micro nets are not here")


@pytest.fixture
def toy():
    """Our car on the left one of its lanes, its front 0.3 m over the stop line."""
    edges = straight(read_sumo_net(NET.resolve()))
    toy = Toy(edges)
    toy.lane += 1
    toy.actors.x[0], toy.actors.y[0], toy.actors.heading[0] = toy.place(toy.lane, toy.map.graph.lane_length[toy.lane] - 2.0)
    toy.actors.speed[0] = 5.0
    toy.link = first_link(toy, edges)
    toy.light = ord("G")
    return toy


def pose(toy, lane, s):
    """x, y, heading at `s` m on a lane."""
    return np.array(toy.place(lane, s))


def oncoming_turner(toy):
    """Internal lanes of the left turner who comes the other way and crosses our lane, with their lengths."""
    g = toy.map.graph
    heading = toy.place(toy.lane, 60.0)[2]
    for k in np.flatnonzero((g.link_signal >= 0) & (g.link_direction == 1)):
        a = g.lane_point_start[g.link_from[k]]
        if np.cos(g.point_heading[a] - heading) < -0.9:
            inner = int(g.link_via[k])
            return inner, int(g.link_via[g.lane_link_start[inner]])
    raise AssertionError("no left turner comes the other way")


def rest_of_way(toy, outer, since):
    """Poses every half metre along the turner's way from `since` m on its outer lane to the end of it."""
    length = toy.map.graph.lane_length[outer]
    return [pose(toy, outer, s) for s in np.arange(since, length, 0.5)]


def apart(toy, x, y, h):
    """Whether a car there would not touch ours."""
    a = toy.actors
    return not boxes_overlap(a.x[0], a.y[0], a.heading[0], 4.6, 1.8, x, y, h, 4.5, 1.8)


@pytest.mark.parametrize("inside", [0.5, 1.0, 1.5])
def test_a_turner_who_stands_across_the_way_can_leave(toy, inside):
    _, outer = oncoming_turner(toy)
    x, y, h = pose(toy, outer, inside)
    toy.others = np.array([[x, y, h, 0.0, 4.5, 1.8, 1.0]])
    hardest = 0.0
    for _ in range(250):
        toy.step()
        hardest = min(hardest, toy.actors.accel[0])
    assert toy.actors.speed[0] < 0.05 and hardest > -5.0
    assert all(apart(toy, *p) for p in rest_of_way(toy, outer, inside))


def test_it_goes_on_once_the_turner_has_left(toy):
    _, outer = oncoming_turner(toy)
    x, y, h = pose(toy, outer, 1.5)
    toy.others = np.array([[x, y, h, 0.0, 4.5, 1.8, 1.0]])
    for _ in range(200):
        toy.step()
    way = rest_of_way(toy, outer, 1.5)
    for x, y, h in way:
        for _ in range(3):
            toy.others = np.array([[x, y, h, 1.6, 4.5, 1.8, 1.0]])
            toy.step()
        assert apart(toy, x, y, h)
    toy.others = np.zeros((0, 7))
    for _ in range(60):
        toy.step()
    assert toy.actors.speed[0] > 4.0


def test_at_a_fork_every_way_is_expected_until_one_shows(toy):
    """The oncoming car drives straight on: at first it could turn as well, in the middle no more."""
    inner, _ = oncoming_turner(toy)
    g = toy.map.graph
    before = g.link_from[np.flatnonzero(g.link_via == inner)[0]]
    links = range(g.lane_link_start[before], g.lane_link_start[before + 1])
    ahead = [int(g.link_via[k]) for k in links if g.link_direction[k] == 0]
    forecaster, modes = Forecaster(toy.fleet), []
    toy.actors.speed[0] = 0.0
    for s in np.arange(-4.0, 14.0, 0.6):
        x, y, h = pose(toy, before, g.lane_length[before] + s) if s < 0.0 else pose(toy, ahead[0], s)
        toy.others = np.array([[x, y, h, 6.0, 4.5, 1.8, 1.0]])
        toy.light = ord("r")
        toy.step()
        if s > 1.0:
            modes.append(len(forecaster.of(7).track))
    assert modes[0] >= 2 and modes[-1] == 1, modes

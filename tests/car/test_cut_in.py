"""Who changes lanes without turning - as lane-bound traffic does - is expected on the lane that he moves to."""

import numpy as np
import pytest
from test_closed_loop import NET, Toy, first_link, straight

from cloverleaf.car.forecast import Forecaster
from cloverleaf.map.io.sumo_net import read_sumo_net

pytestmark = pytest.mark.skipif(not NET.exists(), reason="the shared micro nets are not here")
DRIFT = 1.1  # m/s


class Sliding(Toy):
    """All others slide to the right at `drift` m/s."""

    drift = 0.0

    def frames(self):
        frames = super().frames()
        turn = self.others[:, 2] - self.actors.heading[0]
        o = frames.objects
        o.vx[:] += self.drift * np.sin(turn)
        o.vy[:] -= self.drift * np.cos(turn)
        return frames

    def step(self):
        super().step()
        self.others[:, 0] += self.drift * np.sin(self.others[:, 2]) * 0.1
        self.others[:, 1] -= self.drift * np.cos(self.others[:, 2]) * 0.1


def expected(drift):
    """m that the car ahead on the lane to the left is expected to be left of our lane's middle in 2 s, and its place now."""
    edges = straight(read_sumo_net(NET.resolve()))
    toy = Sliding(edges)
    toy.link, toy.light, toy.drift = first_link(toy, edges), ord("G"), drift
    apart = 0.5 * (toy.map.graph.lane_width[toy.lane] + toy.map.graph.lane_width[toy.lane + 1])
    x, y, h = toy.ahead(20.0, apart)
    toy.others = np.array([[x, y, h, 6.0, 4.5, 1.8, 1.0]])
    for _ in range(6):
        toy.step()
    path = Forecaster(toy.fleet).of(7).path[0]
    x, y, h = toy.ahead(0.0)
    left = (path[:, 1] - y) * np.cos(h) - (path[:, 0] - x) * np.sin(h)
    return left[8], left[0], apart


def test_a_sliding_car_is_expected_in_our_lane():
    later, now, apart = expected(DRIFT)
    assert now < apart - 0.2 and now - later > 1.0 and later < 1.6


def test_a_car_that_keeps_its_lane_is_expected_there():
    later, now, apart = expected(0.0)
    assert abs(now - apart) < 0.3 and abs(later - apart) < 0.3

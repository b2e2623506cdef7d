"""Who stands askew beside the lane and reaches into it stays there: a car waits, and does not expect him to slide out of its way."""

import math

import numpy as np
import pytest

from car.test_closed_loop import STEP, Toy
from cloverleaf.car.forecast import Forecaster
from cloverleaf.map.district import load_district

EDGES = ("X1+0", "X1+1", "X2+0")


def beside(d, turn, speed=0.0):
    """A car that stands on the right lane of the motorway, and somebody 14 m on, `d` m left of its lane's middle, turned by `turn`."""
    base_map, _ = load_district()
    toy = Toy(EDGES, start=60.0, speed=0.0, base_map=base_map)
    x, y, h = toy.ahead(14.0, d)
    toy.others = np.array([[x, y, h + turn, speed, 5.0, 1.8, 1.0]])
    return toy


def touching(toy):
    """Whether a corner of either box is inside the other."""
    a, o = toy.actors, toy.others[0]
    boxes = [(a.x[0], a.y[0], a.heading[0], 4.6, 1.8), (o[0], o[1], o[2], o[4], o[5])]
    for (x, y, h, length, width), (ox, oy, oh, ol, ow) in (boxes, boxes[::-1]):
        for u in (-0.5, 0.5):
            for v in (-0.5, 0.5):
                px = x + u * length * math.cos(h) - v * width * math.sin(h) - ox
                py = y + u * length * math.sin(h) + v * width * math.cos(h) - oy
                along, across = px * math.cos(oh) + py * math.sin(oh), py * math.cos(oh) - px * math.sin(oh)
                if abs(along) < 0.5 * ol and abs(across) < 0.5 * ow:
                    return True
    return False


@pytest.mark.parametrize("d, turn", [(2.0, -0.25), (2.15, -0.18), (1.9, 0.0), (2.1, 0.3)])
def test_the_car_stops_before_who_stands_in_part_of_its_way(d, turn):
    toy = beside(d, turn)
    for _ in range(250):
        toy.step()
        assert not touching(toy)


def test_who_stands_well_beside_the_lane_holds_nobody_up():
    toy = beside(3.4, -0.1)
    x, y = toy.actors.x[0], toy.actors.y[0]
    for _ in range(100):
        toy.step()
    assert math.hypot(toy.actors.x[0] - x, toy.actors.y[0] - y) > 40.0


@pytest.mark.parametrize("turn", [-0.25, 0.0, 0.2])
def test_a_standing_vehicle_is_predicted_as_it_stands(turn):
    toy = beside(2.2, turn)
    for _ in range(10):
        toy.step()
    forecast = Forecaster(toy.fleet).of(7)
    assert len(forecast.path) == 1 and STEP == 0.1
    path = forecast.path[0]
    assert np.ptp(path[:, 0]) < 0.05 and np.ptp(path[:, 1]) < 0.05, "it neither drives nor slides"

"""Free space, hiding places and radar groups on made-up scenes."""

import math

import numpy as np
import pytest

from cloverleaf.car.perceive import free_space as F
from cloverleaf.car.perceive.radar import group, over_ground


def scene():
    """Ground all around to 40 m, and a wall from (10, 2) to (10, 6) that hides what is behind."""
    a = np.repeat(np.linspace(-math.pi, math.pi, 2880, endpoint=False), 2)
    d = np.tile([20.0, 40.0], 2880)
    behind = (d * np.cos(a) > 10) & (np.abs(np.tan(a) - 0.4) < 0.2) & (np.cos(a) > 0)
    ground = np.stack([d * np.cos(a), d * np.sin(a)], 1)[~behind]
    wall = np.stack([np.full(400, 10.0), np.linspace(2, 6, 400)], 1)
    points = np.vstack([ground, wall])
    return points, np.r_[np.zeros(len(ground)), np.full(400, 1.0)]


def test_free_ranges_equal_a_look_at_every_direction():
    points, above = scene()
    free = F.free_ranges(points, above)
    angle = np.arctan2(points[:, 1], points[:, 0])
    number = np.minimum(((angle + math.pi) / (2 * math.pi) * F.DIRECTIONS).astype(int), F.DIRECTIONS - 1)
    for d in range(F.DIRECTIONS):
        distance = np.hypot(*points[number == d].T)
        high = above[number == d] > F.LOWEST
        expected = 0.0 if not len(distance) else distance[high].min() if high.any() else distance.max()
        assert free[d] == pytest.approx(expected)


def test_behind_the_wall_is_hidden_and_beside_it_is_not():
    free = F.free_ranges(*scene())
    assert F.hidden(free, 20.0, 8.0) and F.hidden(free, 0.0, 45.0)
    assert not F.hidden(free, 9.0, 3.0) and not F.hidden(free, 20.0, -8.0)


def test_hiding_places_beside_a_path():
    free = F.free_ranges(*scene())
    path = np.stack([np.linspace(1, 20, 20), np.zeros(20)], 1)
    away = F.nearest_hiding(free, path, 4.0)
    assert np.isinf(away[:7]).all()
    near = [
        min(
            (math.hypot(i, j) * 0.5 for i in range(-8, 9) for j in range(-8, 9)
             if math.hypot(i, j) * 0.5 <= 4 and F.hidden(free, x + 0.5 * i, y + 0.5 * j)),
            default=math.inf,
        )
        for x, y in path
    ]  # fmt: skip
    assert away == pytest.approx(np.array(near))
    assert away[10] < 4.0


def test_nothing_seen_is_not_free():
    free = F.free_ranges(np.zeros((0, 3)), np.zeros(0))
    assert (free == 0).all() and F.hidden(free, 3.0, 0.0)
    assert (F.free_ranges(np.array([[np.nan, 1.0, 0.0]]), np.array([np.nan])) == 0).all()


def detections(r, centre, velocity, count=40, size=(4.0, 1.8)):
    x = centre[0] + r.uniform(-0.5, 0.5, count) * size[0]
    y = centre[1] + r.uniform(-0.5, 0.5, count) * size[1]
    return x, y, (x * velocity[0] + y * velocity[1]) / np.hypot(x, y) + r.normal(0, 0.1, count)


def test_a_crossing_car_gets_its_sideways_speed():
    r = np.random.default_rng(0)
    car = detections(r, (8.0, 0.0), (0.0, 6.0))
    tree = detections(r, (25.0, 10.0), (0.0, 0.0), 10, (0.5, 0.5))
    x, y, radial = (np.r_[a, b] for a, b in zip(car, tree, strict=True))
    own = (12.0, 0.5)
    measured = radial - (x * own[0] + y * own[1]) / np.hypot(x, y)
    back = over_ground(x, y, measured, *own, 0.1)
    assert back == pytest.approx(radial)
    found = group(x, y, back)
    assert len(found.x) == 2 and sorted(found.points) == [10, 40]
    k = int(np.argmax(found.points))
    assert found.moving[k] == 1 and found.moving[1 - k] == 0
    assert found.vx[k] == pytest.approx(0.0, abs=0.5) and found.vy[k] == pytest.approx(6.0, abs=1.0)


def test_two_cars_at_one_place_with_different_speeds_are_two():
    r = np.random.default_rng(1)
    a, b = detections(r, (30.0, 0.0), (10.0, 0.0)), detections(r, (31.0, 2.0), (-10.0, 0.0))
    found = group(*(np.r_[p, q] for p, q in zip(a, b, strict=True)))
    assert len(found.x) == 2 and sorted(np.round(found.vx)) == [-10, 10]


def test_radar_bad_input():
    assert len(group(np.zeros(0), np.zeros(0), np.zeros(0)).x) == 0
    found = group(np.array([5.0, math.nan, 6.0]), np.zeros(3), np.array([1.0, 1.0, math.inf]))
    assert len(found.x) == 1 and found.points[0] == 1

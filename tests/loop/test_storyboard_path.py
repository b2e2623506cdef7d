"""Pieces of trajectories held against slow integration, and time stamps against their sums."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.loop.storyboard.state import PATH, PDK, PFIXED, PH, PK, PLEN, PS, PT, PX, PY
from cloverleaf.loop.storyboard.trajectory import (
    finish_pieces,
    nearest_on_path,
    point_on_path,
    s_at_time,
    spiral_point,
    time_pieces,
)


def naive_spiral(x, y, h, k, dk, u, steps=20_000):
    """Midpoint sums."""
    d = u / steps
    t = (np.arange(steps) + 0.5) * d
    angle = h + t * (k + 0.5 * dk * t)
    return x + d * np.cos(angle).sum(), y + d * np.sin(angle).sum(), h + u * (k + 0.5 * dk * u)


@given(st.floats(-3, 3), st.floats(-0.2, 0.2), st.floats(-0.01, 0.01), st.floats(0, 60))
def test_spiral(h, k, dk, u):
    assert spiral_point(1.0, -2.0, h, k, dk, u) == pytest.approx(naive_spiral(1.0, -2.0, h, k, dk, u), abs=1e-5)


def polyline(points, times=None):
    path = np.zeros((len(points), PATH))
    path[:, [PX, PY]] = points
    path[:, PFIXED] = math.nan
    path[:, PT] = math.nan if times is None else times
    finish_pieces(path, 0, len(points), 1)
    return path


def test_polyline_lengths_and_corners():
    path = polyline([(0, 0), (10, 0), (10, 10)])
    assert path[:, PS].tolist() == [0.0, 10.0, 20.0] and path[:, PLEN].tolist() == [10.0, 10.0, 0.0]
    assert path[:, PH].tolist() == pytest.approx([0.0, math.pi / 2, math.pi / 2])
    x, y, _, h, row = point_on_path(path, 0, 3, 5.0, 0, 0)
    assert (x, y, h, row) == (5.0, 0.0, 0.0, 0)
    assert point_on_path(path, 0, 3, 10.0, 0, 0)[3] == pytest.approx(math.pi / 4)  # half way round the corner
    assert point_on_path(path, 0, 3, 99.0, 0, 0)[:2] == (10.0, 10.0)


def test_time_stamps_at_constant_speed():
    path = polyline([(0, 0), (10, 0), (10, 30)], [0.0, 2.0, 4.0])
    time_pieces(path, 0, 3, 0, 99.0)
    assert [s_at_time(path, 0, 3, t) for t in (-1.0, 1.0, 2.0, 3.0, 4.0, 9.0)] == pytest.approx([0, 5, 10, 25, 40, 40])


def test_time_stamps_at_constant_acceleration():
    path = polyline([(0, 0), (20, 0), (25, 0), (30, 0)], [0.0, 2.0, 2.5, 3.5])
    time_pieces(path, 0, 4, 1, 10.0)
    assert [s_at_time(path, 0, 4, t) for t in (1.0, 2.0, 2.5)] == pytest.approx([10.0, 20.0, 25.0])
    # the last 5 m take 1 s from 10 m/s: braking to a standstill just there
    assert s_at_time(path, 0, 4, 3.0) == pytest.approx(25 + 10 * 0.5 - 0.5 * 10 * 0.25)


def test_nearest_point_of_a_bend():
    path = np.zeros((2, PATH))
    path[0, [PK, PLEN]] = 1 / 30, 60.0
    path[:, PFIXED] = math.nan
    path[1, PX], path[1, PY], path[1, PH] = spiral_point(0.0, 0.0, 0.0, 1 / 30, 0.0, 60.0)
    finish_pieces(path, 0, 2, 0)
    for s in (3.0, 17.0, 44.0):
        x, y, h = spiral_point(0.0, 0.0, 0.0, 1 / 30, 0.0, s)
        found, distance = nearest_on_path(path, 0, 2, x - 2.0 * math.sin(h), y + 2.0 * math.cos(h))
        assert found == pytest.approx(s, abs=1e-3) and distance == pytest.approx(2.0, abs=1e-6)
    assert path[0, PDK] == 0.0

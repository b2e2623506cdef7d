"""Planar geometry against numpy and shapely-free first principles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.algo import geometry as g

finite = st.floats(-1e4, 1e4)


@given(st.floats(-1e3, 1e3))
def test_wrapped_angle_is_the_same_direction(angle):
    wrapped = g.wrap_angle(angle)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)


def test_wrap_keeps_pi_positive():
    assert g.wrap_angle(math.pi) == math.pi
    assert g.wrap_angle(-math.pi) == math.pi
    assert g.wrap_angle(3 * math.pi) == pytest.approx(math.pi)


@given(finite, finite, finite, finite, st.floats(-7, 7))
def test_body_and_world_are_inverse(x, y, fx, fy, heading):
    forward, left = g.to_body(x, y, fx, fy, heading)
    back = g.to_world(forward, left, fx, fy, heading)
    assert back == pytest.approx((x, y), abs=1e-7)


def test_body_axes():
    assert g.to_body(1.0, 3.0, 1.0, 1.0, math.pi / 2) == pytest.approx((2.0, 0.0))
    assert g.to_body(0.0, 1.0, 1.0, 1.0, math.pi / 2) == pytest.approx((0.0, 1.0))


def test_segments_cross_where_the_linear_system_says():
    rng = np.random.default_rng(1)
    crossed = 0
    for _ in range(500):
        a, b, c, d = rng.uniform(-1, 1, (4, 2))
        t, u = np.linalg.solve(np.column_stack([b - a, c - d]), c - a)
        got = g.segment_intersection(*a, *b, *c, *d)
        if 0 <= t <= 1 and 0 <= u <= 1:
            crossed += 1
            assert got == pytest.approx((t, u), abs=1e-9)
        else:
            assert got == (-1.0, -1.0)
    assert crossed > 50
    assert g.segment_intersection(0.0, 0.0, 1.0, 0.0, 0.5, 0.0, 2.0, 0.0) == (-1.0, -1.0)


def polyline(rng, n=8):
    xy = np.cumsum(np.column_stack([rng.uniform(0.5, 5, n), rng.uniform(-2, 2, n)]), axis=0)
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]), s


def test_projection_is_the_nearest_point():
    rng = np.random.default_rng(2)
    for _ in range(60):
        x, y, s = polyline(rng)
        dense = np.linspace(0, s[-1], 20001)
        dx, dy = np.interp(dense, s, x), np.interp(dense, s, y)
        p = np.array([rng.uniform(x[0] - 3, x[-1] + 3), rng.uniform(-6, 6)])
        at, d, segment, distance = g.project_on_polyline(*p, x, y, s, 0, len(x))
        gaps = np.hypot(dx - p[0], dy - p[1])
        assert distance == pytest.approx(gaps.min(), abs=1e-3)
        assert abs(d) == distance and s[segment] - 1e-9 <= at <= s[segment + 1] + 1e-9
        foot = np.interp(at, s, x), np.interp(at, s, y)
        assert np.hypot(foot[0] - p[0], foot[1] - p[1]) == pytest.approx(distance, abs=1e-9)


def test_projection_undoes_the_point():
    rng = np.random.default_rng(3)
    x, y, s = polyline(rng, 30)
    for _ in range(200):
        i = rng.integers(0, len(x) - 1)
        at = s[i] + (s[i + 1] - s[i]) * rng.uniform(0.3, 0.7)
        d = rng.uniform(-0.1, 0.1)
        px, py, heading = g.point_on_polyline(at, d, x, y, s, 0, len(x))
        assert heading == pytest.approx(math.atan2(y[i + 1] - y[i], x[i + 1] - x[i]))
        assert g.project_on_polyline(px, py, x, y, s, 0, len(x))[:2] == pytest.approx((at, d), abs=1e-9)


def test_point_beyond_the_ends_goes_straight_on():
    x, y, s = np.array([0.0, 10.0, 10.0]), np.array([0.0, 0.0, 10.0]), np.array([0.0, 10.0, 20.0])
    assert g.point_on_polyline(-2.0, 1.0, x, y, s, 0, 3) == pytest.approx((-2.0, 1.0, 0.0))
    assert g.point_on_polyline(23.0, 1.0, x, y, s, 0, 3) == pytest.approx((9.0, 13.0, math.pi / 2))
    assert [g.segment_at(v, s, 0, 3) for v in (-1.0, 0.0, 9.9, 10.0, 99.0)] == [0, 0, 0, 1, 1]

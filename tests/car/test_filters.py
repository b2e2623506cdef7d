"""Scalar filters and the assignment against matrix algebra and sorting."""

import numpy as np
import pytest

from cloverleaf.algo import filters
from cloverleaf.algo.assignment import nearest_free
from cloverleaf.algo.control import lead, slew, steer_for, track_curvature
from naive import tracking


@pytest.mark.parametrize("seed", range(10))
def test_axis_filter_equals_matrices(seed):
    r = np.random.default_rng(seed)
    root = r.normal(size=(2, 2))
    p = root @ root.T + 0.1 * np.eye(2)
    args = (p[0, 0], p[0, 1], p[1, 1])
    expected = tracking.predict(p, 1.7, 0.1)
    assert filters.predict_axis(*args, 1.7, 0.1) == pytest.approx((expected[0, 0], expected[0, 1], expected[1, 1]))
    gain, after = tracking.update(p, 0.3)
    assert filters.position_gain(args[0], args[1], 0.3) == pytest.approx(gain)
    assert filters.after_position(*args, *gain) == pytest.approx((after[0, 0], after[0, 1], after[1, 1]))


@pytest.mark.parametrize("seed", range(10))
def test_intersection_has_the_least_trace(seed):
    r = np.random.default_rng(seed)
    a, b = r.normal(size=(2, 2, 2))
    p, q = a @ a.T + 0.05 * np.eye(2), b @ b.T + 0.05 * np.eye(2)
    covariance = tracking.intersection(p, q)
    args = (p[0, 0], p[0, 1], p[1, 1], q[0, 0], q[0, 1], q[1, 1])
    w = filters.intersection_weight(*args)
    cp, cv, cq = filters.intersect(*args, w)
    assert cp + cq <= np.trace(covariance) * (1 + 1e-5)
    assert (cp, cv, cq) == pytest.approx((covariance[0, 0], covariance[0, 1], covariance[1, 1]), rel=0.05, abs=0.01)
    assert filters.intersect(*args, 1.0) == pytest.approx(args[:3])


@pytest.mark.parametrize("seed", range(20))
def test_assignment_equals_sorting(seed):
    r = np.random.default_rng(seed)
    cost = r.uniform(0, 10, (7, 9))
    rows, columns = np.zeros(7, np.int64), np.zeros(9, np.int64)
    pairs = nearest_free(cost, 7, 9, 5.0, rows, columns)
    expected = tracking.greedy(cost, 5.0)
    assert {k: c for k, c in enumerate(rows.tolist()) if c >= 0} == expected and pairs == len(expected)
    assert all(columns[c] == k for k, c in enumerate(rows.tolist()) if c >= 0)


def test_curvature_feedback_settles_without_overshoot():
    """In way driven: e' = psi, psi' = kappa."""
    offset, course, lowest = 1.0, 0.0, 1.0
    for _ in range(4000):
        kappa = track_curvature(0.0, offset, course, 8.0)
        course += kappa * 0.02
        offset += course * 0.02
        lowest = min(lowest, offset)
    assert abs(offset) < 1e-3 and lowest > -0.01


def test_actuator_helpers():
    assert steer_for(0.1, 2.7, 0.6) == pytest.approx(np.arctan(0.27)) and steer_for(9.0, 2.7, 0.6) == 0.6
    assert lead(1.0, 0.5, 0.4, 1.0) == pytest.approx(1.2) and lead(1.0, -9.0, 0.4, 1.0) == 2.0
    assert slew(0.0, 1.0, 2.0, 3.0, 0.1) == pytest.approx(0.2) and slew(0.0, -1.0, 2.0, 3.0, 0.1) == pytest.approx(-0.3)

"""Motion models, box overlap and assignment against matrices, sampling and brute force."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from cloverleaf.algo import imm
from cloverleaf.algo.assignment_optimal import assign_least
from cloverleaf.algo.overlap import SCRATCH_SHAPE, hull_area, iou_table, shared_area
from naive import perceiving


def assign(cost, gate):
    rows, columns = cost.shape
    row_to, column_to = np.zeros(rows, np.int64), np.zeros(columns, np.int64)
    total = rows + columns + 1
    pairs = assign_least(
        cost, rows, columns, gate, row_to, column_to, np.zeros((3, total)), np.zeros((3, total), np.int64)
    )
    assert pairs == (row_to >= 0).sum() == (column_to >= 0).sum()
    assert all(column_to[c] == r for r, c in enumerate(row_to) if c >= 0)
    return row_to


@pytest.mark.parametrize("seed", range(30))
def test_assignment_is_the_cheapest_of_all(seed):
    r = np.random.default_rng(seed)
    cost = r.uniform(0, 10, (r.integers(1, 5), r.integers(1, 5)))
    cost[r.random(cost.shape) < 0.2] = np.inf
    got = assign(cost, 6.0)
    value = sum(6.0 if c < 0 else cost[k, c] for k, c in enumerate(got))
    assert value == pytest.approx(perceiving.best_assignment(cost, 6.0))


def test_large_assignment_equals_scipy():
    r = np.random.default_rng(1)
    cost = r.uniform(0, 1, (60, 80))
    got = assign(cost, 2.0)
    rows, columns = linear_sum_assignment(cost)
    assert cost[np.arange(60), got].sum() == pytest.approx(cost[rows, columns].sum())
    assert (assign(np.full((3, 2), np.nan), 1.0) == -1).all()


@pytest.mark.parametrize("seed", range(20))
def test_shared_and_hull_area(seed):
    r = np.random.default_rng(seed)
    a = (*r.uniform(-1, 1, 2), r.uniform(-3, 3), *r.uniform(0.5, 4, 2))
    b = (*r.uniform(-1, 1, 2), r.uniform(-3, 3), *r.uniform(0.5, 4, 2))
    scratch = np.zeros(SCRATCH_SHAPE)
    assert shared_area(*a, *b, scratch) == pytest.approx(perceiving.shared_area(a, b), abs=0.05)
    assert shared_area(*a, *b, scratch) == pytest.approx(shared_area(*b, *a, scratch), abs=1e-9)
    assert hull_area(*a, *b, scratch) == pytest.approx(perceiving.hull_area(a, b))


def test_equal_touching_and_distant_boxes():
    scratch = np.zeros(SCRATCH_SHAPE)
    box = (3.0, 2.0, 0.7, 4.0, 2.0)
    assert shared_area(*box, *box, scratch) == pytest.approx(8.0)
    assert hull_area(*box, *box, scratch) == pytest.approx(8.0)
    assert shared_area(0, 0, 0, 4, 2, 4, 0, 0, 4, 2, scratch) == pytest.approx(0.0)
    assert hull_area(0, 0, 0, 4, 2, 4, 0, 0, 4, 2, scratch) == pytest.approx(16.0)
    a = np.array([[0, 0, 0, 0, 4, 2, 1.0]])
    b = np.array([[0, 0, 0.5, 0, 4, 2, 1.0], [0, 0, 2, 0, 4, 2, 1], [50, 0, 0, 0, 4, 2, 1]])
    assert iou_table(a, b) == pytest.approx(np.array([[1 / 3, 0, 0]]))


def some_state(seed):
    r = np.random.default_rng(seed)
    mean = r.normal(size=(2, 6)) * [5, 5, 8, 8, 1, 0.2]
    root = r.normal(size=(2, 6, 6))
    cov = root @ root.transpose(0, 2, 1) + 0.2 * np.eye(6)
    share = np.array([0.3, 0.7])
    return mean, cov, share


NOISE = np.array([2.0, 1.0, 1.5, 0.4, 2.0, 0.3, 0.9])


@pytest.mark.parametrize("seed", range(10))
def test_models_equal_matrices(seed):
    mean, cov, share = some_state(seed)
    expected = perceiving.imm_predict(mean, cov, share, 0.1, NOISE)
    imm.predict(mean, cov, share, 0.1, NOISE, np.zeros((2, 6)), np.zeros((2, 6, 6)))
    assert mean == pytest.approx(expected[0])
    assert cov == pytest.approx(expected[1], rel=1e-5, abs=1e-5)
    assert share == pytest.approx(expected[2])
    z = mean[0, :2] + [0.5, -0.3]
    expected = perceiving.imm_update(mean, cov, share, z, [0.3, 0.3])
    imm.update(mean, cov, share, *z, 0.3, np.zeros(6))
    assert mean == pytest.approx(expected[0]) and share == pytest.approx(expected[2])
    assert cov == pytest.approx(expected[1], abs=1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_measured_velocity_equals_matrices(seed):
    mean, cov, share = some_state(seed)
    z = mean[1, :4] + [0.2, -0.4, 0.3, 0.1]
    expected = perceiving.imm_update(mean, cov, share, z, [0.3, 0.3, 0.1, 0.1])
    imm.update_moving(mean, cov, share, *z, 0.3, 0.1, np.zeros(6))
    assert mean == pytest.approx(expected[0]) and share == pytest.approx(expected[2])
    assert cov == pytest.approx(expected[1], abs=1e-8)


@pytest.mark.parametrize("w", [0.1, 0.5, 0.9])
def test_intersection_equals_information_matrices(w):
    mean, cov, _share = some_state(3)
    z = mean[0, :4] + [1.0, -0.4, 0.3, 0.1]
    expected = perceiving.imm_intersect(mean, cov, z, [0.4, 0.4, 0.25, 0.25], w)
    imm.intersect(mean, cov, *z, 0.4, 0.25, w, np.zeros(6))
    assert mean == pytest.approx(expected[0]) and cov == pytest.approx(expected[1], abs=1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_carried_ahead_as_the_turning_model_does(seed):
    mean, _cov, share = some_state(seed)
    expected = perceiving.motion(True, share @ mean, 0.3)
    assert imm.combined_ahead(mean, share, 0.3) == pytest.approx(tuple(expected))


def test_a_standing_object_stays():
    mean, cov, share = np.zeros((2, 6)), np.stack([np.eye(6)] * 2), np.array([0.5, 0.5])
    imm.predict(mean, cov, share, 0.1, NOISE, np.zeros((2, 6)), np.zeros((2, 6, 6)))
    assert not mean.any() and np.linalg.eigvalsh(cov[1]).min() > 0

"""The stage-wise solver against dense algebra and a general solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from cloverleaf.algo.stage_qp import empty_stage_qp, shift, solve
from naive import perceiving


def problem(seed, stages=10, n=4, p=3):
    r = np.random.default_rng(seed)
    w = empty_stage_qp(stages, n, 2, p)
    for k in range(stages):
        w.a[k] = np.eye(n) + 0.1 * r.normal(size=(n, n))
        w.b[k], w.c[k] = r.normal(size=(n, 2)), 0.1 * r.normal(size=n)
        root = r.normal(size=(n, n))
        w.q[k], w.lin[k], w.rows[k] = root @ root.T + 0.1 * np.eye(n), r.normal(size=n), r.normal(size=(p, n))
    w.r[...] = [[0.5, 0.1], [0.1, 0.8]]
    x0 = r.normal(size=n)
    w.x[0] = x0
    return w, x0


@pytest.mark.parametrize("seed", range(5))
def test_without_bounds_equals_a_linear_system(seed):
    w, x0 = problem(seed)
    h, f, *_ = perceiving.condensed(w, x0)
    solve(w, np.zeros((10, 4)), 1, 1e-9, False)
    assert w.u.ravel() == pytest.approx(-np.linalg.solve(h, f))
    assert w.x[3] == pytest.approx(w.a[2] @ w.x[2] + w.b[2] @ w.u[2] + w.c[2])


@pytest.mark.parametrize("seed", range(5))
def test_with_bounds_equals_a_general_solver(seed):
    w, x0 = problem(seed)
    w.low[...], w.high[...], w.u_low[...], w.u_high[...] = -2.5, 2.5, -0.7, 0.7
    w.low[0], w.high[0] = -np.inf, np.inf
    w.rho[...] = 5.0
    h, f, a, low, high = perceiving.condensed(w, x0)
    done, worst = solve(w, np.zeros((10, 4)), 20000, 1e-8, True)
    rows = np.isfinite(low)
    a, low, high = a[rows], low[rows], high[rows]
    best = minimize(
        lambda u: 0.5 * u @ h @ u + f @ u, w.u.ravel() * 0.9, jac=lambda u: h @ u + f, method="SLSQP",
        constraints={"type": "ineq", "fun": lambda u: np.r_[a @ u - low, high - a @ u], "jac": lambda u: np.vstack([a, -a])},
        options={"maxiter": 500, "ftol": 1e-13},
    )  # fmt: skip
    if not best.success:
        assert worst > 1e-3, "no solution exists, and the solver must say so"
        return
    assert worst < 1e-6 and done > 1
    assert w.u.ravel() == pytest.approx(best.x, abs=1e-4)


def test_shift_moves_the_start_ahead():
    w, _ = problem(0)
    w.z[...] = np.arange(10)[:, None]
    shift(w)
    assert w.z[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9]

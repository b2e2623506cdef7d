"""Prediction metrics against loops that follow the definitions word for word."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.measure.prediction import calibration_error, score_predictions


def naive(modes, probability, truth, k):
    sums = {"ade1": 0.0, "fde1": 0.0, "miss1": 0, "adek": 0.0, "fdek": 0.0, "missk": 0, "brier": 0.0}
    for case in range(len(truth)):
        ranked = sorted(range(len(probability[case])), key=lambda m: -probability[case][m])[:k]
        ranked = [m for m in ranked if probability[case][m] > 0]
        errors = {m: [math.dist(a, b) for a, b in zip(modes[case][m], truth[case], strict=True)] for m in ranked}
        best = min(ranked, key=lambda m: errors[m][-1])
        sums["ade1"] += sum(errors[ranked[0]]) / len(errors[ranked[0]])
        sums["fde1"] += errors[ranked[0]][-1]
        sums["miss1"] += errors[ranked[0]][-1] > 2.0
        sums["adek"] += min(sum(e) / len(e) for e in errors.values())
        sums["fdek"] += errors[best][-1]
        sums["missk"] += all(e[-1] > 2.0 for e in errors.values())
        sums["brier"] += errors[best][-1] + (1 - probability[case][best]) ** 2
    return [v / len(truth) for v in sums.values()]


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 5), st.integers(1, 6))
def test_equals_the_definitions(seed, cases, count, k):
    r = np.random.default_rng(seed)
    truth = np.cumsum(r.normal(0, 1, (cases, 6, 2)), axis=1)
    modes = truth[:, None] + np.cumsum(r.normal(0, 0.8, (cases, count, 6, 2)), axis=2)
    p = r.dirichlet(np.ones(count), cases)
    absent = r.random((cases, count)) < 0.3
    absent[:, 0] = False
    modes[absent], p[absent] = np.nan, 0.0
    s = score_predictions(modes, p, truth, k)
    got = [s.min_ade_1, s.min_fde_1, s.miss_rate_1, s.min_ade_k, s.min_fde_k, s.miss_rate_k, s.brier_min_fde]
    assert got == pytest.approx(naive(modes, p, truth, k))


def test_calibration_tells_sure_from_right():
    r = np.random.default_rng(1)
    p = r.random(20_000)
    assert calibration_error(p, r.random(20_000) < p) < 0.02
    assert calibration_error(np.full(1000, 0.9), r.random(1000) < 0.5) == pytest.approx(0.4, abs=0.05)
    assert score_predictions(np.zeros((0, 1, 3, 2)), np.zeros((0, 1)), np.zeros((0, 3, 2))).cases == 0

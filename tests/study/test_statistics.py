"""Paired intervals: known values, coverage, and honest verdicts."""

import math

import numpy as np
import pytest

from cloverleaf.judge.statistics import Interval, excludes_zero, interval, paired, relative, verdict


def test_textbook_interval():
    """Three values 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.975, 2) = 4.3027."""
    i = interval([1.0, 2.0, 3.0])
    assert (i.mean, i.n) == (2.0, 3)
    assert i.high - 2.0 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert 2.0 - i.low == pytest.approx(i.high - 2.0)


def test_one_seed_has_no_interval_and_none_has_no_mean():
    assert interval([5.0])[0] == 5.0 and math.isnan(interval([5.0]).low)
    assert interval([]).n == 0 and math.isnan(interval([math.nan]).mean)
    assert not excludes_zero(interval([5.0])) and verdict(interval([5.0]), -1) == "unclear"


def test_pairing_removes_what_the_arms_share():
    rng = np.random.default_rng(1)
    shared = rng.normal(100, 30, 8)
    arm, base = shared - 2 + rng.normal(0, 0.5, 8), shared
    assert excludes_zero(paired(arm, base))
    assert relative(arm, base).mean == pytest.approx(paired(arm, base).mean / base.mean())
    with pytest.raises(ValueError, match="shorter"):
        paired(arm, base[:3])


def test_coverage_is_95_percent():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(4000):
        i = interval(rng.normal(3.0, 1.0, 5))
        hits += i.low <= 3.0 <= i.high
    assert 0.94 < hits / 4000 < 0.96


@pytest.mark.parametrize(
    ("difference", "better", "expected"),
    [
        (Interval(-2, -3, -1, 3), -1, "better"),
        (Interval(-2, -3, -1, 3), 1, "worse"),
        (Interval(-2, -3, 1, 3), -1, "unclear"),
        (Interval(2, 1, 3, 3), -1, "worse"),
        (Interval(0, 0, 0, 3), -1, "same"),
        (Interval(2, 1, 3, 3), 0, "unclear"),
        (Interval(math.nan, math.nan, math.nan, 0), -1, "unclear"),
    ],
)
def test_verdicts(difference, better, expected):
    assert verdict(difference, better) == expected


def test_relative_to_nothing_is_nothing():
    assert math.isnan(relative([1.0, 2.0], [0.0, 0.0]).mean)
    negative = relative([-3.0, -3.5], [-2.0, -2.0])
    assert negative.low < negative.mean < negative.high

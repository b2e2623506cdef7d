"""Delays over the network: percentiles in, the same percentiles out, in the loop's own draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.link.network import NetworkDelay, delay_of_mean, delay_of_percentiles, network_delay
from cloverleaf.types.errors import StudyError
from naive.radio_naive import naive_network_delay

MEASURED = {"p5": 18.0, "p50": 30.0, "p95": 62.0, "p99": 140.0, "p99.9": 400.0, "p100": 900.0}


def drawn(made: NetworkDelay, n: int = 40_000) -> np.ndarray:
    delay = np.zeros(n)
    network_delay(np.int64(3), np.arange(n, dtype=np.int64), np.int64(7), *made, delay)
    return delay


def test_draws_have_the_percentiles_that_were_measured() -> None:
    delay = 1e3 * drawn(delay_of_percentiles(MEASURED))
    for p, tolerance in (("p5", 0.03), ("p50", 0.02), ("p95", 0.04), ("p99", 0.1)):
        assert np.percentile(delay, float(p[1:])) == pytest.approx(MEASURED[p], rel=tolerance), p
    assert 0.0 < delay.min() <= 18.0 and delay.max() <= 900.0


@pytest.mark.parametrize(
    "made", [delay_of_mean(0.04), delay_of_percentiles(MEASURED), delay_of_percentiles({"p0": 5, "p90": 5})]
)
def test_the_mean_of_the_draws_is_that_of_the_quantiles(made: NetworkDelay) -> None:
    mean = np.mean([made.quantile(p) for p in (np.arange(20_000) + 0.5) / 20_000])
    assert mean == pytest.approx(drawn(made).mean(), rel=0.02)


def test_of_a_mean_seven_tenths_are_fixed() -> None:
    made = delay_of_mean(0.1)
    assert drawn(made).mean() == pytest.approx(0.1, rel=0.02) and made.quantile(0.0) == pytest.approx(0.07)
    assert made.quantile(1.0 - np.exp(-1.0)) == pytest.approx(0.1)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([0.0, 5.0, 25.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0]), st.floats(0.0, 5000.0), min_size=3
    ),
    st.floats(0.0, 0.9999),
)
def test_quantiles_are_those_of_the_slow_twin(given_ms: dict[float, float], p: float) -> None:
    delays = dict(zip(sorted(given_ms), sorted(given_ms.values())))
    made = delay_of_percentiles({f"p{q:g}": d for q, d in delays.items()})
    assert made.quantile(p) == pytest.approx(naive_network_delay(delays, p) * 1e-3, abs=1e-9, rel=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"p50": 30}, {"p50": 30, "p100": 60}, {"50": 1, "p90": 2}, {"px": 1, "p90": 2}, {"p101": 1, "p90": 2}]
    + [
        {"p50": 30, "p90": 20},
        {"p50": -1, "p90": 20},
        {"p50": float("nan"), "p90": 20},
        {"p50": 1, "p90": float("inf")},
    ],
)
def test_what_is_no_distribution_is_refused(wrong: dict) -> None:
    with pytest.raises(StudyError):
        delay_of_percentiles(wrong)

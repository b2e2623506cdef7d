"""Generation rules: rates, CAM triggers, congestion control."""

from __future__ import annotations

import numpy as np
import pytest

from cloverleaf.link.batches import empty, take
from cloverleaf.link.generation import DCC_BUSY, DCC_INTERVAL, Generation, congestion_interval
from cloverleaf.types.messages import AdviceBatch, AwarenessBatch
from naive.link_generation import cam_times


def car(x: float, speed: float, heading: float = 0.0, station: int = 7) -> AwarenessBatch:
    values = dict(station=station, x=x, speed=speed, heading=heading, kind=1)
    base = take(empty(AwarenessBatch), np.zeros(0, np.int64))
    return AwarenessBatch(*[np.array([values.get(f, 0)], c.dtype) for f, c in zip(base._fields, base)])


def test_fixed_rate_sends_every_tenth_of_a_second() -> None:
    rule = Generation("csae_day2", congestion_control=False)
    sent = [k for k in range(100) if rule.awareness(car(0, 0), k * 0.05)[0]]
    assert sent == list(range(0, 100, 2))


@pytest.mark.parametrize("speed", [0.0, 3.1, 10.3, 33.0])
@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_cam_triggers_match_the_clause(speed: float, turn: float) -> None:
    rule = Generation("etsi", congestion_control=False)
    states = [(k * 0.1, k * 0.1 * speed, 0.0, turn * k * 0.1, speed) for k in range(200)]
    sent = [t for t, x, _, h, v in states if rule.awareness(car(x, v, h), t)[0]]
    assert sent == cam_times(states)


def test_cam_at_33_m_per_s_is_sent_faster_than_standing() -> None:
    fast, still = Generation("etsi", congestion_control=False), Generation("etsi", congestion_control=False)
    counts = [0, 0]
    for k in range(100):
        counts[0] += fast.awareness(car(3.3 * k, 33.0), k * 0.1)[0]
        counts[1] += still.awareness(car(0.0, 0.0), k * 0.1)[0]
    assert counts == [50, 10]


def test_busy_channel_stretches_the_interval() -> None:
    rule = Generation("csae_day2")
    rule.hear_busy(np.array([7]), np.array([0.55]))
    sent = [k for k in range(20) if rule.awareness(car(0, 0), k * 0.1)[0]]
    assert sent == [0, 5, 10, 15]


def test_congestion_table_is_the_standards() -> None:
    for busy, low, high in zip(DCC_BUSY, DCC_INTERVAL, DCC_INTERVAL[1:]):
        assert congestion_interval(busy - 1e-9) == low
        assert congestion_interval(busy) == high


def test_advice_repeats_each_second_or_when_it_changes() -> None:
    rule = Generation("csae_day2")

    def offer(speed: float, t: float) -> int:
        one = np.ones(1)
        batch = AdviceBatch(np.array([-2]), one * t, np.array([300]), one * speed, one, one, one * (t + 2))
        return int(rule.advice(batch, t)[0])

    assert [offer(v, t) for v, t in [(10, 0), (10, 0.5), (10.4, 0.6), (11, 0.7), (11, 1.6), (11, 1.7)]] == [
        1,
        0,
        0,
        1,
        0,
        1,
    ]


def test_expired_advice_is_never_sent() -> None:
    one = np.ones(1)
    batch = AdviceBatch(np.array([-2]), one, np.array([3]), one, one, one, one * 4.9)
    assert not Generation("csae_day2").advice(batch, 5.0)[0]

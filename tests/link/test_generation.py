"""Generation rules: rates, CAM triggers, congestion control."""

from __future__ import annotations

import numpy as np
import pytest

from cloverleaf.link.batches import empty, take
from cloverleaf.link.congestion import (
    REACTIVE_BUSY,
    REACTIVE_INTERVAL,
    Congestion,
    occupancy_interval,
    reactive_interval,
)
from cloverleaf.link.generation import Generation
from cloverleaf.types.errors import StudyError
from cloverleaf.types.messages import AdviceBatch, AwarenessBatch
from naive.link_generation import cam_times


def car(x: float, speed: float, heading: float = 0.0, station: int = 7) -> AwarenessBatch:
    values = dict(station=station, x=x, speed=speed, heading=heading, kind=1)
    base = take(empty(AwarenessBatch), np.zeros(0, np.int64))
    return AwarenessBatch(*[np.array([values.get(f, 0)], c.dtype) for f, c in zip(base._fields, base)])


def test_fixed_rate_sends_every_tenth_of_a_second() -> None:
    rule = Generation("csae_day2", congestion="none")
    sent = [k for k in range(100) if rule.awareness(car(0, 0), k * 0.05)[0]]
    assert sent == list(range(0, 100, 2))


@pytest.mark.parametrize("speed", [0.0, 3.1, 10.3, 33.0])
@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_cam_triggers_match_the_clause(speed: float, turn: float) -> None:
    rule = Generation("etsi", congestion="none")
    states = [(k * 0.1, k * 0.1 * speed, 0.0, turn * k * 0.1, speed) for k in range(200)]
    sent = [t for t, x, _, h, v in states if rule.awareness(car(x, v, h), t)[0]]
    assert sent == cam_times(states)


def test_cam_at_33_m_per_s_is_sent_faster_than_standing() -> None:
    fast, still = Generation("etsi", congestion="none"), Generation("etsi", congestion="none")
    counts = [0, 0]
    for k in range(100):
        counts[0] += fast.awareness(car(3.3 * k, 33.0), k * 0.1)[0]
        counts[1] += still.awareness(car(0.0, 0.0), k * 0.1)[0]
    assert counts == [50, 10]


def test_busy_channel_stretches_the_interval() -> None:
    rule = Generation("csae_day2", congestion="reactive")
    rule.congestion.hear(np.array([7]), np.array([0.55]), np.zeros(1), 2.5e-4)
    sent = [k for k in range(20) if rule.awareness(car(0, 0), k * 0.1)[0]]
    assert sent == [0, 5, 10, 15]


def test_congestion_table_is_the_standards() -> None:
    for busy, low, high in zip(REACTIVE_BUSY, REACTIVE_INTERVAL, REACTIVE_INTERVAL[1:]):
        assert reactive_interval(np.array([busy - 1e-9, busy])).tolist() == [low, high]


def test_occupancy_limits_the_share_of_the_air() -> None:
    """Three of 4,000 subchannels a second: within 3 % everywhere, within 0.3 % only every 250 ms."""
    airtime = 3 / 4000
    assert occupancy_interval(np.array([0.1, 0.5, 0.7, 0.9]), airtime) == pytest.approx([0.0, 0.025, 0.125, 0.25])


def run_control(name: str, load_per_message: float, vehicles: int, seconds: float = 60.0) -> tuple[float, float]:
    """(interval, busy ratio) of `vehicles` that all hear each other, at the end."""
    rule, who = Congestion(name), np.arange(vehicles)
    busy = np.zeros(vehicles)
    for _ in range(int(seconds * 10)):
        load = min(float((load_per_message / rule.of(who)).sum()), 1.0)
        busy = 0.8 * busy + 0.2 * load
        rule.hear(who, busy, np.full(vehicles, vehicles - 1.0), load_per_message)
    return float(rule.of(who)[0]), float(busy[0])


@pytest.mark.parametrize("name", ["reactive", "adaptive", "density"])
def test_controls_relieve_a_crowded_channel_and_leave_a_free_one_alone(name: str) -> None:
    assert run_control(name, 2.5e-4, 20)[0] == pytest.approx(0.1)
    interval, busy = run_control(name, 5e-4, 500)
    assert interval > 0.19 and busy < 0.8
    assert run_control("none", 5e-4, 500)[1] > 0.99


def test_adaptive_control_settles_where_the_standard_puts_it() -> None:
    """At rest alpha * share = beta * (target - busy), with busy = vehicles * share (TS 102 687, 5.4)."""
    vehicles, airtime = 500, 1e-3
    share = 0.0012 * 0.68 / (0.016 + 0.0012 * vehicles)
    interval, busy = run_control("adaptive", airtime, vehicles, 300.0)
    assert airtime / interval == pytest.approx(share, rel=0.02) and busy == pytest.approx(vehicles * share, rel=0.02)


def test_unknown_control_is_named() -> None:
    with pytest.raises(StudyError, match="reactiv") as caught:
        Congestion("reactiv")
    assert "reactive" in caught.value.hint


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

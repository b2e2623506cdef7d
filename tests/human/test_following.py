"""Car following against step-by-step twins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive import following as slow

from cloverleaf.algo import following as fl

SPEED = st.floats(0.0, 40.0)
STEP = st.sampled_from([0.1, 0.5, 1.0])


@settings(deadline=None)
@given(SPEED, st.floats(1.0, 9.0), st.floats(0.0, 2.0), STEP)
def test_brake_gap_is_the_way_driven(speed: float, decel: float, headway: float, dt: float) -> None:
    assert fl.brake_gap(speed, decel, headway, dt) == pytest.approx(
        slow.braking_way(speed, decel, headway, dt), abs=1e-6
    )


@settings(deadline=None)
@given(st.floats(1.0, 300.0), st.floats(2.0, 6.0), STEP)
def test_stop_speed_stops_in_the_gap_and_hardly_short_of_it(gap: float, decel: float, dt: float) -> None:
    tau = 1.0
    speed = fl.stop_speed(gap, decel, tau, dt)
    if gap > decel * dt + 0.01:
        # the first braking step already counts: the twin brakes one step later than the formula allows for
        assert slow.braking_way(speed, decel, tau, dt) <= gap + 1e-6
        assert speed >= slow.stop_speed(gap - fl.EPS, decel, tau, dt) - 1e-3


def test_following_never_collides_when_the_leader_brakes_hard() -> None:
    for dt in (0.1, 1.0):
        for start in (5.0, 12.0, 25.0):
            gap, v, lead = fl.secure_gap(start, start, 4.5, 4.5, 1.0, dt) + 0.01, start, start
            for _ in range(int(30 / dt)):
                follow = fl.krauss_follow_speed(gap, v, lead, 4.5, 4.5, 9.0, 1.0, dt)
                v = max(min(follow, v + 2.6 * dt), v - 9.0 * dt, 0.0)
                lead = max(0.0, lead - 4.5 * dt)
                gap += (lead - v) * dt
                assert gap > -1e-6


@settings(deadline=None)
@given(st.floats(3.0, 100.0), st.floats(0.0, 35.0), st.floats(0.0, 35.0))
def test_iidm(gap: float, v: float, vl: float) -> None:
    ours = fl.iidm_accel(gap, v, vl, 30.0, 1.4, 2.0, 1.2, 2.0)
    assert ours == pytest.approx(slow.iidm(gap, v, vl, 30.0, 1.4, 2.0, 1.2, 2.0), rel=1e-9, abs=1e-9)


def test_idm_keeps_the_equilibrium_gap() -> None:
    v0, t, s0, v = 33.3, 1.5, 2.0, 20.0
    gap = (s0 + v * t) / (1 - (v / v0) ** 4) ** 0.5
    assert gap == pytest.approx(34.3, abs=0.1)  # the reference sheet's figure
    assert fl.idm_accel(gap - s0, v, v, v0, 1.2, 1.8, t) == pytest.approx(0.0, abs=1e-9)

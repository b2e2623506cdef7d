"""Human error: each process against its stated rates, and none of it when errors are off."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloverleaf.human.attention import (
    GlanceRates,
    advance_attention,
    empty_attention,
    heed,
    lognormal,
    restart_attention,
    takeover_time,
)
from cloverleaf.human.errors import PUBLISHED, DriverErrors
from cloverleaf.human.riders import RIDER_RED
from cloverleaf.types import traffic as T
from cloverleaf.types.errors import StudyError
from cloverleaf.types.hmi import empty_hmi
from naive.people import one_lane_view

GLANCES = GlanceRates()


def keys(n):
    return np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def run(view, steps, kind="published", exposure=1.0, visit=lambda step, mind: None):
    drivers = DriverErrors(view, kind, exposure)
    for step in range(steps):
        view.clock.step[0], view.clock.time[0] = step, step * 0.1
        visit(step, drivers.advance(view))
    return drivers


def test_errors_off_leave_the_mind_neutral():
    view = one_lane_view(20)
    drivers = run(view, 200, "none")
    assert (drivers.mind.f == T.neutral_mind(20).f).all()


@pytest.mark.parametrize("bad", ["some", "", "Published"])
def test_unknown_errors_are_refused(bad):
    with pytest.raises(StudyError):
        DriverErrors(one_lane_view(1), bad)
    with pytest.raises(StudyError):
        DriverErrors(one_lane_view(1), "published", float("nan"))


def test_dwell_times_are_lognormal():
    key = keys(1)[0]
    draws = np.array([lognormal(key, k, 0.9, 0.6) for k in range(20000)])
    assert np.median(draws) == pytest.approx(0.9, rel=0.03)
    assert draws.mean() == pytest.approx(0.9 * math.exp(0.18), rel=0.03)
    assert np.mean(draws > 2.0) == pytest.approx(0.092, abs=0.01)
    assert np.mean([takeover_time(key, k) for k in range(20000)]) == pytest.approx(2.7, rel=0.03)


def test_share_of_inattention_without_a_leader():
    n, steps = 200, 3000
    attention, key = empty_attention(n), keys(n)
    away = 0
    for i in range(n):
        restart_attention(attention, i, key[i], 0.0, GLANCES)
    for step in range(steps):
        for i in range(n):
            away += not advance_attention(attention, i, key[i], step * 0.1, GLANCES, math.inf, math.inf, 0.0, False)
    on = GLANCES.on_median * math.exp(GLANCES.on_log_sigma**2 / 2)
    off = GLANCES.off_median * math.exp(GLANCES.off_log_sigma**2 / 2)
    assert away / (n * steps) == pytest.approx(off / (on + off), rel=0.1)
    assert 0.08 < off / (on + off) < 0.12


def glance(headway=math.inf, way=math.inf, closing=0.0, brakes=False, away=0, seconds=60.0):
    attention, key = empty_attention(1), keys(1)[0]
    attention.away[0], attention.until[0] = away, (1e9 if away else 0.0)
    return [
        bool(advance_attention(attention, 0, key, t, GLANCES, headway, way, closing, brakes))
        for t in np.arange(0, seconds, 0.1)
    ]


def test_nobody_looks_away_when_close_closing_or_behind_brake_lights():
    assert not all(glance())
    assert all(glance(headway=1.1)) and all(glance(way=2.1)) and not all(glance(headway=4.0, way=5.0))
    assert all(glance(closing=0.2)) and all(glance(brakes=True))


def test_looming_calls_the_eyes_back():
    seen = glance(closing=0.5, away=1, seconds=3.0)
    assert seen.index(True) == pytest.approx(GLANCES.recovery / 0.1, abs=1)
    assert not any(glance(closing=0.15, away=1, seconds=3.0))


def warned(n, priority=2, slots=None, compliance=0.8):
    attention, key = empty_attention(n), keys(n)
    attention.away[:], attention.until[:] = 1, 1e9
    hmi = empty_hmi(n)
    hmi.row[:] = np.arange(n) if slots is None else slots
    hmi.priority[:], hmi.until[:], hmi.time[:] = priority, 100.0, 7.0
    for k in range(10):
        heed(attention, hmi, key, 7.0 + 0.1 * k, GlanceRates(compliance=compliance))
    return np.mean(attention.until < 1e9), attention


def test_warnings_are_heeded_at_the_compliance_rate_and_drawn_once():
    assert warned(3000)[0] == pytest.approx(0.8, abs=0.03)
    assert warned(300, priority=0)[0] == 0.0
    assert warned(300, slots=-1)[0] == 0.0
    assert warned(300, compliance=1.0)[1].until.max() == pytest.approx(7.0 + GLANCES.recovery)


def test_gap_errors_have_the_stated_size_and_memory():
    view, trace = one_lane_view(300), []

    def visit(step, mind):
        if step % 10 == 0:
            trace.append(np.log(mind.f[:, [T.GAP_FACTOR, T.ACCEPT_FACTOR]]))

    run(view, 3000, visit=visit)
    gap, accept = np.array(trace)[5:].transpose(2, 0, 1)
    assert gap.std() == pytest.approx(PUBLISHED.gap_sigma, rel=0.06)
    assert accept.std() == pytest.approx(PUBLISHED.accept_sigma, rel=0.06)
    assert np.mean(gap[:-20] * gap[20:]) / gap.var() == pytest.approx(math.exp(-1.0), abs=0.06)
    assert abs(np.corrcoef(gap.ravel(), accept.ravel())[0, 1]) < 0.05


def test_hard_braking_of_the_leader_is_answered_after_a_reaction_time():
    n = 2000
    view = one_lane_view(n, pairs=True)
    delays = np.zeros(n)

    def visit(step, mind):
        if step >= 20:
            delays[:] += mind.f[:, T.ATTENTIVE] == 0.0
        if step == 19:
            view.vehicles.f[0::2, T.ACC] = -6.0

    drivers = DriverErrors(view)
    drivers.glances = GlanceRates(on_median=1e9)
    for step in range(60):
        view.clock.step[0], view.clock.time[0] = step, step * 0.1
        visit(step, drivers.advance(view))
    followers = delays[1::2] * 0.1
    assert np.median(followers) == pytest.approx(PUBLISHED.reaction_median, abs=0.08)
    assert (delays[0::2] == 0).all() and np.log(followers).std() == pytest.approx(0.35, abs=0.04)


def approach(n, letters, distance, kind=1, exposure=1.0, speed=10.0):
    """RUN_RED of n drivers at `distance` m from the line per step of `letters` (one per 0.1 s)."""
    view = one_lane_view(n, light=True, kind=kind)
    view.vehicles.f[:, T.S] = 500.0 - distance
    view.vehicles.f[:, T.V] = speed
    out = []
    drivers = DriverErrors(view, exposure=exposure)
    for step, letter in enumerate(letters):
        view.roads.light[0] = ord(letter)
        view.clock.step[0], view.clock.time[0] = step, step * 0.1
        out.append(drivers.advance(view).f[:, T.RUN_RED].mean())
    return out


def test_late_red_only_within_two_seconds_of_red():
    runs = approach(4000, "G" * 5 + "y" * 30 + "r" * 60, distance=0.5)
    assert max(runs[:5]) < 0.002
    assert np.mean(runs[36:53]) == pytest.approx(PUBLISHED.late_red, abs=0.02)
    assert max(runs[56:]) < 0.003, "only those who do not see the light at all"
    far = approach(4000, "G" * 5 + "y" * 30 + "r" * 60, distance=80.0)
    assert max(far) < 0.003, "the line cannot be reached in time"
    riders = approach(2000, "G" * 5 + "y" * 30 + "r" * 5, distance=0.5, kind=6)
    assert riders[-1] == pytest.approx(RIDER_RED, abs=0.04)


def test_rare_errors_scale_with_exposure():
    unseen = approach(3000, "r" * 30 + "r" * 30, distance=200.0, exposure=300.0)
    assert unseen[-1] == pytest.approx(300 * PUBLISHED.unseen_red, abs=0.02)
    view = one_lane_view(3000)
    share = run(view, 2, exposure=300.0).mind.f[:, T.RUN_YIELD].mean()
    assert share == pytest.approx(300 * PUBLISHED.unseen_yield, abs=0.01)


def test_weak_brakers_are_a_stated_share_and_smart_cars_stay_neutral():
    view = one_lane_view(3000)
    view.vehicles.i[::3, T.CONTROL] = 1
    mind = run(view, 50).mind.f
    assert (mind[::3] == T.neutral_mind(1).f).all()
    assert np.mean(mind[1::3, T.BRAKE_FACTOR] == 0.9) == pytest.approx(0.1, abs=0.03)


def test_errors_depend_on_the_driver_not_on_the_slot_next_door():
    a, b = one_lane_view(50), one_lane_view(50)
    b.vehicles.count[0] = 10
    first, second = run(a, 300).mind.f[:10], run(b, 300).mind.f[:10]
    assert (first == second).all() and (first[:, T.GAP_FACTOR] != 1.0).all()


def test_a_new_driver_in_an_old_slot_starts_afresh():
    view = one_lane_view(3)
    drivers = run(view, 100)
    before = drivers.errors.gap[0]
    view.vehicles.i[0, T.TRIP], view.vehicles.key[0] = 77, np.uint64(123456789)
    drivers.advance(view)
    assert drivers.errors.trip[0] == 77 and drivers.errors.gap[0] != before

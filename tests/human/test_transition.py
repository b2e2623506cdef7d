"""Driver monitor and transition demand: the times of UN R157, every way out, and no kink when authority moves."""

import math

import numpy as np
import pytest

from cloverleaf.human.driver_monitor import Availability, DriverMonitor, Reading
from cloverleaf.human.transition import BRAKING, Stage, Transition, blend


def watch(readings, dt=0.1):
    monitor = DriverMonitor()
    return [monitor.step(r, k * dt) for k, r in enumerate(readings)]


def test_availability():
    assert set(watch([Reading()] * 100)) == {Availability.ATTENTIVE}
    assert watch([Reading(on_road=False)] * 60)[-1] == Availability.DISTRACTED
    assert watch([Reading(on_road=False)] * 40)[-1] == Availability.ATTENTIVE
    # eyes half of the time closed for a minute; hands and head give signs of life
    nod = [Reading(eyes_open=float(k % 20 < 8), torque=1.0) for k in range(900)]
    assert watch(nod)[-1] == Availability.DROWSY
    frozen = watch([Reading(moved=False)] * 320)
    assert frozen[290] != Availability.UNAVAILABLE and frozen[-1] == Availability.UNAVAILABLE
    assert (
        watch([Reading(seated=False)])[-1] == Availability.ABSENT
        and watch([Reading(belted=False)])[-1] == Availability.ABSENT
    )


@pytest.mark.parametrize("bad", [None, Reading(eyes_open=math.nan), Reading(torque=math.inf)])
def test_a_camera_that_says_nothing_is_nobody(bad):
    seen = watch([Reading()] + [bad] * 20)
    assert seen[9] == Availability.ATTENTIVE and seen[-1] == Availability.ABSENT


def ride(seconds=30.0, dt=0.1, speed=20.0, **at):
    """Stages by time; `at` gives functions of time for the inputs."""
    transition, rows, v = Transition(), [], speed
    for k in range(round(seconds / dt)):
        t = k * dt
        order = transition.step(t, speed=v, **{name: f(t) for name, f in at.items()})
        v = max(v + min(order.most_accel, 0.0) * dt, 0.0)
        rows.append((t, order.stage, order.left_s, v, order.hazard))
    return rows


def began(rows, stage):
    return next((t for t, s, *_ in rows if s == stage), None)


def test_times_of_the_regulation():
    rows = ride(unable=lambda t: t >= 2.0)
    assert began(rows, Stage.DEMAND) == pytest.approx(2.0)
    assert began(rows, Stage.ESCALATED) == pytest.approx(6.0, abs=0.11)
    assert began(rows, Stage.MINIMUM_RISK) == pytest.approx(12.0, abs=0.11)
    assert began(rows, Stage.STOPPED) == pytest.approx(12.0 + 20.0 / BRAKING, abs=0.3)
    assert BRAKING <= 4.0 and all(hazard == (stage >= Stage.MINIMUM_RISK) for _, stage, _, _, hazard in rows)
    assert rows[-1][1] == Stage.STOPPED  # and stays so


def test_a_planned_end_is_asked_for_in_time_to_stop_before_it():
    rows = ride(planned_in=lambda t: 25.0 - t)
    assert began(rows, Stage.DEMAND) == pytest.approx(25.0 - 10.0 - 20.0 / BRAKING, abs=0.11)
    assert began(rows, Stage.STOPPED) <= 25.0 + 0.2


def test_ways_out():
    rows = ride(unable=lambda t: t >= 2.0, taken_over=lambda t: t >= 7.0, seconds=8.0)
    assert rows[-1][1] == Stage.NONE and all(v == 20.0 for *_, v, _ in rows)
    rows = ride(unable=lambda t: 2.0 <= t < 5.0, seconds=14.0)
    assert rows[-1][1] == Stage.NONE
    # once the manoeuvre has begun, only the driver ends it
    rows = ride(unable=lambda t: 2.0 <= t < 12.5, seconds=14.0)
    assert rows[-1][1] == Stage.MINIMUM_RISK
    assert began(ride(severe=lambda t: t >= 2.0), Stage.MINIMUM_RISK) == pytest.approx(2.0)
    absent = ride(person=lambda t: Availability.ABSENT if t >= 3.0 else Availability.ATTENTIVE)
    assert began(absent, Stage.ESCALATED) == pytest.approx(3.0) and began(absent, Stage.MINIMUM_RISK) == pytest.approx(
        13.0, abs=0.11
    )


def test_authority_moves_without_a_kink():
    w = np.linspace(0.0, 1.0, 201)
    got = np.array([blend(x, 2.0, -1.0) for x in w])
    slope = np.diff(got) / np.diff(w)
    assert got[0] == -1.0 and got[-1] == 2.0 and (slope >= 0).all()
    assert slope[0] < 0.1 and slope[-1] < 0.1 and blend(-5.0, 2.0, -1.0) == -1.0 and blend(7.0, 2.0, -1.0) == 2.0

"""What built-in drivers make of a scene, against plain simulations and the component car's own laws."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.algo.jit import kernel
from cloverleaf.car import simulate
from cloverleaf.judge.drivers.cloverleaf import planned_accel
from cloverleaf.judge.drivers.reference import BRAKE, reference_accel
from cloverleaf.judge.drivers.registry import find_driver
from cloverleaf.judge.drivers.scene import comes_head_on, hidden, leader, will_meet
from cloverleaf.judge.r157.drive import drive_family
from cloverleaf.judge.r157.drivers import BRAKE_MAX, CC_HUMAN, ReferenceDriver
from cloverleaf.judge.r157.suite import FAMILIES, evaluate
from cloverleaf.loop.storyboard import driver as d

LENGTH, WIDTH = 4.5, 1.8


def scene(speed, *others, desired=None):
    """`others`: (dx, dy, speed, lateral speed)."""
    own, near = np.zeros(d.OWN), np.zeros((len(others), d.NEAR))
    own[d.OWN_SPEED], own[d.OWN_DESIRED], own[d.OWN_DT] = speed, speed if desired is None else desired, 0.01
    own[d.OWN_LENGTH], own[d.OWN_WIDTH], own[d.OWN_LANE_WIDTH], own[d.OWN_ACTIVE] = LENGTH, WIDTH, 3.5, 1.0
    for row, (dx, dy, v, lateral) in zip(near, others):
        row[[d.PRESENT_HERE, d.DX, d.DY, d.NEAR_SPEED, d.NEAR_LATERAL_SPEED]] = 1.0, dx, dy, v, lateral
        row[[d.NEAR_LENGTH, d.NEAR_WIDTH]] = LENGTH, WIDTH
        row[d.GAP] = dx - LENGTH if dx > 0 else min(dx + LENGTH, 0.0)
    return own, near


def meets(speed, dx, dy, v, lateral, horizon):
    """The plain way: move both boxes on in steps of 5 ms."""
    for k in range(int(horizon / 0.005)):
        t = 0.005 * k
        if abs(dx + (v - speed) * t) < LENGTH and abs(dy + lateral * t) < WIDTH:
            return True
    return False


@settings(max_examples=150)
@given(st.floats(0, 30), st.floats(6, 150), st.floats(-6, 6), st.floats(-30, -1), st.floats(-3, 3))  # fmt: skip
def test_who_comes_head_on_meets_us_or_has_crossed_our_way_by_then(speed, dx, dy, v, lateral):
    own, near = scene(speed, (dx, dy, v, lateral))
    got = comes_head_on(own, near, 0, 0.5, 0.0)
    meeting = (dx - LENGTH) / (speed - v)
    at = dy + lateral * max(meeting, 0.0)
    if abs(abs(at) - WIDTH) > 0.1 and abs(lateral) > 0.06:
        assert got == (abs(at) < WIDTH or at * dy < 0.0)


def test_an_oncoming_car_that_drifts_into_our_way_is_not_trusted_to_leave_it():
    own, near = scene(14.0, (110.0, 2.2, -14.0, -1.8))
    assert comes_head_on(own, near, 0, 0.5, 0.3)
    # a plain drift would be out of the way again by the meeting
    assert not will_meet(own, near, 0, 6.0, 0.0)
    assert planned_accel(own, near) == -3.5
    own, near = scene(14.0, (90.0, 3.5, -14.0, 0.0))
    assert not comes_head_on(own, near, 0, 0.5, 0.3)
    assert planned_accel(own, near) > -0.1


@settings(max_examples=150)
@given(
    st.floats(2, 30), st.floats(6, 60), st.floats(-6, 6), st.floats(0, 30), st.floats(-3, 3),
)  # fmt: skip
def test_will_meet_is_the_contact_of_a_plain_simulation(speed, dx, dy, v, lateral):
    own, near = scene(speed, (dx, dy, v, lateral))
    got = will_meet(own, near, 0, 4.0, 0.0)
    if meets(speed, dx, dy, v, lateral, 3.9):
        assert got
    elif not meets(speed, dx, dy, v, lateral, 4.2) and got:
        # only grazing passes may differ
        wide = 0.15
        assert any(meets(speed, dx + a, dy + b, v, lateral, 4.2) for a in (-wide, 0, wide) for b in (-wide, 0, wide))


def test_the_leader_is_the_nearest_in_the_way_and_hides_who_is_behind():
    own, near = scene(20, (30, 0.2, 15, 0), (60, 0.0, 0, 0), (20, 3.5, 15, 0), (-10, 0, 25, 0))
    assert leader(own, near) == 0 and hidden(near, 1, 0) and not hidden(near, 2, 0)
    near[0, d.DY] = 0.4
    assert not hidden(near, 1, 0), "a leader on its way out gives the view free"
    assert leader(own, near[2:]) == -1


def test_careful_human_coasts_reacts_and_brakes_with_limited_jerk():
    own, near = scene(20, (24.5, 0, 5, 0))  # 20 m, closing at 15 m/s
    memory = np.zeros(8)
    answers = [reference_accel(CC_HUMAN, own, near, memory) for _ in range(300)]
    assert answers[0] == pytest.approx(-0.4) and answers[74] == pytest.approx(-0.4)
    assert answers[76] < -0.1 and min(answers) == pytest.approx(-BRAKE_MAX)
    assert max(-np.diff(answers[76:])) <= 12.65 * 0.01 + 1e-9 and memory[BRAKE] == pytest.approx(BRAKE_MAX)


@pytest.mark.parametrize("family", ["cut_in_low_speed", "cut_out"])
@pytest.mark.parametrize("name", ["cc_human", "fsm", "rss"])
def test_reference_drivers_in_scenarios_are_those_of_the_published_grids(family, name):
    """The motion differs in how the lateral course starts, and the road goes on: nearly all verdicts are the same."""
    grid = {k: v[::7] for k, v in FAMILIES[family].grid().items()}
    free = drive_family(family, find_driver(name), grid)["crash"]
    exact = evaluate(family, ReferenceDriver[name.upper()], grid, full=False)["crash"]
    assert (free == exact).mean() > 0.95


@kernel
def car_wish(gap, v, leader_v, top):
    """The component car's wanted acceleration behind one leader, from its own parts."""
    if v <= top:
        ratio = v / max(top, 0.1)
        free = simulate.ACCEL * (1.0 - ratio * ratio * ratio * ratio)
    else:
        free = max(-2.6, (top - v) / 0.9)
    return simulate.follow(gap, v, max(leader_v, 0.0), free)


@settings(max_examples=100)
@given(st.floats(0.5, 30), st.floats(25, 120), st.floats(0, 30), st.floats(5, 30))
def test_our_driver_follows_as_the_component_car_does(v, gap, leader_v, top):
    own, near = scene(v, (gap + LENGTH, 0.0, leader_v, 0.0), desired=top)
    wanted = max(car_wish(gap, v, leader_v, top), -simulate.STRONGEST)
    got = planned_accel(own, near)
    assert got <= wanted + 1e-9, "the guard may only brake more"
    stopping = v * 0.3 + 0.09 + (v + 0.54) ** 2 / 12.0 - leader_v**2 / 16.0
    if gap > stopping + 0.5:
        assert got == pytest.approx(wanted)


def test_our_driver_follows_as_the_component_car_s_planner_does_along_a_path(monkeypatch):
    """`wish` of the car's simulation on a straight path with one road user on it, under ideal sensing."""
    monkeypatch.setattr(simulate, "top_speed_at", simulate.top_speed_at.py_func)
    steps = 41
    path = SimpleNamespace(
        s=np.array([0.0, 1e6]), limit=np.array([20.0]), top=np.array([20.0, 20.0]), n=np.array([2, 0, 0, 0])
    )
    for gap, v, other in ((30.0, 18.0, 12.0), (80.0, 15.0, 15.0), (15.0, 8.0, 8.0), (200.0, 19.0, 2.0)):
        low = np.full((1, steps), gap + 0.5 * LENGTH)
        occ = SimpleNamespace(n=np.array([1]), low=low, high=low + LENGTH, v=np.full((1, steps), other))
        python = simulate.wish.py_func
        wanted = python(path, occ, 0, 0.0, v, 0.5 * LENGTH, 0, 20.0, math.inf)
        own, near = scene(v, (gap + LENGTH, 0.0, other, 0.0), desired=20.0)
        assert planned_accel(own, near) == pytest.approx(max(wanted, -simulate.STRONGEST))

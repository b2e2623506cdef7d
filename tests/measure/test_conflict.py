"""Conflict measures against brute force in time."""

import math

import numpy as np
import pytest

from cloverleaf.measure import conflict as c
from naive import safety
from naive.boxes import contact_time


def test_textbook_values():
    assert c.time_headway(20.0, 10.0) == 2.0
    assert math.isnan(c.time_headway(20.0, 0.0))
    assert c.time_to_collision(20.0, 15.0, 10.0) == 4.0
    assert math.isnan(c.time_to_collision(20.0, 10.0, 15.0))
    assert c.time_to_collision(-0.1, 10.0, 15.0) == 0.0
    assert c.required_decel(10.0, 15.0, 5.0) == 5.0
    assert math.isinf(c.required_decel(0.0, 5.0, 0.0)) and math.isnan(c.required_decel(1.0, 0.0, 0.0))
    assert c.post_encroachment(3.0, 4.5) == 1.5
    assert c.exposed_time(1.0, 2.0, 0.1) == (0.1, 0.05)
    assert c.exposed_time(math.nan, 2.0, 0.1) == (0.0, 0.0)


@pytest.mark.parametrize("seed", range(40))
def test_modified_ttc_is_the_first_time_the_gap_is_gone(seed):
    r = np.random.default_rng(seed)
    gap, v, w, a, b = r.uniform(1, 60), r.uniform(0, 30), r.uniform(0, 30), r.uniform(-4, 2), r.uniform(-4, 2)
    expected = safety.first_root(gap, v, w, a, b)
    got = c.modified_ttc(gap, v, w, a, b)
    if math.isnan(expected):
        assert math.isnan(got) or got > 59.9
    else:
        assert got == pytest.approx(expected, abs=2e-3)
    assert c.modified_ttc(gap, v, w, a, a + 1e-12) == pytest.approx(c.time_to_collision(gap, v, w), nan_ok=True)


@pytest.mark.parametrize("seed", range(15))
def test_box_ttc_is_the_first_overlap(seed):
    r = np.random.default_rng(seed)
    x, y, u = r.uniform(-30, 30), r.uniform(-30, 30), r.uniform(0, 12)
    aim = math.atan2(-y, -x) + r.normal(0, 0.2)
    got = c.box_ttc(0.0, 0.0, 0.0, 4.5, 1.8, 3.0, x, y, aim, 4.5, 1.8, u)
    velocity = (u * math.cos(aim), u * math.sin(aim))
    first = contact_time((0.0, 0.0, 0.0, 4.5, 1.8), (3.0, 0.0), (x, y, aim, 4.5, 1.8), velocity, c.TTC_HORIZON)
    if math.isnan(got):
        assert math.isinf(first) or first > c.TTC_HORIZON - 0.01
    else:
        assert got == pytest.approx(first, abs=0.01)

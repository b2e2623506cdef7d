"""Comfort bounds and rules of the road."""

import math

import numpy as np
import pytest

from cloverleaf.measure import comfort, legality
from naive import safety


@pytest.mark.parametrize("seed", range(30))
def test_each_broken_bound_has_its_bit(seed):
    r = np.random.default_rng(seed)
    values = [float(v) for v in r.normal(0, 1, 6) * (4, 4, 0.8, 1.8, 4, 6)]
    assert comfort.discomfort(*values).bit_count() == safety.discomfort_count(*values)


def test_bounds_are_inclusive():
    assert comfort.discomfort(2.40, 4.89, 0.95, 1.93, 4.13, 0.0) == 0
    assert comfort.discomfort(2.41, 0.0, 0.0, 0.0, 0.0, 0.0) == comfort.DRIVING
    assert comfort.discomfort(-4.06, 0.0, 0.0, 0.0, 0.0, 0.0) == comfort.BRAKING
    assert comfort.comfort_cost(-4.05, 0.0, 0.0) == pytest.approx(1.0)
    assert comfort.comfort_cost(2.40, 4.13, 4.89) == pytest.approx(3.0)


def test_red_light_is_run_only_across_the_line_and_on_red():
    red, yellow = ord("r"), ord("y")
    assert legality.runs_red(red, 0.5, -0.2) and legality.runs_red(ord("u"), 0.5, 0.0)
    assert not legality.runs_red(yellow, 0.5, -0.2)
    assert not legality.runs_red(red, -0.1, -0.9) and not legality.runs_red(red, 1.0, 0.2)
    assert [legality.forbids_entry(ord(c)) for c in "ryugGsoO"] == [True, True, True] + [False] * 5


def test_yellow_means_stop_only_if_one_can():
    assert legality.must_stop(10.0, 25.0, 3.0, 0.5) and not legality.must_stop(10.0, 20.0, 3.0, 0.5)


def test_speed_lane_stop_and_right_of_way():
    assert legality.overspeed(14.0, 13.9) == pytest.approx(0.1) and legality.overspeed(13.0, 13.9) == 0.0
    assert legality.overspeed_integral(15.0, 13.0, 0.1) == pytest.approx(0.2)
    assert legality.rolled_stop(0.6, 0.5) and not legality.rolled_stop(0.4, 0.5)
    assert legality.leaves_lane(0.8, 1.8, 3.2, 0.0) and not legality.leaves_lane(0.7, 1.8, 3.2, 0.0)
    assert legality.leaves_lane(-0.8, 1.8, 3.2, 0.0)
    assert legality.keeps_right_of_way(1.0, 3.0, 4.5, 6.0, 1.5)
    assert not legality.keeps_right_of_way(1.0, 3.0, 4.4, 6.0, 1.5)
    assert legality.keeps_right_of_way(6.0, 8.0, 4.4, 6.0, 1.5)
    assert legality.keeps_right_of_way(1.0, 3.0, math.nan, math.nan, 1.5)

"""The fleet's localisation: errors stay within the protection level, biases are learnt, gaps are bridged, bad fixes never enter."""

import math

import numpy as np
import pytest

from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.car import localisation as L
from cloverleaf.car import state
from cloverleaf.car.locate import filter_pose

DT = 0.1


def drive(seed, *, sigma=0.25, seconds=120.0, gap=(1e9, 1e9), gyro_bias=0.0, bend=0.12):
    """(time, error m, protection m, speed error) of one car on a winding road; fixes have one error that wanders."""
    r = np.random.default_rng(seed)
    fleet, scratch = state.empty_fleet(2), state.empty_scratch()[0]
    fleet.f[1, state.LENGTH] = 4.6
    back = 0.5 * wheelbase(4.6)
    x, y, heading, v = 10.0, -5.0, 0.4, 10.0
    ex, ey = sigma * r.normal(size=2)
    eh = 0.005 * r.normal()
    rows = []
    for k in range(round(seconds / DT)):
        t = k * DT
        turn, accel = bend * math.sin(0.1 * t), 0.8 * math.sin(0.2 * t)
        x, y = x + v * math.cos(heading + 0.5 * turn * DT) * DT, y + v * math.sin(heading + 0.5 * turn * DT) * DT
        heading, v = heading + turn * DT, v + accel * DT
        keep = math.exp(-DT / 30.0)
        ex, ey = (keep * e + sigma * math.sqrt(1 - keep * keep) * r.normal() for e in (ex, ey))
        slow = math.exp(-DT / 60.0)
        eh = slow * eh + 0.005 * math.sqrt(1 - slow * slow) * r.normal()
        fix = (
            x + back * math.cos(heading) + ex,
            y + back * math.sin(heading) + ey,
            heading + eh,
            v + 0.05 * r.normal(),
            accel + 0.1 * r.normal(),
            turn + gyro_bias + 0.002 * r.normal(),
        )
        fix = (math.nan,) * 6 if gap[0] <= t < gap[1] else fix
        filter_pose(fleet, scratch, 1, *fix, sigma * math.sqrt(2.0), t, t)
        f = fleet.f[1]
        off = math.hypot(f[state.X] - x - back * math.cos(heading), f[state.Y] - y - back * math.sin(heading))
        rows.append((t, off, f[state.PROTECTION], f[state.SPEED] - v))
    return np.array(rows), fleet


@pytest.mark.parametrize("sigma", [0.05, 0.25, 1.5])
def test_the_protection_level_holds_and_is_not_idle(sigma):
    runs = [drive(seed, sigma=sigma)[0] for seed in range(25)]
    ratio = np.concatenate([r[20:, 1] / r[20:, 2] for r in runs])
    assert ratio.max() < 1.0
    assert ratio.mean() > 0.08  # a level far too wide would be worthless
    assert np.mean([np.abs(r[20:, 3]).mean() for r in runs]) < 0.05


def test_tight_bends_are_no_drift():
    rows, _ = drive(3, bend=0.6)
    assert (rows[20:, 1] < rows[20:, 2]).all() and rows[:, 1].mean() < 0.4


def test_gaps_widen_the_level_and_are_bridged():
    rows, _ = drive(1, gap=(60.0, 65.0))
    before, during = rows[rows[:, 0] < 60.0][-1], rows[(rows[:, 0] >= 60.0) & (rows[:, 0] < 65.0)]
    assert (during[:, 1] < during[:, 2]).all() and during[-1, 2] > before[2]
    assert rows[-1, 2] < during[-1, 2]


def test_the_gyro_bias_is_learnt():
    _, fleet = drive(2, gyro_bias=0.003)
    assert fleet.pose[1, L.GYRO_BIAS] == pytest.approx(0.003, abs=0.001)


def test_before_the_first_fix_nothing_is_promised_and_neighbours_are_untouched():
    fleet, scratch = state.empty_fleet(2), state.empty_scratch()[0]
    filter_pose(fleet, scratch, 0, *[math.nan] * 7, 0.0, 0.0)
    assert fleet.f[0, state.PROTECTION] == math.inf
    filter_pose(fleet, scratch, 1, 5.0, 6.0, 0.1, 3.0, 0.0, 0.0, 0.3, 0.0, 0.0)
    assert not fleet.pose[0].any() and fleet.f[1, state.X] == 5.0
    # far away from what the filter believes, a fix starts it afresh
    filter_pose(fleet, scratch, 1, 500.0, 6.0, 0.1, 3.0, 0.0, 0.0, 0.3, 0.1, 0.1)
    assert fleet.f[1, state.X] == pytest.approx(500.0)
    assert np.isfinite(fleet.pose_cov[1]).all() and np.allclose(fleet.pose_cov[1], fleet.pose_cov[1].T)

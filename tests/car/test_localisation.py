"""Localisation: kernels against matrices; a simulated drive with coloured GNSS errors, outage, jumps and bad input."""

import math

import numpy as np
import pytest

from cloverleaf.car import localisation as L
from cloverleaf.car.localisation import Localiser, Sensors


def numeric_jacobian(function, x, step=1e-6):
    return np.stack([(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(L.N)], 1)


def motion(x, accel, yaw_rate, dt, s):
    y = x.copy()
    w, a = yaw_rate - x[L.GYRO_BIAS], accel - x[L.ACCEL_BIAS]
    way = x[L.SPEED] * dt + 0.5 * a * dt**2
    y[L.X] += way * math.cos(x[L.HEADING] + 0.5 * w * dt)
    y[L.Y] += way * math.sin(x[L.HEADING] + 0.5 * w * dt)
    y[L.HEADING] += w * dt
    y[L.SPEED] += a * dt
    y[7:] *= math.exp(-dt / s.gnss_time)
    return y


@pytest.mark.parametrize("seed", range(5))
def test_kernels_equal_matrices(seed):
    r = np.random.default_rng(seed)
    s = Sensors()
    x = r.normal(size=L.N) * [10, 10, 1, 5, 0.01, 0.1, 0.01, 1, 1]
    root = r.normal(size=(L.N, L.N))
    p = root @ root.T + np.eye(L.N)
    f = numeric_jacobian(lambda y: motion(y, 0.7, 0.2, 0.05, s), x)
    expected = motion(x, 0.7, 0.2, 0.05, s)
    middle = x[L.HEADING] + 0.5 * (0.2 - x[L.GYRO_BIAS]) * 0.05
    across = np.zeros((L.N, 1))
    across[:2, 0] = -math.sin(middle), math.cos(middle)
    fade = math.exp(-0.05 / s.gnss_time)
    q = np.diag([0, 0, s.gyro_noise, s.accel_noise, s.gyro_walk, s.accel_walk, s.scale_walk, 0, 0]) ** 2 * 0.05
    q += across @ across.T * s.slip**2 * 0.05 + np.diag([0] * 7 + [s.gnss_common**2 * (1 - fade**2)] * 2)
    covariance = f @ p @ f.T + q
    L.propagate(x, p, 0.7, 0.2, 0.05, s.row(), np.zeros((L.N, L.N)), np.zeros((L.N, L.N)))
    assert x == pytest.approx(expected) and p == pytest.approx(covariance, rel=1e-5, abs=1e-5)
    h = r.normal(size=L.N)
    gain = p @ h / (h @ p @ h + 0.3)
    mean, after = x + gain * 0.4, (np.eye(L.N) - np.outer(gain, h)) @ p
    mean[L.HEADING] = math.remainder(mean[L.HEADING], 2 * math.pi)
    assert L.correct(x, p, h, 0.4, 0.3, 1e9, np.zeros(L.N))
    assert x == pytest.approx(mean) and p == pytest.approx(after, abs=1e-9)
    before = x.copy()
    assert not L.correct(x, p, h, 1e6, 0.3, 10.0, np.zeros(L.N)) and (x == before).all()


class Drive:
    """A car on a winding road at 12 m/s; sensors at 50 Hz with biases, GNSS at 5 Hz, late, with a common error that wanders."""

    def __init__(self, seed, *, lane=True, outage=(1e9, 1e9), jump=(1e9, 1e9, 0.0)):
        r = np.random.default_rng(seed)
        self.filter = f = Localiser()
        x = y = heading = t = 0.0
        v, dt = 12.0, 0.02
        common = r.normal(0, 1.5, 2)
        waiting = []
        f.start(0.0, *r.normal(0, 2.0, 2), 0.03, v)
        self.errors, self.levels, self.lateral, self.raw, self.times = [], [], [], [], []
        for k in range(6000):
            w = 0.12 * math.sin(0.1 * t)
            a = 0.8 * math.cos(0.3 * t)
            x += v * dt * math.cos(heading + 0.5 * w * dt)
            y += v * dt * math.sin(heading + 0.5 * w * dt)
            heading, v, t = heading + w * dt, v + a * dt, t + dt
            f.imu(t, a + 0.08 + r.normal(0, 0.05 / math.sqrt(dt)), w + 0.004 + r.normal(0, 0.002 / math.sqrt(dt)))
            fade = math.exp(-dt / 30.0)
            common = common * fade + r.normal(0, 1.5 * math.sqrt(1 - fade**2), 2)
            if k % 5 == 0:
                f.wheel(v * 1.01 + r.normal(0, 0.1), 0.1)
            if k % 10 == 0 and not outage[0] <= t < outage[1]:
                off = jump[2] if jump[0] <= t < jump[1] else 0.0
                waiting.append((t, x + common[0] + r.normal(0, 0.5) + off, y + common[1] + r.normal(0, 0.5)))
            if waiting and waiting[0][0] <= t - 0.1:
                fix = waiting.pop(0)
                f.gnss(*fix, 0.5)
                self.raw.append(math.hypot(*common))
            if lane and k % 5 == 0:
                d = r.normal(0, 0.1)
                f.lane(d, x, y, heading, 0.1)
            ex, ey = f.state[0] - x, f.state[1] - y
            self.errors.append(math.hypot(ex, ey))
            self.lateral.append(-ex * math.sin(heading) + ey * math.cos(heading))
            self.levels.append(f.protection_level)
            self.times.append(t)
        self.errors, self.levels, self.times = np.array(self.errors), np.array(self.levels), np.array(self.times)


@pytest.mark.parametrize("seed", range(4))
def test_error_stays_below_the_protection_level(seed):
    drive = Drive(seed)
    settled = drive.times > 10
    assert (drive.errors <= drive.levels).all()
    assert np.abs(np.array(drive.lateral)[settled]).max() < 0.35
    assert np.median(drive.levels[settled]) < 8.0
    assert drive.filter.lateral_level(0.0) < drive.levels[-1] + 1e-9
    assert drive.filter.state[L.GYRO_BIAS] == pytest.approx(0.004, abs=0.002)


def test_the_level_is_about_right_and_not_only_large():
    """Errors over deviations: about one in the mean over drives, neither lazy nor overconfident."""
    ratios = []
    for seed in range(10, 16):
        drive = Drive(seed, lane=False)
        ratios.append((drive.errors[1000::250] / (drive.levels[1000::250] / drive.filter.factor)) ** 2)
    assert 0.25 < np.mean(ratios) < 2.5


def test_an_outage_widens_the_level_and_ends():
    drive = Drive(3, lane=False, outage=(40.0, 60.0))
    before, at_end, after = (drive.levels[np.searchsorted(drive.times, t)] for t in (39.0, 59.9, 75.0))
    assert at_end > before and after < at_end
    assert (drive.errors <= drive.levels).all() and drive.errors.max() < 12.0


def test_a_wrong_fix_is_left_out_and_counted():
    drive = Drive(4, jump=(50.0, 51.5, 40.0))
    assert drive.filter.unused["contradicts"] >= 7
    assert drive.errors[drive.times > 45].max() < 8.0 and (drive.errors <= drive.levels).all()


def test_bad_input_is_counted_by_reason():
    f = Localiser()
    f.imu(0.0, 0.0, 0.0)
    assert f.protection_level == math.inf
    f.start(0.0, 0.0, 0.0, 0.0, 5.0)
    f.imu(0.1, math.nan, 0.0)
    f.imu(0.1, 0.0, 0.0)
    f.imu(0.05, 0.0, 0.0)
    f.wheel(math.inf)
    assert not f.gnss(-3.0, 0.0, 0.0, 1.0) and f.gnss(0.1, 0.5, 0.0, 1.0)
    assert f.unused == {"not finite": 2, "late": 2, "contradicts": 0, "before start": 1}
    assert np.isfinite(f.state).all()

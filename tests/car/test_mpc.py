"""The predictive controller on plants of our own: settles, stops, keeps bounds, survives bad input; foreign plants where installed."""

import math

import numpy as np
import pytest

from cloverleaf.algo.dynamics import GRAVITY
from cloverleaf.car.mpc import DELTA, PSI, STAGES, STATES, STEP, VY, A, Car, E, PathTracker, R, S, V, secant
from cloverleaf.cli import bench_control
from cloverleaf.cli.peers import find_peer

DT = 0.02
STAGE_TIMES = (np.arange(STAGES) + 1) * STEP


def plant(state, rate, demand, curvature, car, dt, wrong=1.0):
    """Single track with linear tyres (`wrong`: their stiffness over the believed), lag and grade, in small steps."""
    x = state.copy()
    m, inertia, lf, lr = car.mass, car.inertia, car.front, car.rear
    k = wrong * car.stiffness * m * GRAVITY / (lf + lr)
    parts = 20
    for _ in range(parts):
        h, v = dt / parts, max(x[V], 1.0)
        front = x[DELTA] - (x[VY] + lf * x[R]) / v
        back = -(x[VY] - lr * x[R]) / v
        fy, ry = k * lr * front, k * lf * back
        d = np.zeros(STATES)
        d[E] = x[V] * math.sin(x[PSI]) + x[VY] * math.cos(x[PSI])
        d[PSI] = x[R] - curvature * x[V] / (1 - curvature * x[E])
        d[VY], d[R] = (fy + ry) / m - x[V] * x[R], (lf * fy - lr * ry) / inertia
        d[DELTA] = min(max(rate, -car.steer_rate), car.steer_rate)
        d[S] = x[V]
        d[V] = x[A] - GRAVITY * math.sin(car.grade) if x[V] > 0 or x[A] > 0 else 0.0
        d[A] = (min(max(demand, -car.brake_most), car.accel_most) - x[A]) / car.lag
        x = x + h * d
        x[V] = max(x[V], 0.0)
    return x


def drive(car, state, seconds, curvature=0.0, speed=15.0, wrong=1.0, **bounds):
    tracker, states = PathTracker(car), [state]
    for _ in range(round(seconds / DT)):
        x = states[-1]
        given = {k: f(x) if callable(f) else f for k, f in bounds.items()}
        tracker.observe(x[VY], x[R], x[V], x[DELTA], curvature, DT)
        rate, demand = tracker.step(x, np.full(STAGES, curvature), np.full(STAGES, speed), **given)
        states.append(plant(x, rate, demand, curvature, car, DT, wrong))
    return tracker, np.array(states)


def at(v=15.0, e=0.0):
    x = np.zeros(STATES)
    x[V], x[E] = v, e
    return x


def test_an_offset_is_driven_out_smoothly():
    _, states = drive(Car(), at(e=1.5), 6.0)
    assert abs(states[-1, E]) < 0.02 and states[:, E].min() > -0.15
    assert abs(states[:, V] * states[:, R]).max() < 0.95 * GRAVITY


def test_wrong_tyres_leave_no_lasting_offset():
    _, states = drive(Car(), at(), 8.0, curvature=0.02, wrong=0.6)
    assert abs(states[-100:, E]).max() < 0.06


def test_a_wall_ahead_is_not_reached():
    _, states = drive(Car(), at(18.0), 9.0, speed=18.0, station_most=np.full(STAGES, 60.0))
    assert states[-1, V] < 0.5 and 50.0 < states[:, S].max() < 60.3


def test_an_obstacle_beside_is_passed():
    low = lambda x: np.where((x[S] + x[V] * STAGE_TIMES > 40) & (x[S] + x[V] * STAGE_TIMES < 60), 1.0, -np.inf)  # noqa: E731
    _, states = drive(Car(), at(12.0), 8.0, speed=12.0, offset_low=low)
    beside = states[(states[:, S] > 41) & (states[:, S] < 59)]
    assert beside[:, E].min() > 0.93 and abs(states[-1, E]) < 0.05


def test_speed_is_reached_uphill_with_lag_and_saturation():
    car = Car(grade=0.06, accel_most=2.0)
    _, states = drive(car, at(5.0), 14.0, speed=15.0)
    assert states[:, A].max() < 2.01
    assert states[-1, V] == pytest.approx(15.0, abs=0.5) and states[:, V].max() < 15.6


def test_braking_in_a_bend_stays_within_friction():
    car = Car(friction=0.4)
    v = 14.0
    _, states = drive(car, at(v), 5.0, curvature=0.6 * 0.4 * GRAVITY / v**2, speed=4.0)
    used = np.hypot(states[:, V] * states[:, R], states[:, A]) / (0.4 * GRAVITY)
    assert used.max() < 1.08 and states[-1, V] < 9.0


def test_contradicting_bounds_fall_back_to_lqr():
    tracker = PathTracker(Car())
    high = np.full(STAGES, -5.0)
    rate, demand = tracker.step(at(), np.zeros(STAGES), np.full(STAGES, 15.0), offset_low=-high, offset_high=high)
    assert tracker.lqr_ticks == 1 and math.isfinite(rate) and math.isfinite(demand) and abs(rate) <= 0.4
    rate, _ = tracker.step(at(e=0.5), np.zeros(STAGES), np.full(STAGES, 15.0))
    assert tracker.lqr_ticks == 1 and rate < 0.0


def test_bad_states_stop_the_car_and_are_counted():
    tracker = PathTracker(Car())
    x = at()
    x[E] = math.nan
    assert tracker.step(x, np.zeros(STAGES), np.full(STAGES, 15.0)) == (0.0, -3.0) and tracker.bad_ticks == 1
    assert math.isfinite(tracker.step(at(), np.zeros(STAGES), np.full(STAGES, 15.0))[0])


def test_secant_of_the_brush_tyre():
    """A brush tyre gives mu F (1 - (1 - x)^3) at slip x of its sliding slip, with slope 3 mu F at zero."""
    for x in (0.05, 0.3, 0.6):
        force = 1 - (1 - x) ** 3
        assert secant(force) == pytest.approx(min(force, 0.95) / (3 * x), rel=1e-6)
    assert secant(0.0) == 1.0


@pytest.mark.skipif(
    find_peer(bench_control.MODULE, bench_control.VARIABLE) is None, reason="commonroad-vehicle-models is not installed"
)
def test_foreign_plants_are_tracked():
    python = find_peer(bench_control.MODULE, bench_control.VARIABLE)
    for kind in ("st", "mb"):
        row = bench_control.summary(list(bench_control.ride(python, kind, 0.3)))
        assert row["rmse_m"] < 0.15 and row["used_p95"] > 0.75

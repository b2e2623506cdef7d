"""The plant against tiny Euler steps, and the physics it must keep."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloverleaf.algo.dynamics import friction_circle, lag, single_track_step, steer_for_curvature, wheelbase
from cloverleaf.types.state import VehicleCommands, empty_actors
from cloverleaf.world.dynamics import HISTORY, PlantParameters, empty_plant, move_fleet
from naive import dynamics as naive


def fleet(n, speed=10.0, length=4.5):
    actors = empty_actors(n + 3)
    slots = np.arange(1, n + 1, dtype=np.int32)
    actors.trip[slots] = np.arange(n) + 100
    actors.kind[slots] = 1
    actors.length[slots], actors.width[slots], actors.speed[slots] = length, 1.8, speed
    return actors, slots


def commands(accel, steer):
    accel = np.atleast_1d(np.asarray(accel, float))
    return VehicleCommands(
        accel, np.broadcast_to(np.asarray(steer, float), accel.shape).copy(), np.zeros(len(accel), np.int32)
    )


@pytest.mark.parametrize("friction", [0.9, 0.3])
@pytest.mark.parametrize("length", [4.5, 12.0])
def test_plant_equals_tiny_steps(friction, length):
    rng = np.random.default_rng(3)
    n, ticks = 12, 40
    parameters = PlantParameters(friction=friction)
    actors, slots = fleet(n, length=length)
    actors.speed[slots] = rng.uniform(0, 20, n)
    actors.heading[slots] = rng.uniform(-3, 3, n)
    starts = [{k: getattr(actors, k)[i] for k in ("x", "y", "heading", "speed", "length")} for i in slots]
    plan = np.stack(
        [
            np.repeat(rng.uniform(-6, 4, (ticks // 5, n)), 5, 0),
            np.repeat(rng.uniform(-0.2, 0.2, (ticks // 5, n)), 5, 0),
        ],
        2,
    )
    plant = empty_plant(n + 3)
    for k in range(ticks):
        move_fleet(actors, slots, plant, commands(plan[k, :, 0], plan[k, :, 1]), parameters, 0.1, 16)
    for i, row in enumerate(slots):
        x, y, heading, speed, steer = naive.drive(starts[i], plan[:, i], parameters)
        assert math.hypot(actors.x[row] - x, actors.y[row] - y) < 0.25, "after 4 s"
        assert actors.speed[row] == pytest.approx(speed, abs=0.08)
        assert actors.steer[row] == pytest.approx(steer, abs=0.003)
        assert math.cos(actors.heading[row] - heading) > math.cos(0.03)


def test_four_substeps_are_enough():
    results = []
    for substeps in (4, 32):
        actors, slots = fleet(1)
        plant = empty_plant(4)
        for k in range(30):
            move_fleet(actors, slots, plant, commands(2.0 if k < 15 else -4.0, 0.05), PlantParameters(), 0.1, substeps)
        results.append((actors.x[1], actors.y[1], actors.speed[1]))
    assert results[0] == pytest.approx(results[1], abs=0.12)


def test_a_steady_turn_is_a_circle_about_the_rear_axle():
    actors, slots = fleet(1, speed=5.0)
    base = wheelbase(4.5)
    steer = steer_for_curvature(1 / 20.0, base)
    actors.steer[1] = steer
    plant = empty_plant(4)
    points = []
    for _ in range(300):
        move_fleet(actors, slots, plant, commands(0.0, steer), PlantParameters())
        rear = (
            actors.x[1] - base / 2 * math.cos(actors.heading[1]),
            actors.y[1] - base / 2 * math.sin(actors.heading[1]),
        )
        points.append(math.hypot(rear[0] + base / 2, rear[1] - 20.0))
    assert np.ptp(points) < 1e-3 and np.mean(points) == pytest.approx(20.0, abs=1e-3)
    assert actors.yaw_rate[1] == pytest.approx(5.0 / 20.0)


def test_dead_time_and_lag_of_a_brake_step():
    parameters = PlantParameters(brake_dead=0.2, brake_tau=0.1)
    actors, slots = fleet(1, speed=20.0)
    plant = empty_plant(4)
    trace = []
    for _ in range(12):
        move_fleet(actors, slots, plant, commands(-5.0, 0.0), parameters, 0.1, 64)
        trace.append(actors.accel[1])
    assert trace[:2] == [0.0, 0.0], "nothing happens within the dead time"
    mean = -5.0 * (1 - (1 - math.exp(-1.0)) * 0.1 / 0.1)
    assert trace[2] == pytest.approx(mean, rel=0.02)
    assert trace[-1] == pytest.approx(-5.0, rel=1e-3)


def test_brakes_stop_and_hold():
    actors, slots = fleet(1, speed=3.0)
    plant = empty_plant(4)
    for _ in range(40):
        move_fleet(actors, slots, plant, commands(-8.0, 0.1), PlantParameters())
        assert actors.speed[1] >= 0.0
    assert actors.speed[1] == 0.0 and actors.accel[1] == 0.0 and actors.yaw_rate[1] == 0.0
    standing = actors.x[1]
    move_fleet(actors, slots, plant, commands(-8.0, 0.1), PlantParameters())
    assert actors.x[1] == standing


def test_ice_makes_the_path_wide_and_the_stop_long():
    reach = {}
    for friction in (0.9, 0.12):
        actors, slots = fleet(2, speed=12.0)
        plant = empty_plant(5)
        for _ in range(200):
            move_fleet(actors, slots, plant, commands([-8.0, 0.0], [0.0, 0.15]), PlantParameters(friction=friction))
            lateral = actors.speed[2] * actors.yaw_rate[2]
            assert math.hypot(actors.accel[2], lateral) <= friction * 9.80665 * 1.001
        reach[friction] = actors.x[1]
    assert reach[0.9] == pytest.approx(12.0**2 / 16.0 + 12.0 * 0.2, rel=0.15)
    assert reach[0.12] == pytest.approx(12.0**2 / (2 * 0.12 * 9.80665), rel=0.1)


def test_power_limits_fast_cars():
    actors, slots = fleet(1, speed=20.0)
    plant = empty_plant(4)
    for _ in range(20):
        move_fleet(actors, slots, plant, commands(9.0, 0.0), PlantParameters())
    assert actors.accel[1] == pytest.approx(3.5 * 10.0 / actors.speed[1], rel=0.05)


def test_a_new_user_of_a_row_does_not_inherit_actuators():
    actors, slots = fleet(1)
    plant = empty_plant(4)
    for _ in range(10):
        move_fleet(actors, slots, plant, commands(-6.0, 0.3), PlantParameters())
    actors.trip[1], actors.speed[1], actors.accel[1], actors.steer[1] = 999, 10.0, 0.0, 0.0
    move_fleet(actors, slots, plant, commands(0.0, 0.0), PlantParameters())
    assert actors.accel[1] == 0.0 and actors.steer[1] == 0.0
    assert (plant.accel_history[1] == 0.0).all() and plant.accel_history.shape[1] == HISTORY


def test_commands_that_are_not_numbers_let_go():
    actors, slots = fleet(2)
    plant = empty_plant(5)
    move_fleet(actors, slots, plant, commands([np.nan, np.inf], [np.nan, -np.inf]), PlantParameters())
    assert np.isfinite(actors.x).all() and actors.speed[1] == 10.0


def test_rows_outside_the_fleet_are_untouched_and_lengths_must_match():
    actors, slots = fleet(1)
    actors.speed[3] = 7.0
    move_fleet(actors, slots, empty_plant(4), commands(1.0, 0.0), PlantParameters())
    assert actors.x[3] == 0.0 and actors.speed[3] == 7.0
    with pytest.raises(ValueError, match="1 cars but 2 commands"):
        move_fleet(actors, slots, empty_plant(4), commands([1.0, 1.0], 0.0), PlantParameters())


def test_friction_circle_keeps_direction():
    assert friction_circle(3.0, 4.0, 10.0) == (3.0, 4.0)
    assert friction_circle(3.0, 4.0, 2.5) == pytest.approx((1.5, 2.0))


def test_lag_and_step_are_exact_for_constants():
    assert lag(1.0, 3.0, 0.5, 0.25) == pytest.approx(3.0 - 2.0 * math.exp(-0.5))
    assert lag(1.0, 3.0, 0.0, 0.25) == 3.0
    x, y, heading, speed = single_track_step(0.0, 0.0, 0.0, 2.0, -5.0, 0.0, 2.7, 1.0)
    assert (y, heading, speed) == (0.0, 0.0, 0.0) and x == pytest.approx(0.4)

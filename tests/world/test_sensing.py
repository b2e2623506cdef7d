"""Sensors: sight against brute force, errors against their statistics, and nothing that leaks the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloverleaf.algo.noise import bell, fold, gauss_markov
from cloverleaf.algo.rng import stream
from cloverleaf.map.spatial import empty_grid, rebuild
from cloverleaf.types.errors import StudyError
from cloverleaf.types.state import Kind, empty_actors
from cloverleaf.world.sensing import CELL, Sensing, SensorSet, default_sensors
from cloverleaf.world.sensing_ego import PERFECT, EgoErrors
from cloverleaf.world.sensing_objects import detection_probability
from cloverleaf.world.sensing_sight import HEIGHT, empty_sight, look
from cloverleaf.world.sensing_suite import Suite, car_suite, ideal_suite, roadside_suite
from cloverleaf.world.weather import PRESETS, Weather, detection_factor, weather_named
from naive import sensing as naive

CLEAR = Weather()
SIZES = np.array([[0, 0], [4.5, 1.8], [9, 2.5], [12, 2.5], [2.2, 0.8], [1.8, 0.7], [1.8, 0.6], [0.5, 0.5], [6, 2.2]])


def crowd(n, side, seed=1, speed=8.0):
    rng = np.random.default_rng(seed)
    actors = empty_actors(n)
    actors.kind[:] = rng.choice([1, 1, 1, 2, 3, 5, 6, 7], n)
    actors.trip[:] = np.arange(n) + 500
    actors.length[:], actors.width[:] = SIZES[actors.kind].T
    actors.x[:], actors.y[:] = rng.uniform(0, side, (2, n))
    actors.heading[:], actors.speed[:] = rng.uniform(-3, 3, n), speed
    return actors


def place(actors, *users):
    for i, (kind, x, y, heading) in enumerate(users):
        actors.trip[i], actors.kind[i], actors.x[i], actors.y[i], actors.heading[i] = 10 + i, kind, x, y, heading
        actors.length[i], actors.width[i] = SIZES[kind]
    return actors


def sensing(actors, suite=None, roadside=None, ego=PERFECT, weather=CLEAR, seed=1):
    grid = empty_grid(-500, -500, 1500, 1500, CELL, len(actors.kind))
    return Sensing(
        len(actors.kind), grid, SensorSet(suite or ideal_suite(), roadside or ideal_suite(), ego), weather, seed
    )


def rows(*values):
    return np.array(values, np.int32)


NO_UNITS = np.zeros((0, 2))


@pytest.mark.parametrize("height", [1.4, 6.0])
def test_sight_equals_all_rays_against_all_boxes(height):
    shares = []
    for seed in range(3):
        actors = crowd(60, 120.0, seed)
        grid = empty_grid(0, 0, 120, 120, CELL, 60)
        rebuild(grid, actors.x, actors.y, actors.kind)
        sight = empty_sight()
        for own in range(4):
            x, y = float(actors.x[own]), float(actors.y[own])
            n = look(actors, grid, ideal_suite(100.0).sensors, x, y, 0.0, own, 100.0, height, sight)
            assert (np.diff(sight.near[sight.order[:n]]) >= 0).all()
            for k in (k for k in sight.order[:n] if sight.sensor[k] >= 0):
                expected = naive.visible(actors, (x, y), own, sight.row[k], height)
                shares.append(expected)
                assert sight.visible[k] == pytest.approx(expected, abs=0.01), (seed, own, sight.row[k])
    assert len(shares) > 500 and 0.1 < np.mean(np.array(shares) < 0.5) < 0.95


def test_a_truck_hides_what_a_mast_sees():
    actors = place(empty_actors(4), (1, 0, 0, 0), (2, 20, 0, math.pi / 2), (1, 35, 0, 0), (7, 24, 0, 0))
    frames = sensing(actors).sense(actors, rows(0), np.array([[0.0, 0.0]]), 0.0, 0)
    assert sorted(frames.objects.kind) == [2], "behind the truck nothing is seen"
    high = ideal_suite()
    tall = Suite(high.sensors, 12.0, 0, 0.0, 0.0)
    frames = sensing(actors, roadside=tall).sense(actors, rows(0), np.array([[0.0, 0.01]]), 0.0, 0)
    assert 35.0 in frames.roadside.x.round(6), "from high above the car behind the truck is seen"


def test_ideal_frames_are_the_truth_in_the_body_frame():
    actors = crowd(40, 150.0, 3)
    frames = sensing(actors).sense(actors, rows(0, 5), np.array([[70.0, 70.0]]), 2.5, 0)
    assert list(frames.ego.x) == list(actors.x[[0, 5]]) and list(frames.ego.time) == [2.5, 2.5]
    total = 0
    for i, (x, y, heading, start) in enumerate(
        [(actors.x[r], actors.y[r], actors.heading[r], 0) for r in (0, 5)] + [(70.0, 70.0, 0.0, 1)]
    ):
        frame, k = (frames.roadside, 0) if start else (frames.objects, i)
        for n in range(frame.start[k], frame.start[k + 1]):
            c, s = math.cos(heading), math.sin(heading)
            world = x + frame.x[n] * c - frame.y[n] * s, y + frame.x[n] * s + frame.y[n] * c
            row = np.hypot(actors.x - world[0], actors.y - world[1]).argmin()
            assert np.hypot(actors.x[row] - world[0], actors.y[row] - world[1]) < 1e-9
            assert math.cos(frame.heading[n] + heading - actors.heading[row]) == pytest.approx(1.0)
            assert math.hypot(frame.vx[n], frame.vy[n]) == pytest.approx(8.0)
            assert math.atan2(frame.vy[n], frame.vx[n]) == pytest.approx(frame.heading[n], abs=1e-6)
            assert (frame.kind[n], frame.length[n]) == (actors.kind[row], actors.length[row])
            total += 1
    assert total > 20


def test_who_slides_sideways_is_reported_as_doing_so():
    """A lane change of lane-bound traffic: heading and speed say nothing of it, the places do."""
    actors = place(empty_actors(3), (1, 0, 0, 0.0), (1, 20, 0, 0.5))
    actors.speed[1] = 5.0
    sensors = sensing(actors)
    sensors.sense(actors, rows(0), NO_UNITS, 0.0, 0)
    c, s = np.cos(0.5), np.sin(0.5)
    actors.x[1] += 0.1 * (5.0 * c - 1.1 * s)
    actors.y[1] += 0.1 * (5.0 * s + 1.1 * c)
    seen = sensors.sense(actors, rows(0), NO_UNITS, 0.1, 1).objects
    assert np.allclose((seen.vx[0], seen.vy[0]), (5.0 * c - 1.1 * s, 5.0 * s + 1.1 * c), atol=1e-6)
    actors.trip[1], actors.y[1] = 99, actors.y[1] + 0.1  # somebody else in that row
    seen = sensors.sense(actors, rows(0), NO_UNITS, 0.2, 2).objects
    assert np.allclose((seen.vx[0], seen.vy[0]), (5.0 * c, 5.0 * s), atol=1e-6)


def test_field_of_view_of_the_car():
    actors = place(
        empty_actors(6), (1, 0, 0, 0.3), *(
            (1, r * math.cos(0.3 + math.radians(a)), r * math.sin(0.3 + math.radians(a)), 0.0)
            for r, a in ((120, 10), (120, 25), (70, 170), (100, 180), (160, 0))
        )
    )  # fmt: skip
    suite = car_suite(0)
    seen = [0] * 5
    sensors = sensing(actors, Suite(suite.sensors, 1.4, 0, 0.0, 0.0))
    for step in range(40):
        frame = sensors.sense(actors, rows(0), NO_UNITS, 0.0, step).objects
        for x, y in zip(frame.x, frame.y):
            seen[int(np.argmin([math.hypot(x - r * math.cos(a), y - r * math.sin(a)) for r, a in (
                (120, math.radians(10)), (120, math.radians(25)), (70, math.radians(170)), (100, math.pi), (160, 0))]))] += 1  # fmt: skip
    assert seen[0] > 30 and seen[2] > 30 and seen[1] == seen[3] == seen[4] == 0


def test_latency_delivers_the_past_under_its_own_time():
    actors = place(empty_actors(3), (1, 0, 0, 0), (1, 30, 0, 0))
    late = Suite(ideal_suite().sensors, 1.4, 3, 0.0, 0.0)
    sensors = sensing(actors, late)
    for step in range(8):
        actors.x[1] = 30.0 + step
        frame = sensors.sense(actors, rows(0), NO_UNITS, step * 0.1, step).objects
        if step < 3:
            assert len(frame.x) == 0
        else:
            assert frame.x[0] == pytest.approx(30.0 + step - 3) and frame.time[0] == pytest.approx((step - 3) * 0.1)


def test_late_frames_follow_their_car_when_the_fleet_changes():
    actors = crowd(300, 900.0, 5)
    late = Suite(ideal_suite().sensors, 1.4, 2, 0.0, 0.0)
    sensors, truth = sensing(actors, late), {}
    rng = np.random.default_rng(1)
    for step in range(12):
        fleet = np.sort(rng.choice(60, rng.integers(1, 50), replace=False)).astype(np.int32)
        actors.x[:] += 0.5
        truth[step] = {r: sensing(actors).sense(actors, rows(r), NO_UNITS, 0.0, 0).objects.x.copy() for r in fleet}
        frame = sensors.sense(actors, fleet, NO_UNITS, step * 0.1, step).objects
        for i, row in enumerate(fleet):
            got = frame.x[frame.start[i] : frame.start[i + 1]]
            expected = truth[step - 2].get(row, np.zeros(0)) if step >= 2 else np.zeros(0)
            assert got == pytest.approx(expected)


def test_draws_do_not_depend_on_rows_or_on_others():
    actors = crowd(30, 60.0, 7)
    frame = sensing(actors, car_suite(0)).sense(actors, rows(4), NO_UNITS, 1.0, 0).objects
    reference = np.sort(frame.x.copy())
    order = np.random.default_rng(0).permutation(30)
    shuffled = type(actors)(*(np.ascontiguousarray(c[order]) for c in actors))
    own = int(np.flatnonzero(order == 4)[0])
    frame = sensing(shuffled, car_suite(0)).sense(shuffled, rows(own), NO_UNITS, 1.0, 0).objects
    assert np.sort(frame.x) == pytest.approx(reference, abs=1e-12)
    frame = sensing(shuffled, car_suite(0)).sense(shuffled, rows(*sorted({0, own})), NO_UNITS, 1.0, 0).objects
    i = sorted({0, own}).index(own)
    assert np.sort(frame.x[frame.start[i] : frame.start[i + 1]]) == pytest.approx(reference, abs=1e-12)
    other = sensing(actors, car_suite(0), seed=2).sense(actors, rows(4), NO_UNITS, 1.0, 0).objects
    assert len(other.x) != len(reference) or not np.allclose(np.sort(other.x), reference)


def observe(suite, distance, kind, steps=4000, weather=CLEAR):
    actors = place(empty_actors(3), (1, 0, 0, 0), (kind, distance, 0, 0.4))
    actors.speed[1] = 5.0
    sensors = sensing(actors, suite, weather=weather)
    frames = [sensors.sense(actors, rows(0), NO_UNITS, k * 0.1, k).objects for k in range(1)]
    out = []
    for k in range(1, steps):
        frames = sensors.sense(actors, rows(0), NO_UNITS, k * 0.1, k).objects
        out.append([c.copy() for c in frames[1:]] if len(frames.x) else None)
    return out


def test_noise_has_the_stated_size():
    suite = Suite(car_suite().sensors, 1.4, 0, 0.0, 0.0)
    seen = [f for f in observe(suite, 60.0, 1) if f]
    x, y = (np.array([f[k][0] for f in seen]) for k in (1, 2))
    front = [float(c[0]) for c in suite.sensors]
    assert x.mean() == pytest.approx(60.0, abs=0.02) and y.mean() == pytest.approx(0.0, abs=0.02)
    assert x.std() == pytest.approx(front[4] + 60 * front[5], rel=0.05)
    assert y.std() == pytest.approx(front[4] + 60 * front[6], rel=0.05)
    assert seen[0][9][0] == pytest.approx(math.sqrt((x.var() + y.var()) / 2), rel=0.06), "the claimed sigma is honest"
    assert np.std([f[4][0] for f in seen]) == pytest.approx(front[7], rel=0.06)


def test_misses_grow_with_range_weather_and_small_objects_and_come_in_runs():
    suite = Suite(car_suite().sensors, 1.4, 0, 0.0, 0.0)
    cases = {"near": (40, 1, CLEAR), "far": (138, 1, CLEAR), "person": (85, 7, CLEAR), "fog": (60, 1, PRESETS["fog"])}
    share = {}
    for name, (distance, kind, weather) in cases.items():
        frames = observe(suite, distance, kind, weather=weather)
        share[name] = np.mean([f is not None for f in frames])
        expected = detection_probability(kind, 0.995, 150.0, float(distance), 1.0, 0.0) * detection_factor(
            weather, distance
        )
        assert share[name] == pytest.approx(expected, abs=0.03)
    assert share["near"] > 0.98 and share["far"] < 0.85 and share["person"] < 0.8 and share["fog"] < 0.2
    missed = np.array([f is None for f in observe(suite, 142.0, 1)])
    starts = np.flatnonzero(np.diff(missed.astype(int)) == 1)
    runs = missed.sum() / max(len(starts), 1)
    assert 4.0 < runs < 14.0 and 0.3 < missed.mean() < 0.7


def test_classes_are_confused_and_ghosts_appear_at_the_stated_rate():
    sensors = car_suite().sensors
    frames = observe(Suite(sensors, 1.4, 0, 0.2, 0.0), 20.0, 1)
    kinds = np.array([f[8][0] for f in frames if f])
    assert np.mean(kinds == 2) == pytest.approx(0.2, abs=0.03) and set(kinds) == {1, 2}
    actors = place(empty_actors(2), (1, 0, 0, 0))
    world = sensing(actors, Suite(sensors, 1.4, 0, 0.0, 0.1))
    counts = [len(world.sense(actors, rows(0), NO_UNITS, 0.0, k).objects.x) for k in range(4000)]
    assert np.mean(counts) == pytest.approx(0.1, abs=0.025) and max(counts) == 1


def test_position_error_wanders_with_its_time_constant():
    errors = EgoErrors(sigma_xy=0.5, tau_xy=2.0)
    actors = place(empty_actors(40), *((1, 10.0 * k, 0, 0) for k in range(40)))
    world = sensing(actors, ego=errors)
    fleet = np.arange(40, dtype=np.int32)
    trace = np.array([world.sense(actors, fleet, NO_UNITS, k * 0.1, k).ego.x - actors.x for k in range(600)])
    assert trace.std() == pytest.approx(0.5, rel=0.1)
    lag20 = np.mean(trace[:-20] * trace[20:]) / trace.var()
    assert lag20 == pytest.approx(math.exp(-1.0), abs=0.08)
    assert world.sense(actors, fleet, NO_UNITS, 60.0, 600).ego.sigma_xy[0] == pytest.approx(0.5 * math.sqrt(2))


def test_a_new_car_in_an_old_row_has_its_own_error_and_no_old_objects():
    actors = crowd(20, 40.0)
    world = sensing(actors, Suite(ideal_suite().sensors, 1.4, 1, 0.0, 0.0), ego=EgoErrors(sigma_xy=5.0, tau_xy=1e9))
    before = [world.sense(actors, rows(0), NO_UNITS, k * 0.1, k) for k in range(2)][1]
    assert len(before.objects.x) > 0
    error = before.ego.x[0] - actors.x[0]
    actors.trip[0] = 9999
    after = world.sense(actors, rows(0), NO_UNITS, 0.2, 2)
    assert after.ego.x[0] - actors.x[0] != pytest.approx(error) and len(after.objects.x) == 0


def test_no_column_tells_who_it_is():
    names = set(default_sensors().car.sensors._fields)
    frames = sensing(crowd(5, 20.0)).sense(crowd(5, 20.0), rows(0), NO_UNITS, 0.0, 0)
    names |= set(frames.ego._fields) | set(frames.objects._fields)
    assert not names & {"trip", "row", "slot", "identity", "id", "lane", "s", "route"}


def test_bell_is_what_it_says():
    key = np.uint64(stream(1, 0, 5, 11))
    draws = np.array([bell(key, k) for k in range(40000)])
    assert draws.mean() == pytest.approx(0.0, abs=0.015) and draws.std() == pytest.approx(1.0, abs=0.01)
    assert abs(draws).max() < 3.47 and abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.015
    assert len({int(fold(key, k)) for k in range(100)} | {int(key)}) == 101
    assert gauss_markov(3.0, 1.0, 0.0, 0.1, 0.5) == 0.5
    assert gauss_markov(3.0, 0.0, 2.0, 2.0, 0.5) == pytest.approx(3.0 * math.exp(-1.0))


def test_weather_names_and_bounds():
    assert weather_named("rain").friction < CLEAR.friction
    assert detection_factor(CLEAR, 100.0) == 1.0 > detection_factor(weather_named("rain"), 100.0) > 0.5
    with pytest.raises(StudyError) as error:
        weather_named("rainn")
    assert "rain" in error.value.hint
    with pytest.raises(StudyError):
        Weather(friction=float("nan"))
    with pytest.raises(StudyError):
        Suite(roadside_suite().sensors, 6.0, -1)


def test_heights_cover_every_kind():
    assert len(HEIGHT) == len(Kind)

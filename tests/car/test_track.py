"""Tracks of the car in the loop: turning and braking road users, late detections, impossible ones, full tables."""

import math

import numpy as np
import pytest

from cloverleaf.car import state
from cloverleaf.car.drive import perceive_fleet
from cloverleaf.car.heard import heard
from cloverleaf.link.station import empty_received
from cloverleaf.types.messages import AwarenessBatch, MessageKind

STEP, LATE = 0.1, 0.1


def one_car():
    """A standing car at the origin, looking east."""
    fleet = state.empty_fleet(1)
    fleet.i[0, state.STATION] = 1
    return fleet


def detection(time, x, y, heading, speed, kind=1, noise=None):
    off = np.zeros(4) if noise is None else noise.normal(size=4) * [0.15, 0.15, 0.2, 0.2]
    vx, vy = speed * math.cos(heading) + off[2], speed * math.sin(heading) + off[3]
    return [time, x + off[0], y + off[1], heading, vx, vy, 4.5, 1.8, kind, 0.15, 0.95]


def look(fleet, rows, now, inbox=None):
    seen = np.array(rows, float).reshape(-1, 11)
    perceive_fleet(
        fleet, state.empty_scratch(), np.zeros(1, np.int64), seen, np.array([0, len(seen)]),
        heard(empty_received(np.array([1])) if inbox is None else inbox), now, STEP,
    )  # fmt: skip
    return fleet.track[0, : fleet.i[0, state.COUNT]]


def drive(accel, turn, seconds, speed, seed=0):
    """Follow one road user 20 m ahead that drives so; returns the track and the truth (x, y, heading, speed) at the end."""
    noise, fleet = np.random.default_rng(seed), one_car()
    x, y, heading, past = 20.0, 0.0, 0.0, []
    for k in range(round(seconds / STEP)):
        now = k * STEP
        past.append((now, x, y, heading, speed))
        if k:
            tracks = look(fleet, [detection(*past[-2], noise=noise)], now)
            assert len(tracks) == 1
        for _ in range(10):
            x, y = x + 0.01 * speed * math.cos(heading), y + 0.01 * speed * math.sin(heading)
            heading, speed = heading + 0.01 * turn, max(speed + 0.01 * accel, 0.0)
    return fleet.track[0, 0], past[-1][1:]


@pytest.mark.parametrize("seed", range(5))
def test_a_turning_vehicle(seed):
    track, (x, y, heading, speed) = drive(0.0, 0.4, 4.0, 8.0, seed)
    assert math.hypot(track[state.T_X] - x, track[state.T_Y] - y) < 0.4
    assert track[state.T_YAW] == pytest.approx(0.4, abs=0.1)
    assert abs(math.remainder(track[state.T_HEADING] - heading, 2 * math.pi)) < 0.05
    off = track[state.T_VX] - speed * math.cos(heading), track[state.T_VY] - speed * math.sin(heading)
    assert math.hypot(*off) < 0.6


@pytest.mark.parametrize("seed", range(5))
def test_a_braking_vehicle(seed):
    track, (x, _y, _heading, speed) = drive(-4.0, 0.0, 2.5, 15.0, seed)
    assert track[state.T_ACCEL] == pytest.approx(-4.0, abs=1.0)
    assert track[state.T_VX] == pytest.approx(speed, abs=0.6) and track[state.T_X] == pytest.approx(x, abs=0.4)


def test_who_has_stopped_neither_turns_nor_speeds_up():
    track, (x, _y, _heading, speed) = drive(-4.0, 0.0, 8.0, 12.0)
    assert speed == 0.0 and track[state.T_YAW] == 0.0
    assert track[state.T_X] == pytest.approx(x, abs=0.2) and abs(track[state.T_ACCEL]) < 0.5


@pytest.mark.parametrize("late", [0.0, 0.1, 0.3])
def test_what_others_read_holds_now_however_old_the_look(late):
    fleet = one_car()
    for k in range(20):
        now = k * STEP
        tracks = look(fleet, [detection(now - late, 20.0 + 10.0 * (now - late), 0.0, 0.0, 10.0)], now)
    assert tracks[0, state.T_X] == pytest.approx(20.0 + 10.0 * now, abs=0.05)
    assert tracks[0, state.T_TIME] == now and tracks[0, state.T_FILTERED] == pytest.approx(now - late)


def announced(time, x, speed):
    """An inbox of one announcement of station 9, which drives east."""
    one = np.ones(1)
    return empty_received(np.array([1]))._replace(
        start=np.array([0, 1]), kind=np.array([MessageKind.AWARENESS], np.int32), message=np.zeros(1, np.int32), delay=0.1 * one,
        awareness=AwarenessBatch(
            np.array([9]), time * one, x * one, 0.0 * one, 0.0 * one, speed * one, 0.0 * one, 0.0 * one, 4.5 * one, 1.8 * one,
            np.ones(1, np.int32), np.zeros(1, np.int32),
        ),
    )  # fmt: skip


def test_looks_that_come_after_newer_messages_are_carried_ahead():
    fleet, place = one_car(), lambda t: 20.0 + 10.0 * t
    for k in range(30):
        now = k * STEP
        tracks = look(
            fleet,
            [detection(now - 0.5, place(now - 0.5), 0.0, 0.0, 10.0)],
            now,
            announced(now - 0.1, place(now - 0.1), 10.0),
        )
    assert len(tracks) == 1 and tracks[0, state.T_X] == pytest.approx(place(now), abs=0.1)
    assert tracks[0, state.T_FILTERED] == pytest.approx(now - 0.1)


def test_impossible_detections_move_nothing():
    fleet = one_car()
    for k in range(10):
        rows = [detection(k * STEP, 20.0, 0.0, 0.0, 0.0)]
        for place, value in ((1, math.nan), (4, math.inf), (2, 1e6), (9, -1.0)):
            rows.append(detection(k * STEP, 20.0, 0.0, 0.0, 0.0))
            rows[-1][place] = value
        tracks = look(fleet, rows, k * STEP)
    assert len(tracks) == 1 and np.isfinite(tracks).all() and abs(tracks[0, state.T_X] - 20.0) < 1e-6


def test_the_row_of_an_ended_track_goes_to_the_last_with_its_filter():
    fleet = one_car()
    ahead = [detection(0.0, 20.0 + 15.0 * n, 0.0, 0.0, 0.0) for n in range(3)]
    look(fleet, ahead, 0.0)
    for k in range(1, 20):
        rows = [detection(k * STEP, 20.0 + 15.0 * n, 0.0, 0.0, 0.0) for n in (1, 2)]
        tracks = look(fleet, rows, k * STEP)
    assert sorted(tracks[:, state.T_X].round(3)) == [35.0, 50.0]
    assert fleet.motion[0, :2, :, 0] == pytest.approx(np.repeat(tracks[:, [state.T_X]], 2, 1))

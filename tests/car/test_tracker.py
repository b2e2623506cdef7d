"""The multi-object tracker: births, deaths, turns, order of frames, bad input."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.car.perceive import tracks as T
from cloverleaf.car.perceive.tracker import Tracker

TUNING = T.Tuning(sigma=0.3, sigma_per_m=0.0)


def frame(*objects, score=0.9):
    """Detections of (x, y, heading) cars."""
    rows = np.zeros((len(objects), T.DETECTION))
    for row, (x, y, heading) in zip(rows, objects, strict=True):
        row[: T.D_SCORE] = x, y, 0.8, heading, 4.5, 1.8, 1.5
        row[T.D_SCORE] = score
    return rows


def crossing(r, step):
    """Two cars that cross each other's way, with noise."""
    t = 0.1 * step
    return frame(
        (-20 + 10 * t + r.normal() * 0.1, 1.0 + r.normal() * 0.1, 0.0),
        (0.5 + r.normal() * 0.1, 25 - 10 * t + r.normal() * 0.1, -math.pi / 2),
    )


def test_two_cars_keep_their_identities_and_speeds():
    r = np.random.default_rng(0)
    tracker = Tracker(TUNING)
    for step in range(45):
        tracker.step(crossing(r, step), 0.1 * step)
    f, ints = tracker.tracks.f, tracker.tracks.i
    told = tracker.told()
    assert sorted(ints[told, T.ID]) == [1, 2]
    first = told[np.argmin(ints[told, T.ID])]
    assert f[first, T.VX] == pytest.approx(10, abs=0.7) and f[first, T.VY] == pytest.approx(0, abs=0.7)


def test_a_turning_car_is_followed_by_the_turning_model():
    tracker = Tracker(TUNING)
    r = np.random.default_rng(1)
    for step in range(60):
        a = 0.05 * step
        tracker.step(frame((20 * math.cos(a) + 0.05 * r.normal(), 20 * math.sin(a), a + math.pi / 2)), 0.1 * step)
    k = tracker.told()[0]
    assert tracker.tracks.f[k, T.SHARE_CTRA] > 0.5
    ahead = tracker.predicted(5.9 + 0.5)
    a = 0.05 * 59 + 0.25
    assert math.hypot(ahead.f[k, T.X] - 20 * math.cos(a), ahead.f[k, T.Y] - 20 * math.sin(a)) < 0.8


def test_strong_detections_are_told_sooner_and_misses_end_tracks():
    strong, weak = Tracker(TUNING), Tracker(TUNING)
    strong.step(frame((10, 0, 0), score=0.95), 0.0)
    weak.step(frame((10, 0, 0), score=0.55), 0.0)
    assert len(strong.told()) == 1 and len(weak.told()) == 0
    for step in range(1, 6):
        weak.step(frame((10, 0, 0), score=0.55), 0.1 * step)
    assert len(weak.told()) == 1
    for step in range(6, 30):
        weak.step(frame(), 0.1 * step)
    assert weak.tracks.n[0] == 0


def test_weak_detections_continue_but_never_start():
    tracker = Tracker(TUNING)
    tracker.step(frame((10, 0, 0), score=0.3), 0.0)
    assert tracker.tracks.n[0] == 0
    for step in range(1, 5):
        tracker.step(frame((10, 0, 0)), 0.1 * step)
    tracker.step(frame((10, 0, 0), score=0.3), 0.5)
    assert tracker.tracks.n[0] == 1 and tracker.tracks.i[0, T.MISSES] == 0


def test_frames_out_of_order_give_the_same_as_in_order():
    r = np.random.default_rng(3)
    frames = [crossing(r, step) for step in range(30)]
    in_order, mixed = Tracker(TUNING, memory=0.6), Tracker(TUNING, memory=0.6)
    for step, rows in enumerate(frames):
        in_order.step(rows, 0.1 * step)
    order = list(range(30))
    for i in (4, 11, 17, 25):
        order[i : i + 4] = [order[i + 3], order[i], order[i + 1], order[i + 2]]
    assert order != sorted(order)
    for step in order:
        mixed.step(frames[step], 0.1 * step)
    for a, b in zip(in_order.tracks, mixed.tracks, strict=True):
        assert np.array_equal(a[: in_order.tracks.n[0]], b[: in_order.tracks.n[0]])
    assert not any(mixed.dropped.values())


def test_class_is_decided_by_all_votes():
    tracker = Tracker(TUNING)
    for step in range(6):
        rows = frame((10, 0, 0))
        rows[:, T.D_CLASS] = 3 if step == 4 else 1
        tracker.step(rows, 0.1 * step)
    assert tracker.tracks.i[0, T.CLASS] == 1


def test_bad_input_is_dropped_and_counted():
    tracker = Tracker(TUNING, capacity=8, detections=4, memory=0.3)
    bad = frame((math.nan, 0, 0), (math.inf, 0, 0), (10, 0, 0), (0, 1e9, 0))
    tracker.step(bad, 0.0)
    assert tracker.dropped["impossible"] == 3 and tracker.tracks.n[0] == 1
    tracker.step(frame((10, 0, 0)), math.nan)
    tracker.step(bad, 0.0)
    tracker.step(frame(), 1.0)
    tracker.step(frame((10, 0, 0)), 0.5)
    assert tracker.dropped == {"impossible": 4, "late": 1, "duplicate": 1, "crowded": 0}
    tracker.step(frame(*[(5 * k, 0, 0) for k in range(7)]), 1.1)
    assert tracker.dropped["crowded"] == 3
    for step in range(12, 20):
        tracker.step(frame(*[(20 * k, 30 * (step % 7), 0) for k in range(4)]), 0.1 * step)
    assert tracker.tracks.n[0] <= 8 and np.isfinite(tracker.tracks.f).all()


def test_the_example_runs():
    example = Path(__file__).parents[2] / "examples" / "02_track.py"
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and done.stdout.count("track ") == 2, done.stderr

"""Riders beside cars: offsets, passing and filtering against plain geometry."""

from __future__ import annotations

import numpy as np
import pytest

from cloverleaf.human import riders as r

CAR, BIKE = 1.8, 0.7


def free_of(d_a, w_a, d_b, w_b):
    """Free space between two users abreast, by their sides, m."""
    a, b = (d_a - w_a / 2, d_a + w_a / 2), (d_b - w_b / 2, d_b + w_b / 2)
    return max(b[0] - a[1], a[0] - b[1])


def test_disturbs_is_free_space_below_the_clearance():
    rng = np.random.default_rng(1)
    for d_a, d_b, w_a, w_b, c in rng.uniform([-2, -2, 0.5, 0.5, 0], [2, 2, 2.5, 2.5, 1.5], (300, 5)):
        assert r.disturbs(d_a, w_a, d_b, w_b, c) == (free_of(d_a, w_a, d_b, w_b) < c)


def test_riders_keep_right_and_inside():
    for width in (2.0, 3.25, 4.5):
        d = r.riding_offset(width, BIKE, False)
        assert d - BIKE / 2 == pytest.approx(-width / 2 + r.EDGE_CLEARANCE)
    assert r.riding_offset(3.25, BIKE, True) == 0.0
    narrow = r.riding_offset(1.0, BIKE, False)
    assert narrow - BIKE / 2 >= -0.5 - 1e-12


@pytest.mark.parametrize(
    ("lane", "speed", "clear"),
    [(3.25, 5.0, None), (3.5, 5.0, None), (4.1, 5.0, 1.0), (4.1, 12.0, None), (4.6, 5.0, 1.5), (4.6, 14.0, 1.5)],
)
def test_room_decides_who_may_pass(lane, speed, clear):
    rider = r.riding_offset(lane, BIKE, False)
    d = r.may_pass(lane, CAR, speed, rider, BIKE)
    if clear is None:
        assert d == 1e9
    else:
        assert free_of(d, CAR, rider, BIKE) == pytest.approx(clear)
        assert d + CAR / 2 <= lane / 2 + 1e-12


def test_filtering_needs_room_and_a_slow_queue():
    assert r.filter_speed(3.25, BIKE, 0.0, CAR, 0.0, 5.0) == 0.0, "0.73 m are not enough"
    assert r.filter_speed(3.25, BIKE, 0.4, CAR, 0.0, 5.0) == 0.0
    assert r.filter_speed(3.75, BIKE, 0.4, CAR, 0.0, 5.0) == r.FILTER_SPEED
    assert r.filter_speed(3.75, BIKE, 0.4, CAR, 0.0, 2.0) == 2.0
    assert r.filter_speed(3.75, BIKE, 0.4, CAR, 4.0, 5.0) == 0.0
    d = r.filter_offset(3.75, 0.4, CAR)
    assert free_of(d, BIKE, 0.4, CAR) >= r.FILTER_CLEARANCE and d - BIKE / 2 >= -3.75 / 2 + r.FILTER_CLEARANCE


def test_drift_is_slow_and_needs_speed():
    d, track = 0.0, []
    for _ in range(60):
        d = r.drift(d, -1.0, 5.0, 0.1)
        track.append(d)
    assert track[-1] == -1.0 and np.abs(np.diff(track)).max() <= 0.05 + 1e-12
    assert r.drift(0.0, -1.0, 0.0, 0.1) == 0.0

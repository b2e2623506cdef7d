"""Turning from the wrong lane: the least time over a distance, beside driving it in small steps."""

import numpy as np
import pytest

from cloverleaf.world.turns import shortest_time


def driven(distance, speed, accel, top, step=1e-4):
    time = 0.0
    while distance > 0.0:
        speed = min(top, speed + accel * step) if speed < top else speed
        distance -= speed * step
        time += step
    return time


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_sooner_than_by_full_acceleration(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        distance, speed = rng.uniform(0.5, 60.0), rng.uniform(0.0, 14.0)
        accel, top = rng.uniform(0.5, 3.0), rng.uniform(5.0, 14.0)
        assert shortest_time(distance, speed, accel, top) == pytest.approx(
            driven(distance, speed, accel, top), rel=2e-3, abs=2e-3
        )


def test_at_the_line_there_is_no_time_left_and_a_standing_one_that_cannot_start_takes_long():
    assert shortest_time(0.0, 5.0, 2.0, 14.0) == 0.0
    assert shortest_time(10.0, 0.0, 2.0, 0.0) == pytest.approx(100.0)

"""Shapes of transitions: ends, peak rates and accelerations, held against finite differences."""

import math

import pytest

from cloverleaf.loop.storyboard.transition import (
    range_by_acceleration,
    range_by_dimension,
    shape_rate,
    shape_value,
)
from cloverleaf.scenario.storyboard.tables import CUBIC, LINEAR, OF_DISTANCE, OF_RATE, OF_TIME, SINUSOIDAL, STEP

SMOOTH = [LINEAR, SINUSOIDAL, CUBIC]


def naive(shape, start, target, x, c):
    """The standard's formulas, written out."""
    u, b = x / c, target - start
    return (
        start
        + {
            LINEAR: b * u,
            CUBIC: b * (3 * u**2 - 2 * u**3),
            SINUSOIDAL: b * (1 - math.cos(math.pi * u)) / 2,
        }[shape]
    )


@pytest.mark.parametrize("shape", SMOOTH)
@pytest.mark.parametrize(("start", "target"), [(0.0, 3.5), (20.0, -4.0), (1.0, 1.0)])
def test_values_and_rates(shape, start, target):
    c, h = 4.0, 1e-6
    for k in range(1, 40):
        x = c * k / 40
        assert shape_value(shape, start, target, x, c) == pytest.approx(naive(shape, start, target, x, c), abs=1e-12)
        slope = (naive(shape, start, target, x + h, c) - naive(shape, start, target, x - h, c)) / (2 * h)
        assert shape_rate(shape, start, target, x, c) == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("shape", SMOOTH)
def test_ends_are_kept(shape):
    assert shape_value(shape, 2.0, 9.0, -1.0, 3.0) == 2.0
    assert shape_value(shape, 2.0, 9.0, 5.0, 3.0) == pytest.approx(9.0)
    assert shape_value(STEP, 2.0, 9.0, 0.0, 3.0) == 9.0 == shape_value(shape, 2.0, 9.0, 0.0, 0.0)


@pytest.mark.parametrize("shape", SMOOTH)
def test_rate_dimension_is_the_peak_rate(shape):
    c = range_by_dimension(shape, OF_RATE, 2.5, -7.0)
    peak = max(abs(shape_rate(shape, 7.0, 0.0, c * k / 1000, c)) for k in range(1001))
    assert peak == pytest.approx(2.5, rel=1e-5)
    assert range_by_dimension(shape, OF_TIME, 3.0, 9.0) == 3.0 == range_by_dimension(shape, OF_DISTANCE, 3.0, 9.0)


@pytest.mark.parametrize("shape", [SINUSOIDAL, CUBIC])
def test_range_by_acceleration(shape):
    c = range_by_acceleration(shape, 3.0, 0.4)
    h = c / 1e5
    accel = [
        (shape_rate(shape, 0.0, 3.0, x + h, c) - shape_rate(shape, 0.0, 3.0, x, c)) / h
        for x in [c * k / 500 for k in range(499)]
    ]
    assert max(map(abs, accel)) == pytest.approx(0.4, rel=1e-3)
    assert range_by_acceleration(shape, 3.0, math.inf) == 0.0

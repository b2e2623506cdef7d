"""How a value goes from start to target: the shapes of TransitionDynamics (clause "DynamicsShape"), with peak rates and accelerations.

The parameter x runs from 0 to c (time or distance); b is the whole change. Linear b x/c; cubic b (3 (x/c)^2 - 2 (x/c)^3); sinusoidal
b (1 - cos(pi x/c))/2. The rate of a shape given by `rate` is its peak: b/c, 1.5 b/c, (pi/2) b/c.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.scenario.storyboard.tables import CUBIC, LINEAR, OF_RATE, SINUSOIDAL, STEP

TINY = 1e-6


@kernel
def shape_value(shape, start, target, x, c):
    """The value at parameter x."""
    if shape == STEP or c < TINY:
        return target
    u = min(max(x / c, 0.0), 1.0)
    b = target - start
    if shape == LINEAR:
        return start + b * u
    if shape == CUBIC:
        return start + b * u * u * (3.0 - 2.0 * u)
    return start + 0.5 * b * (1.0 - math.cos(math.pi * u))


@kernel
def shape_rate(shape, start, target, x, c):
    """Change of the value per parameter at x; 0 for a step."""
    if shape == STEP or c < TINY:
        return 0.0
    u = min(max(x / c, 0.0), 1.0)
    b = target - start
    if shape == LINEAR:
        return b / c
    if shape == CUBIC:
        return 6.0 * b * u * (1.0 - u) / c
    return 0.5 * math.pi * b * math.sin(math.pi * u) / c


@kernel
def peak_factor(shape):
    """Peak rate over mean rate."""
    if shape == CUBIC:
        return 1.5
    if shape == SINUSOIDAL:
        return 0.5 * math.pi
    return 1.0


@kernel
def range_by_dimension(shape, dimension, value, change):
    """Length c of the transition: `value` itself, or what makes `value` the peak rate."""
    if shape == STEP:
        return 0.0
    if dimension == OF_RATE:
        return peak_factor(shape) * abs(change) / max(abs(value), TINY)
    return max(value, 0.0)


@kernel
def range_by_acceleration(shape, change, peak):
    """Length c (s) at which the peak acceleration of the shape is `peak`; a linear shape, which has no finite one, counts as cubic."""
    if shape == STEP or not peak < math.inf:
        return 0.0
    if shape == SINUSOIDAL:
        return math.pi * math.sqrt(abs(change) / (2.0 * max(peak, TINY)))
    return math.sqrt(6.0 * abs(change) / max(peak, TINY))

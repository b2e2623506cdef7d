"""Cheap bounded noise for sensors: bell-shaped draws and first-order Gauss-Markov processes (compiled, scalar).

One hash gives one draw: the sum of four 16-bit uniforms (Irwin-Hall), scaled to mean 0 and standard deviation 1. It is bounded by
+-3.47 and its excess kurtosis is -0.3; `algo/rng.normal` has the true tails, at ten times the cost.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import mix64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MASK = np.uint64(0xFFFF)
_S16, _S32, _S48 = np.uint64(16), np.uint64(32), np.uint64(48)
_CENTRE = 2.0 * 65535.0
_SCALE = 1.0 / math.sqrt(4.0 * (65536.0 * 65536.0 - 1.0) / 12.0)


@kernel
def fold(key, number):
    """Key of a sub-stream: `number` (int64) of stream `key` (uint64)."""
    return mix64(key ^ mix64(np.uint64(number) + _GOLDEN))


@kernel
def bell(key, counter):
    """Bell-shaped draw number `counter` (int64) of the stream: mean 0, standard deviation 1, within +-3.47."""
    z = mix64(key + np.uint64(counter) * _GOLDEN)
    total = float(z & _MASK) + float((z >> _S16) & _MASK) + float((z >> _S32) & _MASK) + float(z >> _S48)
    return (total - _CENTRE) * _SCALE


@kernel
def gauss_markov(value, sigma, tau, dt, draw):
    """Next value of a first-order Gauss-Markov process with stationary deviation `sigma` and correlation time `tau` s.

    `draw` has mean 0 and deviation 1. tau <= 0 gives white noise.
    """
    if tau <= 0.0:
        return sigma * draw
    keep = math.exp(-dt / tau)
    return value * keep + sigma * math.sqrt(1.0 - keep * keep) * draw

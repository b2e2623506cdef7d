"""Counter-based random streams: a pure function of (seed, world, actor, purpose, counter).

No state is kept, so the order in which actors are visited, the number of workers and the presence of other actors cannot
change anyone's draws: that is what makes the arms of a study comparable (common random numbers).
Mixing: the splitmix64 finaliser (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel

# Purposes. Add at the end and never renumber: digests depend on them.
DRIVER_TYPE = 1
SPEED_FACTOR = 2
DAWDLE = 3
LANE_CHANGE = 4
DEPART = 5
ATTENTION = 6
GAP_ERROR = 7
RED_LIGHT = 8
YIELD_ERROR = 9
REACTION = 10
SENSOR_NOISE = 11
SENSOR_MISS = 12
CHANNEL = 13
PEDESTRIAN = 14
ROUTE_CHOICE = 15
SMART_SHARE = 16
GNSS = 17
PERCEPTION_ROAD = 18
PARAMETER_VALUE = 19
SLOPPY_DRIVER = 20
PSEUDONYM = 21
SCENARIO_TRAFFIC = 22
LANE_VIEW = 23

_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_S11, _S27, _S30, _S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
_TWO_53 = 1.0 / 9007199254740992.0


@kernel
def mix64(z):
    """splitmix64 finaliser: a bijection of 64-bit words (uint64 -> uint64)."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def stream(seed, world, actor, purpose):
    """Key of one stream (uint64). All arguments are int64; equal arguments give the same stream for ever."""
    z = mix64(np.uint64(seed) + _GOLDEN)
    z = mix64(z + np.uint64(world) * _GOLDEN + _M1)
    z = mix64(z + np.uint64(actor) * _GOLDEN + _M2)
    return mix64(z + np.uint64(purpose) * _GOLDEN)


@kernel
def uniform(key, counter):
    """Draw number `counter` (int64) of the stream: a double in [0, 1), 53 random bits."""
    return float(mix64(key + np.uint64(counter) * _GOLDEN) >> _S11) * _TWO_53


@kernel
def normal(key, counter):
    """Standard normal draw number `counter` (Box-Muller, cosine branch); uses uniforms 2c and 2c+1."""
    u1 = uniform(key, 2 * counter)
    u2 = uniform(key, 2 * counter + 1)
    return math.sqrt(-2.0 * math.log(1.0 - u1)) * math.cos(2.0 * math.pi * u2)


@kernel
def truncated_normal(key, counter, mean, deviation, low, high):
    """Normal draw clipped to [low, high] by redrawing up to 16 times, then by clipping."""
    for i in range(16):
        value = mean + deviation * normal(key, counter * 16 + i)
        if low <= value <= high:
            return value
    return min(max(mean, low), high)

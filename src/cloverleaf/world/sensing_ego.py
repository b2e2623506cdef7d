"""Own motion as a car measures it: GNSS/INS with slowly wandering errors, odometry and gyro with white noise.

Position and heading errors are first-order Gauss-Markov processes. A GNSS/INS with MEMS sensors and corrections holds some
decimetres on city roads; receivers in street canyons wander by metres over tens of seconds, as multipath is
correlated over 10-60 s. Draws depend on (seed, world, trip, step) only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.noise import bell, fold, gauss_markov
from cloverleaf.algo.rng import GNSS, normal, stream
from cloverleaf.types.frames import EgoFrame
from cloverleaf.types.state import F64, I64


class EgoErrors(NamedTuple):
    """Error model of own motion; scalars."""

    sigma_xy: float = 0.25  # m per axis
    tau_xy: float = 30.0  # s
    sigma_heading: float = 0.005  # rad
    tau_heading: float = 60.0  # s
    sigma_speed: float = 0.05  # m/s
    sigma_accel: float = 0.10  # m/s2
    sigma_yaw_rate: float = 0.002  # rad/s


PERFECT = EgoErrors(0.0, 30.0, 0.0, 60.0, 0.0, 0.0, 0.0)
"""No errors: for tests and upper bounds."""


class EgoState(NamedTuple):
    """Present errors by row of Actors; shape (capacity,)."""

    trip: I64  # whose errors these are
    x: F64  # m
    y: F64
    heading: F64  # rad


def empty_ego_state(capacity: int) -> EgoState:
    """No errors yet: each car draws its own when first measured."""
    return EgoState(np.full(capacity, -1, np.int64), np.zeros(capacity), np.zeros(capacity), np.zeros(capacity))


def empty_ego_frame(capacity: int) -> EgoFrame:
    """Buffers for `capacity` cars."""
    return EgoFrame(*(np.zeros(capacity) for _ in EgoFrame._fields))


@kernel
def measure_ego(actors, slots, state, errors, seed, world, time, step, dt, out):
    """Own motion of the cars in rows `slots` (n,) at `time` s into the first n rows of `out`; dt s since the last call."""
    for i in range(slots.shape[0]):
        row = slots[i]
        own = stream(seed, world, actors.trip[row], GNSS)
        if state.trip[row] != actors.trip[row]:
            state.trip[row] = actors.trip[row]
            state.x[row] = errors.sigma_xy * normal(own, 0)
            state.y[row] = errors.sigma_xy * normal(own, 1)
            state.heading[row] = errors.sigma_heading * normal(own, 2)
        else:
            key = fold(own, step)
            state.x[row] = gauss_markov(state.x[row], errors.sigma_xy, errors.tau_xy, dt, bell(key, 0))
            state.y[row] = gauss_markov(state.y[row], errors.sigma_xy, errors.tau_xy, dt, bell(key, 1))
            state.heading[row] = gauss_markov(
                state.heading[row], errors.sigma_heading, errors.tau_heading, dt, bell(key, 2)
            )
        key = fold(own, -1 - step)
        out.time[i] = time
        out.x[i] = actors.x[row] + state.x[row]
        out.y[i] = actors.y[row] + state.y[row]
        out.heading[i] = wrap_angle(actors.heading[row] + state.heading[row])
        # Wheel sensors report standstill exactly.
        moving = 1.0 if abs(actors.speed[row]) > 0.05 else 0.0
        out.speed[i] = actors.speed[row] + moving * errors.sigma_speed * bell(key, 3)
        out.accel[i] = actors.accel[row] + errors.sigma_accel * bell(key, 4)
        out.yaw_rate[i] = actors.yaw_rate[row] + errors.sigma_yaw_rate * bell(key, 5)
        out.sigma_xy[i] = math.sqrt(2.0) * errors.sigma_xy

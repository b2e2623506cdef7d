"""A lane change that has begun is given up while the car is still nearer to its old lane, if somebody turns out to be beside it."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.occupy import occupy
from cloverleaf.car.state import (
    LANE,
    LANE_D,
    LANE_S,
    LAST_CHANGE,
    LENGTH,
    OFF,
    SHIFT,
    SHIFT_DONE,
    SHIFT_LENGTH,
    SPEED,
)  # fmt: skip
from cloverleaf.types.traffic import LANE_LEFT, LANE_LENGTH, LANE_RIGHT, LANE_WIDTH

STILL_THERE = 0.55  # share of the lanes' distance that must be left to go: else going on is the shorter way out
LEAST_GAP = 0.5  # m
REAR_TIME, REAR_DECEL = 0.3, 4.0  # s, m/s2: less than this behind is beside
BACK_TIME, BACK_LEAST = 2.5, 12.0  # s, m, of the way back


@kernel
def somebody_beside(occ, f, i):
    """True if one of the occupants of the lane is alongside, or would have to brake hard right behind."""
    half, v = 0.5 * f[i, LENGTH], f[i, SPEED]
    for r in range(occ.n[0]):
        low, high, u = occ.low[r, 0], occ.high[r, 0], occ.v[r, 0]
        if low == math.inf:
            continue
        closing = max(u - v, 0.0)
        behind = LEAST_GAP + REAR_TIME * max(u, 0.0) + closing * closing / (2.0 * REAR_DECEL)
        if low < half + LEAST_GAP and high > -half - behind:
            return True
    return False


@kernel
def give_up_change(book, fleet, scratch, i, now):
    """Turn back to the old lane if the new one is taken; returns 1 if so. Needs `scratch.keep`, the path on the new lane."""
    f, ints = fleet.f, fleet.i
    if f[i, SHIFT] == 0.0:
        return 0
    lane, right = ints[i, LANE], f[i, SHIFT] < 0.0  # the old lane lies where the car still is
    old = np.int64(book.lane_i[lane, LANE_RIGHT] if right else book.lane_i[lane, LANE_LEFT])
    if old < 0:
        return 0
    apart = 0.5 * (book.lane_f[lane, LANE_WIDTH] + book.lane_f[old, LANE_WIDTH])
    toward = -f[i, LANE_D] if right else f[i, LANE_D]
    if toward < STILL_THERE * apart:
        return 0
    shift, off = f[i, SHIFT], f[i, OFF]
    f[i, SHIFT], f[i, OFF] = 0.0, 0.0
    occupy(scratch.keep, scratch.hyp, scratch.occ_change, f, i, np.int64(1))
    f[i, SHIFT], f[i, OFF] = shift, off
    if not somebody_beside(scratch.occ_change, f, i):
        return 0
    f[i, LANE_S] *= book.lane_f[old, LANE_LENGTH] / book.lane_f[lane, LANE_LENGTH]
    ints[i, LANE] = old
    f[i, LANE_D] += apart if right else -apart
    f[i, SHIFT] = f[i, LANE_D]
    f[i, SHIFT_DONE], f[i, SHIFT_LENGTH] = 0.0, max(BACK_LEAST, BACK_TIME * f[i, SPEED])
    f[i, LAST_CHANGE] = now
    return 1

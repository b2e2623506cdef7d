"""Does a roadside sensor still look where it is believed to look? Held against the vehicles that say themselves where they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64

ENOUGH = 20
"""Pairs from which on a statement is made."""
MOST_SHIFT, MOST_TURN = 0.7, math.radians(0.8)
"""m and rad from which on a sensor counts as moved."""


class Calibration(NamedTuple):
    """The rigid motion that would lay a sensor's positions on the announced ones."""

    shift_x: float  # m
    shift_y: float
    turn: float  # rad, about the sensor
    residual: float  # m, root mean square left over
    pairs: int

    @property
    def fits(self) -> bool:
        """Whether the sensor may be trusted."""
        return math.hypot(self.shift_x, self.shift_y) <= MOST_SHIFT and abs(self.turn) <= MOST_TURN


def check(seen_x: F64, seen_y: F64, said_x: F64, said_y: F64, at_x: float, at_y: float) -> Calibration | None:
    """Least squares (Kabsch) over pairs of seen and announced positions, shape (n,), m; sensor at (at_x, at_y). None: too few pairs.

    Pairs farther apart than three times the median distance are left out: those are wrong pairs.
    """
    gap = np.hypot(seen_x - said_x, seen_y - said_y)
    good = gap <= 3.0 * max(float(np.median(gap)), 0.1) if len(gap) else np.zeros(0, bool)
    if good.sum() < ENOUGH:
        return None
    a = np.column_stack((seen_x[good] - at_x, seen_y[good] - at_y))
    b = np.column_stack((said_x[good] - at_x, said_y[good] - at_y))
    ma, mb = a.mean(axis=0), b.mean(axis=0)
    p, q = a - ma, b - mb
    turn = math.atan2(float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()), float((p * q).sum()))
    c, s = math.cos(turn), math.sin(turn)
    moved = a @ np.array([[c, s], [-s, c]])
    shift = mb - moved.mean(axis=0)
    left = moved + shift - b
    return Calibration(
        float(shift[0]), float(shift[1]), turn, float(np.sqrt((left**2).sum(axis=1).mean())), int(good.sum())
    )

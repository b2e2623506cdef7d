"""The door of lane markings: what the lane camera says goes on to the filter only if it can be true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.car.rows import rows_of
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.runtime.topics import topic
from cloverleaf.types.frames import LaneFrame
from cloverleaf.types.state import F64, I64

WIDEST = 5.0  # m from the middle of a lane that is still in it
LEAST_SURE = 1.0  # m, deviation of an offset that still says something
SLACK = 1e-6  # s


class _Last(NamedTuple):
    time: F64  # s, of the newest picture; shape (n,)
    offset: F64  # m, in the picture before


class MarkingDoor:
    """Memory of one fleet's lane cameras; call `check` once a tick."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._stations: I64 = np.zeros(0, np.int64)
        self._last = _Last(np.zeros(0), np.zeros(0))

    def check(self, stations: I64, lanes: LaneFrame | None, t: float) -> LaneFrame:
        """Offsets that may be used at time `t` (s), NaN for the others, in the order of the cars `stations` (n,).

        lanes: as delivered, None for nothing. To see no markings is no fault; the receiver alone leads on, with its wider bound.
        """
        self.tally.arrange(stations)
        n = len(stations)
        if not np.array_equal(stations, self._stations):
            old = rows_of(stations, self._stations)
            fresh = [np.where(old >= 0, c[old] if len(c) else np.nan, np.nan) for c in self._last]
            self._last, self._stations = _Last(*fresh), stations.copy()
        if lanes is None or any(len(column) != n for column in lanes):
            self.tally.add("lanes", Reason.LOST, np.ones(n, bool))
            return LaneFrame(np.full(n, t), np.full(n, np.nan), np.ones(n))
        seen, last = ~np.isnan(lanes.offset), self._last
        usable = np.ones(n, bool)
        with np.errstate(invalid="ignore"):
            broken = ~np.isfinite(lanes.time) | ~np.isfinite(lanes.sigma) | np.isinf(lanes.offset)
            faults = (
                (Reason.BROKEN, broken),
                (Reason.IMPOSSIBLE, (np.abs(lanes.offset) > WIDEST) | (lanes.sigma <= 0.0) | (lanes.sigma > LEAST_SURE)),
                (Reason.FUTURE, lanes.time - t > SLACK),
                (Reason.LATE, t - lanes.time > topic("lanes").deadline_s + SLACK),
                (Reason.DUPLICATED, lanes.time == last.time),
                (Reason.OUT_OF_ORDER, lanes.time < last.time),
                (Reason.FROZEN, seen & (lanes.offset == last.offset)),
            )
        for reason, where in faults:
            self.tally.add("lanes", reason, usable & where)
            usable &= ~where
        newest = np.where(broken | (lanes.time - t > SLACK), np.nan, lanes.time)
        self._last = _Last(np.fmax(last.time, newest), lanes.offset.copy())
        return LaneFrame(
            np.where(usable, lanes.time, t),
            np.where(usable, lanes.offset, np.nan),
            np.where(usable, lanes.sigma, LEAST_SURE),
        )

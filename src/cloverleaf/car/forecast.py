"""What a car expects of the others: its multi-modal prediction with probabilities, for the screen, the log and the metrics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.drive import BACK
from cloverleaf.car.fleet import Fleet
from cloverleaf.car.path import build_path
from cloverleaf.car.plan import reach_of
from cloverleaf.car.predict import CLEARS, clear_foes, mark_foes, predict_all
from cloverleaf.car.state import (
    DT,
    LANE,
    LANE_S,
    LOST,
    POS,
    ROUTE,
    SPEED,
    STEPS,
    T_ID,
    T_KIND,
    T_VX,
    T_VY,
    TOP_SPEED,
    empty_scratch,
)
from cloverleaf.types.state import F64, I64

HORIZON = STEPS * DT
"""s that predictions reach ahead."""


class Forecast(NamedTuple):
    """Modes of the tracks of one car; m rows, the modes of one track in adjacent rows."""

    track: I64  # (m,) identity of the track
    kind: I64  # (m,) state.Kind
    velocity: F64  # (m, 2) m/s, ENU, of the track now
    probability: F64  # (m,) among the modes of the same track
    path: F64  # (m, STEPS + 1, 3) x, y (m, ENU) and speed (m/s), DT apart, the first one now


@kernel
def _forecast(book, fleet, memory, relation, i):
    """Predict the tracks of car i as seen from its way, lights unknown."""
    f, ints, scratch = fleet.f, fleet.i, memory[0]
    path = scratch.keep
    if ints[i, LOST] == 1:
        scratch.hyp.n[0] = 0
        return
    build_path(
        book, path, ints[i, ROUTE], ints[i, POS], ints[i, LANE], f[i, LANE_S], BACK, reach_of(f[i, SPEED]), f[i, TOP_SPEED]
    )  # fmt: skip
    marked = mark_foes(book, path, relation, scratch.used, 0)
    predict_all(book, fleet, scratch.hyp, relation, i)
    clear_foes(relation, scratch.used, marked)


class Forecaster:
    """Reads forecasts out of a fleet without disturbing it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._scratch = empty_scratch()
        self._relation = np.zeros(max(len(fleet.book.link_i), 1), np.int64)

    def of(self, station: int) -> Forecast | None:
        """What the car with this station id expects now; None if it is not there."""
        slot = self.fleet.slot(station)
        if slot is None:
            return None
        _forecast(self.fleet.book, self.fleet.memory, self._scratch, self._relation, np.int64(slot))
        hyp = self._scratch[0]["hyp"]
        modes = np.flatnonzero(hyp["i"][: int(hyp["n"][0]), 2] != CLEARS)
        at = hyp["i"][modes, 1]
        rows, velocity = self.fleet.memory.track_i[slot, at], self.fleet.memory.track[slot, at, T_VX : T_VY + 1].copy()
        path = np.stack([hyp[name][modes] for name in ("x", "y", "v")], axis=-1)
        return Forecast(rows[:, T_ID].copy(), rows[:, T_KIND].copy(), velocity, hyp["f"][modes, 4], path)

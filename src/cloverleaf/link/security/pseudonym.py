"""When a station changes its pseudonym: after a stretch of road, then after times drawn at random, each time with a silence.

Values after the strategy of the Car-2-Car consortium as commonly described: first after 800 to 1500 m from the start of the trip, then
every 120 to 360 s; silence of 3 to 13 s, so that old and new cannot be linked by their places. Everything that names the station changes
together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.algo.rng import PSEUDONYM, stream, uniform
from cloverleaf.types.messages import RSU_STATION_BASE
from cloverleaf.types.state import F64, I64


class ChangePolicy(NamedTuple):
    """Ranges to draw from."""

    first_m: tuple[float, float] = (800.0, 1500.0)
    later_s: tuple[float, float] = (120.0, 360.0)
    silence_s: tuple[float, float] = (3.0, 13.0)


class Pseudonyms:
    """The changes of one station; the same seed and station draw the same values."""

    def __init__(self, station: int, seed: int = 0, policy: ChangePolicy | None = None) -> None:
        self.policy = policy or ChangePolicy()
        self._key = np.uint64(stream(np.int64(seed), np.int64(0), np.int64(station), np.int64(PSEUDONYM)))
        self._drawn = 0
        self._distance = self._draw(self.policy.first_m)
        self._at = np.inf
        self._silent_until = -np.inf
        self.changes = 0

    def step(self, t: float, travelled: float) -> bool:
        """True if the station changes now (ids, counters, certificate, addresses); `travelled` m since the trip began."""
        first = not self.changes and travelled >= self._distance
        if not first and t < self._at:
            return False
        self.changes += 1
        self._silent_until = t + self._draw(self.policy.silence_s)
        self._at = self._silent_until + self._draw(self.policy.later_s)
        return True

    def silent(self, t: float) -> bool:
        """Whether nothing may be sent: between the old pseudonym and the new one."""
        return t < self._silent_until

    def identity(self, octets: int) -> bytes:
        """A fresh temporary id for the current pseudonym."""
        return b"".join(int(self._uniform() * 256).to_bytes(1, "big") for _ in range(octets))

    def _draw(self, span: tuple[float, float]) -> float:
        return span[0] + (span[1] - span[0]) * self._uniform()

    def _uniform(self) -> float:
        self._drawn += 1
        return float(uniform(self._key, np.int64(self._drawn)))


_FIRST_ALIAS = 2_000_000_000
_ALIASES = 2_200_000_000
"""Temporary ids fit 32 bits and lie above the ids of cars and roadside units."""


class Aliases:
    """Pseudonyms of all cars of a world: who is silent, and which id each shows on the air.

    Applications see stable station ids again: `real` is applied to what was decoded. That a receiver loses a track when its
    owner changes is not modelled; that it hears nothing during the silence is.
    """

    def __init__(self, seed: int = 0, policy: ChangePolicy | None = None) -> None:
        self.seed, self.policy = seed, policy
        self._cars: dict[int, Pseudonyms] = {}
        self._travelled: dict[int, tuple[float, float, float]] = {}  # m, and the last place
        self._shown: dict[int, int] = {}
        self._real: dict[int, int] = {}
        self._sorted: tuple[I64, I64] | None = None

    def step(self, station: I64, x: F64, y: F64, t: float) -> tuple[np.ndarray, list[int]]:
        """Mask of the cars that are silent at `t`, and the cars that change now; positions in m."""
        silent, changed = np.zeros(len(station), bool), []
        for i, (car, here_x, here_y) in enumerate(zip(station.tolist(), x.tolist(), y.tolist())):
            mine = self._cars.get(car)
            if mine is None:
                mine = self._cars[car] = Pseudonyms(car, self.seed, self.policy)
                self._travelled[car] = 0.0, here_x, here_y
                self._show(car, mine)
            way, last_x, last_y = self._travelled[car]
            way += float(np.hypot(here_x - last_x, here_y - last_y))
            self._travelled[car] = way, here_x, here_y
            if mine.step(t, way):
                changed.append(car)
                self._show(car, mine)
            silent[i] = mine.silent(t)
        return silent, changed

    def _show(self, car: int, mine: Pseudonyms) -> None:
        alias = _FIRST_ALIAS + int.from_bytes(mine.identity(4), "big") % _ALIASES
        while alias in self._real:
            alias += 1
        self._shown[car], self._real[alias], self._sorted = alias, car, None

    def shown(self, station: I64) -> I64:
        """The ids on the air of stations; those without a pseudonym keep theirs."""
        return np.array([self._shown.get(s, s) if 0 <= s < RSU_STATION_BASE else s for s in station.tolist()], np.int64)

    def real(self, station: I64) -> I64:
        """The stations behind ids on the air."""
        if self._sorted is None:
            pairs = sorted(self._real.items())
            self._sorted = np.array([a for a, _ in pairs], np.int64), np.array([c for _, c in pairs], np.int64)
        alias, car = self._sorted
        if not len(alias):
            return station
        at = np.minimum(np.searchsorted(alias, station), len(alias) - 1)
        return np.where(alias[at] == station, car[at], station)


def replace_ids(batch: Any, change: Callable[[I64], I64]) -> Any:
    """A message batch with its station ids changed, wherever it names stations."""
    columns = {
        f: change(getattr(batch, f))
        for f in ("station", "target", "object_station", "originator")
        if f in batch._fields
    }
    return batch._replace(**columns)

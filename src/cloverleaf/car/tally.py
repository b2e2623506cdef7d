"""What a car dropped of its inputs, by topic and reason: every value that comes to a door goes on or is counted here."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Any

import numpy as np

from cloverleaf.car.rows import rows_of
from cloverleaf.types.state import I64


class Reason(StrEnum):
    """Why a value was dropped, or doubted."""

    LOST = "lost"  # not delivered, or not in the form of its topic
    BROKEN = "broken"  # not a number
    IMPOSSIBLE = "impossible"  # a number that nothing on roads has
    EMPTY = "empty"  # says nothing
    STALE = "stale"  # too old to be used at all
    LATE = "late"  # older than its deadline
    FUTURE = "future"  # from later than now
    DUPLICATED = "duplicated"  # of the same moment as the one before
    OUT_OF_ORDER = "out of order"  # older than the one before
    FROZEN = "frozen"  # new in time, old in content
    JUMP = "jump"  # contradicts the own motion at once
    WHEELS_DISAGREE = "wheels disagree"  # contradicts the own motion slowly
    BIASED = "biased"  # contradicts what others say
    STEPPED = "stepped"  # contradicts what the same sensor said before


class Tally:
    """Counts of one fleet: `counts` of all cars that ever were, and those of each present car."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._cars: dict[tuple[str, str], I64] = {}
        self._stations: I64 = np.zeros(0, np.int64)

    def arrange(self, stations: I64) -> None:
        """Count for these cars (n,) from now on, in their order; every door does this before it counts."""
        if np.array_equal(stations, self._stations):
            return
        old = rows_of(stations, self._stations)
        for key, have in self._cars.items():
            new = np.zeros(len(stations), np.int64)
            new[old >= 0] = have[old[old >= 0]]
            self._cars[key] = new
        self._stations = stations.copy()

    def add(self, topic: str, reason: Reason, many: Any) -> None:
        """Count `many` (n,), numbers or truth values, one of each car."""
        total = int(many.sum())
        if total:
            key = (topic, reason.value)
            self.counts[key] += total
            if key not in self._cars:
                self._cars[key] = np.zeros(len(self._stations), np.int64)
            self._cars[key] += many

    def of(self, station: int) -> dict[tuple[str, str], int]:
        """What the car with this station id dropped so far: (topic, reason) -> how often; empty if it is not there."""
        rows = np.flatnonzero(self._stations == station)
        return {key: int(many[rows[0]]) for key, many in self._cars.items() if len(rows) and many[rows[0]]}

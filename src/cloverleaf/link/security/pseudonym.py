"""When a station changes its pseudonym: after a stretch of road, then after times drawn at random, each time with a silence.

Values after the strategy of the Car-2-Car consortium as commonly described: first after 800 to 1500 m from the start of the trip, then
every 120 to 360 s; silence of 3 to 13 s, so that old and new cannot be linked by their places. Everything that names the station changes
together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.rng import PSEUDONYM, stream, uniform


class ChangePolicy(NamedTuple):
    """Ranges to draw from."""

    first_m: tuple[float, float] = (800.0, 1500.0)
    later_s: tuple[float, float] = (120.0, 360.0)
    silence_s: tuple[float, float] = (3.0, 13.0)


class Pseudonyms:
    """The changes of one station; the same seed and station draw the same values."""

    def __init__(self, station: int, seed: int = 0, policy: ChangePolicy | None = None) -> None:
        self.policy = policy or ChangePolicy()
        self._key = stream(np.int64(seed), np.int64(0), np.int64(station), np.int64(PSEUDONYM))
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

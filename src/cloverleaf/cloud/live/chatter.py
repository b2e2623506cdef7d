"""Where messages come in and go out: counts by kind, direction and place, gathered between two pictures."""

from __future__ import annotations

from collections import deque

import numpy as np

from cloverleaf.types.state import F64

CELL = 20.0
"""m; messages this close together are one record."""
MOST = 2000
ROOM = 500_000
"""Messages noted at most while nobody takes them; the oldest are forgotten."""
HEARD = np.dtype([("x", "<f4"), ("y", "<f4"), ("count", "<u2"), ("kind", "u1"), ("out", "u1"), ("spare", "<u4")])
"""`count` messages of a `MessageKind` around (x, y), their mean place; out: 0 came in, 1 went out to the stations there."""
_HALF = 1 << 24


class Chatter:
    """Counts until they are taken."""

    def __init__(self) -> None:
        self._key: deque[np.ndarray] = deque()
        self._place: deque[np.ndarray] = deque()
        self._noted = 0

    def note(self, kind: int, out: int, x: F64, y: F64) -> None:
        """Messages of a kind at places, shape (n,) each; those without a place are left out."""
        place = np.column_stack((x, y))
        place = place[np.isfinite(place).all(axis=1)]
        if len(place):
            cell = np.clip(np.floor(place / CELL), -_HALF, _HALF - 1).astype(np.int64) + _HALF
            self._key.append((cell[:, 0] << 25 | cell[:, 1]) << 5 | (kind << 1 | out))
            self._place.append(place)
            self._noted += len(place)
            while self._noted > ROOM:
                self._noted -= len(self._key.popleft())
                self._place.popleft()

    def take(self) -> np.ndarray:
        """What was noted since the last time, of `HEARD`, busiest places first."""
        if not self._key:
            return np.zeros(0, HEARD)
        key, where, count = np.unique(np.concatenate(self._key), return_inverse=True, return_counts=True)
        place = np.concatenate(self._place)
        x, y = (np.bincount(where, place[:, axis]) / count for axis in (0, 1))
        self._key.clear()
        self._place.clear()
        self._noted = 0
        order = np.argsort(-count, kind="stable")[:MOST]
        found = np.zeros(len(order), HEARD)
        found["out"], found["kind"] = key[order] & 1, key[order] >> 1 & 15
        found["x"], found["y"], found["count"] = x[order], y[order], np.minimum(count[order], 65_535)
        return found

"""What leaves the platform about single people: nothing of where a trip begins and ends, names only under a key, erasure on demand."""

from __future__ import annotations

import numpy as np

from cloverleaf.cloud.store.rows import PSEUDONYM_S, Names
from cloverleaf.types.state import F64

END_M = 300.0
"""m of way at both ends of a trip that are not given out."""
PAUSE_S = 300.0
"""s without news, or of standing, that end a trip."""


def trip_middle(time: F64, x: F64, y: F64, speed: F64) -> np.ndarray:
    """Rows of one vehicle's way, in order of time, that may be given out: bool, shape (n,).

    A trip ends where nothing is heard, or the vehicle stands, for `PAUSE_S`; `END_M` of way at its ends are held back.
    """
    n = len(time)
    keep = np.zeros(n, bool)
    if n < 2:
        return keep
    step = np.hypot(np.diff(x), np.diff(y))
    moved = np.concatenate(([0.0], np.cumsum(np.where(np.diff(time) > PAUSE_S, 0.0, step))))
    moving = np.flatnonzero(speed > 0.5)
    if not len(moving):
        return keep
    breaks = np.flatnonzero(np.diff(time[moving]) > PAUSE_S)
    first = moving[np.append(0, breaks + 1)]
    last = moving[np.append(breaks, len(moving) - 1)]
    for a, b in zip(first.tolist(), last.tolist()):
        way = moved[a : b + 1]
        keep[a : b + 1] = (way - way[0] >= END_M) & (way[-1] - way >= END_M)
    return keep


def names_of(names: Names, station: int, first: float, last: float) -> set[int]:
    """All names that a station has in the lake between two times, s since 1970."""
    days = range(int(first // PSEUDONYM_S), int(last // PSEUDONYM_S) + 1)
    return {names.name(station, day) for day in days}

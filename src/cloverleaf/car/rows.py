"""Where today's cars stand in yesterday's order: what is remembered of a fleet is kept by station id."""

from __future__ import annotations

import numpy as np

from cloverleaf.types.state import I64


def rows_of(stations: I64, known: I64) -> I64:
    """Row of each of `stations` (n,) among `known` (m,), -1 where it is not there; ids are unique. Shape (n,)."""
    if len(known) == 0:
        return np.full(len(stations), -1, np.int64)
    order = np.argsort(known, kind="stable")
    at = order[np.minimum(np.searchsorted(known, stations, sorter=order), len(known) - 1)]
    return np.where(known[at] == stations, at, -1).astype(np.int64)

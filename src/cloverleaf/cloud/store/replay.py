"""The past as pictures: everybody's last word at a moment, moved on to it, read from the lake some seconds ahead."""

from __future__ import annotations

import numpy as np

from cloverleaf.cloud.live.snapshot import ROW, Mark
from cloverleaf.cloud.store.query import ALL, Reader
from cloverleaf.cloud.twin import CONNECTED_LIFE

AHEAD = 10.0
"""s of the lake that are read at once."""
MOST = 4_000_000
_EVERYWHERE = (-1e9, -1e9, 1e9, 1e9)


class Past:
    """Plays what a tenant's sources told the lake; `at` may go forwards or jump anywhere. Not for two threads at once."""

    def __init__(self, reader: Reader, tenant: str = ALL) -> None:
        self.reader, self.tenant = reader, tenant
        self._first = self._last = 0.0
        self._columns: dict[str, np.ndarray] = {}

    def at(self, t: float) -> np.ndarray:
        """Objects as `ROW` records at `t`, s since 1970: who spoke within the last 2 s."""
        if not (self._first <= t < self._last):
            self._load(t)
        time = self._columns["time"]
        a, b = np.searchsorted(time, (t - CONNECTED_LIFE, t))
        vehicle = self._columns["vehicle"][a:b]
        _, last = np.unique(vehicle[::-1], return_index=True)
        rows = a + (b - a - 1) - last
        out = np.zeros(len(rows), ROW)
        for name in ("heading", "speed", "accel", "kind", "events"):
            out[name] = self._columns[name][rows]
        age = t - time[rows]
        way = np.maximum(out["speed"] * age, 0.0)
        out["x"] = self._columns["x"][rows] + way * np.cos(out["heading"])
        out["y"] = self._columns["y"][rows] + way * np.sin(out["heading"])
        out["handle"] = (self._columns["vehicle"][rows] & 0xFFFFFFFF).astype(np.uint32) | 1
        out["age"], out["length"], out["width"], out["lane"] = age, 4.6, 1.8, -1
        out["marks"] = int(Mark.CONNECTED)
        return out

    def _load(self, t: float) -> None:
        table = self.reader.box(t - CONNECTED_LIFE, t + AHEAD, _EVERYWHERE, most=MOST, tenant=self.tenant)
        self._columns = {name: table[name].to_numpy() for name in table.column_names}
        self._first, self._last = t, t + AHEAD
        if table.num_rows == MOST:  # more than fits: play it, then read on from there
            self._last = max(float(self._columns["time"][-1]), t + 0.1)

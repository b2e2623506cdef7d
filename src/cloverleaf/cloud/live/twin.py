"""The live twin: the same tracks as the in-loop twin's, for tens of thousands of road users at 10 Hz on one core.

Only what was heard since the last look is matched to lanes anew; the others move on along theirs. Services see it as they see
`cloud/twin.py`: `tracks`, `signals`, `approaches`, `graph`.
"""

from __future__ import annotations

import hashlib
import secrets

import numpy as np

from cloverleaf.cloud.approach import approaches
from cloverleaf.cloud.live import table as tb
from cloverleaf.cloud.live.lane_hold import hold_lane
from cloverleaf.cloud.matching import lane_cells, match_lanes
from cloverleaf.cloud.signal_memory import SignalMemory
from cloverleaf.cloud.twin import CONNECTED_LIFE, PERCEIVED_LIFE, Tracks, mark_shadows, predict
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import AwarenessBatch, PerceptionBatch, SignalBatch
from cloverleaf.types.state import F64, I64

REMATCH_AGE = 0.3
"""s after which the lane of a silent road user is looked for again, at its predicted place."""
SWEEP_EVERY = 0.5
PSEUDONYM_LIFE = 600.0
"""s after which the handle by which users see a road user changes."""
KNOWS_STATION = 1
"""Bit of the row's flags: heard from the station itself."""


class LiveTwin:
    """Rows by key, and `tracks`: their columns predicted to the last `look`."""

    def __init__(self, base_map: BaseMap, *, room: int = 1024, secret: bytes | None = None) -> None:
        self.graph = base_map.graph
        self.signals = SignalMemory(base_map.graph)
        self.approaches = approaches(base_map.graph)
        self.cells = lane_cells(base_map.graph)
        self.rows = 0
        self.f = np.zeros((room, 14))
        self.whole = np.zeros((room, 7), np.int64)
        self.table = np.full(4 * room, -1, np.int64)
        self._secret = secret or secrets.token_bytes(16)
        self._swept = -1e18
        self._renamed = -1e18
        self._perceived = False
        self._touched: list[I64] = []
        self.tracks: Tracks = self._columns(0.0)

    def hear(self, batch: AwarenessBatch, source: I64, now: float) -> I64:
        """Own state of stations; source: (n,) number of where each came from. Returns the rows, `OLDER` or `TOO_OFTEN`, shape (n,)."""
        n = len(batch.station)
        news = np.empty((n, tb.NEWS))
        for c, column in enumerate(batch[1:10]):
            news[:, c] = column
        news[:, tb.SIGMA] = 0.5
        keys = np.empty((n, 5), np.int64)
        keys[:, tb.STATION], keys[:, tb.SECOND] = batch.station, -1
        keys[:, tb.KIND], keys[:, tb.SOURCE] = batch.kind, source
        keys[:, tb.FLAGS] = KNOWS_STATION | (batch.events.astype(np.int64) << 8)
        return self._put(news, keys, now)

    def see(self, batch: PerceptionBatch, source: I64, now: float) -> int:
        """Objects that units and cars perceive; those that are known stations are left to what they say themselves. Returns how many."""
        known = batch.object_station >= 0
        rows = np.flatnonzero(~known)
        n = len(rows)
        if n == 0:
            return 0
        sender = np.repeat(np.arange(len(batch.station)), np.diff(batch.object_start))[rows]
        news = np.zeros((n, tb.NEWS))
        for c, column in zip(
            (tb.TIME, tb.X, tb.Y, tb.HEADING, tb.SPEED, tb.LENGTH, tb.WIDTH, tb.SIGMA),
            (batch.object_time, batch.x, batch.y, batch.heading, batch.speed, batch.length, batch.width, batch.sigma),
        ):
            news[:, c] = column[rows]
        keys = np.empty((n, 5), np.int64)
        keys[:, tb.STATION], keys[:, tb.SECOND] = batch.station[sender], batch.object_id[rows]
        keys[:, tb.KIND], keys[:, tb.SOURCE], keys[:, tb.FLAGS] = batch.kind[rows], source[sender], 0
        self._perceived = True
        return int((self._put(news, keys, now) >= 0).sum())

    def lights(self, batch: SignalBatch) -> None:
        """States of signals, as heard."""
        self.signals.ingest(batch)

    def look(self, t: float) -> Tracks:
        """Everybody predicted to `t` s; the silent are forgotten."""
        if t - self._swept > SWEEP_EVERY:
            self._match()  # row numbers change below
            self.rows = tb.sweep(t, CONNECTED_LIFE, PERCEIVED_LIFE, self.table, self.f, self.whole, self.rows)
            self._swept = t
        self.tracks = self._columns(t)
        return self.tracks

    def handles(self, t: float) -> I64:
        """Names under which users see the rows, shape (rows,): the same on every shard, new every `PSEUDONYM_LIFE` s."""
        whole = self.whole[: self.rows]
        if t - self._renamed > PSEUDONYM_LIFE:
            self._renamed = t - t % PSEUDONYM_LIFE
            whole[:, tb.HANDLE] = 0
        age = int(t // PSEUDONYM_LIFE).to_bytes(8, "little")
        for r in np.flatnonzero(whole[:, tb.HANDLE] == 0).tolist():
            name = whole[r, :2].tobytes()
            digest = hashlib.blake2b(name + age, digest_size=4, key=self._secret).digest()
            whole[r, tb.HANDLE] = int.from_bytes(digest, "little") | 1
        return whole[:, tb.HANDLE]

    def row_of(self, station: int) -> int:
        """Row of a connected station, -1 if unknown."""
        return int(self.table[tb.place_of_key(self.table, self.whole, np.int64(station), np.int64(-1))])

    def _put(self, news: F64, keys: I64, now: float) -> I64:
        while self.rows + len(keys) > len(self.f):
            self._grow()
        row = np.empty(len(keys), np.int64)
        self.rows = tb.put(np.float64(now), self.table, self.f, self.whole, self.rows, news, keys, row)
        self._touched.append(row[row >= 0])
        return row

    def _grow(self) -> None:
        self.f = np.concatenate((self.f, np.zeros_like(self.f)))
        self.whole = np.concatenate((self.whole, np.zeros_like(self.whole)))
        self.table = np.full(4 * len(self.f), -1, np.int64)
        self.rows = tb.sweep(0.0, np.inf, np.inf, self.table, self.f, self.whole, self.rows)

    def _match(self) -> None:
        """Lanes of the rows that were written since the last time."""
        if self._touched:
            rows = np.unique(np.concatenate(self._touched))
            self._touched.clear()
            f, g = self.f, self.graph
            x, y, heading, length = (f[rows, c] for c in (tb.X, tb.Y, tb.HEADING, tb.LENGTH))
            lane, s = self.whole[rows, tb.LANE].astype(np.int32), f[rows, tb.LANE_S]
            held = np.zeros(len(rows), np.uint8)
            hold_lane(g.lane_point_start, g.point_x, g.point_y, g.point_s, x, y, heading, length, lane, s, held)
            lost = np.flatnonzero(held == 0)
            lane[lost], s[lost] = self._lanes(x[lost], y[lost], heading[lost], length[lost])
            self.whole[rows, tb.LANE], f[rows, tb.LANE_S] = lane, s

    def _lanes(self, x: F64, y: F64, heading: F64, length: F64) -> tuple[np.ndarray, F64]:
        lane, s = np.full(len(x), -1, np.int32), np.zeros(len(x))
        g = self.graph
        match_lanes(self.cells, g.point_x, g.point_y, g.point_s, x, y, heading, length, lane, s)
        return lane, s

    def _columns(self, t: float) -> Tracks:
        self._match()
        n = self.rows
        f, whole = self.f[:n].T.copy(), self.whole[:n].T.copy()
        x, y, speed, sigma = (np.empty(n) for _ in range(4))
        predict(np.float64(t), f[0], f[1], f[2], f[3], f[4], f[5], f[9], x, y, speed, sigma)
        lane, s = whole[tb.LANE].astype(np.int32), f[tb.LANE_S]
        age = t - f[tb.TIME]
        s = np.minimum(s + np.hypot(x - f[tb.X], y - f[tb.Y]), self.graph.lane_length[lane]) if n else s
        old = np.flatnonzero((age > REMATCH_AGE) & (speed > 1.0))
        if len(old):
            lane[old], s[old] = self._lanes(x[old], y[old], f[tb.HEADING][old], f[tb.LENGTH][old])
        station = np.where(whole[tb.SECOND] < 0, whole[tb.STATION], -1)
        shadow = np.zeros(n, np.uint8)
        if self._perceived:
            order = np.argsort(x, kind="stable")
            mark_shadows(order, x, y, f[tb.HEADING], speed, station, sigma, shadow)
        return Tracks(
            station, f[tb.TIME], x, y, f[tb.HEADING], speed, f[tb.ACCEL], f[tb.YAW_RATE], f[tb.LENGTH], f[tb.WIDTH], sigma,
            f[tb.WAIT], whole[tb.KIND].astype(np.int32), shadow, lane, s,
        )  # fmt: skip

"""The digital twin: every connected or perceived road user, predicted to now, matched to a lane, known once.

A connected station is keyed by its id; a perceived object by its sender and the sender's object id, unless the sender knows the
station. Perceived objects that are a connected car seen from outside, or the same object seen by two units, are marked as shadows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.cloud.approach import Approaches, approaches
from cloverleaf.cloud.matching import LaneCells, lane_cells, match_lanes
from cloverleaf.cloud.signal_memory import SignalMemory
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import MessageKind, Received
from cloverleaf.types.state import F64, I32, I64, U8

CONNECTED_LIFE = 2.0
"""s without news after which a connected station is forgotten."""
PERCEIVED_LIFE = 1.0
_GATE_M = 4.0
_FIELDS_F = ("time", "x", "y", "heading", "speed", "accel", "yaw_rate", "length", "width", "sigma", "wait")


class Tracks(NamedTuple):
    """Road users of this tick as columns, predicted to now; shape (n,)."""

    station: I64  # V2X station id, -1 not connected
    time: F64  # s, of the last news
    x: F64  # m, ENU, predicted to now
    y: F64
    heading: F64
    speed: F64
    accel: F64
    yaw_rate: F64
    length: F64
    width: F64
    sigma: F64  # m, grown with age
    wait: F64  # s below 1 m/s so far
    kind: I32
    shadow: U8  # 1: another row is the same road user
    lane: I32  # -1 off the lanes
    s: F64  # m, front bumper on that lane


@kernel
def predict(t, time, x, y, heading, speed, accel, sigma, out_x, out_y, out_speed, out_sigma):
    """Constant acceleration along the heading from `time` to `t`, at most to standstill; sigma grows by 1 m/s2 of doubt."""
    for i in range(len(x)):
        age = max(t - time[i], 0.0)
        a = min(max(accel[i], -8.0), 3.0)
        if speed[i] + a * age < 0.0:
            way = speed[i] * speed[i] / (-2.0 * a)
            out_speed[i] = 0.0
        else:
            way = speed[i] * age + 0.5 * a * age * age
            out_speed[i] = speed[i] + a * age
        out_x[i] = x[i] + way * math.cos(heading[i])
        out_y[i] = y[i] + way * math.sin(heading[i])
        out_sigma[i] = math.sqrt(sigma[i] * sigma[i] + 0.25 * age**4)


@kernel
def mark_shadows(order, x, y, heading, speed, station, sigma, shadow):
    """Set `shadow[i]` for perceived rows that lie on a connected row, or on an earlier perceived one.

    `order`: rows sorted by x. Two rows are one where they are within 4 m, 0.6 rad (if moving) and 3 m/s.
    """
    n = len(order)
    for a in range(n):
        shadow[a] = 0
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            if x[j] - x[i] > 4.0:
                break
            if (station[i] >= 0 and station[j] >= 0) or math.fabs(y[j] - y[i]) > 4.0:
                continue
            if math.hypot(x[j] - x[i], y[j] - y[i]) > min(4.0, 1.5 + 2.0 * (sigma[i] + sigma[j])):
                continue
            if math.fabs(speed[i] - speed[j]) > 3.0:
                continue
            if speed[i] > 1.0 and math.cos(heading[i] - heading[j]) < 0.82:
                continue
            if station[i] >= 0:
                shadow[j] = 1
            elif station[j] >= 0 or shadow[j] == 0:
                if station[j] >= 0:
                    shadow[i] = 1
                else:
                    shadow[j] = 1


class Twin:
    """Tracks of all road users that the cloud has heard of lately."""

    def __init__(self, base_map: BaseMap) -> None:
        self.graph = base_map.graph
        self.signals = SignalMemory(base_map.graph)
        self.approaches: Approaches = approaches(base_map.graph)
        self.cells: LaneCells = lane_cells(base_map.graph)
        self._row: dict[tuple[int, int], int] = {}
        self._key: list[tuple[int, int]] = []
        self._f = np.zeros((64, len(_FIELDS_F)))
        self._kind = np.zeros(64, np.int32)
        self._station = np.full(64, -1, np.int64)
        self.tracks = self._snapshot(0.0)
        self._last_t = -1.0e18  # nothing has waited before the first ingest

    def ingest(self, inbox: Received, t: float) -> None:
        """Take over everything received, forget the silent, predict to `t` s, match to lanes."""
        kind, message = inbox.kind, inbox.message
        heard = message[kind == MessageKind.AWARENESS]
        if len(heard):
            a = inbox.awareness
            columns = [c[heard] for c in (a.time, a.x, a.y, a.heading, a.speed, a.accel, a.yaw_rate, a.length, a.width)]
            self._put([(int(k), -1) for k in a.station[heard]], a.station[heard], a.kind[heard], columns, 0.5)
        shared = message[kind == MessageKind.PERCEPTION]
        if len(shared):
            self._put_objects(inbox, shared)
        lights = message[kind == MessageKind.SIGNAL]
        if len(lights):
            self.signals.ingest(inbox.signal)
        self._forget(t)
        n = len(self._key)
        slow = self._f[:n, 4] < 1.0
        self._f[:n, 10] = np.where(slow, self._f[:n, 10] + min(max(t - self._last_t, 0.0), 1.0), 0.0)
        self._last_t = t
        self.tracks = self._snapshot(t)

    def _put_objects(self, inbox: Received, messages: I32) -> None:
        p = inbox.perception
        first, count = p.object_start[messages], np.diff(p.object_start)[messages]
        total = int(count.sum())
        if not total:
            return
        rows = np.repeat(first - np.concatenate(([0], np.cumsum(count)[:-1])), count) + np.arange(total)
        sender = np.repeat(p.station[messages], count)
        keys = [
            (int(s), int(o)) if k < 0 else (int(k), -1)
            for s, o, k in zip(sender, p.object_id[rows], p.object_station[rows])
        ]
        zero = np.zeros(total)
        columns = [c[rows] for c in (p.object_time, p.x, p.y, p.heading, p.speed)]
        columns += [zero, zero, p.length[rows], p.width[rows]]
        # What a unit says about a connected station is older than what the station says itself.
        fresh = [i for i, key in enumerate(keys) if key[1] >= 0 or key not in self._row]
        if len(fresh) < total:
            keys = [keys[i] for i in fresh]
            rows = rows[fresh]
            columns = [c[fresh] for c in columns]
        self._put(keys, p.object_station[rows], p.kind[rows], columns, p.sigma[rows])

    def _put(
        self, keys: list[tuple[int, int]], station: I64, kind: I32, columns: list[F64], sigma: F64 | float
    ) -> None:
        row = self._row
        for key in keys:
            if key not in row:
                row[key] = len(self._key)
                self._key.append(key)
        while len(self._key) > len(self._kind):
            self._f = np.concatenate([self._f, np.zeros_like(self._f)])
            self._kind = np.concatenate([self._kind, np.zeros_like(self._kind)])
            self._station = np.concatenate([self._station, np.full_like(self._station, -1)])
        at = np.array([row[key] for key in keys], dtype=np.int64)
        newer = columns[0] >= self._f[at, 0]
        at = at[newer]
        for i, column in enumerate(columns):
            self._f[at, i] = column[newer]
        self._f[at, 9] = sigma if isinstance(sigma, float) else sigma[newer]
        self._kind[at], self._station[at] = kind[newer], station[newer]

    def _forget(self, t: float) -> None:
        n = len(self._key)
        life = np.where(self._station[:n] >= 0, CONNECTED_LIFE, PERCEIVED_LIFE)
        keep = t - self._f[:n, 0] <= life
        if keep.all():
            return
        rows = np.flatnonzero(keep)
        m = len(rows)
        self._f[:m], self._kind[:m], self._station[:m] = self._f[rows], self._kind[rows], self._station[rows]
        self._f[m:n] = 0.0
        self._station[m:n] = -1
        self._key = [self._key[i] for i in rows]
        self._row = {key: i for i, key in enumerate(self._key)}

    def _snapshot(self, t: float) -> Tracks:
        n = len(self._key)
        f = {name: np.ascontiguousarray(self._f[:n, i]) for i, name in enumerate(_FIELDS_F)}
        x, y, speed, sigma, s = (np.zeros(n) for _ in range(5))
        station = self._station[:n].copy()
        predict(
            np.float64(t),
            f["time"],
            f["x"],
            f["y"],
            f["heading"],
            f["speed"],
            f["accel"],
            f["sigma"],
            x,
            y,
            speed,
            sigma,
        )
        shadow, lane = np.zeros(n, np.uint8), np.full(n, -1, np.int32)
        mark_shadows(np.argsort(x, kind="stable"), x, y, f["heading"], speed, station, sigma, shadow)
        g = self.graph
        match_lanes(self.cells, g.point_x, g.point_y, g.point_s, x, y, f["heading"], f["length"], lane, s)
        f.update(x=x, y=y, speed=speed, sigma=sigma, s=s)
        return Tracks(station=station, kind=self._kind[:n].copy(), shadow=shadow, lane=lane, **f)

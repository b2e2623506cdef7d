"""The platform as the API sees it: the shards' last snapshots, what was said, and the health of all processes."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg

from cloverleaf.cloud.gateways.timetable import Timetable
from cloverleaf.cloud.live.chatter import HEARD
from cloverleaf.cloud.live.snapshot import HEAD, ROW, SAID, Snapshot, read_snapshot, tracks_of
from cloverleaf.cloud.services.transit import BusStops
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import DecodeError

SHARD_LIFE = 2.0
"""s after which a silent shard's objects are not shown any more."""


class Live:
    """Follows the broker; everything here is at most some tenths of a second old."""

    def __init__(self, base_map: BaseMap) -> None:
        self.base_map = base_map
        self.shots: dict[int, Snapshot] = {}
        self.health: dict[str, dict[str, Any]] = {}
        self.said: deque[np.ndarray] = deque(maxlen=200)
        self.heard: deque[tuple[float, np.ndarray]] = deque(maxlen=64)
        """Where messages came and went lately: when we were told, and `HEARD` records."""
        self.inner: dict[int, tuple[float, Any]] = {}
        """What vehicles tell of their inside, by handle, and when it came."""
        self.stops = BusStops(base_map.graph)
        self.timetable: Timetable | None = None
        self.started = time.time()
        self.broker: Client | None = None
        self.supervision: Callable[[], dict[str, Any]] = dict
        self._watched = 0.0
        self._rows: tuple[float, np.ndarray] = (0.0, np.zeros(0, ROW))

    async def follow(self, broker: Client) -> None:
        """Subscribe to what the processes tell."""
        self.broker = broker
        await broker.subscribe("v2x.twin.*", cb=self._twin)
        await broker.subscribe("v2x.said.*", cb=self._said)
        await broker.subscribe("v2x.heard.*", cb=self._heard)
        await broker.subscribe("v2x.inside.*", cb=self._inside)
        await broker.subscribe("v2x.health.*", cb=self._health)

    async def _twin(self, message: Msg) -> None:
        try:
            shot = read_snapshot(message.data)
        except DecodeError:
            return
        self.shots[shot.shard] = shot
        self._rows = (0.0, self._rows[1])
        if shot.time - self._watched >= 1.0:
            self._watched = shot.time
            self.stops.see(tracks_of(self.rows(), shot.time), shot.time)

    async def _said(self, message: Msg) -> None:
        if len(message.data) % SAID.itemsize == 0:
            self.said.append(np.frombuffer(message.data, SAID))

    async def _heard(self, message: Msg) -> None:
        if len(message.data) % HEARD.itemsize == 0:
            self.heard.append((time.time(), np.frombuffer(message.data, HEARD)))

    async def _inside(self, message: Msg) -> None:
        now = time.time()
        self.inner = {h: page for h, page in self.inner.items() if now - page[0] < SHARD_LIFE}
        self.inner.update({int(h): (now, page) for h, page in json.loads(message.data).items()})

    async def _health(self, message: Msg) -> None:
        page = json.loads(message.data)
        self.health[page["role"]] = page

    @property
    def time(self) -> float:
        """When the objects were like this, s since 1970; 0 before the first snapshot."""
        return max((s.time for s in self.shots.values()), default=0.0)

    def rows(self) -> np.ndarray:
        """All objects, of `ROW`."""
        when, rows = self._rows
        if not when:
            now = time.time()
            parts = [s.rows for s in self.shots.values() if now - s.time < SHARD_LIFE]
            rows = np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else np.zeros(0, ROW)
            self._rows = (self.time or 1.0, rows)
        return rows

    def heads(self) -> np.ndarray:
        """All known signal heads, of `HEAD`; the latest word on each."""
        parts = [s.heads for s in self.shots.values()]
        heads = np.concatenate(parts) if parts else np.zeros(0, HEAD)
        order = np.lexsort((-heads["heard"], heads["index"], heads["group"]))
        heads = heads[order]
        if len(heads) > 1:
            new = np.append(True, (np.diff(heads["group"]) != 0) | (np.diff(heads["index"]) != 0))
            heads = heads[new]
        return heads

    def recent(self, seconds: float) -> np.ndarray:
        """What was said in the last `seconds`, newest last, of `SAID`."""
        since = time.time() - seconds
        parts = [s for s in self.said if len(s) and float(s["time"].max()) >= since]
        return np.concatenate(parts) if parts else np.zeros(0, SAID)

    def counts(self) -> dict[str, Any]:
        """Messages by outcome over all processes, and who was refused why."""
        totals: dict[str, int] = {}
        refused: dict[str, dict[str, int]] = {}
        for page in self.health.values():
            for name, n in page.get("totals", {}).items():
                totals[name] = totals.get(name, 0) + n
            for source, reasons in page.get("refused_by_source", {}).items():
                here = refused.setdefault(source, {})
                for reason, n in reasons.items():
                    here[reason] = here.get(reason, 0) + n
        return {"totals": totals, "refused_by_source": refused}

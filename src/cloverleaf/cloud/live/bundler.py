"""What a gateway does with single messages: limit each source, verify, find tiles, and bundle them into frames. No IO.

Refusal reasons: unknown_kind, oversized, too_often, and those of the checker and decoder.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import MAX_MESSAGE_BYTES, Frame, Trust
from cloverleaf.cloud.live.intake import Checker, select
from cloverleaf.cloud.live.subjects import KINDS
from cloverleaf.cloud.live.tiles import tile_of
from cloverleaf.cloud.security.limits import Buckets
from cloverleaf.link.batches import pack
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.messages import MessageKind

ETSI = {"cam", "denm", "spatem", "mapem", "cpm"}
RATE, BURST = 40.0, 40.0
"""Messages per second that one source may send: a vehicle's 10 Hz of awareness and some events, a unit's SPAT, RSM, MAP and RSI."""
_SIGNED = b"\x03\x81"


class Bundle(NamedTuple):
    """One frame and whose messages it has."""

    tenant: str
    frame: Frame
    replies: list[str]  # where the senders of its messages wait for a word


class Bundler:
    """Collects messages; `flush` returns frames. Remembers which source a station speaks through."""

    def __init__(self, base_map: BaseMap, counts: Counts, checker: Checker | None, epoch: int) -> None:
        self.counts, self.checker, self.epoch, self.sequence = counts, checker, epoch, 0
        self.limits = Buckets(RATE, BURST)
        self.source_of: dict[int, str] = {}
        """Station -> TENANT.SOURCE, of those that spoke."""
        self._contents = {s: Content(base_map, s, clock=0.0) for s in ("csae_day2", "etsi")}
        self._waiting: dict[tuple[str, str, int], list[tuple[str, bytes, str]]] = {}

    def add(self, tenant: str, source: str, kind: str, data: bytes, reply: str, now: float) -> None:
        """One message of a source."""
        name = f"{tenant}.{source}"
        if not self.limits.take(name, now):
            self.counts.refuse(name, "too_often")
        elif kind not in KINDS:
            self.counts.refuse(name, "unknown_kind")
        elif not 0 < len(data) <= MAX_MESSAGE_BYTES:
            self.counts.refuse(name, "oversized" if data else "empty")
        else:
            standard = "etsi" if kind in ETSI else "csae_day2"
            self._waiting.setdefault((tenant, standard, int(KINDS[kind])), []).append((source, data, reply))

    def flush(self, now: float) -> list[Bundle]:
        """Frames of everything that was added since."""
        out: list[Bundle] = []
        for (tenant, standard, kind), messages in self._waiting.items():
            out += self._bundle(tenant, standard, kind, messages, now)
        self._waiting.clear()
        if len(self.source_of) > 1_000_000:
            self.source_of.clear()
        return out

    def _bundle(
        self, tenant: str, standard: str, kind: int, messages: list[tuple[str, bytes, str]], now: float
    ) -> list[Bundle]:
        names = [f"{tenant}.{source}" for source, _, _ in messages]
        buffer, start = pack([data for _, data, _ in messages])
        rows = np.arange(len(messages))
        trust = Trust.UNSIGNED
        if self.checker is not None:
            buffer, start, reasons = self.checker.check(buffer, start, kind, now)
            for name, reason in zip(names, reasons):
                if reason:
                    self.counts.refuse(name, reason)
            rows = np.flatnonzero([not r for r in reasons])
            buffer, start = select(buffer, start, rows)
            trust = Trust.VERIFIED
        tile, good = self._places(standard, kind, buffer, start, [names[r] for r in rows], now)
        out = []
        for t in np.unique(tile[good]).tolist():
            mine = np.flatnonzero(good & (tile == t))
            part, offsets = select(buffer, start, mine)
            self.sequence += 1
            n = len(mine)
            frame = Frame(
                standard,
                t,
                self.epoch,
                self.sequence,
                now,
                np.full(n, kind, np.uint8),
                np.full(n, int(trust), np.uint8),
                part,
                offsets,
            )
            for r in rows[mine].tolist():
                self.counts.take(names[r])
            out.append(Bundle(tenant, frame, [messages[r][2] for r in rows[mine].tolist() if messages[r][2]]))
        return out

    def _places(
        self, standard: str, kind: int, buffer: Any, start: Any, names: list[str], now: float
    ) -> tuple[Any, Any]:
        """Tile of each message (-1 where it has no place of its own), and whether it can be decoded."""
        n = len(names)
        tile, good = np.full(n, -1, np.int64), np.ones(n, bool)
        if kind != MessageKind.AWARENESS or not n:
            return tile, good
        content = self._contents[standard]
        content.frame.now = now
        try:
            batch, error = content.decode(kind, buffer, start)
        except CloverleafError:
            batch, error = None, np.ones(n, np.uint8)
        good = error == 0
        for r in np.flatnonzero(~good).tolist():
            self.counts.refuse(names[r], "undecodable")
        if batch is not None:
            tile = tile_of(batch.x, batch.y)
            for r in np.flatnonzero(good).tolist():
                self.source_of[int(batch.station[r])] = names[r]
        return tile, good

"""What a gateway does with single messages: limit each source, verify, find tiles, and bundle them into frames. No IO.

Refusal reasons: unknown_kind, oversized, too_often, and those of the checker and decoder.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from cloverleaf.types.state import I64

ETSI = {"cam", "denm", "spatem", "mapem", "cpm"}
RATE, BURST = 40.0, 40.0
"""Messages per second that one source may send: a vehicle's 10 Hz of awareness and some events, a unit's SPAT, RSM, MAP and RSI."""
MOST = 512
"""Messages in one frame: with the longest of them it is still half of what the broker takes."""


class Heard(NamedTuple):
    """One message of a sender."""

    source: str
    data: bytes
    reply: str
    time: float  # s since 1970, when it came


class Bundle(NamedTuple):
    """One frame and whose messages it has."""

    tenant: str
    frame: Frame
    replies: list[str]  # where the senders of its messages wait for a word
    first: Heard  # the message in it that came first


class Bundler:
    """Collects messages; `flush` returns frames. Remembers which source a station speaks through.

    together: tile -> the tile under whose name its messages travel (`tiles.audiences`); those of other tiles go to everyone. A frame
    for each of a hundred tiles every 10 ms would cost more than the messages in it.
    """

    def __init__(
        self, base_map: BaseMap, counts: Counts, checker: Checker | None, epoch: int, together: Mapping[int, int]
    ) -> None:
        self.counts, self.checker, self.epoch, self.sequence = counts, checker, epoch, 0
        self._tiles = np.array(sorted(together), np.int64)
        self._names = np.array([together[t] for t in sorted(together)], np.int64)
        self.limits = Buckets(RATE, BURST)
        self.source_of: dict[int, str] = {}
        """Station -> TENANT.SOURCE, of those that spoke."""
        self._contents = {s: Content(base_map, s, clock=0.0) for s in ("csae_day2", "etsi")}
        self._waiting: dict[tuple[str, str, int], list[Heard]] = {}

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
            self._waiting.setdefault((tenant, standard, int(KINDS[kind])), []).append(Heard(source, data, reply, now))

    def flush(self, now: float) -> list[Bundle]:
        """Frames of everything that was added since."""
        out: list[Bundle] = []
        for (tenant, standard, kind), messages in self._waiting.items():
            for k in range(0, len(messages), MOST):
                out += self._bundle(tenant, standard, kind, messages[k : k + MOST], now)
        self._waiting.clear()
        if len(self.source_of) > 1_000_000:
            self.source_of.clear()
        return out

    def _bundle(self, tenant: str, standard: str, kind: int, messages: list[Heard], now: float) -> list[Bundle]:
        names = [f"{tenant}.{m.source}" for m in messages]
        buffer, start = pack([m.data for m in messages])
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
            taken = [messages[r] for r in rows[mine].tolist()]
            for m in taken:
                self.counts.take(f"{tenant}.{m.source}")
            out.append(Bundle(tenant, frame, [m.reply for m in taken if m.reply], taken[0]))
        return out

    def _places(
        self, standard: str, kind: int, buffer: Any, start: Any, names: list[str], now: float
    ) -> tuple[Any, Any]:
        """Tile that each message travels under (-1 where it goes to all shards), and whether it can be decoded."""
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
            tile = self._together(tile_of(batch.x, batch.y))
            for r in np.flatnonzero(good).tolist():
                self.source_of[int(batch.station[r])] = names[r]
        return tile, good

    def _together(self, tile: I64) -> I64:
        if not len(self._tiles):
            return np.full(len(tile), -1, np.int64)
        at = np.minimum(np.searchsorted(self._tiles, tile), len(self._tiles) - 1)
        return np.where(self._tiles[at] == tile, self._names[at], -1)

"""From frames to content: verify what is signed, decode all messages of a kind at once, refuse what cannot be true; count why.

Refusal reasons besides the verifier's: malformed_frame, duplicate_frame, undecodable, stale (older than `MAX_AGE`), clock (ahead of
now), off_map, implausible.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple, Protocol

import numpy as np

from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import SIMULATED, Frame, Trust
from cloverleaf.cloud.live.ranges import Ranges
from cloverleaf.cloud.live.subjects import tenant_number
from cloverleaf.link.batches import join, pack, take
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.messages import AwarenessBatch, MessageKind, PerceptionBatch, SignalBatch
from cloverleaf.types.state import I32, I64, U8

MAX_AGE, MAX_AHEAD = 2.0, 0.5
"""s that a message may be old, and that a sender's clock may be ahead."""
MARGIN_M = 1000.0
MAX_SPEED = 90.0
_WINDOW, _RUNS = 4096, 4096
"""Sequence numbers of one run of a source that are remembered one by one (older frames are stale), and runs that are remembered."""


class Checker(Protocol):
    """Checks signed envelopes; `cloud/security/verify.py` implements it."""

    def check(
        self, buffer: U8, start: I64, kind: int, now: float, simulated: bool = False
    ) -> tuple[U8, I64, list[str]]:
        """Payload buffer, offsets, and a reason per message, empty where it is accepted."""


class Heard(NamedTuple):
    """Content that may be used; `source` columns are rows of `Intake.sources`."""

    awareness: list[tuple[AwarenessBatch, I64]]
    perception: list[tuple[PerceptionBatch, I64]]
    signal: list[SignalBatch]


class _Part(NamedTuple):
    """Messages of one frame that share kind and trust."""

    source: int
    buffer: U8
    start: I64
    order: tuple[int, int]  # epoch and sequence of the frame


class Intake:
    """Takes frames over; `open` returns their content. Times are s since 1970."""

    def __init__(self, base_map: BaseMap, counts: Counts, checker: Checker | None = None) -> None:
        self.base_map, self.counts, self.checker = base_map, counts, checker
        self.sources: list[str] = []
        self.standards: list[str] = []  # of each source, as it spoke last
        self.verified = 0
        """Messages whose signature was checked here."""
        self._tenant: list[int] = []  # of each source, as rows name it
        self._number: dict[str, int] = {}
        self._content: dict[str, Content] = {}
        self._seen: OrderedDict[tuple[str, int], Ranges] = OrderedDict()
        self._waiting: dict[tuple[str, float, int, int], list[_Part]] = {}
        g = base_map.graph
        self._box = (
            (g.point_x.min() - MARGIN_M, g.point_x.max() + MARGIN_M, g.point_y.min() - MARGIN_M, g.point_y.max() + MARGIN_M)
            if len(g.point_x)
            else (-np.inf, np.inf, -np.inf, np.inf)
        )  # fmt: skip

    def content(self, standard: str) -> Content:
        """Encoder and decoder of a message set, with times in s since 1970."""
        if standard not in self._content:
            self._content[standard] = Content(self.base_map, standard, clock=0.0)
        return self._content[standard]

    def number(self, source: str) -> int:
        """Row of a source in `sources`."""
        if source not in self._number:
            self._number[source] = len(self.sources)
            self.sources.append(source)
            self.standards.append("csae_day2")
            self._tenant.append(tenant_number(source.partition(".")[0]))
        return self._number[source]

    def tenants(self, source: I64) -> I64:
        """Tenants of sources, as rows name them."""
        return np.array(self._tenant, np.int64)[source] if len(source) else source

    def add(self, source: str, frame: Frame) -> bool:
        """Queue a frame of `source` for the next `open`; False if it is a second copy."""
        run = source, frame.epoch
        seen = self._seen.setdefault(run, Ranges())
        self._seen.move_to_end(run)
        if len(self._seen) > _RUNS:
            self._seen.popitem(last=False)
        if not seen.add(frame.sequence):
            self.counts.refuse(source, "duplicate_frame")
            return False
        seen.forget(_WINDOW)
        number = self.number(source)
        self.standards[number] = frame.standard
        order = frame.epoch, frame.sequence
        simulated = frame.time if frame.flags & SIMULATED else 0.0
        mark = frame.kind.astype(np.int32) * 8 + frame.trust
        first = int(mark[0]) if len(mark) else 0
        if (mark == first).all():
            if len(mark):
                self._queue(frame, simulated, first, _Part(number, frame.buffer, frame.start, order))
            return True
        for m in np.unique(mark).tolist():
            buffer, start = select(frame.buffer, frame.start, np.flatnonzero(mark == m))
            self._queue(frame, simulated, m, _Part(number, buffer, start, order))
        return True

    def _queue(self, frame: Frame, simulated: float, mark: int, part: _Part) -> None:
        self._waiting.setdefault((frame.standard, simulated, mark >> 3, mark & 7), []).append(part)

    def open(self, now: float) -> Heard:
        """Content of everything that waits, as of `now`."""
        heard = Heard([], [], [])
        for (standard, simulated, kind, trust), parts in self._waiting.items():
            buffer, start, source = _merge(parts)
            if trust == Trust.SIGNED:
                buffer, start, source = self._verify(buffer, start, source, kind, simulated, now)
            if not len(source) or kind == MessageKind.TOPOLOGY:
                self._accept(source)
                continue
            content = self.content(standard)
            content.frame.now = simulated or now
            try:
                batch, error = content.decode(kind, buffer, start)
            except CloverleafError:
                self._refuse(source, "undecodable")
                continue
            shift = now - simulated if simulated else 0.0
            self._sort(heard, kind, batch, error, source, shift, now)
        self._waiting.clear()
        return heard

    def _verify(
        self, buffer: U8, start: I64, source: I64, kind: int, simulated: float, now: float
    ) -> tuple[U8, I64, I64]:
        if self.checker is None:
            self._refuse(source, "signature_not_expected")
            return buffer[:0], np.zeros(1, np.int64), source[:0]
        payload, offsets, reasons = self.checker.check(buffer, start, kind, simulated or now, bool(simulated))
        self.verified += len(source)
        bad = np.array([bool(r) for r in reasons])
        if not bad.any():
            return payload, offsets, source
        for i in np.flatnonzero(bad).tolist():
            self.counts.refuse(self.sources[source[i]], reasons[i])
        good = np.flatnonzero(~bad)
        payload, offsets = select(payload, offsets, good)
        return payload, offsets, source[good]

    def _sort(self, heard: Heard, kind: int, batch: Any, error: U8, source: I64, shift: float, now: float) -> None:
        """Move times to our clock, refuse what cannot be true, and file the rest."""
        good = error == 0
        self._refuse(source[~good], "undecodable")
        if kind == MessageKind.AWARENESS:
            batch = batch._replace(time=batch.time + shift)
            for reason, bad in self._doubts(batch, now):
                self._refuse(source[bad & good], reason)
                good &= ~bad
            rows = np.flatnonzero(good)
            if len(rows) < len(good):
                batch, source = take(batch, rows), source[rows]
            heard.awareness.append((batch, source))
        elif kind == MessageKind.PERCEPTION:
            batch = batch._replace(time=batch.time + shift, object_time=batch.object_time + shift)
            late = _too_old(batch.time, now)
            self._refuse(source[late & good], "stale")
            rows = np.flatnonzero(good & ~late)
            batch, source = take(batch, rows), source[rows]
            heard.perception.append((_on_map(batch, self._box), source))
        elif kind == MessageKind.SIGNAL:
            ends = {f: getattr(batch, f) + shift for f in ("time", "min_end", "likely_end", "max_end", "next_end")}
            batch = batch._replace(**ends)
            late = _too_old(batch.time, now)
            self._refuse(source[late & good], "stale")
            rows = np.flatnonzero(good & ~late)
            batch, source = take(batch, rows), source[rows]
            heard.signal.append(batch)
        else:
            source = source[good]
        self._accept(source)

    def _doubts(self, a: AwarenessBatch, now: float) -> list[tuple[str, np.ndarray]]:
        west, east, south, north = self._box
        with np.errstate(invalid="ignore"):
            on_map = (a.x >= west) & (a.x <= east) & (a.y >= south) & (a.y <= north)
            return [
                ("stale", a.time < now - MAX_AGE),
                ("clock", a.time > now + MAX_AHEAD),
                ("off_map", ~on_map),
                ("implausible", a.speed > MAX_SPEED),
            ]

    def _accept(self, source: I64) -> None:
        for k, n in zip(*np.unique(source, return_counts=True)):
            self.counts.take(self.sources[k], int(n))

    def _refuse(self, source: I64, reason: str) -> None:
        if len(source):
            for k, n in zip(*np.unique(source, return_counts=True)):
                self.counts.refuse(self.sources[k], reason, int(n))


def select(buffer: U8, start: I64, rows: I32 | I64) -> tuple[U8, I64]:
    """The messages `rows` of a buffer, packed."""
    raw = buffer.tobytes()
    return pack([raw[a:b] for a, b in zip(start[rows].tolist(), start[rows + 1].tolist())])


def _merge(parts: list[_Part]) -> tuple[U8, I64, I64]:
    if len(parts) == 1:
        only = parts[0]
        return only.buffer, only.start, np.full(len(only.start) - 1, only.source, np.int64)
    parts.sort(key=lambda p: p.order)  # two streams may bring the frames of a source in another order
    size = np.concatenate([np.diff(p.start) for p in parts])
    start = np.zeros(len(size) + 1, np.int64)
    np.cumsum(size, out=start[1:])
    source = np.repeat([p.source for p in parts], [len(p.start) - 1 for p in parts])
    return np.concatenate([p.buffer for p in parts]), start, source


def _too_old(time: np.ndarray, now: float) -> np.ndarray:
    return (time < now - MAX_AGE) | (time > now + MAX_AHEAD)


def _on_map(batch: PerceptionBatch, box: tuple[float, float, float, float]) -> PerceptionBatch:
    """The same messages with the objects that lie on the map and have a place and a speed."""
    west, east, south, north = box
    with np.errstate(invalid="ignore"):
        fine = (
            (batch.x >= west) & (batch.x <= east) & (batch.y >= south) & (batch.y <= north) & (batch.speed < MAX_SPEED)
        )
    if fine.all():
        return batch
    owner = np.repeat(np.arange(len(batch.station)), np.diff(batch.object_start))
    count = np.bincount(owner[fine], minlength=len(batch.station))
    start = np.concatenate(([0], np.cumsum(count))).astype(np.int64)
    columns: list[Any] = [*batch[:2], start, *[c[fine] for c in batch[3:]]]
    return PerceptionBatch(*columns)


def joined(parts: list[tuple[Any, I64]]) -> tuple[Any, I64]:
    """All batches of one kind as one, with their sources."""
    return join([b for b, _ in parts]), np.concatenate([s for _, s in parts])

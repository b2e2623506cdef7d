"""From frames of the stream to rows of the lake: all messages of a batch of frames decoded together, each frame once.

A signed message that nobody has checked is stored with the trust that its frame gives it; checking is the twin's business.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import SIMULATED, Frame, Trust
from cloverleaf.cloud.live.intake import select
from cloverleaf.cloud.store.lake import Lake
from cloverleaf.cloud.store.rows import Names, rows_of
from cloverleaf.link.batches import pack, take
from cloverleaf.link.content.content import Content
from cloverleaf.link.security.envelope import open_envelope
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import CloverleafError, DecodeError
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import I64, U8


class Stored(NamedTuple):
    """A frame as the stream holds it."""

    source: str
    frame: Frame
    at: float  # s since 1970, when the broker took it


class Ingest:
    """Decodes frames for `lake`."""

    def __init__(self, base_map: BaseMap, lake: Lake, names: Names, counts: Counts) -> None:
        self.base_map, self.lake, self.names, self.counts = base_map, lake, names, counts
        self._content: dict[str, Content] = {}

    def take(self, frames: list[Stored]) -> int:
        """Queue the frames that the lake has not got; returns the rows."""
        groups: dict[tuple[str, bool], list[Stored]] = {}
        for f in frames:
            if not self.lake.claim(f.source, f.frame.epoch, f.frame.sequence):
                self.counts.refuse(f.source, "duplicate_frame")
                continue
            groups.setdefault((f.frame.standard, bool(f.frame.flags & SIMULATED)), []).append(f)
        before = self.lake.waiting
        for (standard, simulated), group in groups.items():
            try:
                self._decode(standard, simulated, group)
            except CloverleafError as error:
                for f in group:
                    self.counts.refuse(f.source, type(error).__name__, len(f.frame.kind))
        return self.lake.waiting - before

    def _decode(self, standard: str, simulated: bool, group: list[Stored]) -> None:
        parts, starts, meta = [], [], []
        for k, f in enumerate(group):
            rows = np.flatnonzero(f.frame.kind == MessageKind.AWARENESS)
            buffer, start = f.frame.buffer, f.frame.start
            if len(rows) < len(f.frame.kind):
                buffer, start = select(buffer, start, rows)
            trust = f.frame.trust[rows]
            if (trust == Trust.SIGNED).any():
                buffer, start = _opened(buffer, start, trust)
            parts.append(buffer)
            starts.append(np.diff(start))
            meta.append(np.column_stack((np.full(len(rows), k), rows, trust)))
        origin = np.concatenate(meta).astype(np.int64)
        if not len(origin):
            return
        size = np.concatenate(starts)
        start = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
        content = self._content.setdefault(standard, Content(self.base_map, standard, clock=0.0))
        content.frame.now = group[-1].frame.time if simulated else group[-1].at
        batch, error = content.decode(MessageKind.AWARENESS, np.concatenate(parts), start)
        which = origin[:, 0]
        if simulated:
            batch = batch._replace(time=batch.time + np.array([f.at - f.frame.time for f in group])[which])
        good = np.flatnonzero((error == 0) & np.isfinite(batch.x) & np.isfinite(batch.y))
        for k, n in zip(*np.unique(which[error != 0], return_counts=True)):
            self.counts.refuse(group[k].source, "undecodable", int(n))
        batch, origin = take(batch, good), origin[good]
        which = origin[:, 0]
        number = np.array([self.lake.log.source(f.source) for f in group], np.int32)
        epoch = np.array([f.frame.epoch for f in group], np.uint32)
        sequence = np.array([f.frame.sequence for f in group], np.uint64)
        self.lake.put(
            rows_of(batch, self.names, origin[:, 2], number[which], epoch[which], sequence[which], origin[:, 1])
        )
        for k, n in zip(*np.unique(which, return_counts=True)):
            self.counts.take(group[k].source, int(n))


def _opened(buffer: U8, start: I64, trust: U8) -> tuple[U8, I64]:
    """The payloads of signed messages; empty where the envelope cannot be read."""
    raw, at = buffer.tobytes(), start.tolist()
    parts = []
    for i, t in enumerate(trust.tolist()):
        part = raw[at[i] : at[i + 1]]
        if t == Trust.SIGNED:
            try:
                part = open_envelope(part).payload
            except DecodeError:
                part = b""
        parts.append(part)
    return pack(parts)

"""Duplicates and stale messages at a receiver: each message is fresh, or left aside for one reason, and counted."""

from __future__ import annotations

from collections import Counter
from enum import Enum

import numpy as np

from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import F64, I64, U8

MAX_AGE = {
    MessageKind.AWARENESS: 0.5, MessageKind.SIGNAL: 1.0, MessageKind.TOPOLOGY: 600.0, MessageKind.PERCEPTION: 1.0,
    MessageKind.ADVICE: 10.0, MessageKind.EVENT: 600.0,
}  # fmt: skip
"""s after which a message of a kind says nothing any more."""
AHEAD = 0.5
"""s that a sender's clock may run ahead."""
_KEEP = 4096


class Freshness(Enum):
    """Verdict on a message."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"  # the same bytes, or the same moment of the same sender
    OUT_OF_ORDER = "out of order"  # older than another that was taken
    STALE = "stale"
    FUTURE = "future"


class FreshnessFilter:
    """Remembers the newest message of each sender and kind; `counts` has one entry per verdict that occurred."""

    def __init__(self, max_age: dict[MessageKind, float] | None = None) -> None:
        self.max_age = MAX_AGE | (max_age or {})
        self.counts: Counter[str] = Counter()
        self._newest: dict[int, dict[int, float]] = {int(kind): {} for kind in MessageKind}  # kind -> station -> moment
        self._seen: dict[bytes, None] = {}

    def check(self, kind: MessageKind, station: int, time: float, now: float, data: bytes | None = None) -> Freshness:
        """Judge a message of `station` from moment `time`, received at `now` (both in s of one clock); `data` its bytes, if at hand.

        Events are told apart by their bytes alone, since one station may report several at the same moment.
        """
        verdict = self._judge(kind, station, time, now, data)
        self.counts[verdict.value] += 1
        return verdict

    def _judge(self, kind: MessageKind, station: int, time: float, now: float, data: bytes | None) -> Freshness:
        if time - now > AHEAD:
            return Freshness.FUTURE
        if now - time > self.max_age[kind]:
            return Freshness.STALE
        if data is not None:
            if data in self._seen:
                return Freshness.DUPLICATE
            self._seen[data] = None
            if len(self._seen) > _KEEP:
                del self._seen[next(iter(self._seen))]
        if kind in (MessageKind.EVENT, MessageKind.TOPOLOGY):
            return Freshness.FRESH
        newest = self._newest[int(kind)]
        known = newest.get(station)
        if known is not None and time <= known:
            return Freshness.DUPLICATE if time == known else Freshness.OUT_OF_ORDER
        newest[station] = time
        return Freshness.FRESH

    def check_many(self, kind: MessageKind, station: I64, time: F64, now: float) -> tuple[U8, list[Freshness]]:
        """As `check` without bytes for the messages of one kind that arrived at `now`: mask of the fresh ones, verdicts of the others.

        Several messages of one station are taken in their order. A message without a time (NaN) is fresh.
        """
        fresh = np.ones(len(station), np.uint8)
        late, ahead = now - time > self.max_age[kind], time - now > AHEAD
        refused = [Freshness.STALE] * int(late.sum()) + [Freshness.FUTURE] * int(ahead.sum())
        fresh[late | ahead] = 0
        if kind in (MessageKind.EVENT, MessageKind.TOPOLOGY):
            self.counts[Freshness.FRESH.value] += int(fresh.sum())
        else:
            newest = self._newest[int(kind)]
            usable = np.flatnonzero((fresh != 0) & ~np.isnan(time))
            for i, who, at in zip(usable.tolist(), station[usable].tolist(), time[usable].tolist()):
                known = newest.get(who)
                if known is not None and at <= known:
                    fresh[i] = 0
                    refused.append(Freshness.DUPLICATE if at == known else Freshness.OUT_OF_ORDER)
                else:
                    newest[who] = at
            self.counts[Freshness.FRESH.value] += int(fresh.sum())
        self.counts.update(verdict.value for verdict in refused)
        return fresh, refused

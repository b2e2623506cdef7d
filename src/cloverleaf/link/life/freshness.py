"""Duplicates and stale messages at a receiver: each message is fresh, or left aside for one reason, and counted."""

from __future__ import annotations

from collections import Counter
from enum import Enum

import numpy as np

from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import F64, I64, U8

MAX_AGE = {
    MessageKind.AWARENESS: 0.5, MessageKind.SIGNAL: 1.0, MessageKind.PERCEPTION: 1.0, MessageKind.ADVICE: 10.0,
}  # fmt: skip
"""s after which a message of a kind says nothing any more. Events have lives of their own, see `event_receiver.py`; maps do not age."""
AHEAD = 0.5
"""s that a sender's clock may run ahead."""


class Freshness(Enum):
    """Verdict on a message."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"  # the same moment of the same sender
    OUT_OF_ORDER = "out of order"  # older than another that was taken
    STALE = "stale"
    FUTURE = "future"


class FreshnessFilter:
    """Remembers the newest message of each sender and kind; `counts` has one entry per verdict that occurred."""

    def __init__(self, max_age: dict[MessageKind, float] | None = None) -> None:
        self.max_age = MAX_AGE | (max_age or {})
        self.counts: Counter[str] = Counter()
        self._newest: dict[int, dict[int, float]] = {int(kind): {} for kind in MessageKind}  # kind -> station -> moment

    def check(self, kind: MessageKind, station: I64, time: F64, now: float) -> tuple[U8, list[Freshness]]:
        """Judge the messages of one kind that arrived at `now`: mask of the fresh ones, verdicts of the others.

        Args:
            station: senders, shape (n,); several messages of one are taken in their order.
            time: s of the clock of `now`, shape (n,); a message without a time (NaN) is fresh.
        """
        fresh = np.ones(len(station), np.uint8)
        late, ahead = now - time > self.max_age[kind], time - now > AHEAD
        refused = [Freshness.STALE] * int(late.sum()) + [Freshness.FUTURE] * int(ahead.sum())
        fresh[late | ahead] = 0
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

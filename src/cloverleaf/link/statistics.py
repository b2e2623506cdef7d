"""What the link did, for summary.json: messages, bytes, delivery ratio, latency and losses by cause."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.link.channel import BIN_M, BINS, CAUSES, Losses
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import F64, I32, I64

_DELAY_BINS = 2001  # ms; the last holds everything longer


@kernel
def count_pairs(kind, delay, by_kind, by_delay):
    """Add n pairs to the counts by kind, and by delay (s, not less than 0) in bins of 1 ms whose last holds everything longer."""
    last = len(by_delay) - 1
    for i in range(len(kind)):
        by_kind[kind[i]] += 1
        by_delay[min(int(delay[i] * 1000.0), last)] += 1


class Statistics:
    """Counters of one run.

    Args:
        range_m: distance up to which a receiver counts as interested, for the overall delivery ratio.
        events: how often an event was heard that is new, updated, repeated, ...; counted elsewhere.
    """

    def __init__(self, range_m: float = 300.0, events: Counter[str] | None = None) -> None:
        self.range_m = range_m
        self.events: Counter[str] = Counter() if events is None else events
        kinds = len(MessageKind)
        self.sent = np.zeros(kinds, np.int64)
        self.bytes = np.zeros(kinds, np.int64)
        self.delivered = np.zeros(kinds, np.int64)
        self.offered_by_distance = np.zeros(BINS, np.int64)
        self.received_by_distance = np.zeros(BINS, np.int64)
        self.lost = np.zeros(len(CAUSES), np.int64)
        self.delay_ms = np.zeros(_DELAY_BINS, np.int64)
        self.busy_sum, self.busy_count, self.busy_max = 0.0, 0, 0.0
        self.refused: Counter[str] = Counter()
        self.deferred = 0  # verifications given up under overload
        self.unknown = 0  # pairs whose receiver did not know the signer's certificate
        self.silent = 0  # messages kept back by a change of pseudonyms
        self.pseudonym_changes = 0

    def count_sent(self, kind: I32, size: I64) -> None:
        """Messages that went out: kinds and sizes in bytes, shape (n,)."""
        kinds = len(self.sent)
        self.sent += np.bincount(kind, minlength=kinds)
        self.bytes += np.bincount(kind, weights=size, minlength=kinds).astype(np.int64)

    def count_air(self, losses: Losses, busy: F64) -> None:
        """One tick of the channel: losses, and busy ratios of the receivers."""
        self.lost += losses.cause
        self.offered_by_distance += losses.offered
        self.received_by_distance += losses.received
        if len(busy):
            self.busy_sum += float(busy.sum())
            self.busy_count += len(busy)
            self.busy_max = max(self.busy_max, float(busy.max()))

    def count_delivered(self, kind: I32, delay: F64) -> None:
        """Pairs of message and receiver that were handed over: kinds, delays in s."""
        count_pairs(kind, delay, self.delivered, self.delay_ms)

    def delivery_ratio(self) -> float:
        """Received over offered within `range_m`; 1 where nothing was offered."""
        bins = int(self.range_m / BIN_M)
        offered = int(self.offered_by_distance[:bins].sum())
        return float(self.received_by_distance[:bins].sum()) / offered if offered else 1.0

    def latency_ms(self, share: float) -> float:
        """Quantile of the delay from generation to delivery in ms; 0 where nothing was delivered."""
        total = int(self.delay_ms.sum())
        if not total:
            return 0.0
        return float(np.searchsorted(np.cumsum(self.delay_ms), share * total))

    def summary(self) -> dict[str, Any]:
        """The `link` part of summary.json."""
        names = [k.name.lower() for k in MessageKind]
        with np.errstate(invalid="ignore", divide="ignore"):
            curve = self.received_by_distance / self.offered_by_distance
        return {
            "sent": int(self.sent.sum()),
            "delivered": int(self.delivered.sum()),
            "pdr": round(self.delivery_ratio(), 4),
            "latency_ms_p50": self.latency_ms(0.50),
            "latency_ms_p99": self.latency_ms(0.99),
            "bytes": int(self.bytes.sum()),
            "by_kind": {
                name: {"sent": int(self.sent[i]), "delivered": int(self.delivered[i]), "bytes": int(self.bytes[i])}
                for i, name in enumerate(names)
            },
            "pdr_by_distance": [[i * BIN_M, round(float(v), 4)] for i, v in enumerate(curve) if np.isfinite(v)],
            "lost": dict(zip(CAUSES, (int(v) for v in self.lost))),
            "channel_busy_mean": round(self.busy_sum / max(self.busy_count, 1), 4),
            "channel_busy_max": round(self.busy_max, 4),
            "refused": dict(sorted(self.refused.items())),
            "events": dict(sorted(self.events.items())),
            "deferred": self.deferred,
            "certificate_unknown": self.unknown,
            "silent": self.silent,
            "pseudonym_changes": self.pseudonym_changes,
        }

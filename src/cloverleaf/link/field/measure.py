"""From a sender's and a receiver's log to figures: delivery against distance, gaps, age of information, latency."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.link.field.logs import Entry, Track, metres_between
from cloverleaf.types.state import F64

SHARES = (0.5, 0.95, 0.99)
AGE_STEP = 0.01
"""s between samples of the age of information."""


class Delivery(NamedTuple):
    """What happened to each sent message; shape (n,), in order of sending."""

    sent: F64  # s since 1970
    received: F64  # s since 1970, NaN where lost
    distance: F64  # m between sender and receiver, NaN where a place is missing
    sender: list[str]
    unknown: int  # messages received that the sender's log does not hold
    repeated: int  # messages received more than once


def match(tx: list[Entry], rx: list[Entry], receiver: Track | None) -> Delivery:
    """Pair equal messages of the two logs; equal bytes sent more than once (repetition) pair by the latency usual in these logs."""
    sends: dict[bytes, list[int]] = defaultdict(list)
    for i, entry in enumerate(tx):
        sends[entry.data].append(i)
    arrival, distance = np.full(len(tx), np.nan), np.full(len(tx), np.nan)
    heard = [e for e in sorted(rx, key=lambda e: e.time) if e.data in sends]
    single = [e.time - tx[sends[e.data][0]].time for e in heard if len(sends[e.data]) == 1]
    usual = float(np.median(single)) if single else 0.0
    repeated = 0
    for entry in heard:
        free = [i for i in sends[entry.data] if np.isnan(arrival[i])]
        if free:
            arrival[min(free, key=lambda i: abs(entry.time - tx[i].time - usual))] = entry.time
        else:
            repeated += 1
    for i, entry in enumerate(tx):
        here = receiver.at(entry.time) if receiver else None
        if here is not None and entry.place is not None:
            distance[i] = metres_between(entry.place, here)
    order = sorted(range(len(tx)), key=lambda i: tx[i].time)
    sent = np.array([tx[i].time for i in order])
    stations = [tx[i].station for i in order]
    return Delivery(sent, arrival[order], distance[order], stations, len(rx) - len(heard), repeated)


def curve(delivery: Delivery, width: float) -> list[dict[str, float]]:
    """Delivery ratio by distance bin of `width` m with 95 % Wilson intervals; bins without messages are left out."""
    known = ~np.isnan(delivery.distance)
    if not known.any():
        return []
    bins = (delivery.distance[known] // width).astype(np.int64)
    got = ~np.isnan(delivery.received[known])
    rows = []
    for k in np.unique(bins):
        n, hits = int((bins == k).sum()), int(got[bins == k].sum())
        low, high = wilson(hits, n)
        rows.append({"from_m": k * width, "to_m": (k + 1) * width, "sent": n, "received": hits, "pdr": hits / n,
                     "low": low, "high": high})  # fmt: skip
    return rows


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, 1927)."""
    z = 1.959964
    middle = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def gaps(delivery: Delivery) -> F64:
    """s between two messages received from the same sender, all senders together."""
    out = [np.diff(np.sort(times)) for times in _arrivals(delivery).values()]
    return np.concatenate(out) if out else np.zeros(0)


def ages(delivery: Delivery) -> F64:
    """Age of the newest information about each sender, sampled every 10 ms from its first to its last reception, s.

    At a reception the age falls to the latency of that message and grows with time from there (S. Kaul et al., 2012).
    """
    out = []
    for sender, arrived in _arrivals(delivery).items():
        mine = np.array([s == sender for s in delivery.sender])
        sent = delivery.sent[mine & ~np.isnan(delivery.received)]
        order = np.argsort(arrived)
        arrived, sent = arrived[order], np.maximum.accumulate(sent[order])
        if len(arrived) > 1:
            moments = np.arange(arrived[0], arrived[-1], AGE_STEP)
            out.append(moments - sent[np.searchsorted(arrived, moments, side="right") - 1])
    return np.concatenate(out) if out else np.zeros(0)


def latencies(delivery: Delivery) -> F64:
    """s from the sender's to the receiver's capture of each message received; as good as the two clocks agree."""
    return (delivery.received - delivery.sent)[~np.isnan(delivery.received)]


def spread(values: F64) -> dict[str, float] | None:
    """Mean, quantiles and extremes; None without values."""
    if not len(values):
        return None
    quantiles = {f"p{round(100 * share)}": float(np.quantile(values, share)) for share in SHARES}
    return {"mean": float(values.mean()), **quantiles, "min": float(values.min()), "max": float(values.max())}


def bursts(delivery: Delivery) -> dict[str, Any]:
    """Lengths of runs of lost messages, per sender: their mean, and that of independent losses at the same ratio."""
    runs, lost = [], 0
    for sender in set(delivery.sender):
        mine = np.array([s == sender for s in delivery.sender])
        length = 0
        for missing in np.isnan(delivery.received[mine]).tolist():
            if missing:
                length += 1
                lost += 1
            elif length:
                runs.append(length)
                length = 0
        if length:
            runs.append(length)
    ratio = lost / max(len(delivery.sent), 1)
    independent = 1.0 / (1.0 - ratio) if ratio < 1.0 else float(len(delivery.sent))
    return {
        "longest": max(runs, default=0),
        "mean": float(np.mean(runs)) if runs else 0.0,
        "independent_mean": independent,
    }


def _arrivals(delivery: Delivery) -> dict[str, F64]:
    """Times of reception per sender."""
    out: dict[str, list[float]] = defaultdict(list)
    for sender, when in zip(delivery.sender, delivery.received.tolist()):
        if when == when:
            out[sender].append(when)
    return {sender: np.array(times) for sender, times in out.items()}

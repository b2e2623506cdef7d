"""All figures of a field measurement as one JSON-ready dict, with notes on what could not be told and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from cloverleaf.link.field.fit import fit_radio, predicted
from cloverleaf.link.field.logs import Entry, Track
from cloverleaf.link.field.measure import Delivery, ages, bursts, curve, gaps, latencies, match, spread
from cloverleaf.types.state import F64

HISTOGRAM = 40
POOR = 0.1
"""Misfit of the delivery ratio from which on a reader is told that the fitted curve is not his."""


def summarise(
    tx: list[Entry], rx: list[Entry], receiver: Track | None, *, radio: str = "lte-v2x", width: float = 25.0
) -> dict[str, Any]:
    """Figures of two logs. Distances need the receiver's places; the fit needs distances."""
    if receiver is not None and len(receiver.places) > 1:
        own = set(zip(receiver.times, receiver.places))
        tx = [e for e in tx if (e.time, e.place) not in own]
    delivery = match(tx, rx, receiver)
    got = ~np.isnan(delivery.received)
    known = ~np.isnan(delivery.distance)
    fit = fit_radio(delivery.distance[known], got[known].astype(float), radio) if known.any() else None
    return {
        "sent": len(got),
        "received": int(got.sum()),
        "pdr": float(got.mean()) if len(got) else 0.0,
        "senders": len(set(delivery.sender)),
        "kinds": dict(Counter(e.kind for e in tx)),
        "duration_s": float(np.ptp(delivery.sent)) if len(got) else 0.0,
        "unknown": delivery.unknown,
        "repeated": delivery.repeated,
        "pdr_by_distance": curve(delivery, width),
        "gap_s": _figures(gaps(delivery)),
        "age_s": _figures(ages(delivery)),
        "latency_s": _figures(latencies(delivery)),
        "bursts": bursts(delivery),
        "fit": fit | {"curve": _model(fit, delivery)} if fit else None,
        "notes": _notes(delivery, receiver, fit),
    }


def _figures(values: F64) -> dict[str, Any] | None:
    """Spread and histogram of a quantity."""
    found = spread(values)
    if found is None:
        return None
    high = max(float(np.quantile(values, 0.995)), float(values.min()) + 1e-6)
    counts, edges = np.histogram(values, HISTOGRAM, (float(values.min()), high))
    return found | {"n": len(values), "histogram": {"edges": edges.tolist(), "counts": counts.tolist()}}


def _model(fit: dict[str, Any], delivery: Delivery) -> list[list[float]]:
    """The fitted curve over the distances that were measured."""
    far = float(np.nanmax(delivery.distance))
    distance = np.linspace(0.0, far, 60)
    pdr = predicted(distance, fit["power_dbm"], fit["channel_busy"], fit["radio"], 10.0)
    return [[round(d, 1), round(p, 4)] for d, p in zip(distance.tolist(), pdr.tolist())]


def _notes(delivery: Delivery, receiver: Track | None, fit: dict[str, Any] | None) -> list[str]:
    notes = []
    if receiver is None:
        notes.append(
            "the receiver's place is not known, so there are no distances: give --receiver, --track or --station"
        )
    elif np.isnan(delivery.distance).all():
        notes.append("no message says where it was sent from, or the track does not cover them: no distances")
    elif fit is None:
        notes.append(
            "no radio model fits: too few messages or distances, or messages from farther than it reaches (is the receiver's place right?)"
        )
    elif fit["misfit"] > POOR:
        notes.append(
            f"the radio model describes these data badly (off by {fit['misfit']:.2f} beyond chance): do not use it in a study"
        )
    elif fit["at_limit"]:
        notes.append(
            f"the best {' and '.join(fit['at_limit'])} is the last one tried: the true one may lie beyond, or the radio is another"
        )
    delay = latencies(delivery)
    if len(delay) and delay.min() < 0.0:
        notes.append(
            "some messages arrive before they were sent: the two clocks differ, latency and age are off by as much"
        )
    if not len(delay):
        notes.append("no message of the sender's log was received")
    if delivery.unknown:
        notes.append(f"{delivery.unknown} received messages are not in the sender's log (other stations)")
    return notes

"""Deliveries of a tick, and what a station gives up when it hears more signed messages than it can verify."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.security.schedule import choose_verified
from cloverleaf.types.messages import AwarenessBatch, MessageKind, WireBatch
from cloverleaf.types.state import F64, I32, I64


class Pairs(NamedTuple):
    """Deliveries of one tick to one group of receivers: receiver r gets `message[start[r]:start[r + 1]]`."""

    start: I64  # (r + 1,)
    message: I32  # index among the messages of the tick
    delay: F64  # s


def relieve(
    pairs: Pairs, ids: I64, wire: WireBatch, row: I32, awareness: AwarenessBatch, capacity: int
) -> tuple[Pairs, int]:
    """At most `capacity` messages per receiver, the most urgent first; and how many pairs were given up.

    Cars are placed by their own awareness message of this tick; those that sent none keep the first `capacity` messages by distance
    from the origin of urgency 0, which only happens to stations that never speak.
    """
    longest = int(np.diff(pairs.start).max()) if len(pairs.start) > 1 else 0
    if longest <= capacity:
        return pairs, 0
    moving = (wire.kind == MessageKind.AWARENESS).astype(np.uint8)
    rows = np.where(moving != 0, row, 0)
    vx = np.where(moving != 0, awareness.speed[rows] * np.cos(awareness.heading[rows]), 0.0)
    vy = np.where(moving != 0, awareness.speed[rows] * np.sin(awareness.heading[rows]), 0.0)
    own = _own_rows(ids, awareness.station)
    known = own >= 0
    own_x, own_y, own_vx, own_vy = (
        np.where(known, column[own], 0.0)
        for column in (
            awareness.x,
            awareness.y,
            awareness.speed * np.cos(awareness.heading),
            awareness.speed * np.sin(awareness.heading),
        )
    )
    total = len(pairs.message)
    out = Pairs(np.zeros_like(pairs.start), np.zeros(total, np.int32), np.zeros(total))
    score, work = np.zeros(longest), np.zeros(longest)
    given_up = choose_verified(
        *pairs, moving, wire.x, wire.y, vx, vy, own_x, own_y, own_vx, own_vy, np.int64(capacity), score, work, *out
    )
    kept = int(out.start[-1])
    return Pairs(out.start, out.message[:kept], out.delay[:kept]), int(given_up)


def _own_rows(ids: I64, station: I64) -> I64:
    """Row of each id in `station`, -1 where it is missing."""
    if not len(station):
        return np.full(len(ids), -1, np.int64)
    order = np.argsort(station, kind="stable")
    at = np.minimum(np.searchsorted(station[order], ids), len(station) - 1)
    found = order[at]
    return np.where(station[found] == ids, found, -1)

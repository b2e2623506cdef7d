"""Rows of the lake: what road users said of themselves, as columns, with the frame that each came in."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cloverleaf.cloud.live.tiles import tile_of
from cloverleaf.types.messages import AwarenessBatch
from cloverleaf.types.state import F64, I64

PSEUDONYM_S = 86_400.0
"""s for which a vehicle keeps its name in the lake."""

SCHEMA = pa.schema(
    [
        ("time", pa.float64()),  # s since 1970
        ("vehicle", pa.int64()),  # name in the lake, new every day
        ("x", pa.float32()),  # m, ENU
        ("y", pa.float32()),
        ("heading", pa.float32()),  # rad
        ("speed", pa.float32()),  # m/s
        ("accel", pa.float32()),  # m/s2
        ("kind", pa.uint8()),
        ("events", pa.uint16()),
        ("trust", pa.uint8()),
        ("source", pa.int32()),  # row of the log's list of sources
        ("epoch", pa.uint32()),  # with `sequence` and `message`: which message of which frame
        ("sequence", pa.uint64()),
        ("message", pa.uint16()),
    ]
)


class Rows(NamedTuple):
    """Columns of `SCHEMA`, shape (n,) each."""

    time: F64
    vehicle: I64
    x: Any
    y: Any
    heading: Any
    speed: Any
    accel: Any
    kind: Any
    events: Any
    trust: Any
    source: Any
    epoch: Any
    sequence: Any
    message: Any


class Names:
    """Names of vehicles in the lake: a keyed hash of the station id and the day, so that trips of a day hang together and days do not."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._day = -1
        self._known: dict[int, int] = {}

    def name(self, station: int, day: int) -> int:
        """The name of a station on a day (whole days since 1970)."""
        raw = station.to_bytes(8, "little", signed=True) + day.to_bytes(4, "little")
        return int.from_bytes(hashlib.blake2b(raw, digest_size=8, key=self._secret).digest(), "little", signed=True)

    def names(self, station: I64, time: F64) -> I64:
        """Names of many, by the day of the first of them."""
        day = int(time[0] // PSEUDONYM_S) if len(time) else 0
        if day != self._day:
            self._day, self._known = day, {}
        distinct, where = np.unique(station, return_inverse=True)
        known = self._known
        found = {s: known[s] if s in known else self.name(s, day) for s in distinct.tolist()}
        self._known = found  # those who speak now: who ended his trip need not be remembered all day
        return np.array(list(found.values()), np.int64)[where]


def rows_of(
    batch: AwarenessBatch, names: Names, trust: Any, source: Any, epoch: Any, sequence: Any, message: Any
) -> Rows:
    """Awareness as rows; what the frame gives has shape (n,) too."""

    def f4(a: F64) -> Any:
        return a.astype(np.float32)

    return Rows(
        batch.time, names.names(batch.station, batch.time), f4(batch.x), f4(batch.y), f4(batch.heading), f4(batch.speed), f4(batch.accel),
        batch.kind.astype(np.uint8), batch.events.astype(np.uint16), trust.astype(np.uint8), source.astype(np.int32),
        epoch.astype(np.uint32), sequence.astype(np.uint64), message.astype(np.uint16),
    )  # fmt: skip


def joined(parts: list[Rows]) -> Rows:
    """Several rows as one."""
    return parts[0] if len(parts) == 1 else Rows(*[np.concatenate(c) for c in zip(*parts)])


def cell_of(x: Any, y: Any) -> I64:
    """Lake cells: four by four tiles (2 km); -1 off the range."""
    tile = tile_of(np.asarray(x, np.float64), np.asarray(y, np.float64))
    return np.where(tile < 0, -1, ((tile >> 16) >> 2) << 14 | ((tile & 0xFFFF) >> 2))

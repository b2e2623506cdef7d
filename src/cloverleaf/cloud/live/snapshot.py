"""What a shard tells of its part of the twin, and of what it said: packed records, one broker message each time.

A snapshot is 16 bytes (time f8, rows u4, shard u4), the rows (`ROW`), then the signal heads (`HEAD`). `SAID` records stand alone.
"""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import NamedTuple

import numpy as np

from cloverleaf.cloud.signal_memory import SignalMemory
from cloverleaf.cloud.twin import Tracks
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.state import I64, U8

PREFIX = struct.Struct("<dII")
ROW = np.dtype(
    [
        ("handle", "<u4"), ("x", "<f4"), ("y", "<f4"), ("heading", "<f4"), ("speed", "<f4"), ("accel", "<f4"), ("yaw_rate", "<f4"),
        ("age", "<f4"), ("sigma", "<f4"), ("wait", "<f4"), ("length", "<f4"), ("width", "<f4"), ("s", "<f4"), ("lane", "<i4"),
        ("tenant", "<u4"), ("events", "<u2"), ("kind", "u1"), ("marks", "u1"),
    ]
)  # fmt: skip
"""One road user, named by its handle: station ids stay inside the shard. `marks` is a union of `Mark`,
`tenant` the `tenant_number` of the source that told of it last."""


class Mark(IntFlag):
    """What else is known of a row."""

    CONNECTED = 1  # it speaks itself
    SHADOW = 2  # another row is the same road user
    WARNED = 4  # within the last 2 s
    ADVISED = 8
    SMART = 32  # driven by an automation, where that is known (16 is the stream's own: hazard lights or hard braking)


HEAD = np.dtype(
    [
        ("group", "<i4"),
        ("index", "<i4"),
        ("light", "u1"),
        ("next", "u1"),
        ("spare", "<u2"),
        ("end", "<f8"),
        ("heard", "<f8"),
    ]
)
SAID = np.dtype(
    [
        ("time", "<f8"), ("handle", "<u4"), ("code", "<u2"), ("what", "u1"), ("spare", "u1"), ("x", "<f4"), ("y", "<f4"),
        ("radius", "<f4"), ("value", "<f4"), ("life", "<f4"),
    ]
)  # fmt: skip
"""One advisory; what: 0 a warning (value: s to the conflict), 1 a speed advice (value: m/s, x and y: up to where). handle 0: everyone."""


class Snapshot(NamedTuple):
    """A shard's objects and lights at `time`, s since 1970."""

    time: float
    shard: int
    rows: np.ndarray  # of ROW
    heads: np.ndarray  # of HEAD


def rows_of(tracks: Tracks, handle: I64, tenant: I64, flags: I64, marks: U8, t: float) -> np.ndarray:
    """Tracks as `ROW` records; flags: the twin's, with the event flags from bit 8 on."""
    out = np.zeros(len(tracks.x), ROW)
    for name in (
        "x",
        "y",
        "heading",
        "speed",
        "accel",
        "yaw_rate",
        "sigma",
        "wait",
        "length",
        "width",
        "s",
        "lane",
        "kind",
    ):
        out[name] = getattr(tracks, name)
    out["tenant"] = tenant
    out["handle"], out["events"] = handle, (flags >> 8) & 0xFFFF
    out["age"] = t - tracks.time
    out["marks"] = marks | np.where(tracks.station >= 0, int(Mark.CONNECTED), 0) | tracks.shadow * int(Mark.SHADOW)
    return out


def tracks_of(rows: np.ndarray, t: float) -> Tracks:
    """`ROW` records as tracks, for services that run elsewhere; the handle stands for the station of the connected."""
    f = {
        n: rows[n].astype(float)
        for n in ("x", "y", "heading", "speed", "accel", "yaw_rate", "length", "width", "sigma", "wait", "s")
    }
    connected = rows["marks"] & int(Mark.CONNECTED) != 0
    return Tracks(
        station=np.where(connected, rows["handle"].astype(np.int64), -1),
        time=t - rows["age"].astype(float),
        kind=rows["kind"].astype(np.int32),
        shadow=(rows["marks"] & int(Mark.SHADOW) != 0).astype(np.uint8),
        lane=rows["lane"].astype(np.int32),
        **f,
    )


def heads_of(memory: SignalMemory) -> np.ndarray:
    """The lights that were heard, as `HEAD` records."""
    known = np.flatnonzero(~np.isnan(memory.time))
    group = np.searchsorted(memory.start, known, side="right") - 1
    out = np.zeros(len(known), HEAD)
    out["group"], out["index"] = group, known - memory.start[group]
    out["light"], out["next"] = memory.light[known], memory.next_light[known]
    out["end"], out["heard"] = memory.likely_end[known], memory.time[known]
    return out


def pack_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot as bytes."""
    head = PREFIX.pack(snapshot.time, len(snapshot.rows), snapshot.shard)
    return head + snapshot.rows.tobytes() + snapshot.heads.tobytes()


def read_snapshot(data: bytes) -> Snapshot:
    """The snapshot in bytes; DecodeError where it is none."""
    if len(data) < PREFIX.size:
        raise DecodeError("a snapshot cut short")
    time, n, shard = PREFIX.unpack_from(data)
    rest = len(data) - PREFIX.size - n * ROW.itemsize
    if rest < 0 or rest % HEAD.itemsize:
        raise DecodeError("a snapshot of the wrong length")
    rows = np.frombuffer(data, ROW, n, PREFIX.size)
    return Snapshot(time, shard, rows, np.frombuffer(data, HEAD, -1, PREFIX.size + n * ROW.itemsize))

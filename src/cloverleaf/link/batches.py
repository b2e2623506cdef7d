"""Rows of message batches: empty, select, join. A batch is a NamedTuple of columns, with at most one compressed list inside."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from cloverleaf.link.life.living import LivingEvents
from cloverleaf.types.messages import (
    AdviceBatch,
    AwarenessBatch,
    EventBatch,
    MessageKind,
    PerceptionBatch,
    SignalBatch,
)
from cloverleaf.types.state import I64

B = TypeVar("B", AwarenessBatch, SignalBatch, PerceptionBatch, AdviceBatch, EventBatch, LivingEvents)

BATCH_TYPES: dict[int, Any] = {
    MessageKind.AWARENESS: AwarenessBatch,
    MessageKind.SIGNAL: SignalBatch,
    MessageKind.PERCEPTION: PerceptionBatch,
    MessageKind.ADVICE: AdviceBatch,
    MessageKind.EVENT: EventBatch,
}
"""The content type of each kind of message that has one (topology travels as bytes only)."""
WIRE_TYPES: dict[int, Any] = BATCH_TYPES | {MessageKind.EVENT: LivingEvents}
"""As `BATCH_TYPES`, for what goes through the bytes."""

_LIST = {SignalBatch: 3, PerceptionBatch: 2}
"""Position of the offsets column; the columns after it are the list's."""

_DTYPE = {
    "station": "i8",
    "target": "i8",
    "object_station": "i8",
    "phase_start": "i8",
    "object_start": "i8",
    "kind": "i4",
    "events": "i4",
    "event": "i4",
    "intersection": "i4",
    "link_index": "i4",
    "object_id": "i4",
    "light": "u1",
    "next_light": "u1",
    "originator": "i8",
    "number": "i8",
    "termination": "u1",
}


def empty(batch_type: type[B]) -> B:
    """A batch of no messages."""
    at = _LIST.get(batch_type)
    columns = [np.zeros(int(i == at), dtype=_DTYPE.get(f, "f8")) for i, f in enumerate(batch_type._fields)]
    return batch_type(*columns)


def take(batch: B, rows: np.ndarray) -> B:
    """The messages `rows` (indices, any order) of a batch, lists included."""
    at = _LIST.get(type(batch))
    if at is None:
        return type(batch)(*[column[rows] for column in batch])
    start = batch[at]
    first, count = start[rows], start[rows + 1] - start[rows]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(count, out=offsets[1:])
    inner = np.repeat(first - offsets[:-1], count) + np.arange(offsets[-1])
    columns = [column[rows] for column in batch[:at]] + [offsets] + [column[inner] for column in batch[at + 1 :]]
    return type(batch)(*columns)


def join(batches: list[B]) -> B:
    """All messages of several batches of one type, in order."""
    if len(batches) == 1:
        return batches[0]
    batch_type = type(batches[0])
    at = _LIST.get(batch_type)
    columns: list[Any] = []
    for i in range(len(batch_type._fields)):
        parts = [b[i] for b in batches]
        if i == at:
            shifts = np.cumsum([0] + [int(p[-1]) for p in parts])
            parts = [parts[0][:1]] + [p[1:] + shift for p, shift in zip(parts, shifts)]
        columns.append(np.concatenate(parts))
    return batch_type(*columns)


def count(batch: Any) -> int:
    """Number of messages in a batch."""
    return len(batch[0])


def pack(parts: list[bytes]) -> tuple[np.ndarray, I64]:
    """Byte strings as one buffer with offsets: `(buffer uint8, start int64 of shape (n + 1,))`."""
    start = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(p) for p in parts], out=start[1:])
    return np.frombuffer(b"".join(parts), dtype=np.uint8), start

"""Thousands of messages at once: bytes to records and back, one kernel call; what records cannot hold takes the general path.

Both directions check everything that `single` checks and give a code per message instead of an exception.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np

from cloverleaf.link.codec.plan import Layout
from cloverleaf.link.codec.program import GENERAL, MAX_DEPTH, OTHER, Program, assemble
from cloverleaf.link.codec.records import Builder, Records
from cloverleaf.link.codec.single import Codec, codec
from cloverleaf.link.schemas.catalog import Message, message
from cloverleaf.types.errors import DecodeError, EncodeError
from cloverleaf.types.state import I64, U8

_PAD = 32


class BatchCodec:
    """Batch encoder and decoder of one message type."""

    def __init__(self, kind: Message) -> None:
        if kind.encoding != "uper":
            raise EncodeError(f"{kind.standard} {kind.name} has no batch form: it is not PER-encoded")
        self.message = kind
        self.layout = Layout(kind.type(), kind.select)
        self.program: Program = assemble(self.layout)
        self._per_message = np.ones(len(self.layout.widths))
        self._octets = 64.0

    @cached_property
    def single(self) -> Codec:
        """The codec of one message, which is also the general path."""
        return codec(self.message.standard, self.message.name)

    def decode(self, buffer: U8, start: I64) -> Records:
        """Records of the messages `buffer[start[i]:start[i + 1]]`; start of shape (n + 1,), ascending."""
        from cloverleaf.link.codec.batch_decode import decode_many

        n = len(start) - 1
        widths = self.program.widths
        padded = np.zeros(len(buffer) + self.program.run_bits // 8 + _PAD, np.uint8)
        padded[: len(buffer)] = buffer
        offsets = np.ascontiguousarray(start, np.int64)
        capacity = np.maximum((self._per_message * n * 1.1).astype(np.int64) + 16, 16)
        capacity[0] = n
        rows, saved = np.zeros(len(widths), np.int64), np.zeros(len(widths), np.int64)
        stack, error = np.zeros(3 * MAX_DEPTH + 2, np.int64), np.zeros(n, np.uint8)
        arena, base = _arena(capacity, widths)
        done, full = decode_many(
            self.program, padded, offsets, 0, arena, base, rows, capacity, saved, stack, error
        )  # fmt: skip
        while full >= 0:
            grown = capacity.copy()
            grown[full] = 2 * capacity[full] + 1024
            larger, moved = _arena(grown, widths)
            for t, width in enumerate(widths):
                size = rows[t] * width
                larger[moved[t] : moved[t] + size] = arena[base[t] : base[t] + size]
            arena, base, capacity = larger, moved, grown
            done, full = decode_many(
                self.program, padded, offsets, done, arena, base, rows, capacity, saved, stack, error
            )  # fmt: skip
        if n:
            self._per_message = np.maximum(self._per_message * 0.5, rows / n)
        records = Records(self.layout, _tables(arena, base, rows, widths), padded, error)
        for i in np.flatnonzero(error >= OTHER).tolist():
            if error[i] == GENERAL:
                try:
                    records.general[i] = self.single.decode(buffer[start[i] : start[i + 1]].tobytes())
                    error[i] = 0
                except DecodeError:
                    pass
        return records

    def encode(self, records: Records) -> tuple[U8, I64, U8]:
        """(buffer, start, error): message i is `buffer[start[i]:start[i + 1]]`, empty where error[i] is not 0."""
        from cloverleaf.link.codec.batch_encode import encode_many

        widths = self.program.widths
        rows = np.array([len(t) for t in records.tables], np.int64)
        arena, base = _pack(records.tables, rows, widths)
        n = int(rows[0])
        heap = np.zeros(len(records.heap) + _PAD, np.uint8)
        heap[: len(records.heap)] = records.heap
        start, error = np.zeros(n + 1, np.int64), np.zeros(n, np.uint8)
        stack = np.zeros(3 * MAX_DEPTH + 2, np.int64)
        buffer = np.empty(int(self._octets * n * 1.1) + self.program.run_bits // 4 + 4096, np.uint8)
        done, heap_bits = 0, 8 * len(records.heap)
        while True:
            done = encode_many(
                self.program, arena, base, rows, heap, heap_bits, done, buffer, start, stack, error
            )  # fmt: skip
            if done >= n:
                break
            larger = np.empty(2 * len(buffer) + 65536, np.uint8)
            larger[: start[done]] = buffer[: start[done]]
            buffer = larger
        buffer = buffer[: start[n]]
        if n:
            self._octets = max(self._octets * 0.5, len(buffer) / n)
        if records.general or (error == GENERAL).any():
            return self._merge(records, buffer, start, error)
        return buffer, start, error

    def _merge(self, records: Records, buffer: U8, start: I64, error: U8) -> tuple[U8, I64, U8]:
        """Put the messages of the general path in their places."""
        parts = []
        for i in range(len(error)):
            part = buffer[start[i] : start[i + 1]].tobytes()
            if i in records.general or error[i] == GENERAL:
                try:
                    part = self.single.encode(records.value(i))
                    error[i] = 0
                except EncodeError:
                    part = b""
                    error[i] = error[i] or GENERAL
            parts.append(part)
        merged = np.frombuffer(b"".join(parts), np.uint8)
        return merged, np.concatenate(([0], np.cumsum([len(x) for x in parts]))).astype(np.int64), error

    def from_values(self, values: list[Any]) -> Records:
        """Records of value dicts (slow; for tools and tests)."""
        builder = Builder(self.layout)
        for value in values:
            builder.add(value)
        return builder.records()

    def empty(self, rows: list[int]) -> Records:
        """Zeroed records of this message with `rows[t]` rows in table t, to be filled by columns; the heap is empty."""
        tables = [np.zeros((count, width), np.int64) for count, width in zip(rows, self.layout.widths)]
        for slot, value in self.layout.constants:
            tables[0][:, slot] = value
        return Records(self.layout, tables, np.zeros(0, np.uint8), np.zeros(rows[0], np.uint8))


def _arena(capacity: I64, widths: I64) -> tuple[I64, I64]:
    """Room for all tables behind one slot of ones (the presence of mandatory fields), and where each begins."""
    sizes = capacity * widths
    base = 1 + np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    arena = np.empty(int(sizes.sum()) + 1, np.int64)
    arena[0] = -1
    return arena, base


def _tables(arena: I64, base: I64, rows: I64, widths: I64) -> list[I64]:
    return [arena[b : b + r * w].reshape(r, w) for b, r, w in zip(base.tolist(), rows.tolist(), widths.tolist())]


def _pack(tables: list[I64], rows: I64, widths: I64) -> tuple[I64, I64]:
    """The tables in one arena; without a copy where they already are."""
    root = tables[0].base
    if root is not None and root.ndim == 1 and all(t.base is root for t in tables) and len(root) and root[0] == -1:
        origin = root.__array_interface__["data"][0]
        base = np.array([(t.__array_interface__["data"][0] - origin) // 8 for t in tables], np.int64)
        if np.all(base >= 1):
            return root, base
    arena, base = _arena(rows, widths)
    for t, b in zip(tables, base.tolist()):
        arena[b : b + t.size] = t.reshape(-1)
    return arena, base


@cache
def batch_codec(standard: str, name: str) -> BatchCodec:
    """The batch codec of a message."""
    return BatchCodec(message(standard, name))

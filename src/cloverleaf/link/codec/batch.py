"""Thousands of messages at once: bytes to records and back, one kernel call; what records cannot hold takes the general path.

Both directions check everything that `single` checks and give a code per message instead of an exception.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np

from cloverleaf.link.codec.plan import Layout
from cloverleaf.link.codec.program import GENERAL, MAX_DEPTH, Program, assemble
from cloverleaf.link.codec.records import Builder, Records
from cloverleaf.link.codec.single import Codec, codec
from cloverleaf.link.codec.spare import Spare
from cloverleaf.link.codec.straight import HOT, Straight
from cloverleaf.link.schemas.catalog import Message, message
from cloverleaf.link.schemas.nodes import Null
from cloverleaf.types.errors import DecodeError, EncodeError
from cloverleaf.types.state import I64, U8

_PAD = 32

MANY, OFTEN = 1000, 20_000
"""Messages at once, or in all, from which on a hot message's own kernels are worth their compile time (once on a machine)."""


class BatchCodec:
    """Batch encoder and decoder of one message type.

    Only PER messages have columns; those in OER (the security types) all take the general path, with empty tables.
    """

    def __init__(self, kind: Message) -> None:
        self.message = kind
        self.columns = kind.encoding == "uper"
        self.layout = Layout(kind.type(), kind.select) if self.columns else Layout(Null())
        self.program: Program = assemble(self.layout)
        self._bytes, self._slots = Spare(np.uint8), Spare(np.int64)
        self._per_message = np.ones(len(self.layout.widths))
        self._octets = 64.0
        self._done = 0  # messages read and written so far

    @cached_property
    def single(self) -> Codec:
        """The codec of one message, which is also the general path."""
        return codec(self.message.standard, self.message.name)

    @cached_property
    def straight(self) -> Any:
        """Kernels of this message alone, or None if it is not a hot one."""
        if (self.message.standard, self.message.name) not in HOT:
            return None
        return Straight(self.layout).module()

    def _own(self, n: int) -> Any:
        """The kernels of this message alone where they are worth it for `n` more messages, else None."""
        self._done += n
        return self.straight if n >= MANY or self._done > OFTEN else None

    def decode(self, buffer: U8, start: I64) -> Records:
        """Records of the messages `buffer[start[i]:start[i + 1]]`; start of shape (n + 1,), ascending."""
        from cloverleaf.link.codec.batch_decode import decode_listed, decode_many

        n = len(start) - 1
        if not self.columns:
            records = self._without_columns(n)
            records.error[:] = GENERAL
            self._general(records, buffer, start)
            return records
        arena = _Arena(self, n)
        padded = self._bytes.take(len(buffer) + 8 * max(self.layout.widths) + _PAD)  # a row's fields, unchecked
        padded[: len(buffer)] = buffer
        padded[len(buffer) :] = 0
        offsets = np.ascontiguousarray(start, np.int64)
        error = np.zeros(n, np.uint8)
        straight = self._own(n)
        if straight is not None:
            kernel = straight.decode_many
            arena.fill(lambda done, a: kernel(padded, offsets, done, _places(a.out, a.base), a.rows, a.capacity, error))
            which = np.flatnonzero(error == GENERAL)
            if len(which):
                arena.fill(
                    lambda done, a: decode_listed(
                        self.program,
                        padded,
                        offsets,
                        which,
                        done,
                        a.out,
                        a.base,
                        a.rows,
                        a.capacity,
                        a.saved,
                        a.stack,
                        error,
                    )
                )
        else:
            arena.fill(
                lambda done, a: decode_many(
                    self.program, padded, offsets, done, a.out, a.base, a.rows, a.capacity, a.saved, a.stack, error
                )
            )
        if n:
            self._per_message = np.maximum(self._per_message * 0.5, arena.rows / n)
        records = Records(self.layout, arena.tables(), padded[:-_PAD], error)
        self._general(records, buffer, start)
        return records

    def _general(self, records: Records, buffer: U8, start: I64) -> None:
        """Read the messages that records cannot hold one at a time."""
        for i in np.flatnonzero(records.error == GENERAL).tolist():
            try:
                records.general[i] = self.single.decode(buffer[start[i] : start[i + 1]].tobytes())
                records.error[i] = 0
            except DecodeError:
                pass

    def _without_columns(self, n: int) -> Records:
        return Records(self.layout, [np.zeros((n, 0), np.int64)], np.zeros(0, np.uint8), np.zeros(n, np.uint8))

    def encode(self, records: Records) -> tuple[U8, I64, U8]:
        """(buffer, start, error): message i is `buffer[start[i]:start[i + 1]]`, empty where error[i] is not 0."""
        from cloverleaf.link.codec.batch_encode import encode_many

        if not self.columns:
            n = len(records.error)
            return self._merge(records, np.zeros(0, np.uint8), np.zeros(n + 1, np.int64), np.zeros(n, np.uint8))
        widths = self.program.widths
        rows = np.array([len(t) for t in records.tables], np.int64)
        out, base = _pack(records.tables, rows, widths, self._slots)
        n = int(rows[0])
        heap = _padded(records.heap)
        start, error = np.zeros(n + 1, np.int64), np.zeros(n, np.uint8)
        stack = np.zeros(3 * MAX_DEPTH + 2, np.int64)
        margin = 8 * sum(self.layout.widths) * 8 + 512
        buffer = self._bytes.take(int(self._octets * n * 1.1) + self.program.run_bits // 4 + margin // 8 + 8192)
        straight = self._own(n)
        places = _places(out, base)
        done, heap_bits = 0, 8 * len(records.heap)
        while done < n:
            if straight is not None and error[done] != GENERAL:
                done = straight.encode_many(buffer, start, done, margin, places, rows, heap, heap_bits, error)
                if done >= n or error[done] == GENERAL:
                    continue
            else:
                last = n if straight is None else done + 1
                error[done] = 0
                before = done
                done = encode_many(
                    self.program, out, base, rows, heap, heap_bits, done, last, buffer, start, stack, error
                )  # fmt: skip
                if done > before:
                    continue
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
        if not self.columns:
            made = self._without_columns(len(values))
            made.general.update(enumerate(values))
            return made
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


class _Arena:
    """Room for the tables of a batch while it is being decoded; grows when a table is full.

    One flat array behind a slot of ones, which is the presence of mandatory fields in the interpreter's runs.
    """

    def __init__(self, owner: BatchCodec, n: int) -> None:
        self.widths, self.spare = owner.program.widths, owner._slots
        self.rows, self.saved = np.zeros(len(self.widths), np.int64), np.zeros(len(self.widths), np.int64)
        self.stack = np.zeros(3 * MAX_DEPTH + 2, np.int64)
        self.capacity = np.maximum((owner._per_message * n * 1.1).astype(np.int64) + 16, 16)
        self.capacity[0] = n
        self.out, self.base = _room(self.capacity, self.widths, self.spare)

    def fill(self, run: Any) -> None:
        """Call `run(next message, arena) -> (next message, full table or -1)` until no table is full."""
        done, full = run(0, self)
        while full >= 0:
            self.capacity[full] = 2 * self.capacity[full] + 1024
            larger, moved = _room(self.capacity, self.widths, self.spare)
            for t, width in enumerate(self.widths.tolist()):
                size = int(self.rows[t]) * width
                larger[moved[t] : moved[t] + size] = self.out[self.base[t] : self.base[t] + size]
            self.out, self.base = larger, moved
            done, full = run(done, self)

    def tables(self) -> list[I64]:
        """The tables as far as they are filled: views."""
        ends = zip(self.base.tolist(), self.rows.tolist(), self.widths.tolist())
        return [self.out[b : b + r * w].reshape(r, w) for b, r, w in ends]


def _padded(heap: U8) -> U8:
    """The heap with room to read past its end: itself where it is a view of a longer array."""
    root = heap.base
    if isinstance(root, np.ndarray) and root.dtype == np.uint8 and root.ndim == 1 and heap.strides == (1,):
        begin = heap.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        if begin + len(heap) + _PAD <= len(root) and root.flags.c_contiguous:
            return heap
    return np.concatenate((heap, np.zeros(_PAD, np.uint8)))


def _places(out: I64, base: I64) -> I64:
    """Addresses of the tables in an arena."""
    return out.__array_interface__["data"][0] + 8 * base  # type: ignore[no-any-return]


def _room(capacity: I64, widths: I64, spare: Spare) -> tuple[I64, I64]:
    """A flat array for tables of these capacities, and where each begins."""
    sizes = capacity * widths
    base = 1 + np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    out = spare.take(int(sizes.sum()) + 1)
    out[0] = -1
    return out, base


def _pack(tables: list[I64], rows: I64, widths: I64, spare: Spare) -> tuple[I64, I64]:
    """The tables in one arena; without a copy where they already are."""
    root = tables[0].base
    if root is not None and root.ndim == 1 and all(t.base is root for t in tables) and len(root) and root[0] == -1:
        origin = root.__array_interface__["data"][0]
        places = [(t.__array_interface__["data"][0] - origin) // 8 if t.size else 1 for t in tables]
        base = np.array(places, np.int64)
        if np.all(base >= 1):
            return root, base
    arena, base = _room(rows, widths, spare)
    for t, b in zip(tables, base.tolist()):
        arena[b : b + t.size] = t.reshape(-1)
    return arena, base


@cache
def batch_codec(standard: str, name: str) -> BatchCodec:
    """The batch codec of a message."""
    return BatchCodec(message(standard, name))

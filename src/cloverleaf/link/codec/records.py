"""Records of a layout, and their conversion from and to the value forms of `single`: for tests, tools and the general path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cloverleaf.link.codec import plan as p
from cloverleaf.link.codec.program import default_value
from cloverleaf.link.codec.uper_runtime import _DIGITS
from cloverleaf.link.schemas import nodes as s
from cloverleaf.types.state import I64, U8


@dataclass
class Records:
    """Messages as tables of int64 slots; see `plan` for what a slot means.

    tables: table t has shape (rows, slots); row i of table 0 is message i.
    heap: bytes that the strings refer to.
    error: (n,) code per message, 0 good (`program.REASONS`); the row of a bad message is zero.
    general: values of the messages that records cannot hold (their row is zero too).
    """

    layout: p.Layout
    tables: list[I64]
    heap: U8
    error: U8
    general: dict[int, Any] = field(default_factory=dict)

    def column(self, path: str) -> I64:
        """The column of a field, e.g. `pos.lat`, `pos?` (presence mask), `crumbData[].timeOffset`: a view of its table."""
        table, slot = self.layout.paths[path]
        return self.tables[table][:, slot]

    def value(self, i: int) -> Any:
        """Message i as a value."""
        if i in self.general:
            return self.general[i]
        return _Reader(self).read(self.layout.root, 0, i)


class _Reader:
    """Record rows to values."""

    def __init__(self, records: Records) -> None:
        self.tables = records.tables
        self.heap = records.heap

    def octets(self, first_bit: int, width: int) -> int:
        """`width` bits of the heap as an integer."""
        begin, end = first_bit >> 3, (first_bit + width + 7) >> 3
        return int.from_bytes(self.heap[begin:end].tobytes(), "big") >> (-(first_bit + width) & 7) & (1 << width) - 1

    def read(self, plan: p.Plan, table: int, row: int) -> Any:
        slots = self.tables[table]
        if isinstance(plan, (p.Bits, p.Number, p.Name, p.Flags)):
            raw = int(slots[row, plan.slot])
            if isinstance(plan, p.Flags):
                return _bit_string(raw & (1 << 64) - 1, int(slots[row, plan.slot + 1]))
            return _leaf(plan.node, raw, plan.width if isinstance(plan, p.Bits) else 0)
        if isinstance(plan, p.Record):
            return self.record(plan, table, row)
        if isinstance(plan, p.Many):
            first, count = int(slots[row, plan.slot]), int(slots[row, plan.slot + 1])
            return [self.read(plan.item, plan.table, r) for r in range(first, first + count)]
        if isinstance(plan, p.OneOf):
            chosen = int(slots[row, plan.slot])
            alternative = plan.plans[chosen]
            assert alternative is not None
            return [(*plan.node.root, *plan.node.ext)[chosen].name, self.read(alternative, table, row)]
        if isinstance(plan, p.Away):
            return self.read(plan.plan, plan.table, int(slots[row, plan.slot]))
        if isinstance(plan, p.Open):
            chosen = int(slots[row, plan.slot])
            if chosen < 0:
                count = int(slots[row, plan.slot + 2])
                octets = self.octets(int(slots[row, plan.slot + 1]), 8 * count).to_bytes(count, "big")
                return ["_unknown", {"hex": octets.hex()}]
            content = plan.plans[chosen]
            assert content is not None
            return [plan.node.table[chosen][1], self.read(content, table, row)]
        if isinstance(plan, p.Text):
            return self.text(plan, int(slots[row, plan.slot]), int(slots[row, plan.slot + 1]))
        return None

    def record(self, plan: p.Record, table: int, row: int) -> dict[str, Any]:
        slots, found = self.tables[table], {}
        mask = int(slots[row, plan.mask]) if plan.mask >= 0 else 0
        for part in plan.parts:
            if part.bit < 0 or mask >> part.bit & 1:
                found[part.name] = self.read(part.plan, table, row)
        if plan.node.extensible and mask >> (plan.mask_width - 1) & 1:
            present = int(slots[row, plan.extended])
            for part in plan.additions:
                if present >> part.bit & 1:
                    value = self.read(part.plan, table, row)
                    found.update({part.name: value} if part.name else value)
        return found

    def text(self, plan: p.Text, first_bit: int, count: int) -> Any:
        bits = self.octets(first_bit, plan.unit * count)
        node = plan.node
        if isinstance(node, s.BitString):
            return _bit_string(bits, count)
        if isinstance(node, s.OctetString):
            return {"hex": bits.to_bytes(count, "big").hex()}
        if node.alphabet == "utf8":
            return bits.to_bytes(count, "big").decode("utf-8")
        codes = [bits >> plan.unit * i & (1 << plan.unit) - 1 for i in range(count - 1, -1, -1)]
        return "".join(chr(c) if node.alphabet == "ia5" else _DIGITS[c] for c in codes)


def _bit_string(bits: int, count: int) -> dict[str, Any]:
    octets = (count + 7) // 8
    return {"hex": (bits << -count % 8).to_bytes(octets, "big").hex(), "bits": count}


def _leaf(node: s.Type, raw: int, width: int) -> Any:
    if isinstance(node, s.Enumerated):
        return (*node.root, *node.ext)[raw]
    if isinstance(node, s.Boolean):
        return raw == 1
    if isinstance(node, s.BitString):
        return _bit_string(raw & (1 << 64) - 1, width)
    if isinstance(node, s.OctetString):
        return {"hex": (raw & (1 << 64) - 1).to_bytes(width // 8, "big").hex()}
    if isinstance(node, s.Integer) and node.high is not None and node.high >= 1 << 63:
        return raw & (1 << 64) - 1
    return raw


class Unrepresentable(Exception):
    """A value that records cannot hold: the general path takes it."""


class Builder:
    """Values to records: `add` each message, then `records`."""

    def __init__(self, layout: p.Layout) -> None:
        self.layout = layout
        self.rows: list[list[list[int]]] = [[] for _ in layout.widths]
        self.heap = bytearray()
        self.general: dict[int, Any] = {}

    def add(self, value: Any) -> None:
        """Append a message, checked by `single` or known to be valid."""
        marks = [len(t) for t in self.rows]
        i = self.new_row(0)
        try:
            self.write(self.layout.root, 0, i, value)
        except Unrepresentable:
            for rows, mark in zip(self.rows, marks):
                del rows[mark:]
            self.new_row(0)
            self.general[i] = value

    def new_row(self, table: int) -> int:
        self.rows[table].append([0] * self.layout.widths[table])
        return len(self.rows[table]) - 1

    def records(self) -> Records:
        """What was added."""
        tables = [
            np.array(rows, np.int64).reshape(len(rows), width) for rows, width in zip(self.rows, self.layout.widths)
        ]
        heap = np.frombuffer(bytes(self.heap), np.uint8)
        return Records(self.layout, tables, heap, np.zeros(len(tables[0]), np.uint8), dict(self.general))

    def store(self, table: int, row: int, slot: int, value: int) -> None:
        if not -(1 << 63) <= value < 1 << 64:
            raise Unrepresentable
        self.rows[table][row][slot] = value - (1 << 64) if value >= 1 << 63 else value

    def write(self, plan: p.Plan, table: int, row: int, value: Any) -> None:
        if isinstance(plan, (p.Bits, p.Number, p.Name)):
            self.store(table, row, plan.slot, _raw(plan.node, value, isinstance(plan, p.Number)))
        elif isinstance(plan, p.Flags):
            if value["bits"] > 64:
                raise Unrepresentable
            self.store(table, row, plan.slot, int(value["hex"] or "0", 16) >> -value["bits"] % 8)
            self.store(table, row, plan.slot + 1, value["bits"])
        elif isinstance(plan, p.Record):
            self.record(plan, table, row, value)
        elif isinstance(plan, p.Many):
            made = [self.new_row(plan.table) for _ in value]
            self.store(table, row, plan.slot, made[0] if made else 0)
            self.store(table, row, plan.slot + 1, len(made))
            for r, item in zip(made, value):
                self.write(plan.item, plan.table, r, item)
        elif isinstance(plan, p.OneOf):
            names = [a.name for a in (*plan.node.root, *plan.node.ext)]
            chosen = names.index(value[0])
            if plan.plans[chosen] is None:
                raise Unrepresentable
            self.store(table, row, plan.slot, chosen)
            self.write(plan.plans[chosen], table, row, value[1])  # type: ignore[arg-type]
        elif isinstance(plan, p.Away):
            made_row = self.new_row(plan.table)
            self.store(table, row, plan.slot, made_row)
            self.write(plan.plan, plan.table, made_row, value)
        elif isinstance(plan, p.Text):
            self.text(plan, table, row, value)
        elif isinstance(plan, p.Elsewhere):
            raise Unrepresentable

    def record(self, plan: p.Record, table: int, row: int, value: dict[str, Any]) -> None:
        mask = 0
        for part in plan.parts:
            if part.name in value and not (part.default is not None and value[part.name] == part.default):
                mask |= (part.bit >= 0) << max(part.bit, 0)
                if isinstance(part.plan, p.Open):
                    self.open(part.plan, table, row, value[part.name])
                else:
                    self.write(part.plan, table, row, value[part.name])
            elif part.default is not None:
                self.store(table, row, part.plan.slot, default_value(part))  # type: ignore[union-attr]
        present = 0
        for part, addition in zip(plan.additions, plan.node.ext):
            names = [f.name for f in addition] if isinstance(addition, tuple) else [addition.name]
            inside = {name: value[name] for name in names if name in value}
            if inside:
                present |= 1 << part.bit
                self.write(part.plan, table, row, inside if isinstance(addition, tuple) else inside[names[0]])
        if present:
            mask |= 1 << plan.mask_width - 1
            self.store(table, row, plan.extended, present)
        if plan.mask >= 0:
            self.store(table, row, plan.mask, mask)

    def open(self, plan: p.Open, table: int, row: int, value: Any) -> None:
        names = [name for _, name, _ in plan.node.table]
        if value[0] == "_unknown":
            self.store(table, row, plan.slot, -1)
            raw = bytes.fromhex(value[1]["hex"])
            self.rows[table][row][plan.slot + 1 : plan.slot + 3] = [8 * len(self.heap), len(raw)]
            self.heap += raw
            return
        chosen = names.index(value[0])
        if plan.plans[chosen] is None:
            raise Unrepresentable
        self.store(table, row, plan.slot, chosen)
        self.write(plan.plans[chosen], table, row, value[1])  # type: ignore[arg-type]

    def text(self, plan: p.Text, table: int, row: int, value: Any) -> None:
        node = plan.node
        if isinstance(node, s.BitString):
            raw, count = bytes.fromhex(value["hex"]), value["bits"]
        elif isinstance(node, s.OctetString):
            raw = bytes.fromhex(value["hex"])
            count = len(raw)
        elif node.alphabet == "utf8":
            raw = value.encode("utf-8")
            count = len(raw)
        else:
            block, count = 0, len(value)
            for character in value:
                block = block << plan.unit | (ord(character) if node.alphabet == "ia5" else _DIGITS.index(character))
            width = plan.unit * count
            raw = (block << -width % 8).to_bytes((width + 7) // 8, "big")
        self.rows[table][row][plan.slot : plan.slot + 2] = [8 * len(self.heap), count]
        self.heap += raw


def _raw(node: s.Type, value: Any, wide: bool) -> int:
    if isinstance(node, s.Enumerated):
        return (*node.root, *node.ext).index(value)
    if isinstance(node, s.BitString):
        return int(value["hex"] or "0", 16) >> -value["bits"] % 8
    if isinstance(node, s.OctetString):
        return int(value["hex"] or "0", 16)
    if wide and not -(1 << 63) <= int(value) < 1 << 63:
        raise Unrepresentable
    return int(value)

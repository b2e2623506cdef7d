"""Turns a layout into the op table that the batch kernels run; the same table decodes and encodes.

An op is a row of `STRIDE` integers. Runs of fixed-width fields, optional ones included, are one op over rows of `fields`:
width, low, top, slot, and where its presence bit is (1 or 0 to add the row's base, slot, bit). An absent field has
width 0, so a run has no branches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.codec import plan as p
from cloverleaf.link.schemas import nodes as s
from cloverleaf.types.state import I64

STRIDE = 10
END, RUN, OPT, JUMP, LIST, LIST_END, SUB, SUB_END, OPEN, OPEN_END, CHOICE, EXTENSION, SKIP = range(13)
NUMBER, NAME, FLAGS, TEXT, TABLE, UNION, SET, UNSET, FAIL = range(13, 22)

GOOD, TRUNCATED, RANGE, LENGTH, ALTERNATIVE, TEXT_BAD, OTHER, GENERAL = range(8)
"""Error codes of a message. GENERAL: beyond what records hold; the general path decides."""

REASONS = (
    "", "message is truncated", "value out of range", "length out of range", "unknown alternative",
    "character not in the alphabet", "another message of the same frame", "needs the general path",
)  # fmt: skip

MAX_DEPTH = 60


class Program(NamedTuple):
    """Ops, fields of runs, jump targets of choices and open types, and sub-ranges, all flat; widths of the tables."""

    ops: I64
    fields: I64
    jumps: I64
    ranges: I64
    widths: I64
    run_bits: int  # the longest run


def assemble(layout: p.Layout) -> Program:
    """The program of a layout."""
    a = _Assembler(layout)
    a.emit(layout.root)
    a.op(END)
    flat = [x for row in a.ops for x in (*row, *[0] * (STRIDE - len(row)))]
    longest = max((sum(f[0] for f in a.fields[op[1] : op[1] + op[2]]) for op in a.ops if op[0] == RUN), default=0)
    fields = np.array([signed(x) for f in a.fields for x in f] or [0], np.int64)
    return Program(
        np.array(flat, np.int64), fields, np.array(a.jumps or [0], np.int64), np.array(a.ranges or [0], np.int64),
        np.array(layout.widths, np.int64), longest,
    )  # fmt: skip


def signed(value: int) -> int:
    """An unsigned 64-bit number as the int64 of the same bits."""
    return value - (1 << 64) if value >= 1 << 63 else value


FIELD = 7
"""Integers of a row of `fields`."""


class _Assembler:
    def __init__(self, layout: p.Layout) -> None:
        self.layout = layout
        self.ops: list[list[int]] = []
        self.fields: list[tuple[int, ...]] = []
        self.jumps: list[int] = []
        self.ranges: list[int] = []
        self.run: list[tuple[int, ...]] = []

    def op(self, *row: int) -> int:
        """Append an op behind the pending run; its index."""
        self.flush()
        self.ops.append(list(row))
        return len(self.ops) - 1

    def here(self) -> int:
        """Index of the next op, as a jump target."""
        self.flush()
        return len(self.ops)

    def flush(self) -> None:
        if self.run:
            self.ops.append([RUN, len(self.fields), len(self.run)])
            self.fields.extend(self.run)
            self.run = []

    def bits(self, width: int, low: int, top: int, slot: int, mask: int = -1, bit: int = 0) -> None:
        """Add a fixed-width field to the run."""
        self.run.append((width, low, top, slot, mask >= 0, max(mask, 0), bit))

    def spans(self, ranges: tuple[tuple[int, int], ...]) -> tuple[int, int]:
        """(first, count) of the sub-ranges."""
        first = len(self.ranges) // 2
        for low, high in ranges:
            self.ranges += [low, high]
        return first, len(ranges)

    def emit(self, plan: p.Plan, mask: int = -1, bit: int = 0) -> None:
        """Ops of a part; with `mask` it is an optional part that can be flattened into the run."""
        if isinstance(plan, p.Bits):
            self.bits(plan.width, plan.low, plan.top, plan.slot, mask, bit)
            if plan.parts:
                self.op(UNION, plan.slot, *self.spans(plan.parts))
        elif isinstance(plan, p.Record):
            self.record(plan, mask, bit)
        elif isinstance(plan, p.Number):
            self.number(plan)
        elif isinstance(plan, p.Name):
            root = len(plan.node.root)
            self.op(NAME, plan.slot, (root - 1).bit_length(), root, len(plan.node.ext))
        elif isinstance(plan, p.Flags):
            self.op(FLAGS, plan.slot, plan.node.size.low)
        elif isinstance(plan, p.Text):
            self.text(plan)
        elif isinstance(plan, p.Many):
            size = plan.node.size
            first, count = self.spans(size.extra)
            high = -1 if size.high is None else size.high
            at = self.op(
                LIST, plan.slot, size.low, p.length_bits(size), high, size.extensible, plan.table, 0, first, count
            )
            body = self.here()
            self.emit(plan.item)
            self.op(LIST_END, body, self.layout.widths[plan.table])
            self.ops[at][7] = self.here()
        elif isinstance(plan, p.OneOf):
            self.choice(plan)
        elif isinstance(plan, p.Away):
            self.op(SUB, plan.slot, plan.table)
            self.emit(plan.plan)
            self.op(SUB_END)
        elif isinstance(plan, p.Open):
            self.open(plan)
        elif isinstance(plan, p.Elsewhere):
            self.op(FAIL, GENERAL)

    def record(self, plan: p.Record, mask: int, bit: int) -> None:
        if plan.mask_width:
            self.bits(plan.mask_width, 0, (1 << plan.mask_width) - 1, plan.mask, mask, bit)
        for part in plan.parts:
            if part.bit < 0:
                self.emit(part.plan, mask, bit)
            elif flat(part.plan) and part.default is None:
                self.emit(part.plan, plan.mask, part.bit)
            else:
                self.optional(part, plan.mask)
        if plan.node.extensible:
            self.extension(plan)

    def optional(self, part: p.Part, mask: int) -> None:
        at = self.op(OPT, mask, part.bit, 0)
        self.emit(part.plan)
        if part.default is not None:
            assert isinstance(part.plan, (p.Bits, p.Number, p.Name))
            value = default_value(part)
            self.op(UNSET, part.plan.slot, value, mask, part.bit)
            jump = self.op(JUMP, 0)
            self.ops[at][3] = self.here()
            self.op(SET, part.plan.slot, value)
            self.ops[jump][1] = self.here()
        else:
            self.ops[at][3] = self.here()

    def extension(self, plan: p.Record) -> None:
        marker = plan.mask_width - 1
        at = self.op(EXTENSION, plan.mask, marker, len(plan.additions), plan.extended, 0)
        for part in plan.additions:
            skip = self.op(OPT, plan.extended, part.bit, 0)
            self.op(OPEN)
            self.emit(part.plan)
            self.op(OPEN_END)
            self.ops[skip][3] = self.here()
        self.op(SKIP, plan.mask, marker, plan.extended)
        self.ops[at][5] = self.here()

    def number(self, plan: p.Number) -> None:
        node = plan.node
        closed = node.low is not None and node.high is not None
        mode = 0 if closed else 1 if node.low is not None else 2
        width = (node.high - node.low).bit_length() if closed else 0  # type: ignore[operator]
        first, count = self.spans(node.extra)
        self.op(NUMBER, plan.slot, node.extensible, node.low or 0, node.high or 0, mode, width, first, count)
        if node.parts:
            raise TypeError("a union of ranges with extension is not planned")

    def text(self, plan: p.Text) -> None:
        size, node = plan.size, plan.node
        alphabet = {"digits": 1, "utf8": 2}.get(node.alphabet, 0) if isinstance(node, s.Text) else 0
        first, count = self.spans(size.extra)
        low, high = (node.size.low, node.size.high) if alphabet == 2 else (size.low, size.high)
        width = p.length_bits(size)
        row = (plan.slot, plan.unit, low, width, -1 if high is None else high, size.extensible, first, count, alphabet)
        self.op(TEXT, *row)

    def choice(self, plan: p.OneOf) -> None:
        node, base = plan.node, len(self.jumps)
        root = len(node.root)
        self.jumps += [0] * len(plan.plans)
        self.op(CHOICE, plan.slot, (root - 1).bit_length(), root, base, node.extensible, len(node.ext))
        ends = []
        for i, alternative in enumerate(plan.plans):
            self.jumps[base + i] = self.here()
            if alternative is None:
                self.op(FAIL, OTHER)
                continue
            if i >= root:
                self.op(OPEN)
            self.emit(alternative)
            if i >= root:
                self.op(OPEN_END)
            ends.append(self.op(JUMP, 0))
        for end in ends:
            self.ops[end][1] = self.here()

    def open(self, plan: p.Open) -> None:
        base = len(self.jumps) // 2 + len(self.jumps) % 2
        self.jumps += [0] * (2 * base - len(self.jumps) + 2 * len(plan.plans))
        at = self.op(TABLE, plan.slot, plan.selector, base, len(plan.plans), 0)
        ends = []
        for i, (content, row) in enumerate(zip(plan.plans, plan.node.table)):
            self.jumps[2 * (base + i)] = row[0]
            self.jumps[2 * (base + i) + 1] = self.here()
            if content is None:
                self.op(FAIL, OTHER)
                continue
            self.emit(content)
            self.op(OPEN_END)
            ends.append(self.op(JUMP, 0))
        for end in ends:
            self.ops[end][1] = self.here()
        self.ops[at][5] = self.here()


def default_value(part: p.Part) -> int:
    """A DEFAULT as its slot holds it."""
    node = part.plan.node  # type: ignore[union-attr]
    if isinstance(node, s.Enumerated):
        return (*node.root, *node.ext).index(str(part.default))
    return int(part.default)  # type: ignore[call-overload, no-any-return]


def flat(plan: p.Plan) -> bool:
    """Whether an optional part is nothing but fixed-width fields, so that a run can hold it."""
    if isinstance(plan, p.Bits):
        return not plan.parts
    if isinstance(plan, p.Record):
        inner = all(flat(part.plan) and part.default is None for part in plan.parts)
        return inner and not plan.additions and not plan.node.extensible
    return False

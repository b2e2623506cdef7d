"""Generates writers: slots to bits. Up to 56 bits are gathered in a register and leave in one eight-byte store.

`b` is the address of the buffer, `q` the position in bits, `c` the begun byte on top of a word, `room` the last position at which a row
may begin, `heap` and `limit` the address and the bits of the heap.
"""

from __future__ import annotations

from cloverleaf.link.codec import plan as p
from cloverleaf.link.codec.program import OTHER, signed
from cloverleaf.link.codec.straight_walk import SMALL, Walk

_LOW = (1 << 32) - 1
GATHER = 56
"""Bits that fit behind a begun byte in a word, and leave less than a byte behind."""


class Writer(Walk):
    """Writing of one table's row."""

    ARGUMENTS = "b, q, room, tables, rows, heap, limit"

    def __init__(self, owner, table: int) -> None:  # type: ignore[no-untyped-def]
        super().__init__(owner, table)
        self.run: list[tuple[str, int, str]] = []  # variable, width at most, expression of the width if it varies

    def flush(self) -> None:
        group: list[tuple[str, int, str]] = []
        for item in self.run:
            if group and sum(g[1] for g in group) + item[1] > GATHER:
                self.gather(group)
                group = []
            group.append(item)
        if group:
            self.gather(group)
        self.run = []

    def gather(self, group: list[tuple[str, int, str]]) -> None:
        """Write a group of fields at once."""
        total = 0
        length = ""
        for k, (value, width, varies) in enumerate(group):
            if varies and not length:
                length = self.name("n")
                self.s.add(f"{length} = I({total})")
            step = self.name("n") if varies else str(width)
            if varies:
                self.s.add(f"{step} = {varies}")
            self.s.add(f"a = join(a, {step}, {value})" if k else f"a = {value}")
            if length:
                self.s.add(f"{length} += {step}")
            total += width
        self.put("a", length or str(total))

    def put(self, value: str, width: str) -> None:
        """Store a value of `width` bits."""
        y = self.name("y")
        self.s.add(f"{y} = place(b, q, c, {value}, {width})", f"c = rest({y}, q, {width})", f"q += {width}")

    def write(self, value: str, width: int, varies: str = "") -> None:
        """Add a field to the run; `value` must not change before `flush`."""
        if width > 32 and not varies:
            self.run += [
                (f"cut({value}, 32, {(1 << width - 32) - 1})", width - 32, ""),
                (f"cut({value}, 0, {_LOW})", 32, ""),
            ]
        elif width:
            self.run.append((value, width, varies))

    def load(self, slot: int, low: int, present: str) -> str:
        """A variable with the wire's number of a slot, 0 where it is absent."""
        v, value = self.name(), f"slot({self.row}, {8 * slot})"
        value = f"{value} - {low}" if low else value
        self.s.add(f"{v} = ({value}) & {present}" if present else f"{v} = {value}")
        return v

    def refuse(self, condition: str, code: int) -> None:
        self.s.add(f"if {condition}:", f"    return I(-{code})")

    def bits(self, plan: p.Bits, present: str) -> None:
        v = self.load(plan.slot, plan.low, present)
        if plan.top < (1 << 64) - 1:
            self.refuse(f"above({v}, {signed(plan.top)})", 2)
        if plan.parts:
            inside = " or ".join(f"{a - plan.low} <= {v} <= {b - plan.low}" for a, b in plan.parts)
            self.refuse(f"not ({inside})", 2)
        if present and plan.width > 32:
            self.write(f"cut({v}, 32, {_LOW})", plan.width - 32, f"{plan.width - 32} & {present}")
            self.write(f"cut({v}, 0, {_LOW})", 32, f"32 & {present}")
        else:
            self.write(v, plan.width, f"{plan.width} & {present}" if present else "")

    def mask(self, plan: p.Record, present: str) -> str:
        v = self.load(plan.mask, 0, present)
        root = plan.mask_width - plan.node.extensible
        self.refuse(f"above({v}, {signed((1 << plan.mask_width) - 1)})", 2)
        if plan.node.extensible:
            self.refuse(f"{v} >> {root}", 7)
        self.write(v, plan.mask_width, f"{plan.mask_width} & {present}" if present else "")
        return v

    def presence(self, mask: str, bit: int) -> str:
        m = self.name("m")
        self.s.add(f"{m} = where({mask}, {bit})")
        return m

    def marked(self, width: int, low: int, top: int, slot: int, present: str) -> None:
        v = self.load(slot, low, present)
        self.refuse(f"above({v}, {top})", 7)
        self.write(v, width + 1, f"{width + 1} & {present}" if present else "")

    def flags(self, plan: p.Flags, present: str) -> None:
        width = plan.node.size.low
        v, n = self.load(plan.slot, 0, present), self.load(plan.slot + 1, width, present)
        self.refuse(f"{n} != 0 or above({v}, {(1 << width) - 1})", 7)
        self.write(v, width + 1, f"{width + 1} & {present}" if present else "")

    def uniform(self, plan: p.OneOf, rows: list[list[p.Bits]], present: str) -> None:
        v, width = self.load(plan.slot, 0, present), (len(rows) - 1).bit_length() + plan.node.extensible
        self.refuse(f"above({v}, {len(rows) - 1})", 7)
        self.write(v, width, f"{width} & {present}" if present else "")
        for k, first in enumerate(rows[0]):
            field, bits = self.name(), self.name("n")
            widths, lows, tops = ([getattr(row[k], what) for row in rows] for what in ("width", "low", "top"))
            value = f"slot({self.row}, {8 * first.slot}) - {self.table_of(lows)}[{v}]"
            chosen = f"{self.table_of(widths)}[{v}]"
            self.s.add(f"{field} = ({value}) & {present}" if present else f"{field} = {value}")
            self.s.add(f"{bits} = {chosen} & {present}" if present else f"{bits} = {chosen}")
            self.refuse(f"above({field}, {self.table_of(tops)}[{v}])", 2)
            self.write(field, max(widths), bits)

    def choice(self, plan: p.OneOf) -> None:
        v, root = self.load(plan.slot, 0, ""), len(plan.node.root)
        if plan.node.extensible and not any(plan.plans[:root]) and any(plan.plans[root:]):
            at = next(i for i, alternative in enumerate(plan.plans) if alternative is not None)
            self.refuse(f"{v} != {at}", 7)
            self.write(f"I({128 + at - root})", 8)
            content = plan.plans[at]
            assert content is not None
            self.enclosed(content)
            return
        self.refuse(f"above({v}, {root - 1})", 7)
        self.write(v, (root - 1).bit_length() + plan.node.extensible)
        self.flush()
        for i, alternative in enumerate(plan.plans[:root]):
            self.s.add(f"{'if' if i == 0 else 'elif'} {v} == {i}:")
            self.s.depth += 1
            if alternative is None:
                self.s.add(f"return I(-{OTHER})")
            else:
                self.emit(alternative)
                self.flush()
                self.s.add("pass")
            self.s.depth -= 1

    def enclosed(self, content: p.Plan) -> None:
        """A content behind its length: written behind room for two octets, moved by one where one is enough."""
        self.flush()
        begin, octets = self.name("begin"), self.name("n")
        self.s.add(f"{begin} = q")
        self.put("I(0)", "16")
        self.emit(content)
        self.flush()
        self.s.add(f"{octets} = max((q - {begin} - 9) >> 3, 1)", f"if {octets} >= 16384:", "    return I(-7)")
        self.s.add(f"q = enclose(b, {begin}, {octets})", "c = head(b, q)")

    def many(self, plan: p.Many) -> None:
        size, t = plan.node.size, plan.table
        k, v, j = self.load(plan.slot, 0, ""), self.load(plan.slot + 1, 0, ""), self.name("j")
        if not self.count(size, v):
            return
        self.refuse(f"{k} < 0 or {k} + {v} > slot(rows, {8 * t})", 7)
        self.flush()
        self.s.add(f"for {j} in range({k}, {k} + {v}):")
        self.s.depth += 1
        self.enter(plan.item, t, j)
        self.s.depth -= 1

    def count(self, size: p.s.Size, v: str) -> bool:
        """Check and write the number of items of a list or string."""
        width = p.length_bits(size)
        high = 127 if width < 0 and (size.high is None or size.high > 127) else size.high
        self.refuse(f"{v} < {size.low} or {v} > {high}", 7)
        if size.extensible:
            self.write("I(0)", 1)
        n = self.name()
        self.s.add(f"{n} = {v} - {0 if width < 0 else size.low}")
        self.write(n, 8 if width < 0 else width)
        return True

    def enter(self, plan: p.Plan, table: int, row: str) -> None:
        """The code of another table's row, in place or as a call."""
        inner = Writer(self.owner, table)
        inner.emit(plan)
        inner.flush()
        where = f"slot(tables, {8 * table}) + {row} * {8 * self.owner.layout.widths[table]}"
        if len(inner.s.lines) <= SMALL:
            self.s.add(f"o{table} = {where}", "if q > room:", "    return I(-99)")
            self.s.splice(inner.s)
            return
        self.owner.function(f"e{table}(o{table}, {self.ARGUMENTS})", inner.s, "return q", writes=True)
        self.s.add(f"q = e{table}({where}, {self.ARGUMENTS})", "if q < 0:", "    return q", "c = head(b, q)")

    def away(self, plan: p.Away) -> None:
        self.flush()
        k, t = self.load(plan.slot, 0, ""), plan.table
        self.refuse(f"{k} < 0 or {k} >= slot(rows, {8 * t})", 3)
        self.enter(plan.plan, t, k)

    def text(self, plan: p.Text) -> None:
        if getattr(plan.node, "alphabet", "ia5") != "ia5":
            self.give_up()
            return
        at, v, left, step = (
            self.load(plan.slot, 0, ""),
            self.load(plan.slot + 1, 0, ""),
            self.name("left"),
            self.name("n"),
        )
        self.count(plan.size, v)
        self.refuse(f"{at} < 0 or {at} + {plan.unit} * {v} > limit", 3)
        self.flush()
        self.s.add(f"{left} = {plan.unit} * {v}", f"if q + {left} > room:", "    return I(-99)", f"while {left} > 0:")
        self.s.depth += 1
        self.s.add(f"{step} = min({left}, I({GATHER}))")
        self.put(f"cut(wide(heap, {at}), 64 - {step}, -1)", step)
        self.s.add(f"{at} += {step}", f"{left} -= {step}")
        self.s.depth -= 1

    def open(self, plan: p.Open) -> None:
        fixed = [i for i, content in enumerate(plan.plans) if content is not None]
        if len(fixed) != 1 or len(plan.plans) < 2:
            self.give_up()
            return
        number, content = plan.node.table[fixed[0]][0], plan.plans[fixed[0]]
        assert content is not None
        chosen, selector = self.load(plan.slot, 0, ""), self.load(plan.selector, 0, "")
        self.refuse(f"{chosen} != {fixed[0]} or {selector} != {number}", 7)
        self.enclosed(content)

    def default(self, plan: p.Plan, value: int) -> None:
        """An absent field needs no bits."""

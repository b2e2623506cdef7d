"""Generates readers: bits to slots, as straight-line code over 57-bit windows.

`b` is the address of the buffer, `q` the position in bits, `end` that of the message's end, `tables` the address of the tables'
addresses, `rows` and `cap` those of their used and allocated rows. Reading may run up to a row past `end` (the buffer is padded)
before the check that follows every run of fields of unknown length.
"""

from __future__ import annotations

from dataclasses import dataclass

from cloverleaf.link.codec import plan as p
from cloverleaf.link.codec.program import OTHER, signed
from cloverleaf.link.codec.straight_walk import SMALL, Walk

WINDOW = 57
"""Bits of an eight-byte load that are there at any position within its first byte."""


@dataclass
class _Field:
    """A pending field: at most `width` bits; `actual` and `mask` are expressions where the width is known at run time only."""

    variable: str
    width: int
    actual: str = ""
    mask: str = ""


class Reader(Walk):
    """Reading of one table's row."""

    ARGUMENTS = "b, q, end, tables, rows, cap"

    def __init__(self, owner, table: int) -> None:  # type: ignore[no-untyped-def]
        super().__init__(owner, table)
        self.run: list[_Field | str] = []
        self.checks: list[str] = []
        self.stores: list[str] = []

    def flush(self) -> None:
        """Cut the pending fields out of windows, then check, then store."""
        group: list[_Field | str] = []
        total = 0
        for item in self.run:
            width = 0 if isinstance(item, str) else item.width
            if total + width > WINDOW and total:
                self.window(group)
                group, total = [], 0
            group.append(item)
            total += width
        if group:
            self.window(group)
        self.s.add(*self.checks, *self.stores)
        self.run, self.checks, self.stores = [], [], []

    def window(self, group: list[_Field | str]) -> None:
        """The code of one window."""
        total = sum(0 if isinstance(item, str) else item.width for item in group)
        w, at, moving = self.name("w"), 64, ""
        if total > WINDOW:
            self.s.add(f"{w} = wide(b, q)")
        elif total:
            self.s.add(f"{w} = peek(b, q)")
        for item in group:
            if isinstance(item, str):
                self.s.add(item)
                continue
            v = item.variable
            if item.actual and not moving:
                moving = self.name("at")
                self.s.add(f"{moving} = I({at})")
            if not moving:
                at -= item.width
                self.s.add(f"{v} = cut({w}, {at}, {signed((1 << item.width) - 1)})")
            elif not item.actual:
                self.s.add(f"{moving} -= {item.width}", f"{v} = cut({w}, {moving}, {(1 << item.width) - 1})")
            else:
                self.s.add(f"{moving} -= {item.actual}", f"{v} = cut({w}, {moving}, {item.mask})")
        if total:
            self.s.add(f"q += 64 - {moving}" if moving else f"q += {total}")

    def take(self, width: int, present: str = "") -> str:
        """An int64 variable for the next `width` bits, valid after `flush` and for the fields behind it."""
        v = self.name()
        if not width:
            self.run.append(f"{v} = I(0)")
        elif present:
            self.run.append(_Field(v, width, f"{width} & {present}", f"{signed((1 << width) - 1)} & {present}"))
        else:
            self.run.append(_Field(v, width))
        return v

    def read(self, width: int) -> str:
        """An int64 variable with the next `width` bits, valid now."""
        v = self.take(width)
        self.flush()
        return v

    def refuse(self, condition: str, code: int) -> None:
        """Return `code` where `condition` holds, or 1 where the message has ended before."""
        self.checks += [f"if {condition}:", f"    return verdict({code}, q, end)"]

    def interpret(self, condition: str) -> None:
        """Leave the message to the interpreter where `condition` holds."""
        self.checks += [f"if {condition}:", "    return I(-7)"]

    def store(self, slot: int, value: str) -> None:
        self.stores.append(f"set_slot({self.row}, {8 * slot}, {value})")

    def bits(self, plan: p.Bits, present: str) -> None:
        v = self.take(plan.width, present)
        if plan.top < (1 << plan.width) - 1:
            self.refuse(f"{v} > {plan.top}", 2)
        if plan.parts:
            inside = " or ".join(f"{a - plan.low} <= {v} <= {b - plan.low}" for a, b in plan.parts)
            self.refuse(f"not ({inside})", 2)
        self.store(plan.slot, f"{v} + {plan.low}" if plan.low else v)

    def mask(self, plan: p.Record, present: str) -> str:
        v = self.take(plan.mask_width, present)
        if plan.node.extensible:
            self.interpret(f"{v} >> {plan.mask_width - 1}")
        self.store(plan.mask, v)
        return v

    def presence(self, mask: str, bit: int) -> str:
        m = self.name("m")
        self.run.append(f"{m} = where({mask}, {bit})")
        return m

    def marked(self, width: int, low: int, top: int, slot: int, present: str) -> None:
        v = self.take(width + 1, present)
        self.interpret(f"{v} >> {width}")
        if top < (1 << width) - 1:
            self.refuse(f"{v} > {top}", 2)
        self.store(slot, f"{v} + {low}" if low else v)

    def flags(self, plan: p.Flags, present: str) -> None:
        width = plan.node.size.low
        v = self.take(width + 1, present)
        self.interpret(f"{v} >> {width}")
        self.store(plan.slot, v)
        self.store(plan.slot + 1, f"I({width})")

    def uniform(self, plan: p.OneOf, rows: list[list[p.Bits]], present: str) -> None:
        if plan.node.extensible:
            self.interpret(self.take(1, present))
        v = self.take((len(rows) - 1).bit_length(), present)
        if len(rows) & (len(rows) - 1):
            self.refuse(f"{v} >= {len(rows)}", 4)
        self.store(plan.slot, v)
        for k, first in enumerate(rows[0]):
            width, field = self.name("n"), self.name()
            widths, lows, tops = ([getattr(row[k], what) for row in rows] for what in ("width", "low", "top"))
            chosen = f"{self.table_of(widths)}[{v}]"
            self.run.append(f"{width} = {chosen} & {present}" if present else f"{width} = {chosen}")
            self.run.append(_Field(field, max(widths), width, f"(1 << {width}) - 1"))
            if any(top < (1 << w) - 1 for top, w in zip(tops, widths)):
                self.refuse(f"{field} > {self.table_of(tops)}[{v}]", 2)
            self.store(first.slot, f"{field} + {self.table_of(lows)}[{v}]")

    def choice(self, plan: p.OneOf) -> None:
        root, extended = len(plan.node.root), plan.plans[len(plan.node.root) :]
        if plan.node.extensible and not any(plan.plans[:root]) and any(extended):
            self.addition(plan)
            return
        if plan.node.extensible:
            self.interpret(self.take(1))
        v = self.read((root - 1).bit_length())
        self.s.add(f"set_slot({self.row}, {8 * plan.slot}, {v})")
        for i, alternative in enumerate(plan.plans[:root]):
            self.s.add(f"{'if' if i == 0 else 'elif'} {v} == {i}:")
            self.s.depth += 1
            if alternative is None:
                self.s.add(f"return verdict({OTHER}, q, end)")
            else:
                self.emit(alternative)
                self.flush()
                self.s.add("pass")
            self.s.depth -= 1
        self.s.add("else:", "    return verdict(4, q, end)")

    def addition(self, plan: p.OneOf) -> None:
        """A choice that the message fixes to one of its additions: index, then length and content."""
        at = next(i for i, alternative in enumerate(plan.plans) if alternative is not None)
        v = self.take(8)  # the extension bit, a clear bit, the index
        self.interpret(f"{v} != {128 + at - len(plan.node.root)}")
        self.store(plan.slot, f"I({at})")
        content = plan.plans[at]
        assert content is not None
        self.enclosed(content)

    def enclosed(self, content: p.Plan) -> None:
        """A content behind its length in octets; whatever it leaves of them is skipped."""
        self.owner.opened = True
        head, outer = self.read(16), self.name("end")
        self.s.add(
            f"if {head} < 32768:",
            f"    {head} >>= 8",
            "    q -= 8",
            "else:",
            f"    {head} -= 32768",
            f"if {head} >= 16384 or q + 8 * {head} > end:",
            "    return I(-7)",
            f"{outer} = end",
            f"end = q + 8 * {head}",
        )
        self.emit(content)
        self.flush()
        self.s.add("if q > end:", "    return I(-7)", "q = end", f"end = {outer}")

    def count(self, plan: p.Many | p.Text) -> str:
        """The checked number of items of a list or string, or an empty name where its form is not handled."""
        size = plan.size if isinstance(plan, p.Text) else plan.node.size
        width = p.length_bits(size)
        if size.extensible:
            self.interpret(self.take(1))
        if width < 0:
            v = self.read(8)
            self.s.add(f"if {v} > 127:", "    return I(-7)", "if q > end:", "    return I(-1)")
        else:
            v = self.read(width)
            self.s.add("if q > end:", "    return I(-1)")
            if size.low:
                self.s.add(f"{v} += {size.low}")
        highest = 127 if width < 0 else size.low + (1 << width) - 1
        if size.high is not None and highest > size.high:
            self.s.add(f"if {v} > {size.high}:", "    return I(-3)")
        if width < 0 and size.low:
            self.s.add(f"if {v} < {size.low}:", "    return I(-3)")
        return v

    def many(self, plan: p.Many) -> None:
        v, t = self.count(plan), plan.table
        k, j = self.name("k"), self.name("j")
        self.s.add(
            f"{k} = slot(rows, {8 * t})",
            f"if {k} + {v} > slot(cap, {8 * t}):",
            f"    return I({-100 - t})",
            f"set_slot(rows, {8 * t}, {k} + {v})",
            f"set_slot({self.row}, {8 * plan.slot}, {k})",
            f"set_slot({self.row}, {8 * plan.slot + 8}, {v})",
            f"for {j} in range({k}, {k} + {v}):",
        )
        self.s.depth += 1
        self.enter(plan.item, t, j)
        self.s.depth -= 1

    def enter(self, plan: p.Plan, table: int, row: str) -> None:
        """The code of another table's row, in place or as a call."""
        inner = Reader(self.owner, table)
        inner.emit(plan)
        inner.flush()
        where = f"slot(tables, {8 * table}) + {row} * {8 * self.owner.layout.widths[table]}"
        if len(inner.s.lines) <= SMALL:
            self.s.add(f"o{table} = {where}")
            self.s.splice(inner.s)
            self.s.add("if q > end:", "    return I(-1)")
            return
        self.owner.function(f"d{table}(o{table}, {self.ARGUMENTS})", inner.s, "return q if q <= end else I(-1)")
        self.s.add(f"q = d{table}({where}, {self.ARGUMENTS})", "if q < 0:", "    return q")

    def away(self, plan: p.Away) -> None:
        self.flush()
        k, t = self.name("k"), plan.table
        self.s.add(
            "if q > end:",
            "    return I(-1)",
            f"{k} = slot(rows, {8 * t})",
            f"if {k} >= slot(cap, {8 * t}):",
            f"    return I({-100 - t})",
            f"set_slot(rows, {8 * t}, {k} + 1)",
            f"set_slot({self.row}, {8 * plan.slot}, {k})",
        )
        self.enter(plan.plan, t, k)

    def text(self, plan: p.Text) -> None:
        if getattr(plan.node, "alphabet", "ia5") != "ia5":
            self.give_up()
            return
        v = self.count(plan)
        self.s.add(
            f"set_slot({self.row}, {8 * plan.slot}, q)",
            f"set_slot({self.row}, {8 * plan.slot + 8}, {v})",
            f"q += {plan.unit} * {v}",
            "if q > end:",
            "    return I(-1)",
        )

    def open(self, plan: p.Open) -> None:
        fixed = [i for i, content in enumerate(plan.plans) if content is not None]
        self.flush()
        if len(fixed) != 1 or len(plan.plans) < 2:
            self.s.add("return I(-7)")
            return
        content = plan.plans[fixed[0]]
        assert content is not None
        self.s.add(f"if slot({self.row}, {8 * plan.selector}) != {plan.node.table[fixed[0]][0]}:", "    return I(-7)")
        self.store(plan.slot, f"I({fixed[0]})")
        self.enclosed(content)

    def default(self, plan: p.Plan, value: int) -> None:
        self.s.add("else:", f"    set_slot({self.row}, {8 * plan.slot}, {value})")  # type: ignore[union-attr]

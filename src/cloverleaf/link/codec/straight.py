"""Straight-line kernels for the messages that come by the thousand: the layout unrolled into numba source.

`program` runs any message through one interpreter; here the same plan becomes code with the widths, ranges and slots as constants.
The source lands in the user's cache folder under the hash of its text, so that numba keeps the machine code. Wide optional
parts and list items are functions of their own. Anything but plain fields, choices, lists and optional parts (extension
additions, strings, open types) makes the function give up the message: it then takes the interpreter.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from cloverleaf.link.codec import plan as p
from cloverleaf.link.codec.program import OTHER, flat
from cloverleaf.link.codec.straight_text import DECODE_MANY, ENCODE_MANY, HEAD

HOT = frozenset({("csae_day1", "bsm"), ("csae_day2", "bsm"), ("csae_day2", "bsm_d2"), ("etsi", "cam")})
"""Messages with kernels of their own: what the compile time buys is used in every tick."""


class _Source:
    """Lines of one function, with indentation."""

    def __init__(self, head: str) -> None:
        self.lines = [head]
        self.depth = 1

    def add(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)


class Straight:
    """Generates the functions of a layout; `module` loads them."""

    def __init__(self, layout: p.Layout) -> None:
        self.layout = layout
        self.functions: list[str] = []

    def module(self) -> Any:
        """The module with `decode_many` and `encode_many`."""
        self.decoder(self.layout.root, 0)
        self.encoder(self.layout.root, 0)
        text = HEAD + "\n\n".join(self.functions) + DECODE_MANY + ENCODE_MANY
        text = text.replace("WIDTH0", str(self.layout.widths[0]))
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        folder = Path(home) / "cloverleaf" / "codec"
        file = folder / f"m{hashlib.sha256(text.encode()).hexdigest()[:20]}.py"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(f".{os.getpid()}")
            draft.write_text(text, encoding="utf-8")
            draft.replace(file)
        spec = importlib.util.spec_from_file_location(f"cloverleaf_{file.stem}", file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # numba finds a cached function's globals by its module's name
        spec.loader.exec_module(module)
        return module

    def decoder(self, plan: p.Plan, table: int) -> None:
        """The function that reads one row of `table`: a new position, or minus the error code, or -100 - full table."""
        s = _Source(f"@kernel\ndef d{table}(b, q, end, out, o, base, rows, cap):")
        walk = _Decode(self, s)
        walk.emit(plan)
        walk.flush()
        s.add("return I(q) if q <= end else I(-1)")
        self.functions.append("\n".join(s.lines))

    def encoder(self, plan: p.Plan, table: int) -> None:
        """The function that writes one row of `table`: a new position, or minus the error code."""
        s = _Source(f"@kernel\ndef e{table}(b, q, room, out, o, base, rows):")
        s.add("if q > room:")
        s.add("    return I(-99)")
        walk = _Encode(self, s)
        walk.emit(plan)
        walk.flush()
        s.add("return q")
        self.functions.append("\n".join(s.lines))


class _Walk:
    """What reading and writing have in common."""

    def __init__(self, owner: Straight, source: _Source) -> None:
        self.owner, self.s, self.count = owner, source, 0

    def name(self, stem: str = "v") -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def flush(self) -> None:
        """Emit what is pending; called before control flow."""
        raise NotImplementedError

    def give_up(self) -> None:
        self.flush()
        self.s.add("return I(-7)")

    def emit(self, plan: p.Plan) -> None:
        """Code for a part."""
        if isinstance(plan, p.Bits) and not plan.parts:
            self.bits(plan.width, plan.low, plan.top, plan.slot)
        elif isinstance(plan, p.Record):
            self.record(plan)
        elif isinstance(plan, p.OneOf):
            self.choice(plan)
        elif isinstance(plan, p.Many):
            self.many(plan)
        elif isinstance(plan, p.Away):
            self.away(plan)
        elif isinstance(plan, p.Flags):
            self.flags(plan)
        elif isinstance(plan, p.Name):
            root = len(plan.node.root)
            self.marked((root - 1).bit_length(), 0, root - 1, plan.slot)
        elif (
            isinstance(plan, p.Number)
            and plan.node.extensible
            and plan.node.low is not None
            and plan.node.high is not None
        ):
            low, span = plan.node.low, plan.node.high - plan.node.low
            self.marked(span.bit_length(), low, span, plan.slot)
        elif not isinstance(plan, p.Nothing):
            self.give_up()

    def record(self, plan: p.Record) -> None:
        mask = ""
        if plan.mask_width:
            mask = self.bits(plan.mask_width, 0, (1 << plan.mask_width) - 1, plan.mask)
            if plan.node.extensible:
                self.check(f"{mask} >> {plan.mask_width - 1}", -7)
        for part in plan.parts:
            if part.bit < 0:
                self.emit(part.plan)
                continue
            if part.default is None and flat(part.plan) and self.inline(part.plan, mask, part.bit):
                continue
            self.flush()
            self.s.add(f"if ({mask} >> {part.bit}) & 1:")
            self.s.depth += 1
            if part.default is not None:
                self.give_up()
            else:
                self.emit(part.plan)
                self.flush()
                self.s.add("pass")
            self.s.depth -= 1
            if part.default is not None:
                from cloverleaf.link.codec.program import default_value

                self.default(part, default_value(part))

    def inline(self, plan: p.Plan, mask: str, bit: int) -> bool:
        """Take an optional part of fixed-width fields into the run, without a branch; False if not done."""
        return False

    def check(self, condition: str, code: int) -> None:
        """Return `code` where `condition` holds, once the fields in it are known."""
        raise NotImplementedError

    def bits(self, width: int, low: int, top: int, slot: int) -> str:
        raise NotImplementedError

    def marked(self, width: int, low: int, top: int, slot: int) -> None:
        """A value behind an extension bit, which must be clear."""
        raise NotImplementedError

    def choice(self, plan: p.OneOf) -> None:
        raise NotImplementedError

    def many(self, plan: p.Many) -> None:
        raise NotImplementedError

    def away(self, plan: p.Away) -> None:
        raise NotImplementedError

    def flags(self, plan: p.Flags) -> None:
        raise NotImplementedError

    def default(self, part: p.Part, value: int) -> None:
        raise NotImplementedError


class _Decode(_Walk):
    """Reading."""

    def __init__(self, owner: Straight, source: _Source) -> None:
        super().__init__(owner, source)
        self.run: list[tuple[str, int, str]] = []
        self.after: list[str] = []

    def flush(self) -> None:
        """Cut the pending fields out of windows of up to 64 bits, then check and store them.

        An absent optional field has width 0: from the first of them on, a window is cut at a running position.
        """
        run, self.run = self.run, []
        after, self.after = self.after, []
        while run:
            total = taken = 0
            while taken < len(run) and total + run[taken][1] <= 64:
                total += run[taken][1]
                taken += 1
            w, at, moving = self.name("w"), 64, ""
            self.s.add(f"{w} = window(b, q)")
            for v, width, present in run[:taken]:
                if present and not moving:
                    moving = self.name("at")
                    self.s.add(f"{moving} = I({at})")
                at -= width
                mask = "" if at + width == 64 and not moving else f" & U({(1 << width) - 1})"
                if not moving:
                    self.s.add(f"{v} = I({w} >> U({at}){mask})")
                elif not present:
                    self.s.add(f"{moving} -= {width}")
                    self.s.add(f"{v} = I({w} >> U({moving}){mask})")
                else:
                    here = self.name("p")
                    self.s.add(f"{here} = {present}")
                    self.s.add(f"{moving} -= {width} * {here}")
                    self.s.add(f"{v} = I({w} >> U({moving} & 63){mask}) * {here}")
            self.s.add(f"q += 64 - {moving}" if moving else f"q += {total}")
            run = run[taken:]
        for line in after:
            self.s.add(line)

    def inline(self, plan: p.Plan, mask: str, bit: int) -> bool:
        self.optional(plan, f"(({mask} >> {bit}) & 1)")
        return True

    def optional(self, plan: p.Plan, present: str) -> None:
        """Fields of a flat part that is there where `present` is 1."""
        if isinstance(plan, p.Bits):
            self.bits(plan.width, plan.low, plan.top, plan.slot, present)
        elif isinstance(plan, p.Record):
            mask = ""
            if plan.mask_width:
                mask = self.bits(plan.mask_width, 0, (1 << plan.mask_width) - 1, plan.mask, present)
            for part in plan.parts:
                self.optional(part.plan, present if part.bit < 0 else f"(({mask} >> {part.bit}) & 1)")

    def take(self, width: int, present: str = "") -> str:
        """An int64 variable for the next `width` bits, valid after `flush`."""
        v = self.name()
        if width:
            self.run.append((v, width, present))
        else:
            self.after.append(f"{v} = I(0)")
        return v

    def check(self, condition: str, code: int) -> None:
        self.after += [f"if {condition}:", f"    return I({code})"]

    def read(self, width: int) -> str:
        """An int64 variable with the next `width` bits, valid now."""
        v = self.take(width)
        self.flush()
        return v

    def bits(self, width: int, low: int, top: int, slot: int, present: str = "") -> str:
        v = self.take(width, present)
        if top < (1 << width) - 1:
            self.after += [f"if {v} > {top}:", "    return I(-2) if q <= end else I(-1)"]
        self.after.append(f"out[o + {slot}] = {v} + {low}" if low else f"out[o + {slot}] = {v}")
        return v

    def marked(self, width: int, low: int, top: int, slot: int) -> None:
        v = self.take(width + 1)
        self.check(f"{v} >> {width}", -7)
        if top < (1 << width) - 1:
            self.after += [f"if {v} > {top}:", "    return I(-2) if q <= end else I(-1)"]
        self.after.append(f"out[o + {slot}] = {v} + {low}")

    def choice(self, plan: p.OneOf) -> None:
        self.flush()
        if plan.node.extensible:
            self.s.add("if window(b, q) >> U(63):")
            self.s.add("    return I(-7)")
            self.s.add("q += 1")
        root = len(plan.node.root)
        v = self.read((root - 1).bit_length())
        self.s.add(f"out[o + {plan.slot}] = {v}")
        for i, alternative in enumerate(plan.plans[:root]):
            self.s.add(f"{'if' if i == 0 else 'elif'} {v} == {i}:")
            self.s.depth += 1
            if alternative is None:
                self.s.add(f"return I(-{OTHER}) if q <= end else I(-1)")
            else:
                self.emit(alternative)
                self.flush()
                self.s.add("pass")
            self.s.depth -= 1
        self.s.add("else:")
        self.s.add("    return I(-4) if q <= end else I(-1)")

    def many(self, plan: p.Many) -> None:
        size, table, width = plan.node.size, plan.table, p.length_bits(plan.node.size)
        self.flush()
        if size.extensible:
            self.s.add("if window(b, q) >> U(63):")
            self.s.add("    return I(-7)")
            self.s.add("q += 1")
        if width < 0:
            self.give_up()
            return
        v = self.read(width)
        self.s.add("if q > end:")
        self.s.add("    return I(-1)")
        if size.low:
            self.s.add(f"{v} += {size.low}")
        assert size.high is not None
        if (1 << width) - 1 > size.high - size.low:
            self.s.add(f"if {v} > {size.high}:")
            self.s.add("    return I(-3)")
        k = self.name("k")
        self.s.add(f"{k} = rows[{table}]")
        self.s.add(f"if {k} + {v} > cap[{table}]:")
        self.s.add(f"    return I({-100 - table})")
        self.s.add(f"rows[{table}] = {k} + {v}")
        self.s.add(f"out[o + {plan.slot}] = {k}")
        self.s.add(f"out[o + {plan.slot + 1}] = {v}")
        self.s.add(f"for j in range({v}):")
        self.call(table, f"{k} + j", 1)
        self.owner.decoder(plan.item, table)

    def call(self, table: int, row: str, deeper: int) -> None:
        self.s.depth += deeper
        self.s.add(
            f"q = d{table}(b, q, end, out, base[{table}] + ({row}) * {self.owner.layout.widths[table]}, base, rows, cap)"
        )
        self.s.add("if q < 0:")
        self.s.add("    return q")
        self.s.depth -= deeper

    def away(self, plan: p.Away) -> None:
        self.flush()
        k, table = self.name("k"), plan.table
        self.s.add("if q > end:")
        self.s.add("    return I(-1)")
        self.s.add(f"{k} = rows[{table}]")
        self.s.add(f"if {k} >= cap[{table}]:")
        self.s.add(f"    return I({-100 - table})")
        self.s.add(f"rows[{table}] = {k} + 1")
        self.s.add(f"out[o + {plan.slot}] = {k}")
        self.call(table, k, 0)
        self.owner.decoder(plan.plan, table)

    def flags(self, plan: p.Flags) -> None:
        width = plan.node.size.low
        v = self.read(width + 1)
        self.s.add(f"if {v} >> {width}:")
        self.s.add("    return I(-7)")
        self.s.add(f"out[o + {plan.slot}] = {v}")
        self.s.add(f"out[o + {plan.slot + 1}] = I({width})")

    def default(self, part: p.Part, value: int) -> None:
        self.s.add("else:")
        self.s.add(f"    out[o + {part.plan.slot}] = {value}")  # type: ignore[union-attr]


class _Encode(_Walk):
    """Writing."""

    def __init__(self, owner: Straight, source: _Source) -> None:
        super().__init__(owner, source)
        self.run: list[tuple[str, int]] = []

    def flush(self) -> None:
        """Write the pending fields, up to 56 bits at once."""
        run, self.run = self.run, []
        while run:
            total = taken = 0
            while taken < len(run) and (total + run[taken][1] <= 56 or not taken):
                total += run[taken][1]
                taken += 1
            terms, at = [], total
            for value, width in run[:taken]:
                at -= width
                terms.append(f"U({value}) << U({at})" if at else f"U({value})")
            self.s.add(f"q = {'write_bits' if total > 56 else 'put'}(b, q, {' | '.join(terms)}, {total})")
            run = run[taken:]

    def check(self, condition: str, code: int) -> None:
        self.s.add(f"if {condition}:")
        self.s.add(f"    return I({code})")

    def write(self, value: str, width: int) -> None:
        """Add a field to the run; `value` must not change before `flush`."""
        if width:
            self.run.append((value, width))

    def bits(self, width: int, low: int, top: int, slot: int) -> str:
        v = self.name()
        self.s.add(f"{v} = out[o + {slot}] - {low}" if low else f"{v} = out[o + {slot}]")
        if top < (1 << 64) - 1:
            self.s.add(f"if {v} < 0 or {v} > {top}:")
            self.s.add("    return I(-2)")
        self.write(v, width)
        return v

    def marked(self, width: int, low: int, top: int, slot: int) -> None:
        v = self.name()
        self.s.add(f"{v} = out[o + {slot}] - {low}")
        self.check(f"{v} < 0 or {v} > {top}", -7)
        self.write(v, width + 1)

    def choice(self, plan: p.OneOf) -> None:
        v, root = self.name(), len(plan.node.root)
        self.s.add(f"{v} = out[o + {plan.slot}]")
        self.s.add(f"if {v} < 0 or {v} >= {root}:")
        self.s.add("    return I(-7)")
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

    def many(self, plan: p.Many) -> None:
        size, table, width = plan.node.size, plan.table, p.length_bits(plan.node.size)
        if width < 0:
            self.give_up()
            return
        v, k = self.name(), self.name("k")
        self.s.add(f"{k} = out[o + {plan.slot}]")
        self.s.add(f"{v} = out[o + {plan.slot + 1}]")
        self.s.add(f"if {v} < {size.low} or {v} > {size.high} or {k} < 0 or {k} + {v} > rows[{table}]:")
        self.s.add("    return I(-7)")
        self.write(f"{v} - {size.low}", width + size.extensible)
        self.flush()
        self.s.add(f"for j in range({v}):")
        self.call(table, f"{k} + j", 1)
        self.owner.encoder(plan.item, table)

    def call(self, table: int, row: str, deeper: int) -> None:
        self.s.depth += deeper
        self.s.add(
            f"q = e{table}(b, q, room, out, base[{table}] + ({row}) * {self.owner.layout.widths[table]}, base, rows)"
        )
        self.s.add("if q < 0:")
        self.s.add("    return q")
        self.s.depth -= deeper

    def away(self, plan: p.Away) -> None:
        self.flush()
        k, table = self.name("k"), plan.table
        self.s.add(f"{k} = out[o + {plan.slot}]")
        self.s.add(f"if {k} < 0 or {k} >= rows[{table}]:")
        self.s.add("    return I(-3)")
        self.call(table, k, 0)
        self.owner.encoder(plan.plan, table)

    def flags(self, plan: p.Flags) -> None:
        width = plan.node.size.low
        v = self.name()
        self.s.add(f"{v} = out[o + {plan.slot}]")
        self.s.add(f"if out[o + {plan.slot + 1}] != {width} or {v} < 0 or {v} >> {width}:")
        self.s.add("    return I(-7)")
        self.write(v, width + 1)

    def default(self, part: p.Part, value: int) -> None:
        """An absent field needs no bits."""

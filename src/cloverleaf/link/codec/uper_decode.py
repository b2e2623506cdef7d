"""Generates, per message, a Python decoder that reads runs of fixed-width fields with one shift (ASN.1 UPER, X.691).

Every composite type becomes a function `(n, r) -> (value, r)`; see `uper_runtime` for the meaning of n and r. Fields
of fixed width that follow one another are cut out of one masked integer, nested sequences included.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cloverleaf.link.codec import uper_runtime as rt
from cloverleaf.link.codec.uper_shape import INLINE_DEPTH, INLINE_SIZE, Leaf, fixed_width, most_bits, uniform, weight
from cloverleaf.link.schemas import nodes as s

RUN_BITS = 60
SHORT = 64
"""Lists that can be no longer take their range from a table."""
LONG = 1000
"""Bits of a list from which on bits that are read are cut off: a shift costs as much as what stays above it."""
AHEAD = 7
"""Bits that may be read before an extension bit is looked at: whatever follows a set one is at least as long."""
FLAGS = {k: [tuple(bool(i >> k - 1 - j & 1) for j in range(k)) for i in range(1 << k)] for k in range(3, 9)}
"""Number of flags -> their bits -> the flags."""


class _Function:
    """Source of one function under construction: statements, a pending run of bit fields, fresh names."""

    def __init__(self, head: str) -> None:
        self.lines = [head]
        self.indent = 1
        self.run: list[tuple[str, int]] = []
        self.checks: list[str] = []
        self.counter = 0
        self.flags: dict[str, str] = {}

    def name(self, stem: str = "x") -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def add(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def assign(self, target: str, expression: str) -> None:
        """Emit `target = expression`; a field that was read on the line before and is only used here needs no name."""
        found = re.match(r"^(x\d+) = (.*)$", self.lines[-1].strip())
        here = self.lines[-1].startswith("    " * self.indent + "x")
        if found and here and len(re.findall(rf"\b{found[1]}\b", expression)) == 1:
            read = found[2] if expression == found[1] else f"({found[2]})"
            expression = re.sub(rf"\b{found[1]}\b", lambda _: read, expression)
            self.lines.pop()
        self.add(f"{target} = {expression}")

    def flag(self) -> str:
        """Reserve one bit that is only tested; `flags` holds the test after `flush`."""
        name = self.take(1)
        self.flags[name] = name
        return name

    def take(self, width: int) -> str:
        """Reserve `width` bits of the run; the name holds them after `flush`."""
        if self.run and sum(w for _, w in self.run) + width > RUN_BITS:
            self.flush()
        name = self.name()
        self.run.append((name, width))
        return name

    def flush(self) -> None:
        """Emit the pending run and its range checks."""
        run, self.run = self.run, []
        checks, self.checks = self.checks, []
        total = sum(w for _, w in run)
        if len(run) == 1:
            self.add(f"{run[0][0]} = n >> (r := r - {total}) & {(1 << total) - 1}")
        elif len(run) in FLAGS and all(name in self.flags for name, _ in run):
            names = [name for name, _ in run]
            self.add(f"{', '.join(names)} = F{total}[n >> (r := r - {total}) & {(1 << total) - 1}]")
        elif run:
            tested = any(name in self.flags for name, _ in run)
            w = self.name("w") if tested else "w"
            self.add(f"{w} = n >> (r := r - {total}) & {(1 << total) - 1}")
            at, first = total, True
            for name, width in run:
                at -= width
                if name in self.flags:
                    self.flags[name] = f"{w} & {1 << at}"
                    first = False
                    continue
                shift = f"{w} >> {at}" if at else w
                self.add(f"{name} = {shift}" if first else f"{name} = {shift} & {(1 << width) - 1}")
                first = False
        if checks:
            self.add(f"if {' or '.join(checks)}: raise bad(r)")


class DecoderSource:
    """Compiles types to functions; `function(node)` gives the name of one, `build` the executable.

    keep_unknown: return unknown additions and alternatives too.
    trust_content: let a known addition end where its content ends, whatever its length claims, as other decoders do.
    """

    def __init__(self, keep_unknown: bool = False, trust_content: bool = False) -> None:
        self.keep, self.trust = keep_unknown, trust_content
        self.has_additions = False
        self.names: dict[int, str] = {}
        self.alive: list[s.Type] = []  # ids stay unique while the nodes live
        self.sources: list[str] = []
        self.space: dict[str, Any] = {
            "bad": rt.out_of_range, "length": rt.read_length, "small": rt.read_small, "integer": rt.read_integer,
            "size": rt.read_size, "text": rt.read_text, "many": rt.read_many, "open": rt.read_open, "hex_of": rt.hex_of,
            "bits_of": rt.bits_of, "R": [range(c) for c in range(SHORT)], **{f"F{k}": table for k, table in FLAGS.items()},
        }  # fmt: skip

    def constant(self, value: Any) -> str:
        name = f"K{len(self.space)}"
        self.space[name] = value
        return name

    def build(self, node: s.Type) -> Callable[[int, int], tuple[Any, int]]:
        """The decoder function of `node`."""
        entry = self.function(node)
        exec(compile("\n".join(self.sources), "<uper decoder>", "exec"), self.space)
        function: Callable[[int, int], tuple[Any, int]] = self.space[entry]
        return function

    def function(self, node: s.Type) -> str:
        node = s.resolve(node)
        if id(node) not in self.names:
            name = self.names[id(node)] = f"d{len(self.names)}"
            self.alive.append(node)
            f = _Function(f"def {name}(n, r):")
            result = self.value(f, node, 0)
            f.flush()
            f.add(f"return {result}, r")
            self.sources.append("\n".join(f.lines))
        return self.names[id(node)]

    def value(self, f: _Function, node: s.Type, depth: int) -> str:
        """Emit the reading of `node`; returns an expression that is valid once the run is flushed."""
        node = s.resolve(node)
        width = fixed_width(node)
        if width is not None:
            return self.fixed(f, node, width)
        if isinstance(node, s.Sequence):
            if depth == 0 or (depth < INLINE_DEPTH and not node.ext and weight(node) <= INLINE_SIZE):
                return self.sequence(f, node, depth)
            return self.call(f, self.function(node))
        if isinstance(node, s.Enumerated):
            return self.enumerated(f, node)
        if (
            depth
            and isinstance(node, (s.SequenceOf, s.Choice))
            and (depth >= INLINE_DEPTH or weight(node) > INLINE_SIZE)
        ):
            return self.call(f, self.function(node))
        if isinstance(node, s.Choice):
            return self.choice(f, node, depth)
        if isinstance(node, s.SequenceOf):
            return self.list_of(f, node, depth)
        f.flush()
        if isinstance(node, s.Null):
            return "None"
        if isinstance(node, s.Integer):
            return self.integer(f, node)
        if isinstance(node, (s.BitString, s.OctetString, s.Text)):
            return self.string(f, node)
        raise TypeError(f"no UPER decoder for {node}")

    def call(self, f: _Function, function: str) -> str:
        f.flush()
        name = f.name("v")
        f.add(f"{name}, r = {function}(n, r)")
        return name

    def fixed(self, f: _Function, node: s.Type, width: int) -> str:
        if width == 0:
            raw = "0"
        else:
            raw = f.take(width)
        if isinstance(node, s.Integer):
            assert node.low is not None and node.high is not None
            if (1 << width) - 1 > node.high - node.low:
                f.checks.append(f"{raw} > {node.high - node.low}")
            if node.parts:
                f.checks.append(
                    f"not ({' or '.join(f'{a - node.low} <= {raw} <= {b - node.low}' for a, b in node.parts)})"
                )
            return f"{raw} + {node.low}" if node.low > 0 else f"{raw} - {-node.low}" if node.low else raw
        if isinstance(node, s.Enumerated):
            return f"{self.constant(node.root)}[{raw}]"
        if isinstance(node, s.Boolean):
            return f"{raw} == 1"
        if isinstance(node, s.OctetString):
            return f'{{"hex": ({raw}).to_bytes({width // 8}, "big").hex()}}' if width else '{"hex": ""}'
        pad = -width % 8
        shifted = f"({raw} << {pad})" if pad else raw
        octets = f'({shifted}).to_bytes({(width + 7) // 8}, "big").hex()' if width else '""'
        return f'{{"hex": {octets}, "bits": {width}}}'

    def integer(self, f: _Function, node: s.Integer) -> str:
        name = f.name("v")
        if node.extensible:
            f.add("e = n >> (r := r - 1) & 1")
            f.add("if e:")
            f.add(f"    {name}, r = integer(n, r, None)")
            if node.extra:
                f.add(f"    if not ({' or '.join(f'{a} <= {name} <= {b}' for a, b in node.extra)}): raise bad(r)")
            f.add("else:")
            f.indent += 1
        if node.low is None or node.high is None:
            f.add(f"{name}, r = integer(n, r, {node.low})")
        else:
            self._late(f, name, s.Integer(node.low, node.high, parts=node.parts))
        if node.extensible:
            f.indent -= 1
        return name

    def _late(self, f: _Function, name: str, node: s.Type) -> None:
        """Read a fixed leaf now and store it under `name`."""
        expression = self.fixed(f, node, fixed_width(node) or 0)
        f.flush()
        f.add(f"{name} = {expression}")

    def enumerated(self, f: _Function, node: s.Enumerated) -> str:
        name, width = f.name("v"), (len(node.root) - 1).bit_length()
        if width <= AHEAD:
            e = f.take(width + 1)
            f.flush()
            f.add(f"if {e} < {1 << width}: {name} = {self.constant(node.root)}[{e}]")
            f.add("else:")
            f.add(f"    e, r = small(n, r + {width})")
            f.add(f"    {name} = {self.constant(node.ext)}[e]")
            return name
        f.flush()
        f.add("e = n >> (r := r - 1) & 1")
        f.add("if e:")
        f.add("    e, r = small(n, r)")
        f.add(f"    {name} = {self.constant(node.ext)}[e]")
        f.add("else:")
        f.indent += 1
        self._late(f, name, s.Enumerated(node.root, node.values))
        f.indent -= 1
        return name

    def string(self, f: _Function, node: s.BitString | s.OctetString | s.Text) -> str:
        name, size = f.name("v"), node.size
        if isinstance(node, s.Text) and node.alphabet == "utf8":
            size = s.Size()  # not PER-visible
        if isinstance(node, s.BitString) and size.extensible and size.low == size.high:
            # the usual case of an extensible named-bit list: one bit, then the fixed list
            f.add("if n >> r - 1 & 1:")
            f.indent += 1
        c = self.count(f, size)
        if isinstance(node, s.Text):
            f.add(f'{name}, r = text(n, r, "{node.alphabet}", {c})')
            if node.alphabet == "utf8" and node.size != size:
                f.add(f"if not {self.constant(node.size)}.admits(len({name})): raise bad(r)")
        else:
            f.add(f"{name}, r = {'bits_of' if isinstance(node, s.BitString) else 'hex_of'}(n, r, {c})")
        if isinstance(node, s.BitString) and size.extensible and size.low == size.high:
            f.indent -= 1
            f.add("else:")
            f.indent += 1
            f.add("r = r - 1")
            self._late(f, name, s.BitString(s.Size(size.low, size.high)))
            f.indent -= 1
        return name

    def list_of(self, f: _Function, node: s.SequenceOf, depth: int) -> str:
        c, item = self.count(f, node.size), s.resolve(node.item)
        name = f.name("v")
        if weight(item) > INLINE_SIZE or depth + 1 >= INLINE_DEPTH:
            f.add(f"{name}, r = many({self.function(item)}, n, r, {c})")
            return name
        f.add(f"{name} = []")
        long = most_bits(node) > LONG
        if long:
            f.add("t = n.bit_length()")
        high = node.size.high
        f.add(
            f"for _ in {f'R[{c}]' if high is not None and high < SHORT and not node.size.extensible else f'range({c})'}:"
        )
        f.indent += 1
        if long:
            f.add(f"if t - r > {rt.TRIM}:")
            f.add("    n &= (1 << r) - 1")
            f.add("    t = r")
        expression = self.value(f, item, depth + 1)
        f.flush()
        f.add(f"{name}.append({expression})")
        f.indent -= 1
        return name

    def count(self, f: _Function, size: s.Size) -> str:
        """The checked number of items of a string or list."""
        width = rt.size_widths(size)
        slow = f"size(n, r, {size.low}, {size.high}, {width}, {self.constant(size)})"
        if width == 0 and not size.extensible:
            f.flush()
            return str(size.low)
        if width is not None and (not size.extensible or width <= AHEAD):
            assert size.high is not None
            raw = f.take(width + size.extensible)
            f.flush()
            c = f.name("c")
            f.assign(c, f"{raw} + {size.low}" if size.low else raw)
            if size.extensible:
                f.add(f"if {c} >= {(1 << width) + size.low}: {c}, r = {slow.replace('r,', f'r + {width + 1},', 1)}")
            if (1 << width) - 1 > size.high - size.low:
                f.add(f"{'el' if size.extensible else ''}if {c} > {size.high}: raise bad(r)")
            return c
        f.flush()
        c = f.name("c")
        f.add(f"{c}, r = {slow}")
        return c

    def choice(self, f: _Function, node: s.Choice, depth: int) -> str:
        width, rows = (len(node.root) - 1).bit_length(), uniform(node)
        e = f.take(width + node.extensible) if width or node.extensible else ""
        f.flush()
        name = f.name("v")
        if node.extensible:
            f.add(f"if {e} >= {1 << width}:")
            f.indent += 1
            f.add(f"e, r = small(n, r + {width})" if width else "e, r = small(n, r)")
            f.add("m, q, r = open(n, r)")
            for i, alternative in enumerate(node.ext):
                f.add(
                    f"{'if' if i == 0 else 'elif'} e == {i}: {name} = [{alternative.name!r}, {self.function(alternative.type)}(m, q)[0]]"
                )
            unknown = (
                f'{name} = ["_unknown", {{"hex": "%0*x" % (q // 4, m)}}]'
                if self.keep
                else "raise bad(r, 'unknown alternative')"
            )
            f.add(f"else: {unknown}" if node.ext else unknown)
            f.indent -= 1
            f.add("else:")
            f.indent += 1
        if rows:
            self.tabled(f, node, rows, e, name)
        else:
            self.branches(f, node, e, name, depth, 0, len(node.root) - 1)
        f.indent -= node.extensible
        return name

    def branches(self, f: _Function, node: s.Choice, e: str, name: str, depth: int, first: int, last: int) -> None:
        """The alternatives first..last in a tree of comparisons; an index behind the last of all is refused."""
        if first == last:
            expression = self.value(f, node.root[first].type, depth + 1)
            f.flush()
            f.assign(name, f"[{node.root[first].name!r}, {expression}]")
            return
        half = (first + last) // 2 if last - first > 2 else first
        f.add(f"if {e} <= {half}:")
        f.indent += 1
        self.branches(f, node, e, name, depth, first, half)
        f.indent -= 1
        spare = half + 1 == last == len(node.root) - 1 and len(node.root) & last
        f.add(f"elif {e} == {last}:" if spare else "else:")
        f.indent += 1
        self.branches(f, node, e, name, depth, half + 1, last)
        f.indent -= 1
        if spare:
            f.add("else: raise bad(r, 'choice index out of range')")

    def tabled(self, f: _Function, node: s.Choice, rows: list[list[Leaf]], e: str, name: str) -> None:
        """A choice whose alternatives differ in widths and ranges only: shifts, masks and bounds from a table."""
        leaves = [f.name() for _ in rows[0]]
        tops = [tuple(leaf[3] for leaf in row) for row in rows]
        full = [all((1 << leaf[1]) - 1 == leaf[3] - leaf[2] for leaf in row) for row in rows]
        table = []
        for alternative, row, top, free in zip(node.root, rows, tops, full):
            at = sum(leaf[1] for leaf in row)
            entry: list[Any] = [alternative.name, at]
            for _, width, low, _high in row:
                at -= width
                entry += [at, (1 << width) - 1, low] if at else [(1 << width) - 1, low]
            table.append((*entry, None if free else top) if not all(full) else tuple(entry))
        names = [f"s{x}, m{x}, l{x}" for x in leaves[:-1]] + [f"m{leaves[-1]}, l{leaves[-1]}"]
        f.add(f"k, w, {', '.join(names)}{'' if all(full) else ', h'} = {self.constant(tuple(table))}[{e}]")
        f.add("w = n >> (r := r - w)")
        for x in leaves[:-1]:
            f.add(f"{x} = (w >> s{x} & m{x}) + l{x}")
        last = f"(w & m{leaves[-1]}) + l{leaves[-1]}"
        values = [*leaves[:-1], last]
        if not all(full):
            f.add(f"{leaves[-1]} = {last}")
            f.add(f"if h and ({' or '.join(f'{x} > h[{i}]' for i, x in enumerate(leaves))}): raise bad(r)")
            values[-1] = leaves[-1]
        inner = ", ".join(f"{leaf[0]!r}: {x}" for leaf, x in zip(rows[0], values))
        f.add(f"{name} = [k, {f'{{{inner}}}' if rows[0][0][0] else values[0]}]")

    def sequence(self, f: _Function, node: s.Sequence, depth: int) -> str:
        flags: dict[str, str] = {}
        extended = f.flag() if node.extensible else ""
        for field in node.fields:
            if field.skippable:
                flags[field.name] = f.flag()
        result, opened = f.name("s"), False
        parts: list[str] = []
        stored: dict[str, str] = {}

        def begin() -> None:
            """Create the dict with what was read so far; later fields are assigned."""
            nonlocal opened
            f.flush()
            if not opened:
                f.add(f"{result} = {{{', '.join(parts)}}}")
                opened = True

        for field in node.fields:
            if not field.skippable:
                expression = self.component(f, node, field, depth, stored)
                if opened:
                    f.flush()
                    f.assign(f"{result}[{field.name!r}]", expression)
                else:
                    parts.append(f"{field.name!r}: {expression}")
                continue
            begin()
            f.add(f"if {f.flags[flags[field.name]]}:")
            f.indent += 1
            expression = self.component(f, node, field, depth, stored)
            f.flush()
            if field.default is None:
                f.assign(f"{result}[{field.name!r}]", expression)
            else:
                f.add(f"x = {expression}")
                f.add(f"if x != {self.constant(field.default)}: {result}[{field.name!r}] = x")
            f.indent -= 1
        if node.extensible:
            begin()
            f.add(f"if {f.flags[extended]}:")
            f.indent += 1
            self.additions(f, node, result)
            f.indent -= 1
        if not opened:
            if depth:  # still inside the caller's run: the literal may be evaluated later
                return f"{{{', '.join(parts)}}}"
            begin()
        return result

    def component(self, f: _Function, parent: s.Sequence, field: s.Field, depth: int, stored: dict[str, str]) -> str:
        node = s.resolve(field.type)
        if isinstance(node, s.OpenType):
            f.flush()
            return self.open_type(f, node, stored[node.selector])
        expression = self.value(f, node, depth + 1)
        if any(isinstance(o := s.resolve(g.type), s.OpenType) and o.selector == field.name for g in parent.fields):
            stored[field.name] = expression
        return expression

    def open_type(self, f: _Function, node: s.OpenType, selector: str) -> str:
        name = f.name("v")
        f.add("m, q, r = open(n, r)")
        for i, (number, row, kind) in enumerate(node.table):
            f.add(
                f"{'if' if i == 0 else 'elif'} {selector} == {number}: {name} = [{row!r}, {self.function(kind)}(m, q)[0]]"
            )
        unknown = f'{name} = ["_unknown", {{"hex": "%0*x" % (q // 4, m) if q else ""}}]'
        f.add(f"else: {unknown}" if node.table else unknown)
        return name

    def additions(self, f: _Function, node: s.Sequence, result: str) -> None:
        """Extension additions: a bit map, then each present one as an open type; unknown ones are skipped by their length."""
        self.has_additions |= bool(node.ext)
        f.add("b, r = small(n, r)")
        f.add("b = b + 1")
        f.add("g = n >> (r := r - b) & (1 << b) - 1")
        for i, addition in enumerate(node.ext):
            f.add(f"if b > {i} and g >> b - {i + 1} & 1:")
            f.indent += 1
            content = self.function(s.Sequence(addition) if isinstance(addition, tuple) else addition.type)
            if self.trust:
                f.add("q, r = length(n, r)")
                f.add("if 8 * q > r: raise bad(r)")
                f.add(f"x, q = {content}(n, r)")
                f.add("r -= max(8, r - q + 7 & -8)")
            else:
                f.add("m, q, r = open(n, r)")
                f.add(f"x = {content}(m, q)[0]")
            f.add(f"{result}.update(x)" if isinstance(addition, tuple) else f"{result}[{addition.name!r}] = x")
            f.indent -= 1
        f.add(f"for i in range({len(node.ext)}, b):")
        f.add("    if g >> b - i - 1 & 1:")
        f.add("        m, q, r = open(n, r)")
        if self.keep:
            f.add(
                f'        {result}.setdefault("_unknown", []).append([i, {{"hex": "%0*x" % (q // 4, m) if q else ""}}])'
            )

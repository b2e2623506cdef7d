"""Generates, per message, a Python decoder that reads runs of fixed-width fields with one shift (ASN.1 UPER, X.691).

Every composite type becomes a function `(n, r) -> (value, r)`; see `uper_runtime` for the meaning of n and r. Fields
of fixed width that follow one another are cut out of one masked integer, nested sequences included.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cloverleaf.link.codec import uper_runtime as rt
from cloverleaf.link.schemas import nodes as s

RUN_BITS = 60
INLINE_DEPTH = 4
INLINE_SIZE = 40
"""Fields up to which a nested type is read in place instead of by a call."""


def weight(node: s.Type, most: int = INLINE_SIZE, depth: int = 0) -> int:
    """About how many fields reading `node` in place takes; above `most` where it is too many, nested too deep or recursive."""
    node = s.resolve(node)
    if depth > 6:
        return most + 1
    if isinstance(node, s.Sequence):
        inner = [f.type for f in node.fields]
        if node.ext:
            return most + 1
    elif isinstance(node, s.Choice):
        inner = [a.type for a in node.root]
        if node.ext:
            return most + 1
    elif isinstance(node, s.SequenceOf):
        inner = [node.item]
    else:
        return 1
    total = 1
    for kind in inner:
        total += weight(kind, most - total, depth + 1)
        if total > most:
            break
    return total


def fixed_width(node: s.Type) -> int | None:
    """Bits of a leaf that is always the same width, else None."""
    if isinstance(node, s.Integer):
        if node.low is None or node.high is None or node.extensible:
            return None
        return (node.high - node.low).bit_length()
    if isinstance(node, s.Enumerated):
        return None if node.extensible else (len(node.root) - 1).bit_length()
    if isinstance(node, s.Boolean):
        return 1
    if isinstance(node, (s.BitString, s.OctetString)):
        size = node.size
        if size.extensible or size.high is None or size.low != size.high or size.high > 2047:
            return None
        return size.low * (8 if isinstance(node, s.OctetString) else 1)
    return None


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
            "bits_of": rt.bits_of,
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
        f.flush()
        if isinstance(node, s.Null):
            return "None"
        if isinstance(node, s.Integer):
            return self.integer(f, node)
        if isinstance(node, s.Enumerated):
            return self.enumerated(f, node)
        if isinstance(node, (s.BitString, s.OctetString, s.Text)):
            return self.string(f, node)
        if depth and (depth >= INLINE_DEPTH or weight(node) > INLINE_SIZE):
            return self.call(f, self.function(node))
        if isinstance(node, s.SequenceOf):
            return self.list_of(f, node, depth)
        if isinstance(node, s.Choice):
            return self.choice(f, node, depth)
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
            return f'{{"hex": "%0{width // 4}x" % {raw}}}' if width else '{"hex": ""}'
        pad = -width % 8
        shifted = f"({raw} << {pad})" if pad else raw
        return (
            f'{{"hex": "%0{(width + pad) // 4}x" % {shifted}, "bits": {width}}}' if width else '{"hex": "", "bits": 0}'
        )

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
        name = f.name("v")
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
        width = rt.size_widths(size)
        f.add(f"c, r = size(n, r, {size.low}, {size.high}, {width}, {self.constant(size)})")
        if isinstance(node, s.Text):
            f.add(f'{name}, r = text(n, r, "{node.alphabet}", c)')
            if node.alphabet == "utf8" and node.size != size:
                f.add(f"if not {self.constant(node.size)}.admits(len({name})): raise bad(r)")
        else:
            f.add(f"{name}, r = {'bits_of' if isinstance(node, s.BitString) else 'hex_of'}(n, r, c)")
        if isinstance(node, s.BitString) and size.extensible and size.low == size.high:
            f.indent -= 1
            f.add("else:")
            f.indent += 1
            f.add("r = r - 1")
            self._late(f, name, s.BitString(s.Size(size.low, size.high)))
            f.indent -= 1
        return name

    def list_of(self, f: _Function, node: s.SequenceOf, depth: int) -> str:
        size, width = node.size, rt.size_widths(node.size)
        item = s.resolve(node.item)
        if not size.extensible and width:
            assert size.high is not None
            f.add(f"c = (n >> (r := r - {width}) & {(1 << width) - 1}) + {size.low}")
            if (1 << width) - 1 > size.high - size.low:
                f.add(f"if c > {size.high}: raise bad(r)")
        else:
            f.add(f"c, r = size(n, r, {size.low}, {size.high}, {width}, {self.constant(size)})")
        name = f.name("v")
        if weight(item) > INLINE_SIZE or depth + 1 >= INLINE_DEPTH:
            f.add(f"{name}, r = many({self.function(item)}, n, r, c)")
            return name
        f.add(f"{name} = []")
        f.add("t = n.bit_length()")
        f.add("for _ in range(c):")
        f.indent += 1
        f.add(f"if t - r > {rt.TRIM}:")
        f.add("    n &= (1 << r) - 1")
        f.add("    t = r")
        expression = self.value(f, item, depth + 1)
        f.flush()
        f.add(f"{name}.append({expression})")
        f.indent -= 1
        return name

    def choice(self, f: _Function, node: s.Choice, depth: int) -> str:
        name = f.name("v")
        if node.extensible:
            f.add("if n >> (r := r - 1) & 1:")
            f.indent += 1
            f.add("e, r = small(n, r)")
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
        width = (len(node.root) - 1).bit_length()
        if width:
            f.add(f"e = n >> (r := r - {width}) & {(1 << width) - 1}")
        for i, alternative in enumerate(node.root):
            if width:
                f.add(f"{'if' if i == 0 else 'elif'} e == {i}:")
                f.indent += 1
            expression = self.value(f, alternative.type, depth + 1)
            f.flush()
            f.assign(name, f"[{alternative.name!r}, {expression}]")
            f.indent -= bool(width)
        if width and len(node.root) < 1 << width:
            f.add("else: raise bad(r, 'choice index out of range')")
        if node.extensible:
            f.indent -= 1
        return name

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

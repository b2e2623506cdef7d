"""Generates, per message, a Python encoder: dict -> bits as one integer and their number (ASN.1 UPER, X.691).

Every composite type becomes a function `v -> (bits, width)`. Fields are collected into runs that one expression of constant
shifts assembles. A wrong value raises any of KeyError, TypeError, ValueError, IndexError or AttributeError; `explain` finds
out afterwards which field it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloverleaf.link.codec import uper_runtime as rt
from cloverleaf.link.codec.uper_decode import INLINE_DEPTH, INLINE_SIZE, fixed_width, weight
from cloverleaf.link.schemas import nodes as s

SHORT = 32
"""Items up to which a list is gathered in one integer; longer ones in blocks, by calls."""


class _Function:
    """Source of one encoder function: statements, and the run of (expression, width) not yet appended to `a`."""

    def __init__(self, head: str) -> None:
        self.lines = [head, "    a = n = 0"]
        self.indent = 1
        self.run: list[tuple[str, int]] = []
        self.counter = 0

    def name(self, stem: str = "x") -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def add(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def put(self, expression: str, width: int) -> None:
        if width:
            self.run.append((expression, width))

    def flush(self) -> None:
        """Append the run to the bits."""
        run, self.run = self.run, []
        if not run:
            return
        total = at = sum(w for _, w in run)
        terms = [f"a << {total}"]
        for expression, width in run:
            at -= width
            terms.append(f"{expression} << {at}" if at else expression)
        self.add(f"a = {' | '.join(terms)}")
        self.add(f"n += {total}")

    def append(self, call: str) -> None:
        """Append what `call` returns as (bits, width)."""
        self.flush()
        self.add(f"b, w = {call}")
        self.add("a = a << w | b")
        self.add("n += w")


class EncoderSource:
    """Compiles types to encoder functions; `build` gives the executable."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.alive: list[s.Type] = []
        self.sources: list[str] = []
        self.space: dict[str, Any] = {
            "length": rt.write_length, "small": rt.write_small, "integer": rt.write_integer, "size": rt.write_size,
            "text": rt.write_text, "open": rt.write_open, "octets": rt.octets_in, "bits_in": rt.bits_in, "bad": bad_value,
            "join": join, "number": int.from_bytes, "plain": plain_integer,
        }  # fmt: skip

    def constant(self, value: Any) -> str:
        name = f"K{len(self.space)}"
        self.space[name] = value
        return name

    def build(self, node: s.Type) -> Callable[[Any], tuple[int, int]]:
        """The encoder function of `node`."""
        entry = self.function(node)
        exec(compile("\n".join(self.sources), "<uper encoder>", "exec"), self.space)
        function: Callable[[Any], tuple[int, int]] = self.space[entry]
        return function

    def function(self, node: s.Type) -> str:
        node = s.resolve(node)
        if id(node) not in self.names:
            name = self.names[id(node)] = f"e{len(self.names)}"
            self.alive.append(node)
            f = _Function(f"def {name}(v):")
            self.value(f, node, "v", 0)
            f.flush()
            f.add("return a, n")
            self.sources.append("\n".join(f.lines))
        return self.names[id(node)]

    def value(self, f: _Function, node: s.Type, v: str, depth: int) -> None:
        """Emit the writing of the value that expression `v` holds."""
        node = s.resolve(node)
        width = fixed_width(node)
        if width is not None:
            self.fixed(f, node, v, width)
        elif isinstance(node, s.Sequence) and (
            depth == 0 or (depth < INLINE_DEPTH and not node.ext and weight(node) <= INLINE_SIZE)
        ):
            self.sequence(f, node, v, depth)
        elif isinstance(node, s.Sequence) or (
            depth
            and isinstance(node, (s.SequenceOf, s.Choice))
            and (depth >= INLINE_DEPTH or weight(node) > INLINE_SIZE)
        ):
            f.append(f"{self.function(node)}({v})")
        elif isinstance(node, s.Null):
            f.add(f"if {v} is not None: bad()")
        elif isinstance(node, s.Integer):
            self.integer(f, node, v)
        elif isinstance(node, s.Enumerated):
            self.enumerated(f, node, v)
        elif isinstance(node, (s.BitString, s.OctetString, s.Text)):
            self.string(f, node, v)
        elif isinstance(node, s.SequenceOf):
            self.list_of(f, node, v, depth)
        elif isinstance(node, s.Choice):
            self.choice(f, node, v, depth)
        else:
            raise TypeError(f"no UPER encoder for {node}")

    def fixed(self, f: _Function, node: s.Type, v: str, width: int) -> None:
        x = f.name()
        if isinstance(node, s.Integer):
            assert node.low is not None and node.high is not None
            shift = f" - {node.low}" if node.low > 0 else f" + {-node.low}" if node.low else ""
            f.add(f"{x} = {v}{shift}")
            f.add(f"if not 0 <= {x} <= {node.high - node.low}: bad()")
            if node.parts:
                f.add(
                    f"if not ({' or '.join(f'{a - node.low} <= {x} <= {b - node.low}' for a, b in node.parts)}): bad()"
                )
            if not width:
                return
        elif isinstance(node, s.Enumerated):
            f.add(f"{x} = {self.constant({name: i for i, name in enumerate(node.root)})}[{v}]")
        elif isinstance(node, s.Boolean):
            f.add(f"{x} = {v}")
            f.add(f"if {x} is not True and {x} is not False: bad()")
        elif isinstance(node, s.OctetString):
            f.add(f"{x} = octets({v})")
            f.add(f"if len({x}) != {width // 8}: bad()")
            f.add(f'{x} = number({x}, "big")')
        else:
            f.add(f"{x}, w = bits_in({v})")
            f.add(f"if w != {width}: bad()")
        f.put(x, width)

    def integer(self, f: _Function, node: s.Integer, v: str) -> None:
        x = f.name()
        f.add(f"{x} = plain({v})")
        if node.extensible:
            root = (
                f"{node.low} <= {x} <= {node.high}"
                if not node.parts
                else " or ".join(f"{a} <= {x} <= {b}" for a, b in node.parts)
            )
            f.flush()
            f.add(f"if not ({root}):")
            f.indent += 1
            if node.extra:
                f.add(f"if not ({' or '.join(f'{a} <= {x} <= {b}' for a, b in node.extra)}): bad()")
            f.put("1", 1)
            f.append(f"integer({x}, None)")
            f.indent -= 1
            f.add("else:")
            f.indent += 1
            f.put("0", 1)
        if node.low is None or node.high is None:
            f.append(f"integer({x}, {node.low})")
        else:
            self.fixed(f, s.Integer(node.low, node.high, parts=node.parts), x, (node.high - node.low).bit_length())
            f.flush()
        f.indent -= node.extensible

    def enumerated(self, f: _Function, node: s.Enumerated, v: str) -> None:
        width = (len(node.root) - 1).bit_length()
        table = {name: (i, width + 1) for i, name in enumerate(node.root)}
        for i, name in enumerate(node.ext):
            bits, used = rt.write_small(i)
            table[name] = (1 << used | bits, used + 1)
        f.append(f"{self.constant(table)}[{v}]")

    def string(self, f: _Function, node: s.BitString | s.OctetString | s.Text, v: str) -> None:
        x, w, size = f.name(), f.name(), node.size
        if isinstance(node, s.Text):
            f.add(f'{x}, {w}, c = text({v}, "{node.alphabet}")')
            if node.alphabet == "utf8":
                f.add(f"if not {self.constant(node.size)}.admits(len({v})): bad()")
                size = s.Size()
        elif isinstance(node, s.BitString):
            f.add(f"{x}, {w} = bits_in({v})")
            f.add(f"c = {w}")
        else:
            f.add(f"{x} = octets({v})")
            f.add(f"c = len({x})")
            f.add(f'{x}, {w} = number({x}, "big"), 8 * c')
        f.append(f"size(c, {size.low}, {size.high}, {rt.size_widths(size)}, {self.constant(size)})")
        f.add(f"a = a << {w} | {x}")
        f.add(f"n += {w}")

    def list_of(self, f: _Function, node: s.SequenceOf, v: str, depth: int) -> None:
        size = node.size
        if size.high is not None and size.high <= SHORT and depth + 1 < INLINE_DEPTH and weight(node) <= INLINE_SIZE:
            items, before, item = f.name("v"), f.name("a"), f.name("i")
            f.add(f"{items} = {v}")
            f.add(f"if type({items}) is not list: bad()")
            f.append(f"size(len({items}), {size.low}, {size.high}, {rt.size_widths(size)}, {self.constant(size)})")
            f.add(f"{before} = a, n")
            f.add("a = n = 0")
            f.add(f"for {item} in {items}:")
            f.indent += 1
            self.value(f, node.item, item, depth + 1)
            f.flush()
            f.add("pass")
            f.indent -= 1
            f.add(f"b, w = {before}")
            f.add("a |= b << n")
            f.add("n += w")
            return
        f.append(f"size(len({v}), {size.low}, {size.high}, {rt.size_widths(size)}, {self.constant(size)})")
        f.append(f"join({self.function(node.item)}, {v})")

    def choice(self, f: _Function, node: s.Choice, v: str, depth: int) -> None:
        f.flush()
        f.add(f"k, x = {v}")
        width = (len(node.root) - 1).bit_length()
        for i, alternative in enumerate(node.root):
            f.add(f"{'if' if i == 0 else 'elif'} k == {alternative.name!r}:")
            f.indent += 1
            f.put(str(i), width + node.extensible)
            self.value(f, alternative.type, "x", depth + 1)
            f.flush()
            f.add("pass")
            f.indent -= 1
        for i, alternative in enumerate(node.ext):
            bits, used = rt.write_small(i)
            f.add(f"elif k == {alternative.name!r}:")
            f.indent += 1
            f.put(str(1 << used | bits), used + 1)
            f.append(f"open(*{self.function(alternative.type)}(x))")
            f.indent -= 1
        f.add("else: bad()")

    def sequence(self, f: _Function, node: s.Sequence, v: str, depth: int) -> None:
        if depth:  # evaluate the nested dict once
            inner = f.name("s")
            f.add(f"{inner} = {v}")
            v = inner
        flags: dict[str, str] = {}
        known = [str(sum(not g.skippable for g in node.fields))]
        additions = [(a if isinstance(a, tuple) else (a,)) for a in node.ext]
        present: list[str] = []
        for group in additions:
            tests = []
            for field in group:
                x = f.name("p")
                f.add(f"{x} = {field.name!r} in {v}")
                tests.append(x)
                known.append(x)
            y = f.name("q")
            f.add(f"{y} = {' or '.join(tests)}")
            present.append(y)
        if present:
            extended = f.name("q")
            f.add(f"{extended} = {' or '.join(present)}")
        if node.extensible:
            f.put(extended if present else "0", 1)
        for field in node.fields:
            if field.skippable:
                flag = flags[field.name] = f.name("p")
                f.add(f"{flag} = {field.name!r} in {v}")
                known.append(flag)
                if field.default is not None:
                    flag = flags[field.name] = f.name("p")
                    f.add(f"{flag} = {known[-1]} and {v}[{field.name!r}] != {self.constant(field.default)}")
                f.put(flag, 1)
        mapping = "" if known[0] != "0" else f"type({v}) is not dict or "
        f.add(f"if {mapping}len({v}) != {' + '.join(known)}: bad()")
        for field in node.fields:
            if field.skippable:
                f.flush()
                f.add(f"if {flags[field.name]}:")
                f.indent += 1
            kind = s.resolve(field.type)
            if isinstance(kind, s.OpenType):
                self.open_type(f, kind, f"{v}[{field.name!r}]", f"{v}[{kind.selector!r}]")
            else:
                self.value(f, kind, f"{v}[{field.name!r}]", depth + 1)
            if field.skippable:
                f.flush()
                f.indent -= 1
        if present:
            f.flush()
            f.add(f"if {extended}:")
            f.indent += 1
            bits, used = rt.write_small(len(additions) - 1)
            f.put(str(bits), used)
            for flag in present:
                f.put(flag, 1)
            for flag, group, addition in zip(present, additions, node.ext):
                f.flush()
                f.add(f"if {flag}:")
                f.indent += 1
                if isinstance(addition, tuple):
                    names = self.constant([g.name for g in group])
                    f.append(f"open(*{self.function(s.Sequence(group))}({{g: {v}[g] for g in {names} if g in {v}}}))")
                else:
                    f.append(f"open(*{self.function(addition.type)}({v}[{addition.name!r}]))")
                f.indent -= 1
            f.indent -= 1

    def open_type(self, f: _Function, node: s.OpenType, v: str, selector: str) -> None:
        f.flush()
        f.add(f"k, x = {v}")
        f.add(f"i = {selector}")
        for j, (number, row, kind) in enumerate(node.table):
            f.add(f"{'if' if j == 0 else 'elif'} i == {number}:")
            f.add(f"    if k != {row!r}: bad()")
            f.add(f"    b, w = {self.function(kind)}(x)")
        numbers = self.constant({row[0] for row in node.table})
        f.add(f"{'elif' if node.table else 'if'} k == '_unknown' and i not in {numbers}:")
        f.add("    x = octets(x)")
        f.add('    b, w = number(x, "big"), 8 * len(x)')
        f.add("else: bad()")
        f.append("open(b, w) if w or k != '_unknown' else (0, 8)")


def bad_value() -> None:
    """Refuse a value; `explain` names it."""
    raise ValueError


def plain_integer(value: Any) -> int:
    """`value` if it is an integer, which bool is not here."""
    if type(value) is not int:
        raise TypeError("not an integer")
    return value


def join(item: Callable[[Any], tuple[int, int]], values: list[Any]) -> tuple[int, int]:
    """The bits of all items, merged in blocks so that long lists stay close to linear."""
    if type(values) is not list:
        raise TypeError("not a list")
    blocks: list[tuple[int, int]] = []
    a = n = 0
    for value in values:
        b, w = item(value)
        a = a << w | b
        n += w
        if n > 4096:
            blocks.append((a, n))
            a = n = 0
    if blocks:
        tail = (a, n)
        a = n = 0
        for b, w in (*blocks, tail):
            a = a << w | b
            n += w
    return a, n

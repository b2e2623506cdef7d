"""Generates, per message, a Python encoder: dict -> bytes (ASN.1 UPER, X.691).

Every composite type becomes a function `(a, v) -> a`: `a` is a one followed by the bits so far, which therefore knows their number.
Fields are collected into runs that one expression of constant shifts appends. A wrong value raises any of KeyError, TypeError,
ValueError, IndexError or AttributeError; `explain` finds out afterwards which field it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cloverleaf.link.codec import uper_runtime as rt
from cloverleaf.link.codec.uper_shape import INLINE_DEPTH, INLINE_SIZE, Leaf, fixed_width, most_bits, uniform, weight
from cloverleaf.link.schemas import nodes as s

LONG = 6000
"""Bits above which a list is gathered apart: appending costs as much as what is there already."""
DIGIT = 30
"""Bits that Python keeps in one digit of a number: sums and products of such numbers are quick."""


class _Bits(NamedTuple):
    """Bits that are not yet appended: `expression` plus `more`."""

    expression: str
    more: int
    width: int
    varies: str = ""  # variable that holds the width, which is then 0 here
    flag: bool = False  # the expression is True or False


class _Function:
    """Source of one encoder function: statements, and the run of bits not yet appended to `a`."""

    def __init__(self, head: str) -> None:
        self.lines = [head]
        self.indent = 1
        self.run: list[_Bits] = []
        self.counter = 0

    def name(self, stem: str = "x") -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    def add(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def put(self, expression: str, width: int, more: int = 0) -> None:
        """Reserve `width` bits for `expression` plus `more`; an empty expression is none."""
        if width:
            self.run.append(_Bits(expression, more, width))

    def put_flag(self, expression: str) -> None:
        """Reserve a bit for an expression that is True or False."""
        self.run.append(_Bits(expression, 0, 1, flag=True))

    def put_varying(self, expression: str, width: str) -> None:
        """Reserve as many bits for `expression` as the variable `width` says; neither may change before `flush`."""
        self.run.append(_Bits(expression, 0, 0, varies=width))

    def flush(self) -> None:
        """Append the run to the bits."""
        run, self.run = self.run, []
        if not run:
            return
        value, fixed = "", []
        for bits in run:
            if not bits.varies:
                fixed.append(bits)
                continue
            value = _behind(value, fixed)
            value = f"({value} << {bits.varies}) + {bits.expression}" if value else bits.expression
            fixed = []
        value = _behind(value, fixed)
        total = sum(bits.width for bits in run)
        width = " + ".join([bits.varies for bits in run if bits.varies] + [str(total)] * (total > 0))
        self.add(f"a = a << {width} | {value}" if value else f"a <<= {width}")

    def begin(self, line: str) -> None:
        """A line that opens a block; what is pending comes before it."""
        self.flush()
        self.add(line)
        self.indent += 1
        self.lines.append("")  # `end` fills the block if nothing else does

    def begin_optional(self, flag: str) -> list[_Bits]:
        """Open the block of a field that may be absent. What is pending joins its bits; the result is for `end_optional`."""
        pending = [_Bits("", 0, 1) if bits.expression == flag else bits for bits in self.run]
        self.run = [_Bits("", 1, 1) if bits.expression == flag else bits for bits in self.run]
        self.add(f"if {flag}:")
        self.indent += 1
        self.lines.append("")
        return pending

    def end_optional(self, pending: list[_Bits]) -> None:
        """Close the block; where the field is absent, what was pending before it is written alone."""
        self.end()
        if pending:
            self.add("else:")
            self.indent += 1
            self.run = pending
            self.flush()
            self.indent -= 1

    def end(self) -> None:
        """Close the block that `begin` opened."""
        self.flush()
        if self.lines[-1] == "":
            self.lines[-1] = "    " * self.indent + "pass"
        self.indent -= 1

    def call(self, function: str, *arguments: str) -> None:
        """Append by a function that takes and returns the bits."""
        self.flush()
        self.add(f"a = {function}(a, {', '.join(arguments)})")

    def branches(self, index: str, count: int, emit: Callable[[int], None], first: int = 0) -> None:
        """Code for each index below `count`, in a tree of comparisons."""
        if count == 1:
            emit(first)
            self.flush()
            return
        half = (count + 1) // 2
        self.begin(f"if {index} < {first + half}:")
        self.branches(index, half, emit, first)
        self.end()
        self.begin("else:")
        self.branches(index, count - half, emit, first + half)
        self.end()

    def text(self) -> str:
        return "\n".join(line for line in self.lines if line)


def _behind(value: str, fixed: list[_Bits]) -> str:
    """Fields of fixed width behind the bits of `value`; "" for zero. Those that fit in one digit are put together first."""
    groups: list[list[_Bits]] = []
    for bits in fixed:
        if groups and sum(b.width for b in groups[-1]) + bits.width <= DIGIT:
            groups[-1].append(bits)
        else:
            groups.append([bits])
    for group in groups:
        total = at = sum(bits.width for bits in group)
        terms, constant = [f"({value} << {total})"] if value else [], 0
        for bits in group:
            at -= bits.width
            constant += bits.more << at
            if bits.flag:
                terms.append(f"({1 << at} if {bits.expression} else 0)" if len(fixed) > 1 else bits.expression)
            elif bits.expression:
                terms.append(f"{bits.expression} * {1 << at}" if at else bits.expression)
        if constant:
            terms.append(str(constant))
        if value and len(terms) > 2:
            terms[1:] = [f"({' + '.join(terms[1:])})"]
        value = " + ".join(terms)
    return value


class EncoderSource:
    """Compiles types to encoder functions; `build` gives the executable."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.alive: list[s.Type] = []
        self.sources: list[str] = []
        self.space: dict[str, Any] = {
            "integer": rt.write_integer, "size": rt.write_size, "text": rt.write_text,
            "open": rt.write_open, "join": rt.write_many, "glue": rt.glue, "bits_in": rt.bits_in, "bad": rt.bad_value,
            "plain": rt.plain_integer, "number": int.from_bytes, "octets": bytes.fromhex, "finish": rt.finish,
        }  # fmt: skip

    def constant(self, value: Any) -> str:
        name = f"K{len(self.space)}"
        self.space[name] = value
        return name

    def build(self, node: s.Type) -> Callable[[Any], bytes]:
        """The encoder of `node`: a complete encoding, padded to octets."""
        self.sources.append(f"def encode(v):\n    return finish({self.function(node)}(1, v))")
        exec(compile("\n".join(self.sources), "<uper encoder>", "exec"), self.space)
        function: Callable[[Any], bytes] = self.space["encode"]
        return function

    def function(self, node: s.Type) -> str:
        node = s.resolve(node)
        if id(node) not in self.names:
            name = self.names[id(node)] = f"e{len(self.names)}"
            self.alive.append(node)
            f = _Function(f"def {name}(a, v):")
            self.value(f, node, "v", 0)
            f.flush()
            f.add("return a")
            self.sources.append(f.text())
        return self.names[id(node)]

    def value(self, f: _Function, node: s.Type, v: str, depth: int) -> None:
        """Emit the writing of the value that expression `v` holds."""
        node = s.resolve(node)
        composite = isinstance(node, (s.Sequence, s.SequenceOf, s.Choice))
        if fixed_width(node) is not None:
            self.fixed(f, node, v)
        elif composite and depth and (depth >= INLINE_DEPTH or weight(node) > INLINE_SIZE):
            f.call(self.function(node), v)
        elif isinstance(node, s.Sequence):
            self.sequence(f, node, v, depth)
        elif isinstance(node, s.SequenceOf):
            self.list_of(f, node, v, depth)
        elif isinstance(node, s.Choice):
            self.choice(f, node, v, depth)
        elif isinstance(node, s.Null):
            f.add(f"if {v} is not None: bad()")
        elif isinstance(node, s.Integer):
            self.integer(f, node, v)
        elif isinstance(node, s.Enumerated):
            self.enumerated(f, node, v)
        elif isinstance(node, (s.BitString, s.OctetString, s.Text)):
            self.string(f, node, v)
        else:
            raise TypeError(f"no UPER encoder for {node}")

    def fixed(self, f: _Function, node: s.Type, v: str) -> None:
        """A leaf of fixed width: checked now, written with the run."""
        x, width = f.name(), fixed_width(node) or 0
        if isinstance(node, s.Integer):
            assert node.low is not None and node.high is not None
            f.add(f"{x} = {v}")
            spans = node.parts or ((node.low, node.high),)
            if spans == ((0, (1 << width) - 1),):
                f.add(f"if {x} >> {width}: bad()")
            else:
                f.add(f"if not ({' or '.join(f'{low} <= {x} <= {high}' for low, high in spans)}): bad()")
            f.put(x, width, -node.low)
        elif isinstance(node, s.Enumerated):
            f.add(f"{x} = {self.constant({name: i for i, name in enumerate(node.root)})}[{v}]")
            f.put(x, width)
        elif isinstance(node, s.Boolean):
            f.add(f"{x} = {v}")
            f.add(f"if {x} is not True and {x} is not False: bad()")
            f.put(x, width)
        elif isinstance(node, s.OctetString):
            self.raw(f, x, v, 1, f"len({x}) != {width // 8}")
            f.put(f'number({x}, "big")', width)
        else:
            self.raw(f, x, v, 2, f"b['bits'] != {width} or len({x}) != {(width + 7) // 8}")
            f.add(f'{x} = number({x}, "big")')
            if width % 8:
                f.add(f"if {x} & {(1 << -width % 8) - 1}: bad()")
            f.put(f"({x} >> {-width % 8})" if width % 8 else x, width)

    def raw(self, f: _Function, x: str, v: str, keys: int, wrong: str) -> None:
        """The octets of a value with a `hex`, which has so many keys and is refused where `wrong` holds."""
        f.add(f"b = {v}")
        f.add(f"{x} = octets(b['hex'])")
        f.add(f"if len(b) != {keys} or {wrong}: bad()")

    def integer(self, f: _Function, node: s.Integer, v: str) -> None:
        x = f.name()
        f.add(f"{x} = plain({v})")
        bounded = node.low is not None and node.high is not None
        if not node.extensible:
            f.call("integer", x, str(node.low))
            return
        spans = node.parts or ((node.low, node.high),)
        f.begin(f"if {' or '.join(f'{low} <= {x} <= {high}' for low, high in spans)}:")
        if bounded:
            assert node.low is not None and node.high is not None
            width = (node.high - node.low).bit_length()
            f.put("", 1)
            f.put(x, width, -node.low)
        else:
            f.put("", 1)
            f.call("integer", x, str(node.low))
        f.end()
        f.begin("else:")
        if node.extra:
            f.add(f"if not ({' or '.join(f'{low} <= {x} <= {high}' for low, high in node.extra)}): bad()")
        f.put("", 1, 1)
        f.call("integer", x, "None")
        f.end()

    def enumerated(self, f: _Function, node: s.Enumerated, v: str) -> None:
        width = (len(node.root) - 1).bit_length() + 1
        table: dict[str, tuple[int, int]] = {name: (i, width) for i, name in enumerate(node.root)}
        for i, name in enumerate(node.ext):
            bits, used = rt.small_number(i)
            table[name] = (1 << used | bits, used + 1)
        b, w = f.name("b"), f.name("w")
        f.add(f"{b}, {w} = {self.constant(table)}[{v}]")
        f.put_varying(b, w)

    def string(self, f: _Function, node: s.BitString | s.OctetString | s.Text, v: str) -> None:
        x, w, size = f.name(), f.name("w"), node.size
        if isinstance(node, s.Text):
            f.add(f'{x}, {w}, c = text({v}, "{node.alphabet}")')
            if node.alphabet == "utf8":
                f.add(f"if not {self.constant(node.size)}.admits(len({v})): bad()")
                size = s.Size()
        elif isinstance(node, s.BitString):
            f.add(f"{x}, {w} = bits_in({v})")
            f.add(f"c = {w}")
        else:
            self.raw(f, x, v, 1, "0")
            f.add(f"c = len({x})")
            f.add(f'{x}, {w} = number({x}, "big"), 8 * c')
        self.length(f, size)
        f.put_varying(x, w)

    def length(self, f: _Function, size: s.Size) -> None:
        """The number `c` of items of a string or list."""
        width = rt.size_widths(size)
        if width is not None and not size.extensible:
            f.add(f"if not {size.low} <= c <= {size.high}: bad()")
            f.put("c", width, -size.low)
            f.flush()  # before `c` is another one
            return
        high = min(127, 127 if size.high is None else size.high) if width is None else size.high
        f.begin(f"if {size.low} <= c <= {high}:")
        f.put("", int(size.extensible))
        f.put("c", 8 if width is None else width, 0 if width is None else -size.low)
        f.end()
        f.begin("else:")
        f.call("size", "c", str(size.low), str(size.high), str(width), self.constant(size))
        f.end()

    def list_of(self, f: _Function, node: s.SequenceOf, v: str, depth: int) -> None:
        items, item = f.name("v"), f.name("i")
        f.add(f"{items} = {v}")
        f.add(f"if type({items}) is not list: bad()")
        f.add(f"c = len({items})")
        self.length(f, node.size)
        if depth + 1 >= INLINE_DEPTH or weight(node) > INLINE_SIZE:
            f.call("join", self.function(node.item), items)
            return
        apart = "" if most_bits(node) <= LONG else f.name("a")
        f.flush()
        if apart:
            f.add(f"{apart} = a")
            f.add("a = 1")
        f.begin(f"for {item} in {items}:")
        self.value(f, node.item, item, depth + 1)
        f.end()
        if apart:
            f.add(f"a = glue({apart}, a)")

    def choice(self, f: _Function, node: s.Choice, v: str, depth: int) -> None:
        k, x = f.name("k"), f.name("x")
        f.add(f"{k}, {x} = {v}")
        rows = uniform(node)
        width = (len(node.root) - 1).bit_length() + node.extensible
        if rows:
            self.tabled(f, node, rows, k, x, width)
            return
        if node.ext or len(node.root) > 3:
            names = {a.name: i for i, a in enumerate((*node.root, *node.ext))}
            f.add(f"{k} = {self.constant(names)}[{k}]")

            def alternative(i: int) -> None:
                self.alternative(f, node, i, x, depth)

            f.flush()
            f.branches(k, len(names), alternative)
            return
        for i, each in enumerate(node.root):
            f.begin(f"{'elif' if i else 'if'} {k} == {each.name!r}:")
            self.alternative(f, node, i, x, depth)
            f.end()
        f.add("else: bad()")

    def alternative(self, f: _Function, node: s.Choice, i: int, x: str, depth: int) -> None:
        """Index and value of an alternative."""
        if i < len(node.root):
            f.put("", (len(node.root) - 1).bit_length() + node.extensible, i)
            self.value(f, node.root[i].type, x, depth + 1)
            return
        i -= len(node.root)
        bits, used = rt.small_number(i)
        f.put("", used + 1, 1 << used | bits)
        f.call("open", f"{self.function(node.ext[i].type)}(1, {x})")

    def tabled(self, f: _Function, node: s.Choice, rows: list[list[Leaf]], k: str, x: str, width: int) -> None:
        """A choice whose alternatives differ in widths and ranges only: bounds, shifts and the added constant from a table."""
        w, b = f.name("w"), f.name("b")
        leaves = [f.name() for _ in rows[0]] if rows[0][0][0] else [x]
        table: dict[str, tuple[int, ...]] = {}
        for i, (alternative, row) in enumerate(zip(node.root, rows)):
            total = at = sum(leaf[1] for leaf in row)
            constant, entry = i << total, []
            for _, bits, low, high in row:
                at -= bits
                constant -= low << at
                entry += [low, high, at]
            table[alternative.name] = (total + width, constant, *entry[:-1])  # the last one's shift is 0
        names = ", ".join(f"l{y}, h{y}, s{y}" for y in leaves).removesuffix(f", s{leaves[-1]}")
        f.add(f"{w}, {b}, {names} = {self.constant(table)}[{k}]")
        if rows[0][0][0]:
            f.add(f"if len({x}) != {len(leaves)}: bad()")
            for y, leaf in zip(leaves, rows[0]):
                f.add(f"{y} = {x}[{leaf[0]!r}]")
        for y in leaves:
            f.add(f"if not l{y} <= {y} <= h{y}: bad()")
        terms = [f"({y} << s{y})" for y in leaves[:-1]] + leaves[-1:]
        f.put_varying(" + ".join([*terms, b]), w)

    def sequence(self, f: _Function, node: s.Sequence, v: str, depth: int) -> None:
        if depth and not v.isidentifier():  # evaluate the nested dict once
            inner = f.name("s")
            f.add(f"{inner} = {v}")
            v = inner
        flags: dict[str, str] = {}
        known = [str(sum(not field.skippable for field in node.fields))]
        groups = [a if isinstance(a, tuple) else (a,) for a in node.ext]
        extended: list[str] = []
        for group in groups:
            tests = [f.name("p") for _ in group]
            for flag, field in zip(tests, group):
                f.add(f"{flag} = {field.name!r} in {v}")
            known += tests
            extended.append(f.name("q"))
            f.add(f"{extended[-1]} = {' or '.join(tests)}")
        if node.extensible:
            if groups:
                f.put_flag(f"({' or '.join(extended)})")
            else:
                f.put("", 1)
        for field in node.fields:
            if not field.skippable:
                continue
            flag = flags[field.name] = f.name("p")
            f.add(f"{flag} = {field.name!r} in {v}")
            known.append(flag)
            if field.default is not None:
                flag = flags[field.name] = f.name("q")
                f.add(f"{flag} = {known[-1]} and {v}[{field.name!r}] != {self.constant(field.default)}")
            f.put_flag(flag)
        mapping = "" if known[0] != "0" else f"type({v}) is not dict or "
        f.add(f"if {mapping}len({v}) != {' + '.join(known)}: bad()")
        for field in node.fields:
            pending = f.begin_optional(flags[field.name]) if field.skippable else []
            kind = s.resolve(field.type)
            if isinstance(kind, s.OpenType):
                self.open_type(f, kind, f"{v}[{field.name!r}]", f"{v}[{kind.selector!r}]")
            else:
                self.value(f, kind, f"{v}[{field.name!r}]", depth + 1)
            if field.skippable:
                f.end_optional(pending)
        if groups:
            self.additions(f, node, v, groups, extended)

    def additions(
        self, f: _Function, node: s.Sequence, v: str, groups: list[tuple[s.Field, ...]], extended: list[str]
    ) -> None:
        """A bit map, then each addition that is there as an open type."""
        f.begin(f"if {' or '.join(extended)}:")
        bits, used = rt.small_number(len(groups) - 1)
        f.put("", used, bits)
        for flag in extended:
            f.put_flag(flag)
        for flag, group, addition in zip(extended, groups, node.ext):
            f.begin(f"if {flag}:")
            if isinstance(addition, tuple):
                names = self.constant([g.name for g in group])
                part = f"{{g: {v}[g] for g in {names} if g in {v}}}"
                f.call("open", f"{self.function(s.Sequence(group))}(1, {part})")
            else:
                f.call("open", f"{self.function(addition.type)}(1, {v}[{addition.name!r}])")
            f.end()
        f.end()

    def open_type(self, f: _Function, node: s.OpenType, v: str, selector: str) -> None:
        f.flush()
        f.add(f"k, x = {v}")
        f.add(f"i = {selector}")
        for j, (number, row, kind) in enumerate(node.table):
            f.add(f"{'if' if j == 0 else 'elif'} i == {number}:")
            f.add(f"    if k != {row!r}: bad()")
            f.add(f"    b = {self.function(kind)}(1, x)")
        numbers = self.constant({row[0] for row in node.table})
        f.add(f"{'elif' if node.table else 'if'} k == '_unknown' and i not in {numbers}:")
        f.indent += 1
        self.raw(f, "x", "x", 1, "0")
        f.add('b = number(b"\\1" + x, "big")')
        f.indent -= 1
        f.add("else: bad()")
        f.add("a = open(a, b) if b > 1 or k != '_unknown' else a << 8")

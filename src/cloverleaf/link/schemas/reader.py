"""Reader of the schema text.

A file begins with an optional `use other_file ...` line (of the same folder, or folder/file); each definition starts in
column 0 as `Name = type` or, where the two CSAE editions differ, `Name @day1 = type` and `Name @day2 = type` (`@sae` where SAE
differs from the ISO and ETSI text that it shares). Types:

    int 0..8191  [0.02 m/s; 8191 = unavailable]     range, then resolution, unit and special values
    int 2..4|6..8      int 0..      int             union of ranges, half open, unconstrained
    int 1..32767 ... 8388607                        extensible, with the values that an extension admits
    enum (a b c=5 ... d)                            names in ascending value; after `...` the additions
    bool   null
    bits 8 ... (name name=4)   bytes 1..20   ia5 1..63   utf8   digits 3
    list 1..16 of Type
    { name: Type   name?: Type   name: Type = default   ...   [[ added?: Type ]] }
    choice { name: Type   name #0.7: Type   ... }   `#class.number` where the tag is not the position
    open selector { 10 Name: Type }                 open type, chosen by a sibling field

A definition is parsed when something first needs it, so that one message costs only what it uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from cloverleaf.link.schemas import nodes as n

FOLDER = Path(__file__).parent
_DEFINITION = re.compile(r"^([A-Za-z][\w-]*)(?: @(\w+))? = ", re.MULTILINE)
_TOKEN = re.compile(
    r"\n *\.\.\.|\[\[|\]\]|\[[^\[\]]*\]|\.\.\.|\.\.|'[0-9a-f]*'/\d+|[{}():?=|#.]|-?\d+|[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)?"
)


class SchemaFile:
    """One schema file in one edition; `lookup` gives a parsed definition."""

    def __init__(self, path: str, edition: str) -> None:
        text = (FOLDER / f"{path}.schema").read_text(encoding="utf-8")
        self.folder, self.edition = path.rsplit("/", 1)[0], edition
        self.stem = path.rsplit("/", 1)[1]
        self._bodies: dict[str, str] = {}
        self._parsed: dict[str, n.Named] = {}
        starts = list(_DEFINITION.finditer(text))
        for match, following in zip(starts, [*starts[1:], None]):
            if match[2] in (None, edition):
                self._bodies[match[1]] = text[match.end() : following.start() if following else len(text)]
        use = re.search(r"^use (.+)$", text[: starts[0].start()] if starts else text, re.MULTILINE)
        self.uses = use[1].split() if use else []

    def names(self) -> list[str]:
        """All type names defined here."""
        return list(self._bodies)

    def lookup(self, name: str) -> n.Named:
        """The named type, from this file or from those it uses; `file.Name` asks one file."""
        if "." in name:
            stem, short = name.split(".")
            return (self if stem == self.stem else schema_file(f"{self.folder}/{stem}", self.edition)).lookup(short)
        if name in self._parsed:
            return self._parsed[name]
        if name not in self._bodies:
            for stem in self.uses:
                other = schema_file(stem if "/" in stem else f"{self.folder}/{stem}", self.edition)
                if name in other._bodies:
                    return other.lookup(name)
            raise KeyError(f"{self.folder}/{self.stem}.schema: no type named {name}")
        named = self._parsed[name] = n.Named(name)
        named.target = _Parser(_TOKEN.findall(self._bodies[name]), self).whole()
        return named


@cache
def schema_file(path: str, edition: str = "") -> SchemaFile:
    """The schema file `path` (folder/stem, without suffix) in `edition`."""
    return SchemaFile(path, edition)


class _Parser:
    """Recursive descent over the tokens of one definition."""

    def __init__(self, tokens: list[str], file: SchemaFile) -> None:
        self.tokens, self.at, self.file = tokens, 0, file

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if expected and token != expected:
            raise ValueError(
                f"{self.file.stem}.schema: expected {expected!r}, found {token!r} near {self.tokens[max(0, self.at - 6) :][:12]}"
            )
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def accept_marker(self) -> bool:
        """The `...` on a line of its own, which belongs to the sequence or choice and not to the type before it."""
        if self.peek().startswith("\n"):
            self.at += 1
            return True
        return False

    def whole(self) -> n.Type:
        node = self.type()
        unit = self.unit()
        if unit is not None:  # a unit on a renamed type belongs to the new name only
            node = replace(n.resolve(node), unit=unit)  # type: ignore[type-var]
        if self.at != len(self.tokens):
            raise ValueError(f"{self.file.stem}.schema: unread {self.tokens[self.at :][:8]}")
        return node

    def type(self) -> n.Type:
        token = self.take()
        parse = _KINDS.get(token)
        if parse is not None:
            return parse(self)
        return self.file.lookup(token)

    def ranges(self) -> tuple[tuple[int | None, int | None], ...]:
        """`a..b|c` as pairs; an open end is None; empty where no number follows."""
        found: list[tuple[int | None, int | None]] = []
        while self.peek() == ".." or re.fullmatch(r"-?\d+", self.peek()):
            low = None if self.peek() == ".." else int(self.take())
            high = low
            if self.accept(".."):
                high = int(self.take()) if re.fullmatch(r"-?\d+", self.peek()) else None
            found.append((low, high))
            if not self.accept("|"):
                break
        return tuple(found)

    def size(self) -> n.Size:
        ranges = self.ranges()
        low, high = ranges[0] if ranges else (0, None)
        extensible = self.accept("...")
        extra = self.ranges() if extensible else ()
        return n.Size(low or 0, high, extensible, extra)  # type: ignore[arg-type]

    def numbered_names(self) -> tuple[list[tuple[str, int]], int]:
        """`(a b=4 ... c)` as (name, value) pairs and the index of the first addition (-1: no ellipsis)."""
        pairs: list[tuple[str, int]] = []
        split, value = -1, 0
        self.take("(")
        while not self.accept(")"):
            if self.accept("..."):
                split = len(pairs)
                continue
            name = self.take()
            if self.accept("="):
                value = int(self.take())
            pairs.append((name, value))
            value += 1
        return pairs, split

    def integer(self) -> n.Integer:
        ranges = self.ranges()
        extensible = self.accept("...")
        extra = self.ranges() if extensible else ()
        named = dict(self.numbered_names()[0]) if self.peek() == "(" else {}
        low = ranges[0][0] if ranges else None
        high = ranges[-1][1] if ranges else None
        parts = ranges if len(ranges) > 1 else ()
        return n.Integer(low, high, extensible, parts, extra, named, self.unit())  # type: ignore[arg-type]

    def unit(self) -> n.Unit | None:
        if not self.peek().startswith("[") or self.peek() == "[[":
            return None
        text, _, note = self.take()[1:-1].partition(";")
        number, _, name = text.partition(" ")
        try:
            return n.Unit(float(number), name.strip(), note.strip())
        except ValueError:
            return n.Unit(1.0, text.strip(), note.strip())

    def enumerated(self) -> n.Enumerated:
        pairs, split = self.numbered_names()
        cut = len(pairs) if split < 0 else split
        names, values = tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
        return n.Enumerated(names[:cut], values[:cut], split >= 0, names[cut:], values[cut:])

    def bits(self) -> n.BitString:
        size = self.size()
        return n.BitString(size, dict(self.numbered_names()[0]) if self.peek() == "(" else {})

    def list_of(self) -> n.SequenceOf:
        size = self.size()
        self.take("of")
        return n.SequenceOf(self.type(), size)

    def field(self) -> n.Field:
        name = self.take()
        optional = self.accept("?")
        self.take(":")
        node = self.type()
        default = self.literal() if self.accept("=") else None
        return n.Field(name, node, optional, default)

    def literal(self) -> object:
        token = self.take()
        if token in ("true", "false"):
            return token == "true"
        if token.startswith("'"):
            digits, bits = token[1:].split("'/")
            return {"hex": digits, "bits": int(bits)}
        return int(token) if re.fullmatch(r"-?\d+", token) else token

    def sequence(self) -> n.Sequence:
        fields: list[n.Field] = []
        ext: list[n.Field | tuple[n.Field, ...]] = []
        extensible = False
        while not self.accept("}"):
            if self.accept_marker():
                extensible = True
            elif self.accept("[["):
                group = []
                while not self.accept("]]"):
                    group.append(self.field())
                ext.append(tuple(group))
            elif extensible:
                ext.append(self.field())
            else:
                fields.append(self.field())
        return n.Sequence(tuple(fields), extensible, tuple(ext))

    def choice(self) -> n.Choice:
        found: list[n.Alternative] = []
        split = -1
        self.take("{")
        while not self.accept("}"):
            if self.accept_marker():
                split = len(found)
                continue
            name, tag = self.take(), (2, len(found))
            if self.accept("#"):
                tag = (int(self.take()), 0)
                self.take(".")
                tag = (tag[0], int(self.take()))
            self.take(":")
            found.append(n.Alternative(name, self.type(), tag))
        cut = len(found) if split < 0 else split
        return n.Choice(tuple(found[:cut]), split >= 0, tuple(found[cut:]))

    def open_type(self) -> n.OpenType:
        selector = self.take()
        rows = []
        self.take("{")
        while not self.accept("}"):
            number, name = int(self.take()), self.take()
            self.take(":")
            rows.append((number, name, self.type()))
        return n.OpenType(selector, tuple(rows))


_KINDS: dict[str, Callable[[_Parser], n.Type]] = {
    "int": _Parser.integer,
    "enum": _Parser.enumerated,
    "bool": lambda p: n.Boolean(),
    "null": lambda p: n.Null(),
    "bits": _Parser.bits,
    "bytes": lambda p: n.OctetString(p.size()),
    "ia5": lambda p: n.Text("ia5", p.size()),
    "utf8": lambda p: n.Text("utf8", p.size()),
    "digits": lambda p: n.Text("digits", p.size()),
    "list": _Parser.list_of,
    "{": _Parser.sequence,
    "choice": _Parser.choice,
    "open": _Parser.open_type,
}

"""A user's own ASN.1 modules as schemas: files of a folder, parsed by asn1tools, turned into the nodes that our codecs compile.

For standards whose ASN.1 may not be given away (SAE J2735): whoever owns it points `--asn1` at the folder. Information object sets
written as `{Type IDENTIFIED BY id}` become open types with a table; sets handed over as parameters stay opaque.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from cloverleaf.link.schemas import nodes as n
from cloverleaf.link.schemas.catalog import Message
from cloverleaf.types.errors import InputError, nearest

_TEXTS = {"IA5String": "ia5", "UTF8String": "utf8", "NumericString": "digits"}
_SET = re.compile(r"([A-Za-z][\w-]*)\s+[A-Z][A-Z0-9-]+\s*::=\s*\{")
_ROW = re.compile(r"\{\s*([A-Za-z][\w.-]*)\s+IDENTIFIED\s+BY\s+([\w.-]+)\s*\}")
_COMMENT = re.compile(r"--.*?(?:--|$)|/\*.*?\*/", re.MULTILINE | re.DOTALL)


class UserMessage(NamedTuple):
    """A type of a user's modules in the place of a catalog message."""

    modules: Modules
    top: str
    standard: str = "asn1"
    edition: str = ""
    encoding: str = "uper"
    select: tuple[str, ...] = ()
    message_id: int | None = None

    @property
    def name(self) -> str:
        """The type's name."""
        return self.top

    def type(self) -> n.Type:
        """The encoded type."""
        return self.modules.lookup(self.top)


class Modules:
    """All modules of a folder.

    Raises:
        InputError: no files, or text that is no ASN.1, with file and line.
    """

    def __init__(self, folder: Path) -> None:
        files = sorted(f for f in folder.glob("*") if f.suffix.lower() in (".asn", ".asn1")) if folder.is_dir() else []
        if not files:
            raise InputError("no ASN.1 files (*.asn, *.asn1) here", file=folder)
        self.types: dict[str, Any] = {}
        self.values: dict[str, int] = {}
        self.classes: dict[str, Any] = {}
        self.sets: dict[str, list[tuple[str, str]]] = {}
        for file in files:
            self._read(file)
        self._named: dict[str, n.Named] = {}

    def _read(self, file: Path) -> None:
        try:
            import asn1tools  # type: ignore[import-untyped]
        except ImportError:
            raise InputError("reading ASN.1 needs asn1tools", hint="pip install 'cloverleaf[asn1]'") from None
        raw = file.read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("gb18030", "replace")
        try:
            parsed = asn1tools.parse_string(text)
        except asn1tools.ParseError as error:
            line = re.search(r"line (\d+)", str(error))
            raise InputError(f"no ASN.1: {error}", file=file, line=int(line[1]) if line else 0) from None
        for module in parsed.values():
            self.types |= module.get("types", {})
            self.classes |= module.get("object-classes", {})
            for name, value in module.get("values", {}).items():
                if isinstance(value.get("value"), int):
                    self.values[name] = value["value"]
        self.sets |= object_sets(text)

    def lookup(self, name: str) -> n.Named:
        """A type by name; InputError where there is none."""
        if name not in self._named:
            if name not in self.types:
                raise InputError(f"no type '{name}' in these modules", hint=nearest(name, self.types))
            named = self._named[name] = n.Named(name)
            named.target = self.node(self.types[name])
        return self._named[name]

    def node(self, d: Any) -> n.Type:
        """The node of a parsed type."""
        kind = d["type"]
        make = _KINDS.get(kind)
        if make is not None:
            return cast(n.Type, make(self, d))
        if kind in _TEXTS:
            return n.Text(_TEXTS[kind], self._size(d))
        if ".&" in kind:
            return self._class_field(d)
        if kind in self.types:
            return self._refined(d)
        raise InputError(f"type '{kind}' is not supported", hint=nearest(kind, self.types))

    def _refined(self, d: Any) -> n.Type:
        """A reference, with the constraints that stand behind it."""
        named = self.lookup(d["type"])
        if "restricted-to" not in d and "size" not in d:
            return named
        base = n.resolve(named)
        if isinstance(base, n.Integer) and "restricted-to" in d:
            return self._integer(d)
        if isinstance(base, n.SequenceOf):
            return n.SequenceOf(base.item, self._size(d))
        if isinstance(base, n.BitString):
            return n.BitString(self._size(d), base.names)
        if isinstance(base, n.OctetString):
            return n.OctetString(self._size(d))
        if isinstance(base, n.Text):
            return n.Text(base.alphabet, self._size(d))
        return named

    def _number(self, value: Any) -> int | None:
        if isinstance(value, int):
            return value
        if value in ("MIN", "MAX"):
            return None
        if value in self.values:
            return self.values[value]
        raise InputError(f"value '{value}' is not defined")

    def _spans(self, rows: Any) -> tuple[list[tuple[int | None, int | None]], bool]:
        """(spans, whether an ellipsis follows) of a constraint."""
        spans: list[tuple[int | None, int | None]] = []
        for row in rows:
            if row is None or row == "...":
                return spans, True
            low, high = row if isinstance(row, (list, tuple)) else (row, row)
            spans.append((self._number(low), self._number(high)))
        return spans, False

    def _size(self, d: Any) -> n.Size:
        rows = d.get("size")
        if not rows:
            return n.Size()
        spans, extensible = self._spans(rows)
        return n.Size(
            min(a or 0 for a, _ in spans),
            None if any(b is None for _, b in spans) else max(b or 0 for _, b in spans),
            extensible,
        )

    def _integer(self, d: Any) -> n.Integer:
        spans, extensible = self._spans(d.get("restricted-to", []))
        if not spans:
            return n.Integer()
        low = None if any(a is None for a, _ in spans) else min(a for a, _ in spans if a is not None)
        high = None if any(b is None for _, b in spans) else max(b for _, b in spans if b is not None)
        parts = tuple((a, b) for a, b in spans if a is not None and b is not None) if len(spans) > 1 else ()
        return n.Integer(low, high, extensible, parts)

    def _enumerated(self, d: Any) -> n.Enumerated:
        root: list[tuple[str, int]] = []
        extra: list[tuple[str, int]] = []
        extensible = False
        for row in d["values"]:
            if row is None or row == "...":
                extensible = True
            else:
                (extra if extensible else root).append((row[0], row[1]))
        root.sort(key=lambda r: r[1])
        return n.Enumerated(
            tuple(a for a, _ in root),
            tuple(v for _, v in root),
            extensible,
            tuple(a for a, _ in extra),
            tuple(v for _, v in extra),
        )

    def _field(self, d: Any) -> n.Field:
        return n.Field(d["name"], self.node(d), bool(d.get("optional")), d.get("default"))

    def _sequence(self, d: Any) -> n.Sequence:
        fields: list[n.Field] = []
        ext: list[n.Field | tuple[n.Field, ...]] = []
        marks = 0
        for member in d["members"]:
            if member is None or member == "...":
                marks += 1
            elif marks == 1:
                ext.append(tuple(map(self._field, member)) if isinstance(member, list) else self._field(member))
            else:
                fields.append(self._field(member))
        return n.Sequence(tuple(fields), marks > 0, tuple(ext))

    def _choice(self, d: Any) -> n.Choice:
        root: list[n.Alternative] = []
        ext: list[n.Alternative] = []
        marks = 0
        for member in d["members"]:
            if member is None or member == "...":
                marks += 1
                continue
            for one in member if isinstance(member, list) else [member]:
                found = ext if marks == 1 else root
                found.append(n.Alternative(one["name"], self.node(one), (2, len(root) + len(ext))))
        return n.Choice(tuple(root), marks > 0, tuple(ext))

    def _class_field(self, d: Any) -> n.Type:
        """`CLASS.&id` is the class's own type for it, `CLASS.&Type` an open type."""
        name, _, field = d["type"].partition(".")
        members = {m["name"]: m for m in self.classes.get(name, {}).get("members", [])}
        if field not in members:
            raise InputError(f"class '{name}' has no field '{field}'", hint=nearest(name, self.classes))
        if members[field]["type"] != "OpenType":
            return self.node(members[field] | ({"restricted-to": d["restricted-to"]} if "restricted-to" in d else {}))
        table = d.get("table")
        if not isinstance(table, list) or len(table) < 2:
            raise InputError(f"an open type '{d['type']}' without selector is not supported")
        selector = str(table[1][0]).lstrip(".")
        return n.OpenType(selector, tuple(self._row(kind, number) for kind, number in self.sets.get(str(table[0]), [])))

    def _row(self, kind: str, number: str) -> tuple[int, str, n.Type]:
        value = self._number(int(number) if number.isdigit() else number)
        if value is None:
            raise InputError(f"'{number}' is no identifier")
        return value, kind, self.lookup(kind.rpartition(".")[2])


_KINDS: dict[str, Any] = {
    "INTEGER": Modules._integer,
    "ENUMERATED": Modules._enumerated,
    "BOOLEAN": lambda m, d: n.Boolean(),
    "NULL": lambda m, d: n.Null(),
    "BIT STRING": lambda m, d: n.BitString(m._size(d), {k: int(v) for k, v in d.get("named-bits", [])}),
    "OCTET STRING": lambda m, d: n.OctetString(m._size(d)),
    "SEQUENCE": Modules._sequence,
    "SEQUENCE OF": lambda m, d: n.SequenceOf(m.node(d["element"]), m._size(d)),
    "CHOICE": Modules._choice,
}


def object_sets(text: str) -> dict[str, list[tuple[str, str]]]:
    """Rows (type, identifier) of the information object sets in a module's text."""
    text = _COMMENT.sub(" ", text)
    found = {}
    for match in _SET.finditer(text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        rows = _ROW.findall(text[match.end() : at - 1])
        if rows:
            found[match[1]] = [(kind, number) for kind, number in rows]
    return found


@cache
def _modules(folder: str) -> Modules:
    return Modules(Path(folder))


def codec_of_modules(folder: str, name: str) -> Any:
    """The codec (UPER) of a type of the modules in a folder; InputError for what cannot be read."""
    from cloverleaf.link.codec.single import Codec

    kind = UserMessage(_modules(folder), name)
    kind.type()
    return Codec(cast(Message, kind))

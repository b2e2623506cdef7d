"""Writes a message's schema as ASN.1 text, so that other codecs can be built from the same definition and timed beside ours."""

from __future__ import annotations

import re
from typing import Any

from cloverleaf.link.schemas import nodes as n
from cloverleaf.link.schemas.catalog import Message


def content_type(kind: Message) -> tuple[str, n.Type] | None:
    """Name and type of the content of an open type that the message fixes, None where it has none."""
    node = n.resolve(kind.type())
    for step in kind.select:
        if isinstance(node, n.Choice):
            node = n.resolve(next(a.type for a in (*node.root, *node.ext) if a.name == step))
        elif isinstance(node, n.Sequence):
            kinds = [n.resolve(f.type) for f in node.fields]
            for _, name, content in (row for k in kinds if isinstance(k, n.OpenType) for row in k.table):
                if name == step:
                    return name, content
    return None


def asn1_text(kind: Message, *, only: tuple[str, ...] = ()) -> str:
    """An ASN.1 module with everything the message needs. `only` limits the outermost choice (for tools that choke on the rest).

    Open types become OCTET STRING, and additions of the schema are kept; a message inside an open type is defined without its frame.
    """
    writer = _Writer()
    inside = content_type(kind)
    if inside:
        writer.define(*inside)
        return f"Cloverleaf DEFINITIONS AUTOMATIC TAGS ::= BEGIN\n\n{chr(10).join(writer.made)}\n\nEND\n"
    top = n.resolve(kind.type())
    if only and isinstance(top, n.Choice):
        top = n.Choice(
            tuple(a if a.name in only else n.Alternative(a.name, n.Null(), a.tag) for a in top.root), top.extensible
        )
    writer.define(kind.top, top)
    body = "\n\n".join(writer.made)
    return f"Cloverleaf DEFINITIONS AUTOMATIC TAGS ::= BEGIN\n\n{body}\n\nEND\n"


class _Writer:
    def __init__(self) -> None:
        self.made: list[str] = []
        self.names: dict[str, n.Type] = {}

    def define(self, name: str, node: n.Type) -> str:
        """Write a definition once; returns its name."""
        name = name[0].upper() + name[1:]
        if name not in self.names:
            self.names[name] = node
            text = self.type(node, name)
            self.made.append(f"{name} ::= {text}")
        return name

    def type(self, node: n.Type, hint: str) -> str:
        if isinstance(node, n.Named):
            target = n.resolve(node)
            name = node.name
            if self.names.get(name, target) is not target:
                name = f"{hint}-{name}"
            return self.define(name, target)
        return str(_KINDS[type(node)](self, node, hint))

    def integer(self, node: n.Integer, hint: str) -> str:
        if node.low is None:
            return "INTEGER"
        spans = node.parts or ((node.low, node.high),)
        text = " | ".join(f"{a}..{'MAX' if b is None else b}" for a, b in spans)
        return f"INTEGER ({text}{', ...' if node.extensible else ''})"

    def enumerated(self, node: n.Enumerated, hint: str) -> str:
        names = [f"{_lower(a)}({v})" for a, v in zip(node.root, node.values)]
        if node.extensible:
            names += ["...", *(f"{_lower(a)}({v})" for a, v in zip(node.ext, node.ext_values))]
        return f"ENUMERATED {{ {', '.join(names)} }}"

    def size(self, size: n.Size) -> str:
        if size.high is None and not size.low and not size.extensible:
            return ""
        span = f"{size.low}" if size.low == size.high else f"{size.low}..{'MAX' if size.high is None else size.high}"
        return f" (SIZE ({span}{', ...' if size.extensible else ''}))"

    def list_of(self, node: n.SequenceOf, hint: str) -> str:
        return f"SEQUENCE{self.size(node.size)} OF {self.type(node.item, f'{hint}-item')}"

    def fields(self, fields: tuple[n.Field, ...], hint: str) -> list[str]:
        rows = []
        for f in fields:
            text = f"{f.name} {self.type(f.type, f'{hint}-{f.name}')}"
            if f.optional:
                text += " OPTIONAL"
            elif f.default is not None:
                text += f" DEFAULT {f.default}"
            rows.append(text)
        return rows

    def sequence(self, node: n.Sequence, hint: str) -> str:
        rows = self.fields(node.fields, hint)
        if node.extensible:
            rows.append("...")
            for a in node.ext:
                inner = self.fields(a if isinstance(a, tuple) else (a,), hint)
                rows.append(f"[[ {', '.join(inner)} ]]" if isinstance(a, tuple) else inner[0])
        return "SEQUENCE { " + ", ".join(rows) + " }"

    def choice(self, node: n.Choice, hint: str) -> str:
        rows = [f"{a.name} {self.type(a.type, f'{hint}-{a.name}')}" for a in node.root]
        if node.extensible:
            rows += ["...", *(f"{a.name} {self.type(a.type, f'{hint}-{a.name}')}" for a in node.ext)]
        return "CHOICE { " + ", ".join(rows) + " }"


def _lower(name: str) -> str:
    return re.sub(r"[^\w-]", "-", name[0].lower() + name[1:])


_KINDS: dict[type, Any] = {
    n.Integer: _Writer.integer,
    n.Enumerated: _Writer.enumerated,
    n.Boolean: lambda w, node, hint: "BOOLEAN",
    n.Null: lambda w, node, hint: "NULL",
    n.BitString: lambda w, node, hint: "BIT STRING" + w.size(node.size),
    n.OctetString: lambda w, node, hint: "OCTET STRING" + w.size(node.size),
    n.Text: lambda w, node, hint: (
        {"ia5": "IA5String", "utf8": "UTF8String", "digits": "NumericString"}[node.alphabet]
        + ("" if node.alphabet == "utf8" else w.size(node.size))
    ),
    n.SequenceOf: _Writer.list_of,
    n.Sequence: _Writer.sequence,
    n.Choice: _Writer.choice,
    n.OpenType: lambda w, node, hint: "OCTET STRING",
}

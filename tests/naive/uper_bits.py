"""Slow, obvious UPER: one bit at a time into a string, straight from the schema; the twin of the generated codecs."""

from __future__ import annotations

from typing import Any

from cloverleaf.link.schemas import nodes as s

DIGITS = " 0123456789"


def number(value: int, width: int) -> str:
    """`value` as exactly `width` bits."""
    return "".join("1" if value >> (width - 1 - i) & 1 else "0" for i in range(width))


def bits_for(choices: int) -> int:
    """Bits that tell `choices` values apart."""
    width = 0
    while 1 << width < choices:
        width += 1
    return width


def length(count: int) -> str:
    """General length determinant."""
    return number(count, 8) if count < 128 else "10" + number(count, 14)


def octets(value: int, signed: bool) -> str:
    """Shortest octets of an integer behind their length."""
    n = 1
    while not (-(1 << 8 * n - 1) <= value < 1 << 8 * n - 1 if signed else value < 1 << 8 * n):
        n += 1
    return length(n) + number(value & (1 << 8 * n) - 1, 8 * n)


def small(value: int) -> str:
    """Normally small number below 64."""
    return "0" + number(value, 6)


def open_type(bits: str) -> str:
    """Bits padded to octets behind their length."""
    bits = bits or "0"
    bits += "0" * (-len(bits) % 8)
    return length(len(bits) // 8) + bits


def sized(count: int, size: s.Size) -> str:
    """The length in front of a string or list."""
    inside = size.low <= count and (size.high is None or count <= size.high)
    marker = ("0" if inside else "1") if size.extensible else ""
    if not inside or size.high is None or size.high >= 65536:
        return marker + length(count)
    return marker + number(count - size.low, bits_for(size.high - size.low + 1))


def encode(node: s.Type, value: Any) -> str:
    """The bits of a value as a string of 0 and 1."""
    node = s.resolve(node)
    if isinstance(node, s.Integer):
        return integer(node, value)
    if isinstance(node, s.Enumerated):
        if value in node.root:
            return ("0" if node.extensible else "") + number(node.root.index(value), bits_for(len(node.root)))
        return "1" + small(node.ext.index(value))
    if isinstance(node, s.Boolean):
        return "1" if value else "0"
    if isinstance(node, s.Null):
        return ""
    if isinstance(node, s.BitString):
        return sized(value["bits"], node.size) + number(
            int(value["hex"] or "0", 16) >> -value["bits"] % 8, value["bits"]
        )
    if isinstance(node, s.OctetString):
        raw = bytes.fromhex(value["hex"])
        return sized(len(raw), node.size) + "".join(number(b, 8) for b in raw)
    if isinstance(node, s.Text):
        if node.alphabet == "utf8":
            raw = value.encode()
            return length(len(raw)) + "".join(number(b, 8) for b in raw)
        width = 7 if node.alphabet == "ia5" else 4
        codes = [ord(c) if width == 7 else DIGITS.index(c) for c in value]
        return sized(len(value), node.size) + "".join(number(c, width) for c in codes)
    if isinstance(node, s.SequenceOf):
        return sized(len(value), node.size) + "".join(encode(node.item, v) for v in value)
    if isinstance(node, s.Choice):
        names = [a.name for a in node.root]
        if value[0] in names:
            i = names.index(value[0])
            return (
                ("0" if node.extensible else "") + number(i, bits_for(len(names))) + encode(node.root[i].type, value[1])
            )
        i = [a.name for a in node.ext].index(value[0])
        return "1" + small(i) + open_type(encode(node.ext[i].type, value[1]))
    assert isinstance(node, s.Sequence)
    return sequence(node, value)


def integer(node: s.Integer, value: int) -> str:
    """INTEGER in all its forms."""
    inside = (node.low is None or value >= node.low) and (node.high is None or value <= node.high)
    marker = ("0" if inside else "1") if node.extensible else ""
    if not inside or node.low is None:
        return marker + octets(value, True)
    if node.high is None:
        return marker + octets(value - node.low, False)
    return marker + number(value - node.low, bits_for(node.high - node.low + 1))


def sequence(node: s.Sequence, value: dict[str, Any]) -> str:
    """SEQUENCE: marker, presence bits, fields, additions."""
    groups = [a if isinstance(a, tuple) else (a,) for a in node.ext]
    present = [any(f.name in value for f in group) for group in groups]
    out = ("1" if any(present) else "0") if node.extensible else ""
    there = {
        f.name: f.name in value and not (f.default is not None and value[f.name] == f.default) for f in node.fields
    }
    out += "".join("1" if there[f.name] else "0" for f in node.fields if f.skippable)
    for f in node.fields:
        if f.skippable and not there[f.name]:
            continue
        kind = s.resolve(f.type)
        if isinstance(kind, s.OpenType):
            rows = {number: node for number, _, node in kind.table}
            inner = value[f.name][1]
            selector = value[kind.selector]
            bits = (
                encode(rows[selector], inner)
                if selector in rows
                else "".join(number(b, 8) for b in bytes.fromhex(inner["hex"]))
            )
            out += open_type(bits) if bits else number(0, 8) if selector not in rows else open_type("")
        else:
            out += encode(kind, value[f.name])
    if any(present):
        out += small(len(groups) - 1) + "".join("1" if p else "0" for p in present)
        for addition, group, p in zip(node.ext, groups, present):
            if p and isinstance(addition, tuple):
                out += open_type(sequence(s.Sequence(group), {f.name: value[f.name] for f in group if f.name in value}))
            elif p:
                out += open_type(encode(group[0].type, value[group[0].name]))
    return out


def to_bytes(bits: str) -> bytes:
    """Padded to octets."""
    bits += "0" * (-len(bits) % 8) or ("0" * 8 if not bits else "")
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))

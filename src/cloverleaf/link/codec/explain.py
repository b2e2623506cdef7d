"""Finds which field of a value a message type refuses: the slow, exact walk behind every EncodeError."""

from __future__ import annotations

from typing import Any

from cloverleaf.link.schemas import nodes as s
from cloverleaf.types.errors import nearest


def explain(node: s.Type, value: Any, path: str = "") -> tuple[str, str] | None:
    """(path, message) of the first thing wrong with `value`, or None if nothing is."""
    node = s.resolve(node)
    if isinstance(node, s.Sequence):
        return _sequence(node, value, path)
    if isinstance(node, s.SequenceOf):
        if not isinstance(value, list):
            return path, f"expected an array, got {_show(value)}"
        if not node.size.admits(len(value)):
            return path, f"{len(value)} items, allowed {_span(node.size.low, node.size.high)}"
        found = (explain(node.item, item, f"{path}/{i}") for i, item in enumerate(value))
        return next((f for f in found if f), None)
    if isinstance(node, s.Choice):
        options = {a.name: a.type for a in (*node.root, *node.ext)}
        if not isinstance(value, list) or len(value) != 2:
            return path, f"expected [alternative, value], got {_show(value)}"
        if not isinstance(value[0], str) or value[0] not in options:
            return path, f"no alternative {_show(value[0])}; {nearest(str(value[0]), options)}"
        return explain(options[value[0]], value[1], f"{path}/{value[0]}")
    return _leaf(node, value, path)


def _sequence(node: s.Sequence, value: Any, path: str) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return path, f"expected an object, got {_show(value)}"
    fields = {f.name: f for f in node.fields}
    for addition in node.ext:
        for f in addition if isinstance(addition, tuple) else (addition,):
            fields[f.name] = s.Field(f.name, f.type, True)
    for name in value:
        if name not in fields:
            return f"{path}/{name}", f"no such field; {nearest(str(name), fields)}"
    for name, f in fields.items():
        if name not in value:
            if not f.skippable:
                return f"{path}/{name}", "mandatory field is absent"
            continue
        kind = s.resolve(f.type)
        if isinstance(kind, s.OpenType):
            found = _open(kind, value[name], value.get(kind.selector), f"{path}/{name}")
        else:
            found = explain(kind, value[name], f"{path}/{name}")
        if found:
            return found
    return None


def _open(node: s.OpenType, value: Any, selector: Any, path: str) -> tuple[str, str] | None:
    rows = {number: (name, kind) for number, name, kind in node.table}
    name, kind = rows.get(selector, ("_unknown", s.OctetString(s.Size())))
    if not isinstance(value, list) or len(value) != 2 or value[0] != name:
        return path, f"{node.selector} {selector} needs [{name!r}, value], got {_show(value)}"
    return explain(kind, value[1], f"{path}/{name}")


def _leaf(node: s.Type, value: Any, path: str) -> tuple[str, str] | None:
    if isinstance(node, s.Integer):
        if type(value) is not int:
            return path, f"expected an integer, got {_show(value)}"
        inside = (node.low is None or value >= node.low) and (node.high is None or value <= node.high)
        if inside and node.parts:
            inside = any(a <= value <= b for a, b in node.parts)
        if not inside and node.extensible:
            inside = not node.extra or any(a <= value <= b for a, b in node.extra)
        return None if inside else (path, f"{value} is outside {_span(node.low, node.high)}")
    if isinstance(node, s.Enumerated):
        names = (*node.root, *node.ext)
        return None if value in names else (path, f"no value {_show(value)}; {nearest(str(value), names)}")
    if isinstance(node, s.Boolean):
        return None if isinstance(value, bool) else (path, f"expected true or false, got {_show(value)}")
    if isinstance(node, s.Null):
        return None if value is None else (path, f"expected null, got {_show(value)}")
    if isinstance(node, s.OpenType):  # in a list: its selector is out of sight
        return None if isinstance(value, list) and len(value) == 2 else (path, "expected [type, value]")
    try:
        length = _length(node, value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return path, f"{error} in {_show(value)}"
    if not isinstance(node, (s.BitString, s.OctetString, s.Text)):
        return None
    if not node.size.admits(length):
        return path, f"length {length}, allowed {_span(node.size.low, node.size.high)}"
    return None


def _length(node: s.Type, value: Any) -> int:
    """Length of a string value in its own units."""
    if isinstance(node, s.Text):
        if not isinstance(value, str):
            raise TypeError("expected a string")
        if (node.alphabet == "ia5" and not value.isascii()) or (
            node.alphabet == "digits" and value.strip("0123456789 ")
        ):
            raise ValueError(f"character outside the {node.alphabet} alphabet")
        value.encode("utf-8")
        return len(value)
    raw = bytes.fromhex(value["hex"])
    if isinstance(node, s.OctetString):
        return len(raw)
    if len(raw) != (value["bits"] + 7) // 8 or int.from_bytes(raw, "big") & (1 << -value["bits"] % 8) - 1:
        raise ValueError("'hex' and 'bits' do not agree")
    return int(value["bits"])


def _span(low: int | None, high: int | None) -> str:
    return f"{'' if low is None else low}..{'' if high is None else high}"


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."

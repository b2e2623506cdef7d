"""SEQUENCE in canonical OER (X.696, 16): preamble of presence bits, root fields, then the additions behind a bit map."""

from __future__ import annotations

from typing import Any

from cloverleaf.link.codec.coer import Compiler, Reader, Writer, length_octets, read_length, take, wrap
from cloverleaf.link.schemas import nodes as s
from cloverleaf.types.errors import DecodeError


def read_open(compiler: Compiler, kind: s.OpenType) -> Any:
    """Reader `(data, at, selector) -> (value, at)` of an open type."""
    rows = {number: (name, compiler.reader(node)) for number, name, node in kind.table}

    def read(data: bytes, at: int, selector: Any) -> tuple[list[Any], int]:
        count, at = read_length(data, at)
        raw = take(data, at, count)
        if selector in rows:
            name, content = rows[selector]
            return [name, content(raw, 0)[0]], at + count
        return ["_unknown", {"hex": raw.hex()}], at + count

    return read


def write_open(compiler: Compiler, kind: s.OpenType) -> Any:
    """Writer `(value, parts, selector)` of an open type."""
    rows = {number: (name, compiler.writer(node)) for number, name, node in kind.table}

    def write(value: list[Any], parts: list[bytes], selector: Any) -> None:
        name, content = rows.get(selector, ("_unknown", None))
        if value[0] != name:
            raise ValueError
        if content is None:
            raw = bytes.fromhex(value[1]["hex"])
            parts += (length_octets(len(raw)), raw)
        else:
            wrap(content, value[1], parts)

    return write


def _open_list(node: s.Type) -> s.OpenType | None:
    """The open type behind a field, directly or as the item of a list; its selector is a sibling of the field."""
    node = s.resolve(node)
    if isinstance(node, s.SequenceOf):
        node = s.resolve(node.item)
    return node if isinstance(node, s.OpenType) else None


def read_sequence(compiler: Compiler, node: s.Sequence) -> Reader:
    """The reader of a sequence."""
    bits = node.extensible + sum(f.skippable for f in node.fields)
    octets = (bits + 7) // 8
    fields = []
    position = 8 * octets - node.extensible
    for f in node.fields:
        position -= f.skippable
        kind = _open_list(f.type)
        many = isinstance(s.resolve(f.type), s.SequenceOf)
        read: Any = read_open(compiler, kind) if kind else compiler.reader(f.type)
        fields.append((f, position if f.skippable else -1, kind, many, read))
    additions = [
        (a if isinstance(a, tuple) else None, a.name if isinstance(a, s.Field) else "",
         compiler.reader(s.Sequence(a) if isinstance(a, tuple) else a.type))
        for a in node.ext
    ]  # fmt: skip

    def parse(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        preamble = int.from_bytes(take(data, at, octets), "big")
        at += octets
        found: dict[str, Any] = {}
        for f, bit, kind, many, read in fields:
            if bit >= 0 and not preamble >> bit & 1:
                continue
            if kind is None:
                value, at = read(data, at)
            elif not many:
                value, at = read(data, at, found[kind.selector])
            else:
                count_octets, at = read_length(data, at)
                count = int.from_bytes(take(data, at, count_octets), "big")
                at += count_octets
                if count > len(data) - at or not s.resolve(f.type).size.admits(count):  # type: ignore[union-attr]
                    raise DecodeError("count out of range", offset_bits=8 * at)
                value = []
                for _ in range(count):
                    item, at = read(data, at, found[kind.selector])
                    value.append(item)
            if f.default is None or value != f.default:
                found[f.name] = value
        if node.extensible and preamble >> 8 * octets - 1 & 1:
            at = parse_additions(data, at, found)
        return found, at

    def parse_additions(data: bytes, at: int, found: dict[str, Any]) -> int:
        count, at = read_length(data, at)
        unused = data[at]
        present = int.from_bytes(take(data, at + 1, count - 1), "big") if count > 1 else 0
        if count < 1 or unused > 7 or (count == 1 and unused):
            raise DecodeError("extension bit map out of range", offset_bits=8 * at)
        total = 8 * (count - 1) - unused
        present >>= unused
        at += count
        for i in range(total):
            if not present >> total - 1 - i & 1:
                continue
            size, at = read_length(data, at)
            raw = take(data, at, size)
            at += size
            if i < len(additions):
                group, name, read = additions[i]
                value, _ = read(raw, 0)
                found.update(value if group else {name: value})
            elif compiler.keep:
                found.setdefault("_unknown", []).append([i, {"hex": raw.hex()}])
        return at

    return parse


def write_sequence(compiler: Compiler, node: s.Sequence) -> Writer:
    """The writer of a sequence."""
    bits = node.extensible + sum(f.skippable for f in node.fields)
    octets = (bits + 7) // 8
    fields = []
    for f in node.fields:
        kind = _open_list(f.type)
        many = isinstance(s.resolve(f.type), s.SequenceOf)
        writer: Any = write_open(compiler, kind) if kind else compiler.writer(f.type)
        fields.append((f, kind, many, writer))
    additions = [
        (tuple(g.name for g in a) if isinstance(a, tuple) else (a.name,), isinstance(a, tuple),
         compiler.writer(s.Sequence(a) if isinstance(a, tuple) else a.type))
        for a in node.ext
    ]  # fmt: skip

    def build(value: dict[str, Any], parts: list[bytes]) -> None:
        present = [any(name in value for name in names) for names, _, _ in additions]
        preamble = int(any(present)) if node.extensible else 0
        known = 0
        body: list[bytes] = []
        for f, kind, many, write in fields:
            there = f.name in value
            known += there
            if f.skippable:
                there = there and not (f.default is not None and value[f.name] == f.default)
                preamble = preamble << 1 | there
                if not there:
                    continue
            if kind is None:
                write(value[f.name], body)
            elif not many:
                write(value[f.name], body, value[kind.selector])
            else:
                _list_of_open(value[f.name], s.resolve(f.type), write, value[kind.selector], body)
        known += sum(name in value for names, _, _ in additions for name in names)
        if known != len(value):
            raise ValueError
        parts.append((preamble << 8 * octets - bits).to_bytes(octets, "big"))
        parts += body
        if any(present):
            write_additions(value, present, parts)

    def write_additions(value: dict[str, Any], present: list[bool], parts: list[bytes]) -> None:
        size = (len(present) + 7) // 8
        bitmap = int("".join("01"[p] for p in present), 2) << 8 * size - len(present)
        parts += (length_octets(size + 1), bytes((8 * size - len(present),)), bitmap.to_bytes(size, "big"))
        for there, (names, grouped, write) in zip(present, additions):
            if there:
                inner = {name: value[name] for name in names if name in value} if grouped else value[names[0]]
                wrap(write, inner, parts)

    return build


def _list_of_open(values: list[Any], node: Any, write: Any, selector: Any, parts: list[bytes]) -> None:
    if not node.size.admits(len(values)):
        raise ValueError
    octets = max(1, (len(values).bit_length() + 7) // 8)
    parts += (length_octets(octets), len(values).to_bytes(octets, "big"))
    for value in values:
        write(value, parts, selector)

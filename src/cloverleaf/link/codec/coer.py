"""Canonical OER (X.696) for one message at a time: closures made from the schema, for IEEE 1609.2.

A reader is `(data, position) -> (value, position)`, a writer `(value, parts)` that appends octets. Reading past the end raises
IndexError (or is noticed by `take`); both become DecodeError in `single`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloverleaf.link.schemas import nodes as s
from cloverleaf.types.errors import DecodeError

Reader = Callable[[bytes, int], tuple[Any, int]]
Writer = Callable[[Any, list[bytes]], None]


def take(data: bytes, at: int, count: int) -> bytes:
    """`count` octets at `at`; DecodeError if there are fewer."""
    if at + count > len(data):
        raise DecodeError("message is truncated", offset_bits=8 * len(data))
    return data[at : at + count]


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Length determinant (8.6): short form, or the number of octets that follow."""
    first = data[at]
    if first < 128:
        return first, at + 1
    count = first & 127
    if count > 8 or count == 0:
        raise DecodeError("length determinant out of range", offset_bits=8 * at)
    return int.from_bytes(take(data, at + 1, count), "big"), at + 1 + count


def length_octets(count: int) -> bytes:
    """The shortest length determinant."""
    if count < 128:
        return bytes((count,))
    octets = (count.bit_length() + 7) // 8
    return bytes((128 | octets,)) + count.to_bytes(octets, "big")


def integer_size(node: s.Integer) -> tuple[int, bool]:
    """(octets, signed) of an integer; 0 octets: behind a length (10.2 - 10.4)."""
    if node.low is None or node.extensible:
        return 0, True
    signed = node.low < 0
    if node.high is None:
        return 0, signed
    for octets in (1, 2, 4, 8):
        if signed and -(1 << 8 * octets - 1) <= node.low and node.high < 1 << 8 * octets - 1:
            return octets, True
        if not signed and node.high < 1 << 8 * octets:
            return octets, False
    return 0, signed


def within(node: s.Integer, value: int) -> bool:
    """Whether an integer satisfies its constraint."""
    if node.extensible:
        return True
    return (node.low is None or value >= node.low) and (node.high is None or value <= node.high)


class Compiler:
    """Readers and writers of types, each made once, so that recursive types close on themselves."""

    def __init__(self, keep_unknown: bool = False) -> None:
        self.keep = keep_unknown
        self.readers: dict[int, Reader] = {}
        self.writers: dict[int, Writer] = {}
        self.alive: list[s.Type] = []

    def reader(self, node: s.Type) -> Reader:
        """The reader of a type."""
        node = s.resolve(node)
        if id(node) not in self.readers:
            self.alive.append(node)
            made: list[Reader] = []
            self.readers[id(node)] = lambda data, at: made[0](data, at)
            made.append(_READ[type(node)](self, node))
            self.readers[id(node)] = made[0]
        return self.readers[id(node)]

    def writer(self, node: s.Type) -> Writer:
        """The writer of a type."""
        node = s.resolve(node)
        if id(node) not in self.writers:
            self.alive.append(node)
            made: list[Writer] = []
            self.writers[id(node)] = lambda value, parts: made[0](value, parts)
            made.append(_WRITE[type(node)](self, node))
            self.writers[id(node)] = made[0]
        return self.writers[id(node)]


def decoder(node: s.Type, keep_unknown: bool) -> Callable[[bytes], Any]:
    """bytes -> value."""
    read = Compiler(keep_unknown).reader(node)
    return lambda data: read(data, 0)[0]


def encoder(node: s.Type) -> Callable[[Any], bytes]:
    """value -> bytes."""
    write = Compiler().writer(node)

    def encode(value: Any) -> bytes:
        parts: list[bytes] = []
        write(value, parts)
        return b"".join(parts)

    return encode


def _read_integer(compiler: Compiler, node: s.Integer) -> Reader:
    octets, signed = integer_size(node)

    def read(data: bytes, at: int) -> tuple[int, int]:
        count = octets
        if not count:
            count, at = read_length(data, at)
            if not count:
                raise DecodeError("integer without octets", offset_bits=8 * at)
        value = int.from_bytes(take(data, at, count), "big", signed=signed)
        if not within(node, value):
            raise DecodeError("value out of range", offset_bits=8 * at)
        return value, at + count

    return read


def _write_integer(compiler: Compiler, node: s.Integer) -> Writer:
    octets, signed = integer_size(node)

    def write(value: int, parts: list[bytes]) -> None:
        if type(value) is not int or not within(node, value):
            raise ValueError
        count = octets
        if not count:
            bits = (value + (value < 0)).bit_length() + signed
            count = max(1, (bits + 7) // 8)
            parts.append(length_octets(count))
        parts.append(value.to_bytes(count, "big", signed=signed))

    return write


def _read_enumerated(compiler: Compiler, node: s.Enumerated) -> Reader:
    names = dict(zip((*node.values, *node.ext_values), (*node.root, *node.ext)))

    def read(data: bytes, at: int) -> tuple[str, int]:
        value = data[at]
        at += 1
        if value >= 128:
            count = value & 127
            value = int.from_bytes(take(data, at, count), "big", signed=True)
            at += count
        if value not in names:
            raise DecodeError("enumeration value out of range", offset_bits=8 * at)
        return names[value], at

    return read


def _write_enumerated(compiler: Compiler, node: s.Enumerated) -> Writer:
    octets = {}
    for name, value in zip((*node.root, *node.ext), (*node.values, *node.ext_values)):
        count = (value + (value < 0)).bit_length() // 8 + 1
        long = bytes((128 | count,)) + value.to_bytes(count, "big", signed=True)
        octets[name] = bytes((value,)) if 0 <= value < 128 else long
    return lambda value, parts: parts.append(octets[value])


def _read_boolean(compiler: Compiler, node: s.Boolean) -> Reader:
    return lambda data, at: (data[at] != 0, at + 1)


def _write_boolean(compiler: Compiler, node: s.Boolean) -> Writer:
    octets = {True: b"\xff", False: b"\x00"}
    return lambda value, parts: parts.append(octets[value])


def _read_null(compiler: Compiler, node: s.Null) -> Reader:
    return lambda data, at: (None, at)


def _write_null(compiler: Compiler, node: s.Null) -> Writer:
    def write(value: None, parts: list[bytes]) -> None:
        if value is not None:
            raise ValueError

    return write


def _fixed(size: s.Size) -> bool:
    return size.low == size.high and not size.extensible


def _read_octets(compiler: Compiler, node: s.OctetString | s.Text) -> Reader:
    size, fixed = node.size, _fixed(node.size)
    utf8 = isinstance(node, s.Text) and node.alphabet == "utf8"

    def read(data: bytes, at: int) -> tuple[Any, int]:
        count = size.low
        if not fixed or utf8:
            count, at = read_length(data, at)
        raw = take(data, at, count)
        value: Any = {"hex": raw.hex()}
        if isinstance(node, s.Text):
            value = raw.decode("utf-8" if utf8 else "ascii")
            count = len(value)
        if not size.admits(count):
            raise DecodeError("length out of range", offset_bits=8 * at)
        return value, at + len(raw)

    return read


def _write_octets(compiler: Compiler, node: s.OctetString | s.Text) -> Writer:
    size = node.size
    utf8 = isinstance(node, s.Text) and node.alphabet == "utf8"

    def write(value: Any, parts: list[bytes]) -> None:
        if isinstance(node, s.Text):
            raw, count = value.encode("utf-8" if utf8 else "ascii"), len(value)
        else:
            raw = bytes.fromhex(value["hex"])
            count = len(raw)
            if len(value) != 1:
                raise ValueError
        if not size.admits(count):
            raise ValueError
        if not _fixed(size) or utf8:
            parts.append(length_octets(len(raw)))
        parts.append(raw)

    return write


def _read_bits(compiler: Compiler, node: s.BitString) -> Reader:
    size, fixed = node.size, _fixed(node.size)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        if fixed:
            count, octets = size.low, (size.low + 7) // 8
        else:
            octets, at = read_length(data, at)
            unused = data[at]
            at += 1
            octets -= 1
            count = 8 * octets - unused
            if octets < 0 or unused > 7 or count < 0:
                raise DecodeError("bit string out of range", offset_bits=8 * at)
        raw = int.from_bytes(take(data, at, octets), "big") >> 8 * octets - count << 8 * octets - count
        if not size.admits(count):
            raise DecodeError("length out of range", offset_bits=8 * at)
        return {"hex": raw.to_bytes(octets, "big").hex(), "bits": count}, at + octets

    return read


def _write_bits(compiler: Compiler, node: s.BitString) -> Writer:
    size = node.size

    def write(value: Any, parts: list[bytes]) -> None:
        raw, count = bytes.fromhex(value["hex"]), value["bits"]
        if not size.admits(count) or len(raw) != (count + 7) // 8 or int.from_bytes(raw, "big") & (1 << -count % 8) - 1:
            raise ValueError
        if not _fixed(size):
            parts += (length_octets(len(raw) + 1), bytes((-count % 8,)))
        parts.append(raw)

    return write


def _read_list(compiler: Compiler, node: s.SequenceOf) -> Reader:
    item, size = compiler.reader(node.item), node.size

    def read(data: bytes, at: int) -> tuple[list[Any], int]:
        octets, at = read_length(data, at)
        count = int.from_bytes(take(data, at, octets), "big")
        at += octets
        if not octets or count > len(data) - at or not size.admits(count):
            raise DecodeError("count out of range", offset_bits=8 * at)
        found = []
        for _ in range(count):
            value, at = item(data, at)
            found.append(value)
        return found, at

    return read


def _write_list(compiler: Compiler, node: s.SequenceOf) -> Writer:
    item, size = compiler.writer(node.item), node.size

    def write(value: list[Any], parts: list[bytes]) -> None:
        if type(value) is not list or not size.admits(len(value)):
            raise ValueError
        octets = max(1, (len(value).bit_length() + 7) // 8)
        parts += (length_octets(octets), len(value).to_bytes(octets, "big"))
        for x in value:
            item(x, parts)

    return write


def _tag(tag: tuple[int, int]) -> bytes:
    """Class and number of an alternative (8.7)."""
    kind, number = tag
    if number < 63:
        return bytes((kind << 6 | number,))
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127 | 128)
    return bytes((kind << 6 | 63, *reversed(groups)))


def _read_choice(compiler: Compiler, node: s.Choice) -> Reader:
    table = {
        _tag(a.tag): (a.name, compiler.reader(a.type), i >= len(node.root))
        for i, a in enumerate((*node.root, *node.ext))
    }

    def read(data: bytes, at: int) -> tuple[list[Any], int]:
        end = at + 1
        if data[at] & 63 == 63:
            while data[end] & 128:
                end += 1
            end += 1
        found = table.get(data[at:end])
        if found is None:
            if not (compiler.keep and node.extensible):
                raise DecodeError("unknown alternative", offset_bits=8 * at)
            count, end = read_length(data, end)
            return ["_unknown", {"hex": take(data, end, count).hex()}], end + count
        name, content, wrapped = found
        if wrapped:
            count, end = read_length(data, end)
            value, _ = content(take(data, end, count), 0)
            return [name, value], end + count
        value, end = content(data, end)
        return [name, value], end

    return read


def wrap(content: Writer, value: Any, parts: list[bytes]) -> None:
    """An open type: the content behind its length."""
    inner: list[bytes] = []
    content(value, inner)
    raw = b"".join(inner)
    parts += (length_octets(len(raw)), raw)


def _write_choice(compiler: Compiler, node: s.Choice) -> Writer:
    table = {
        a.name: (_tag(a.tag), compiler.writer(a.type), i >= len(node.root))
        for i, a in enumerate((*node.root, *node.ext))
    }

    def write(value: list[Any], parts: list[bytes]) -> None:
        name, inner = value
        tag, content, wrapped = table[name]
        parts.append(tag)
        if wrapped:
            wrap(content, inner, parts)
        else:
            content(inner, parts)

    return write


def _register() -> None:
    """Sequences and open types live in a file of their own; they need this one."""
    from cloverleaf.link.codec import coer_sequence

    _READ[s.Sequence] = coer_sequence.read_sequence
    _WRITE[s.Sequence] = coer_sequence.write_sequence


_READ: dict[type, Callable[[Compiler, Any], Reader]] = {
    s.Integer: _read_integer,
    s.Enumerated: _read_enumerated,
    s.Boolean: _read_boolean,
    s.Null: _read_null,
    s.OctetString: _read_octets,
    s.Text: _read_octets,
    s.BitString: _read_bits,
    s.SequenceOf: _read_list,
    s.Choice: _read_choice,
}
_WRITE: dict[type, Callable[[Compiler, Any], Writer]] = {
    s.Integer: _write_integer,
    s.Enumerated: _write_enumerated,
    s.Boolean: _write_boolean,
    s.Null: _write_null,
    s.OctetString: _write_octets,
    s.Text: _write_octets,
    s.BitString: _write_bits,
    s.SequenceOf: _write_list,
    s.Choice: _write_choice,
}
_register()

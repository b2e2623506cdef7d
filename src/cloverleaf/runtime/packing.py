"""Values of topics as bytes and back, bit for bit: a JSON line that names types and places, then the arrays' memory.

Only NamedTuples of `types/`, arrays, numbers, truth values, text and None are known; anything else is refused, and so are bytes that do not
describe one: DecodeError, never code from outside.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from cloverleaf.types import demand, frames, hmi, messages, signals, state
from cloverleaf.types.errors import DecodeError

_LENGTH = struct.Struct("<I")
_ALIGN = 8
TYPES: dict[str, type[Any]] = {
    name: found
    for module in (demand, frames, hmi, messages, signals, state)
    for name, found in vars(module).items()
    if isinstance(found, type) and hasattr(found, "_fields")
}
"""NamedTuples that may travel, by name."""
_KINDS = frozenset("biuf")


def pack(value: Any) -> bytes:
    """The value as bytes. Raises TypeError for what no topic holds."""
    arrays: list[bytes] = []
    size = 0

    def describe(part: Any) -> Any:
        nonlocal size
        if isinstance(part, np.ndarray):
            if part.dtype.kind not in _KINDS:
                raise TypeError(f"an array of {part.dtype} cannot travel")
            raw = np.ascontiguousarray(part).astype(part.dtype.newbyteorder("<"), copy=False).tobytes()
            at, size = size, size + len(raw) + (-len(raw)) % _ALIGN
            arrays.append(raw + bytes((-len(raw)) % _ALIGN))
            return {"a": part.dtype.newbyteorder("<").str, "s": list(part.shape), "o": at}
        if isinstance(part, tuple) and type(part).__name__ in TYPES:
            return {"t": type(part).__name__, "f": [describe(p) for p in part]}
        if isinstance(part, np.generic):
            return part.item()
        if part is None or isinstance(part, (bool, int, float, str)):
            return part
        raise TypeError(f"{type(part).__name__} cannot travel")

    head = json.dumps(describe(value), separators=(",", ":")).encode()
    head += b" " * ((-len(head) - _LENGTH.size) % _ALIGN)
    return _LENGTH.pack(len(head)) + head + b"".join(arrays)


def unpack(data: bytes) -> Any:
    """The value that `pack` was given; arrays are its own. Raises DecodeError."""
    if len(data) < _LENGTH.size:
        raise DecodeError("shorter than its own length field")
    (length,) = _LENGTH.unpack_from(data)
    begin = _LENGTH.size + length
    if begin > len(data):
        raise DecodeError("the description is cut off")
    try:
        head = json.loads(data[_LENGTH.size : begin])
        return _build(head, data, begin, 0)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"not a topic's value: {error}") from error


def _build(head: Any, data: bytes, begin: int, depth: int) -> Any:
    if depth > 8:
        raise DecodeError("nested too deeply")
    if not isinstance(head, dict):
        if isinstance(head, list):
            raise DecodeError("a list where a value should be")
        return head
    if "t" in head:
        found = TYPES.get(str(head["t"]))
        if found is None:
            raise DecodeError(f"unknown type '{head['t']}'")
        parts = [_build(f, data, begin, depth + 1) for f in head["f"]]
        if len(parts) != len(found._fields):
            raise DecodeError(f"{found.__name__} has {len(found._fields)} fields, not {len(parts)}")
        return found(*parts)
    kind, shape, at = np.dtype(str(head["a"])), tuple(int(n) for n in head["s"]), begin + int(head["o"])
    count = 1
    for n in shape:
        count *= n
    if kind.kind not in _KINDS or at < begin or min(shape, default=0) < 0 or at + count * kind.itemsize > len(data):
        raise DecodeError("an array outside the bytes")
    return np.frombuffer(data, kind, count, at).reshape(shape).astype(kind.newbyteorder("="), copy=True)


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal bit for bit; NaN equals the same NaN."""
    return pack(a) == pack(b)

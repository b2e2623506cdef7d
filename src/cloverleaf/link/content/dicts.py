"""Rare messages as value dicts: encode and decode one by one, never raising for bad bytes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from cloverleaf.link.codec.single import Codec
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.state import I64, U8


def encode_all(codec: Codec, values: list[Any]) -> tuple[U8, I64]:
    """Bytes of all values, one behind the other."""
    parts = [codec.encode(value) for value in values]
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts], dtype=np.int64))).astype(np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), start


def decode_all(codec: Codec, buffer: U8, start: I64) -> tuple[list[Any], U8]:
    """Message bodies (None where the bytes are not this message) and an error code each."""
    data, bounds = buffer.tobytes(), start.tolist()
    bodies: list[Any] = []
    for begin, end in pairwise(bounds):
        try:
            bodies.append(codec.branch(codec.decode(data[begin:end])))
        except DecodeError:
            bodies.append(None)
    return bodies, np.array([body is None for body in bodies], np.uint8)


def octets(station: int) -> dict[str, str]:
    """A station id as the 8-byte id of CSAE."""
    return {"hex": (station & (1 << 64) - 1).to_bytes(8, "big").hex()}


def station_of(value: dict[str, str]) -> int:
    """The station id in an 8-byte id."""
    return int.from_bytes(bytes.fromhex(value["hex"]), "big", signed=True)

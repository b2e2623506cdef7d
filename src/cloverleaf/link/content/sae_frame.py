"""The SAE J2735 message frame around a body: message id in two bytes, length of the body, body; all byte-aligned in UPER."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from cloverleaf.link.batches import pack
from cloverleaf.link.codec.batch import BatchCodec
from cloverleaf.link.codec.single import Codec
from cloverleaf.link.schemas.catalog import Message
from cloverleaf.types.state import I64, U8

IDS = {"bsm": 20, "map": 18, "spat": 19}
_BODIES = {"bsm": ("sae/bsm", "BasicSafetyMessage"), "spat": ("etsi/dsrc", "SPAT")}
_WRONG = 1
_LONG = 0x80


@cache
def body_codec(name: str) -> BatchCodec:
    """The batch codec of a message's body, without its frame."""
    kind = Message("sae", name, *_BODIES[name], (), "sae")
    codec = BatchCodec(kind)
    codec.single = Codec(kind)  # the catalog's codec of this name would expect the frame
    return codec


def wrap(buffer: U8, start: I64, name: str) -> tuple[U8, I64]:
    """Frames around bodies."""
    data, bounds, lead = buffer.tobytes(), start.tolist(), IDS[name].to_bytes(2, "big")
    parts = []
    for begin, end in pairwise(bounds):
        size = end - begin
        length = bytes([size]) if size < _LONG else (0x8000 | size).to_bytes(2, "big")
        parts.append(lead + length + data[begin:end])
    return pack(parts)


def unwrap(buffer: U8, start: I64, name: str) -> tuple[U8, I64, U8]:
    """(bodies, offsets, error): error 1 where a frame is of another message or cut short, with an empty body."""
    data, bounds, lead = buffer.tobytes(), start.tolist(), IDS[name].to_bytes(2, "big")
    parts, error = [], np.zeros(len(bounds) - 1, np.uint8)
    for i, (begin, end) in enumerate(pairwise(bounds)):
        at, size = begin + 3, data[begin + 2] if end - begin > 3 else 0
        if size & _LONG:
            at, size = begin + 4, (size & 0x3F) << 8 | data[begin + 3]
        good = data[begin : begin + 2] == lead and 0 < size <= end - at
        error[i] = 0 if good else _WRONG
        parts.append(data[at : at + size] if good else b"")
    bodies, offsets = pack(parts)
    return bodies, offsets, error

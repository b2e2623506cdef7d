"""Short messages of the Chinese network layer (DSMP, YD/T 3707): adaptation layer, header, message.

One byte of protocol type (4: DSMP); version in 3 bits (0), a bit that announces an extension field, 4 reserved bits; the extension field
if announced (its count, then element id, length and value each); the application identifier; two bytes of length; the message. Layout
after public descriptions of the standard; the coding of identifier and extension is that of IEEE 1609.3, from which DSMP is derived.
"""

from __future__ import annotations

from cloverleaf.link.io.p_encoding import encode_identifier, read_identifier
from cloverleaf.types.errors import DecodeError

PROTOCOL = 4
_EXTENDED = 0x10


def frame(payload: bytes, aid: int) -> bytes:
    """Adaptation layer, header and message."""
    return bytes([PROTOCOL, 0]) + encode_identifier(aid) + len(payload).to_bytes(2, "big") + payload


def parse(data: bytes) -> tuple[int, bytes]:
    """(application identifier, message) of a frame, with or without the adaptation layer's byte.

    Raises:
        DecodeError: another protocol or version, or cut short.
    """
    at = 1 if data[:1] == bytes([PROTOCOL]) else 0
    if len(data) < at + 4 or data[at] & 0xEF:
        raise DecodeError("not a short message of DSMP version 0", offset_bits=8 * at)
    extended = data[at] & _EXTENDED
    at += 1
    if extended:
        at = skip_elements(data, at)
    aid, at = read_identifier(data, at)
    size = int.from_bytes(data[at : at + 2], "big")
    payload = data[at + 2 : at + 2 + size]
    if len(payload) < size or len(data) < at + 2:
        raise DecodeError("the message is cut short", offset_bits=8 * len(data))
    return aid, payload


def skip_elements(data: bytes, at: int) -> int:
    """Position behind an extension field of IEEE 1609.3: a count, then element id, length, value; DecodeError where it overruns."""
    if at >= len(data):
        raise DecodeError("the extension field is cut short", offset_bits=8 * at)
    count, at = data[at], at + 1
    for _ in range(count):
        if at + 2 > len(data):
            raise DecodeError("an extension element is cut short", offset_bits=8 * at)
        at += 2 + data[at + 1]
    return at

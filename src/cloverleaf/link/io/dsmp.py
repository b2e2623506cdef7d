"""The short-message header of the Chinese network layer (YD/T 3707), as far as public facts allow.

Layout used here: one byte of version and flags, the application identifier (1 or 2 bytes, the first bits saying how many), two bytes of
length, the message. The standard's text was not available; captures of ours carry link type USER0 so that nobody mistakes them.
"""

from __future__ import annotations

from cloverleaf.types.errors import DecodeError
from cloverleaf.types.messages import MessageKind

AID = {
    MessageKind.AWARENESS: 111,
    MessageKind.TOPOLOGY: 3618,
    MessageKind.SIGNAL: 3619,
    MessageKind.ADVICE: 3622,
    MessageKind.EVENT: 3622,
    MessageKind.PERCEPTION: 3623,
}
"""Application identifiers of the 2020 multi-vendor configuration."""
_VERSION = 0x20


def frame(payload: bytes, aid: int) -> bytes:
    """Header and message; `aid` 0..16511."""
    identifier = bytes([aid]) if aid < 128 else (0x8000 | aid - 128).to_bytes(2, "big")
    return bytes([_VERSION]) + identifier + len(payload).to_bytes(2, "big") + payload


def parse(data: bytes) -> tuple[int, bytes]:
    """(application identifier, message).

    Raises:
        DecodeError: another version, or cut short.
    """
    if len(data) < 4 or data[0] != _VERSION:
        raise DecodeError("not a short message of version 1")
    wide = data[1] >= 0x80
    aid = (int.from_bytes(data[1:3], "big") & 0x7FFF) + 128 if wide else data[1]
    at = 3 if wide else 2
    size = int.from_bytes(data[at : at + 2], "big")
    payload = data[at + 2 : at + 2 + size]
    if len(payload) < size or len(data) < at + 2:
        raise DecodeError("the message is cut short", offset_bits=8 * len(data))
    return aid, payload

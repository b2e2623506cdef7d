"""What a secured message carries, whatever its signature is worth: for readers that judge nothing."""

from __future__ import annotations

from cloverleaf.link.security.oer import Reader
from cloverleaf.types.errors import DecodeError

_UNSECURED, _SIGNED = 0x80, 0x81


def payload_of(data: bytes) -> bytes:
    """The payload of an unsecured or signed `Ieee1609Dot2Data`; the innermost of nested ones.

    Raises:
        DecodeError: encrypted, without payload, or cut short.
    """
    r = Reader(data)
    while True:
        r.expect(3, "the protocol version")
        tag = r.byte()
        if tag == _UNSECURED:
            return r.octets()
        if tag != _SIGNED:
            raise DecodeError("the payload is encrypted or of no known form", offset_bits=8 * (r.at - 1))
        r.byte()
        if not r.byte() & 0x40:
            raise DecodeError("signed data without payload", offset_bits=8 * (r.at - 1))

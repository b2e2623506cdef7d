"""Signed messages of IEEE 1609.2: `Ieee1609Dot2Data` with signed data, encoded and read back.

The signed part is ToBeSignedData: the payload (unsecured data inside) and a header of PSID, generation time, optional expiry and
optional place. The signer is named by a certificate's HashedId8, or by the certificate itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cloverleaf.link.security.certificate import Certificate, decode_certificate, encode_signature, read_signature
from cloverleaf.link.security.oer import Reader, octets, unsigned
from cloverleaf.types.errors import DecodeError


class Header(NamedTuple):
    """HeaderInfo: times in microseconds since 2004-01-01 TAI; 0 where absent. Place in 0.1 microdegrees."""

    psid: int
    generated: int
    expires: int = 0
    latitude: int | None = None
    longitude: int | None = None
    elevation: int = 0  # uint16, as the standard codes it; only with a place
    requests: tuple[bytes, ...] = ()  # HashedId3 of certificates that the sender asks for


class Envelope(NamedTuple):
    """A signed message taken apart."""

    signed: bytes  # ToBeSignedData as it was signed
    payload: bytes
    header: Header
    signer: bytes  # HashedId8 of the signer's certificate
    certificate: Certificate | None  # if it came along
    algorithm: str
    signature: bytes  # r || s


_SIGNED = b"\x03\x81"  # version 3, signed data
_PLAIN = b"\x40\x03\x80"  # a payload that is unsecured data of version 3


def encode_header(header: Header) -> bytes:
    """HeaderInfo."""
    place = header.latitude is not None and header.longitude is not None
    flags = (0x40 if header.generated else 0) | (0x20 if header.expires else 0) | (0x10 if place else 0)
    flags |= 0x80 if header.requests else 0
    out = bytes([flags]) + unsigned(header.psid)
    if header.generated:
        out += header.generated.to_bytes(8, "big")
    if header.expires:
        out += header.expires.to_bytes(8, "big")
    if header.latitude is not None and header.longitude is not None:
        out += header.latitude.to_bytes(4, "big", signed=True) + header.longitude.to_bytes(4, "big", signed=True)
        out += header.elevation.to_bytes(2, "big")
    if header.requests:  # the first extension addition of four, in a bit map of one octet
        out += b"\x02\x04\x80" + octets(unsigned(len(header.requests)) + b"".join(header.requests))
    return out


def to_be_signed(payload: bytes, header: Header) -> bytes:
    """ToBeSignedData."""
    return _PLAIN + octets(payload) + encode_header(header)


def seal(signed: bytes, certificate: Certificate, signature: bytes, *, attach: bool) -> bytes:
    """The message from its signed part; `attach` sends the certificate along instead of its HashedId8."""
    sm = certificate.algorithm == "sm2"
    signer = b"\x81\x01\x01" + certificate.coer if attach else b"\x80" + certificate.hashed_id
    return (
        b"\x03\x81"
        + (b"\x02" if sm else b"\x00")
        + signed
        + signer
        + encode_signature(certificate.algorithm, signature)
    )


def open_envelope(data: bytes) -> Envelope:
    """Take a signed message apart.

    Raises:
        DecodeError: anything that is not such a message, down to bytes left over.
    """
    r = Reader(data)
    begin = 3  # behind the hashId, which the signature says again
    if data[:2] == _SIGNED and data[3:6] == _PLAIN:
        r.at = 6
    else:  # find out what is wrong
        r.expect(3, "the protocol version")
        r.expect(0x81, "a message that is not signed")
        r.byte()
        r.expect(0x40, "a payload of another form")
        r.expect(3, "the payload's version")
        r.expect(0x80, "a nested payload")
    payload = r.octets()
    header = _read_header(r)
    signed = data[begin : r.at]
    certificate, tag = None, r.byte()
    if tag == 0x80:
        signer = r.take(8)
    elif tag == 0x81:
        if r.count() < 1:
            raise DecodeError("an empty certificate chain", offset_bits=8 * r.at)
        certificate = _whole_certificate(data[r.at : -66])  # alone, before a P-256 signature
        if certificate is None:
            certificate = decode_certificate(r)
        else:
            r.at = len(data) - 66
        signer = certificate.hashed_id
    else:
        raise DecodeError("a message without signer", offset_bits=8 * (r.at - 1))
    algorithm, signature = read_signature(r)
    if r.at != len(data):
        raise DecodeError("bytes left over after the signature", offset_bits=8 * r.at)
    return Envelope(signed, payload, header, signer, certificate, algorithm, signature)


@lru_cache(maxsize=4096)
def _whole_certificate(coer: bytes) -> Certificate | None:
    """The certificate that these bytes are, or None; senders repeat theirs every second."""
    r = Reader(coer)
    try:
        certificate = decode_certificate(r)
    except DecodeError:
        return None
    return certificate if r.at == len(coer) else None


def _read_header(r: Reader) -> Header:
    data, at = r.data, r.at
    if data[at : at + 2] == b"\x40\x01" and len(data) >= at + 11:  # the usual header: a short PSID and the time
        r.at = at + 11
        return Header(data[at + 2], int.from_bytes(data[at + 3 : at + 11], "big"))
    flags = r.byte()
    psid = r.unsigned()
    generated = r.integer(8) if flags & 0x40 else 0
    expires = r.integer(8) if flags & 0x20 else 0
    latitude, longitude, elevation = None, None, 0
    if flags & 0x10:
        latitude, longitude, elevation = r.signed(4), r.signed(4), r.integer(2)
    if flags & 0x0E:
        raise DecodeError("the header carries fields that are not supported", offset_bits=8 * r.at)
    requests = _read_requests(r) if flags & 0x80 else ()
    return Header(psid, generated, expires, latitude, longitude, elevation, requests)


def _read_requests(r: Reader) -> tuple[bytes, ...]:
    """The requests for certificates, if nothing else stands in the header's extension."""
    if r.octets() != b"\x04\x80":
        raise DecodeError("the header carries additions that are not supported", offset_bits=8 * r.at)
    inner = Reader(r.octets())
    asked = tuple(inner.take(3) for _ in range(inner.count()))
    if not asked or inner.at != len(inner.data):
        raise DecodeError("a list of requests of the wrong length", offset_bits=8 * r.at)
    return asked

"""Certificates of IEEE 1609.2 (explicit): validity, region, permissions, key; issued, encoded and read back.

Of `ToBeSignedCertificate` the fields that message checks need are kept; permissions to issue and to request are kept as present or
not. SM2 keys and signatures are the extension alternatives that the 2022 edition adds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloverleaf.link.security.algorithms import Algorithm, sha256, sm3
from cloverleaf.link.security.oer import Reader, octets, unsigned
from cloverleaf.types.errors import DecodeError

_SECONDS = {2: 1, 3: 60, 4: 3600, 5: 216_000, 6: 31_556_952}
"""s per unit of Duration: seconds, minutes, hours, sixty hours, years."""
_HASHES = {"p256": sha256, "sm2": sm3}


class Circle(NamedTuple):
    """Where a certificate is valid: WGS 84 degrees and m; radius 0 means everywhere."""

    latitude: float
    longitude: float
    radius: float


class Rectangle(NamedTuple):
    """Where a certificate is valid: a box between two corners, WGS 84 degrees."""

    north: float
    west: float
    south: float
    east: float


class Certificate(NamedTuple):
    """One explicit certificate."""

    coer: bytes  # the whole certificate
    to_be_signed: bytes
    issuer: bytes  # HashedId8, empty for self-signed
    name: str
    start: int  # s since 2004-01-01 TAI
    end: int
    regions: tuple[Circle | Rectangle, ...]  # empty: everywhere
    permissions: dict[int, bytes]  # PSID -> service-specific permissions, empty where none are given
    issues: bool  # may issue certificates
    algorithm: str  # of its key: p256 or sm2
    point: bytes  # compressed public key
    signature: bytes  # r || s, empty where none is given
    hashed_id: bytes  # HashedId8


def encode_point(point: bytes) -> bytes:
    """EccP256CurvePoint of a compressed point (0x02 or 0x03, x)."""
    return bytes([0x80 | point[0]]) + point[1:]


def read_point(r: Reader) -> bytes:
    """A compressed point; x-only and uncompressed ones are refused."""
    tag = r.byte()
    if tag not in (0x82, 0x83):
        raise DecodeError("a key must be a compressed point", offset_bits=8 * (r.at - 1))
    return bytes([tag & 3]) + r.take(32)


def encode_signature(algorithm: str, signature: bytes) -> bytes:
    """Signature CHOICE from r || s."""
    if algorithm == "sm2":
        return b"\x84" + octets(signature)
    return b"\x80\x80" + signature


def read_signature(r: Reader) -> tuple[str, bytes]:
    """(algorithm, r || s)."""
    tag = r.byte()
    if tag == 0x84:
        value = r.octets()
        if len(value) != 64:
            raise DecodeError("an SM2 signature has 64 bytes", offset_bits=8 * r.at)
        return "sm2", value
    if tag != 0x80:
        raise DecodeError("the signature's algorithm is not supported", offset_bits=8 * (r.at - 1))
    if r.byte() not in (0x80, 0x82, 0x83):
        raise DecodeError("r must be an x coordinate", offset_bits=8 * (r.at - 1))
    return "p256", r.take(64)


def encode_region(regions: tuple[Circle | Rectangle, ...]) -> bytes:
    """GeographicRegion: one circle, or rectangles."""
    if len(regions) == 1 and isinstance(regions[0], Circle):
        c = regions[0]
        return b"\x80" + _place(c.latitude) + _place(c.longitude) + int(c.radius).to_bytes(2, "big")
    body = b"".join(b"".join(_place(v) for v in region) for region in regions)
    return b"\x81" + unsigned(len(regions)) + body


def _place(degrees: float) -> bytes:
    return round(degrees * 1e7).to_bytes(4, "big", signed=True)


def _read_region(r: Reader) -> tuple[Circle | Rectangle, ...]:
    tag = r.byte()
    if tag == 0x80:
        return (Circle(r.signed(4) * 1e-7, r.signed(4) * 1e-7, float(r.integer(2))),)
    if tag != 0x81:
        raise DecodeError("only circular and rectangular regions are supported", offset_bits=8 * (r.at - 1))
    return tuple(Rectangle(*[r.signed(4) * 1e-7 for _ in range(4)]) for _ in range(r.count()))


def encode_certificate(
    *, algorithm: str, issuer: bytes, name: str, start: int, hours: int, point: bytes,
    permissions: dict[int, bytes], issues: bool = False, regions: tuple[Circle | Rectangle, ...] = (),
) -> tuple[bytes, bytes]:  # fmt: skip
    """(everything before the signature, the part to be signed); `start` s since 2004 TAI, valid for `hours`."""
    preamble = (0x40 if regions else 0) | (0x10 if permissions else 0) | (0x08 if issues else 0)
    body = bytes([preamble]) + (b"\x81" + octets(name.encode()) if name else b"\x83")
    body += bytes(5) + start.to_bytes(4, "big") + b"\x84" + hours.to_bytes(2, "big")
    if regions:
        body += encode_region(regions)
    if permissions:
        body += unsigned(len(permissions))
        for psid, ssp in permissions.items():
            body += b"\x80" + unsigned(psid) + b"\x81" + octets(octets(ssp)) if ssp else b"\x00" + unsigned(psid)
    if issues:
        body += unsigned(1) + b"\x80\x81\x01\x02"  # everything, chains of two
    key = b"\x80" + encode_point(point) if algorithm == "p256" else b"\x84" + octets(encode_point(point))
    body += b"\x80" + key
    sm = algorithm == "sm2"
    head = (b"\x84" + octets(issuer) if sm else b"\x80" + issuer) if issuer else b"\x81" + (b"\x02" if sm else b"\x00")
    return b"\x80\x03\x00" + head + body, body


def decode_certificate(r: Reader) -> Certificate:
    """Read one certificate at the cursor; DecodeError for what is not an explicit certificate of the supported kind."""
    begin = r.at
    preamble = r.byte()
    if preamble & 0x7F:
        raise DecodeError("not a certificate", offset_bits=8 * begin)
    r.expect(3, "the certificate's version")
    r.expect(0, "an implicit certificate")
    tag = r.byte()
    if tag == 0x80:
        issuer = r.take(8)
    elif tag == 0x84:
        issuer = r.octets()
    elif tag == 0x81:
        issuer = b""
        r.byte()
    else:
        raise DecodeError("the issuer's form is not supported", offset_bits=8 * (r.at - 1))
    body_begin = r.at
    fields = _read_body(r)
    body = r.data[body_begin : r.at]
    algorithm, signature = read_signature(r) if preamble else (fields["algorithm"], b"")
    coer = r.data[begin : r.at]
    digest = _HASHES[algorithm](coer)
    return Certificate(
        coer=coer, to_be_signed=body, issuer=issuer, signature=signature, hashed_id=digest[-8:], **fields
    )


def _read_body(r: Reader) -> dict[str, Any]:
    preamble = r.byte()
    if preamble & 0x86:
        raise DecodeError(
            "a certificate that may request others or carries extensions is not supported", offset_bits=8 * r.at
        )
    name, tag = "", r.byte()
    if tag == 0x81:
        name = r.octets().decode("utf-8", "replace")
    elif tag != 0x83:
        raise DecodeError("the certificate's id form is not supported", offset_bits=8 * (r.at - 1))
    r.take(5)  # cracaId, crlSeries
    start = r.integer(4)
    unit, amount = r.byte() & 0x7F, r.integer(2)
    if unit > 6:
        raise DecodeError("an unknown unit of duration", offset_bits=8 * (r.at - 3))
    regions = _read_region(r) if preamble & 0x40 else ()
    if preamble & 0x20:
        r.take(1)
    permissions = _read_permissions(r) if preamble & 0x10 else {}
    if preamble & 0x08:
        for _ in range(r.count()):
            head = r.byte()
            r.expect(0x81, "a list of issuing permissions")
            if head & 0x80:
                r.octets()
            if head & 0x7F:
                raise DecodeError("chain ranges are not supported", offset_bits=8 * r.at)
    if preamble & 0x01:
        raise DecodeError("an encryption key is not supported", offset_bits=8 * r.at)
    r.expect(0x80, "an implicit key")
    tag = r.byte()
    if tag == 0x84:
        point = read_point(Reader(r.octets()))
    elif tag == 0x80:
        point = read_point(r)
    else:
        raise DecodeError("the key's algorithm is not supported", offset_bits=8 * (r.at - 1))
    return {
        "name": name, "start": start, "end": start + amount * _SECONDS.get(unit, 0), "regions": regions,
        "permissions": permissions, "issues": bool(preamble & 0x08), "algorithm": "sm2" if tag == 0x84 else "p256",
        "point": point,
    }  # fmt: skip


def _read_permissions(r: Reader) -> dict[int, bytes]:
    out: dict[int, bytes] = {}
    for _ in range(r.count()):
        given = r.byte()
        psid = r.unsigned()
        ssp = b""
        if given & 0x80:
            tag = r.byte()
            ssp = r.octets()
            if tag == 0x81:
                ssp = Reader(ssp).octets()
        out[psid] = ssp
    return out


def issue(
    algorithm: Algorithm, issuer: Certificate | None, issuer_key: Any, key: Any, *, name: str, start: int, hours: int,
    permissions: dict[int, bytes], issues: bool = False, regions: tuple[Circle | Rectangle, ...] = (),
) -> Certificate:  # fmt: skip
    """A certificate for `key`, signed by `issuer_key`; `issuer` None makes it self-signed. Times in s since 2004-01-01 TAI."""
    head, body = encode_certificate(
        algorithm=algorithm.name, issuer=issuer.hashed_id if issuer else b"", name=name, start=start, hours=hours,
        point=algorithm.public(key), permissions=permissions, issues=issues, regions=regions,
    )  # fmt: skip
    signature = algorithm.sign(issuer_key, body, issuer.coer if issuer else b"")
    return decode_certificate(Reader(head + encode_signature(algorithm.name, signature)))

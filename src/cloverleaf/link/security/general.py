"""Signed messages and certificates in all their forms, through the schema's codec: slower than `envelope.py`, for what that refuses.

Read here and not there: certificate chains, uncompressed keys, encryption keys, requests for certificates in the header. Brainpool and
P-384 keys, implicit certificates, and regions other than circles and rectangles are refused here too.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from cloverleaf.link.schemas.reader import schema_file
from cloverleaf.link.security.algorithms import sha256
from cloverleaf.link.security.certificate import Certificate, Circle, Rectangle, decode_certificate
from cloverleaf.link.security.envelope import Envelope, Header, open_envelope
from cloverleaf.link.security.oer import Reader
from cloverleaf.types.errors import DecodeError, EncodeError

_FILE = "ieee1609dot2/ieee1609dot2"
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "sixtyHours": 216_000, "years": 31_556_952}
_REFUSALS = (KeyError, TypeError, ValueError, IndexError, AttributeError)


class Extras(NamedTuple):
    """Header fields beside those of `Header`, and the rest of a certificate chain."""

    requested: Certificate | None = None  # a certificate that somebody asked for
    chain: tuple[Certificate, ...] = ()  # issuers that came along


def open_any(data: bytes) -> tuple[Envelope, Extras]:
    """Take a signed message of any form apart, the usual one quickly; DecodeError for what is none or is not supported."""
    try:
        return open_envelope(data), Extras()
    except DecodeError as error:
        try:
            return open_general(data)
        except DecodeError as second:
            raise error if "too early" in error.message else second from None


def open_general(data: bytes) -> tuple[Envelope, Extras]:
    """Take a signed message apart; DecodeError for what is none or is not supported."""
    from cloverleaf.link.codec.single import codec

    made = codec("ieee1609dot2", "signed")
    value = made.decode(data)
    try:
        whole = made.encode(value)
    except EncodeError as error:
        raise DecodeError(f"signed data of a form that is not supported: {error.message}") from None
    if whole != data:
        raise DecodeError("bytes left over after the signature, or fields of a newer edition")
    try:
        name, signed = value["content"]
        if name != "signedData":
            raise DecodeError("a message that is not signed")
        return _signed(signed)
    except _REFUSALS as error:
        raise DecodeError(f"signed data of a form that is not supported: {error}") from None


def _signed(signed: Any) -> tuple[Envelope, Extras]:
    raw, info, (form, signer) = (
        encoder("ToBeSignedData")(signed["tbsData"]),
        signed["tbsData"]["headerInfo"],
        signed["signer"],
    )
    if "data" not in signed["tbsData"]["payload"]:
        raise DecodeError("a payload that is named by its hash alone")
    content, inner = signed["tbsData"]["payload"]["data"]["content"]
    if content != "unsecuredData":
        raise DecodeError("a payload of another form")
    place = info.get("generationLocation", {})
    asked = [bytes.fromhex(h["hex"]) for h in info.get("inlineP2pcdRequest", [])]
    if "p2pcdLearningRequest" in info:
        asked.append(bytes.fromhex(info["p2pcdLearningRequest"]["hex"]))
    header = Header(
        info["psid"], info.get("generationTime", 0), info.get("expiryTime", 0), place.get("latitude"), place.get("longitude"),
        place.get("elevation", 0), tuple(asked),
    )  # fmt: skip
    chain = tuple(read_certificate(c) for c in signer) if form == "certificate" else ()
    if form == "certificate" and not chain:
        raise DecodeError("an empty certificate chain")
    if form not in ("certificate", "digest"):
        raise DecodeError("a message without signer")
    algorithm, signature = read_signature(signed["signature"])
    signer_id = chain[0].hashed_id if chain else bytes.fromhex(signer["hex"])
    envelope = Envelope(
        raw, bytes.fromhex(inner["hex"]), header, signer_id, chain[0] if chain else None, algorithm, signature
    )
    requested = read_certificate(info["requestedCertificate"]) if "requestedCertificate" in info else None
    return envelope, Extras(requested, chain[1:])


def read_certificate(value: Any) -> Certificate:
    """A certificate from its decoded value."""
    coer = encoder("Certificate")(value)
    try:
        return decode_certificate(Reader(coer))
    except DecodeError:
        pass
    body = value["toBeSigned"]
    form, key = body["verifyKeyIndicator"]
    if value["type"] != "explicit" or form != "verificationKey" or key[0] != "ecdsaNistP256":
        raise DecodeError("only explicit certificates with P-256 keys are supported")
    name = body["id"][1] if body["id"][0] == "name" else ""
    unit, amount = body["validityPeriod"]["duration"]
    start = body["validityPeriod"]["start"]
    permissions = {p["psid"]: _ssp(p.get("ssp")) for p in body.get("appPermissions", [])}
    algorithm, signature = read_signature(value["signature"]) if "signature" in value else ("p256", b"")
    issuer = value["issuer"]
    return Certificate(
        coer=coer,
        to_be_signed=encoder("ToBeSignedCertificate")(body),
        issuer=b"" if issuer[0] == "self" else bytes.fromhex(issuer[1]["hex"]),
        name=name,
        start=start,
        end=start + amount * _SECONDS.get(unit, 0),
        regions=_regions(body.get("region")),
        permissions=permissions,
        issues="certIssuePermissions" in body,
        algorithm=algorithm,
        point=compressed(key[1]),
        signature=signature,
        hashed_id=sha256(coer)[-8:],
    )


def read_signature(value: Any) -> tuple[str, bytes]:
    """(algorithm, r || s) of a Signature value."""
    name, content = value
    if name != "ecdsaNistP256Signature":
        raise DecodeError("the signature's algorithm is not supported")
    form, r = content["rSig"]
    if form == "uncompressedP256":
        r = r["x"]
    if form == "fill":
        raise DecodeError("a signature without r")
    return "p256", bytes.fromhex(r["hex"]) + bytes.fromhex(content["sSig"]["hex"])


def compressed(point: Any) -> bytes:
    """A compressed point from an EccP256CurvePoint value."""
    form, value = point
    if form == "uncompressedP256":
        return bytes([2 + (int(value["y"]["hex"], 16) & 1)]) + bytes.fromhex(value["x"]["hex"])
    if not form.startswith("compressed"):
        raise DecodeError("a key must be a whole point")
    return bytes([2 + int(form.endswith("1"))]) + bytes.fromhex(value["hex"])


def _ssp(value: Any) -> bytes:
    if value is None:
        return b""
    form, content = value
    return bytes.fromhex((content if form == "opaque" else content.get("sspValue", content))["hex"])


def _regions(value: Any) -> tuple[Circle | Rectangle, ...]:
    if value is None:
        return ()
    form, content = value
    if form == "circularRegion":
        c = content["center"]
        return (Circle(c["latitude"] * 1e-7, c["longitude"] * 1e-7, float(content["radius"])),)
    if form != "rectangularRegion":
        raise DecodeError("only circular and rectangular regions are supported")
    return tuple(
        Rectangle(
            b["northWest"]["latitude"] * 1e-7, b["northWest"]["longitude"] * 1e-7,
            b["southEast"]["latitude"] * 1e-7, b["southEast"]["longitude"] * 1e-7,
        )
        for b in content
    )  # fmt: skip


def with_answer(signed: bytes, requested: Certificate) -> bytes:
    """ToBeSignedData with an answer to somebody's request for a certificate added to its header."""
    value = decoder("ToBeSignedData")(signed)
    try:
        value["headerInfo"]["requestedCertificate"] = decoder("Certificate")(requested.coer)
    except DecodeError:
        raise EncodeError("this certificate's form cannot answer a request") from None
    raw: bytes = encoder("ToBeSignedData")(value)
    return raw


@cache
def encoder(name: str) -> Any:
    """Value to COER bytes of a type of IEEE 1609.2."""
    from cloverleaf.link.codec.coer import encoder as make

    return make(schema_file(_FILE).lookup(name))


@cache
def decoder(name: str) -> Any:
    """COER bytes to value of a type of IEEE 1609.2."""
    from cloverleaf.link.codec.coer import decoder as make

    return make(schema_file(_FILE).lookup(name), False)

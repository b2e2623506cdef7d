"""The Chinese secured message (YD/T 3957) with SM2 and SM3: certificates, sealing, opening and judging.

After a community transcription of the standard (`schemas/csae/security.schema`); what is signed is the COER form of TBSData, hashed as
SM3(Z || data) with the default user id. Times are s since 2004-01-01 as in ETSI; deployments were seen that count from local midnight.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.reader import schema_file
from cloverleaf.link.security import sm2
from cloverleaf.link.security.algorithms import sm3
from cloverleaf.types.errors import DecodeError, SecurityError

VERSION = 2
MAX_AGE, MAX_AHEAD = 2.0, 0.2
_TICKET, _AUTHORITY, _ROOT = "pseudonymTicket", "pseudonymAuthority", "rootCa"


class ChineseCertificate(NamedTuple):
    """A certificate and what checks need of it."""

    coer: bytes
    point: bytes  # compressed SM2 key
    issuer: bytes  # HashedId8 (SM3), empty for self-signed
    start: int
    end: int
    aids: frozenset[int]
    region: tuple[float, float, float] | None  # latitude, longitude in degrees, radius in m
    kind: str  # subject type

    @property
    def hashed_id(self) -> bytes:
        """HashedId8 with SM3."""
        return sm3(self.coer)[-8:]


def issue(
    issuer: ChineseCertificate | None, issuer_key: sm2.PrivateKey, key: sm2.PrivateKey, *, name: bytes, start: int, end: int,
    aids: tuple[int, ...] = (), kind: str = _TICKET, region: tuple[float, float, float] | None = None,
) -> ChineseCertificate:  # fmt: skip
    """A certificate for `key`; `issuer` None makes it self-signed. Times in s since 2004-01-01."""
    attributes: dict[str, Any] = {"verificationKey": {"curve": "sgdsm2", "key": _point(key.point)}}
    if aids:
        attributes["itsAidList"] = list(aids)
    validity: dict[str, Any] = {"validityPeriod": ["timeStartAndEnd", {"startValidity": start, "endValidity": end}]}
    if region is not None:
        validity["region"] = {
            "latitude": round(region[0] * 1e7),
            "longitude": round(region[1] * 1e7),
            "radius": round(region[2]),
        }
    tbs = {
        "subjectInfo": {"subjectType": kind, "subjectName": {"hex": name.hex()}},
        "subjectAttributes": attributes,
        "validityRestrictions": validity,
    }
    signature = sm2.sign(issuer_key, _encoder("TbsCert")(tbs))
    signer: list[Any] = ["self", None] if issuer is None else _digest(issuer)
    value = {"version": VERSION, "issuer": signer, "tbs": tbs, "signature": _signature(signature)}
    return read_certificate(value)


def seal(
    payload: bytes, aid: int, certificate: ChineseCertificate, key: sm2.PrivateKey, now: float, *, attach: bool = True
) -> bytes:
    """A signed message; `now` s since 2004-01-01."""
    tbs = {
        "headerInfo": {"itsAid": aid, "hashAlg": "sgdsm3", "genTime": round(now * 1e6)},
        "data": {"hex": payload.hex()},
    }
    signature = sm2.sign(key, _encoder("TBSData")(tbs))
    signer = ["certificate", _decoder("Certificate")(certificate.coer)] if attach else _digest(certificate)
    signed = {"signer": signer, "tbs": tbs, "sign": _signature(signature)}
    return codec("csae_day2", "secured").encode({"version": VERSION, "payload": ["signedData", signed]})


class Secured(NamedTuple):
    """What a signed message says of itself, unchecked."""

    payload: bytes
    aid: int
    generated: float | None  # s since 2004-01-01
    expires: float | None
    signer: list[Any]  # form and value


def open_secured(data: bytes) -> Secured:
    """Take a signed message apart; DecodeError where it is none."""
    form, signed = codec("csae_day2", "secured").decode(data)["payload"]
    if form != "signedData" or "data" not in signed["tbs"]:
        raise DecodeError("a message that is not signed, or carries nothing")
    header = signed["tbs"]["headerInfo"]
    generated, expires = (header[k] * 1e-6 if k in header else None for k in ("genTime", "expiryTime"))
    payload = bytes.fromhex(signed["tbs"]["data"]["hex"])
    return Secured(payload, header["itsAid"], generated, expires, signed["signer"])


class ChineseVerifier:
    """Trust anchors and known certificates; refuses with the reasons of `verifier.REASONS`."""

    def __init__(self, roots: list[ChineseCertificate]) -> None:
        self._issuers = {c.hashed_id: c for c in roots}
        self._known: dict[bytes, ChineseCertificate] = {}
        self._seen: dict[bytes, float] = {}
        self.revoked: set[bytes] = set()
        self.wanted: set[bytes] = set()

    def learn(self, certificate: ChineseCertificate, *, issues: bool = False) -> None:
        """Check a certificate against its issuer and remember it; `issues`: it may issue others."""
        if certificate.hashed_id in self._known:
            return
        issuer = self._issuers.get(certificate.issuer)
        if issuer is None:
            raise SecurityError("the certificate's issuer is not trusted", reason="untrusted_issuer")
        value = _decoder("Certificate")(certificate.coer)
        signature = _raw(value["signature"])
        inside = issuer.start <= certificate.start and certificate.end <= issuer.end
        if not inside or not sm2.verify(issuer.point, signature, _encoder("TbsCert")(value["tbs"])):
            raise SecurityError("the certificate's signature does not hold", reason="untrusted_issuer")
        self._known[certificate.hashed_id] = certificate
        if issues:
            self._issuers[certificate.hashed_id] = certificate
        self.wanted.discard(certificate.hashed_id)

    def check(self, data: bytes, aids: tuple[int, ...], now: float, place: tuple[float, float] | None = None) -> bytes:
        """The payload of a message; SecurityError with one of the reasons otherwise. `now` s since 2004-01-01."""
        try:
            form, signed = codec("csae_day2", "secured").decode(data)["payload"]
            if form != "signedData" or "data" not in signed["tbs"]:
                raise DecodeError("a message that is not signed, or carries nothing")
            certificate = self._certificate(*signed["signer"])
            signature = _raw(signed["sign"])
        except DecodeError as error:
            raise SecurityError(error.message, reason="malformed") from None
        header = signed["tbs"]["headerInfo"]
        if certificate.hashed_id in self.revoked or certificate.issuer in self.revoked:
            raise SecurityError("the certificate is revoked", reason="revoked")
        if now > certificate.end:
            raise SecurityError("the certificate has expired", reason="certificate_expired")
        if now < certificate.start:
            raise SecurityError("the certificate is not valid yet", reason="certificate_not_yet_valid")
        if header["itsAid"] not in aids or header["itsAid"] not in certificate.aids:
            raise SecurityError("the certificate does not permit this message", reason="wrong_permission")
        if place is not None and certificate.region is not None and not _inside(certificate.region, *place):
            raise SecurityError("the certificate does not hold here", reason="out_of_region")
        generated = header.get("genTime", round(now * 1e6)) * 1e-6
        if now - generated > MAX_AGE or ("expiryTime" in header and now > header["expiryTime"] * 1e-6):
            raise SecurityError("the message is too old", reason="message_expired")
        if generated - now > MAX_AHEAD:
            raise SecurityError("the message comes from the future", reason="from_the_future")
        self._seen = {tag: t for tag, t in self._seen.items() if now - t <= MAX_AGE + MAX_AHEAD}
        if signature in self._seen:
            raise SecurityError("the message was received before", reason="replayed")
        if not signature_holds(signed, certificate):
            raise SecurityError("the signature does not hold", reason="bad_signature")
        self._seen[signature] = now
        return bytes.fromhex(signed["tbs"]["data"]["hex"])

    def _certificate(self, form: str, signer: Any) -> ChineseCertificate:
        if form == "certificate":
            certificate = read_certificate(signer)
            self.learn(certificate)
            return certificate
        if form != "certificateDigest":
            raise DecodeError("a message without signer")
        digest = bytes.fromhex(signer["digest"]["hex"])
        known = self._known.get(digest)
        if known is None:
            self.wanted.add(digest)
            raise SecurityError("the signer's certificate is not known", reason="unknown_certificate")
        return known


def signature_holds(signed: Any, certificate: ChineseCertificate) -> bool:
    """Whether the signature of a decoded signedData fits a certificate; DecodeError for signatures other than SM2."""
    return sm2.verify(certificate.point, _raw(signed["sign"]), _encoder("TBSData")(signed["tbs"]))


def certificate_of(coer: bytes) -> ChineseCertificate:
    """A certificate from its bytes; DecodeError where they are none that is supported."""
    return read_certificate(_decoder("Certificate")(coer))


def read_certificate(value: Any) -> ChineseCertificate:
    """A certificate from its decoded value; DecodeError for keys other than SM2."""
    tbs, (form, issuer) = value["tbs"], value["issuer"]
    key = tbs["subjectAttributes"]["verificationKey"]
    if key["curve"] != "sgdsm2" or not key["key"][0].startswith("compressed") or form == "certificate":
        raise DecodeError("only certificates with compressed SM2 keys and issuers named by digest are supported")
    span, period = tbs["validityRestrictions"]["validityPeriod"]
    region = tbs["validityRestrictions"].get("region")
    return ChineseCertificate(
        _encoder("Certificate")(value),
        bytes([2 + int(key["key"][0].endswith("1"))]) + bytes.fromhex(key["key"][1]["hex"]),
        b"" if form == "self" else bytes.fromhex(issuer["digest"]["hex"]),
        0 if span == "timeEnd" else period["startValidity"],
        period if span == "timeEnd" else period["endValidity"],
        frozenset(tbs["subjectAttributes"].get("itsAidList", ())),
        (region["latitude"] * 1e-7, region["longitude"] * 1e-7, float(region["radius"])) if region else None,
        tbs["subjectInfo"]["subjectType"],
    )


def _digest(certificate: ChineseCertificate) -> list[Any]:
    return ["certificateDigest", {"algorithm": "sgdsm3", "digest": {"hex": certificate.hashed_id.hex()}}]


def _point(point: bytes) -> list[Any]:
    return [f"compressed-y-{point[0] & 1}", {"hex": point[1:].hex()}]


def _signature(raw: bytes) -> dict[str, Any]:
    return {"curve": "sgdsm2", "r": ["x-only", {"hex": raw[:32].hex()}], "s": {"hex": raw[32:].hex()}}


def _raw(value: Any) -> bytes:
    """r || s of a Signature value."""
    form, r = value["r"]
    if value["curve"] != "sgdsm2" or form in ("fill", "uncompressed"):
        raise DecodeError("a signature that is not SM2, or without plain r")
    return bytes.fromhex(r["hex"]) + bytes.fromhex(value["s"]["hex"])


def _inside(region: tuple[float, float, float], latitude: float, longitude: float) -> bool:
    from cloverleaf.link.field.logs import metres_between

    return metres_between(region[:2], (latitude, longitude)) <= region[2]


@cache
def _encoder(name: str) -> Any:
    from cloverleaf.link.codec.coer import encoder

    return encoder(schema_file("csae/security").lookup(name))


@cache
def _decoder(name: str) -> Any:
    from cloverleaf.link.codec.coer import decoder

    return decoder(schema_file("csae/security").lookup(name), False)

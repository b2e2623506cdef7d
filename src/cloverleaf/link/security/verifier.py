"""Check signed messages: each refusal has its own reason, counted by the caller.

Order of the checks: form, certificate known, revocation, chain, validity time, permission, region, freshness, replay, signature. The
costly one comes last. Verified certificates are cached by HashedId8, so that messages which carry only the digest can be checked.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from cryptography.exceptions import InvalidSignature

from cloverleaf.link.security.algorithms import VERIFY, algorithm, der_signature, p256_point, p256_verify_digest
from cloverleaf.link.security.algorithms import sha256 as digest_of
from cloverleaf.link.security.certificate import Certificate, Circle, Rectangle
from cloverleaf.link.security.envelope import Envelope, open_envelope
from cloverleaf.link.security.usual import DIGEST, TAIL, WHOLE, find_usual
from cloverleaf.types.errors import DecodeError, SecurityError
from cloverleaf.types.state import I64, U8

REASONS = (
    "malformed",
    "unknown_certificate",
    "revoked",
    "untrusted_issuer",
    "bad_key",
    "certificate_expired",
    "certificate_not_yet_valid",
    "wrong_permission",
    "out_of_region",
    "message_expired",
    "from_the_future",
    "replayed",
    "bad_signature",
)
"""Everything `Verifier.check` can say no with."""
MOST_CERTIFICATES = 8192
"""Certificates kept in the cache."""


class Checked(NamedTuple):
    """Verdicts of a batch; a refused message has an empty payload and signer."""

    payload: list[bytes]
    signer: list[bytes]  # HashedId8
    attached: U8  # 1 where the certificate came along
    requests: list[tuple[int, tuple[bytes, ...]]]  # message, HashedId3 of certificates that its sender asks for
    refused: list[tuple[int, str]]  # message, reason


class _Ready(NamedTuple):
    """A P-256 certificate made ready for its messages."""

    verify: Callable[..., None]
    digest: bytes  # of the certificate
    start: int
    end: int
    permissions: frozenset[int]
    issuer: bytes
    regional: bool

    def holds(self, psid: int, now: float, revoked: set[bytes], place: tuple[float, float] | None) -> bool:
        """Whether it certainly permits this message; if not, the general way finds the reason."""
        return (
            self.start <= now <= self.end
            and psid in self.permissions
            and self.issuer not in revoked
            and (place is None or not self.regional)
        )


class Verifier:
    """Knows trust anchors, verified certificates, revocations and the messages of the last seconds.

    Args:
        roots: self-signed certificates that are trusted.
        max_age: s a message may be old, by its generation time.
        max_ahead: s a sender's clock may run ahead.
    """

    def __init__(self, roots: list[Certificate], *, max_age: float = 2.0, max_ahead: float = 0.2) -> None:
        self._issuers = {c.hashed_id: c for c in roots}
        self._known: OrderedDict[bytes, Certificate] = OrderedDict()
        self.revoked: set[bytes] = set()
        self.max_age, self.max_ahead = max_age, max_ahead
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()
        self._turn = -math.inf
        self._p256: dict[bytes, _Ready] = {}  # of known certificates that are in use
        self._whole: dict[bytes, bytes] = {}  # the same certificates -> HashedId8
        self.wanted: set[bytes] = set()
        """Digests of unknown certificates: what a peer-to-peer request would ask for."""

    def learn(self, certificate: Certificate) -> None:
        """Verify a certificate against its issuer and remember it; SecurityError where it does not hold."""
        if certificate.hashed_id in self._known or certificate.hashed_id in self._issuers:
            return
        issuer = self._issuers.get(certificate.issuer)
        if issuer is None or not issuer.issues:
            raise SecurityError("the certificate's issuer is not trusted", reason="untrusted_issuer")
        if issuer.hashed_id in self.revoked:
            raise SecurityError("the certificate's issuer is revoked", reason="revoked")
        inside = issuer.start <= certificate.start and certificate.end <= issuer.end
        fits = algorithm(issuer.algorithm).verify(
            issuer.point, certificate.signature, certificate.to_be_signed, issuer.coer
        )
        if not inside or not fits:
            raise SecurityError("the certificate's signature does not hold", reason="untrusted_issuer")
        if certificate.issues:
            self._issuers[certificate.hashed_id] = certificate
        self._known[certificate.hashed_id] = certificate
        if len(self._known) > MOST_CERTIFICATES:
            forgotten, old = self._known.popitem(last=False)
            if self._p256.pop(forgotten, None):
                del self._whole[old.coer]
        self.wanted.discard(certificate.hashed_id)

    def check(
        self, data: bytes, psids: tuple[int, ...], now: float, place: tuple[float, float] | None = None
    ) -> Envelope:
        """Open and check one message.

        Args:
            data: the signed message.
            psids: acceptable permissions for what it carries; the header's must be one of them.
            now: s since 2004-01-01 TAI.
            place: (latitude, longitude) in degrees at which the region of the certificate must hold, None not checked.

        Raises:
            SecurityError: with one of `REASONS`.
        """
        try:
            envelope = open_envelope(data)
        except DecodeError as error:
            raise SecurityError(str(error), reason="malformed") from error
        self.judge(envelope, psids, now, place)
        return envelope

    def check_all(
        self, buffer: U8, start: I64, psid: I64, now: float, place: tuple[float, float] | None = None
    ) -> Checked:
        """As `check` for the messages of a batch, in their order; what is refused is counted instead of raised.

        Messages of the usual form that pass every check of their header are read at one look; all others, and those whose certificate
        needs a look, take the general way.

        Args:
            buffer, start: bytes of n messages, offsets of shape (n + 1,).
            psid: the permission that each needs, shape (n,).
        """
        raw, ends, permitted = buffer.tobytes(), start.tolist(), psid.tolist()
        earliest, latest = round((now - self.max_age) * 1e6) + 1, round((now + self.max_ahead) * 1e6) - 1
        usual = find_usual(buffer, start, psid, earliest, latest)
        n = len(permitted)
        out = Checked([b""] * n, [b""] * n, np.zeros(n, np.uint8), [], [])
        prepared, whole, revoked = self._p256, self._whole, self.revoked
        row, verify, signature, tag = [], [], [], []
        other: list[tuple[int, Envelope, Certificate]] = []
        for i, (begin, end, stop) in enumerate(zip(*usual)):
            first, last = ends[i], ends[i + 1]
            attached = stop != 0 and raw[stop] == 0x81
            if attached:  # a certificate that may have come before
                name = whole.get(raw[stop + WHOLE : last - TAIL], b"")
            else:
                name = raw[stop + 1 : stop + DIGEST] if stop else b""
            ready = prepared.get(name)
            if ready is not None and name not in revoked and ready.holds(permitted[i], now, revoked, place):
                signed, made = raw[first + 3 : stop], raw[last - 64 : last]
                out.payload[i], out.signer[i] = raw[begin:end], name
                if attached:
                    out.attached[i] = 1
            else:
                try:
                    envelope = open_envelope(raw[first:last])
                    certificate = self._admit(envelope, (permitted[i],), now, place)
                    ready = self._ready(certificate)
                except DecodeError:
                    out.refused.append((i, "malformed"))
                    continue
                except SecurityError as error:
                    out.refused.append((i, error.reason))
                    continue
                signed, made = envelope.signed, envelope.signature
                out.payload[i], out.signer[i] = envelope.payload, envelope.signer
                out.attached[i] = envelope.certificate is not None
                if envelope.header.requests:
                    out.requests.append((i, envelope.header.requests))
                if ready is None:
                    other.append((i, envelope, certificate))
                    continue
            row.append(i)
            verify.append(ready.verify)
            signature.append(der_signature(made))
            tag.append(sha256(sha256(signed).digest() + ready.digest).digest())
        # nothing but signatures from here on, so that their code and tables stay in the cache
        failed = []
        self._take_turns(now)
        seen, before = self._seen, self._seen_before
        for i, hold, r_and_s, each in zip(row, verify, signature, tag):
            if each in seen or each in before:
                failed.append((i, "replayed"))
                continue
            try:
                hold(r_and_s, each, VERIFY)
            except InvalidSignature:
                failed.append((i, "bad_signature"))
            else:
                seen.add(each)
        for i, envelope, certificate in other:
            try:
                self._confirm(envelope, certificate, now)
            except SecurityError as error:
                failed.append((i, error.reason))
        for i, _ in failed:
            out.payload[i] = out.signer[i] = b""
        out.refused.extend(failed)
        return out

    def judge(
        self, envelope: Envelope, psids: tuple[int, ...], now: float, place: tuple[float, float] | None = None
    ) -> None:
        """Check a message that is taken apart already; arguments and errors as for `check`."""
        self._confirm(envelope, self._admit(envelope, psids, now, place), now)

    def _admit(
        self, envelope: Envelope, psids: tuple[int, ...], now: float, place: tuple[float, float] | None
    ) -> Certificate:
        """Every check but that of the signature; the signer's certificate."""
        certificate = self._certificate(envelope)
        if now > certificate.end:
            raise SecurityError("the certificate has expired", reason="certificate_expired")
        if now < certificate.start:
            raise SecurityError("the certificate is not valid yet", reason="certificate_not_yet_valid")
        if envelope.header.psid not in psids or envelope.header.psid not in certificate.permissions:
            raise SecurityError("the certificate does not permit this message", reason="wrong_permission")
        if place is not None and certificate.regions and not any(_inside(r, *place) for r in certificate.regions):
            raise SecurityError("the certificate does not hold here", reason="out_of_region")
        self._judge_time(envelope, now)
        if envelope.algorithm != certificate.algorithm:
            raise SecurityError("signature and key are of different algorithms", reason="bad_signature")
        return certificate

    def _confirm(self, envelope: Envelope, certificate: Certificate, now: float) -> None:
        """The message is new and its signature holds; it is remembered."""
        ready = self._ready(certificate)
        if ready is not None:  # the digest is the tag, not the signature: (r, n - s) holds as well
            tag = sha256(sha256(envelope.signed).digest() + ready.digest).digest()
        else:
            tag = envelope.signer + envelope.signed
        if self.seen(tag):
            raise SecurityError("the message was received before", reason="replayed")
        if ready is None:
            holds = algorithm(certificate.algorithm).verify(
                certificate.point, envelope.signature, envelope.signed, certificate.coer
            )
        else:
            holds = p256_verify_digest(certificate.point, envelope.signature, tag)
        if not holds:
            raise SecurityError("the signature does not hold", reason="bad_signature")
        self.remember(tag, now)

    def _ready(self, certificate: Certificate) -> _Ready | None:
        """What messages of a P-256 certificate need, worked out once."""
        if certificate.algorithm != "p256":
            return None
        made = self._p256.get(certificate.hashed_id)
        if made is None:
            made = self._p256[certificate.hashed_id] = _Ready(
                p256_point(certificate.point).verify,
                digest_of(certificate.coer),
                certificate.start,
                certificate.end,
                frozenset(certificate.permissions),
                certificate.issuer,
                bool(certificate.regions),
            )
            self._whole[certificate.coer] = certificate.hashed_id
        return made

    def _certificate(self, envelope: Envelope) -> Certificate:
        if envelope.signer in self.revoked:
            raise SecurityError("the certificate is revoked", reason="revoked")
        if envelope.certificate is not None:
            self.learn(envelope.certificate)
        certificate = self._known.get(envelope.signer)
        if certificate is None:
            self.wanted.add(envelope.signer)
            raise SecurityError("the signer's certificate is not known", reason="unknown_certificate")
        if certificate.issuer in self.revoked:
            raise SecurityError("the certificate's issuer is revoked", reason="revoked")
        return certificate

    def _judge_time(self, envelope: Envelope, now: float) -> None:
        header = envelope.header
        generated = header.generated * 1e-6
        if generated and now - generated > self.max_age:
            raise SecurityError("the message is too old", reason="message_expired")
        if header.expires and now > header.expires * 1e-6:
            raise SecurityError("the message has expired", reason="message_expired")
        if generated - now > self.max_ahead:
            raise SecurityError("the message comes from the future", reason="from_the_future")

    def known(self, hashed_id: bytes) -> Certificate | None:
        """A verified certificate by its HashedId8."""
        return self._known.get(hashed_id)

    def trusts(self, hashed_id: bytes) -> bool:
        """Whether this is the HashedId8 of a certificate that may issue others."""
        return hashed_id in self._issuers

    def seen(self, tag: bytes) -> bool:
        """Whether an accepted message had this tag within the last `max_age` s."""
        return tag in self._seen or tag in self._seen_before

    def remember(self, tag: bytes, now: float) -> None:
        """Tag of an accepted message, kept for at least `max_age` (two sets that take turns)."""
        self._take_turns(now)
        self._seen.add(tag)

    def _take_turns(self, now: float) -> None:
        """Begin a new set of tags where the one in use is old enough."""
        if now - self._turn > self.max_age + self.max_ahead:
            self._seen_before, self._seen, self._turn = self._seen, set(), now


def _inside(region: Circle | Rectangle, latitude: float, longitude: float) -> bool:
    if isinstance(region, Rectangle):
        return region.south <= latitude <= region.north and region.west <= longitude <= region.east
    if region.radius <= 0.0:
        return True
    north = (latitude - region.latitude) * 111_195.0
    east = (longitude - region.longitude) * 111_195.0 * math.cos(math.radians(region.latitude))
    return math.hypot(north, east) <= region.radius

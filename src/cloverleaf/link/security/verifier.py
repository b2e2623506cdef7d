"""Check signed messages: each refusal has its own reason, counted by the caller.

Order of the checks: form, certificate known, revocation, chain, validity time, permission, region, freshness, replay, signature. The
costly one comes last. Verified certificates are cached by HashedId8, so that messages which carry only the digest can be checked.
"""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from cryptography.exceptions import InvalidSignature

from cloverleaf.link.security.algorithms import VERIFY, algorithm, der_signature, p256_point, p256_verify_digest
from cloverleaf.link.security.algorithms import sha256 as digest_of
from cloverleaf.link.security.certificate import Certificate, Circle, Rectangle
from cloverleaf.link.security.envelope import Envelope, open_envelope
from cloverleaf.link.security.signatures import DER_MOST, der_signatures
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


class _Fitting:
    """Certificates that were found to permit messages of a PSID: true until something changes that it depends on."""

    def __init__(self) -> None:
        self._known: defaultdict[int, dict[bytes, _Ready]] = defaultdict(dict)  # PSID -> HashedId8 -> certificate
        self._since, self._until = -math.inf, math.inf
        self._basis: tuple[set[bytes], tuple[float, float] | None] = set(), None

    def look_up(
        self, now: float, revoked: set[bytes], place: tuple[float, float] | None
    ) -> defaultdict[int, dict[bytes, _Ready]]:
        """What is known to hold at this time and place; all is forgotten where it may not."""
        if self._basis != (revoked, place) or not self._since <= now <= self._until:
            self._known.clear()
            self._since, self._until, self._basis = -math.inf, math.inf, (revoked.copy(), place)
        return self._known

    def add(self, psid: int, name: bytes, certificate: _Ready) -> None:
        """A certificate that was found to hold at the time and place of the last look."""
        self._known[psid][name] = certificate
        self._since, self._until = max(self._since, certificate.start), min(self._until, certificate.end)


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
        self._fitting = _Fitting()
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
                self._fitting = _Fitting()
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
        raw, first, permitted = buffer.tobytes(), start.tolist(), psid.tolist()
        earliest, latest = round((now - self.max_age) * 1e6) + 1, round((now + self.max_ahead) * 1e6) - 1
        spans = np.zeros((3, len(permitted)), np.int64)
        find_usual(buffer, start, psid, earliest, latest, *spans)
        begin, end, stop = spans.tolist()
        attached = (spans[2] != 0) & (buffer[spans[2]] == 0x81) if len(buffer) else np.zeros(len(permitted), bool)
        whole = self._whole
        signer = [
            whole.get(raw[s + WHOLE : last - TAIL], b"") if came else raw[s + 1 : s + DIGEST]
            for s, last, came in zip(stop, first[1:], attached.tolist())
        ]
        out = Checked([raw[a:b] for a, b in zip(begin, end)], signer, attached.astype(np.uint8), [], [])
        signed = [raw[a + 3 : b] for a, b in zip(first, stop)]
        signature = _ders(buffer, start, spans[2])
        fitting = self._fitting.look_up(now, self.revoked, place)
        ready = [fitting[p].get(name) if s else None for p, name, s in zip(permitted, signer, stop)]
        other: list[tuple[int, Envelope, Certificate]] = []
        for i in [i for i, known in enumerate(ready) if known is None]:
            known = self._p256.get(signer[i]) if stop[i] else None
            if (
                known is not None
                and signer[i] not in self.revoked
                and known.holds(permitted[i], now, self.revoked, place)
            ):
                ready[i] = known
                self._fitting.add(permitted[i], signer[i], known)
                continue
            out.payload[i] = signer[i] = b""
            out.attached[i] = 0
            try:
                envelope = open_envelope(raw[first[i] : first[i + 1]])
                certificate = self._admit(envelope, (permitted[i],), now, place)
                ready[i] = self._ready(certificate)
            except DecodeError:
                out.refused.append((i, "malformed"))
                continue
            except SecurityError as error:
                out.refused.append((i, error.reason))
                continue
            out.payload[i], signer[i] = envelope.payload, envelope.signer
            out.attached[i] = envelope.certificate is not None
            if envelope.header.requests:
                out.requests.append((i, envelope.header.requests))
            if ready[i] is None:
                other.append((i, envelope, certificate))
            else:
                signed[i], signature[i] = envelope.signed, der_signature(envelope.signature)
        tags = [
            sha256(sha256(content).digest() + known.digest).digest() if known is not None else b""
            for known, content in zip(ready, signed)
        ]
        # nothing but signatures from here on, so that their code and tables stay in the cache
        failed = []
        self._take_turns(now)
        seen, before = self._seen, self._seen_before
        for i, (known, r_and_s, tag) in enumerate(zip(ready, signature, tags)):
            if known is None:
                continue
            if tag in seen or tag in before:
                failed.append((i, "replayed"))
                continue
            try:
                known.verify(r_and_s, tag, VERIFY)
            except InvalidSignature:
                failed.append((i, "bad_signature"))
            else:
                seen.add(tag)
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


def _ders(buffer: U8, start: I64, usual: I64) -> list[bytes]:
    """The last 64 bytes of each message as a signature in DER; empty where `usual` is 0."""
    n = len(usual)
    out, size = np.zeros((n, DER_MOST), np.uint8), np.zeros(n, np.int64)
    der_signatures(buffer, np.where(usual != 0, start[1:] - 64, -1), out, size)
    raw = out.tobytes()
    return [raw[at : at + used] for at, used in zip(range(0, n * DER_MOST, DER_MOST), size.tolist())]


def _inside(region: Circle | Rectangle, latitude: float, longitude: float) -> bool:
    if isinstance(region, Rectangle):
        return region.south <= latitude <= region.north and region.west <= longitude <= region.east
    if region.radius <= 0.0:
        return True
    north = (latitude - region.latitude) * 111_195.0
    east = (longitude - region.longitude) * 111_195.0 * math.cos(math.radians(region.latitude))
    return math.hypot(north, east) <= region.radius

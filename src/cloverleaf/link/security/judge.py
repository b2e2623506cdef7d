"""Judges recorded messages: a verifier fed with certificates in any order, at a fixed time or at each message's own."""

from __future__ import annotations

from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.certificate import Certificate
from cloverleaf.link.security.envelope import Envelope
from cloverleaf.link.security.general import open_any
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import DecodeError, SecurityError


class Judge:
    """Checks messages one by one.

    Args:
        certificates: roots, authorities and tickets; self-signed ones are trusted.
        psids: acceptable application identifiers; any that the certificate permits if empty.
        now: s since 2004-01-01 TAI; None judges each message at its own generation time.
        place: (latitude, longitude) where certificates must hold; None does not check.
        revoked: HashedId8 of revoked certificates.
        signature_only: judge nothing but the signature, with whatever certificates there are.
    """

    def __init__(
        self,
        certificates: list[Certificate],
        *,
        psids: tuple[int, ...] = (),
        now: float | None = None,
        place: tuple[float, float] | None = None,
        revoked: set[bytes] | None = None,
        signature_only: bool = False,
    ) -> None:
        self.psids, self.now, self.place, self.signature_only = psids, now, place, signature_only
        self.known = {c.hashed_id: c for c in certificates}
        self.verifier = Verifier([c for c in certificates if not c.issuer])
        self.verifier.revoked |= revoked or set()
        waiting = [c for c in certificates if c.issuer]
        while waiting:  # issuers before those they issued, whatever their order
            left = [c for c in waiting if not self._learn(c)]
            if len(left) == len(waiting):
                break
            waiting = left

    def _learn(self, certificate: Certificate) -> bool:
        try:
            self.verifier.learn(certificate)
        except SecurityError:
            return False
        return True

    def check(self, data: bytes) -> Envelope:
        """The message, taken apart.

        Raises:
            SecurityError: refused, with one of `verifier.REASONS`.
        """
        try:
            envelope, extras = open_any(data)
        except DecodeError as error:
            raise SecurityError(error.message, reason="malformed") from error
        if self.signature_only:
            return self._signature(envelope)
        now = self.now if self.now is not None else envelope.header.generated * 1e-6
        for certificate in extras.chain[::-1]:  # issuers that came along, the highest first
            self._learn(certificate)
        self.verifier.judge(envelope, self.psids or (envelope.header.psid,), now, self.place)
        return envelope

    def _signature(self, envelope: Envelope) -> Envelope:
        certificate = envelope.certificate or self.known.get(envelope.signer)
        if certificate is None:
            raise SecurityError("the signer's certificate is not known", reason="unknown_certificate")
        self.known[certificate.hashed_id] = certificate
        if envelope.algorithm != certificate.algorithm or not algorithm(certificate.algorithm).verify(
            certificate.point, envelope.signature, envelope.signed, certificate.coer
        ):
            raise SecurityError("the signature does not hold", reason="bad_signature")
        return envelope

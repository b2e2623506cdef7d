"""One station's security over its life: signs, judges what it hears, asks peers for certificates it does not know and answers them.

Peer-to-peer distribution (IEEE 1609.2, 8; TS 103 097, 7.1.1): a message signed by an unknown ticket or issuer makes us put its HashedId3
into our next header; whoever reads its own ticket there attaches it to the next message, and whoever knows the issuer sends it along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cloverleaf.link.security.certificate import Certificate
from cloverleaf.link.security.envelope import Envelope, Header, seal, to_be_signed
from cloverleaf.link.security.general import Extras, open_any, with_answer
from cloverleaf.link.security.peers import MOST_REQUESTS
from cloverleaf.link.security.signer import ATTACH_EVERY, Signer
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import DecodeError, SecurityError


class SecureStation:
    """Signer and verifier of one station; `refused` counts every refusal by its reason, `accepted` the rest.

    Args:
        signer: with this station's tickets.
        verifier: with its trust anchors and what it has learnt.
        issuers: certificates that it may pass on when asked (its own authority, usually).
    """

    def __init__(self, signer: Signer, verifier: Verifier, issuers: Iterable[Certificate] = ()) -> None:
        self.signer, self.verifier = signer, verifier
        self.refused: Counter[str] = Counter()
        self.accepted = 0
        self._issuers = {c.hashed_id[-3:]: c for c in issuers}
        self._asked: set[bytes] = set()
        self._answer: Certificate | None = None
        self._attached = -1e18

    def sign(self, payload: bytes, psid: int, now: float, *, attach: bool = False, life: float = 0.0) -> bytes:
        """A signed message at `now` (s since 2004-01-01 TAI), with requests and answers in its header."""
        signer = self.signer
        attach = attach or signer.asked or now - self._attached >= ATTACH_EVERY - 1e-6
        if attach:
            self._attached, signer.asked = now, False
        micro = round(now * 1e6)
        wanted = tuple(sorted(digest[-3:] for digest in self.verifier.wanted))[:MOST_REQUESTS]
        header = Header(psid, micro, micro + round(life * 1e6) if life else 0, requests=wanted)
        signed = to_be_signed(payload, header)
        answer, self._answer = self._answer, None
        if answer is not None:
            signed = with_answer(signed, answer)
        certificate, key = signer.ticket
        return seal(signed, certificate, signer.algorithm.sign(key, signed, certificate.coer), attach=attach)

    def change_pseudonym(self) -> None:
        """Use the next ticket; its certificate goes along with the next message, and old questions are forgotten."""
        self.signer.change_pseudonym()
        self._attached = -1e18

    def receive(
        self, data: bytes, psids: tuple[int, ...], now: float, place: tuple[float, float] | None = None
    ) -> Envelope | None:
        """The message if it is accepted, else None; the reason is counted in `refused`."""
        try:
            envelope, extras = open_any(data)
            self._serve(envelope.header.requests, extras)
            self.verifier.judge(envelope, psids, now, place)
        except DecodeError:
            self.refused["malformed"] += 1
            return None
        except SecurityError as error:
            self.refused[error.reason] += 1
            if error.reason == "untrusted_issuer" and envelope.certificate is not None:
                self._ask_issuer(envelope.certificate, extras)
            return None
        self.accepted += 1
        return envelope

    def _serve(self, requests: tuple[bytes, ...], extras: Extras) -> None:
        """Remember what others ask for, and learn what came along."""
        for certificate in (*extras.chain[::-1], extras.requested):
            if certificate is not None:
                self._learn(certificate)
        for digest in requests:
            if digest == self.signer.ticket.certificate.hashed_id[-3:]:
                self.signer.asked = True
            elif digest in self._issuers:
                self._answer = self._issuers[digest]

    def _learn(self, certificate: Certificate) -> None:
        try:
            self.verifier.learn(certificate)
        except SecurityError as error:
            self.refused[f"certificate: {error.reason}"] += 1
            return
        if certificate.issues:
            self._issuers[certificate.hashed_id[-3:]] = certificate

    def _ask_issuer(self, certificate: Certificate, extras: Extras) -> None:
        """Ask for the issuer of a ticket, if it is only unknown."""
        if (
            certificate.issuer
            and self.verifier.known(certificate.issuer) is None
            and not self.verifier.trusts(certificate.issuer)
        ):
            self.verifier.wanted.add(certificate.issuer)

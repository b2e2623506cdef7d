"""Checks the signed messages of frames: the common form many at a time, everything else by the link's verifier.

Both say no for the same reasons in the same order. Messages of a simulated clock are checked against the simulation's own authority
only, so that its fixed keys open nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from cloverleaf.cloud.security import envelopes as env
from cloverleaf.link.batches import pack
from cloverleaf.link.security.algorithms import p256_point, sha256
from cloverleaf.link.security.bus_security import DEFAULT_CLOCK, ITS_EPOCH, PSID, BusSecurity
from cloverleaf.link.security.certificate import Certificate, decode_certificate
from cloverleaf.link.security.oer import Reader
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import CloverleafError, InputError, SecurityError
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import I64, U8

_DIGEST = ec.ECDSA(Prehashed(hashes.SHA256()))
MOST_KEYS = 100_000
PSIDS = {int(k): (PSID["csae"][k], PSID["etsi"][k]) for k in MessageKind}


class _Key(NamedTuple):
    """What a known certificate's messages are checked with."""

    key: ec.EllipticCurvePublicKey
    digest: bytes  # of the certificate
    certificate: Certificate


class FrameChecker:
    """Verifies envelopes of many senders.

    Args:
        trusted: self-signed roots first, then the authorities below them.
        simulated: also accept the simulation's authority, for frames of a simulated clock.
    """

    def __init__(self, name: str = "p256", trusted: list[Certificate] | None = None, *, simulated: bool = True) -> None:
        certificates = trusted or []
        self.real = Verifier([c for c in certificates if not c.issuer])
        for c in certificates:
            if c.issuer:
                self.real.learn(c)
        self.simulated = Verifier([])
        if simulated:
            world = BusSecurity(name, "csae_day2", clock=DEFAULT_CLOCK)
            self.simulated = world.verifier
        self._keys: dict[tuple[bool, bytes], _Key] = {}

    def check(
        self, buffer: U8, start: I64, kind: int, now: float, simulated: bool = False
    ) -> tuple[U8, I64, list[str]]:
        """Payload buffer, offsets, and a reason per message, empty where it is accepted; `now` s since 1970 of the senders' clock."""
        n = len(start) - 1
        at, der, size = np.zeros((n, 10), np.int64), np.zeros((n, env.DER_BYTES), np.uint8), np.zeros(n, np.int64)
        env.parse(np.array(buffer), start, at, der, size)
        verifier = self.simulated if simulated else self.real
        its = now - ITS_EPOCH
        raw, signatures = buffer.tobytes(), der.tobytes()
        early, late = round((its - verifier.max_age) * 1e6), round((its + verifier.max_ahead) * 1e6)
        wanted = PSIDS[kind]
        parts: list[bytes] = []
        reasons: list[str] = []
        bounds = start.tolist()
        for i, (row, m) in enumerate(zip(at.tolist(), size.tolist())):
            known = self._keys.get((simulated, raw[row[8] : row[8] + 8])) if row[0] else None
            if known is None:  # the uncommon: certificates attached, senders not seen before, SM2, anything malformed
                parts.append(self._one(raw[bounds[i] : bounds[i + 1]], wanted, its, simulated, reasons))
                continue
            _, begin, end, payload, payload_end, psid, generated, expires, _, _ = row
            key, digest, certificate = known
            hashed = sha256(sha256(raw[begin:end]) + digest)
            reason = ""
            if self._lapsed(certificate, verifier, its):
                reason = self._why(raw[bounds[i] : bounds[i + 1]], wanted, its, simulated)
            elif psid not in wanted or psid not in certificate.permissions:
                reason = "wrong_permission"
            elif generated < early or (expires and its * 1e6 > expires):
                reason = "message_expired"
            elif generated > late:
                reason = "from_the_future"
            elif verifier.seen(hashed):
                reason = "replayed"
            else:
                try:
                    key.verify(signatures[env.DER_BYTES * i : env.DER_BYTES * i + m], hashed, _DIGEST)
                    verifier.remember(hashed, its)
                except InvalidSignature:
                    reason = "bad_signature"
            reasons.append(reason)
            parts.append(b"" if reason else raw[payload:payload_end])
        payloads, offsets = pack(parts)
        return payloads, offsets, reasons

    def _one(self, data: bytes, psids: tuple[int, ...], its: float, simulated: bool, reasons: list[str]) -> bytes:
        """The slow way; learns the sender's key for the fast one."""
        verifier = self.simulated if simulated else self.real
        try:
            envelope = verifier.check(data, psids, its)
        except SecurityError as error:
            reasons.append(error.reason)
            return b""
        certificate = verifier.known(envelope.signer)
        if certificate is not None and certificate.algorithm == "p256":
            digest = sha256(certificate.coer)  # the verifier remembers messages by the same digest as the fast way
            if len(self._keys) > MOST_KEYS:
                self._keys.clear()
            self._keys[simulated, envelope.signer] = _Key(p256_point(certificate.point), digest, certificate)
        reasons.append("")
        return envelope.payload

    @staticmethod
    def _lapsed(certificate: Certificate, verifier: Verifier, its: float) -> bool:
        """Whether a certificate that once held does so no more."""
        gone = certificate.hashed_id in verifier.revoked or certificate.issuer in verifier.revoked
        return gone or not certificate.start <= its <= certificate.end

    def _why(self, data: bytes, psids: tuple[int, ...], its: float, simulated: bool) -> str:
        reasons: list[str] = []
        self._one(data, psids, its, simulated, reasons)
        return reasons[0]


def read_trust(folder: Path) -> list[Certificate]:
    """Certificates in a folder's .coer files (IEEE 1609.2), roots first.

    Raises:
        InputError: a file is none.
    """
    found = []
    for path in sorted(folder.glob("*.coer")) if folder.is_dir() else []:
        try:
            found.append(decode_certificate(Reader(path.read_bytes())))
        except CloverleafError as error:
            raise InputError(
                f"not a certificate: {error}", file=path, hint="IEEE 1609.2 certificates in OER"
            ) from error
    return sorted(found, key=lambda c: bool(c.issuer))


def checker_of(name: str, trust: Path) -> Any:
    """The checker of a platform's security setting with the certificates in a folder; None for "none"."""
    return None if name == "none" else FrameChecker(name, read_trust(trust))

"""Revocation lists (IEEE 1609.2): hashes of revoked certificates, signed by a station that may, checked and applied to a verifier."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloverleaf.link.codec.single import codec
from cloverleaf.link.security.algorithms import Algorithm
from cloverleaf.link.security.certificate import Certificate
from cloverleaf.link.security.envelope import Header, seal, to_be_signed
from cloverleaf.link.security.signer import Ticket
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import DecodeError, SecurityError

CRL_PSID = 256
"""Application identifier of revocation lists; the list's signer must have it among its permissions."""


class RevocationList(NamedTuple):
    """A list as it was received."""

    serial: int
    issued: int  # s since 2004-01-01 TAI
    following: int  # when the next list is due
    ids: frozenset[bytes]  # HashedId8


def revocation_list(
    algorithm: Algorithm, ticket: Ticket, revoked: list[Certificate], *, serial: int, now: float, following: float
) -> bytes:
    """A signed list of revoked certificates; times in s since 2004-01-01 TAI."""
    entries = [{"id": {"hex": algorithm.hash(c.coer)[-10:].hex()}, "expiry": c.end & 0xFFFFFFFF} for c in revoked]
    value = {
        "version": 1, "crlSeries": 1, "crlCraca": {"hex": ticket.certificate.hashed_id.hex()}, "issueDate": int(now),
        "nextCrl": int(following), "priorityInfo": {}, "typeSpecific": ["fullHashCrl", {"crlSerial": serial, "entries": entries}],
    }  # fmt: skip
    signed = to_be_signed(codec("ieee1609dot2", "crl").encode(value), Header(CRL_PSID, round(now * 1e6)))
    return seal(signed, ticket.certificate, algorithm.sign(ticket.key, signed, ticket.certificate.coer), attach=True)


class Revocations:
    """The newest list of a verifier; older ones are refused, so that nobody can bring back an old state."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self.newest: RevocationList | None = None

    def apply(self, data: bytes, now: float) -> RevocationList:
        """Check a list and revoke what it names.

        Raises:
            SecurityError: refused by the verifier, not a list ("malformed"), or not newer than the known one ("replayed").
        """
        envelope = self.verifier.check(data, (CRL_PSID,), now)
        try:
            value: Any = codec("ieee1609dot2", "crl").decode(envelope.payload)
        except DecodeError as error:
            raise SecurityError(f"not a revocation list: {error.message}", reason="malformed") from None
        form, content = value["typeSpecific"]
        found = RevocationList(
            content["crlSerial"],
            value["issueDate"],
            value["nextCrl"],
            frozenset(bytes.fromhex(e["id"]["hex"])[-8:] for e in content["entries"]),
        )
        if self.newest is not None and (found.serial, found.issued) <= (self.newest.serial, self.newest.issued):
            raise SecurityError("an older revocation list than the known one", reason="replayed")
        if form == "fullHashCrl" and self.newest is not None:
            self.verifier.revoked -= self.newest.ids
        self.verifier.revoked |= found.ids
        self.newest = found
        return found

    def overdue(self, now: float) -> bool:
        """Whether the next list should have arrived by now."""
        return self.newest is not None and now > self.newest.following

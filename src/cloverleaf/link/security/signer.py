"""Sign messages as a station: tickets, certificate attached once a second, pseudonym change."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cloverleaf.link.security.algorithms import Algorithm
from cloverleaf.link.security.certificate import Certificate, issue
from cloverleaf.link.security.envelope import Header, seal, to_be_signed

ATTACH_EVERY = 1.0
"""s between messages that carry the whole certificate (TS 103 097, CAM profile)."""


class Ticket(NamedTuple):
    """A pseudonym: certificate and key."""

    certificate: Certificate
    key: Any


class Authority(NamedTuple):
    """A test PKI: root and authorization authority of one algorithm."""

    algorithm: Algorithm
    root: Certificate
    authority: Certificate
    key: Any
    start: int
    hours: int

    def ticket(self, number: int, permissions: dict[int, bytes], regions: tuple = ()) -> Ticket:
        """Pseudonym number `number`; equal numbers give equal keys (for repeatable runs; never for real use)."""
        key = self.algorithm.generate(0x5EED << 200 | (number + 1) << 8 | 3)
        certificate = issue(
            self.algorithm, self.authority, self.key, key, name="", start=self.start, hours=self.hours,
            permissions=permissions, regions=regions,
        )  # fmt: skip
        return Ticket(certificate, key)


def simulated_authority(algorithm: Algorithm, start: int, hours: int = 168) -> Authority:
    """A PKI with fixed keys, valid from `start` s since 2004-01-01 TAI: for simulations only."""
    root_key, key = algorithm.generate(0xC10BE4), algorithm.generate(0x1EAF)
    root = issue(
        algorithm, None, root_key, root_key, name="root", start=start, hours=hours, permissions={}, issues=True
    )
    authority = issue(
        algorithm, root, root_key, key, name="authority", start=start, hours=hours, permissions={}, issues=True
    )
    return Authority(algorithm, root, authority, key, start, hours)


class Signer:
    """Signs as one station. `tickets` are used in turn; a change starts a new pseudonym."""

    def __init__(self, algorithm: Algorithm, tickets: list[Ticket]) -> None:
        self.algorithm, self.tickets = algorithm, tickets
        self._use = 0
        self._attached = -math.inf
        self.asked = False  # a peer has asked for our certificate

    @property
    def ticket(self) -> Ticket:
        """The pseudonym in use."""
        return self.tickets[self._use]

    def change_pseudonym(self) -> None:
        """Use the next ticket from now on; its certificate goes out with the next message."""
        self._use = (self._use + 1) % len(self.tickets)
        self._attached = -math.inf

    def sign(self, payload: bytes, psid: int, now: float, *, attach: bool = False, life: float = 0.0) -> bytes:
        """The signed message; `now` s since 2004-01-01 TAI, `life` s until it expires (0: no expiry given)."""
        attach = attach or self.asked or now - self._attached >= ATTACH_EVERY - 1e-6
        if attach:
            self._attached, self.asked = now, False
        micro = round(now * 1e6)
        signed = to_be_signed(payload, Header(psid, micro, micro + round(life * 1e6) if life else 0))
        certificate, key = self.ticket
        return seal(signed, certificate, self.algorithm.sign(key, signed, certificate.coer), attach=attach)

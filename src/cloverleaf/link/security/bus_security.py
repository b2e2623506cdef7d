"""Security of a whole simulated world: every station signs with its own ticket; every message is verified once for all who hear it.

What a station can verify per second is modelled by `capacity` (see `schedule.py`), who could verify what by `peers.py`: a receiver that has
not heard the sender's certificate loses the message and asks for the certificate in its own next one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.algo.rng import PSEUDONYM, stream, uniform
from cloverleaf.link.batches import pack
from cloverleaf.link.overload import Pairs
from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.applications import PSID as PSID
from cloverleaf.link.security.envelope import Header, encode_header
from cloverleaf.link.security.peers import MOST_REQUESTS, Peers
from cloverleaf.link.security.pens import Pens
from cloverleaf.link.security.revocation import CRL_PSID, Revocations, revocation_list
from cloverleaf.link.security.signer import Signer, Ticket, simulated_authority
from cloverleaf.link.security.verifier import Checked, Verifier
from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.messages import CLOUD_STATION, RSU_STATION_BASE, MessageKind, WireBatch
from cloverleaf.types.state import I64, U8

ITS_EPOCH = 1_072_915_195.0
"""Seconds from 1970-01-01 UTC to 2004-01-01 TAI-based ITS time, five leap seconds since then included."""
DEFAULT_CLOCK = 1_767_225_600.0
"""2026-01-01 UTC, s since 1970."""

CAPACITY = {"p256": 2000.0, "sm2": 1600.0}
"""Verifications per second of a station: the order of today's on-board hardware security modules."""


class BusSecurity:
    """Signs and checks for `link.bus.Link`.

    Args:
        name: p256 or sm2.
        standard: message set; decides the application identifiers.
        clock: UTC of simulation time 0, s since 1970.
        pseudonyms: tickets per car, used in turn whenever `change` is called.
        place: (latitude, longitude) in degrees where certificates with a region must hold; None does not check.
        revoked_share: share of cars whose tickets are revoked before they drive, drawn by `seed`.

    Raises:
        StudyError: no such security.
        SecurityError: SM2 without libcrypto.
    """

    def __init__(
        self,
        name: str,
        standard: str,
        *,
        clock: float = DEFAULT_CLOCK,
        pseudonyms: int = 1,
        place: tuple[float, float] | None = None,
        revoked_share: float = 0.0,
        seed: int = 0,
    ) -> None:
        if name not in CAPACITY:
            raise StudyError(
                f"unknown security '{name}'", element="link.security", hint=nearest(name, ["none", *CAPACITY])
            )
        self.algorithm = algorithm(name)
        self.offset = clock - ITS_EPOCH
        self.capacity = CAPACITY[name]
        self.psid = PSID[standard.partition("_")[0]]
        self._psid = np.array([self.psid[k] for k in range(len(self.psid))], np.int64)
        self.authority = simulated_authority(self.algorithm, int(self.offset) - 3600)
        self.verifier = Verifier([self.authority.root])
        self.verifier.learn(self.authority.authority)
        self.pseudonyms, self.place, self.revoked_share, self.seed = pseudonyms, place, revoked_share, seed
        self._revocations = Revocations(self.verifier)
        self._revoked: list[Ticket] = []
        self._signers: dict[int, Signer] = {}
        self._pens = Pens(self.algorithm)
        self._wanted: dict[int, list[bytes]] = {}  # certificates that a station will ask for, HashedId3
        self._owner: dict[bytes, int] = {}  # HashedId3 of a ticket in use -> its station
        self._number: dict[bytes, int] = {}  # HashedId8 -> number of the ticket
        self._peers = Peers()
        self._heard = Checked([], [], np.zeros(0, np.uint8), [], [])

    def signer(self, station: int) -> Signer:
        """The signer of a station; cars may say where they are, infrastructure everything else."""
        if station not in self._signers:
            fixed = station >= RSU_STATION_BASE or station == CLOUD_STATION
            kinds = [k for k in MessageKind if (k != MessageKind.AWARENESS) == fixed or k == MessageKind.PERCEPTION]
            permissions = {self.psid[k]: b"" for k in kinds}
            many = 1 if fixed else self.pseudonyms
            number = 2 * (station - RSU_STATION_BASE) + 1 if station >= RSU_STATION_BASE else 2 * (station + 16)
            tickets = [self.authority.ticket(number + (k << 40), permissions) for k in range(many)]
            self._signers[station] = Signer(self.algorithm, tickets)
            self._use(station)
            key = np.uint64(stream(np.int64(self.seed), np.int64(1), np.int64(station), np.int64(PSEUDONYM)))
            if not fixed and uniform(key, np.int64(0)) < self.revoked_share:
                self._revoked += tickets
        return self._signers[station]

    def _use(self, station: int) -> None:
        """Make ready the ticket that a station uses from now on; its next message carries the certificate."""
        ticket = self._signers[station].ticket
        certificate = ticket.certificate
        self._number.setdefault(certificate.hashed_id, len(self._number))
        self._owner[certificate.hashed_id[-3:]] = station
        self._pens.use(station, ticket)

    def change(self, stations: list[int]) -> None:
        """These stations change their pseudonyms."""
        for station in stations:
            self.signer(station).change_pseudonym()
            self._use(station)

    def revoke(self, stations: list[int], t: float) -> None:
        """Put all tickets of some stations on the next revocation list, which every station gets at once."""
        for station in stations:
            self._revoked += self.signer(station).tickets
        self._publish(t + self.offset)

    def _publish(self, now: float) -> None:
        """Issue and apply a list of all revoked tickets."""
        issuer = self.authority.ticket(1 << 60, {CRL_PSID: b""})
        newest = self._revocations.newest
        serial = newest.serial + 1 if newest else 1
        certificates = [ticket.certificate for ticket in self._revoked]
        raw = revocation_list(self.algorithm, issuer, certificates, serial=serial, now=now, following=now + 86_400)
        self._revocations.apply(raw, now)

    def sign(self, wire: WireBatch, t: float) -> WireBatch:
        """The same messages inside signed envelopes, as of `t` s."""
        now, before, stations = t + self.offset, len(self._revoked), wire.station.tolist()
        try:
            pen = self._pens.of(stations)
        except KeyError:  # somebody speaks for the first time
            for station in stations:
                self.signer(station)
            pen = self._pens.of(stations)
        micro = round(now * 1e6)
        headers = [encode_header(Header(self.psid[k], micro)) for k in range(len(self.psid))]
        header = wire.kind.astype(np.int64)
        for i, station in enumerate(stations if self._wanted else ()):
            if station in self._wanted:
                header[i] = len(headers)
                requests = tuple(self._wanted.pop(station))
                headers.append(encode_header(Header(self.psid[int(wire.kind[i])], micro, requests=requests)))
        always = (wire.kind == MessageKind.EVENT).astype(np.uint8)
        buffer, start = self._pens.sign(wire.buffer, wire.start, pen, header, headers, always, now)
        if len(self._revoked) > before:
            self._publish(now)
        return wire._replace(buffer=buffer, start=start)

    def check(self, wire: WireBatch, t: float) -> tuple[U8, I64, U8, list[str]]:
        """(payload buffer, offsets, verdict 1 accepted, reasons of the refused)."""
        psid = self._psid[wire.kind]
        found = self.verifier.check_all(wire.buffer, wire.start, psid, t + self.offset, self.place)
        self._heard = found
        verdict = np.ones(len(psid), np.uint8)
        verdict[[i for i, _ in found.refused]] = 0
        buffer, offsets = pack(found.payload)
        return buffer, offsets, verdict, [reason for _, reason in found.refused]

    def hear(self, groups: list[tuple[Pairs, I64]]) -> tuple[list[Pairs], int]:
        """Of the messages checked last, what each receiver could check too, and how many pairs could not; groups of (pairs, station ids).

        Who lacks a certificate asks for it in its next message, and who is asked attaches it.
        """
        heard, number = self._heard, self._number
        ticket = np.array([number.get(signer, -1) for signer in heard.signer], np.int64)
        out, lost = [], 0
        for pairs, ids in groups:
            self._answer(heard.requests, pairs, ids)
            kept, receiver, message = self._peers.hear(pairs, ids, ticket, heard.attached)
            for r, m in zip(ids[receiver].tolist(), message.tolist()):
                wanted, digest = self._wanted.setdefault(r, []), heard.signer[m][-3:]
                if len(wanted) < MOST_REQUESTS and digest not in wanted:
                    wanted.append(digest)
            out.append(kept)
            lost += len(message)
        return out, lost

    def _answer(self, asking: list[tuple[int, tuple[bytes, ...]]], pairs: Pairs, ids: I64) -> None:
        """Stations that hear a request for their certificate attach it to their next message."""
        if not asking:
            return
        place: dict[int, int] = {int(s): r for r, s in enumerate(ids)}
        for message, requests in asking:
            for digest in requests:
                r = place.get(self._owner.get(digest, -1))
                if r is not None and (pairs.message[pairs.start[r] : pairs.start[r + 1]] == message).any():
                    self._pens.attach(int(ids[r]))


def bus_security(name: str, standard: str, **options: Any) -> BusSecurity | None:
    """Security of a study by name: none, p256 or sm2; None for none. Options as for `BusSecurity`."""
    return None if name == "none" else BusSecurity(name, standard, **options)

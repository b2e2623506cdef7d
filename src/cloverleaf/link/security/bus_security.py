"""Security of a whole simulated world: every station signs with its own ticket; every message is verified once for all who hear it.

What a station can verify per second is modelled by `capacity` (see `schedule.py`). One verifier stands for all receivers: that a
receiver may have missed the message with the sender's full certificate is not modelled.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cloverleaf.link.batches import pack
from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.signer import Signer, simulated_authority
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import SecurityError, StudyError, nearest
from cloverleaf.types.messages import CLOUD_STATION, RSU_STATION_BASE, MessageKind, WireBatch
from cloverleaf.types.state import I64, U8

ITS_EPOCH = 1_072_915_195.0
"""Seconds from 1970-01-01 UTC to 2004-01-01 TAI-based ITS time, five leap seconds since then included."""
DEFAULT_CLOCK = 1_767_225_600.0
"""2026-01-01 UTC, s since 1970."""

PSID: dict[str, dict[int, int]] = {
    "csae": {
        MessageKind.AWARENESS: 111,
        MessageKind.SIGNAL: 3619,
        MessageKind.TOPOLOGY: 3618,
        MessageKind.PERCEPTION: 3623,
        MessageKind.ADVICE: 3622,
        MessageKind.EVENT: 3622,
    },
    "etsi": {
        MessageKind.AWARENESS: 36,
        MessageKind.SIGNAL: 137,
        MessageKind.TOPOLOGY: 138,
        MessageKind.PERCEPTION: 639,
        MessageKind.ADVICE: 139,
        MessageKind.EVENT: 37,
    },
}
"""Application identifiers of message kinds. Advice has none of its own in either set: the dynamic RSI's and IVIM's stand in."""

CAPACITY = {"p256": 2000.0, "sm2": 1600.0}
"""Verifications per second of a station: the order of today's on-board hardware security modules."""


class BusSecurity:
    """Signs and checks for `link.bus.Link`.

    Args:
        name: p256 or sm2.
        standard: message set; decides the application identifiers.
        clock: UTC of simulation time 0, s since 1970.
        pseudonyms: tickets per car, used in turn every `change_every` s (0: never changed).

    Raises:
        StudyError: no such security.
        SecurityError: SM2 without libcrypto.
    """

    def __init__(
        self, name: str, standard: str, *, clock: float = DEFAULT_CLOCK, pseudonyms: int = 1, change_every: float = 0.0
    ) -> None:
        if name not in CAPACITY:
            raise StudyError(
                f"unknown security '{name}'", element="link.security", hint=nearest(name, ["none", *CAPACITY])
            )
        self.algorithm = algorithm(name)
        self.offset = clock - ITS_EPOCH
        self.capacity = CAPACITY[name]
        self.psid = PSID["etsi" if standard.startswith("etsi") else "csae"]
        self.authority = simulated_authority(self.algorithm, int(self.offset) - 3600)
        self.verifier = Verifier([self.authority.root])
        self.verifier.learn(self.authority.authority)
        self.pseudonyms, self.change_every = pseudonyms, change_every
        self._signers: dict[int, Signer] = {}
        self._changed: dict[int, float] = {}

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
        return self._signers[station]

    def sign(self, wire: WireBatch, t: float) -> WireBatch:
        """The same messages inside signed envelopes, as of `t` s."""
        now = t + self.offset
        raw, start = wire.buffer.tobytes(), wire.start.tolist()
        parts = []
        for i, (station, kind) in enumerate(zip(wire.station.tolist(), wire.kind.tolist())):
            signer = self.signer(station)
            if self.change_every and t - self._changed.setdefault(station, t) >= self.change_every:
                signer.change_pseudonym()
                self._changed[station] = t
            attach = kind == MessageKind.EVENT
            parts.append(signer.sign(raw[start[i] : start[i + 1]], self.psid[kind], now, attach=attach))
        buffer, offsets = pack(parts)
        return wire._replace(buffer=buffer, start=offsets)

    def check(self, wire: WireBatch, t: float) -> tuple[U8, I64, U8, list[str]]:
        """(payload buffer, offsets, verdict 1 accepted, reasons of the refused)."""
        now = t + self.offset
        raw, start = wire.buffer.tobytes(), wire.start.tolist()
        messages = [raw[a:b] for a, b in pairwise(start)]
        found = self.verifier.check_all(messages, [(self.psid[kind],) for kind in wire.kind.tolist()], now)
        refused = [isinstance(f, SecurityError) for f in found]
        parts = [b"" if isinstance(f, SecurityError) else f.payload for f in found]
        reasons = [f.reason for f in found if isinstance(f, SecurityError)]
        verdict = np.logical_not(refused).astype(np.uint8)
        buffer, offsets = pack(parts)
        return buffer, offsets, verdict, reasons


def bus_security(name: str, standard: str, clock: float = DEFAULT_CLOCK) -> BusSecurity | None:
    """Security of a study by name: none, p256 or sm2; None for none."""
    return None if name == "none" else BusSecurity(name, standard, clock=clock)

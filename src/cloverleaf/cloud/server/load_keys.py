"""Signing for the load generator: a PKI of its own, whose root is left for the platform to trust."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloverleaf.link.batches import pack
from cloverleaf.link.security.algorithms import P256
from cloverleaf.link.security.bus_security import ITS_EPOCH, PSID
from cloverleaf.link.security.signer import Authority, Signer, simulated_authority
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import I64, U8

BSM = PSID["csae"][MessageKind.AWARENESS]


def authority() -> Authority:
    """The same keys and certificates in every process of a day."""
    today = int(time.time() // 86_400 * 86_400 - ITS_EPOCH)
    return simulated_authority(P256, today - 86_400)


def leave_trust(folder: Path) -> None:
    """Write the authority's certificates where a platform looks for them. For tests and benchmarks: the keys are known to everyone."""
    folder.mkdir(parents=True, exist_ok=True)
    found = authority()
    (folder / "load-root.coer").write_bytes(found.root.coer)
    (folder / "load-authority.coer").write_bytes(found.authority.coer)


def signers(vehicles: int) -> Callable[[Any, U8, I64, float], tuple[U8, I64]]:
    """A function that signs messages of the vehicles `rows`."""
    root = authority()
    each = [Signer(P256, [root.ticket(1000 + k, {BSM: b""})]) for k in range(vehicles)]

    def sign(rows: Any, buffer: U8, start: I64, t: float) -> tuple[U8, I64]:
        raw, at = buffer.tobytes(), start.tolist()
        return pack([each[r].sign(raw[at[i] : at[i + 1]], BSM, t - ITS_EPOCH) for i, r in enumerate(rows.tolist())])

    return sign

"""Checks signed messages of a frame: the verifier of the link, with one reason per message."""

from __future__ import annotations

import numpy as np

from cloverleaf.link.batches import pack
from cloverleaf.link.security.bus_security import ITS_EPOCH, bus_security
from cloverleaf.types.errors import SecurityError
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import I64, U8


class FrameChecker:
    """Verifies envelopes one after the other against the authority of `name` (p256 or sm2)."""

    def __init__(self, name: str) -> None:
        found = bus_security(name, "csae_day2", clock=0.0)
        assert found is not None
        self.verifier = found.verifier
        etsi = bus_security(name, "etsi", clock=0.0)
        assert etsi is not None
        self.psids = {int(k): (found.psid[k], etsi.psid[k]) for k in MessageKind}

    def check(self, buffer: U8, start: I64, kind: U8, now: float) -> tuple[U8, I64, list[str]]:
        """Payload buffer, offsets, and a reason per message, empty where it is accepted; `now` s since 1970."""
        raw, at = buffer.tobytes(), start.tolist()
        parts, reasons = [], []
        for i, k in enumerate(np.asarray(kind).tolist()):
            try:
                envelope = self.verifier.check(raw[at[i] : at[i + 1]], self.psids[k], now - ITS_EPOCH)
                parts.append(envelope.payload)
                reasons.append("")
            except SecurityError as error:
                parts.append(b"")
                reasons.append(error.reason)
        payload, offsets = pack(parts)
        return payload, offsets, reasons


def checker_of(name: str) -> FrameChecker | None:
    """The checker of a platform's security setting; None for "none"."""
    return None if name == "none" else FrameChecker(name)

"""What the broker refused, from its log into the audit log: failed logins, bad certificates, forbidden subjects."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from cloverleaf.cloud.security.audit import Audit
from cloverleaf.cloud.security.limits import Buckets

_TOLD = re.compile(
    r"authentication error|authorization violation|permissions violation|tls handshake error|certificate", re.IGNORECASE
)


class Refusals:
    """Follows a broker's log file."""

    def __init__(self, log: Path, audit: Audit) -> None:
        self.log, self.audit = log, audit
        self._at = log.stat().st_size if log.exists() else 0
        self._noted = Buckets(2.0, 50.0)

    def look(self, now: float) -> int:
        """Enter what is new; returns how many refusals there were, a flood of them counted but not entered one by one."""
        if not self.log.exists():
            return 0
        if self.log.stat().st_size < self._at:
            self._at = 0
        with open(self.log, "rb") as f:
            f.seek(self._at)
            text = f.read(4_000_000)
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        found = [line for line in whole.decode(errors="replace").splitlines() if _TOLD.search(line)]
        for line in found:
            if self._noted.take("broker", now):
                self.audit.write(now, "broker", "refused", line=line[-300:])
        return len(found)

    async def follow(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await asyncio.to_thread(self.look, time.time())
            await asyncio.sleep(1.0)

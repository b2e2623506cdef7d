"""Sends frames so that they are kept: to the two streams in turn, and to the other one at once where one does not acknowledge.

A frame that was sent to both may be kept twice; whoever reads the streams knows it by its source, epoch and sequence and takes it once.
"""

from __future__ import annotations

import asyncio
import time

from nats.aio.client import Client

from cloverleaf.cloud.live.frames import Frame, identity, pack_frame
from cloverleaf.cloud.live.subjects import SPACES, STREAMS, frame_subject

FIRST_WAIT, LONGEST_WAIT = 0.25, 2.0
"""s that a stream has to acknowledge a frame, at the first attempt and at most; each attempt waits twice as long as the one before."""
PAUSE = 0.05
"""s before a frame that neither stream took is sent a third time."""
AWAY = 1.0
"""s for which a stream that did not acknowledge is left in peace; then one frame tries it, and the others follow if it is taken."""


class Durable:
    """Both streams as one source of frames sees them. `again` counts attempts that were not acknowledged."""

    def __init__(self, broker: Client) -> None:
        self.again = 0
        self._broker, self._js = broker, broker.jetstream()
        self._turn = 0
        self._until = [0.0] * len(STREAMS)  # until when each is taken to be away; 0: it is there

    async def keep(self, frame: Frame, tenant: str, source: str, patience: float) -> bool:
        """Send a frame of `TENANT.SOURCE` until it is acknowledged, at least once and for about `patience` s; whether it was."""
        name = identity(f"{tenant}.{source}", frame)
        return await self.send(frame.tile, tenant, source, pack_frame(frame), name, patience)

    async def send(self, tile: int, tenant: str, source: str, data: bytes, name: str, patience: float) -> bool:
        """The same for a frame's bytes and its name."""
        end, wait, last = time.monotonic() + patience, FIRST_WAIT, -1
        while True:
            stream = self._choose(last)
            try:
                subject = frame_subject(tile, tenant, source, stream)
                await self._js.publish(subject, data, timeout=wait, headers={"Nats-Msg-Id": name})
                self._until[stream] = 0.0
                return True
            except Exception:
                self.again += 1
                self._until[stream] = time.monotonic() + AWAY
                if time.monotonic() > end:
                    return False
                if last >= 0:
                    await asyncio.sleep(PAUSE)
            wait, last = min(2.0 * wait, LONGEST_WAIT), stream

    def _choose(self, last: int) -> int:
        """The other one than the `last` attempt's; at first the next in turn, unless it is away and the other is not."""
        now = time.monotonic()
        if last >= 0:
            return (last + 1) % len(SPACES)
        self._turn = (self._turn + 1) % len(SPACES)
        other = (self._turn + 1) % len(SPACES)
        if now < self._until[self._turn] and now >= self._until[other]:
            return other
        if self._until[self._turn]:
            self._until[self._turn] = now + AWAY  # this one tries; the others wait for what comes of it
        return self._turn

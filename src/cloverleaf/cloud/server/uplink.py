"""Feeds a platform from a program without an event loop: frames go out in a thread of their own; nothing here blocks the caller."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from nats.aio.msg import Msg

from cloverleaf.cloud.live.frames import Frame, identity, pack_frame
from cloverleaf.cloud.live.intake import select
from cloverleaf.cloud.live.tiles import tile_of
from cloverleaf.cloud.server.child import reach
from cloverleaf.cloud.server.durable import Durable
from cloverleaf.types.state import F64, I64, U8

PATIENCE = 5.0
"""s for which a frame is sent before it is kept for later."""


class Keeping(Protocol):
    """Holds what could not be sent, in order; `road/spool.py` implements it."""

    def __len__(self) -> int:
        """How many wait."""

    def put(self, data: bytes) -> None:
        """Keep one."""

    def first(self) -> bytes | None:
        """The oldest, which stays until `done`."""

    def done(self) -> None:
        """The oldest has arrived."""


class Uplink:
    """A source of frames, `TENANT.SOURCE`, connected to the broker at `url`.

    Raises:
        CloverleafError: no broker answers there within `patience` s.
    """

    def __init__(
        self, url: str, tenant: str, source: str, standard: str, *, patience: float = 10.0, spool: Keeping | None = None
    ) -> None:
        self.tenant, self.source, self.standard = tenant, source, standard
        self.epoch, self.sequence = int(time.time()), 0
        self.sent = self.acknowledged = self.failed = 0
        self.spool = spool
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="uplink", daemon=True)
        self._thread.start()
        future = asyncio.run_coroutine_threadsafe(reach(url, f"{tenant}.{source}", patience), self._loop)
        try:
            self._broker = future.result(patience + 5.0)
        except BaseException:
            self._end()
            raise
        self._durable = Durable(self._broker)
        if spool is not None:
            self._forwarding = asyncio.run_coroutine_threadsafe(self._forward(), self._loop)

    def send(self, kind: U8, trust: U8, buffer: U8, start: I64, x: F64, y: F64, now: float, flags: int = 0) -> None:
        """Send messages of senders at (x, y), shape (n,) each: one frame per tile. `now`: s since 1970 of the source's clock."""
        tile = tile_of(x, y)
        for t in np.unique(tile).tolist():
            rows = np.flatnonzero(tile == t)
            part, offsets = select(buffer, start, rows)
            self.sequence += 1
            frame = Frame(
                self.standard, t, self.epoch, self.sequence, now, kind[rows], trust[rows], part, offsets, flags
            )
            self.sent += 1
            self._call(self._publish(frame))

    def tell(self, subject: str, data: bytes) -> None:
        """Publish anything else, without waiting for anybody."""
        self._call(self._broker.publish(subject, data))

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _publish(self, frame: Frame) -> None:
        name, data = identity(f"{self.tenant}.{self.source}", frame), pack_frame(frame)
        if self.spool is not None and (not self._broker.is_connected or len(self.spool)):
            self.spool.put(f"{name} {frame.tile}\n".encode() + data)  # in order: nothing overtakes what waits
            return
        if not await self._acknowledged(frame.tile, data, name):
            self.failed += 1
            if self.spool is not None:
                self.spool.put(f"{name} {frame.tile}\n".encode() + data)

    async def _acknowledged(self, tile: int, data: bytes, name: str) -> bool:
        kept = await self._durable.send(tile, self.tenant, self.source, data, name, PATIENCE)
        self.acknowledged += kept
        return kept

    async def _forward(self) -> None:
        """Send what waits, in order, while there is a connection."""
        while self.spool is not None:
            await asyncio.sleep(0.2)
            while len(self.spool) and self._broker.is_connected:
                item = self.spool.first() or b" -1\n"
                head, _, data = item.partition(b"\n")
                name, _, tile = head.decode().partition(" ")
                if not await self._acknowledged(int(tile), data, name):
                    break
                self.spool.done()

    def listen(self, subject: str, take: Callable[[str, bytes], None]) -> None:
        """Call `take(subject, data)`, in the uplink's thread, for what comes in."""

        async def hear(message: Msg) -> None:
            take(message.subject, message.data)

        self._call(self._broker.subscribe(subject, cb=hear))

    async def _finish(self) -> None:
        """Cancel all that still runs in the loop, and let it end."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), 2.0)

    def _end(self) -> None:
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(3.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2.0)
        if not self._loop.is_running():
            self._loop.close()

    def close(self) -> None:
        """Send what waits, for 3 s at most, and go."""
        if self.spool is not None:
            self._forwarding.cancel()
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._broker.drain(), self._loop).result(3.0)
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._broker.close(), self._loop).result(3.0)
        self._end()

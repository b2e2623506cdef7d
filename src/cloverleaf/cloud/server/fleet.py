"""A gateway plug-in as a process: listens on a TCP port of this machine, answers vehicles in their own protocol, sends frames.

`python -m cloverleaf.cloud.server.fleet SETTINGS NAME PORT`. A connection that only sends nonsense is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import Any

import numpy as np

from cloverleaf.cloud.gateways import Report, awareness, doubts, gateway_class
from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import Frame, Trust
from cloverleaf.cloud.live.tiles import tile_of
from cloverleaf.cloud.security.limits import Buckets
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.durable import Durable
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.link.content.content import Content
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.messages import MessageKind

MOST_BROKEN = 100
MOST_CONNECTIONS = 10_000
PATIENCE = 2.0
"""s for which a frame is sent again: the fleet sends again soon, and nobody was told that it is stored."""
RATE, BURST = 5.0, 20.0
"""Reports per second of one vehicle."""


class Fleet:
    """All connections of one protocol."""

    def __init__(self, child: Child, name: str) -> None:
        self.child, self.name = child, name
        self.make = gateway_class(name)
        self.durable = Durable(child.broker)
        self.content = Content(shared_map(child.settings), "csae_day2", clock=0.0)
        self.counts, self.limits = Counts(), Buckets(RATE, BURST)
        self.epoch, self.sequence, self.connections = int(time.time()), 0, 0
        child.page = self.page

    def page(self) -> dict[str, Any]:
        """Health of the gateway."""
        return {**self.counts.page(), "connections": self.connections}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        gateway = self.make()
        if self.connections >= MOST_CONNECTIONS:
            writer.close()
            return
        self.connections += 1
        broken = 0
        try:
            while data := await asyncio.wait_for(reader.read(65_536), 300.0):
                reports, answer = gateway.feed(data)
                self.counts.refuse(f"fleet.{self.name}", "undecodable", gateway.broken - broken)
                broken = gateway.broken
                if answer:
                    writer.write(answer)
                    await asyncio.wait_for(writer.drain(), 10.0)
                await self._send(reports)
                if broken > MOST_BROKEN:
                    break
        except (OSError, TimeoutError):
            pass  # it went away, or says nothing any more
        finally:
            self.connections -= 1
            with contextlib.suppress(OSError):
                writer.close()

    async def _send(self, reports: list[Report]) -> None:
        now = time.time()
        allowed = []
        for r in reports:
            if reason := doubts(r, now):
                self.counts.refuse(f"fleet.{self.name}", reason)
            elif self.limits.take(r.vehicle, now):
                allowed.append(r)
            else:
                self.counts.refuse(f"fleet.{self.name}", "too_often")
        if not allowed:
            return
        batch = awareness(allowed, self.content.frame)
        try:
            buffer, start = self.content.encode(MessageKind.AWARENESS, batch)
        except CloverleafError:
            self.counts.refuse(f"fleet.{self.name}", "implausible", len(allowed))
            return
        tiles = tile_of(batch.x, batch.y)
        tile = int(tiles[0]) if (tiles == tiles[0]).all() else -1
        n = len(allowed)
        self.sequence += 1
        kind, trust = np.zeros(n, np.uint8), np.full(n, int(Trust.UNSIGNED), np.uint8)
        frame = Frame("csae_day2", tile, self.epoch, self.sequence, now, kind, trust, buffer, start)
        self.counts.take(f"fleet.{self.name}", n)
        await self.durable.keep(frame, "fleet", self.name, PATIENCE)


async def work(child: Child, name: str, port: int) -> None:
    """Listen until told to stop."""
    fleet = Fleet(child, name)
    server = await asyncio.start_server(fleet.serve, "127.0.0.1", port, limit=65_536)
    async with server:
        await child.stop.wait()


def main(settings: str, plugin: str, port: str) -> None:
    """The process."""
    run_child(f"fleet-{plugin}", lambda child: work(child, plugin, int(port)), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])

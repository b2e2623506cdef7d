"""The gateway as a process: single messages of vehicles and units (NATS subjects, MQTT topics) in, frames out, advisories back to each.

A sender that asks for a reply gets `+OK` when the stream has its message. Advisories go to `v2x.down.TENANT.SOURCE` one by one; over
NATS their header `Answers` names the source of the first message that they take account of and when it came, s since 1970.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import OrderedDict
from typing import Any

from nats.aio.msg import Msg

from cloverleaf.cloud.live.bundler import Bundle, Bundler
from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import read_frame
from cloverleaf.cloud.live.subjects import is_token
from cloverleaf.cloud.live.tiles import audiences, shares
from cloverleaf.cloud.security.verify import checker_of
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.durable import Durable
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.types.errors import DecodeError

EVERY = 0.01
SOURCE = "gateway"
PATIENCE = 11.0
"""s for which a frame is sent again: somewhat longer than both streams together can be without a leader."""
REMEMBERED = 10_000
"""Frames whose first message is remembered, for the word that answers them."""


class Gateway:
    """The bundler and its traffic with the broker."""

    def __init__(self, child: Child) -> None:
        s = child.settings
        self.child, self.counts = child, Counts()
        base_map = shared_map(s)
        together = audiences(shares(base_map.graph.point_x, base_map.graph.point_y, s.shards))
        checker = checker_of(s.security, s.folder / "trust")
        self.bundler = Bundler(base_map, self.counts, checker, int(time.time()), together)
        self.durable = Durable(child.broker)
        self.frames = self.handed_down = 0
        self._first: OrderedDict[int, tuple[str, float]] = (
            OrderedDict()
        )  # by frame, what its first message's source and time were
        self._took_ms: list[float] = []
        self._tenants: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()
        child.page = self.page

    def page(self) -> dict[str, Any]:
        """Health of the gateway; `answer_ms`: from a message's arrival to the advisory that takes account of it, of the last second."""
        took, self._took_ms = sorted(self._took_ms), []
        return {
            **self.counts.page(),
            "frames": self.frames,
            "unacknowledged": self.durable.again,
            "handed_down": self.handed_down,
            "answer_ms_p50": took[len(took) // 2] if took else 0.0,
            "answer_ms_max": took[-1] if took else 0.0,
            "problems": ["the stream does not take frames"] if self.durable.again and len(self._sending) > 500 else [],
        }

    async def hear(self, message: Msg) -> None:
        """One message: `v2x.msg.TENANT.SOURCE.KIND`."""
        parts = message.subject.split(".")
        if len(parts) == 5 and is_token(parts[2]) and is_token(parts[3]):
            self.bundler.add(parts[2], parts[3], parts[4], message.data, message.reply, time.time())

    async def bundle_for_ever(self) -> None:
        """Send frames every 10 ms."""
        while not self.child.stop.is_set():
            await asyncio.sleep(EVERY)
            for bundle in self.bundler.flush(time.time()):
                if bundle.tenant not in self._tenants:
                    self._tenants.add(bundle.tenant)
                    await self.child.broker.subscribe(f"v2x.down.{bundle.tenant}.{SOURCE}", cb=self.hand_down)
                self.frames += 1
                self._first[bundle.frame.sequence] = bundle.first.source, bundle.first.time
                if len(self._first) > REMEMBERED:
                    self._first.popitem(last=False)
                task = asyncio.ensure_future(self._send(bundle))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    async def _send(self, bundle: Bundle) -> None:
        if await self.durable.keep(bundle.frame, bundle.tenant, SOURCE, PATIENCE):
            for reply in bundle.replies:
                await self.child.broker.publish(reply, b"+OK")

    async def hand_down(self, message: Msg) -> None:
        """Advisories for stations that speak single messages."""
        try:
            frame = read_frame(message.data)
        except DecodeError:
            return
        if frame.station is None:
            return
        heard = self._first.get(frame.tile)
        header = None if heard is None else {"Answers": f"{heard[0]} {heard[1]:.6f}"}
        if heard is not None:
            self._took_ms.append(1e3 * (time.time() - heard[1]))
        raw, at = frame.buffer.tobytes(), frame.start.tolist()
        for i, station in enumerate(frame.station.tolist()):
            source = self.bundler.source_of.get(station)
            if source is not None:
                self.handed_down += 1
                await self.child.say(f"v2x.down.{source}", raw[at[i] : at[i + 1]], header)


async def work(child: Child) -> None:
    """Bundle until told to stop."""
    gateway = Gateway(child)
    await child.broker.subscribe(
        "v2x.msg.*.*.*", queue="gateway", cb=gateway.hear, pending_bytes_limit=256 * 1024 * 1024
    )
    await child.until_stopped(gateway.bundle_for_ever())


def main(settings: str) -> None:
    """The process."""
    run_child("gateway", work, settings)


if __name__ == "__main__":
    main(*sys.argv[1:])

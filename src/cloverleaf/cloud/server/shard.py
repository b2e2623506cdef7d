"""A twin shard as a process: frames from the broker into the engine, advisories and snapshots back.

Cycles run when frames have come, at most every `PAUSE` s; snapshots at common moments of all shards, so that an object at a border
is in exactly one of them. After a start the last seconds of the streams are read again: the twin needs no other memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from typing import Any

import numpy as np
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from cloverleaf.cloud.live.engine import Engine, answer_of
from cloverleaf.cloud.live.frames import SIMULATED, read_frame
from cloverleaf.cloud.live.intake import MAX_AGE, MAX_AHEAD
from cloverleaf.cloud.live.snapshot import SAID, pack_snapshot
from cloverleaf.cloud.live.subjects import SPACES, STREAMS, down_subject, origin
from cloverleaf.cloud.live.tiers import Tier, tier_of
from cloverleaf.cloud.live.tiles import around, shares
from cloverleaf.cloud.live.warm import warm
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.cloud.services import BUILT_IN, service_class
from cloverleaf.types.errors import DecodeError

PAUSE = 0.005
SNAPSHOT_EVERY = 0.1


class Shard:
    """The engine of shard `number` and its traffic with the broker."""

    def __init__(self, child: Child, number: int) -> None:
        settings = child.settings
        base_map = shared_map(settings)
        self.warm_s = warm(base_map)
        g = base_map.graph
        parts = shares(g.point_x, g.point_y, settings.shards)
        self.tiles = None if settings.shards == 1 else parts[number]
        edge = [s for s in settings.services if s in BUILT_IN and tier_of(service_class(s)) is Tier.EDGE]
        from cloverleaf.cloud.security.own_root import signer_of
        from cloverleaf.cloud.security.verify import checker_of

        self.engine = Engine(
            base_map,
            edge,
            shard=number,
            tiles=self.tiles,
            checker=checker_of(settings.security, settings.folder / "trust"),
            secret=bytes.fromhex(settings.secret),
            epoch=int(time.time()),
            signer=signer_of(settings.security, settings.folder / "keys"),
        )
        self.child, self.number = child, number
        self.wake = asyncio.Event()
        self.cycles, self.busy, self.down = 0, 0.0, 0
        self.rebuilt = 0
        self._cycle_ms: list[float] = []
        child.page = self.page

    def page(self) -> dict[str, Any]:
        """Health of the shard."""
        took, self._cycle_ms = sorted(self._cycle_ms), []
        return {
            **self.engine.counts.page(),
            "shard": self.number,
            "warm_s": self.warm_s,
            "objects": int(self.engine.owned().sum()),
            "verified": self.engine.intake.verified,
            "cycles": self.cycles,
            "cycle_ms_p50": took[len(took) // 2] if took else 0.0,
            "cycle_ms_max": took[-1] if took else 0.0,
            "advisories": self.down,
            "rebuilt_frames": self.rebuilt,
            "services": self.engine.runner.page(),
        }

    async def hear(self, message: Msg) -> None:
        """A frame came."""
        self.take(message.subject, message.data)
        self.wake.set()

    def take(self, subject: str, data: bytes) -> None:
        """Queue one frame's bytes."""
        source = origin(subject)
        try:
            frame = read_frame(data)
        except DecodeError:
            self.engine.counts.refuse(source, "malformed_frame")
            return
        if not frame.flags & SIMULATED and frame.time < time.time() - MAX_AGE:
            self.engine.counts.refuse(source, "stale", len(frame.kind))  # after an overload: no time for the old
            return
        if not frame.flags & SIMULATED and frame.time > time.time() + MAX_AHEAD:
            self.engine.counts.refuse(source, "clock", len(frame.kind))
            return
        self.engine.add(source, frame)

    async def answer(self, message: Msg) -> None:
        """Answers of services in other processes."""
        if len(message.data) % SAID.itemsize:
            return
        now = time.time()
        records = np.frombuffer(message.data, SAID)
        station = np.array([self.engine.station_of(h, now) for h in records["handle"].tolist()], np.int64)
        mine = station >= 0
        if mine.any():
            await self._publish(self.engine.tell([answer_of(records[mine], station[mine], now)], now))

    async def look_inside(self, message: Msg) -> None:
        """Vehicles that tell of their inside, by station: passed on under their handles."""
        try:
            told = {int(station): page for station, page in json.loads(message.data).items()}
        except (ValueError, AttributeError):
            self.engine.counts.refuse(origin(message.subject), "malformed_inner")
            return
        names = self.engine.twin.handles(time.time())
        rows = {station: self.engine.twin.row_of(station) for station in told}
        shown = {int(names[rows[s]]): page for s, page in told.items() if rows[s] >= 0}
        if shown:
            await self.child.say(f"v2x.inside.{self.number}", json.dumps(shown).encode())

    async def _publish(self, downs: Any) -> None:
        for d in downs:
            self.down += d.messages
            await self.child.say(down_subject(d.source), d.data)
        if len(self.engine.said):
            await self.child.say(f"v2x.said.{self.number}", self.engine.said.tobytes())

    async def cycle_for_ever(self) -> None:
        """Run the engine whenever frames wait."""
        while not self.child.stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), 0.5)
            self.wake.clear()
            begin = time.perf_counter()
            downs = self.engine.cycle(time.time())
            took = time.perf_counter() - begin
            self.cycles += 1
            self.busy += took
            self._cycle_ms.append(1e3 * took)
            await self._publish(downs)
            await asyncio.sleep(max(PAUSE - took, 0.0))

    async def show_for_ever(self) -> None:
        """Publish snapshots at every tenth of a second."""
        while not self.child.stop.is_set():
            now = time.time()
            await asyncio.sleep(SNAPSHOT_EVERY - now % SNAPSHOT_EVERY)
            at = round(time.time() / SNAPSHOT_EVERY) * SNAPSHOT_EVERY
            await self.child.say(f"v2x.twin.{self.number}", pack_snapshot(self.engine.snapshot(at)))
            heard = self.engine.chatter.take()
            if len(heard):
                await self.child.say(f"v2x.heard.{self.number}", heard.tobytes())

    async def rebuild(self) -> None:
        """Read the last seconds of the streams: what a shard that was killed has missed."""
        begin = time.time() - MAX_AGE
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begin)) + f".{int(begin % 1 * 1e9):09d}Z"
        await asyncio.gather(*(self._read_again(stream, since) for stream in range(len(STREAMS))))

    async def _read_again(self, stream: int, since: str) -> None:
        js = self.child.broker.jetstream(timeout=1.0)  # one without a leader does not answer; the twin can do without
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=since)  # type: ignore[arg-type]
        try:
            sub = await js.subscribe(
                f"{SPACES[stream]}.>", stream=STREAMS[stream], ordered_consumer=True, config=config
            )
            info = await sub.consumer_info()
            left = (info.num_pending or 0) + (
                info.delivered.consumer_seq if info.delivered else 0
            )  # some are here by now
            while left > 0:
                message = await sub.next_msg(timeout=1.0)
                self.take(message.subject, message.data)
                self.rebuilt += 1
                left -= 1
            await sub.unsubscribe()
        except Exception as error:  # no stream, or no JetStream at all: the twin fills itself within a second
            sys.stderr.write(f"shard-{self.number}: {STREAMS[stream]} not read: {type(error).__name__} {error}\n")


async def work(child: Child, number: int) -> None:
    """Subscribe, rebuild, and go on until told to stop."""
    shard = Shard(child, number)
    tiles = ["*"] if shard.tiles is None else sorted(around(shard.tiles) | {-1})
    subjects = [f"{space}.{t}.>" for space in SPACES for t in tiles]
    for subject in subjects:
        await child.broker.subscribe(subject, cb=shard.hear, pending_bytes_limit=256 * 1024 * 1024)
    await child.broker.subscribe("v2x.replay.>", cb=shard.hear, pending_bytes_limit=64 * 1024 * 1024)
    await child.broker.subscribe("v2x.answer", cb=shard.answer)
    await child.broker.subscribe("v2x.inner.>", cb=shard.look_inside)
    await shard.rebuild()
    await child.until_stopped(shard.cycle_for_ever(), shard.show_for_ever())


def main(settings: str, number: str) -> None:
    """The process."""
    run_child(f"shard-{number}", lambda child: work(child, int(number)), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])

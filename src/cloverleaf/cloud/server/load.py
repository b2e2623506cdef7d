"""A load generator as a process of its own: vehicles on a map's lanes that send real bytes, and what comes back to them.

`python -m cloverleaf.cloud.server.load JSON`: a JSON object as described by `Load`; the result is one line of JSON on stdout.
"""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cloud.live.frames import Frame, Trust, pack_frame
from cloverleaf.cloud.live.subjects import frame_subject
from cloverleaf.cloud.live.tiles import tile_of
from cloverleaf.cloud.server.child import connect
from cloverleaf.cloud.server.durable import Durable
from cloverleaf.cloud.server.load_ears import Ears
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import BaseMap, LaneKind
from cloverleaf.types.messages import AwarenessBatch, MessageKind


@dataclass(frozen=True)
class Load:
    """What to send. mode: "frames" in real time, "messages" one by one in real time, "burst" durable frames as fast as they are taken."""

    url: str
    map: str  # pickle of the base map
    mode: str = "frames"
    vehicles: int = 1000
    seconds: float = 10.0
    warm_s: float = 3.0  # not counted at the begin
    sources: int = 4
    hz: float = 10.0
    tick_s: float = 0.02
    trust: int = int(Trust.VERIFIED)
    per_frame: int = 100  # burst: records
    in_flight: int = 64
    by_tile: bool = False  # one frame per tile, for several shards
    tenant: str = "load"
    name: str = "edge"
    keep_going: str = ""  # burst: until this file appears, instead of `seconds`
    seed: int = 1


BLIND = 50


class Traffic:
    """Vehicles that drive along lanes, each at 80 % of the limit, and begin again at the lane's end.

    All but one in `BLIND` say that they brake before a junction: the others are those whom a service must warn.
    """

    def __init__(self, base_map: BaseMap, vehicles: int, seed: int) -> None:
        g = base_map.graph
        rng = np.random.default_rng(seed)
        usable = np.flatnonzero((g.lane_kind == LaneKind.DRIVING) & (g.lane_length > 40.0))
        share = g.lane_length[usable] / g.lane_length[usable].sum()
        self.lane = rng.choice(usable, vehicles, p=share)
        self.s = rng.uniform(0.0, g.lane_length[self.lane])
        self.speed = 0.8 * g.lane_speed[self.lane] * rng.uniform(0.9, 1.1, vehicles)
        self.length = g.lane_length[self.lane]
        self.graph = g
        self.station = np.arange(vehicles, dtype=np.int64) + 1
        first = g.lane_point_start[self.lane]
        self._first, self._last = first, g.lane_point_start[self.lane + 1] - 1
        # one long axis: arc length plus the lane's own offset, so that one search serves all
        self._offset = np.concatenate(([0.0], np.cumsum(g.lane_length + 1.0)))[:-1]
        owner = np.repeat(np.arange(len(g.lane_length)), np.diff(g.lane_point_start))
        self._axis = g.point_s + self._offset[owner]

    def move(self, rows: Any, dt: float) -> None:
        """Drive the vehicles `rows` for dt s."""
        self.s[rows] = np.remainder(self.s[rows] + self.speed[rows] * dt, self.length[rows])

    def awareness(self, rows: Any, t: float) -> AwarenessBatch:
        """What they say of themselves."""
        g, n = self.graph, len(rows)
        at = np.searchsorted(self._axis, self._offset[self.lane[rows]] + self.s[rows], side="right") - 1
        at = np.clip(at, self._first[rows], self._last[rows] - 1)
        span = np.maximum(g.point_s[at + 1] - g.point_s[at], 1e-9)
        share = np.clip((self.s[rows] - g.point_s[at]) / span, 0.0, 1.0)
        x = g.point_x[at] + share * (g.point_x[at + 1] - g.point_x[at])
        y = g.point_y[at] + share * (g.point_y[at + 1] - g.point_y[at])
        zero = np.zeros(n)
        near = (self.length[rows] - self.s[rows] < 80.0) & (self.station[rows] % BLIND != 0)
        return AwarenessBatch(
            self.station[rows], np.full(n, t), x, y, g.point_heading[at], self.speed[rows], np.where(near, -6.0, 0.0),
            zero, zero + 4.6, zero + 1.8,
            np.ones(n, np.int32), np.zeros(n, np.int32),
        )  # fmt: skip


class Generator:
    """Sends, listens, and remembers when."""

    def __init__(self, load: Load, base_map: BaseMap) -> None:
        self.load = load
        self.traffic = Traffic(base_map, load.vehicles, load.seed)
        self.content = Content(base_map, "csae_day2", clock=0.0)
        self.epoch, self.sequence = int(time.time()), 0
        self.sent: dict[int, float] = {}
        self.said: dict[str, list[float]] = {}
        self.clock = time.time() - time.monotonic()
        self.counted_from = float("inf")
        self.latency: list[float] = []
        self.messages = self.frames = self.advisories = self.late_ticks = 0
        self.acked = self.failed = self.retried = 0
        self.counting = False
        self.longest_gap = self.longest_wait = 0.0
        self._signers: Any = None
        if load.trust == Trust.SIGNED:
            from cloverleaf.cloud.server.load_keys import signers

            self._signers = signers(load.vehicles)

    def frame(self, rows: Any, t: float, tile: int = -1) -> Frame:
        """The next frame, with the vehicles `rows` in it."""
        buffer, start = self.content.encode(MessageKind.AWARENESS, self.traffic.awareness(rows, t))
        if self._signers is not None:
            buffer, start = self._signers(rows, buffer, start, t)
        self.sequence += 1
        n = len(rows)
        kind, trust = np.zeros(n, np.uint8), np.full(n, self.load.trust, np.uint8)
        return Frame("csae_day2", tile, self.epoch, self.sequence, t, kind, trust, buffer, start)

    def note(self, heard: list[tuple[str, int, float]]) -> None:
        """What the ears heard: counted from the sending of the frame or message that each says it answers."""
        for what, advisories, when in heard:
            self.advisories += advisories
            source, _, came = what.partition(" ")
            sent = self.sent.get(int(what)) if not came else self._last_before(source, float(came))
            if sent is not None and sent >= self.counted_from:
                self.latency.append(when - sent)

    def _last_before(self, source: str, came: float) -> float | None:
        """When `source` sent the message that came at `came` s since 1970."""
        times = [t for t in self.said.get(source, ()) if t + self.clock <= came]
        return times[-1] if times else None

    async def real_time(self, broker: Any) -> None:
        """Every vehicle at `hz`, spread evenly over the ticks."""
        load = self.load
        turns = round(1.0 / (load.hz * load.tick_s))
        share = [np.arange(load.vehicles)[k::turns] for k in range(turns)]
        begin, tick = time.perf_counter(), 0
        while time.perf_counter() - begin < load.warm_s + load.seconds:
            due = begin + tick * load.tick_s
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            elif wait < -load.tick_s:
                self.late_ticks += self.counting
            self._count(time.perf_counter() - begin > load.warm_s)
            mine = share[tick % turns]
            self.traffic.move(mine, turns * load.tick_s)
            for k, rows in enumerate(np.array_split(mine, load.sources)):
                for tile, part in self._tiles(rows):
                    frame = self.frame(part, time.time(), tile)
                    data = pack_frame(frame)
                    self.sent[self.sequence] = time.monotonic()
                    await broker.publish(frame_subject(tile, load.tenant, f"{load.name}{k}"), data)
                    if self.counting:
                        self.frames += 1
                        self.messages += len(part)
            await broker.flush()
            tick += 1

    def _count(self, now: bool) -> None:
        if now and not self.counting:
            self.counting, self.counted_from = True, time.monotonic()

    def _tiles(self, rows: Any) -> list[tuple[int, Any]]:
        if not self.load.by_tile:
            return [(-1, rows)]
        here = self.traffic.awareness(rows, 0.0)
        tile = tile_of(here.x, here.y)
        return [(int(t), rows[tile == t]) for t in np.unique(tile)]

    async def one_by_one(self, broker: Any) -> None:
        """Every vehicle as a source of its own that publishes single messages."""
        load = self.load
        turns = round(1.0 / (load.hz * load.tick_s))
        share = [np.arange(load.vehicles)[k::turns] for k in range(turns)]
        begin, tick = time.perf_counter(), 0
        while time.perf_counter() - begin < load.warm_s + load.seconds:
            wait = begin + tick * load.tick_s - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            elif wait < -load.tick_s:
                self.late_ticks += self.counting
            self._count(time.perf_counter() - begin > load.warm_s)
            mine = share[tick % turns]
            self.traffic.move(mine, turns * load.tick_s)
            frame = self.frame(mine, time.time())
            raw, at = frame.buffer.tobytes(), frame.start.tolist()
            for i, station in enumerate(self.traffic.station[mine].tolist()):
                self.said.setdefault(f"v{station}", []).append(time.monotonic())
                await broker.publish(f"v2x.msg.{load.tenant}.v{station}.bsm", raw[at[i] : at[i + 1]])
            self.messages += len(mine) * self.counting
            await broker.flush()
            tick += 1

    async def burst(self, broker: Any) -> None:
        """Durable frames with `in_flight` of them under way; one that is not acknowledged is sent again under its name."""
        load = self.load
        durable = Durable(broker)
        room = asyncio.Semaphore(load.in_flight)
        stop = Path(load.keep_going) if load.keep_going else None
        ready: deque[Frame] = deque()
        last_ack = time.perf_counter()

        async def send(frame: Frame) -> None:
            nonlocal last_ack
            begin = time.perf_counter()
            await durable.keep(frame, load.tenant, load.name, float("inf"))
            now = time.perf_counter()
            self.longest_wait = max(self.longest_wait, now - begin)
            self.longest_gap, last_ack = max(self.longest_gap, now - last_ack), now
            self.acked += len(frame.kind)
            room.release()

        rows = np.arange(load.vehicles)
        tasks: set[asyncio.Task[None]] = set()
        begin = time.perf_counter()
        while (stop is None or not stop.exists()) and (stop is not None or time.perf_counter() - begin < load.seconds):
            if not ready:
                self.traffic.move(rows, 0.1)
                for part in np.array_split(rows, max(load.vehicles // load.per_frame, 1)):
                    ready.append(self.frame(part, time.time()))
            await room.acquire()
            frame = ready.popleft()
            self.frames += 1
            self.messages += len(frame.kind)
            task = asyncio.ensure_future(send(frame))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=30.0)
        self.seconds, self.retried = time.perf_counter() - begin, durable.again

    def result(self) -> dict[str, Any]:
        """Counts, rates and latencies in ms."""
        took = 1e3 * np.sort(np.array(self.latency)) if self.latency else np.full(1, np.nan)
        seconds = getattr(self, "seconds", self.load.seconds)
        return {
            "messages": self.messages, "frames": self.frames, "messages_per_s": self.messages / seconds, "acked": self.acked,
            "acked_per_s": self.acked / seconds, "retried": self.retried, "advisories": self.advisories, "answers_timed": len(self.latency),
            "p50_ms": float(took[len(took) // 2]), "p99_ms": float(np.quantile(took, 0.99)), "max_ms": float(took[-1]),
            "late_ticks": self.late_ticks, "longest_gap_s": self.longest_gap, "longest_wait_s": self.longest_wait,
            "cpu_s": time.process_time(), "epoch": self.epoch,
        }  # fmt: skip


async def _main(load: Load) -> dict[str, Any]:
    base_map = pickle.loads(Path(load.map).read_bytes())
    generator = Generator(load, base_map)
    for size in (load.vehicles, load.per_frame, load.vehicles // 5 // load.sources):  # warm: kernels go by the size
        generator.frame(np.arange(max(min(size, load.vehicles), 1)), time.time())
    broker = await connect(load.url, "load")
    gc.collect()
    gc.freeze()
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    ears = Ears(load.url, load.tenant) if load.mode != "burst" else None
    await {"frames": generator.real_time, "messages": generator.one_by_one, "burst": generator.burst}[load.mode](broker)
    await asyncio.sleep(0.3)
    generator.note(ears.heard() if ears is not None else [])
    await asyncio.wait_for(broker.close(), 5.0)
    return generator.result()


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(_main(Load(**json.loads(sys.argv[1]))))))

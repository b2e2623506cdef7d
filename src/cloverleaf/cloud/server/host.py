"""Services outside the shards as a process: those of the region and the centre, and whatever others plug in.

It sees the shards' snapshots, in which road users have handles only, and answers through them. A service that hangs holds up this
process and nobody else; the supervisor can start one host per service.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import numpy as np
from nats.aio.msg import Msg

from cloverleaf.cloud.approach import approaches
from cloverleaf.cloud.live.runner import Runner
from cloverleaf.cloud.live.snapshot import SAID, Snapshot, read_snapshot, tracks_of
from cloverleaf.cloud.live.tiers import Flows, Region, Tier
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.cloud.services import Answer
from cloverleaf.cloud.signal_memory import SignalMemory
from cloverleaf.cloud.twin import CONNECTED_LIFE
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.state import Kind

EVERY = 0.1


class Host:
    """Runs `services`, of all tiers but the edge's built-in ones."""

    def __init__(self, child: Child, services: list[str]) -> None:
        base_map = shared_map(child.settings)
        self.child, self.graph = child, base_map.graph
        self.region = Region(base_map.graph, approaches(base_map.graph), SignalMemory(base_map.graph))
        self.runners = [Runner(base_map, services, self.region, tier) for tier in Tier]
        self.shots: dict[int, Snapshot] = {}
        self.answers = 0
        self._minute = -1
        lanes = len(base_map.graph.lane_length)
        self._seen: list[set[int]] = [set() for _ in range(lanes)]
        self._speed, self._samples = np.zeros(lanes), np.zeros(lanes)
        child.page = self.page

    def page(self) -> dict[str, Any]:
        """Health of the host."""
        return {"services": {k: v for r in self.runners for k, v in r.page().items()}, "answers": self.answers}

    async def twin(self, message: Msg) -> None:
        """A shard's snapshot."""
        try:
            shot = read_snapshot(message.data)
        except DecodeError:
            return
        self.shots[shot.shard] = shot

    async def run_for_ever(self) -> None:
        """Run what is due ten times a second."""
        while not self.child.stop.is_set():
            await asyncio.sleep(EVERY)
            now = time.time()
            shots = [s for s in self.shots.values() if now - s.time < CONNECTED_LIFE]
            if not shots:
                continue
            rows = np.concatenate([s.rows for s in shots])
            self.region.tracks = tracks_of(rows, max(s.time for s in shots))
            for shot in shots:
                self._lights(shot)
            self._count(rows, now)
            for runner in self.runners:
                for name, answer in runner.run(now):
                    await self._send(name, answer, now)

    def _lights(self, shot: Snapshot) -> None:
        m, h = self.region.signals, shot.heads
        head = m.start[h["group"]] + h["index"]
        newer = ~(m.time[head] >= h["heard"])
        head, h = head[newer], h[newer]
        m.light[head], m.next_light[head] = h["light"], h["next"]
        m.likely_end[head], m.min_end[head], m.time[head] = h["end"], h["end"], h["heard"]
        m.heard[h["group"]] = h["heard"]

    def _count(self, rows: np.ndarray, now: float) -> None:
        """Flows per lane and minute: all that the centre sees."""
        minute = int(now // 60)
        if minute != self._minute:
            if self._minute >= 0:
                with np.errstate(invalid="ignore"):
                    mean = self._speed / self._samples
                vehicles = np.array([len(s) for s in self._seen], np.int64)
                self.region.flows = Flows(vehicles, mean, 60.0 * self._minute)
            self._minute = minute
            for s in self._seen:
                s.clear()
            self._speed[:], self._samples[:] = 0.0, 0.0
        on = rows[(rows["lane"] >= 0) & (rows["kind"] != int(Kind.PEDESTRIAN))]
        for lane, handle in zip(on["lane"].tolist(), on["handle"].tolist()):
            self._seen[lane].add(handle)
        np.add.at(self._speed, on["lane"], on["speed"])
        np.add.at(self._samples, on["lane"], 1.0)

    async def _send(self, name: str, answer: Answer, now: float) -> None:
        records = said_of(answer, now)
        if len(records):
            self.answers += len(records)
            await self.child.say("v2x.answer", records.tobytes())
        command = answer.command
        if command is not None:
            for group, phase in zip(command.group.tolist(), command.phase.tolist()):
                wish = {"group": group, "phase": phase, "time": now, "service": name}
                await self.child.say(f"v2x.command.{group}", json.dumps(wish).encode())


def said_of(answer: Answer, now: float) -> np.ndarray:
    """An answer as `SAID` records; targets are handles."""
    parts = []
    if answer.event is not None and len(answer.event.target):
        e = answer.event
        out = np.zeros(len(e.target), SAID)
        out["time"], out["handle"], out["code"], out["what"] = now, e.target, e.event, 0
        out["x"], out["y"], out["radius"], out["value"] = e.x, e.y, e.radius, e.time_to_conflict
        parts.append(out)
    if answer.advice is not None and len(answer.advice.target):
        a = answer.advice
        out = np.zeros(len(a.target), SAID)
        out["time"], out["handle"], out["what"], out["value"] = now, a.target, 1, a.speed
        out["x"], out["y"], out["life"] = a.speed_until_x, a.speed_until_y, a.valid_until - now
        parts.append(out)
    return np.concatenate(parts) if parts else np.zeros(0, SAID)


async def work(child: Child, services: list[str]) -> None:
    """Run services until told to stop."""
    host = Host(child, services)
    await child.broker.subscribe("v2x.twin.*", cb=host.twin)
    await child.until_stopped(host.run_for_ever())


def main(settings: str, role: str, *services: str) -> None:
    """The process."""
    run_child(role, lambda child: work(child, list(services)), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])

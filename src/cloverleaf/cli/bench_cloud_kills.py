"""`cloverleaf bench cloud-kills`: kill -9 of stream leaders, keepers and shards under load; what was acknowledged is in the lake once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from cloverleaf.cli.bench_cloud import bench_folder, generate, result_of, say
from cloverleaf.cloud.broker import Broker, cluster
from cloverleaf.cloud.live.subjects import STREAM
from cloverleaf.cloud.server.child import connect
from cloverleaf.cloud.server.settings import Settings, share_map
from cloverleaf.cloud.server.stream import ensure_stream
from cloverleaf.cloud.server.supervisor import Supervisor
from cloverleaf.cloud.store.query import Reader

BETWEEN = 4.0
"""s between two kills, so that a cluster of three never loses two at once."""


class Gaps:
    """The longest silence of each subject."""

    def __init__(self) -> None:
        self.longest: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def hear(self, what: str) -> None:
        """Something came."""
        now = time.monotonic()
        self.longest[what] = max(self.longest.get(what, 0.0), now - self._last.get(what, now))
        self._last[what] = now


async def _kill_for_a_while(brokers: list[Broker], supervisor: Supervisor, kills: int, gaps: Gaps) -> Counter[str]:
    """Kill and let recover; returns how often what was killed."""
    done: Counter[str] = Counter()
    chance = random.Random(1)
    client = await connect(",".join(b.url for b in brokers), "killer")

    async def twin(message: Any) -> None:
        gaps.hear("twin")

    committed = [0]

    async def keeper(message: Any) -> None:
        page = json.loads(message.data)
        if page["stream_committed"] != committed[0]:
            committed[0] = page["stream_committed"]
            gaps.hear("lake")

    await client.subscribe("v2x.twin.0", cb=twin)
    await client.subscribe("v2x.health.keeper", cb=keeper)
    watch = asyncio.ensure_future(supervisor.watch())
    patience = time.monotonic() + 180.0
    while not (committed[0] and "twin" in gaps.longest) and time.monotonic() < patience:
        await asyncio.sleep(0.2)  # until load, shard and keeper are all at work
    for k in range(kills):
        what = ("leader", "keeper", "shard", "leader")[k % 4]
        if what == "leader":
            victim = await _leader(client, brokers) or chance.choice(brokers)
            victim.kill()
            done["stream leader"] += 1
            await asyncio.sleep(1.0)
            victim.spawn()
            await asyncio.to_thread(victim.wait_ready)
        else:
            process = next(p for p in supervisor.processes if p.name.startswith(what))
            if process.process is not None:
                process.process.kill()
            done[what] += 1
        await asyncio.sleep(BETWEEN)
    watch.cancel()
    with contextlib.suppress(Exception):
        await client.close()
    return done


async def _leader(client: Any, brokers: list[Broker]) -> Broker | None:
    try:
        info = await client.jetstream().stream_info(STREAM)
        return next((b for b in brokers if info.cluster and b.name == info.cluster.leader), None)
    except Exception:
        return None


async def _prepare(url: str) -> None:
    client = await connect(url, "bench")
    await ensure_stream(client, replicas=3, patience=40.0)
    await client.close()


def drill(folder: Path, kills: int, vehicles: int = 2000) -> dict[str, Any]:
    """Run the load, kill, and count: sent, acked, stored, duplicates, and the longest silences in s."""
    brokers = cluster(folder / "broker", 3)
    for b in brokers:
        b.start()
    settings = Settings(
        data=str(folder),
        broker=",".join(b.url for b in brokers),
        secret="00" * 32,
        services=("collision_warning",),
        lake_floor_bytes=0,
    )
    supervisor = Supervisor(settings.run, None)
    try:
        share_map(settings)
        asyncio.run(_prepare(settings.broker))
        path = settings.write()
        supervisor.add("keeper", "keeper", path)
        supervisor.add("shard-0", "shard", path, "0")
        supervisor.start()
        end = folder / "enough"
        generator = generate(
            url=settings.broker, map=str(settings.run / "map.pickle"), mode="burst", vehicles=vehicles, per_frame=100, in_flight=16,
            keep_going=str(end),
        )  # fmt: skip
        gaps = Gaps()
        done = asyncio.run(_kill_for_a_while(brokers, supervisor, kills, gaps))
        end.touch()
        load = result_of(generator, 90.0)
        reader = Reader(folder / "lake")
        stop = time.monotonic() + 90.0
        while reader.span()[2] < load.get("acked", 0) and time.monotonic() < stop:
            time.sleep(0.5)
            for process in supervisor.processes:
                process.watch(time.monotonic())
        time.sleep(3.0)
        question = """
            select count(*) as stored, count(distinct (epoch, sequence, message)) as different
            from rows where time >= $first and time < $last
        """
        answer = reader.ask(question, 0.0, 1e11).to_pylist()[0]
        return {
            "kills": dict(done), "sent": load.get("messages", 0), "acked": load.get("acked", 0), "stored": answer["stored"],
            "duplicates": answer["stored"] - answer["different"], "lost": max(load.get("acked", 0) - answer["different"], 0),
            "ack_gap_s": load.get("longest_gap_s", float("nan")), "twin_gap_s": gaps.longest.get("twin", float("nan")),
            "lake_gap_s": gaps.longest.get("lake", float("nan")), "damaged": len(reader.damaged),
        }  # fmt: skip
    finally:
        supervisor.stop()
        for b in brokers:
            b.stop()


def run(kills: int = 50) -> None:
    """The row."""
    with bench_folder() as folder:
        say("killed under load", bar="[0 lost, 0 double, recovery < 8 s]", **drill(folder, kills))

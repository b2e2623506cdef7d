"""`cloverleaf bench cloud-kills`: kill -9 of stream leaders, gateways, keepers and twin shards under load.

Two loads run: frames as fast as the stream takes them, each sent again under its name until it is acknowledged; and single messages
through the gateway, never sent again, each with a station id of its own. What was acknowledged must be in the lake once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nats.aio.client import Client

from cloverleaf.cli.bench_cloud import bench_folder, generate, result_of, say
from cloverleaf.cloud.broker import Broker, cluster
from cloverleaf.cloud.live.subjects import STREAMS
from cloverleaf.cloud.live.warm import warm
from cloverleaf.cloud.server.child import connect
from cloverleaf.cloud.server.load import Traffic
from cloverleaf.cloud.server.settings import Settings, share_map
from cloverleaf.cloud.server.stream import ensure_streams, leader_of
from cloverleaf.cloud.server.supervisor import Supervisor
from cloverleaf.cloud.store.query import Reader
from cloverleaf.cloud.store.rows import PSEUDONYM_S, Names
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.messages import MessageKind

SHARDS, SINGLES, PERIOD, FIRST_SINGLE = 2, 20, 0.2, 1_000_000_000
KINDS = ("leader", "gateway", "keeper", "shard")
WARM_S = 180.0
STILL_S = 6.0
"""s without a new row after which all that the keeper could read is in the lake: three of its commits."""
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


class Singles:
    """Single messages to the gateway; `acked` are the stations whose message was answered with +OK."""

    def __init__(self, base_map: BaseMap) -> None:
        self.traffic = Traffic(base_map, SINGLES, 2)
        self.content = Content(base_map, "csae_day2", clock=0.0)
        self.sent = 0
        self.acked: list[int] = []

    async def send_for_ever(self, client: Client) -> None:
        """`SINGLES` messages every `PERIOD` s until cancelled."""
        rows, under_way = np.arange(SINGLES), set[asyncio.Task[None]]()
        try:
            while True:
                await asyncio.sleep(PERIOD)
                self.traffic.move(rows, PERIOD)
                batch = self.traffic.awareness(rows, time.time())._replace(station=FIRST_SINGLE + self.sent + rows)
                buffer, start = self.content.encode(MessageKind.AWARENESS, batch)
                raw, at = buffer.tobytes(), start.tolist()
                for i, station in enumerate(batch.station.tolist()):
                    self.sent += 1
                    task = asyncio.ensure_future(self._send(client, i, station, raw[at[i] : at[i + 1]]))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
        finally:
            if under_way:
                await asyncio.wait(under_way, timeout=15.0)

    async def _send(self, client: Client, i: int, station: int, data: bytes) -> None:
        with contextlib.suppress(Exception):  # not acknowledged: nothing is claimed of it
            if (await client.request(f"v2x.msg.single.v{i}.bsm", data, timeout=12.0)).data == b"+OK":
                self.acked.append(station)


async def _kill_for_a_while(
    brokers: list[Broker], supervisor: Supervisor, kills: int, gaps: Gaps, singles: Singles
) -> Counter[str]:
    """Kill and let recover; returns how often what was killed."""
    done: Counter[str] = Counter()
    chance = random.Random(1)
    client = await connect(",".join(b.url for b in brokers), "killer")

    async def twin(message: Any) -> None:
        gaps.hear(message.subject.replace("v2x.twin.", "twin "))

    committed = [0]

    async def keeper(message: Any) -> None:
        page = json.loads(message.data)
        if page["stream_committed"] != committed[0]:
            committed[0] = page["stream_committed"]
            gaps.hear("lake")

    await client.subscribe("v2x.twin.*", cb=twin)
    await client.subscribe("v2x.health.keeper", cb=keeper)
    watch = asyncio.ensure_future(supervisor.watch())
    single = asyncio.ensure_future(singles.send_for_ever(client))
    twins = [f"twin {number}" for number in range(SHARDS)]
    patience = time.monotonic() + WARM_S
    while True:  # until load, shards, gateway and keeper are all at work
        idle = [t for t in twins if t not in gaps.longest] + ["keeper"] * (not committed[0])
        idle += ["gateway"] * (not singles.acked)
        if not idle:
            break
        if time.monotonic() > patience:
            raise CloverleafError(
                f"not at work after {WARM_S:.0f} s: {', '.join(idle)}", hint=f"the logs in {supervisor.folder} say why"
            )
        await asyncio.sleep(0.2)
    for k in range(kills):
        what = KINDS[k % len(KINDS)]
        if what == "leader":
            stream = STREAMS[done["stream leader"] % len(STREAMS)]
            victim = await _leader(client, brokers, stream) or chance.choice(brokers)
            victim.kill()
            done["stream leader"] += 1
            await asyncio.sleep(1.0)
            victim.spawn()
            await asyncio.to_thread(victim.wait_ready)
        else:
            name = f"shard-{k // len(KINDS) % SHARDS}" if what == "shard" else what
            process = next(p for p in supervisor.processes if p.name == name)
            if process.process is not None:
                process.process.kill()
            done[name] += 1
        await asyncio.sleep(BETWEEN)
    single.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await single
    await asyncio.sleep(3.0)  # the last killed comes back
    watch.cancel()
    with contextlib.suppress(Exception):
        await client.close()
    return done


async def _leader(client: Any, brokers: list[Broker], stream: str) -> Broker | None:
    try:
        leader = leader_of(await client.jetstream(timeout=1.0).stream_info(stream))
        return next((b for b in brokers if b.name == leader), None)
    except Exception:
        return None


async def _prepare(url: str) -> None:
    client = await connect(url, "bench")
    await ensure_streams(client, replicas=3, patience=40.0)
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
        shards=SHARDS,
        replicas=len(brokers),
    )
    supervisor, generator = Supervisor(settings.run, None), None
    try:
        base_map = share_map(settings)
        warm(base_map)  # kernels that are not compiled yet would keep the shards from work for minutes
        singles = Singles(base_map)
        asyncio.run(_prepare(settings.broker))
        path = settings.write()
        supervisor.add("keeper", "keeper", path)
        supervisor.add("gateway", "gateway", path)
        for number in range(SHARDS):
            supervisor.add(f"shard-{number}", "shard", path, str(number))
        supervisor.start()
        end = folder / "enough"
        generator = generate(
            url=settings.broker, map=str(settings.run / "map.pickle"), mode="burst", vehicles=vehicles, per_frame=100, in_flight=16,
            keep_going=str(end),
        )  # fmt: skip
        gaps = Gaps()
        done = asyncio.run(_kill_for_a_while(brokers, supervisor, kills, gaps, singles))
        end.touch()
        load = result_of(generator, 90.0)
        reader, names = Reader(folder / "lake"), Names(bytes.fromhex(settings.secret))
        stop = time.monotonic() + 90.0
        before, found = -1, _count(reader, singles.acked, names)
        while (
            found.stored > before or found.different < load.get("acked", 0) or found.lost
        ) and time.monotonic() < stop:
            end_of_wait = time.monotonic() + STILL_S  # until nothing is missing and nothing more comes
            while time.monotonic() < end_of_wait:
                time.sleep(0.1)
                supervisor.step(time.monotonic())
            before, found = found.stored, _count(reader, singles.acked, names)
        acked = load.get("acked", 0) + len(singles.acked)
        return {
            "kills": dict(done), "sent": load.get("messages", 0) + singles.sent, "acked": acked, "stored": found.stored,
            "duplicates": found.stored - found.different + found.doubled, "lost": max(acked - found.different, 0) + found.lost,
            "singles_sent": singles.sent, "singles_acked": len(singles.acked), "ack_gap_s": load.get("longest_gap_s", float("nan")),
            "longest_wait_for_an_ack_s": load.get("longest_wait_s", float("nan")), "sent_again": load.get("retried", 0),

            **{f"{name.replace(' ', '_')}_gap_s": gap for name, gap in sorted(gaps.longest.items())}, "damaged": len(reader.damaged),
            "verified_here": "0 %",
        }  # fmt: skip
    finally:
        if generator is not None:
            generator.kill()
            generator.wait()
        supervisor.stop()
        for b in brokers:
            b.stop()


class Count(NamedTuple):
    """What the lake has: rows, rows that differ, and of the acknowledged single messages those that it lacks and has twice."""

    stored: int
    different: int
    lost: int
    doubled: int


def _count(reader: Reader, stations: list[int], names: Names) -> Count:
    rows = """
        select count(*) as stored, count(distinct (source, epoch, sequence, message)) as different
        from rows where time >= $first and time < $last
    """
    answer = reader.ask(rows, 0.0, 1e11).to_pylist()[0]
    day = int(time.time() // PSEUDONYM_S)
    wanted = {names.name(s, day) for s in stations}
    singles = "select vehicle, count(*) as n from rows where time >= $first and time < $last group by 1"
    found = reader.ask(singles, 0.0, 1e11)
    count = dict(zip(found["vehicle"].to_pylist(), found["n"].to_pylist()))
    lost, doubled = sum(w not in count for w in wanted), sum(count.get(w, 0) > 1 for w in wanted)
    return Count(answer["stored"], answer["different"], lost, doubled)


def run(kills: int = 50) -> None:
    """The row."""
    with bench_folder() as folder:
        say("killed under load", bar="[0 lost, 0 double, recovery < 8 s]", **drill(folder, kills))

"""What one stream does not take the other does, at once; what both have is stored once; a cluster's leaders are different servers."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloverleaf.cloud.broker import Broker, cluster
from cloverleaf.cloud.live.frames import Frame, pack_frame
from cloverleaf.cloud.live.subjects import STREAMS, frame_subject
from cloverleaf.cloud.server import durable
from cloverleaf.cloud.server.child import Child, connect
from cloverleaf.cloud.server.durable import Durable
from cloverleaf.cloud.server.keeper import Keeper
from cloverleaf.cloud.server.load import Generator, Load
from cloverleaf.cloud.server.settings import Settings, share_map
from cloverleaf.cloud.server.shard import Shard
from cloverleaf.cloud.server.stream import ensure_streams, leader_of, part_leaders
from cloverleaf.cloud.store.query import Reader


class Streams:
    """Two streams of which `away` do not answer; `taken` says which took what."""

    def __init__(self, *away: int) -> None:
        self.away, self.taken, self.asked = set(away), [], []

    def jetstream(self) -> Streams:
        return self

    async def publish(self, subject: str, data: bytes, *, timeout: float, headers: dict[str, str]) -> None:
        stream = 1 if subject.startswith("v2x.frame2.") else 0
        self.asked.append(stream)
        if stream in self.away:
            await asyncio.sleep(timeout)
            raise TimeoutError
        self.taken.append((stream, headers["Nats-Msg-Id"]))


def frame(sequence: int) -> Frame:
    nothing = np.zeros(0, np.uint8)
    return Frame("csae_day2", -1, 1, sequence, 1.0, nothing, nothing, nothing, np.zeros(1, np.int64))


def keep(streams: Any, sequences: list[int], patience: float = 5.0) -> tuple[Durable, list[bool]]:
    async def story() -> tuple[Durable, list[bool]]:
        sender = Durable(streams)
        return sender, [await sender.keep(frame(k), "city", "edge", patience) for k in sequences]

    return asyncio.run(story())


def test_streams_take_frames_in_turn() -> None:
    streams = Streams()
    sender, kept = keep(streams, list(range(6)))
    assert all(kept) and sender.again == 0
    assert sorted(name for _, name in streams.taken) == [f"city.edge:1:{k}" for k in range(6)]
    assert [s for s, _ in streams.taken].count(0) == 3


@pytest.mark.parametrize("away", [0, 1])
def test_the_other_stream_takes_over_and_only_one_frame_waits(away: int) -> None:
    streams = Streams(away)
    begin = time.monotonic()
    sender, kept = keep(streams, list(range(20)))
    assert all(kept) and sender.again == 1
    assert time.monotonic() - begin < durable.FIRST_WAIT + 0.5
    assert [s for s, _ in streams.taken] == [1 - away] * 20


def test_a_stream_that_is_back_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "AWAY", 0.1)
    streams = Streams(0)

    async def story() -> None:
        sender = Durable(streams)
        await asyncio.gather(*(sender.keep(frame(k), "city", "edge", 5.0) for k in range(2)))
        await asyncio.sleep(0.15)
        asked = len(streams.asked)
        await asyncio.gather(*(sender.keep(frame(k), "city", "edge", 5.0) for k in range(2, 8)))
        assert streams.asked[asked:].count(0) == 1  # one tries it, the others do not wait for it
        streams.away.clear()
        await asyncio.sleep(0.15)
        await asyncio.gather(*(sender.keep(frame(k), "city", "edge", 5.0) for k in range(8, 20)))

    asyncio.run(story())
    assert len({name for _, name in streams.taken}) == 20
    assert [s for s, _ in streams.taken[-10:]].count(0) == 5


def test_no_stream_is_told_of() -> None:
    streams = Streams(0, 1)
    sender, kept = keep(streams, [1], patience=0.5)
    assert kept == [False] and set(streams.asked) == {0, 1} and sender.again == len(streams.asked)


def test_a_frame_that_both_streams_have_is_stored_once(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", mqtt=-1)
    settings = Settings(data=str(tmp_path), broker=broker.url, secret="00" * 32, lake_floor_bytes=0)
    cars = Generator(Load("", "", vehicles=20), share_map(settings))

    async def story() -> None:
        client = await connect(broker.url, "test")
        try:
            await ensure_streams(client)
            js = client.jetstream()
            for k in range(6):  # 0, 3: first only; 1, 4: second only; 2, 5: both
                data = pack_frame(cars.frame(np.arange(20), time.time()))
                for stream in {0: [0], 1: [1], 2: [0, 1]}[k % 3]:
                    ack = await js.publish(frame_subject(-1, "city", "edge", stream), data)
                    assert ack.stream == STREAMS[stream]
            child = Child("keeper", settings, client)
            keeper = Keeper(child)
            work = asyncio.ensure_future(keeper.keep_for_ever())
            end = time.monotonic() + 120.0
            while child.page()["stream_committed"] < 8:
                assert time.monotonic() < end and not work.done()
                await asyncio.sleep(0.05)
            assert keeper.lake.log.streams == {"FRAMES": 4, "FRAMES2": 4}
            assert child.page()["refused_by_source"]["city.edge"]["duplicate_frame"] == 2
            child.stop.set()
            await asyncio.wait_for(work, 30.0)
            keeper.close()
        finally:
            await client.close()

    broker.start()
    try:
        asyncio.run(story())
    finally:
        broker.stop()
    assert Reader(tmp_path / "lake").span()[2] == 120


def test_a_twin_that_starts_anew_reads_the_last_seconds_of_both_streams(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", mqtt=-1)
    settings = Settings(data=str(tmp_path), broker=broker.url, secret="00" * 32)
    cars = Generator(Load("", "", vehicles=40), share_map(settings))

    async def story() -> None:
        client = await connect(broker.url, "test")
        try:
            await ensure_streams(client)
            shard = Shard(Child("shard-0", settings, client), 0)
            js, now = client.jetstream(), time.time()
            stale = pack_frame(cars.frame(np.arange(40), now - 60.0))
            first, second = (pack_frame(cars.frame(np.arange(20 * k, 20 * k + 20), now)) for k in range(2))
            for stream, data in ((0, stale), (0, first), (1, second), (1, first)):  # one of them is in both
                await js.publish(frame_subject(-1, "city", "edge", stream), data)
            await shard.rebuild()
            shard.engine.cycle(time.time())
            assert shard.rebuilt == 4 and sorted(shard.engine.twin.tracks.station.tolist()) == list(range(1, 41))
            assert shard.engine.counts.refused == {("city.edge", "stale"): 40, ("city.edge", "duplicate_frame"): 1}
        finally:
            await client.close()

    broker.start()
    try:
        asyncio.run(story())
    finally:
        broker.stop()


def test_a_dead_leader_keeps_nobody_waiting(tmp_path: Path) -> None:
    servers = cluster(tmp_path, 3)
    for s in servers:
        s.start()

    async def story() -> None:
        client = await connect(",".join(s.url for s in servers), "test")
        try:
            await ensure_streams(client, replicas=3, patience=40.0)
            js = client.jetstream()
            end = time.monotonic() + 40.0
            while len(leaders := {leader_of(await js.stream_info(name)) for name in STREAMS}) < 2 or "" in leaders:
                assert time.monotonic() < end, leaders
                await part_leaders(client)
                await asyncio.sleep(0.2)
            home = (client.connected_url.netloc if client.connected_url else "").rpartition(":")[2]
            victim = next(s for s in servers if s.name in leaders and str(s.port) != home)
            sender = Durable(client)
            assert await sender.keep(frame(1), "city", "edge", 5.0) and await sender.keep(frame(2), "city", "edge", 5.0)
            victim.kill()
            for k in range(3, 9):
                assert await sender.keep(frame(k), "city", "edge", 3.0)
            assert sender.again == 1  # the first to try the dead leader's stream; an election takes 4 s at least
        finally:
            await client.close()

    try:
        asyncio.run(story())
    finally:
        for s in servers:
            s.stop()

"""A keeper whose disk is full says so on the health page, leaves the frames in the stream, and writes them once there is room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cloverleaf.cloud.broker import Broker
from cloverleaf.cloud.live.frames import pack_frame
from cloverleaf.cloud.live.subjects import frame_subject
from cloverleaf.cloud.server.child import Child, connect
from cloverleaf.cloud.server.keeper import Keeper
from cloverleaf.cloud.server.load import Generator, Load
from cloverleaf.cloud.server.settings import Settings, share_map
from cloverleaf.cloud.server.stream import ensure_streams
from cloverleaf.cloud.store.query import Reader

PATIENCE = 120.0


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "nothing came in time"
        await asyncio.sleep(0.05)


def test_a_full_disk_is_told_of_and_loses_nothing(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", mqtt=-1)
    settings = Settings(data=str(tmp_path), broker=broker.url, secret="00" * 32, lake_floor_bytes=1 << 60)
    cars = Generator(Load("", "", vehicles=20), share_map(settings))

    async def story() -> None:
        client = await connect(broker.url, "test")
        try:
            await ensure_streams(client)
            for _ in range(5):
                frame = cars.frame(np.arange(20), time.time())
                await client.jetstream().publish(frame_subject(-1, "city", "edge"), pack_frame(frame))
            child = Child("keeper", settings, client)
            keeper = Keeper(child)
            work = asyncio.ensure_future(keeper.keep_for_ever())
            await until(lambda: any("cannot be written" in p for p in child.page()["problems"]))
            assert child.page()["stream_committed"] == 0 and Reader(tmp_path / "lake").span()[2] == 0
            assert (await client.jetstream().stream_info("FRAMES")).state.messages == 5
            keeper.lake.floor = 0  # somebody made room
            await until(lambda: child.page()["stream_committed"] == 5 and not child.page()["problems"])
            child.stop.set()
            await asyncio.wait_for(work, PATIENCE)
            keeper.close()
        finally:
            await client.close()

    broker.start()
    try:
        asyncio.run(story())
    finally:
        broker.stop()
    assert Reader(tmp_path / "lake").span()[2] == 100

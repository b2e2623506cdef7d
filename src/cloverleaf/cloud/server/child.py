"""What every platform process has: settings, a broker connection that comes back, an orderly end, and its health once a second."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from cloverleaf.cloud.broker import with_us
from cloverleaf.cloud.server.settings import Settings, read_settings
from cloverleaf.types.errors import CloverleafError


async def connect(url: str, name: str) -> Client:
    """A connection to one of the brokers `url` (comma-separated), tried again for ever; what is published meanwhile waits (up to 32 MB)."""

    async def quiet(error: Exception) -> None:
        sys.stderr.write(f"{name}: {type(error).__name__} {error}\n")

    client = Client()
    try:
        await client.connect(
            url.split(","),
            name=name,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,  # type: ignore[arg-type]
            allow_reconnect=True,
            error_cb=quiet,
            pending_size=32 * 1024 * 1024,
            ping_interval=5,
            max_outstanding_pings=2,
        )
    except BaseException:  # also when nobody waits any longer: the socket must not stay open
        with contextlib.suppress(Exception):
            await client.close()
        raise
    return client


async def reach(url: str, name: str, patience: float) -> Client:
    """A connection within `patience` s.

    Raises:
        CloverleafError: nobody answers there.
    """
    try:
        return await asyncio.wait_for(connect(url, name), patience)
    except TimeoutError as error:
        where = url.rpartition("@")[2]
        raise CloverleafError(f"no broker answers at {where}", hint="start it with: cloverleaf serve") from error


class Child:
    """One process at work: `broker`, `settings`, and `stop` to wait for."""

    def __init__(self, role: str, settings: Settings, broker: Client) -> None:
        self.role, self.settings, self.broker = role, settings, broker
        self.stop = asyncio.Event()
        self.page: Callable[[], dict[str, Any]] = dict
        """What this process says about itself."""
        self.started = time.time()

    async def say(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Publish what is of use now or not at all: while the broker is away it is dropped, and nobody waits or fails for it."""
        if self.broker.is_connected:
            with contextlib.suppress(Exception):  # it went away meanwhile
                await self.broker.publish(subject, data, headers=headers)

    async def until_stopped(self, *work: Coroutine[Any, Any, None]) -> None:
        """Run endless `work` until the process is told to stop; the first failure ends it all, for the supervisor to start it anew."""
        tasks = {asyncio.ensure_future(w) for w in work}
        end = asyncio.ensure_future(self.stop.wait())
        done, _ = await asyncio.wait(tasks | {end}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks | {end}:
            task.cancel()
        for task in done & tasks:
            task.result()

    async def tell_health(self) -> None:
        """Publish the page once a second until the end."""
        while not self.stop.is_set():
            page = {"role": self.role, "pid": os.getpid(), "time": time.time(), "up_s": time.time() - self.started}
            page["cpu_s"], page["memory_mb"] = time.process_time(), _memory()
            with contextlib.suppress(Exception):  # the broker may be away; the next second tries again
                await self.broker.publish(f"v2x.health.{self.role}", json.dumps(page | self.page()).encode())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), 1.0)


def _memory() -> float:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


async def _live(role: str, settings: Settings, main: Callable[[Child], Awaitable[None]]) -> None:
    parent = os.getppid()
    child = Child(role, settings, await connect(settings.broker, role))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, child.stop.set)
    work = asyncio.ensure_future(main(child))
    health = asyncio.ensure_future(child.tell_health())
    while not work.done() and not child.stop.is_set():
        await asyncio.wait({work}, timeout=0.5)
        if os.getppid() != parent:
            child.stop.set()  # whoever started us is gone; where the kernel does not say so
    child.stop.set()
    try:
        await asyncio.wait_for(work, 5.0)
    finally:
        health.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(child.broker.close(), 2.0)


def run_child(role: str, main: Callable[[Child], Awaitable[None]], path: str) -> None:
    """The body of a process: settings from `path`, then `main` until it is told to stop."""
    import uvloop

    settings = read_settings(Path(path))
    gc.collect()
    gc.freeze()
    uvloop.run(_live(role, settings, main))


def command(module: str, settings: Path, *arguments: str) -> list[str]:
    """The command line of a platform process."""
    return with_us([sys.executable, "-m", f"cloverleaf.cloud.server.{module}", str(settings), *arguments])

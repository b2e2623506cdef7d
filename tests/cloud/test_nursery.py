"""A process that somebody else forked is watched and ended like one of our own; what is of use now only does not wait for a broker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloverleaf.cloud.server.child import Child
from cloverleaf.cloud.server.nursery import Forked, can_fork
from cloverleaf.cloud.server.settings import Settings


@pytest.mark.skipif(not can_fork(), reason="needs Linux 5.3 or later")
def test_a_forked_process_is_watched_and_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as real:
        forked = Forked(real.pid)
        assert forked.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            forked.wait(0.05)
        forked.kill()
        assert forked.wait(60.0) is not None and forked.poll() is not None
        real.wait(60.0)
        forked.terminate()  # gone: nothing happens
        assert Forked(real.pid).poll() is not None


class Wire:
    """A broker's client that comes and goes."""

    def __init__(self) -> None:
        self.is_connected, self.breaks = True, False
        self.sent: list[bytes] = []

    async def publish(self, subject: str, data: bytes, headers: Any = None) -> None:
        if self.breaks:
            raise ConnectionError
        self.sent.append(data)


def test_what_is_said_while_the_broker_is_away_is_dropped(tmp_path: Path) -> None:
    wire: Any = Wire()
    child = Child("shard-0", Settings(data=str(tmp_path), broker=""), wire)

    async def story() -> None:
        await child.say("v2x.twin.0", b"1")
        wire.is_connected = False
        await child.say("v2x.twin.0", b"2")
        wire.is_connected, wire.breaks = True, True
        await child.say("v2x.twin.0", b"3")
        wire.breaks = False
        await child.say("v2x.twin.0", b"4")

    asyncio.run(story())
    assert wire.sent == [b"1", b"4"]

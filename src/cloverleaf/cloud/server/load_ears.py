"""The load generator's ears, a process of their own: while it makes its next messages it could not note when an answer came.

`python -m cloverleaf.cloud.server.load_ears URL TENANT`: says "ready", hears until stdin ends, then prints one line of JSON, a list of
`[what, advisories, s]`: the sequence number of the frame, or the source and time of the message (header `Answers`), that is answered,
and when by the clock that all processes share (`time.monotonic`).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from nats.aio.msg import Msg

from cloverleaf.cloud.live.frames import read_frame
from cloverleaf.cloud.server.child import connect
from cloverleaf.cloud.server.gateway import SOURCE
from cloverleaf.types.errors import DecodeError


class Ears:
    """The process, as the generator sees it."""

    def __init__(self, url: str, tenant: str) -> None:
        line = [sys.executable, "-m", "cloverleaf.cloud.server.load_ears", url, tenant]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def heard(self) -> list[tuple[str, int, float]]:
        """End it; what it heard."""
        out, _ = self.process.communicate(timeout=30.0)
        return [(str(what), int(n), float(when)) for what, n, when in json.loads(out)]


async def _hear(url: str, tenant: str) -> list[tuple[str, int, float]]:
    found: list[tuple[str, int, float]] = []
    broker = await connect(url, "ears")

    async def answer(message: Msg) -> None:
        now = time.monotonic()
        said: Any = (message.headers or {}).get("Answers", "")
        if said:
            found.append((said, 1, now))
        elif not message.subject.endswith(f".{SOURCE}"):  # the gateway's own comes again, one by one
            try:
                frame = read_frame(message.data)
            except DecodeError:
                return
            found.append((str(frame.tile), len(frame.kind), now))

    await broker.subscribe(f"v2x.down.{tenant}.*", cb=answer)
    await broker.flush()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.wait_for(broker.close(), 5.0)
    return found


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(_hear(*sys.argv[1:]))))

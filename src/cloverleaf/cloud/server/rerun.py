"""A recorded drive played into the platform as a process: `python -m cloverleaf.cloud.server.rerun SETTINGS LAKE FROM TO SPEED`.

What it sends is not kept by the stream. FROM and TO are s since 1970, 0: the lake's own begin and end. At the end it begins again.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from cloverleaf.cloud.live.frames import pack_frame
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.cloud.store.query import Reader
from cloverleaf.cloud.store.rerun import STEP, frames_of

SUBJECT = "v2x.replay.-1.replay.lake"


class Rerun:
    """The past and where it stands."""

    def __init__(self, child: Child, lake: Path, first: float, last: float, speed: float) -> None:
        self.child, self.reader, self.speed = child, Reader(lake), speed
        begin, end, self.rows = self.reader.span()
        self.first, self.last = first or begin, last or end
        self.now, self.messages, self.late_s = 0.0, 0, 0.0
        child.page = self.page

    def page(self) -> dict[str, Any]:
        """Health of the replay."""
        empty = ["nothing to replay in that span"] if not self.rows or self.first >= self.last else []
        return {
            "replayed_to": self.now,
            "speed": self.speed,
            "messages": self.messages,
            "late_s": self.late_s,
            "problems": empty,
        }

    async def play_for_ever(self) -> None:
        """Send frames at their times, `speed` times as fast as then; slower where the machine is."""
        base_map, rounds = shared_map(self.child.settings), int(time.time())
        while not self.child.stop.is_set():
            due = time.monotonic()
            for frame in frames_of(self.reader, base_map, self.first, self.last, rounds):
                wait = due - time.monotonic()
                if wait > 0.0:
                    await asyncio.sleep(wait)
                elif wait < -1.0:
                    self.late_s, due = self.late_s - wait, due - wait
                due += STEP / self.speed
                self.now = frame.time
                self.messages += len(frame.kind)
                if len(frame.kind):
                    await self.child.broker.publish(SUBJECT, pack_frame(frame))
            rounds += 1
            await asyncio.sleep(0.5)


async def work(child: Child, rerun: Rerun) -> None:
    """Play until told to stop."""
    await child.until_stopped(rerun.play_for_ever())


def main(settings: str, lake: str, first: str, last: str, speed: str) -> None:
    """The process."""
    what = float(first), float(last), float(speed)
    run_child("replay", lambda child: work(child, Rerun(child, Path(lake), *what)), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])

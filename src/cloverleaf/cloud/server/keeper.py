"""The keeper as a process: reads the stream from where the lake stands, writes the lake, and lets the stream forget what is old.

The lake's own log says how far the stream was read, so there is nothing to acknowledge: a keeper that was killed goes on after
the last whole commit, and a frame that is read twice is recognised by its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import deque
from typing import Any

from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import read_frame
from cloverleaf.cloud.live.subjects import STREAM, origin
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.cloud.store.ingest import Ingest, Stored
from cloverleaf.cloud.store.lake import Lake, LakeFull
from cloverleaf.cloud.store.rows import Names
from cloverleaf.types.errors import DecodeError

COMMIT_EVERY, COMMIT_ROWS = 2.0, 400_000
FETCH = 500
ANSWER_S = 1.0
"""s that the stream has for an answer before it is asked again: one that has lost its leader gives none."""


class Keeper:
    """Stream to lake."""

    def __init__(self, child: Child) -> None:
        s = child.settings
        self.child = child
        self.counts = Counts()
        self.lake = Lake(s.folder / "lake", floor=s.lake_floor_bytes)
        self.ingest = Ingest(shared_map(s), self.lake, Names(bytes.fromhex(s.secret)), self.counts)
        self.read = self.lake.log.stream  # last stream sequence taken over
        self.rows = self.commits = 0
        self.commit_ms = 0.0
        self.problem = ""
        self.last_stream = 0
        self._since = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque()  # (when, stream sequence) of commits
        self._tidy = 0.0
        self._writing = asyncio.Lock()
        child.page = self.page

    def page(self) -> dict[str, Any]:
        """Health of the keeper."""
        return {
            **self.counts.page(),
            "rows": self.rows,
            "commits": self.commits,
            "commit_ms": self.commit_ms,
            "waiting_rows": self.lake.waiting,
            "files": len(self.lake.log.files),
            "stream_read": self.read,
            "stream_committed": self.lake.log.stream,
            "problems": [self.problem] if self.problem else [],
        }

    async def keep_for_ever(self) -> None:
        """Read and write until told to stop; whatever the broker does, begin again from the lake's word."""
        js = self.child.broker.jetstream(timeout=ANSWER_S)
        while not self.child.stop.is_set():
            sub = None
            try:
                sub = await self._subscribe(js)
                while not self.child.stop.is_set():
                    await self._round(js, sub)
            except TimeoutError as error:  # an OSError by descent, but the broker's
                self.problem = f"the stream does not answer: {error}".rstrip(": ")
            except (LakeFull, OSError) as error:
                self.problem = f"the lake cannot be written: {error}"
            except Exception as error:
                sys.stderr.write(f"keeper: {type(error).__name__} {error}\n")
                self.problem = f"the stream cannot be read: {type(error).__name__}"
            if sub is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(sub.unsubscribe(), 0.5)
            await asyncio.sleep(0.3)

    async def _subscribe(self, js: JetStreamContext) -> JetStreamContext.PullSubscription:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.read + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=30.0,
            mem_storage=True,
        )
        return await js.pull_subscribe("v2x.frame.>", stream=STREAM, config=config)

    async def _round(self, js: JetStreamContext, sub: JetStreamContext.PullSubscription) -> None:
        if self.lake.waiting < COMMIT_ROWS:
            try:
                messages = await sub.fetch(FETCH, timeout=0.5)
            except NatsTimeout:
                messages = []
                await sub.consumer_info()  # raises if the consumer went away with its server
            self._take(messages)
        full = self.lake.waiting >= COMMIT_ROWS
        if self.read > self.lake.log.stream and (full or time.monotonic() - self._since > COMMIT_EVERY):
            begin = time.perf_counter()
            async with self._writing:
                self.rows += await asyncio.to_thread(self.lake.commit, self.read)
            self.commit_ms = 1e3 * (time.perf_counter() - begin)
            self.commits += 1
            self._since = time.monotonic()
            self._marks.append((time.time(), self.read))
        self.problem = ""
        if time.monotonic() > self._tidy:
            self._tidy = time.monotonic() + 5.0
            async with self._writing:
                await asyncio.to_thread(self._housekeeping)
            await self._trim(js)

    def _take(self, messages: list[Msg]) -> None:
        frames = []
        for m in messages:
            data = m.metadata
            if data.sequence.stream <= self.read:
                continue
            self.read = data.sequence.stream
            source = origin(m.subject)
            try:
                frames.append(Stored(source, read_frame(m.data), data.timestamp.timestamp()))
            except DecodeError:
                self.counts.refuse(source, "malformed_frame")
        if frames:
            self.ingest.take(frames)

    def _housekeeping(self) -> None:
        self.lake.merge()
        self.lake.retain(self.child.settings.keep_lake_s, time.time())

    async def _trim(self, js: JetStreamContext) -> None:
        """Let the stream forget what has been in the lake for long enough."""
        upto = 0
        while self._marks and self._marks[0][0] < time.time() - self.child.settings.keep_frames_s:
            upto = self._marks.popleft()[1]
        if upto:
            await js.purge_stream(STREAM, seq=upto)

    async def quarantine(self, message: Msg) -> None:
        """A reader found a damaged file."""
        async with self._writing:
            await asyncio.to_thread(self.lake.quarantine, message.data.decode(errors="replace"))

    async def erase(self, message: Msg) -> None:
        """Somebody's names are to be erased."""
        try:
            names = {int(n) for n in json.loads(message.data)}
        except (ValueError, TypeError):
            return
        async with self._writing:
            await asyncio.to_thread(self.lake.commit, self.read)
            erased = await asyncio.to_thread(self.lake.erase, names)
        await message.respond(json.dumps({"erased": erased}).encode())

    def close(self) -> None:
        """Write what waits; leave the rest to the next keeper."""
        with contextlib.suppress(OSError, LakeFull):
            if self.read > self.lake.log.stream:
                self.rows += self.lake.commit(self.read)
        self.lake.close()


async def work(child: Child) -> None:
    """Keep until told to stop."""
    keeper = Keeper(child)
    await child.broker.subscribe("v2x.lake.damaged", cb=keeper.quarantine)
    await child.broker.subscribe("v2x.lake.erase", cb=keeper.erase)
    try:
        await child.until_stopped(keeper.keep_for_ever())
    finally:
        keeper.close()


def main(settings: str) -> None:
    """The process."""
    run_child("keeper", work, settings)


if __name__ == "__main__":
    main(*sys.argv[1:])

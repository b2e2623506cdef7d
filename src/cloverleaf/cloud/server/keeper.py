"""The keeper as a process: reads the streams from where the lake stands, writes the lake, and lets the streams forget what is old.

The lake's own log says how far each stream was read, so there is nothing to acknowledge: a keeper that was killed goes on after
the last whole commit, and a frame that is read twice, or from both streams, is recognised by its name.
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
from cloverleaf.cloud.live.subjects import SPACES, STREAMS, origin
from cloverleaf.cloud.server.child import Child, run_child
from cloverleaf.cloud.server.settings import shared_map
from cloverleaf.cloud.server.stream import part_leaders
from cloverleaf.cloud.store.ingest import Ingest, Stored
from cloverleaf.cloud.store.lake import Lake, LakeFull
from cloverleaf.cloud.store.rows import Names
from cloverleaf.types.errors import DecodeError

COMMIT_EVERY, COMMIT_ROWS = 2.0, 400_000
TIDY_EVERY, PART_EVERY = 5.0, 1.0
MERGES = 8
"""Hours and cells whose files are merged at a time, one after the other."""
FETCH = 500
APART = 5.0
"""s by which one stream is read ahead of another that has more, at most."""
ANSWER_S = 1.0
"""s that the stream has for an answer before it is asked again: one that has lost its leader gives none."""


class Reader:
    """How far one stream was read."""

    def __init__(self, stream: str, read: int) -> None:
        self.stream, self.read = stream, read  # the sequence number of the last message taken over
        self.pending = 1
        """Messages behind that one; of a stream that was not asked yet, some."""
        self.reached = 0.0
        """When that one was stored, s since 1970."""
        self.problem = ""


class Keeper:
    """Streams to lake."""

    def __init__(self, child: Child) -> None:
        s = child.settings
        self.child = child
        self.counts = Counts()
        self.lake = Lake(s.folder / "lake", floor=s.lake_floor_bytes)
        self.ingest = Ingest(shared_map(s), self.lake, Names(bytes.fromhex(s.secret)), self.counts)
        self.readers = [Reader(name, self.lake.log.streams.get(name, 0)) for name in STREAMS]
        self.rows = self.commits = 0
        self.commit_ms = 0.0
        self.problem = ""
        self._since = time.monotonic()
        self._marks: deque[tuple[float, dict[str, int]]] = deque()  # (when, sequence number by stream) of commits
        self._tidy = 0.0
        self._writing = asyncio.Lock()
        child.page = self.page

    def read(self) -> dict[str, int]:
        """How far each stream was read."""
        return {r.stream: r.read for r in self.readers}

    def page(self) -> dict[str, Any]:
        """Health of the keeper; `stream_read` and `stream_committed` count frames of all streams."""
        return {
            **self.counts.page(),
            "rows": self.rows,
            "commits": self.commits,
            "commit_ms": self.commit_ms,
            "waiting_rows": self.lake.waiting,
            "files": len(self.lake.log.files),
            "stream_read": sum(self.read().values()),
            "stream_committed": sum(self.lake.log.streams.values()),
            "problems": [p for p in (self.problem, *(r.problem for r in self.readers)) if p],
        }

    async def keep_for_ever(self) -> None:
        """Read and write until told to stop."""
        await asyncio.gather(
            self._write_for_ever(), self._part_for_ever(), *(self._read_for_ever(r) for r in self.readers)
        )

    async def _part_for_ever(self) -> None:
        """Where a cluster keeps the streams, see that no server leads both; an election may have it so."""
        while not self.child.stop.is_set() and self.child.settings.replicas > 1:
            if await part_leaders(self.child.broker):
                sys.stderr.write("keeper: one server led both streams\n")
            await asyncio.sleep(PART_EVERY)

    async def _read_for_ever(self, reader: Reader) -> None:
        """Whatever the broker does, begin again from the lake's word."""
        js = self.child.broker.jetstream(timeout=ANSWER_S)
        while not self.child.stop.is_set():
            sub = None
            try:
                sub = await self._subscribe(js, reader)
                while not self.child.stop.is_set():
                    await self._round(reader, sub)
            except TimeoutError as error:
                reader.problem = f"the stream {reader.stream} does not answer: {error}".rstrip(": ")
            except Exception as error:
                sys.stderr.write(f"keeper: {reader.stream}: {type(error).__name__} {error}\n")
                reader.problem = f"the stream {reader.stream} cannot be read: {type(error).__name__}"
            if sub is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(sub.unsubscribe(), 0.5)
            await asyncio.sleep(0.3)

    async def _subscribe(self, js: JetStreamContext, reader: Reader) -> JetStreamContext.PullSubscription:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=reader.read + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=30.0,
            mem_storage=True,
        )
        return await js.pull_subscribe(f"{SPACES[STREAMS.index(reader.stream)]}.>", stream=reader.stream, config=config)

    async def _round(self, reader: Reader, sub: JetStreamContext.PullSubscription) -> None:
        if self.lake.waiting >= COMMIT_ROWS or self._ahead(reader):
            await asyncio.sleep(0.02)
            return
        try:
            messages = await sub.fetch(FETCH, timeout=0.5)
        except NatsTimeout:
            messages = []
            await sub.consumer_info()  # raises if the consumer went away with its server
            reader.pending = 0
        reader.problem = ""
        if messages:
            async with self._writing:
                self._take(reader, messages)

    def _ahead(self, reader: Reader) -> bool:
        """Whether another stream has frames older by `APART` s: the lake remembers frames one by one for so long only."""
        return any(r.pending and not r.problem and r.reached < reader.reached - APART for r in self.readers)

    async def _write_for_ever(self) -> None:
        js = self.child.broker.jetstream(timeout=ANSWER_S)
        while not self.child.stop.is_set():
            await asyncio.sleep(0.02)
            try:
                await self._write()
                self.problem = ""
                if time.monotonic() > self._tidy:
                    self._tidy = time.monotonic() + TIDY_EVERY
                    await self._housekeeping()
                    await self._trim(js)
            except (LakeFull, OSError) as error:
                if not isinstance(error, TimeoutError):  # an OSError by descent, but the broker's
                    self.problem = f"the lake cannot be written: {error}"
                await asyncio.sleep(0.3)
            except Exception as error:  # the broker's: what was not trimmed now is trimmed later
                sys.stderr.write(f"keeper: {type(error).__name__} {error}\n")

    async def _write(self) -> None:
        full = self.lake.waiting >= COMMIT_ROWS
        news = any(r.read > self.lake.log.streams.get(r.stream, 0) for r in self.readers)
        if not news or not (full or time.monotonic() - self._since > COMMIT_EVERY):
            return
        begin = time.perf_counter()
        async with self._writing:
            read = self.read()
            self.rows += await asyncio.to_thread(self.lake.commit, read)
        self.commit_ms = 1e3 * (time.perf_counter() - begin)
        self.commits += 1
        self._since = time.monotonic()
        self._marks.append((time.time(), read))

    def _take(self, reader: Reader, messages: list[Msg]) -> None:
        frames = []
        for m in messages:
            data = m.metadata
            if data.sequence.stream <= reader.read:
                continue
            reader.read, reader.pending = data.sequence.stream, data.num_pending
            reader.reached = data.timestamp.timestamp()
            source = origin(m.subject)
            try:
                frames.append(Stored(source, read_frame(m.data), data.timestamp.timestamp()))
            except DecodeError:
                self.counts.refuse(source, "malformed_frame")
        if frames:
            self.ingest.take(frames)

    async def _housekeeping(self) -> None:
        async with self._writing:
            await asyncio.to_thread(self.lake.retain, self.child.settings.keep_lake_s, time.time())
        for _ in range(MERGES):
            async with self._writing:
                if not await asyncio.to_thread(self.lake.merge):
                    break
            await self._write()  # what waits goes first

    async def _trim(self, js: JetStreamContext) -> None:
        """Let the streams forget what has been in the lake for long enough."""
        upto: dict[str, int] = {}
        while self._marks and self._marks[0][0] < time.time() - self.child.settings.keep_frames_s:
            upto = self._marks.popleft()[1]
        for name, read in upto.items():
            await js.purge_stream(name, seq=read)

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
            await asyncio.to_thread(self.lake.commit, self.read())
            erased = await asyncio.to_thread(self.lake.erase, names)
        await message.respond(json.dumps({"erased": erased}).encode())

    def close(self) -> None:
        """Write what waits; leave the rest to the next keeper."""
        with contextlib.suppress(OSError, LakeFull):
            self.rows += self.lake.commit(self.read())
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

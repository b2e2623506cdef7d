"""The streams that keep frames: created or adapted at start, and led by different servers of a cluster.

A stream whose leader dies takes nothing until its followers have elected another one, which takes nats-server some seconds. While the
other stream is led elsewhere, senders have somewhere to go meanwhile (`durable.py`).
"""

from __future__ import annotations

import asyncio
import json
import time

from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from cloverleaf.cloud.live.subjects import SPACES, STREAMS
from cloverleaf.types.errors import CloverleafError

DUPLICATE_WINDOW = 120.0
"""s within which the broker itself drops a second copy of a frame by its name."""


async def ensure_streams(
    broker: Client, *, replicas: int = 1, most: int = 20_000_000_000, patience: float = 15.0
) -> None:
    """Make the streams `STREAMS`, or adapt them; tried again while a cluster has no leader yet.

    Frames leave a stream when the keeper says so, long after they are in the lake. Streams of `most` bytes together take no more: who
    publishes then gets no acknowledgement, so nothing acknowledged is lost.

    Raises:
        CloverleafError: the broker keeps no streams.
    """
    js = broker.jetstream()
    end = time.monotonic() + patience
    for name, space in zip(STREAMS, SPACES):
        config = StreamConfig(
            name=name,
            subjects=[f"{space}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_bytes=most // len(STREAMS),
            num_replicas=replicas,
            duplicate_window=DUPLICATE_WINDOW,
        )
        while True:
            try:
                await _ensure(js, config)
                break
            except Exception as error:
                if time.monotonic() > end:
                    raise CloverleafError(
                        f"the broker keeps no stream: {error}",
                        hint="enable JetStream on it, or use the built-in one",
                    ) from error
                await asyncio.sleep(0.3)
    if replicas > 1:
        await part_leaders(broker)


async def _ensure(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.stream_info(config.name or "")
        await js.update_stream(config)
    except NotFoundError:
        await js.add_stream(config)


async def part_leaders(broker: Client) -> bool:
    """Ask the second stream's leader to hand over to another server if it leads the first one too; returns whether it was asked.

    Streams that do not answer, for want of a leader or of a cluster, are left alone.
    """
    js = broker.jetstream(timeout=1.0)
    try:
        first, second = [await js.stream_info(name) for name in STREAMS]
        if not leader_of(first) or leader_of(first) != leader_of(second):
            return False
        peers = second.cluster.replicas or [] if second.cluster else []
        able = [p.name for p in peers if p.name and p.current and not p.offline]
        if not able:
            return False
        wish = json.dumps({"placement": {"preferred": able[0]}}).encode()
        await broker.request(f"$JS.API.STREAM.LEADER.STEPDOWN.{STREAMS[1]}", wish, timeout=1.0)
        return True
    except Exception:  # it will be asked again
        return False


def leader_of(info: StreamInfo) -> str:
    """Name of the server that leads a stream; empty for none, or for a broker that is no cluster."""
    return (info.cluster.leader or "") if info.cluster else ""

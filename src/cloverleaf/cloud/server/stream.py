"""The stream that keeps frames: created or adapted at start."""

from __future__ import annotations

import asyncio
import time

from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from cloverleaf.cloud.live.subjects import STREAM
from cloverleaf.types.errors import CloverleafError

DUPLICATE_WINDOW = 120.0
"""s within which the broker itself drops a second copy of a frame by its name."""


async def ensure_stream(
    broker: Client, *, replicas: int = 1, most: int = 20_000_000_000, patience: float = 15.0
) -> None:
    """Make the stream `FRAMES`, or adapt it; tried again while a cluster has no leader yet.

    Frames leave the stream when the keeper says so, long after they are in the lake. A stream of `most` bytes takes no more: who
    publishes then gets no acknowledgement, so nothing acknowledged is lost.

    Raises:
        CloverleafError: the broker keeps no streams.
    """
    config = StreamConfig(
        name=STREAM,
        subjects=["v2x.frame.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=most,
        num_replicas=replicas,
        duplicate_window=DUPLICATE_WINDOW,
    )
    js = broker.jetstream()
    end = time.monotonic() + patience
    while True:
        try:
            try:
                await js.stream_info(STREAM)
                await js.update_stream(config)
            except NotFoundError:
                await js.add_stream(config)
            return
        except Exception as error:
            if time.monotonic() > end:
                raise CloverleafError(
                    f"the broker keeps no stream: {error}", hint="enable JetStream on it, or use the built-in one"
                ) from error
            await asyncio.sleep(0.3)

"""Subjects of the broker: who publishes what where. MQTT clients write '/' for '.'.

| subject | content |
|---|---|
| `v2x.msg.TENANT.SOURCE.KIND` | one wire message of a vehicle or unit; KIND is bsm, spat, ... (`KINDS`) |
| `v2x.frame.TILE.TENANT.SOURCE` | a frame of messages (`frames.py`); kept by the stream `FRAMES` |
| `v2x.frame2.TILE.TENANT.SOURCE` | the same, kept by the stream `FRAMES2`: a source may send each frame to either, and again to the other |
| `v2x.replay.TILE.TENANT.SOURCE` | the same again from the lake, at another time; not kept |
| `v2x.down.TENANT.SOURCE` | advisories for the stations behind a source: a frame, or one message for those who speak messages |
| `v2x.twin.SHARD` | the shard's part of the twin, several times a second (`snapshot.py`) |
| `v2x.said.SHARD` | warnings and advice as they go out, for consoles |
| `v2x.heard.SHARD` | where messages of which kind came in and went out (`chatter.py`), for consoles |
| `v2x.answer` | answers of services that run outside the shards (`snapshot.SAID` records) |
| `v2x.command.GROUP` | JSON, what a service wishes a signal group to serve |
| `v2x.inner.TENANT.SOURCE` | JSON, station -> what goes on inside that vehicle; `v2x.inside.SHARD`: the same by handle |
| `v2x.health.ROLE` | counts of a process, once a second |
"""

from __future__ import annotations

import hashlib
import re

from cloverleaf.types.messages import MessageKind

STREAMS = ("FRAMES", "FRAMES2")
"""Streams that keep frames; what one does not take, for want of a leader, the other does."""
SPACES = ("v2x.frame", "v2x.frame2")
"""First tokens of the subjects that each stream keeps."""
KINDS: dict[str, int] = {
    "bsm": MessageKind.AWARENESS,
    "cam": MessageKind.AWARENESS,
    "spat": MessageKind.SIGNAL,
    "spatem": MessageKind.SIGNAL,
    "map": MessageKind.TOPOLOGY,
    "mapem": MessageKind.TOPOLOGY,
    "rsm": MessageKind.PERCEPTION,
    "ssm": MessageKind.PERCEPTION,
    "cpm": MessageKind.PERCEPTION,
    "rsc": MessageKind.ADVICE,
    "rsi": MessageKind.EVENT,
    "denm": MessageKind.EVENT,
}
"""Last token of a message's subject -> what it carries."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def frame_subject(tile: int, tenant: str, source: str, stream: int = 0) -> str:
    """Where a source publishes its frames of one tile, for the stream of that number to keep."""
    return f"{SPACES[stream]}.{tile}.{tenant}.{source}"


def down_subject(source: str) -> str:
    """Where the stations behind `TENANT.SOURCE` listen."""
    return f"v2x.down.{source}"


def origin(subject: str) -> str:
    """`TENANT.SOURCE` of a frame's or message's subject."""
    parts = subject.split(".")
    return ".".join(parts[3:5] if parts[1] in ("frame", "frame2", "replay") else parts[2:4])


def tenant_number(tenant: str) -> int:
    """The number by which rows name a tenant, the same in every process; 0 is nobody's."""
    return int.from_bytes(hashlib.blake2b(tenant.encode(), digest_size=4).digest(), "little") | 1


def is_token(name: str) -> bool:
    """Whether a tenant's or source's name can stand in a subject."""
    return _TOKEN.fullmatch(name) is not None

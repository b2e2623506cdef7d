"""Record topics into an MCAP file, and read them back in the order of writing."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from cloverleaf.runtime.packing import pack, unpack
from cloverleaf.runtime.topics import topic
from cloverleaf.types.errors import DecodeError

ENCODING = "cloverleaf.columns"
_TIME = struct.Struct("<d")
"""The exact time before each value: a stamp in ns would not replay to the last bit."""


class Entry(NamedTuple):
    """One recorded value."""

    topic: str
    time: float  # s
    value: Any


class Recorder:
    """Writes one file; it takes its name when it is complete. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path, self._partial = path, path.with_name(path.name + ".partial")
        self._file = self._partial.open("wb")
        self._writer = Writer(self._file, compression=CompressionType.ZSTD)
        self._writer.start(profile="cloverleaf", library="cloverleaf")
        self._channel: dict[str, int] = {}

    def write(self, name: str, t: float, value: Any) -> None:
        """One value of a topic of the table at time `t` (s). Raises StudyError for an unknown topic."""
        if name not in self._channel:
            row = topic(name)
            schema = self._writer.register_schema(row.type.__name__, "", b"")
            self._channel[name] = self._writer.register_channel(name, ENCODING, schema, {"owner": row.owner})
        stamp = round(t * 1e9)
        self._writer.add_message(self._channel[name], stamp, _TIME.pack(t) + pack(value), stamp)

    def close(self, complete: bool = True) -> None:
        """Finish the file; an incomplete one keeps `.partial` in its name."""
        self._writer.finish()
        self._file.close()
        if complete:
            os.replace(self._partial, self.path)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=kind is None)


def entries(path: Path) -> Iterator[Entry]:
    """All values of a recording, oldest first and, at the same time, in the order of writing. Raises DecodeError."""
    with path.open("rb") as file:
        try:
            for _, channel, message in make_reader(file).iter_messages(log_time_order=True):
                if channel.message_encoding == ENCODING:
                    (time,) = _TIME.unpack_from(message.data)
                    yield Entry(channel.topic, time, unpack(message.data[_TIME.size :]))
        except (McapError, ValueError, OSError, EOFError, struct.error) as error:
            raise DecodeError(f"{path} is not a whole recording: {error}") from error

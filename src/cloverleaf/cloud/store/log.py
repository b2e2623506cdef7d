"""The lake's log: which files belong to it, and which frames they hold. One commit is one small file that appears whole or not at all.

A commit names files added and removed, the frames added (per source and epoch as ranges of sequence numbers), and how far each
stream was read (of a stream that it does not name, nothing). Readers list files by the log only; what a killed writer left behind
unlisted is removed when the next writer opens the lake.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cloverleaf.cloud.live.ranges import Ranges
from cloverleaf.types.errors import InputError

CHECKPOINT_EVERY = 64
WINDOW = 200_000
"""Sequence numbers per source and epoch that are remembered one by one; older ones count as stored."""


class File(NamedTuple):
    """One Parquet file of the lake."""

    path: str  # below the lake's folder
    rows: int
    first: float  # s since 1970
    last: float
    cell: int


class Log:
    """State of a lake. Only one writer at a time; readers open with `read_only`."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder, self.log = folder, folder / "_log"
        self.version = 0
        self.streams: dict[str, int] = {}
        """How far each stream was read: its sequence number of the last frame taken."""
        self.files: dict[str, File] = {}
        self.sources: list[str] = []
        self.frames: dict[str, Ranges] = {}
        self._read_only = read_only
        if not read_only:
            self.log.mkdir(parents=True, exist_ok=True)
        self.refresh()
        if not read_only:
            self._sweep()

    def refresh(self) -> bool:
        """Read what was committed since; returns whether there was anything."""
        before = self.version
        for _ in range(3):  # a checkpoint may replace the commits while we look
            names = sorted(p.name for p in self.log.glob("*.json")) if self.log.is_dir() else []
            points = [n for n in names if n.startswith("checkpoint-")]
            try:
                if points and int(points[-1][11:31]) > self.version:
                    self._load(json.loads((self.log / points[-1]).read_text()))
                for name in names:
                    if name[:1].isdigit() and int(name[:20]) > self.version:
                        self._apply(json.loads((self.log / name).read_text()))
                break
            except FileNotFoundError:
                continue
            except ValueError as error:
                raise InputError(
                    f"the lake's log is damaged: {error}", file=self.log, hint="restore it from a backup"
                ) from error
        return self.version != before

    def _load(self, state: dict[str, Any]) -> None:
        self.version, self.streams, self.sources = state["version"], state.get("streams", {}), state["sources"]
        self.files = {f[0]: File(*f) for f in state["files"]}
        self.frames = {k: Ranges(v) for k, v in state["frames"].items()}

    def _apply(self, commit: dict[str, Any]) -> None:
        self.version = commit["version"]
        for name, read in commit.get("streams", {}).items():
            self.streams[name] = max(self.streams.get(name, 0), read)
        self.sources += commit["sources"]
        for f in commit["add"]:
            self.files[f[0]] = File(*f)
        for path in commit["remove"]:
            self.files.pop(path, None)
        for key, ranges in commit["frames"].items():
            mine = self.frames.setdefault(key, Ranges())
            for a, b in ranges:
                for n in range(a, b + 1):
                    mine.add(n)
            mine.forget(WINDOW)

    def source(self, name: str) -> int:
        """Row of a source; new ones are written with the next commit."""
        if name not in self.sources:
            self.sources.append(name)
        return self.sources.index(name)

    def holds(self, key: str, sequence: int) -> bool:
        """Whether a frame is in the lake; key: SOURCE:EPOCH."""
        found = self.frames.get(key)
        return found is not None and sequence in found

    def commit(
        self,
        add: list[File],
        remove: list[str],
        frames: dict[str, Ranges],
        streams: Mapping[str, int],
        known_sources: int,
    ) -> None:
        """Make it so; on return the disk has it. `known_sources`: how many sources were in the log before."""
        commit = {
            "version": self.version + 1,
            "streams": dict(streams),
            "add": [list(f) for f in add],
            "remove": remove,
            "frames": {k: r.ranges for k, r in frames.items()},
            "sources": self.sources[known_sources:],
        }
        write_whole(self.log / f"{self.version + 1:020d}.json", json.dumps(commit).encode())
        commit["sources"] = []
        self._apply(commit)
        if self.version % CHECKPOINT_EVERY == 0:
            self._checkpoint()

    def _checkpoint(self) -> None:
        state = {
            "version": self.version,
            "streams": self.streams,
            "sources": self.sources,
            "files": [list(f) for f in self.files.values()],
            "frames": {k: r.ranges for k, r in self.frames.items()},
        }
        write_whole(self.log / f"checkpoint-{self.version:020d}.json", json.dumps(state).encode())
        for path in self.log.glob("*.json"):
            name = path.name
            old = int(name[11:31]) < self.version if name.startswith("checkpoint-") else int(name[:20]) <= self.version
            if old:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()

    def _sweep(self) -> None:
        """Remove what no commit names."""
        for path in self.folder.glob("hour=*/cell=*/*"):
            if path.relative_to(self.folder).as_posix() not in self.files:
                path.unlink()
        for path in self.log.glob("*.new"):
            path.unlink()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there in full, also after a power loss, or not at all."""
    new = path.with_suffix(".new")
    with open(new, "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.replace(new, path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

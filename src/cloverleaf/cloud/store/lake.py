"""Writes rows into the lake: Parquet files by hour and cell, each frame once, whole commits only."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cloverleaf.cloud.live.ranges import Ranges
from cloverleaf.cloud.store.log import File, Log
from cloverleaf.cloud.store.rows import SCHEMA, Rows, cell_of, joined
from cloverleaf.types.errors import CloverleafError

CROWD = 24
"""Files of one hour and cell from which on they are merged into one."""
LARGE = 200_000
"""Rows from which on a file stays as it is: merging it again with each small file that comes would cost ever more."""


class LakeFull(CloverleafError):
    """The disk has too little room; nothing was written."""


class Lake:
    """The one writer of a lake folder.

    floor: bytes of free disk below which nothing is written. Raises CloverleafError if another writer is at work.
    """

    def __init__(self, folder: Path, *, floor: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / ".writer", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise CloverleafError(
                f"another process writes the lake {folder}", hint="stop it, or choose another --data"
            ) from error
        self.folder, self.floor = folder, floor
        self.log = Log(folder)
        self._known_sources = len(self.log.sources)
        self._rows: list[Rows] = []
        self._frames: dict[str, Ranges] = {}
        self.waiting = 0
        """Rows that the next commit will write."""

    def holds(self, source: str, epoch: int, sequence: int) -> bool:
        """Whether a frame is stored or waits to be."""
        key = f"{source}:{epoch}"
        waits = self._frames.get(key)
        return self.log.holds(key, sequence) or (waits is not None and sequence in waits)

    def claim(self, source: str, epoch: int, sequence: int) -> bool:
        """Enter a frame for the next commit, which must have its rows by `put`; False if the lake has it already."""
        if self.holds(source, epoch, sequence):
            return False
        self._frames.setdefault(f"{source}:{epoch}", Ranges()).add(sequence)
        return True

    def put(self, rows: Rows) -> None:
        """Queue rows of claimed frames for the next commit."""
        if len(rows.time):
            self._rows.append(rows)
            self.waiting += len(rows.time)

    def commit(self, streams: Mapping[str, int]) -> int:
        """Write what was queued, and how far each stream was read; returns the rows written. Afterwards a power loss cannot take them.

        Raises:
            LakeFull: too little room; everything is still queued.
            OSError: the disk failed; likewise.
        """
        free = shutil.disk_usage(self.folder).free
        if free < self.floor:
            raise LakeFull(f"{free // 1_000_000} MB free, {self.floor // 1_000_000} MB is the floor")
        files = self._write(joined(self._rows)) if self._rows else []
        if not files and not self._frames:
            return 0
        self.log.commit(files, [], self._frames, streams, self._known_sources)
        self._known_sources = len(self.log.sources)
        written, self.waiting = self.waiting, 0
        self._rows, self._frames = [], {}
        return written

    def _write(self, rows: Rows) -> list[File]:
        hour = (rows.time // 3600).astype(np.int64)
        cell = cell_of(rows.x, rows.y)
        key = hour << 32 | (cell & 0xFFFFFFFF)
        if len(key) > 1 and (key != key[0]).any():
            order = np.argsort(key, kind="stable")
            rows = Rows._make(c[order] for c in rows)
            key = key[order]
        edges = np.append(np.append(0, np.flatnonzero(np.diff(key)) + 1), len(key))
        table = pa.Table.from_arrays([pa.array(c) for c in rows], schema=SCHEMA)
        files = []
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist()):
            part = rows.time[a:b]
            files.append(self._file(table.slice(a, b - a), int(hour_of(part[0])), int(key[a] & 0xFFFFFFFF), part))
        return files

    def _file(self, table: pa.Table, hour: int, cell: int, time_column: np.ndarray) -> File:
        name = time.strftime("%Y%m%d%H", time.gmtime(hour * 3600))
        folder = self.folder / f"hour={name}" / f"cell={cell}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.log.version + 1:012d}-{time.monotonic_ns():x}.parquet"
        with open(path, "wb") as f:
            pq.write_table(
                table,
                f,
                compression="zstd",
                compression_level=1,
                use_dictionary=["source", "kind", "trust", "epoch", "events"],
            )
            f.flush()
            os.fsync(f.fileno())
        shown = path.relative_to(self.folder).as_posix()
        return File(shown, table.num_rows, float(time_column.min()), float(time_column.max()), cell)

    def merge(self, *, crowd: int = CROWD, most: int = 1) -> int:
        """Merge the small files of crowded hours and cells, at most `most` of them a call; returns how many files were saved."""
        groups: dict[str, list[File]] = {}
        for f in self.log.files.values():
            if f.rows < LARGE:
                groups.setdefault(f.path.rpartition("/")[0], []).append(f)
        saved = 0
        crowded = sorted((g for g in groups.items() if len(g[1]) >= crowd), key=lambda g: -len(g[1]))[:most]
        for _, files in crowded:
            tables = [pq.read_table(self.folder / f.path, schema=SCHEMA) for f in files]
            table = pa.concat_tables(tables).sort_by("time")
            column = table["time"].to_numpy()
            merged = self._file(table, int(hour_of(column[0])), files[0].cell, column)
            self._replace(files, [merged])
            saved += len(files) - 1
            del table, tables, column
            pa.default_memory_pool().release_unused()  # else the pool keeps what the largest merge took
        return saved

    def retain(self, keep_s: float, now: float) -> int:
        """Remove files whose last row is older than `keep_s`; returns the rows removed."""
        old = [f for f in self.log.files.values() if f.last < now - keep_s]
        if old:
            self._replace(old, [])
        return sum(f.rows for f in old)

    def erase(self, vehicles: set[int]) -> int:
        """Remove all rows of these names; returns how many. Files that hold any are written anew."""
        wanted = pa.array(sorted(vehicles), pa.int64())
        gone = 0
        for f in list(self.log.files.values()):
            table = pq.read_table(self.folder / f.path, schema=SCHEMA)
            hit = pa.compute.is_in(table["vehicle"], value_set=wanted)
            n = int(pa.compute.sum(hit).as_py() or 0)
            if not n:
                continue
            rest = table.filter(pa.compute.invert(hit))
            column = rest["time"].to_numpy()
            self._replace([f], [self._file(rest, int(hour_of(column[0])), f.cell, column)] if len(column) else [])
            gone += n
        return gone

    def quarantine(self, path: str) -> None:
        """Take a damaged file out of the lake; it is kept under `_quarantine`."""
        if path in self.log.files:
            self.log.commit([], [path], {}, {}, self._known_sources)
            aside = self.folder / "_quarantine"
            aside.mkdir(exist_ok=True)
            (self.folder / path).replace(aside / path.replace("/", "_"))

    def _replace(self, old: list[File], new: list[File]) -> None:
        self.log.commit(new, [f.path for f in old], {}, {}, self._known_sources)
        for f in old:
            (self.folder / f.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Give the lake free for another writer."""
        os.close(self._lock)


def hour_of(t: float) -> int:
    """Whole hours since 1970."""
    return int(t // 3600)

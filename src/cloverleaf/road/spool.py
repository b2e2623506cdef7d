"""Store and forward: what could not be sent waits on disk, in order, up to a limit; the oldest goes first when there is no more room."""

from __future__ import annotations

import os
from pathlib import Path


class Spool:
    """A bounded queue of byte strings in a folder; survives a restart."""

    def __init__(self, folder: Path, most_bytes: int = 200_000_000) -> None:
        self.folder, self.most = folder, most_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._items = sorted(p for p in folder.glob("*.item"))
        self._next = int(self._items[-1].stem) + 1 if self._items else 0
        self._bytes = sum(p.stat().st_size for p in self._items)
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, data: bytes) -> None:
        """Keep one; on return the file is whole."""
        while self._items and self._bytes + len(data) > self.most:
            self._remove(self._items[0])
            self.dropped += 1
        path = self.folder / f"{self._next:020d}.item"
        new = path.with_suffix(".new")
        new.write_bytes(data)
        os.replace(new, path)
        self._next += 1
        self._items.append(path)
        self._bytes += len(data)

    def first(self) -> bytes | None:
        """The oldest, which stays until `done`."""
        return self._items[0].read_bytes() if self._items else None

    def done(self) -> None:
        """The oldest has arrived."""
        self._remove(self._items[0])

    def _remove(self, path: Path) -> None:
        self._bytes -= path.stat().st_size
        path.unlink()
        self._items.remove(path)

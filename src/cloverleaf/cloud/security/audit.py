"""The audit log: append-only lines, each with the hash of the one before, so that a change or a gap shows."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

FIRST = "0" * 64


def line_hash(entry: dict[str, Any]) -> str:
    """Hash of an entry without its own `hash`."""
    body = {k: v for k, v in entry.items() if k != "hash"}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Audit:
    """Appends to `path`; goes on after the last whole line that is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._number, self._last = 0, FIRST
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        for entry in self._entries():
            self._number, self._last = entry["n"], entry["hash"]

    def _entries(self) -> list[dict[str, Any]]:
        out = []
        for line in self.path.read_bytes().split(b"\n"):
            try:
                out.append(json.loads(line))
            except ValueError:
                continue  # a line cut short by a crash; `verify` tells of it if it is not the last
        return out

    def write(self, time: float, actor: str, action: str, **detail: Any) -> None:
        """One entry; on return the disk has it."""
        with self._lock:
            entry: dict[str, Any] = {
                "n": self._number + 1,
                "time": time,
                "actor": actor,
                "action": action,
                "detail": detail,
            }
            entry["before"] = self._last
            entry["hash"] = line_hash(entry)
            with open(self.path, "ab") as f:
                if f.tell() and not self._ends_whole():
                    f.write(b"\n")
                f.write(json.dumps(entry, sort_keys=True).encode() + b"\n")
                f.flush()
                os.fsync(f.fileno())
            self._number, self._last = entry["n"], entry["hash"]

    def _ends_whole(self) -> bool:
        with open(self.path, "rb") as f:
            f.seek(-1, os.SEEK_END)
            return f.read(1) == b"\n"

    def last(self, most: int = 100) -> list[dict[str, Any]]:
        """The newest entries, oldest first."""
        with self._lock:
            return self._entries()[-most:]


def verify(path: Path) -> str:
    """What is wrong with an audit log, or nothing. The newest hash must be known elsewhere to notice a cut at the end."""
    before, number = FIRST, 0
    lines = path.read_bytes().split(b"\n")
    for k, line in enumerate(lines):
        if not line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            return f"line {k + 1} cannot be read"
        if entry.get("n") != number + 1 or entry.get("before") != before:
            return f"line {k + 1} does not follow the one before"
        if entry.get("hash") != line_hash(entry):
            return f"line {k + 1} was changed"
        before, number = entry["hash"], entry["n"]
    return ""

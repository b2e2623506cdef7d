"""Starts the platform's processes and starts them again when they die, the broker included."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloverleaf.cloud.broker import Broker
from cloverleaf.cloud.server.child import command

WAITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""s before a process that died is started again: the first time, the second, ..."""
CALM = 30.0
"""s of life after which a process counts as well again."""


@dataclass
class Process:
    """One child: how to start it, and how that went."""

    name: str
    line: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    restarts: int = -1
    failures: int = 0
    since: float = 0.0
    due: float = 0.0

    def start(self) -> None:
        """Start it now."""
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.line, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.restarts += 1
        self.since = time.monotonic()

    def watch(self, now: float) -> None:
        """Start it again if it has died and its time has come."""
        if self.process is not None and self.process.poll() is None:
            if now - self.since > CALM:
                self.failures = 0
            return
        if self.process is not None and not self.due:
            self.due = now + WAITS[min(self.failures, len(WAITS) - 1)]
            self.failures += 1
        if now >= self.due:
            self.due = 0.0
            self.start()


class Supervisor:
    """The broker (None: somebody else's) and the processes around it."""

    def __init__(self, folder: Path, broker: Broker | None) -> None:
        self.folder, self.broker = folder, broker
        self.processes: list[Process] = []
        self.problem = ""
        """Why the broker does not run; empty: it does."""
        self._due, self._failures = 0.0, 0
        self._ready: asyncio.Future[None] | None = None

    def add(self, name: str, module: str, settings: Path, *arguments: str) -> None:
        """A process that runs `cloverleaf.cloud.server.MODULE`."""
        self.processes.append(Process(name, command(module, settings, *arguments), self.folder / f"{name}.log"))

    def start(self) -> None:
        """Start the processes; the broker must run already."""
        for process in self.processes:
            process.start()

    async def watch(self) -> None:
        """Keep everything alive until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            if self.broker is not None and not self.broker.alive():
                self._revive(self.broker, time.monotonic())
            elif self._ready is not None and self._ready.done():
                failed = self._ready.exception()
                self.problem = "" if failed is None else str(failed)
                self._failures = 0 if failed is None else self._failures
                self._ready = None
            for process in self.processes:
                process.watch(time.monotonic())

    def _revive(self, broker: Broker, now: float) -> None:
        """Start a broker that died, in this thread and without waiting for it; less and less often when it dies again."""
        if self._due == 0.0:
            self._due = now + WAITS[min(self._failures, len(WAITS) - 1)]
            self._failures += 1
            failed = self._ready.exception() if self._ready is not None and self._ready.done() else None
            self.problem = "the broker has ended" if failed is None else str(failed)
        if now >= self._due and (self._ready is None or self._ready.done()):
            self._due = 0.0
            broker.spawn()
            self._ready = asyncio.ensure_future(asyncio.to_thread(broker.wait_ready))

    def page(self) -> dict[str, Any]:
        """Process by process: pid, restarts, alive."""
        out: dict[str, Any] = {
            p.name: {"pid": p.process.pid if p.process else 0, "restarts": max(p.restarts, 0),
                     "alive": p.process is not None and p.process.poll() is None}
            for p in self.processes
        }  # fmt: skip
        if self.broker is not None:
            pid = self.broker.process.pid if self.broker.process else 0
            out["broker"] = {
                "pid": pid,
                "restarts": max(self.broker.restarts, 0),
                "alive": self.broker.alive(),
                "problem": self.problem,
            }
        return out

    def stop(self) -> None:
        """End all processes, the broker last."""
        running = [p.process for p in self.processes if p.process is not None and p.process.poll() is None]
        for child in running:
            child.terminate()
        end = time.monotonic() + 6.0
        for child in running:
            try:
                child.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self.broker is not None:
            self.broker.stop()

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
from cloverleaf.cloud.server.nursery import Forked, Nursery, can_fork

WAITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""s before a process that died is started again: the first time, the second, ..."""
CALM = 10.0
"""s of life after which a process counts as well again."""


@dataclass
class Process:
    """One child: what it runs, and how that went."""

    name: str
    module: str
    settings: Path
    arguments: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes] | Forked | None = field(default=None, repr=False)
    restarts: int = -1
    failures: int = 0
    since: float = 0.0
    due: float = 0.0
    asked: bool = False
    """Whether the nursery was asked and has not answered."""

    def start(self, nursery: Nursery | None) -> None:
        """Start it now, or ask for it."""
        if nursery is not None:
            nursery.ask(self.name, self.module, self.arguments, self.log)
            self.asked = True
            return
        with open(self.log, "ab") as out:
            line = command(self.module, self.settings, *self.arguments)
            self.begun(subprocess.Popen(line, stdout=out, stderr=out, stdin=subprocess.DEVNULL))

    def begun(self, process: subprocess.Popen[bytes] | Forked) -> None:
        """It runs."""
        self.process, self.asked = process, False
        self.restarts += 1
        self.since = time.monotonic()

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def watch(self, now: float, nursery: Nursery | None) -> None:
        """Start it again if it has died and its time has come."""
        if self.asked:
            return
        if self.alive():
            if now - self.since > CALM:
                self.failures = 0
            return
        if self.process is not None and not self.due:
            self.due = now + WAITS[min(self.failures, len(WAITS) - 1)]
            self.failures += 1
        if now >= self.due:
            self.due = 0.0
            self.start(nursery)


class Supervisor:
    """The broker (None: somebody else's) and the processes around it."""

    def __init__(self, folder: Path, broker: Broker | None) -> None:
        self.folder, self.broker = folder, broker
        self.processes: list[Process] = []
        self.nursery: Nursery | None = None
        self.problem = ""
        """Why the broker does not run; empty: it does."""
        self._due, self._failures, self._raised, self._raised_again = 0.0, 0, 0.0, 0
        self._ready: asyncio.Future[None] | None = None

    def add(self, name: str, module: str, settings: Path, *arguments: str) -> None:
        """A process that runs `cloverleaf.cloud.server.MODULE`."""
        self.processes.append(Process(name, module, settings, arguments, self.folder / f"{name}.log"))

    def start(self) -> None:
        """Start the processes; the broker must run already."""
        self._raise_nursery()
        for process in self.processes:
            process.start(self.nursery)

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
            self.step(time.monotonic())

    def step(self, now: float) -> None:
        """Start again what has died, the nursery first: its children end with it."""
        if self.nursery is not None:
            if not self.nursery.alive():
                if now - self._raised < WAITS[-1]:
                    return
                self.nursery.stop()
                self._raise_nursery()
                self._raised_again += 1
                for process in self.processes:
                    process.asked = False
            forked = self.nursery.answers()
            for process in self.processes:
                if process.name in forked:
                    process.begun(forked[process.name])
        for process in self.processes:
            process.watch(now, self.nursery)

    def _raise_nursery(self) -> None:
        if self.processes and can_fork():
            self._raised = time.monotonic()
            self.nursery = Nursery(self.processes[0].settings, self.folder / "nursery.log")

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
            p.name: {"pid": p.process.pid if p.process else 0, "restarts": max(p.restarts, 0), "alive": p.alive()}
            for p in self.processes
        }
        if self.nursery is not None:
            out["nursery"] = {
                "pid": self.nursery.process.pid,
                "restarts": self._raised_again,
                "alive": self.nursery.alive(),
            }
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
        if self.nursery is not None:
            self.nursery.stop()
        if self.broker is not None:
            self.broker.stop()

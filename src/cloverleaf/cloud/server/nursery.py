"""The nursery: a process that has imported, read and compiled everything, and forks the platform's processes when asked.

To start Python, import and load kernels takes seconds of CPU, many times that on a busy machine; to fork takes some milliseconds, so a
process that was killed is back at once, and what they have in common is in memory once. Asked by lines of JSON on stdin:
`{"name", "module", "arguments", "log"}`; answers `{"name", "pid"}` on stdout. Its children end with it, and it with whoever started it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from cloverleaf.cloud.server.child import command
from cloverleaf.cloud.server.settings import read_settings, shared_map

PR_SET_PDEATHSIG = 1
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""A process with threads of its own had better not fork."""


def can_fork() -> bool:
    """Whether this system can watch a process that somebody else forked (Linux 5.3 and later)."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return sys.platform == "linux"


class Forked:
    """A process that the nursery forked, with what `subprocess.Popen` has to watch and end it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:  # ended already
            self._descriptor = -1

    def poll(self) -> int | None:
        """None while it runs."""
        return None if self._descriptor >= 0 and not self._ended(0.0) else 0

    def wait(self, timeout: float | None = None) -> int:
        """Return once it has ended. Raises subprocess.TimeoutExpired."""
        if self._descriptor >= 0 and not self._ended(timeout):
            raise subprocess.TimeoutExpired("forked", timeout or 0.0)
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._descriptor], [], [], timeout)[0])

    def _send(self, number: int) -> None:
        try:
            if self._descriptor >= 0:
                signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            pass

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


class Nursery:
    """The nursery as its supervisor sees it."""

    def __init__(self, settings: Path, log: Path) -> None:
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                command("nursery", settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, env=os.environ | ONE_THREAD
            )  # fmt: skip
        self._rest = b""

    def ask(self, name: str, module: str, arguments: tuple[str, ...], log: Path) -> None:
        """Ask for a process; its pid comes later."""
        line = json.dumps({"name": name, "module": module, "arguments": arguments, "log": str(log)})
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:  # it has ended, as `alive` will say
            pass

    def answers(self) -> dict[str, Forked]:
        """Processes that were forked since, by name; does not wait."""
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        while select.select([pipe], [], [], 0.0)[0]:
            data = os.read(pipe, 65_536)
            if not data:
                break
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        return {(page := json.loads(line))["name"]: Forked(page["pid"]) for line in lines}

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End it; its children must have ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def _become(settings: str, wish: dict[str, Any], parent: int) -> None:
    """Be the process that was asked for, to its end."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(wish["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, descriptor in ((0, nothing), (1, log), (2, log)):
            os.dup2(descriptor, number)
        if os.getppid() == parent:
            importlib.import_module(f"cloverleaf.cloud.server.{wish['module']}").main(settings, *wish["arguments"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main(path: str) -> None:
    """Fork on request until stdin ends."""
    from cloverleaf.cloud.live.warm import warm

    for module in ("gateway", "keeper", "host", "shard"):
        importlib.import_module(f"cloverleaf.cloud.server.{module}")
    base_map = shared_map(read_settings(Path(path)))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for the children
    gc.collect()
    gc.freeze()
    warmed = False
    for line in sys.stdin:
        wish = json.loads(line)
        if wish["module"] == "shard" and not warmed:  # once for all shards, and after those that need no kernels
            warm(base_map)
            warmed = True
            gc.collect()
            gc.freeze()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(path, wish, parent)
        print(json.dumps({"name": wish["name"], "pid": pid}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

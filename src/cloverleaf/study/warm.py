"""First run after an installation: compile all kernels once, with a progress line, before worker processes start."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import numba
from numba.core import event
from rich.console import Console

from cloverleaf.algo.jit import KERNELS, PACKAGE_ROOT
from cloverleaf.study.config import Arm, Study
from cloverleaf.study.inputs import draw_demand, read_inputs

TICKS = 12
"""Enough for every kernel of the loop to be called."""


class CompileCount(event.Listener):
    """Counts finished compilations and tells the console."""

    def __init__(self, console: Console) -> None:
        self.console, self.done = console, 0
        self.status = console.status("compiling kernels (first run only)")

    def on_start(self, event: event.Event) -> None:
        """A compilation begins: show the line."""
        if not self.done:
            self.status.start()
        self.status.update(f"compiling kernels (first run only): {self.done} of about {len(KERNELS)}")

    def on_end(self, event: event.Event) -> None:
        """A compilation has ended."""
        self.done += 1


def _marker() -> Path:
    """File whose presence says that this very code has been compiled by this numba here."""
    h = hashlib.sha256(numba.__version__.encode())
    for file in sorted(PACKAGE_ROOT.rglob("*.py")):
        stat = file.stat()
        h.update(f"{file}:{stat.st_mtime_ns}:{stat.st_size}".encode())
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "cloverleaf" / f"warm-{h.hexdigest()[:16]}"


def warm_kernels(console: Console) -> float:
    """Compile what a run of all rooms needs, if that has not happened yet; returns the seconds it took."""
    marker = _marker()
    if marker.exists():
        return 0.0
    start = time.perf_counter()
    count = CompileCount(console)
    with event.install_listener("numba:compile", count):
        compile_all()
    count.status.stop()
    seconds = time.perf_counter() - start
    if count.done:
        console.print(f"compiled {count.done} kernels in {seconds:.0f} s; the next start is quick")
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError:
        pass  # a read-only home only costs the check
    return seconds


def compile_all() -> None:
    """Run a few ticks of the district with every leaf, so that every kernel of the loop is compiled and cached."""
    from cloverleaf.measure.observer import Observer
    from cloverleaf.study.build import Run

    study = Study(duration_s=TICKS * 0.1)
    read_inputs(study)
    draw_demand(study, Arm.CLOUD, 1)
    for arm in (Arm.HUMAN, Arm.CLOUD):
        run = Run(study, arm, 1)
        observer = None
        for _ in range(TICKS):
            now = run.tick()
            observer = observer or Observer(run.base_map.graph, run.demand, len(now.actors.trip), run.step, run.begin)
            observer.see(now.actors, now.signals.light, now.time, now.halted)

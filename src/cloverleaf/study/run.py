"""All runs of a study: arms x seeds over processes, one progress bar, results that appear whole or not at all.

Every run is a pure function of (study, arm, seed); workers only decide when it happens, so the digest is the same for any number
of them. Ctrl-C asks all runs to stop after their present tick; the log of the recorded run is then closed as `*.partial.mcap`.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from cloverleaf.map.graph import BaseMap
from cloverleaf.study.arms import ArmResult, Factory
from cloverleaf.study.config import Arm, Study
from cloverleaf.study.job import run_job
from cloverleaf.study.results import Results
from cloverleaf.types.errors import CloverleafError

Progress = Callable[[int, int], None]
"""(ticks done, ticks in all)."""

_worker: dict[str, Any] = {}


class Interrupted(CloverleafError):
    """The study was stopped by Ctrl-C; the message says where the partial log lies."""


def named_factory(name: str) -> Factory:
    """The factory `module:attribute`; runs in other processes need it by name."""
    module, _, attribute = name.partition(":")
    found: Factory = getattr(import_module(module), attribute)
    return found


def run_study(
    study: Study,
    base_map: BaseMap,
    factory: str,
    *,
    workers: int = 1,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Results:
    """Run all arms and seeds.

    base_map: for the report's map and census; factory: `module:attribute` of a `Factory`; workers: processes;
    out: existing folder for `log.mcap` (the last arm's first seed), or None for no log; progress: called now and then.
    Raises Interrupted on Ctrl-C.
    """
    jobs = [(arm, seed) for arm in study.arms for seed in study.seeds]
    started = time.perf_counter()
    tell = progress or (lambda done, total: None)
    log = out / "log.mcap" if out else None
    results = (_in_turn if workers <= 1 else _in_processes)(study, jobs, factory, workers, log, tell)
    if any(r.interrupted for r in results) or len(results) < len(jobs):
        partial = log.with_name("log.partial.mcap") if log else None
        where = f"; the log up to here is {partial}" if partial and partial.exists() else ""
        raise Interrupted(f"interrupted{where}", hint="no results were written")
    order = {job: i for i, job in enumerate(jobs)}
    runs = tuple(sorted(results, key=lambda r: order[r.arm, r.seed]))
    return Results(study, runs, base_map, base_map.census, time.perf_counter() - started)


def _options(study: Study, arm: Arm, seed: int, log: Path | None) -> dict[str, Any]:
    """The last arm's first seed is recorded; the first seed of every arm is drawn."""
    first = seed == study.seeds[0]
    return {"log": log if first and arm == study.arms[-1] else None, "draw": first}


def _in_turn(
    study: Study, jobs: list[tuple[Arm, int]], factory: str, workers: int, log: Path | None, tell: Progress
) -> list[ArmResult]:
    total, done = len(jobs) * study.steps, 0
    stop = False

    def ask_to_stop(*_: Any) -> None:
        nonlocal stop
        stop = True

    def count(ticks: int) -> None:
        nonlocal done
        done += ticks
        tell(done, total)

    build = named_factory(factory)
    before = _on_interrupt(ask_to_stop)
    try:
        results: list[ArmResult] = []
        # the recorded run comes first, so that an early Ctrl-C leaves a log
        for arm, seed in sorted(jobs, key=lambda j: _options(study, j[0], j[1], log)["log"] is None):
            results.append(
                run_job(study, arm, seed, build, tell=count, stopped=lambda: stop, **_options(study, arm, seed, log))
            )
            if stop:
                break
        return results
    finally:
        _on_interrupt(before)


def _on_interrupt(handler: Any) -> Any:
    """Install a SIGINT handler where that is possible (main thread); returns the one before."""
    try:
        return signal.signal(signal.SIGINT, handler)
    except ValueError:
        return None


def _start_worker(stop: Any, ticks: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    _worker.update(stop=stop, ticks=ticks)


def _work(study: Study, arm: Arm, seed: int, factory: str, options: dict[str, Any]) -> ArmResult:
    return run_job(
        study, arm, seed, named_factory(factory), tell=_worker["ticks"].put, stopped=_worker["stop"].is_set, **options
    )


def _in_processes(
    study: Study, jobs: list[tuple[Arm, int]], factory: str, workers: int, log: Path | None, tell: Progress
) -> list[ArmResult]:
    # a forked worker has all that its parent has: modules, map and demand; elsewhere each reads them anew
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    named_factory(factory)
    stop, ticks = context.Event(), context.Queue()
    total, done = len(jobs) * study.steps, 0
    before = _on_interrupt(lambda *_: stop.set())
    try:
        with ProcessPoolExecutor(workers, context, _start_worker, (stop, ticks)) as pool:
            # the recorded run first, then the arms with most leaves: they take longest
            ordered = sorted(
                jobs, key=lambda j: (_options(study, j[0], j[1], log)["log"] is None, -study.arms.index(j[0]))
            )
            waiting: list[Future[ArmResult]] = [
                pool.submit(_work, study, arm, seed, factory, _options(study, arm, seed, log)) for arm, seed in ordered
            ]
            while not all(f.done() for f in waiting):
                try:
                    done += ticks.get(timeout=0.1)
                    tell(done, total)
                except queue.Empty:
                    pass
                failed = next((f for f in waiting if f.done() and not f.cancelled() and f.exception()), None)
                if stop.is_set() or failed:
                    stop.set()
                    for future in waiting:
                        future.cancel()
            tell(total, total)
            return [f.result() for f in waiting if not f.cancelled()]
    finally:
        _on_interrupt(before)

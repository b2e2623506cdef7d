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
from typing import Any, NamedTuple

from cloverleaf.map.graph import BaseMap
from cloverleaf.runtime.workers import end_with_parent
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


class Job(NamedTuple):
    """One world to run. `study` is the study itself, or the one beside it with actuated signals."""

    study: Study
    arm: Arm
    seed: int
    log: Path | None  # where to record it
    draw: bool  # sample the busiest corridor for the report


def jobs_of(study: Study, base_map: BaseMap, log: Path | None) -> list[Job]:
    """Arms, then seeds; then the human arm with actuated signals, if the map has signals. The last arm's first seed is recorded."""
    first, last = study.seeds[0], study.arms[-1]
    jobs = [
        Job(study, arm, seed, log if (arm, seed) == (last, first) else None, seed == first)
        for arm in study.arms
        for seed in study.seeds
    ]
    beside = study.beside() if len(base_map.graph.signal_links) else None
    return jobs + ([Job(beside, Arm.HUMAN, seed, None, False) for seed in study.seeds] if beside else [])


def run_study(
    study: Study,
    base_map: BaseMap,
    factory: str,
    *,
    workers: int = 1,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Results:
    """Run all arms and seeds, and the human arm with actuated signals beside them.

    base_map: for the report's map and census; factory: `module:attribute` of a `Factory`; workers: processes;
    out: existing folder for `log.mcap` (the last arm's first seed), or None for no log; progress: called now and then.
    Raises Interrupted on Ctrl-C.
    """
    log = out / "log.mcap" if out else None
    jobs = jobs_of(study, base_map, log)
    started = time.perf_counter()
    tell = progress or (lambda done, total: None)
    # the recorded run first, so that an early Ctrl-C leaves a log; then the arms with most leaves: they take longest
    order = sorted(range(len(jobs)), key=lambda j: (jobs[j].log is None, -len(jobs[j].arm.leaves)))
    ran = (_in_turn if workers <= 1 else _in_processes)([jobs[j] for j in order], factory, workers, tell)
    if any(r.interrupted for r in ran) or len(ran) < len(jobs):
        partial = log.with_name("log.partial.mcap") if log else None
        where = f"; the log up to here is {partial}" if partial and partial.exists() else ""
        raise Interrupted(f"interrupted{where}", hint="no results were written")
    results = [result for _, result in sorted(zip(order, ran, strict=True), key=lambda pair: pair[0])]
    arms = len(study.arms) * len(study.seeds)
    return Results(
        study, tuple(results[:arms]), tuple(results[arms:]), base_map, base_map.census, time.perf_counter() - started
    )


def _in_turn(jobs: list[Job], factory: str, workers: int, tell: Progress) -> list[ArmResult]:
    total, done = sum(job.study.steps for job in jobs), 0
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
        for job in jobs:
            results.append(
                run_job(
                    job.study, job.arm, job.seed, build, log=job.log, draw=job.draw, tell=count, stopped=lambda: stop
                )
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
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    ticks.cancel_join_thread()  # at its end no worker waits for its last progress to be read
    _worker.update(stop=stop, ticks=ticks)


def _work(job: Job, factory: str) -> ArmResult:
    return run_job(
        job.study, job.arm, job.seed, named_factory(factory), log=job.log, draw=job.draw,
        tell=_worker["ticks"].put, stopped=lambda: bool(_worker["stop"].value),
    )  # fmt: skip


def _in_processes(jobs: list[Job], factory: str, workers: int, tell: Progress) -> list[ArmResult]:
    # a forked worker has all that its parent has: modules, map and demand; elsewhere each reads them anew
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    named_factory(factory)
    # a bare flag: an Event has a lock, and a signal that arrives while this thread holds it would wait for itself
    stop, ticks = context.RawValue("b", 0), context.Queue()
    total, done = sum(job.study.steps for job in jobs), 0

    def ask_to_stop(*_: Any) -> None:
        stop.value = 1

    before = _on_interrupt(ask_to_stop)
    try:
        with ProcessPoolExecutor(workers, context, _start_worker, (stop, ticks)) as pool:
            waiting: list[Future[ArmResult]] = [pool.submit(_work, job, factory) for job in jobs]
            while not all(f.done() for f in waiting):
                try:
                    done += ticks.get(timeout=0.1)
                    tell(done, total)
                except queue.Empty:
                    pass
                failed = next((f for f in waiting if f.done() and not f.cancelled() and f.exception()), None)
                if stop.value or failed:
                    stop.value = 1
                    for future in waiting:
                        future.cancel()
            tell(total, total)
            return [f.result() for f in waiting if not f.cancelled()]
    finally:
        _on_interrupt(before)

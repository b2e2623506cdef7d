"""Runs cases: groups them by what shapes the program, cuts the groups into jobs, and spreads the jobs over processes.

A job's result depends on its own cases alone, and every case's on its own parameters alone, so the number of workers and the order in
which jobs finish cannot matter.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge import stored
from cloverleaf.judge.drivers.registry import find_driver
from cloverleaf.judge.play import OUTSIDE_CONSTRAINTS, play, structural_names
from cloverleaf.judge.ray_pool import on_ray
from cloverleaf.judge.suite import Logical
from cloverleaf.runtime.workers import end_with_parent
from cloverleaf.scenario.distribution.read import Column
from cloverleaf.types.errors import InputError
from cloverleaf.types.state import I64

JOB = 512
"""Most cases of one job: their state stays in the cache of a core."""
DEVICE_JOB = 16_384
"""Most cases of one job on a CUDA device, which needs many threads."""
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Setting:
    """How cases are run."""

    driver: str
    dt: float = 0.01
    until: float = 120.0
    device: str = "cpu"


@dataclass(frozen=True)
class Job:
    """Cases of one logical scenario that share the values of its structural parameters."""

    scenario: Path
    system: str
    setting: Setting
    fixed: tuple[tuple[str, str], ...]
    values: dict[str, NDArray[np.float64]]
    rows: I64
    key: str


def make_jobs(entry: Logical, rows: I64, cases: dict[str, Column], setting: Setting) -> Iterator[Job]:
    """Jobs for the cases of one logical scenario. `cases`: parameter columns of shape (len(rows),). Raises InputError."""
    digest = stored.scenario_digest(entry.scenario)
    who = stored.driver_digest(setting.driver, find_driver(setting.driver))
    shaping = structural_names(entry.scenario, {n: str(c[0]) for n, c in cases.items()} if len(rows) else {})
    fixed = [n for n in cases if n in shaping or not is_number(cases[n])]
    size, where = (JOB, ()) if setting.device == "cpu" else (DEVICE_JOB, (setting.device,))
    groups: dict[tuple[str, ...], list[int]] = {}
    for k in range(len(rows)):
        groups.setdefault(tuple(str(cases[n][k]) for n in fixed), []).append(k)
    for texts, members in groups.items():
        for start in range(0, len(members), size):
            part = np.array(members[start : start + size])
            values = {n: np.asarray(c[part], np.float64) for n, c in cases.items() if n not in fixed}
            named = tuple(zip(fixed, texts))
            key = stored.job_key(
                digest, who, setting.dt, setting.until, entry.system, named, *where, *values, *values.values()
            )
            yield Job(entry.scenario, entry.system, setting, named, values, part, key)


def is_number(column: Column) -> bool:
    """True if every value of a column reads as a number."""
    try:
        np.asarray(column, np.float64)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _driver(spec: str) -> Any:
    return find_driver(spec)


def run_job(job: Job) -> Columns:
    """Columns of one job, shape (cases,): measures, `broken` (0, 1 error, 2 outside the constraints) and `reason`."""
    count = len(job.rows)
    try:
        return play(
            job.scenario, dict(job.fixed), job.values, count, job.system, _driver(job.setting.driver), job.setting.dt,
            job.setting.until, job.setting.device,
        )  # fmt: skip
    except InputError as error:
        outside = OUTSIDE_CONSTRAINTS in str(error)
        return {"broken": np.full(count, 2 if outside else 1, np.int8), "reason": np.array([str(error)] * count)}


def run_jobs(
    jobs: list[Job], workers: int | str, out: Path | None, done: Callable[[int], None] = lambda cases: None
) -> Iterator[tuple[Job, Columns]]:
    """Each job with its columns, as they finish; jobs stored in `out` are not run again. `done` hears of finished cases."""
    left = []
    for job in jobs:
        known = stored.load(out, job.key)
        if known is None:
            left.append(job)
        else:
            done(len(job.rows))
            yield job, known
    if isinstance(workers, str):
        for job, columns in on_ray(run_job, left, workers):
            yield job, _finish(job, columns, out, done)
        return
    if workers <= 1 or len(left) <= 1:
        for job in left:
            yield job, _finish(job, run_job(job), out, done)
        return
    yield from _spread(left, workers, out, done)


def _spread(
    jobs: list[Job], workers: int, out: Path | None, done: Callable[[int], None]
) -> Iterator[tuple[Job, Columns]]:
    """The first job runs here, so that kernels are compiled once and not by every process."""
    yield jobs[0], _finish(jobs[0], run_job(jobs[0]), out, done)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs) - 1), mp_context=context, initializer=end_with_parent) as pool:
        waiting: dict[Future[Columns], Job] = {pool.submit(run_job, job): job for job in jobs[1:]}
        try:
            while waiting:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    job = waiting.pop(future)
                    yield job, _finish(job, future.result(), out, done)
        finally:
            for future in waiting:
                future.cancel()


def _finish(job: Job, columns: Columns, out: Path | None, done: Callable[[int], None]) -> Columns:
    if not (columns["broken"] == 1).any():
        stored.save(out, job.key, columns)
    done(len(job.rows))
    return columns


def gather(count: int, parts: list[tuple[I64, Columns]]) -> Columns:
    """One table of `count` cases from the columns of jobs at their row numbers; NaN, 0 or '' where a job lacks a column."""
    table: Columns = {}
    for rows, columns in parts:
        for name, values in columns.items():
            if name not in table:
                if values.dtype.kind == "U":
                    table[name] = np.full(count, "", object)
                else:
                    table[name] = np.full(count, np.nan if values.dtype.kind == "f" else 0, values.dtype)
            table[name][rows] = values
    return {n: c.astype(str) if c.dtype == object else c for n, c in table.items()}

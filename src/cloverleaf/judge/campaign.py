"""A whole run over scenario files: which cases, all of them or within a budget of time."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.boundary import Found, Pool, pool_of, report, search
from cloverleaf.judge.cases import read_texts
from cloverleaf.judge.evaluate import Chosen, run_chosen, verdicts
from cloverleaf.judge.suite import Logical, declared, rows_of
from cloverleaf.judge.sweep import Columns, Setting, gather
from cloverleaf.judge.verdict import SuiteResult, Verdict
from cloverleaf.types.errors import StudyError
from cloverleaf.types.state import I64

BATCH_PER_WORKER = 32
Progress = Callable[[int], None]


def seconds(text: str) -> float:
    """A duration such as 90s, 30m, 1.5h, or a plain number of seconds. Raises StudyError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?", text.strip())
    if match is None or float(match.group(1)) <= 0:
        raise StudyError(f"--budget {text!r} is not understood", hint="for example 90s, 30m or 2h")
    return float(match.group(1)) * {"h": 3600.0, "m": 60.0, "min": 60.0}.get(match.group(2) or "s", 1.0)


def worker_count(text: str, cases: int) -> int | str:
    """Number of processes, or the address of a Ray cluster. 0: one per core where there is enough to do. Raises StudyError."""
    if text.startswith("ray://"):
        return text
    if not text.isdigit():
        raise StudyError(
            f"--workers {text!r} is not understood", hint="a number, 0 for one per core, or ray://host:port"
        )
    return int(text) or (max(1, os.cpu_count() or 1) if cases > 1000 else 1)


def choose(entries: list[Logical], cases: str | None) -> list[Chosen]:
    """The cases that `--cases` picks of each logical scenario. Raises StudyError."""
    if cases is not None and cases.lower().endswith(".csv"):
        if len(entries) != 1:
            raise StudyError(
                "a case file belongs to one scenario", file=cases, hint=f"{len(entries)} scenarios are named"
            )
        entry = entries[0]
        columns = read_texts(Path(cases), declared(entry))
        count = len(next(iter(columns.values())))
        plain = replace(entry, distribution=None)
        return [Chosen(plain, np.arange(count, dtype=np.int64), dict(columns))]
    chosen = []
    for entry in entries:
        rows = rows_of(entry, cases)
        chosen.append(Chosen(entry, rows, entry.cases(rows)))
    return chosen


def judge_all(
    chosen: list[Chosen],
    setting: Setting,
    workers: int | str = 1,
    out: Path | None = None,
    done: Progress = lambda cases: None,
) -> list[SuiteResult]:
    """Run and judge every chosen case."""
    tables = run_chosen(chosen, setting, workers, out, done)
    return [verdicts(pick, table, setting.driver) for pick, table in zip(chosen, tables)]


def judge_within(
    entries: list[Logical], setting: Setting, budget: float, workers: int | str, out: Path | None, done: Progress
) -> tuple[list[Chosen], list[SuiteResult], dict[str, Any]]:
    """Boundary search in each logical scenario, the time shared out evenly: the cases run, their results, what was not looked at."""
    picks, results, told = [], [], {}
    end = time.monotonic() + budget
    for k, entry in enumerate(entries):
        share = time.monotonic() + max(end - time.monotonic(), 0.0) / (len(entries) - k)
        pick, result, facts = _search(entry, setting, share, workers, out, done)
        picks.append(pick)
        results.append(result)
        told[entry.name] = facts
    return picks, results, told


def _search(
    entry: Logical, setting: Setting, until: float, workers: int | str, out: Path | None, done: Progress
) -> tuple[Chosen, SuiteResult, dict[str, Any]]:
    pool: Pool = pool_of(entry)
    parts: list[tuple[I64, Columns]] = []
    run: list[I64] = []

    def failed(rows: I64) -> NDArray[np.bool_]:
        pick = Chosen(entry, rows, entry.cases(rows))
        table = run_chosen([pick], setting, workers, out, done)[0]
        first = sum(len(r) for r in run)
        parts.append((np.arange(first, first + len(rows)), dict(table)))
        run.append(rows)
        overall = verdicts(pick, table, setting.driver).overall()
        return np.isin(overall, (Verdict.FAIL, Verdict.ERROR))

    batch = BATCH_PER_WORKER * (workers if isinstance(workers, int) else 8)
    found: Found = search(pool, failed, lambda: time.monotonic() < until, batch)
    rows = np.concatenate(run)
    order = np.argsort(rows, kind="stable")
    table = {n: c[order] for n, c in gather(len(rows), parts).items()}
    pick = Chosen(entry, rows[order], entry.cases(rows[order]))
    return pick, verdicts(pick, table, setting.driver), report(entry, pool, found)

"""From logical scenarios to verdicts: the driver under test, the reference driver where its collision would excuse a failure, the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cloverleaf.judge.rules.ncap import self_assessment
from cloverleaf.judge.rules.table import AVOIDABLE, excusable, judge_cases
from cloverleaf.judge.suite import Logical
from cloverleaf.judge.sweep import Columns, Job, Setting, gather, make_jobs, run_jobs
from cloverleaf.judge.verdict import SuiteResult
from cloverleaf.scenario.distribution.read import Column
from cloverleaf.types.errors import InputError
from cloverleaf.types.state import I64


@dataclass(frozen=True)
class Chosen:
    """A logical scenario and the cases of it that are to be run."""

    entry: Logical
    rows: I64
    cases: dict[str, Column]


Progress = Callable[[int], None]


def run_chosen(
    chosen: list[Chosen], setting: Setting, workers: int | str, out: Path | None, done: Progress
) -> list[Columns]:
    """Measures of all chosen cases, one table per entry, with `crash_reference` and `avoidable` where the rules ask for a reference."""
    tables = _run(chosen, setting, workers, out, done)
    again, where = [], []
    for k, (pick, table) in enumerate(zip(chosen, tables)):
        if not pick.entry.rules.reference or "crash" not in table:
            continue
        hit = np.flatnonzero(excusable(pick.entry.rules, table, len(pick.rows)) & (table["broken"] == 0))
        table["crash_reference"] = np.zeros(len(pick.rows))
        table[AVOIDABLE] = np.ones(len(pick.rows))
        if len(hit):
            again.append(Chosen(pick.entry, pick.rows[hit], {n: c[hit] for n, c in pick.cases.items()}))
            where.append((k, hit))
    if again:
        names = {pick.entry.rules.reference for pick in again}
        for name in sorted(names):
            part = [i for i, pick in enumerate(again) if pick.entry.rules.reference == name]
            found = _run([again[i] for i in part], replace(setting, driver=name), workers, out, lambda cases: None)
            for i, table in zip(part, found):
                k, hit = where[i]
                crashed = table["crash"] == 1.0
                tables[k]["crash_reference"][hit] = table["crash"]
                tables[k][AVOIDABLE][hit] = np.where(crashed, 0.0, 1.0)
    return tables


def _run(chosen: list[Chosen], setting: Setting, workers: int | str, out: Path | None, done: Progress) -> list[Columns]:
    parts: list[list[tuple[I64, Columns]]] = [[] for _ in chosen]
    jobs: list[Job] = []
    owner: dict[int, int] = {}
    for k, pick in enumerate(chosen):
        if pick.entry.problem:
            parts[k].append(_broken(len(pick.rows), pick.entry.problem))
            done(len(pick.rows))
            continue
        try:
            made = list(make_jobs(pick.entry, pick.rows, pick.cases, setting))
        except (InputError, OSError) as error:
            parts[k].append(_broken(len(pick.rows), str(error)))
            done(len(pick.rows))
            continue
        for job in made:
            owner[id(job)] = k
        jobs += made
    for job, columns in run_jobs(jobs, workers, out, done):
        parts[owner[id(job)]].append((job.rows, columns))
    return [gather(len(pick.rows), found) for pick, found in zip(chosen, parts)]


def _broken(count: int, reason: str) -> tuple[I64, Columns]:
    rows = np.arange(count, dtype=np.int64)
    return rows, {"broken": np.ones(count, np.int8), "reason": np.array([reason] * count)}


def verdicts(pick: Chosen, table: Columns, driver: str) -> SuiteResult:
    """Hold one table of measures against its rules."""
    if "start_speed_kmh" in table and pick.entry.rules.name.startswith("ncap"):
        table["self_assessment_score"] = self_assessment(table["start_speed_kmh"], table["impact_speed_kmh"])
    rules = pick.entry.rules
    measures = {n: c for n, c in table.items() if n != "broken"}
    return SuiteResult(
        suite=pick.entry.name,
        driver=driver,
        parameters={n: _plain(c) for n, c in pick.cases.items()},
        measures=measures | {"exposure": pick.entry.exposure(pick.rows, pick.cases)},
        criteria=tuple(r.criterion for r in rules.rules),
        verdicts=judge_cases(rules, table, table["broken"]),
        limits=rules.limits + tuple(f"{r.criterion.name}: {r.since}" for r in rules.rules if r.since),
        numbers=pick.rows,
    )


def _plain(column: Column) -> Column:
    """Numbers where all values are numbers, else the texts."""
    try:
        return np.asarray(column, np.float64)
    except ValueError:
        return column

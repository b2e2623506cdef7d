"""`cloverleaf bench own`: our default driver in the ALKS and NCAP suites, case by case beside the competent-driver model of UN R157."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cli.bench_judge import SUITES
from cloverleaf.judge.campaign import choose, judge_all
from cloverleaf.judge.suite import discover
from cloverleaf.judge.sweep import Setting
from cloverleaf.judge.verdict import Verdict

OURS, MODEL = "cloverleaf", "cc_human"
CASES = {"alks": "40", "ncap": "all"}  # of each file; all ALKS cases take hours with two drivers
DT, WORKERS = 0.01, 1
NCAP_BAR = 0.9


def beside(name: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """One suite: what the model passes and we do not; the share of self-assessed points."""
    entries = [e for e in discover([folder]) if e.distribution is not None]
    cases = choose(entries, None if CASES[name] == "all" else CASES[name])
    ours, model = (judge_all(cases, Setting(driver, DT), WORKERS) for driver in (OURS, MODEL))
    lost = total = passed = reference = 0
    points: list[float] = []
    theirs: list[float] = []
    for a, b in zip(ours, model, strict=True):
        x, y = a.overall(), b.overall()
        worse = (y == Verdict.PASS) & (x != Verdict.PASS) & (x != Verdict.NOT_VERIFIED)
        if worse.any():
            say(f"  {a.suite}: the model passes {int((y == Verdict.PASS).sum())}, of these we fail {int(worse.sum())}")
        lost, total = lost + int(worse.sum()), total + len(x)
        passed, reference = passed + int((x == Verdict.PASS).sum()), reference + int((y == Verdict.PASS).sum())
        for result, out in ((a, points), (b, theirs)):
            if "self_assessment_score" in result.measures:
                out += result.measures["self_assessment_score"].tolist()
    row: dict[str, Any] = {
        "suite": name, "cases": total, "passed": passed, "model_passes": reference, "passed_by_the_model_alone": lost,
    }  # fmt: skip
    if points:
        row |= {"ncap_points": float(np.nanmean(points)), "bar": NCAP_BAR, "model_points": float(np.nanmean(theirs))}
    return row


def run(data: Path | None, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row for each suite found below `data`. Bars: nothing that the model alone passes; 90 % of NCAP's self-assessed points."""
    rows = []
    for name, (place, _, _) in SUITES.items():
        folder = data / place if data else None
        if folder is None or not folder.is_dir():
            say(f"  {name} left out: no --data folder with {place}")
        else:
            rows.append(beside(name, folder, say))
    return rows

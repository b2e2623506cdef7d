"""`cloverleaf bench alks` and `bench ncap`: all concrete cases of a suite with a compiled driver, wall and processor time."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from cloverleaf.judge.campaign import choose, judge_all
from cloverleaf.judge.suite import discover
from cloverleaf.judge.sweep import Setting
from cloverleaf.types.errors import StudyError

SUITES = {
    "alks": ("scenarios/alks/logical_scenarios", 121_060, 180.0),
    "ncap": ("scenarios/ncap/OpenSCENARIO/NCAP", 302, 10.0),
}
"""Name -> (folder below --data, concrete cases of its variation files, bar in s)."""
WORKERS = 2
DRIVER = "acc_aeb"
DT = 0.01


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def run(name: str, data: Path | None) -> None:
    """Print one line. Kernels are compiled before the clock starts. Raises StudyError without the suite."""
    place, wanted, bar = SUITES[name]
    folder = data / place if data is not None else None
    if folder is None or not folder.is_dir():
        raise StudyError("the suite is needed", element="--data", hint=f"--data DIR with DIR/{place}")
    setting = Setting(DRIVER, DT)
    # a scenario that no variation file varies counts beside the suite's variations
    entries = [e for e in discover([folder]) if e.distribution is not None]
    judge_all(choose(entries[:1], "first"), setting)
    start, cpu = time.perf_counter(), _cpu()
    results = judge_all(choose(entries, None), setting, WORKERS)
    wall, used = time.perf_counter() - start, _cpu() - cpu
    cases = sum(len(r.overall()) for r in results)
    total = {k: sum(r.counts()[k] for r in results) for k in results[0].counts()}
    counts = "   ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in total.items())
    print(f"{cases:,} cases (suite: {wanted:,})   driver {DRIVER}   dt {DT} s   {WORKERS} workers   {counts}")
    print(
        f"wall {wall:.1f} s (bar {bar:g})   processor {used:.1f} s, that is {used / WORKERS:.1f} s on {WORKERS} free cores"
    )

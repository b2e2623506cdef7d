"""`cloverleaf bench r157`: concrete cases per second and core, for verdicts alone and with all measures."""

from __future__ import annotations

import time

from cloverleaf.judge.r157.suite import FAMILIES, evaluate

BAR_VERDICTS, BAR_FULL = 500_000, 100_000
REFERENCE_RATE = 494
"""Cases/s of the published Python tool, files included, measured beside an earlier version of these kernels on two shared cores."""
REPEATS = 5


def _rate(family: str, driver: object, full: bool) -> float:
    grid = FAMILIES[family].grid()
    count = len(next(iter(grid.values())))
    evaluate(family, driver, grid, full)  # type: ignore[arg-type]
    best = 1e9
    for _ in range(REPEATS):
        start = time.process_time()
        evaluate(family, driver, grid, full)  # type: ignore[arg-type]
        best = min(best, time.process_time() - start)
    return count / best


def run() -> None:
    """Print one line per family and driver."""
    print(f"{'family':<20}{'driver':<10}{'verdicts/s':>12}{'full/s':>12}   bars {BAR_VERDICTS:,} and {BAR_FULL:,}")
    for family, entry in FAMILIES.items():
        for driver in entry.drivers:
            quick, full = _rate(family, driver, False), _rate(family, driver, True)
            short = "" if quick >= BAR_VERDICTS and full >= BAR_FULL else "   below the bar"
            print(f"{family:<20}{driver.name.lower():<10}{quick:>12,.0f}{full:>12,.0f}{short}")
    print(f"published tool: about {REFERENCE_RATE} cases/s with its files")

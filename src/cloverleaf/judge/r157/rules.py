"""What UN R157 demands of a driver in its performance scenarios, judged on the families' outcomes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.drivers.registry import Driver
from cloverleaf.judge.r157.drive import drive_family
from cloverleaf.judge.r157.drivers import ReferenceDriver
from cloverleaf.judge.r157.suite import FAMILIES, evaluate
from cloverleaf.judge.verdict import Criterion, SuiteResult, Verdict

NO_AVOIDABLE_CRASH = Criterion(
    "no_avoidable_collision",
    "no collision in a case that a competent and careful human driver avoids",
    "5.2.5 and Annex 4 Appendix 3",
    "UN R157, 01 series of amendments",
)

LIMITS = (
    "point-mass courses on a straight road: the family's own motion model, not the vehicle under test",
    "not covered: transition demand, data storage (DSSAD), minimum risk manoeuvre",
    "no exposure weights: the grid is uniform over its parameters, a pass rate is not a probability",
)


def judge(family: str, driver: Driver, cases: Mapping[str, NDArray[np.float64]]) -> SuiteResult:
    """Run `driver` over the cases; a collision fails unless the careful human collides too (then the case is not applicable).

    The reference drivers run in the exact motion model of the published grids where that defines them, all others in `drive.py`.
    """
    published = {d.name.lower(): d for d in FAMILIES[family].drivers}
    if driver.name in published:
        measures = evaluate(family, published[driver.name], cases)
    else:
        measures = drive_family(family, driver, cases)
    human = evaluate(family, ReferenceDriver.CC_HUMAN, cases, full=False)["crash"]
    verdict = np.full(len(human), Verdict.PASS, np.int8)
    crashed = measures["crash"] == 1
    verdict[crashed & (human == 0)] = Verdict.FAIL
    verdict[crashed & (human == 1)] = Verdict.NOT_APPLICABLE
    return SuiteResult(
        suite=f"r157:{family}",
        driver=driver.name,
        parameters={p: cases[p] for p in FAMILIES[family].parameters},
        measures=measures | {"crash_careful_human": human},
        criteria=(NO_AVOIDABLE_CRASH,),
        verdicts={NO_AVOIDABLE_CRASH.name: verdict},
        limits=LIMITS,
    )

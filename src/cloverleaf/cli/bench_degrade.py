"""`cloverleaf bench degrade`: each sensor lost, frozen, delayed, biased or broken in every smart car of the district at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cloverleaf.car.supervise import Mode
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.cli.bench_fault import caused_by_smart, one_line
from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study

STRUCK, LAST = 30.0, 60.0  # s: when the fault begins, how long the world is watched
K = FaultKind
FAULTS = (
    Fault("ego", K.LOST, STRUCK),
    Fault("ego", K.FROZEN, STRUCK),
    Fault("ego", K.DELAYED, STRUCK, amount=0.5),
    Fault("ego", K.BIASED, STRUCK, amount=1.5, field="y"),
    Fault("ego", K.BROKEN, STRUCK),
    Fault("objects", K.LOST, STRUCK),
    Fault("objects", K.FROZEN, STRUCK),
    Fault("objects", K.DELAYED, STRUCK, amount=0.5),
    Fault("objects", K.BIASED, STRUCK, amount=1.0, field="x"),
    Fault("objects", K.BROKEN, STRUCK),
    Fault("lights", K.LOST, STRUCK),
    Fault("inbox", K.LOST, STRUCK),
)


def strike(fault: Fault, say: Callable[[str], None]) -> dict[str, Any]:
    """One run of the district's road arm, seed 1, with one fault; how soon cars degraded and what they caused."""
    run = Run(Study(duration_s=600.0), Arm.ROAD, 1)
    fleet = run.rooms.fleet
    assert isinstance(fleet, SupervisedFleet)
    fleet.faults = Injector((fault,))
    degraded_after, deepest, before = np.nan, Mode.NORMAL, 0
    for _ in range(round(LAST / run.step)):
        now = run.tick().time
        degraded = int((fleet.mode > Mode.NORMAL).sum())
        if now - run.step < STRUCK - 1e-6:
            before = degraded  # a lone false alarm before the fault is none of its effects
        elif degraded > before:
            degraded_after = now - run.step - STRUCK if np.isnan(degraded_after) else degraded_after
            deepest = max(deepest, Mode(int(fleet.mode.max())))
    caused = caused_by_smart(run.collisions)
    for n in caused:
        say("  " + one_line(run.collisions, n))
    return {
        "fault": f"{fault.topic} {fault.kind.value}",
        "mode": deepest.name.lower(),
        "periods": round(degraded_after / run.step) if np.isfinite(degraded_after) else None,
        "at_fault": len(caused),
        "collisions_of_all": int(run.collisions.filled[0]),
    }


def run(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """All faults in turn. Bars: no collision at fault, degraded within 2 periods."""
    return [strike(fault, say) for fault in FAULTS]

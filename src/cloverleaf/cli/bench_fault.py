"""`cloverleaf bench fault`: do smart cars cause collisions or run red lights? Counted per vehicle-kilometre, with the bound it supports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.measure import journey
from cloverleaf.measure.observer import Observer, count_collisions
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Human, Study
from cloverleaf.study.reading import from_sumocfg, with_changes
from cloverleaf.types.collisions import CollisionEvents, CollisionKind, Fault, FaultReason
from cloverleaf.types.state import Control

DISTRICT_S, HAMBURG_S = 600.0, 300.0
PENETRATION = 0.3


def rate_bound(events: int, km: float) -> float:
    """Upper end of the one-sided 95 % interval of a Poisson rate, events per 1000 km (three expected where none was seen)."""
    from scipy.special import gammaincinv

    return 1000.0 * float(gammaincinv(events + 1, 0.95)) / km if km > 0 else np.inf


def caused_by_smart(events: CollisionEvents) -> list[int]:
    """Rows of `events` in which a smart car is at fault."""
    found = []
    for n in range(int(events.filled[0])):
        fault = int(events.fault[n])
        a = fault in (Fault.A, Fault.BOTH) and events.control_a[n] == Control.SMART
        b = fault in (Fault.B, Fault.BOTH) and events.control_b[n] == Control.SMART
        if a or b:
            found.append(n)
    return found


def one_line(events: CollisionEvents, n: int) -> str:
    """What happened, for whoever looks for the cause."""
    who = Control(int(events.control_a[n])).name.lower(), Control(int(events.control_b[n])).name.lower()
    return (
        f"{events.time[n]:7.1f} s  {CollisionKind(int(events.kind[n])).name.lower():10} "
        f"{FaultReason(int(events.reason[n])).name.lower():17} trips {events.trip_a[n]} ({who[0]}) {events.speed_a[n]:.1f} m/s, "
        f"{events.trip_b[n]} ({who[1]}) {events.speed_b[n]:.1f} m/s at ({events.x_a[n]:.1f}, {events.y_a[n]:.1f})"
    )


def run_until(study: Study, arm: Arm, seed: int, each: Callable[[Run], None] | None = None) -> tuple[Run, Observer]:
    """One run to its end under an observer; `each` is called after every tick."""
    run = Run(study, arm, seed)
    observer: Observer | None = None
    for _ in range(study.steps):
        now = run.tick()
        observer = observer or Observer(run.base_map.graph, run.demand, len(now.actors.trip), run.step, run.begin)
        observer.see(now.actors, now.signals.light, now.time, now.halted)
        if each:
            each(run)
    assert observer is not None
    return run, observer


def measure(name: str, study: Study, arm: Arm, say: Callable[[str], None]) -> dict[str, Any]:
    """One row: smart vehicle-kilometres, collisions, those at fault by reason, red lights, the bounds."""
    run, observer = run_until(study, arm, study.seeds[0])
    events, smart = run.collisions, run.demand.trips.smart == 1
    caused = caused_by_smart(events)
    struck = sum(
        int(events.struck_from_behind[n] == 1 and events.control_a[n] == Control.SMART)
        + int(events.struck_from_behind[n] == 2 and events.control_b[n] == Control.SMART)
        for n in range(int(events.filled[0]))
    )
    km = float(observer.journeys.f[smart, journey.DISTANCE].sum()) / 1000.0
    reds = int(observer.journeys.i[smart, journey.REDS].sum())
    why = Counter(FaultReason(int(events.reason[n])).name.lower() for n in caused)
    for n in caused:
        say("  " + one_line(events, n))
    return {
        "where": name,
        "arm": arm.value,
        "smart_km": km,
        "collisions_of_all": count_collisions(events)[0],
        "at_fault": len(caused),
        "reasons": ", ".join(f"{k} {v}" for k, v in why.most_common()) or "none",
        "struck_from_behind": struck,
        "red_lights_run": reds,
        "red_lights_by_people": int(observer.journeys.i[~smart, journey.REDS].sum()),
        "at_fault_bound_per_1000km": rate_bound(len(caused), km),
        "red_bound_per_1000km": rate_bound(reds, km),
    }


def run(data: Path | None, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The district, and Hamburg where `data` holds it; car and cloud arms, published human errors. Bar: no fault, no red light."""
    fleet = Fleet(penetration=PENETRATION)
    studies = [("district", Study(duration_s=DISTRICT_S, seeds=(1,), fleet=fleet, human=Human()))]
    hamburg = data / "nets" / "tavf_hamburg" / "run.sumocfg" if data else None
    if hamburg and hamburg.is_file():
        found = with_changes(from_sumocfg(hamburg), duration_s=HAMBURG_S, seeds=1)
        studies.append(("hamburg", found.model_copy(update={"fleet": fleet})))
    else:
        say("  hamburg left out: no --data folder with nets/tavf_hamburg")
    return [measure(name, study, arm, say) for name, study in studies for arm in (Arm.CAR, Arm.CLOUD)]

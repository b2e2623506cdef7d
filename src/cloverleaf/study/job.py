"""One run of a study: one arm, one seed, from the first tick to its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cloverleaf.measure import journey
from cloverleaf.measure.observer import Observer
from cloverleaf.study.arms import ArmResult, Factory, Loop, StateDigest
from cloverleaf.study.arterial import ArterialRecorder
from cloverleaf.study.config import Arm, Study
from cloverleaf.study.recorder import Recorder

REPORT_EVERY_S = 0.2  # wall time between progress reports


def run_job(
    study: Study,
    arm: Arm,
    seed: int,
    factory: Factory,
    *,
    log: Path | None = None,
    draw: bool = False,
    tell: Callable[[int], None] = lambda ticks: None,
    stopped: Callable[[], bool] = lambda: False,
) -> ArmResult:
    """Run one world to its end or until `stopped` says so.

    log: where to write an MCAP log; draw: sample the busiest corridor for the report; tell: receives ticks done since the last call.
    """
    loop = factory(study, arm, seed)
    recorder = Recorder(log, loop.base_map, begin=loop.begin) if log else None
    complete = False
    try:
        result = _drive(study, arm, seed, loop, recorder, draw, tell, stopped)
        complete = not result.interrupted
        return result
    finally:
        if recorder:
            recorder.close(complete=complete)


def _drive(
    study: Study,
    arm: Arm,
    seed: int,
    loop: Loop,
    recorder: Recorder | None,
    draw: bool,
    tell: Callable[[int], None],
    stopped: Callable[[], bool],
) -> ArmResult:
    arterial = ArterialRecorder(loop.base_map, loop.demand) if draw else None
    observer: Observer | None = None
    digest = StateDigest()
    done, told, told_at = 0, 0, time.perf_counter()
    started = told_at
    stop = False
    while done < study.steps and not stop:
        tick = loop.tick()
        if observer is None:
            observer = Observer(loop.base_map.graph, loop.demand, len(tick.actors.trip), loop.step, loop.begin)
        observer.see(tick.actors, tick.signals.light, tick.time, tick.halted)
        for trip in tick.removed:
            observer.remove(trip)
        digest.add(tick.actors, tick.signals.light)
        if arterial:
            arterial.see(tick.time, tick.actors, tick.signals)
        if recorder:
            recorder.see(tick.time, tick.actors, tick.signals, loop.collisions, counters(observer))
        done += 1
        now = time.perf_counter()
        if now - told_at > REPORT_EVERY_S:
            tell(done - told)
            told, told_at = done, now
            stop = stopped()
    tell(done - told)
    assert observer is not None
    return ArmResult(
        arm=arm,
        seed=seed,
        measures=observer.measures(loop.collisions),
        arrived_only=observer.arrived_only(),
        link=loop.link_statistics(),
        digest=digest.hexdigest(),
        vehicle_steps=observer.vehicle_steps,
        simulated_s=done * loop.step,
        wall_s=time.perf_counter() - started,
        strip=arterial.strip(observer.now) if arterial else None,
        interrupted=stop,
    )


def counters(observer: Observer) -> dict[str, float]:
    """Running totals for the log's /counters topic."""
    j = observer.journeys
    return {
        "red_lights_run": float(j.n[journey.RED_LIGHTS]),
        "near_conflicts": float(observer.exposure.n[0] + observer.encroachment.n[0]),
    }

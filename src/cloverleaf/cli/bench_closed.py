"""`cloverleaf bench closed`: 10,000 km of smart cars among people who err, in three places: faults, red lights, comfort."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.algo.jit import PACKAGE_ROOT
from cloverleaf.cli.bench_fault import PENETRATION, caused_by_smart, one_line, rate_bound, run_until
from cloverleaf.measure import comfort, journey
from cloverleaf.measure.observer import count_collisions
from cloverleaf.runtime.workers import end_with_parent
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Human, Study
from cloverleaf.study.reading import from_sumocfg, with_changes
from cloverleaf.types.state import F64, Control, Kind

WANTED_KM, SECONDS, WORKERS = 10_000.0, 600.0, 2
NETS = {"hamburg": "tavf_hamburg", "bologna": "bologna_pasubio"}
WINDOW_S = 0.5
OUT = Path("cloverleaf-out") / "closed"
"""Runs that are done, one file each: started again, the bench goes on behind them. Changed code or a changed study begins anew."""
HARD = -4.0  # m/s2; who brakes harder and is struck from behind is named


class Feel:
    """Comfort of smart cars by nuPlan's bounds, and of standing passengers in buses, in windows of `WINDOW_S`."""

    def __init__(self, step: float) -> None:
        self.every = max(round(WINDOW_S / step), 1)
        self.window = self.every * step
        self.ticks = self.windows = self.rough = self.bus_windows = self.bus_rough = 0
        self._before: dict[
            int, tuple[float, float, float, float]
        ] = {}  # trip -> speed, acceleration, lateral one, yaw rate

    def see(self, run: Run) -> None:
        """One tick."""
        self.ticks += 1
        if self.ticks % self.every:
            return
        a, new = run.rooms.world.actors, {}
        rows = np.flatnonzero((a.kind > 0) & ((a.control == Control.SMART) | (a.kind == Kind.BUS)))
        for row in rows:
            speed, yaw = float(a.speed[row]), float(a.yaw_rate[row])
            lateral, old = speed * yaw, self._before.get(int(a.trip[row]))
            accel = np.nan if old is None else (speed - old[0]) / self.window
            new[int(a.trip[row])] = (speed, accel, lateral, yaw)
            if old is None or np.isnan(old[1]):
                continue
            if a.kind[row] == Kind.BUS:
                self.bus_windows += 1
                self.bus_rough += abs(accel) > comfort.STANDING_PASSENGER
            if a.control[row] == Control.SMART:
                jerk, across = (accel - old[1]) / self.window, (lateral - old[2]) / self.window
                self.windows += 1
                turned = (yaw - old[3]) / self.window
                self.rough += comfort.discomfort(accel, lateral, yaw, turned, jerk, across) != 0
        self._before = new


def one_run(name: str, study: Study, seed: int) -> tuple[str, int, F64, list[str]]:
    """Tallies of one run: smart km, km of all, collisions, at fault, struck after hard braking, reds, windows, rough ones, of buses."""
    feel = Feel(study.step_s)
    run, observer = run_until(study, Arm.CAR, seed, feel.see)
    events, smart = run.collisions, run.demand.trips.smart == 1
    caused = caused_by_smart(events)
    struck = sum(
        int(events.struck_from_behind[n]) == side and int(control[n]) == Control.SMART
        for n in range(int(events.filled[0]))
        for side, control in ((1, events.control_a), (2, events.control_b))
    )
    km = observer.journeys.f[:, journey.DISTANCE] / 1000.0
    reds = int(observer.journeys.i[smart, journey.REDS].sum())
    tally = np.array(
        [
            km[smart].sum(), km.sum(), count_collisions(events)[0], len(caused), struck, reds, feel.windows, feel.rough, feel.bus_windows,
            feel.bus_rough,
        ], float,
    )  # fmt: skip
    return name, seed, tally, [one_line(events, n) for n in caused]


def stamp(study: Study) -> str:
    """Digest of the study and of all our code: what a kept run is the result of."""
    digest = hashlib.blake2b(study.model_dump_json().encode(), digest_size=8)
    for file in sorted(PACKAGE_ROOT.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def kept_run(folder: Path, name: str, study: Study, seed: int) -> tuple[str, int, F64, list[str]]:
    """`one_run`, or what `folder` keeps of it; kept whole or not at all."""
    file = folder / f"{name}-{seed}-{stamp(study)}.json"
    if file.is_file():
        kept = json.loads(file.read_text())
        return name, seed, np.array(kept["tally"]), kept["faults"]
    _, _, tally, faults = one_run(name, study, seed)
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"tally": tally.tolist(), "faults": faults}))
    os.replace(part, file)
    return name, seed, tally, faults


def studies(data: Path | None, say: Callable[[str], None]) -> list[tuple[str, Study]]:
    """The places, each with 30 % smart cars and published human errors."""
    fleet = Fleet(penetration=PENETRATION)
    out = [("district", Study(duration_s=SECONDS, seeds=(1,), fleet=fleet, human=Human()))]
    for name, folder in NETS.items():
        file = data / "nets" / folder / "run.sumocfg" if data else None
        if file and file.is_file():
            found = with_changes(from_sumocfg(file), duration_s=SECONDS, seeds=1)
            out.append((name, found.model_copy(update={"fleet": fleet, "human": Human()})))
        else:
            say(f"  {name} left out: no --data folder with nets/{folder}")
    return out


def results(places: list[tuple[str, Study]]) -> Iterator[tuple[str, int, F64, list[str]]]:
    """Runs of all places in turn, seed after seed, on `WORKERS` processes, until the caller has enough."""
    jobs = ((name, study, seed) for seed in count(1) for name, study in places)
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), end_with_parent) as pool:
        waiting = [pool.submit(kept_run, OUT, *next(jobs)) for _ in range(WORKERS + 1)]
        try:
            while True:
                yield waiting.pop(0).result()
                waiting.append(pool.submit(kept_run, OUT, *next(jobs)))
        finally:
            for future in waiting:
                future.cancel()


def row_of(total: F64) -> dict[str, Any]:
    """The figures of all runs so far."""
    smart_km, all_km, met, caused, struck, reds, windows, rough, bus_windows, bus_rough = total.tolist()
    return {
        "smart_km": smart_km, "all_km": all_km, "collisions_of_all": int(met), "at_fault": int(caused), "struck_from_behind": int(struck),
        "red_lights_run": int(reds), "comfort_share": 1.0 - rough / windows if windows else float("nan"),
        "bus_comfort_share": 1.0 - bus_rough / bus_windows if bus_windows else float("nan"),
        "at_fault_bound_per_1000km": rate_bound(int(caused), smart_km), "red_bound_per_1000km": rate_bound(int(reds), smart_km),
    }  # fmt: skip


def run(data: Path | None, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Until `WANTED_KM` km of smart cars. Bars: no fault, no red light, comfortable 98 % of the time. Every run prints the sum so far."""
    places, total, began = studies(data, say), np.zeros(10), time.perf_counter()
    OUT.mkdir(parents=True, exist_ok=True)
    for name, seed, tally, lines in results(places):
        total += tally
        for line in lines:
            say(f"  {name} seed {seed}: {line}")
        sums = row_of(total)
        shown = "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in sums.items())
        say(f"  after {name} seed {seed}, {time.perf_counter() - began:.0f} s: {shown}")
        if total[0] >= WANTED_KM:
            break
    return [row_of(total)]

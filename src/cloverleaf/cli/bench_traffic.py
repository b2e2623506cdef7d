"""Bench rows of human traffic: vehicle-steps per second beside plain SUMO, and how far the results lie from SUMO's."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

NETS = ("resco_cologne8", "bologna_pasubio", "tavf_hamburg")
SEEDS = (1, 2, 3, 4, 5)


def find_sumo() -> str | None:
    """The `sumo` program: on PATH, in SUMO_HOME/bin, or in the installed `sumo` package; None if there is none."""
    found = shutil.which("sumo")
    if found:
        return found
    roots = [os.environ.get("SUMO_HOME", "")]
    try:
        import sumo  # type: ignore[import-not-found]

        roots.append(str(sumo.SUMO_HOME))
    except ImportError:
        pass
    for root in roots:
        program = Path(root) / "bin" / "sumo"
        if root and program.is_file():
            return str(program)
    return None


def load(config: Path, seed: int) -> tuple[Any, Any, Any]:
    """Configuration, base map and demand (no smart cars) of a .sumocfg for one seed."""
    from cloverleaf.map.io.sumo_net import read_sumo_net
    from cloverleaf.scenario.demand.sample import sample_demand
    from cloverleaf.scenario.demand.sumo_config import read_sumocfg
    from cloverleaf.scenario.demand.sumo_routes import read_sumo_routes

    setup = read_sumocfg(config)
    base_map = read_sumo_net(setup.net, setup.additional)
    plan = read_sumo_routes(base_map, setup.routes, setup.additional)
    end = setup.end if setup.end is not None else math.inf
    demand = sample_demand(base_map, plan, seed=seed, begin=setup.begin, end=end)
    return setup, base_map, demand._replace(trips=demand.trips._replace(smart=np.zeros_like(demand.trips.smart)))


def drive(config: Path, step: float, seed: int, *, measured: bool = True) -> tuple[np.ndarray, int, float]:
    """Run a .sumocfg to its end: (ledger of all trips, vehicle-steps, wall seconds of the run itself)."""
    from cloverleaf.loop.batch import Batch
    from cloverleaf.world.world import World

    setup, base_map, demand = load(config, seed)
    world = World(base_map, demand, seed=seed, step=step, begin=setup.begin, measured=measured)
    batch = Batch(world)
    batch.run(0)
    began = time.perf_counter()
    steps = batch.run(round((setup.end - setup.begin) / step))
    return world.ledger(), steps, time.perf_counter() - began


def sumo_speed(program: str, config: Path, step: float) -> float:
    """Vehicle-steps per second of plain SUMO on the same input (its own account, without loading)."""
    command = [program, "-c", str(config), "--step-length", str(step), "--no-step-log", "--duration-log.statistics"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    for line in text.splitlines():
        if line.strip().startswith("UPS:"):
            return float(line.split(":")[1])
    return math.nan


def summary(ledger: np.ndarray) -> dict[str, float]:
    """Counts, and means over the trips that arrived."""
    from cloverleaf.types import traffic as T

    done = ledger[~np.isnan(ledger[:, T.TRIP_ARRIVAL])]
    return {
        "inserted": float((~np.isnan(ledger[:, T.TRIP_DEPART])).sum()),
        "arrived": float(len(done)),
        "timeLoss_s": float(done[:, T.TRIP_LOSS].mean()),
        "stops": float(done[:, T.TRIP_STOPS].mean()),
        "CO2_g": float(done[:, T.TRIP_CO2].mean()),
    }


def run_fidelity(net: str, data: Path, step: float, seeds: Sequence[int] = SEEDS) -> Iterator[dict[str, Any]]:
    """Rows of one net beside the recorded SUMO runs: our figures of each seed, then deviations of the means over the seeds."""
    name = f"fidelity:{net}"
    config, oracle = data / "nets" / net / "run.sumocfg", data / "oracle" / "sumo" / f"{net}.json"
    missing = [str(path) for path in (config, oracle) if not path.is_file()]
    if missing:
        yield {"name": name, "skipped": f"{missing[0]} is missing"}
        return
    record = json.loads(oracle.read_text())["results"].get(f"step_length_{step}")
    if record is None:
        yield {"name": name, "skipped": f"{oracle} has no runs at {step:g} s"}
        return
    runs = []
    for seed in seeds:
        runs.append(summary(drive(config, step, seed)[0]))
        yield {"name": name, "step_s": step, "seed": seed, **runs[-1]}
    row: dict[str, Any] = {"name": name, "step_s": step, "seeds": len(runs)}
    for key in runs[0]:
        ours, theirs = float(np.mean([run[key] for run in runs])), float(record["summary"][key]["mean"])
        row |= {key: ours, f"{key}_sumo": theirs, f"{key}_deviation": ours / theirs - 1.0}
    yield row


def run_bench(name: str, data: Path, step: float = 1.0) -> dict[str, Any]:
    """One row `traffic:NET`: speed beside SUMO's on the same net, demand and step."""
    net = name.partition(":")[2] or NETS[0]
    config = data / "nets" / net / "run.sumocfg"
    if not config.is_file():
        return {"name": name, "skipped": f"{config} is missing"}
    best = 0.0
    for _ in range(3):
        _, steps, wall = drive(config, step, 1, measured=False)
        best = max(best, steps / wall)
    program = find_sumo()
    theirs = sumo_speed(program, config, step) if program else math.nan
    row: dict[str, Any] = {
        "name": name,
        "step_s": step,
        "vehicle_steps_per_s": best,
        "sumo_vehicle_steps_per_s": theirs,
    }
    row["ratio"] = best / theirs
    if program is None:
        row["note"] = "SUMO is not installed: pip install 'cloverleaf[sumo]'"
    return row

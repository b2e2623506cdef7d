"""Bench rows of single mechanisms: queue discharge, gap acceptance and junction types beside recorded SUMO runs of the same step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cli.bench_traffic import load
from cloverleaf.loop.batch import Batch
from cloverleaf.types import traffic as T
from cloverleaf.world.world import World

LEVELS = ("low", "mid", "high", "breakdown")
BEHIND_LINE = 0.5  # m behind the stop line at which crossing times are taken
FIRST, LAST = 5, 40  # vehicles between which the saturation flow is measured
MINOR = "sc"  # edge from which the saturated minor stream of gap_acceptance comes


def _world(config: Path, step: float, seed: int) -> tuple[Batch, int]:
    """A world of human drivers without errors at the start of a .sumocfg, and the steps to its end."""
    setup, base_map, demand = load(config, seed)
    world = World(base_map, demand, seed=seed, step=step, begin=setup.begin, measured=False)
    return Batch(world), round((setup.end - setup.begin) / step)


def saturation_flow(config: Path, step: float, seed: int) -> float:
    """Vehicles per hour over the stop line between vehicle FIRST and LAST of a standing queue."""
    batch, steps = _world(config, step, seed)
    world, v = batch.world, batch.world.ground.vehicles
    begin: dict[int, float] = {}
    times: dict[int, float] = {}
    for _ in range(steps):
        for slot in v.active[: v.count[0]]:
            trip = int(v.i[slot, T.TRIP])
            if trip not in begin:
                line = world.ground.roads.lane_f[v.i[slot, T.LANE], T.LANE_LENGTH] + BEHIND_LINE
                begin[trip] = line - v.f[slot, T.S] + v.f[slot, T.ODO]
            past = v.f[slot, T.ODO] - begin[trip]
            if past >= 0.0 and trip not in times:
                times[trip] = world.time - past / max(v.f[slot, T.V], 0.01)
        batch.run(1)
    order = sorted(times.values())
    if len(order) < LAST:
        return float("nan")
    return 3600.0 * (LAST - FIRST) / (order[LAST - 1] - order[FIRST - 1])


def _ledger(config: Path, step: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Account of all trips, and True for trips of the minor stream."""
    batch, steps = _world(config, step, seed)
    batch.run(steps)
    paths, base_map = batch.world.ground.paths, batch.world.base_map
    first = paths.pos_edge[paths.start[paths.trip_path]]
    return batch.world.ledger(), np.array([base_map.edge_ids[edge] == MINOR for edge in first])


def _row(case: str, step: float, quantity: str, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    mine, other = float(np.mean(ours)), float(np.mean(theirs))
    return {
        "name": f"micro:{case}", "step_s": step, "quantity": quantity, "ours": mine, "sumo": other,
        "deviation": mine / other - 1.0,
    }  # fmt: skip


def _steps(records: list[dict[str, Any]]) -> dict[float, list[dict[str, Any]]]:
    """Records by step length."""
    found: dict[float, list[dict[str, Any]]] = {}
    for record in records:
        found.setdefault(record["step_length"], []).append(record)
    return found


def run_bench(data: Path) -> list[dict[str, Any]]:
    """All micro cases with a recorded result: saturation flow (bar 5 %), minor trips per hour, arrived trips and mean time loss."""
    nets, oracle = data / "nets" / "micro", data / "oracle" / "sumo" / "micro"
    rows = []
    for file in sorted(oracle.glob("*.json")):
        case = file.stem
        for variant, record in json.loads(file.read_text())["results"].items():
            config = nets / case / f"{variant}.sumocfg"
            runs = record if isinstance(record, list) else record.get("minor_arrived_per_h") or record["runs"]
            for step, reference in _steps(runs).items():
                name, seeds = f"{case}:{variant}", [r["seed"] for r in reference]
                if case == "queue_discharge":
                    ours = [saturation_flow(config, step, seed) for seed in seeds]
                    rows.append(_row(name, step, "veh/h", ours, [r["saturation_flow_veh_per_h"] for r in reference]))
                    continue
                ledgers = [_ledger(config, step, seed) for seed in seeds]
                done = [~np.isnan(ledger[:, T.TRIP_ARRIVAL]) for ledger, _ in ledgers]
                if case == "gap_acceptance":
                    ours = [float((d & minor).sum()) for d, (_, minor) in zip(done, ledgers)]
                    rows.append(_row(name, step, "minor trips/h", ours, [r["minor"] for r in reference]))
                    continue
                rows.append(
                    _row(name, step, "arrived", [float(d.sum()) for d in done], [r["arrived"] for r in reference])
                )
                loss = [float(ledger[d, T.TRIP_LOSS].mean()) for d, (ledger, _) in zip(done, ledgers)]
                rows.append(_row(name, step, "time loss s", loss, [_mean_loss(r) for r in reference]))
    return rows


def _mean_loss(record: dict[str, Any]) -> float:
    flows = record["flows"].values()
    return float(sum(f["n"] * f["timeLoss_s"] for f in flows if f["n"]) / max(1, sum(f["n"] for f in flows)))

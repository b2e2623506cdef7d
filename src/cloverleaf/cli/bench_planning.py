"""`cloverleaf bench planning`: CommonRoad tasks in closed loop; success, collisions, time per cycle, cost beside stored solutions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cli.bench_planning_peers import rows as peer_rows
from cloverleaf.judge.planning.cost import WEIGHTS, partial_costs, total_cost
from cloverleaf.judge.planning.drive import drive
from cloverleaf.scenario.commonroad.read import read_planning_tasks
from cloverleaf.scenario.commonroad.solution import write_solution

OUT = Path("cloverleaf-out") / "planning"
"""Where the solutions go, for whoever wants to hold them against the benchmark's own checker (tools/commonroad/check.py)."""


def stored_costs(index: Path) -> dict[str, float]:
    """Cost of a stored solution by benchmark id, without the part O, which needs the benchmark's own projection."""
    if not index.is_file():
        return {}
    out = {}
    for row in json.loads(index.read_text()):
        parts = row.get("solution_costs", {}).get("KS2:SM1", {}).get("partial")
        if parts:
            out[row["id"]] = sum(WEIGHTS[name] * parts[name] for name in WEIGHTS)
    return out


def run(data: Path | None, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """All scenario files of `data`/planning/scenarios. Bars: success 70 %, collisions 3 %, 20 ms at p95, no dearer than stored on 60 %."""
    files = sorted((data / "planning" / "scenarios").glob("*.xml*")) if data else []
    if not files:
        say("  left out: no --data folder with planning/scenarios")
        return []
    stored = stored_costs(files[0].parents[1] / "index.json")
    cycles: list[float] = []
    drives, beside = [], []
    OUT.mkdir(parents=True, exist_ok=True)
    drive(read_planning_tasks(files[0])[0])  # compiles
    for file in files:
        for task in read_planning_tasks(file):
            result = drive(task)
            cost = total_cost(partial_costs(task, result.states))
            write_solution(OUT / f"{file.name.split('.')[0]}.xml", task, result.states)
            drives.append(result)
            cycles += result.cycle_ms
            if task.id in stored:
                beside.append(result.reached and cost <= stored[task.id])
            verdict = "reached" if result.reached else "begins inside an obstacle" if result.hopeless else "missed"
            say(
                f"  {task.id:<36} {verdict:<26} steps {len(result.states):>4}  cost {cost:9.1f}  stored {stored.get(task.id, np.nan):9.1f}"
            )
    n = len(drives)
    ours: dict[str, Any] = {
        "planner": "Cloverleaf",
        "tasks": n,
        "success": sum(d.reached and d.off_road == 0 for d in drives) / n,
        "collisions": sum(d.crashed for d in drives) / n,
        "begin_inside_an_obstacle": sum(d.hopeless for d in drives),
        "off_road": sum(d.off_road > 0 for d in drives),
        "cycle_ms_median": float(np.median(cycles)),
        "cycle_ms_p95": float(np.percentile(cycles, 95)),
        "no_dearer_than_stored": float(np.mean(beside)) if beside else float("nan"),
        "solutions": str(OUT),
    }
    return [ours, *peer_rows(files, say)]

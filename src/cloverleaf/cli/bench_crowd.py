"""Bench row of human traffic at 10,000 vehicles: a grid of signals made for it, every vehicle on a way of its own, beside plain SUMO."""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

VEHICLES = 10_000
SIDE = 30  # junctions along each side of the grid
BLOCK = 200.0  # m between them
ENTERING, END = 60.0, 300.0  # s in which all depart; s driven
WAY = 40  # edges: nobody arrives before the end


def write_grid(generator: str, folder: Path, *, side: int, vehicles: int, seed: int = 7) -> Path:
    """A .sumocfg of `vehicles` that wander without turning back on a grid of signals, two lanes a direction; made by `netgenerate`."""
    net = folder / "grid.net.xml"
    command = [
        generator, "--grid", f"--grid.number={side}", f"--grid.length={BLOCK}", "--default.lanenumber=2",
        "--default-junction-type=traffic_light", f"--output-file={net}",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    onward: dict[str, set[str]] = {}
    for link in ElementTree.parse(net).getroot().iter("connection"):
        if not link.attrib["from"].startswith(":") and link.attrib["dir"] != "t":
            onward.setdefault(link.attrib["from"], set()).add(link.attrib["to"])
    choices = {edge: sorted(after) for edge, after in sorted(onward.items())}
    edges, rng = list(choices), np.random.default_rng(seed)
    rows = []
    for k in range(vehicles):
        way = [edges[rng.integers(len(edges))]]
        while len(way) < WAY and way[-1] in choices:
            after = choices[way[-1]]
            way.append(after[rng.integers(len(after))])
        rows.append(
            f'<vehicle id="{k}" depart="{ENTERING * k / vehicles:.2f}" departLane="free"><route edges="{" ".join(way)}"/></vehicle>'
        )
    (folder / "grid.rou.xml").write_text("<routes>\n" + "\n".join(rows) + "\n</routes>\n")
    config = folder / "run.sumocfg"
    config.write_text(
        '<configuration><input><net-file value="grid.net.xml"/><route-files value="grid.rou.xml"/></input>'
        f'<time><begin value="0"/><end value="{END:g}"/></time></configuration>'
    )
    return config


def run_bench(
    steps: Sequence[float] = (1.0,), *, side: int = SIDE, vehicles: int = VEHICLES
) -> Iterator[dict[str, Any]]:
    """A row for each step length (s): vehicle-steps per second of ours and of SUMO, and how many were on the road at the end."""
    from cloverleaf.cli.bench_traffic import drive, find_sumo, sumo_speed

    program = find_sumo()
    generator = Path(program).with_name("netgenerate") if program else None
    if program is None or generator is None or not generator.is_file():
        yield {"name": "crowd", "skipped": "SUMO makes the net and is not installed: pip install 'cloverleaf[sumo]'"}
        return
    with tempfile.TemporaryDirectory() as folder:
        config = write_grid(str(generator), Path(folder), side=side, vehicles=vehicles)
        for step in steps:
            ledger, done, wall = drive(config, step, 1, measured=False)
            theirs = sumo_speed(program, config, step)
            yield {
                "name": "crowd",
                "step_s": step,
                "vehicles": _on_road(ledger),
                "vehicle_steps_per_s": done / wall,
                "sumo_vehicle_steps_per_s": theirs,
                "ratio": done / wall / theirs if theirs else math.nan,
            }


def _on_road(ledger: np.ndarray) -> int:
    """How many have departed and not arrived."""
    from cloverleaf.types.traffic import TRIP_ARRIVAL, TRIP_DEPART

    return int((~np.isnan(ledger[:, TRIP_DEPART]) & np.isnan(ledger[:, TRIP_ARRIVAL])).sum())

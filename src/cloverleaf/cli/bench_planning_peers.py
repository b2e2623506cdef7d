"""Peers of `cloverleaf bench planning`: FISS+ and the CommonRoad reactive planner on the same files, each in a Python of its own.

Both drive the same car in closed loop with perfect tracking and see what the file predicts, as ours does. A drive is a success when the
goal is reached with no collision and never off the road, by the benchmark's own collision and boundary checks.
"""

from __future__ import annotations

import gzip
import lzma
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cli.peers import find_peer, run_peer

PER_TASK = 60
"""Seconds of CPU after which a peer's drive counts as not reached."""

HEAD = """
import logging, signal, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

class Late(BaseException):
    pass

def late(*_):
    raise Late

signal.signal(signal.SIGPROF, late)
reached, crashed, off, cycles, failed = [], [], [], [], []
for file in [str(f) for f in inputs["files"]]:
    signal.setitimer(signal.ITIMER_PROF, float(inputs["limit"]))
    try:
        done = drive(file, cycles)
        failed.append(0)
    except (Exception, Late):
        done = (False, False, False)
        failed.append(1)
    signal.setitimer(signal.ITIMER_PROF, 0)
    reached.append(done[0]); crashed.append(done[1]); off.append(done[2])
outputs.update(reached=np.array(reached), crashed=np.array(crashed), off=np.array(off), cycles=np.array(cycles), failed=np.array(failed))
"""

FISS = """
from fiss_planner.commonroad.benchmark import Options, run_scenario

def drive(file, cycles):
    options = Options(planner="fiss_plus", vehicle="BMW_320i", smoother=True)
    row, _ = run_scenario(file, options, on_step=lambda t, ego, seen, out, road: cycles.append(out.stats.time_ms))
    return row["success"], row["collision"], row["off_road"]
"""

REACTIVE = """
import time
from commonroad.common.file_reader import CommonRoadFileReader
from commonroad_dc.boundary.boundary import create_road_boundary_obstacle
from commonroad_dc.collision.collision_detection.pycrcc_collision_dispatch import create_collision_checker
from commonroad_dc.pycrcc import RectOBB
from commonroad_rp.reactive_planner import ReactivePlanner
from commonroad_rp.utility.config import ReactivePlannerConfiguration
from commonroad_rp.utility.utils_coordinate_system import create_coordinate_system, create_initial_ref_path

def drive(file, cycles):
    scenario, problems = CommonRoadFileReader(file).open()
    problem = list(problems.planning_problem_dict.values())[0]
    config = ReactivePlannerConfiguration()
    config.debug.multiproc = False  # one process, as ours: all its CPU time is counted, and no pool can wait for ever
    config.update(scenario=scenario, planning_problem=problem)
    planner = ReactivePlanner(config)
    path = create_initial_ref_path(scenario.lanelet_network, problem)
    planner.set_reference_path(coordinate_system=create_coordinate_system(path))
    planner.record_state_and_input(planner.x_0)
    seen, (_, edge) = create_collision_checker(scenario), create_road_boundary_obstacle(scenario, method="obb_rectangles")
    last = max(int(getattr(g.time_step, "end", g.time_step)) for g in problem.goal.state_list)
    every, crashed, off, plan = config.planning.replanning_frequency, False, False, None
    while not planner.goal_reached() and planner.x_0.time_step < last and not crashed:
        k = (len(planner.record_state_list) - 1) % every
        if k == 0:
            planner.set_desired_velocity(current_speed=planner.x_0.velocity)
            began = time.process_time()
            plan = planner.plan()
            cycles.append(1000.0 * (time.process_time() - began))
            if not plan:
                return False, False, off
        planner.record_state_and_input(plan[0].state_list[1 + k])
        planner.reset(
            initial_state_cart=planner.record_state_list[-1], initial_state_curv=(plan[1][1 + k], plan[2][1 + k]),
            collision_checker=planner.collision_checker, coordinate_system=planner.coordinate_system,
        )
        s = type(planner.x_0).shift_state_to_center(planner.x_0, planner.vehicle_params.wb_rear_axle)
        box = RectOBB(0.5 * planner.vehicle_params.length, 0.5 * planner.vehicle_params.width, s.orientation, *s.position)
        crashed = bool(seen.time_slice(int(s.time_step)).collide(box))
        off = off or bool(edge.collide(box))
    return planner.goal_reached() and not crashed, crashed, off
"""

PEERS = (
    ("FISS+", "fiss_planner", "CLOVERLEAF_FISS_PYTHON", FISS),
    ("reactive planner", "commonroad_rp", "CLOVERLEAF_REACTIVE_PYTHON", REACTIVE),
)


def rows(files: list[Path], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per peer that is there: the same shares and times as ours."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        plain = []
        for file in files:
            to = Path(folder) / f"{file.name.split('.')[0]}.xml"
            unpack = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(file.suffix, bytes)
            to.write_bytes(unpack(file.read_bytes()))
            plain.append(str(to))
        for name, module, variable, script in PEERS:
            python = find_peer(module, variable)
            if python is None:
                say(f"  {name} left out: no {module} here and {variable} is not set")
                continue
            say(f"  {name} drives {len(files)} tasks ...")
            got = run_peer(
                python, script + HEAD, {"files": np.array(plain), "limit": PER_TASK}, timeout=60.0 * len(files) + 600.0
            )
            out.append(
                {
                    "planner": name,
                    "tasks": len(files),
                    "success": float((got["reached"] & ~got["off"] & ~got["crashed"]).mean()),
                    "collisions": float(got["crashed"].mean()),
                    "off_road": int(got["off"].sum()),
                    "gave_up": int(got["failed"].sum()),
                    "cycle_ms_median": float(np.median(got["cycles"])) if len(got["cycles"]) else float("nan"),
                    "cycle_ms_p95": float(np.percentile(got["cycles"], 95)) if len(got["cycles"]) else float("nan"),
                }
            )
    return out

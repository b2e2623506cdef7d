"""`cloverleaf bench loop` and `compile`: the whole loop against real time, and what the first start costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloverleaf.study.config import Study
    from cloverleaf.types.demand import Demand

SIZES = ((100, 500), (200, 1000))
"""Smart cars among road users: the spine's bar and the car's."""
CAR_BUDGET_MS = 1.0  # ms of processor time per car and cycle for everything, on two cores at real time
WARM_UP_S, MEASURED_S = 400.0, 30.0
COMPILE_BAR_S = 60.0


def crowded(study: Study, demand: Demand, factor: float) -> Demand:
    """The same trips, `factor` times as dense: departures come closer together."""
    begin = study.begin_s
    return demand._replace(
        trips=demand.trips._replace(depart=begin + (demand.trips.depart - begin) / factor),
        walks=demand.walks._replace(depart=begin + (demand.walks.depart - begin) / factor),
    )


def measure_size(smart_wanted: int, users_wanted: int) -> None:
    """Full loop (cloud arm, real bytes, p256) on the district at about this size; one line."""
    from cloverleaf.study.build import Run, build_rooms
    from cloverleaf.study.config import Arm, Fleet, Study

    study = Study(duration_s=1200.0, fleet=Fleet(penetration=min(1.0, 2.5 * smart_wanted / users_wanted)))
    loop = Run(study, Arm.CLOUD, 1)
    denser = crowded(study, loop.demand, users_wanted / 300.0)
    loop.rooms = build_rooms(study, Arm.CLOUD, 1, loop.base_map, denser)
    world = loop.rooms.world
    fleet: Any = loop.rooms.fleet
    while world.time < WARM_UP_S and (len(world.fleet) < smart_wanted or (world.actors.kind > 0).sum() < users_wanted):
        loop.tick()
    wall, start, begin, smart, users, ticks, in_car = time.perf_counter(), time.process_time(), world.time, 0, 0, 0, 0.0
    drive = fleet.step

    def timed(*inputs: Any) -> Any:
        nonlocal in_car
        before = time.process_time()
        answer = drive(*inputs)
        in_car += time.process_time() - before
        return answer

    fleet.step = timed
    while world.time < begin + MEASURED_S - 1e-6:
        loop.tick()
        ticks += 1
        smart += len(world.fleet)
        users += int((world.actors.kind > 0).sum())
    used, wall = time.process_time() - start, time.perf_counter() - wall
    cycles = max(smart, 1)
    print(
        f"{smart / ticks:.0f} smart cars among {users / ticks:.0f} road users (asked: {smart_wanted} among {users_wanted}): "
        f"{MEASURED_S / used:.2f}x real time per core, {MEASURED_S / wall:.2f}x by the wall clock; CPU per car and cycle: everything "
        f"{1000 * used / cycles:.3f} ms (bar {CAR_BUDGET_MS:g} on two cores), the car itself {1000 * in_car / cycles:.3f} ms",
        flush=True,
    )


def run() -> None:
    """Both sizes. Bar: at least real time on two cores."""
    for smart, users in SIZES:
        measure_size(smart, users)


def run_compile() -> None:
    """Compile every kernel of the loop in a copy of the package without caches, in one process."""
    import cloverleaf

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(
            Path(cloverleaf.__file__).parent, Path(folder) / "cloverleaf", ignore=shutil.ignore_patterns("__pycache__")
        )
        environment = os.environ | {"PYTHONPATH": folder, "XDG_CACHE_HOME": folder}
        code = "import time; from cloverleaf.study.warm import compile_all; compile_all(); print(time.process_time())"
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True, check=True
        )
    seconds = float(done.stdout.split()[-1])
    print(
        f"{seconds:.0f} s of processor time, bar {COMPILE_BAR_S:.0f}"
        + ("" if seconds <= COMPILE_BAR_S else "   over the bar")
    )

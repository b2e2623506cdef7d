"""`cloverleaf bench loop` and `compile`: the whole loop against real time, and what the first start costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMART, USERS = 100, 500
WARM_UP_S, MEASURED_S = 400.0, 30.0
COMPILE_BAR_S = 60.0


def run() -> None:
    """Full loop (cloud arm, real bytes, p256) on the district: simulated over wall seconds, at the size reached."""
    from cloverleaf.study.build import Run
    from cloverleaf.study.config import Arm, Fleet, Study

    study = Study(duration_s=WARM_UP_S + MEASURED_S, fleet=Fleet(penetration=0.5))
    loop = Run(study, Arm.CLOUD, 1)
    world = loop.rooms.world
    while world.time < WARM_UP_S:
        loop.tick()
    start, begin, smart, users = time.perf_counter(), world.time, 0, 0
    ticks = 0
    while world.time < WARM_UP_S + MEASURED_S - 1e-6:
        loop.tick()
        ticks += 1
        smart += len(world.fleet)
        users += int((world.actors.kind > 0).sum())
    wall = time.perf_counter() - start
    print(
        f"{smart / ticks:.0f} smart cars among {users / ticks:.0f} road users: {(world.time - begin) / wall:.2f}x real time on one core"
    )
    print(f"bar: 1x with {SMART} among {USERS} on two cores")


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

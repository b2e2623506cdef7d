"""What a launch on a CUDA device takes along and brings back, with a device made of arrays here: no GPU is needed, nor numba-cuda's."""

import subprocess
import sys

import numpy as np
import pytest
from numba import cuda

from cloverleaf.loop.storyboard.run import run_worlds
from cloverleaf.loop.storyboard.state import State
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.scenario.storyboard.compile import compile_scenario
from loop.storyboard_cases import event, lane_change, scenario, speed, teleport, time_after, trigger

PACE = '<ParameterDeclaration name="Pace" parameterType="double" value="20"/>'


class There:
    """An array on a device: its own copy."""

    def __init__(self, array):
        self.array = array.copy()

    def copy_to_host(self):
        return self.array.copy()


class Launch:
    """A launched kernel: every thread steps the world of its number."""

    def __init__(self, pointers):
        self.pointers, self.steps = pointers, []

    def __getitem__(self, shape):
        self.threads = shape[0] * shape[1]
        return self

    def __call__(self, *given):
        def here(x):
            return type(x)(*map(here, x)) if isinstance(x, tuple) else x.array if isinstance(x, There) else x

        p, value, m, g, n, limit, first, dt, until, steps, watch, sees, every, st, *tables, done = map(here, given)
        outcome, broken, trace, own, near, seen = tables
        self.steps.append(int(steps))
        for w in range(min(self.threads, len(value))):
            e = w + 1
            alone = State(*(x[w:e] for x in st))
            done[w] += run_worlds(*self.pointers, p, value[w:e], m, g, n, limit, first, dt, until, steps, watch, sees, every, alone,
                                  outcome[w:e], broken[w:e], trace[w:e], own[w], near[w], seen[w:e])  # fmt: skip


def test_a_launch_is_the_run_of_the_processor(tmp_path, monkeypatch):
    device = pytest.importorskip("cloverleaf.loop.storyboard.device", reason="needs numba-cuda", exc_type=ImportError)
    init = {"A": teleport(10) + speed("$Pace"), "B": teleport(100) + speed(5)}
    compiled = compile_scenario(
        scenario(tmp_path, init, event("e", lane_change(-2), trigger(time_after(2.0))), parameters=PACE, end=9.0)
    )
    found = []
    for where in ("cpu", "cuda"):
        pace = np.linspace(10, 30, 70)
        worlds = Worlds(compiled, compiled.columns({"Pace": pace}, 70), device=where)
        worlds.watch("A")
        worlds.record(10, 9.0)
        launch = Launch((worlds._act, worlds._see))
        monkeypatch.setattr(device, "launched", lambda act, see, launch=launch: launch)
        monkeypatch.setattr(cuda, "to_device", There)
        made = worlds.run(20.0)
        found.append((made, worlds.outcome.tobytes(), worlds.trace.tobytes(), *(x.tobytes() for x in worlds.state)))
    assert found[0] == found[1]
    assert launch.steps == [0, 500, 500] and launch.threads == 128  # Init alone, then chunks until all have ended


@pytest.mark.parametrize("arguments", [["--device", "cuda"], ["--device", "tpu"]])
def test_without_a_device_one_line_says_what_is_missing(tmp_path, arguments):
    path = scenario(tmp_path, {"A": teleport(10)})
    command = [sys.executable, "-m", "cloverleaf", "judge", str(path), "--driver", "idm", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if cuda.is_available() and "cuda" in arguments:
        pytest.skip("there is a device")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --device: no ") and "\nhint: " in done.stderr and done.stderr.count("\n") == 2

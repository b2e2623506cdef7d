"""The kernels' sources as CUDA code: compiled to PTX, for which no GPU is needed. Skips without numba-cuda, which is an extra.

Everything that a kernel calls becomes a device function under the same name, so what is compiled is the source that the processor runs.
"""

import pytest

pytest.importorskip("numba_cuda", reason="numba-cuda is not installed: pip install 'cloverleaf[cuda]'")

from numba import cuda, typeof
from numba.cuda import dispatcher
from numba.cuda import types as nt

from cloverleaf.algo.boxes import box_gap, boxes_overlap
from cloverleaf.algo.compiling import Kernel
from cloverleaf.algo.cuda import device_function
from cloverleaf.algo.following import iidm_accel, kesting_acc_accel
from cloverleaf.judge.drivers.assistance import imminent
from cloverleaf.judge.drivers.reference import reference_accel
from cloverleaf.judge.observe import minimum_gap, needed_decel
from cloverleaf.loop.storyboard.device import device_arguments, launched
from cloverleaf.loop.storyboard.distance import free_along_across, gap_between
from cloverleaf.loop.storyboard.elements import evaluate_triggers
from cloverleaf.loop.storyboard.run import run_worlds
from cloverleaf.loop.storyboard.traffic import drive_traffic
from cloverleaf.loop.storyboard.transition import shape_rate, shape_value
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.scenario.storyboard.compile import compile_scenario
from loop.storyboard_cases import scenario, teleport

TARGET = (8, 0)
f8, i8 = nt.float64, nt.int64
column, table = nt.Array(f8, 1, "C"), nt.Array(f8, 2, "C")


class Device:
    """Stands for a GPU, of which only the instruction set is asked."""

    compute_capability = TARGET


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: Device)


@pytest.mark.parametrize(
    ("kernel", "arguments"),
    [
        (iidm_accel, (f8,) * 8),
        (kesting_acc_accel, (f8,) * 10),
        (boxes_overlap, (f8,) * 10),
        (box_gap, (f8,) * 10),
        (shape_value, (i8, f8, f8, f8, f8)),
        (shape_rate, (i8, f8, f8, f8, f8)),
        (gap_between, (table, i8, i8)),
        (free_along_across, (table, i8, i8)),
        (minimum_gap, (f8,)),
        (needed_decel, (column, table)),
        (imminent, (column, table)),
        (reference_accel, (i8, column, table, column)),
    ],
    ids=lambda x: x.py_func.__name__ if isinstance(x, Kernel) else "",
)
def test_the_same_source_compiles_to_ptx(kernel, arguments, no_gpu):
    code, _ = cuda.compile_ptx(device_function(kernel).py_func, arguments, device=True, cc=TARGET)
    assert ".target sm_80" in code and kernel.py_func.__name__ in code
    assert "NRT_" not in code and "malloc" not in code  # nothing is allocated


def test_the_kernel_that_steps_whole_worlds_compiles_to_ptx(no_gpu, tmp_path):
    worlds = Worlds(compile_scenario(scenario(tmp_path, {"A": teleport(10)})))
    act, see, *arguments = worlds.arguments(-1, 1, 1.0, worlds.columns.broken)
    signature = tuple(map(typeof, device_arguments(tuple(arguments))))
    code, _ = cuda.compile_ptx(launched(act, see).py_func, signature, cc=TARGET)
    assert ".entry" in code and all(f.__name__ in code for f in (run_worlds, evaluate_triggers, drive_traffic))
    assert "NRT_" not in code and "malloc" not in code

"""A user's own driver in every form: the worked examples, run on a suite of ours, must agree with each other."""

import importlib.util
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cut_in import write_suite

from cloverleaf.judge.campaign import choose, judge_all
from cloverleaf.judge.drivers.registry import BUILT_IN, COMPILED, PLANNER, VECTOR, driver_names, find_driver
from cloverleaf.judge.suite import discover
from cloverleaf.judge.sweep import Setting
from cloverleaf.types.errors import PluginError

EXAMPLES = Path(__file__).parents[2] / "examples" / "drivers"


def judged(suite, driver, cases="4"):
    return judge_all(choose(discover([suite]), cases), Setting(driver, 0.02))[0]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return write_suite(tmp_path_factory.mktemp("suite"), gap=(16, 40, 8), slower=(4, 4, 1))


@pytest.fixture(scope="module")
def compiled(suite):
    return judged(suite, f"{EXAMPLES / 'compiled.py'}:careful")


def needs(module, extra):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"needs cloverleaf[{extra}]")


def build(name, tmp_path):
    if not sys.platform.startswith("linux") or shutil.which("cc") is None:
        pytest.skip("the example FMUs are built with a C compiler on Linux")
    out = tmp_path / f"{name}.fmu"
    subprocess.run(
        [sys.executable, EXAMPLES / "fmu" / "build.py", name, out], check=True, capture_output=True, timeout=600
    )
    return str(out)


def alike(one, other):
    assert np.array_equal(one.measures["crash"], other.measures["crash"])
    assert np.allclose(one.measures["final_speed_kmh"], other.measures["final_speed_kmh"], atol=0.8)
    assert np.allclose(one.measures["min_gap_m"], other.measures["min_gap_m"], atol=0.5, equal_nan=True)


def test_forms_are_told_apart():
    assert find_driver(f"{EXAMPLES / 'compiled.py'}:careful").form == COMPILED
    assert find_driver(f"{EXAMPLES / 'vectorised.py'}:Careful").form == VECTOR
    assert find_driver(f"{EXAMPLES / 'planner.py'}:Careful").form == PLANNER
    assert set(BUILT_IN) <= set(driver_names()) and all(find_driver(n).form == COMPILED for n in BUILT_IN)


def test_compiled_example_avoids_the_collision(compiled):
    assert compiled.measures["crash"].sum() == 0 and compiled.measures["max_decel_mps2"].max() > 0.5


def test_vectorised_example(suite, compiled):
    alike(compiled, judged(suite, f"{EXAMPLES / 'vectorised.py'}:Careful"))


def test_planner_example(suite, compiled):
    alike(compiled, judged(suite, f"{EXAMPLES / 'planner.py'}:Careful"))


def test_fmu_of_fmi_3_with_plain_variables(suite, tmp_path):
    needs("fmpy", "fmi")
    result = judged(suite, build("careful3", tmp_path), "2")
    assert result.measures["crash"].sum() == 0 and (result.measures["max_decel_mps2"] > 0.5).any()


def test_fmu_of_fmi_2_with_osi_messages(suite, tmp_path):
    needs("fmpy", "fmi")
    needs("osi3", "osi")
    result = judged(suite, build("careful_osmp", tmp_path), "2")
    assert result.measures["crash"].sum() == 0 and (result.measures["max_decel_mps2"] > 0.5).any()


@pytest.fixture
def osi_server():
    needs("osi3", "osi")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / "osi_process.py", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert select.select([process.stdout], [], [], 120.0)[0] and "waiting" in process.stdout.readline()
        yield f"osi://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


def test_process_behind_a_socket(suite, osi_server):
    result = judged(suite, osi_server, "2")
    assert result.measures["crash"].sum() == 0 and (result.measures["max_decel_mps2"] > 0.5).any()


def test_nobody_at_the_socket_and_wrong_addresses(suite):
    needs("osi3", "osi")
    with pytest.raises(PluginError, match="is no address"):
        find_driver("osi://somewhere")
    start = time.monotonic()
    result = judged(suite, "osi://127.0.0.1:9", "first")
    assert result.counts()["error"] == 1 and "nobody answers" in str(result.measures["reason"][0])
    assert time.monotonic() - start < 30


def test_wrong_drivers_are_named(tmp_path):
    needs("fmpy", "fmi")
    (tmp_path / "x.fmu").write_bytes(b"PK no zip")
    (tmp_path / "d.py").write_text("A = 1\nclass NoDrive: pass\n")
    (tmp_path / "e.py").write_text("import nothing_of_that_name\n")
    for spec, message in (
        (f"{tmp_path}/x.fmu", "not an FMU"), (f"{tmp_path}/y.fmu", "no such file"), (f"{tmp_path}/d.py:A", "is not a driver"),
        (f"{tmp_path}/d.py:NoDrive", "is not a driver"), (f"{tmp_path}/d.py:B", "has no 'B'"),
        (f"{tmp_path}/e.py:D", "no module 'nothing_of_that_name'"),
    ):  # fmt: skip
        with pytest.raises(PluginError, match=message):
            find_driver(spec)


def test_a_driver_that_fails_or_answers_nonsense_is_an_error_of_its_cases(suite, tmp_path):
    (tmp_path / "f.py").write_text(
        "class Fails:\n    def drive(self, scene): return 1 / 0\n"
        "class Nonsense:\n    def drive(self, scene): return float('nan')\n"
    )
    for name, words in (("Fails", "ZeroDivisionError"), ("Nonsense", "an acceleration of nan")):
        result = judged(suite, f"{tmp_path / 'f.py'}:{name}", "2")
        assert result.counts()["error"] == 2 and words in str(result.measures["reason"][0])

"""`cloverleaf judge` as a user sees it: counts of the published grids, exit codes, files, wrong input."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow.parquet as pq
import pytest

from cloverleaf.judge.cases import select
from cloverleaf.judge.results import exposure_rate
from cloverleaf.judge.verdict import Criterion, SuiteResult, Verdict, exit_code
from cloverleaf.types.errors import StudyError


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "cloverleaf", "judge", *map(str, arguments)], capture_output=True, text=True, timeout=600
    )


@pytest.mark.parametrize(("driver", "crashes"), [("cc_human", 3552), ("fsm", 1649), ("rss", 1491), ("reg157", 2869)])
def test_crash_counts_of_the_full_grid(driver, crashes, tmp_path):
    done = run("r157:cut_in_high_speed", "--driver", driver, "--out", tmp_path, "--junit", tmp_path / "j.xml")
    table = pq.read_table(tmp_path / "results.parquet")
    assert table.num_rows == 14_040 and sum(table["crash"].to_pylist()) == crashes
    counts = json.loads((tmp_path / "results.json").read_text())["suites"][0]["counts"]
    assert sum(counts.values()) == 14_040
    assert done.returncode == (1 if counts["fail"] else 0)
    suite = ET.parse(tmp_path / "j.xml").getroot()[0]
    assert int(suite.get("failures")) == counts["fail"]


def test_cases_from_a_file_with_wrong_content_name_the_place(tmp_path):
    file = tmp_path / "c.csv"
    file.write_text("speed_kmh,front_distance_m,lat_vel_mps\n50,10,-1\n50,nan,-1\n")
    done = run("r157:cut_out", "--driver", "fsm", "--cases", file)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        f"error: {file}:3:front_distance_m: 'nan' is not a finite number",
    )
    file.write_text("speed_kmh,front_distance,lat_vel_mps\n50,10,-1\n")
    assert "hint: did you mean 'front_distance'?" in run("r157:cut_out", "--driver", "fsm", "--cases", file).stderr


def test_selection():
    grid = {"a": np.arange(100.0)}
    assert list(select("first", grid)["a"]) == [0]
    assert list(select("3", grid)["a"]) == [0, 50, 99]
    assert len(select("1000", grid)["a"]) == 100
    for wrong in ("0", "some", "-1"):
        with pytest.raises(StudyError):
            select(wrong, grid)


@pytest.mark.parametrize(("verdicts", "code"), [("00", 0), ("02", 0), ("22", 3), ("03", 3), ("13", 1), ("14", 2)])
def test_exit_code_never_hides_what_was_not_verified(verdicts, code):
    values = np.array([int(c) for c in verdicts], np.int8)
    result = SuiteResult("s", "d", {}, {}, (Criterion("c", "", "", ""),), {"c": values}, ())
    assert exit_code([result]) == code
    assert [Verdict(v) for v in result.overall()] == [Verdict(v) for v in values]


@pytest.mark.parametrize(
    ("verdicts", "weights", "rate"),
    [("01", (0.9, 0.1), 0.9), ("02", (0.2, 0.8), 1.0), ("03", (0.3, 0.7), 0.3), ("04", (0.5, 0.5), 0.5), ("22", (0.5, 0.5), None),
     ("00", (0.5, np.nan), None)],
)  # fmt: skip
def test_a_pass_rate_weighs_cases_by_how_often_they_occur(verdicts, weights, rate):
    values = np.array([int(c) for c in verdicts], np.int8)
    result = SuiteResult(
        "s", "d", {}, {"exposure": np.array(weights)}, (Criterion("c", "", "", ""),), {"c": values}, ()
    )
    assert exposure_rate(result) == (None if rate is None else pytest.approx(rate))

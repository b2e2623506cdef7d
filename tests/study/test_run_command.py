"""`cloverleaf run` as a user meets it: files, table, wrong input in one line, examples and the trace."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments, **options):
    command = [sys.executable, "-m", "cloverleaf", "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    done = run("--duration", 4, "--seeds", 2, "--arms", "human,cloud", "--workers", 1, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done


def test_results_have_the_promised_form(finished):
    out, done = finished
    summary = json.loads((out / "summary.json").read_text())
    assert {"study", "digest", "performance", "arms", "link"} <= summary.keys()
    assert {"vehicle_steps_per_s", "real_time_factor", "wall_s"} <= summary["performance"].keys()
    assert set(summary["arms"]) == {"human", "cloud"}
    for arm in summary["arms"].values():
        assert {"collisions", "at_fault_collisions", "red_lights_run"} <= arm["safe"].keys()
        assert {"inserted", "arrived", "unfinished", "time_loss_s", "person_delay_s"} <= arm["efficient"].keys()
        assert {"co2_g_per_km", "energy_mj"} <= arm["green"].keys()
        assert {"yield_rate", "box_blocking_s"} <= arm["civilised"].keys()
        assert {"mean", "ci95", "unit", "n"} <= arm["efficient"]["time_loss_s"].keys()
    assert {"sent", "delivered", "pdr", "latency_ms_p99", "bytes"} <= summary["link"].keys()
    page = (out / "report.html").read_text()
    assert "<svg" in page and "http://" not in page.replace("http://www.w3.org", "") and "src=" not in page
    assert (out / "log.mcap").read_bytes()[:8] == b"\x89MCAP0\r\n"
    assert "human" in done.stdout and "cloud" in done.stdout


def test_two_workers_give_the_same_digest(finished):
    out, _ = finished
    done = run("--duration", 4, "--seeds", 2, "--arms", "human,cloud", "--workers", 2, "--out", out.with_name("two"))
    assert done.returncode == 0, done.stderr
    digests = [json.loads((o / "summary.json").read_text())["digest"] for o in (out, out.with_name("two"))]
    assert digests[0] == digests[1]


WRONG = {
    "unknown key": ("penetraton: 0.3\n", "did you mean"),
    "impossible penetration": ("fleet: {penetration: 1.7}\n", "penetration"),
    "not a number": ("duration_s: .nan\n", "duration_s"),
    "later keys": ("detectors: counts.csv\n", "not yet supported"),
    "all arms": ("arms: all\n", "not yet supported"),
    "missing map": ("map: nowhere.net.xml\ndemand: x.rou.xml\n", "nowhere.net.xml"),
    "broken yaml": ("name: [\n", "study.yaml"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_studies_are_one_line_and_leave_nothing(case, tmp_path):
    text, told = WRONG[case]
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    file.write_text(text)
    done = run(file, "--out", out)
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert lines[0].startswith("error: ") and told in done.stderr
    assert len(lines) <= 2 and "Traceback" not in done.stderr
    assert not out.exists()


NET = """<net version="1.20"><location netOffset="0,0" convBoundary="0,0,100,0" origBoundary="0,0,100,0" projParameter="!"/>
<edge id="a" from="x" to="y" priority="1"><lane id="a_0" index="0" speed="13.9" length="100" shape="0,0 100,0"/></edge>
<junction id="x" type="dead_end" x="0" y="0" incLanes="" intLanes="" shape="0,0"/>
<junction id="y" type="dead_end" x="100" y="0" incLanes="a_0" intLanes="" shape="100,0"/></net>"""
CONFIG = """<configuration><input><net-file value="n.net.xml"/><route-files value="r.rou.xml"/></input>
<time><end value="10"/></time></configuration>"""


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ('<routes><trip id="t" depart="0" from="a" to="b"/></routes>', "'b'"),
        ('<routes><trip id="t" type="lorry" depart="0" from="a" to="a"/></routes>', "lorry"),
        ('<routes><trip id="t" depart="0" from="a"', "r.rou.xml:1"),
        ('<routes><trip id="t" depart="nan" from="a" to="a"/></routes>', "depart"),
    ],
)
def test_wrong_demand_names_file_line_and_element(routes, told, tmp_path):
    (tmp_path / "n.net.xml").write_text(NET)
    (tmp_path / "r.rou.xml").write_text(routes)
    (tmp_path / "c.sumocfg").write_text(CONFIG)
    done = run(tmp_path / "c.sumocfg", "--out", tmp_path / "out")
    assert done.returncode == 2 and told in done.stderr and "r.rou.xml" in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert not (tmp_path / "out").exists()


def test_trace_shows_every_stage():
    done = run("--trace-tick", 60, "--duration", 20)
    assert done.returncode == 0, done.stderr
    for stage in ("1 sense", "2 human", "3 car", "4 road", "5 link", "6 cloud", "7 world"):
        assert stage in done.stdout
    assert "cloverleaf/car/supervised.py:" in done.stdout


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(example):
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()

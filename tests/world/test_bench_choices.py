"""Options of the traffic rows: each run is a command, and what cannot be chosen is refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.naive.tiny_net import GOOD

from cloverleaf.cli import bench, bench_collisions, bench_crowd, bench_traffic
from cloverleaf.types.errors import StudyError

ROUTES = """<routes><vType id="t" length="5"/><flow id="f" type="t" begin="0" end="60" period="6"><route edges="a b"/></flow></routes>"""
CONFIG = """<configuration><input><net-file value="t.net.xml"/><route-files value="t.rou.xml"/></input>
<time><begin value="0"/><end value="120"/></time></configuration>"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with the net `tiny`, its demand, and a record that holds 8 arrivals with a loss of 2 s."""
    net, oracle = tmp_path / "nets" / "tiny", tmp_path / "oracle" / "sumo"
    net.mkdir(parents=True)
    oracle.mkdir(parents=True)
    (net / "t.net.xml").write_text(GOOD)
    (net / "t.rou.xml").write_text(ROUTES)
    (net / "run.sumocfg").write_text(CONFIG)
    means = {"inserted": 10.0, "arrived": 8.0, "timeLoss_s": 2.0, "stops": 1.0, "CO2_g": 50.0}
    record = {"summary": {k: {"mean": v} for k, v in means.items()}}
    (oracle / "tiny.json").write_text(json.dumps({"results": {"step_length_1.0": record}}))
    return tmp_path


def test_fidelity_shows_each_seed_and_then_the_mean_beside_the_record(data: Path) -> None:
    *runs, mean = bench_traffic.run_fidelity("tiny", data, 1.0, (3, 7))
    assert [run["seed"] for run in runs] == [3, 7]
    assert mean["arrived_deviation"] == pytest.approx(sum(run["arrived"] for run in runs) / 2 / 8.0 - 1.0)
    assert mean["timeLoss_s_sumo"] == 2.0 and mean["seeds"] == 2
    (missing,) = bench_traffic.run_fidelity("tiny", data, 0.5)
    assert "no runs at 0.5 s" in missing["skipped"]


def test_collisions_take_net_step_and_seed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(bench_collisions.CASES, "tiny", 60.0)
    bench.bench("collisions", data, net=["tiny"], step=[1.0], seed=[2, 5])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("name")]
    assert ["seed 2" in rows[0], "seed 5" in rows[1], len(rows)] == [True, True, 2]
    assert all("step_s 1 " in row and "pairs 0" in row for row in rows)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("loop", {"seed": [1]}),
        ("traffic", {"seed": [1]}),
        ("collisions", {"net": ["nowhere"]}),
        ("collisions", {"step": [0.0]}),
        ("fidelity", {"step": [2.0]}),
    ],
)
def test_what_cannot_be_chosen_is_refused(name: str, options: dict[str, list[float]]) -> None:
    with pytest.raises(StudyError):
        bench.bench(name, None, **{"net": None, "step": None, "seed": None} | options)


def test_a_crowd_wanders_on_a_grid_that_sumo_makes(tmp_path: Path) -> None:
    program = bench_traffic.find_sumo()
    if program is None:
        pytest.skip("SUMO makes the grid and is not installed")
    config = bench_crowd.write_grid(str(Path(program).with_name("netgenerate")), tmp_path, side=3, vehicles=40)
    ledger, steps, _ = bench_traffic.drive(config, 1.0, 1, measured=False)
    assert len(ledger) == 40 and steps > 40 * (bench_crowd.END - bench_crowd.ENTERING) / 2
    _, base_map, _ = bench_traffic.load(config, 1)
    assert (np.asarray(base_map.graph.link_signal) >= 0).any()

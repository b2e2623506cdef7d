"""Running a study: same digest on any number of workers, results that appear whole, logs that survive Ctrl-C."""

import io
import json
import multiprocessing
import os
import signal
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from mcap.reader import make_reader
from rich.console import Console

from cloverleaf.measure.definitions import METRICS, WORDS
from cloverleaf.study.config import Arm, Human, Study
from cloverleaf.study.report.page import report, write_report
from cloverleaf.study.results import SAFETY_NOT_SHOWN, summary, write_summary
from cloverleaf.study.run import Interrupted, run_study
from cloverleaf.study.table import print_table
from naive.crossroads import CrossroadsLoop, crossroads

FACTORY = "naive.crossroads:make_loop"
STUDY = Study(name="crossing <1>", duration_s=40.0, step_s=0.5, seeds=(1, 2, 3))


def slow_loop(study, arm, seed):
    """A loop that takes its time, so that somebody can interrupt it."""
    loop = CrossroadsLoop(study, arm, seed)
    tick = loop.tick

    def late():
        time.sleep(0.02)
        return tick()

    loop.tick = late
    return loop


def broken_loop(study, arm, seed):
    if arm == Arm.CAR:
        raise ValueError("a room fell down")
    return CrossroadsLoop(study, arm, seed)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    told = []
    found = run_study(STUDY, crossroads(), FACTORY, out=out, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (15 * 80, 15 * 80)  # four arms and the actuated baseline, three seeds each
    return found, out


def test_same_digest_with_two_workers(results):
    again = run_study(STUDY, crossroads(), FACTORY, workers=2)
    assert summary(again)["digest"] == summary(results[0])["digest"]
    assert [(r.arm, r.seed) for r in again.runs] == [(a, s) for a in STUDY.arms for s in STUDY.seeds]


def test_human_arm_runs_beside_with_actuated_signals(results):
    found = results[0]
    assert [(r.arm, r.seed) for r in found.beside] == [(Arm.HUMAN, s) for s in STUDY.seeds]
    beside = STUDY.beside()
    assert beside.road.baseline == "actuated" and beside.beside() is None and STUDY.road.baseline == "plan"
    assert STUDY.model_copy(update={"arms": (Arm.CLOUD,)}).beside() is None
    content = summary(found)["baselines"]["actuated"]
    cell = content["efficient"]["person_delay_s"]
    assert cell["n"] == len(STUDY.seeds) and set(cell["differences"]) == set(STUDY.arms)
    values = [r.measures["person_delay_s"] for r in found.beside]
    wanted = np.mean(found.values(Arm.CLOUD, "person_delay_s")) - np.mean(values)
    assert cell["differences"]["cloud"]["mean"] == pytest.approx(wanted)


def test_digest_sees_a_change(results):
    other = run_study(STUDY.model_copy(update={"seeds": (4,), "arms": (Arm.HUMAN,)}), crossroads(), FACTORY)
    assert other.runs[0].digest not in {r.digest for r in results[0].runs}


def test_summary_schema(results, tmp_path):
    write_summary(results[0], tmp_path / "summary.json")
    content = json.loads((tmp_path / "summary.json").read_text(), parse_constant=pytest.fail)
    assert set(content["arms"]) == {"human", "car", "road", "cloud"}
    for words in content["arms"].values():
        assert tuple(words) == WORDS
        for m in METRICS:
            cell = words[m.word][m.name]
            assert {"mean", "ci95", "unit", "n"} <= set(cell) and cell["unit"] == m.unit and len(cell["ci95"]) == 2
    assert {"vehicle_steps_per_s", "real_time_factor", "wall_s"} == set(content["performance"])
    assert {"sent", "delivered", "pdr", "latency_ms_p99", "bytes"} <= set(content["link"])
    assert content["link"]["sent"] == 30
    car = content["differences"]["car"]["human"]["person_delay_s"]
    values = content["arms"]
    expected = np.mean(
        np.subtract(
            values["car"]["efficient"]["person_delay_s"]["values"],
            values["human"]["efficient"]["person_delay_s"]["values"],
        )
    )
    assert car["mean"] == pytest.approx(expected)
    assert set(content["differences"]["cloud"]) == {"human", "road"}
    assert not [p for p in tmp_path.iterdir() if p.name != "summary.json"]


def test_safety_is_hidden_if_people_cannot_err(results):
    study = STUDY.model_copy(update={"human": Human(errors="none")})
    found = type(results[0])(study, results[0].runs, results[0].beside, results[0].base_map, (), 1.0)
    content = summary(found)
    assert content["notes"][0] == SAFETY_NOT_SHOWN
    assert content["arms"]["human"]["safe"] == {"not_shown": SAFETY_NOT_SHOWN}
    console = Console(record=True, width=120, file=io.StringIO())
    print_table(found, console)
    text = console.export_text()
    assert "safety: not shown" in text and "Collisions" not in text
    page = report(found)
    assert "safety: not shown" in page and "Near rear-end conflicts <span" not in page


def test_arms_without_gain_are_named(results):
    study = STUDY.model_copy(update={"arms": (Arm.HUMAN, Arm.CAR)})
    runs = tuple(r for r in results[0].runs if r.arm == Arm.HUMAN)
    same = tuple(type(r)(**{**r.__dict__, "arm": Arm.CAR}) for r in runs)
    found = type(results[0])(study, runs + same, (), results[0].base_map, (), 1.0)
    assert found.without_gain() == ["car: no metric improved on human with an interval that excludes zero"]
    assert "no metric improved" in report(found)


class Page(HTMLParser):
    """Tags that open and close, and anything that would leave the file."""

    VOID = ("meta", "br", "link", "img", "input", "hr")

    def __init__(self):
        super().__init__()
        self.open, self.outside = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.outside += [v for k, v in attrs if k in ("src", "href", "action") and v]
        assert tag not in ("script", "iframe", "link", "img")

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


def test_report_stands_alone(results, tmp_path):
    write_report(results[0], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.open == [] and page.outside == []
    assert "url(" not in text and "@import" not in text and "nan" not in text.lower().replace("finance", "")
    assert "crossing &lt;1&gt;" in text and "crossing <1>" not in text
    for heading in (
        "Results",
        "Differences to human",
        "What each leaf added",
        "Along the busiest corridor",
        "Link",
        "Input",
        "Reproduce",
        "Limits",
    ):
        assert f"<h2>{heading}</h2>" in text, heading
    assert text.count("<svg") == 5


def test_table_fits_a_narrow_terminal(results):
    console = Console(record=True, width=80, file=io.StringIO())
    print_table(results[0], console)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80 and sum("…" in line for line in lines) <= 1


def test_log_can_be_read(results):
    log = results[1] / "log.mcap"
    assert not (results[1] / "log.partial.mcap").exists()
    with log.open("rb") as file:
        topics = {}
        for schema, channel, message in make_reader(file).iter_messages():
            topics.setdefault(channel.topic, []).append((schema.name, message.log_time, json.loads(message.data)))
    assert set(topics) >= {"/map", "/traffic", "/tf", "/signals", "/counters"}
    assert topics["/traffic"][0][0] == "foxglove.SceneUpdate" and len(topics["/traffic"]) == 80
    cubes = topics["/traffic"][-1][2]["entities"][0]["cubes"]
    assert cubes and all(c["size"]["x"] > 0 for c in cubes)
    assert topics["/signals"][0][2]["groups"] == {"light": "Gr"} and len(topics["/signals"]) == 3
    assert len(topics["/map"][0][2]["entities"][0]["lines"]) == 10


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_leaves_a_valid_partial_log(tmp_path, workers):
    study = STUDY.model_copy(update={"seeds": (1,), "duration_s": 400.0})

    def interrupt(done, total):
        if done > 5:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"log\.partial\.mcap"):
        run_study(study, crossroads(), "test_run:slow_loop", workers=workers, out=tmp_path, progress=interrupt)
    assert signal.getsignal(signal.SIGINT) == before
    assert [p.name for p in tmp_path.iterdir()] == ["log.partial.mcap"]
    with (tmp_path / "log.partial.mcap").open("rb") as file:
        assert sum(1 for _ in make_reader(file).iter_messages(topics=["/traffic"])) > 1
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_run_fails_the_study(tmp_path, workers):
    with pytest.raises(ValueError, match="a room fell down"):
        run_study(STUDY, crossroads(), "test_run:broken_loop", workers=workers, out=tmp_path)
    assert {p.name for p in tmp_path.iterdir()} <= {"log.mcap", "log.partial.mcap"}

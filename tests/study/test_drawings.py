"""The corridor that is drawn, the size of the log, and the figures as text."""

import json
import math

import numpy as np
import pytest
from mcap.reader import make_reader

from cloverleaf.judge.statistics import Interval
from cloverleaf.study.arterial import ArterialRecorder, busiest_corridor
from cloverleaf.study.config import Study
from cloverleaf.study.recorder import Recorder
from cloverleaf.study.report.figures import figure, half_width, percent
from cloverleaf.study.report.svg import Scale, element, round_ticks
from naive.crossroads import CrossroadsLoop, crossroads, demand


def test_corridor_follows_most_trips():
    base_map, trips = crossroads(), demand(60, 100.0, 1)
    assert busiest_corridor(base_map.graph, trips) == [0, 1]
    nobody = trips._replace(trips=trips.trips._replace(route=np.zeros(0, np.int32)))
    assert busiest_corridor(base_map.graph, nobody) == []


def test_strip_holds_positions_along_the_corridor_and_red_phases():
    study = Study(duration_s=60, step_s=0.5)
    loop = CrossroadsLoop(study, "cloud", 1)
    recorder = ArterialRecorder(loop.base_map, loop.demand)
    for _ in range(study.steps):
        tick = loop.tick()
        recorder.see(tick.time, tick.actors, tick.signals)
    strip = recorder.strip(60.0)
    assert strip.length == 200 + 20 + 150 and strip.signal_at == (200.0,)
    assert strip.position.min() >= 0 and strip.position.max() <= strip.length + 10
    assert set(np.unique(np.diff(np.unique(strip.time)))) == {1.0}
    # red for the corridor from 15 to 30 and from 45 s, seen to the second
    assert np.allclose(strip.red, [(200, 15, 30), (200, 45, 60)], atol=1.0)
    one = strip.position[strip.trip == strip.trip[0]]
    assert (np.diff(one) >= -1e-9).all()


def test_log_is_bounded(tmp_path):
    loop = CrossroadsLoop(Study(duration_s=60, step_s=0.5), "human", 1)
    recorder = Recorder(tmp_path / "log.mcap", loop.base_map, begin=0.0, max_bytes=20_000)
    for _ in range(120):
        tick = loop.tick()
        recorder.see(tick.time, tick.actors, tick.signals, loop.collisions, {})
    assert recorder.close(complete=True) == tmp_path / "log.mcap"
    with (tmp_path / "log.mcap").open("rb") as file:
        messages = [(c.topic, len(m.data)) for _, c, m in make_reader(file).iter_messages()]
    scenes = [size for topic, size in messages if topic == "/traffic"]
    assert 0 < len(scenes) < 120 and sum(size for _, size in messages) < 20_000 + max(scenes) + 1_000
    assert sum(topic == "/signals" for topic, _ in messages) == 5  # signals are kept to the end


def test_collisions_are_logged_once(tmp_path):
    loop = CrossroadsLoop(Study(duration_s=60, step_s=0.5), "human", 1)
    recorder = Recorder(tmp_path / "log.mcap", loop.base_map, begin=0.0)
    for k in range(10):
        tick = loop.tick()
        if k == 4:
            loop.collisions.filled[0], loop.collisions.time[0] = 1, tick.time
        recorder.see(tick.time, tick.actors, tick.signals, loop.collisions, {})
    recorder.close(complete=True)
    with (tmp_path / "log.mcap").open("rb") as file:
        logs = [json.loads(m.data) for _, _, m in make_reader(file).iter_messages(topics=["/collisions"])]
    assert len(logs) == 1 and logs[0]["timestamp"] == {"sec": 2, "nsec": 500000000} and "rear end" in logs[0]["message"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (12.0, "12"),
        (1234567.8, "1\u202f234\u202f568"),
        (0.01234, "0.0123"),
        (-3.456, "\u22123.46"),
        (math.nan, "–"),
        (99.96, "100.0"),
    ],
)
def test_figures(value, shown):
    assert figure(value) == shown


def test_shares_and_half_widths():
    assert percent(-0.0342) == "\u22123.4\u202f%" and percent(0.5) == "+50\u202f%" and percent(math.nan) == "–"
    assert half_width(Interval(5, 4.5, 5.5, 3)) == "± 0.50" and half_width(Interval(5, math.nan, math.nan, 1)) == ""


def test_ticks_and_scales():
    assert round_ticks(0, 1) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert round_ticks(-0.3, 0.3, 7)[0] >= -0.3 and 0.0 in round_ticks(-0.3, 0.3, 7)
    assert round_ticks(2, 2) == [2]
    assert Scale(0, 10, 100, 200)(5) == 150


def test_elements_are_escaped():
    assert element("g", title='a"<b') == '<g title="a&quot;&lt;b"/>'

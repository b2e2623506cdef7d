"""The observer's kernels against the naive metrics of the recorded history, number by number."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from cloverleaf.measure import courtesy, encroachment, exposure
from cloverleaf.measure.definitions import METRICS, WORDS
from cloverleaf.measure.observer import Observer, count_collisions
from cloverleaf.study.config import Study
from cloverleaf.types.collisions import Fault, empty_events
from cloverleaf.types.state import Control, empty_actors
from naive.crossroads import CrossroadsLoop
from naive.metrics import NaiveMetrics, record

CASES = [(1, 0.2, "human"), (2, 0.5, "cloud"), (3, 0.1, "car")]


@pytest.fixture(scope="module", params=CASES, ids=lambda c: f"seed{c[0]}-step{c[1]}")
def both(request):
    """The same run twice: observed tick by tick, and recorded for the naive metrics."""
    seed, step, arm = request.param
    study = Study(duration_s=60.0 if step < 0.2 else 120.0, step_s=step)
    history = record(CrossroadsLoop(study, arm, seed, trips=60), study.steps)
    loop = CrossroadsLoop(study, arm, seed, trips=60)
    observer = Observer(loop.base_map.graph, loop.demand, len(loop.actors.trip), step)
    for _ in range(study.steps):
        tick = loop.tick()
        observer.see(tick.actors, tick.signals.light, tick.time, tick.halted)
    every = max(1, round(0.2 / step))
    full = NaiveMetrics(history, loop.base_map.graph, loop.demand, step)
    sampled = NaiveMetrics(history[every - 1 :: every], loop.base_map.graph, loop.demand, step * every)
    return SimpleNamespace(
        observer=observer, naive=sampled, full=full, measures=observer.measures(loop.collisions), step=step
    )


def test_the_case_is_worth_testing(both):
    """A comparison of zeros proves nothing: the naive run must contain what the metrics count."""
    m = both.measures
    for name in (
        "ttc_below_1_5s_per_1000km",
        "pet_below_1s_per_1000km",
        "rss_violations_per_1000km",
        "stops",
        "legal_violations",
    ):
        assert m[name] > 0, name


def test_every_metric_is_there(both):
    assert set(both.measures) == {m.name for m in METRICS}
    assert all(math.isfinite(v) for k, v in both.measures.items() if k not in ("yield_rate", "worst_approach_delay_s"))


def test_trip_accounts(both):
    o, n, due = both.measures, both.naive, both.naive.due()
    assert o["inserted"] == len(n.tracks)
    assert o["arrived"] == len(n.arrived())
    assert o["unfinished"] == len(due) - len(n.arrived())
    assert o["time_loss_s"] == pytest.approx(np.mean([n.loss(t) + n.entry_wait(t) for t in due]))
    assert o["waiting_s"] == pytest.approx(np.mean([n.waiting(t) + n.entry_wait(t) for t in due]))
    assert o["stops"] == pytest.approx(np.mean([n.stops(t, 2.0) for t in due]))
    sumo = both.observer.arrived_only()
    assert sumo["stops"] == pytest.approx(np.mean([n.stops(t, 0.1) for t in n.arrived()]))
    assert sumo["timeLoss_s"] == pytest.approx(np.mean([n.loss(t) for t in n.arrived()]))


def test_delay(both):
    o, n, due = both.measures, both.naive, both.naive.due()
    delay = np.array([n.delay(t) for t in due])
    persons = n.d.types.persons[n.d.trips.vtype[due]]
    assert o["person_delay_s"] == pytest.approx((delay * persons).sum() / persons.sum())
    assert o["delay_p95_s"] == pytest.approx(np.quantile(delay, 0.95))


def test_sampling_does_not_bias(both):
    """At a step of 0.1 s every second tick is looked at; the totals stay those of all ticks."""
    assert both.measures["co2_kg"] == pytest.approx(both.full.co2_g() / 1000, rel=0.02)
    assert both.naive.km() == pytest.approx(both.full.km(), rel=0.005)
    assert both.observer.vehicle_steps == sum(len(t) for t in both.full.tracks.values())


def test_energy(both):
    n, km = both.naive, both.naive.km()
    assert both.measures["co2_kg"] == pytest.approx(n.co2_g() / 1000, rel=1e-5)
    assert both.measures["energy_mj_per_km"] == pytest.approx(n.energy_mj() / km, rel=1e-5)
    time = sum(len(t) for t in n.tracks.values()) * n.dt
    assert both.measures["mean_speed"] == pytest.approx(km * 1000 / time)


def test_rules(both):
    n, c = both.naive, both.observer.courtesy.n
    assert both.measures["red_lights_run"] == n.red_lights()
    assert both.measures["box_blocking_s"] == pytest.approx(n.box_seconds())
    assert both.measures["legal_violations"] == n.red_lights() + n.speedings() + c[courtesy.PUSHED]
    assert (c[courtesy.YIELDED], c[courtesy.PUSHED]) == n.crosswalk()


def test_exposure(both):
    e = both.observer.exposure.n
    assert e[exposure.TTC_EVENTS] == both.naive.ttc()
    assert e[exposure.RSS_EVENTS] == both.naive.rss()
    assert e[exposure.IMPOSED] == both.naive.imposed()


def test_encroachment(both):
    assert both.observer.encroachment.n[encroachment.LOST] == 0
    counted, pairs = both.observer.encroachment.n[encroachment.EVENTS], both.full.crossings(1.0)
    # entries within one step are compared in the order of rows, not of time: a long step can pair one vehicle with two
    assert len(pairs) <= counted <= len(pairs) + (both.step >= 0.5)


def test_comfort(both):
    window = max(1, round(0.5 / both.step))
    bad, total = both.full.uncomfortable(window)
    assert both.measures["uncomfortable_time_share"] == pytest.approx(bad / total)


def test_collisions_count_pairs_once_and_blame_smart_cars_only():
    events = empty_events(8)
    for row, (a, b, smart_a, fault) in enumerate(
        [(1, 2, True, Fault.B), (2, 1, False, Fault.A), (3, 4, True, Fault.A), (5, 6, True, Fault.BOTH)]
    ):
        events.trip_a[row], events.trip_b[row], events.fault[row] = a, b, fault
        events.control_a[row] = Control.SMART if smart_a else Control.HUMAN
        events.kind_a[row] = events.kind_b[row] = 1
    events.filled[0] = 4
    assert count_collisions(events) == (3, 2)
    assert count_collisions(None) == (0, 0)


def test_gridlock_does_not_look_good():
    """A trip that never enters costs as much as one that stands: means are over due trips, not over lucky ones."""
    loop = CrossroadsLoop(Study(duration_s=100), "human", 1, trips=10)
    observer = Observer(loop.base_map.graph, loop.demand, 16, 1.0)
    nobody = empty_actors(16)
    for k in range(100):
        observer.see(nobody, np.frombuffer(b"Gr", np.uint8), k + 1.0)
    m = observer.measures()
    expected = np.mean([100 - d for d in loop.demand.trips.depart])
    assert m["time_loss_s"] == pytest.approx(expected) and m["person_delay_s"] > 10
    assert m["unfinished"] == 10 and m["inserted"] == 0 and math.isnan(m["mean_speed"])


def test_a_removed_wreck_never_arrives():
    loop = CrossroadsLoop(Study(duration_s=10), "human", 1, trips=1)
    observer = Observer(loop.base_map.graph, loop.demand, 4, 1.0)
    actors = empty_actors(4)
    actors.trip[0], actors.kind[0], actors.lane[0], actors.length[0] = 0, 1, 0, 5.0
    observer.see(actors, np.frombuffer(b"Gr", np.uint8), 9.0)
    actors.trip[0], actors.kind[0] = -1, 0
    observer.see(actors, np.frombuffer(b"Gr", np.uint8), 10.0)
    assert observer.measures()["arrived"] == 1
    observer.remove(0)
    assert observer.measures()["arrived"] == 0


def test_words_have_a_metric_that_no_planner_sees():
    assert {m.word for m in METRICS if m.hidden} == set(WORDS)


def test_car_imports_no_hidden_metric():
    """The planner may share TTC, RSS, comfort and energy kernels; what judges it stays out of its reach."""
    from cloverleaf.algo.jit import PACKAGE_ROOT

    hidden = ("observer", "journey", "exposure", "encroachment", "courtesy", "order", "site")
    for file in (PACKAGE_ROOT / "car").rglob("*.py"):
        text = file.read_text()
        assert not any(f"measure.{name}" in text or f"measure import {name}" in text for name in hidden), file

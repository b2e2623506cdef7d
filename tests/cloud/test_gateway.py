"""Single messages become frames; greedy, garbled and oversized sources are cut off and counted; services see only their level."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
from test_engine import NOW, toy
from toy import Traffic

from cloverleaf.cloud.live.bundler import MOST, Bundler
from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.engine import Engine, answer_of
from cloverleaf.cloud.live.frames import pack_frame, read_frame
from cloverleaf.cloud.live.runner import STRIKES, Runner
from cloverleaf.cloud.live.tiers import LevelError, Tier, View
from cloverleaf.cloud.live.tiles import around, audiences, shares, tile_of
from cloverleaf.cloud.security.limits import Buckets
from cloverleaf.cloud.server.host import said_of
from cloverleaf.cloud.services import Answer
from cloverleaf.link.content.content import Content
from cloverleaf.types.messages import AdviceBatch, MessageKind

pytestmark = pytest.mark.usefixtures("compiled")


def single(cars: Traffic, t: float = NOW) -> list[bytes]:
    buffer, start = Content(toy(), "csae_day2", clock=0.0).encode(MessageKind.AWARENESS, cars.awareness(t))
    raw = buffer.tobytes()
    return [raw[a:b] for a, b in zip(start[:-1].tolist(), start[1:].tolist())]


def test_messages_to_frames_and_back_to_each_sender() -> None:
    cars = Traffic([0, 1], [-60.0, -60.0], 15.0)
    bundler, engine = Bundler(toy(), Counts(), None, 1, {}), Engine(toy(), epoch=1)
    for k, data in enumerate(single(cars)):
        bundler.add("city", f"veh{k}", "bsm", data, f"inbox{k}", NOW)
    bundles = bundler.flush(NOW)
    assert sum(len(b.frame.kind) for b in bundles) == 2 and sorted(r for b in bundles for r in b.replies) == [
        "inbox0",
        "inbox1",
    ]
    for b in bundles:
        engine.add("city.gateway", read_frame(pack_frame(b.frame)))
    (down,) = engine.cycle(NOW + 0.02) or engine.cycle(NOW + 0.03)
    back = read_frame(down.data)
    assert back.station is not None and [bundler.source_of[s] for s in back.station.tolist()] == ["city.veh1"]


def test_messages_with_the_same_hearers_travel_together() -> None:
    parts = shares(np.array([0.0, 900.0, 1900.0, 3900.0]), np.zeros(4), 3)
    table = audiences(parts)
    hearers = {t: {k for k, p in enumerate(parts) if t in around(p)} for t in table}
    assert all(hearers[t] and hearers[t] == hearers[name] for t, name in table.items())
    assert len(set(table.values())) == len({frozenset(h) for h in hearers.values()}) > 3
    assert audiences(parts[:1]) == {}


def test_one_frame_for_each_audience_and_none_too_long() -> None:
    n = 1200
    cars = Traffic([0, 1], [-60.0, -60.0], 15.0)
    said, data = cars.awareness(NOW), single(cars)
    west, south = tile_of(said.x, said.y).tolist()
    for together, names in (({}, {-1}), ({west: 7, south: 7}, {7}), ({west: 7}, {7, -1})):
        bundler = Bundler(toy(), Counts(), None, 1, together)
        for k in range(n):
            bundler.add("city", f"veh{k}", "bsm", data[k % 2], "", NOW + 1e-3 * k)
        bundles = bundler.flush(NOW + 2.0)
        assert {b.frame.tile for b in bundles} == names and max(len(b.frame.kind) for b in bundles) <= MOST
        assert sum(len(b.frame.kind) for b in bundles) == n and len(bundles) == 3 * len(names)
        assert min(b.first.time for b in bundles) == NOW and bundler.counts.totals["accepted"] == n


def test_wrong_messages_are_counted_by_source_and_reason() -> None:
    counts = Counts()
    bundler = Bundler(toy(), counts, None, 1, {})
    (good,) = single(Traffic([0], [-60.0]))
    bundler.add("a", "strange", "xyz", good, "", NOW)
    bundler.add("a", "long", "bsm", bytes(9000), "", NOW)
    bundler.add("a", "empty", "bsm", b"", "", NOW)
    bundler.add("a", "garbage", "bsm", b"\xff" * 40, "", NOW)
    for k in range(10_000):
        bundler.add("a", "flood", "bsm", good, "", NOW + k * 1e-4)
    bundles = bundler.flush(NOW + 1.0)
    reasons = dict(counts.refused)
    assert reasons.pop(("a.flood", "too_often")) > 9_900
    assert reasons == {
        ("a.strange", "unknown_kind"): 1,
        ("a.long", "oversized"): 1,
        ("a.empty", "empty"): 1,
        ("a.garbage", "undecodable"): 1,
    }
    assert sum(len(b.frame.kind) for b in bundles) <= 80


def test_buckets_forget_the_idle() -> None:
    buckets = Buckets(10.0, 5.0)
    assert [buckets.take("a", 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert buckets.take("a", 0.1) and not buckets.take("a", 0.1) and buckets.take("b", 0.1)


def service(name: str, step, tier: Tier = Tier.EDGE, interval: float = 0.1, deadline: float = 1.0):
    return SimpleNamespace(name=name, step=step, tier=tier, interval=interval, deadline=deadline)


def test_a_service_reads_only_its_level() -> None:
    world = SimpleNamespace(tracks=None, signals=1, graph=2, approaches=3, flows=4, secret=5)
    centre, edge = View(world, Tier.CENTRE), View(world, Tier.EDGE)
    assert centre.flows == 4 and edge.signals == 1
    for view, name in ((centre, "tracks"), (edge, "flows"), (edge, "secret"), (edge, "_keys")):
        with pytest.raises(LevelError):
            getattr(view, name)


def test_old_tracks_are_hidden_by_the_deadline() -> None:
    engine = Engine(toy())
    engine.twin.hear(Traffic([0], [-60.0]).awareness(NOW), np.zeros(1, np.int64), NOW)
    engine.twin.hear(
        Traffic([1, 1], [-60.0, -90.0]).awareness(NOW + 0.5, np.array([1])), np.zeros(1, np.int64), NOW + 0.5
    )
    engine.twin.look(NOW + 0.6)
    view = View(engine.twin, Tier.EDGE, 0.3)
    view.now = NOW + 0.6
    assert view.tracks.station.tolist() == [1] and len(engine.twin.tracks.x) == 2


def test_failing_and_slow_services_are_stopped_and_others_go_on() -> None:
    def fails(view, t):
        raise ValueError("no")

    def slow(view, t):
        time.sleep(0.15)
        return Answer()

    calls = []
    runner = Runner(
        toy(),
        [service("fails", fails), service("slow", slow), service("good", lambda v, t: calls.append(t) or Answer())],
        None,
        Tier.EDGE,
    )
    for k in range(3 * STRIKES):
        runner.run(NOW + 0.1 * k)
    page = runner.page()
    assert len(calls) == 3 * STRIKES and page["good"]["runs"] == 3 * STRIKES
    assert page["fails"]["ValueError"] == STRIKES and page["fails"]["stopped"] == 1
    assert page["slow"]["late"] == STRIKES and "runs" not in page["slow"]
    runner.run(NOW + 60.0)
    assert runner.page()["fails"]["ValueError"] == STRIKES + 1, "and given another chance"


def test_answers_travel_by_handle() -> None:
    advice = AdviceBatch(
        np.array([-2]),
        np.array([NOW]),
        np.array([77]),
        np.array([9.5]),
        np.array([1.0]),
        np.array([2.0]),
        np.array([NOW + 2]),
    )
    records = said_of(Answer(advice=advice), NOW)
    back = answer_of(records, np.array([5]), NOW)
    assert back.advice is not None and back.advice.target.tolist() == [5] and back.advice.speed.tolist() == [9.5]
    assert back.event is not None and not len(back.event.target)

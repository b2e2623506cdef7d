"""There and back between the standards, for random records: only what the table says is lost or coarser may differ, and each translation
says which fields did not arrive."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.link.test_messages import AWARENESS, NOW, OBJECTS, PLACES, SIGNALS, close, maybe

from cloverleaf.link.messages import decode, encode
from cloverleaf.link.messages import records as r
from cloverleaf.link.messages.wire import shifted
from cloverleaf.link.translate.capability import step_of
from cloverleaf.link.translate.translate import translate

ALL = ("csae_day1", "csae_day2", "etsi", "sae")
EVERY_WAY = [pair for pair in permutations(ALL, 2)]
EMPTY = (None, (), frozenset(), False)
QUICK = {
    "deadline": None,
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}  # long records take minutes to shrink


def family(standard: str) -> str:
    return standard.partition("_")[0]


def there_and_back(record: Any, way: tuple[str, str]) -> tuple[list[Any], list[Any], set[str]]:
    """What the first standard says of a record, what is left of it after a visit to the second, and the fields said to be lost."""
    first, second = way
    before, after, said = [], [], set()
    for name, data in encode(record, first):
        before.append(decode(first, name, data, NOW))
        found = translate(first, name, data, second, now=NOW)
        said |= {line.split(":")[0] for line in found.lost}
        for kind, there in found.messages:
            back = translate(second, kind, there, first, now=NOW)
            after += [decode(first, again, raw, NOW) for again, raw in back.messages]
    return before, after, said


def steps(record: str, field: str, way: tuple[str, str]) -> float | None:
    """Sum of the two quantisation steps of a field; None where one of the two does not carry it."""
    one, two = (step_of(record, field, family(standard)) for standard in way)
    return None if one is None or two is None else one + two


def may_differ(record: str, field: str, way: tuple[str, str]) -> bool:
    return steps(record, field, way) is None


def says(record: str, path: str, before: Any, way: tuple[str, str], said: set[str]) -> None:
    """The fields of a record that the first standard carried and the second does not are named as lost, and no others."""
    for f in fields(before):
        try:
            carried = step_of(record, f.name, family(way[1])) is not None
        except KeyError:
            continue  # holds other records
        if getattr(before, f.name) not in EMPTY and not carried:
            assert f"{path}{f.name}" in said, (f.name, said)
        elif carried:
            assert f"{path}{f.name}" not in said, (f.name, said)


@pytest.mark.parametrize("way", EVERY_WAY, ids="-".join)
@settings(**QUICK, max_examples=8)
@given(message=AWARENESS)
def test_awareness(message: r.BasicSafetyMessage, way: tuple[str, str]) -> None:
    (before,), (after,), said = there_and_back(message, way)
    says("Awareness", "", before, way, said)
    for f in fields(before):
        a, b, step = getattr(before, f.name), getattr(after, f.name), steps("Awareness", f.name, way)
        if step is None or (f.name == "lights" and a is None):
            continue  # ETSI's special vehicles always say what their lights do
        if f.name == "accuracy":
            assert a is None or abs(a.semi_major - b.semi_major) <= 0.5 * step + 1e-6
        else:
            close(a, b, step, f.name)
    if before.place.elevation is not None:
        assert abs(before.place.elevation - after.place.elevation) <= 0.11


@pytest.mark.parametrize("way", EVERY_WAY, ids="-".join)
@settings(**QUICK, max_examples=5)
@given(message=SIGNALS)
def test_signals(message: r.SignalPhaseAndTiming, way: tuple[str, str]) -> None:
    (before,), (after,), said = there_and_back(message, way)
    says("SignalPhaseAndTiming", "", before, way, said)
    assert not {line for line in said if line.startswith("intersections")}
    sent = before.intersections[0].time if "csae" in way[0] and "csae" not in way[1] else before.time
    close(sent, after.time, steps("SignalPhaseAndTiming", "time", way), "time")
    assert before.name == after.name
    for i, j in zip(before.intersections, after.intersections, strict=True):
        assert (i.id, i.region, i.status) == (j.id, j.region, j.status)
        for p, q in zip(i.phases, j.phases, strict=True):
            assert p.group == q.group
            for s, t in zip(p.states, q.states, strict=True):
                assert s.light == t.light
                for name in ("start", "min_end", "likely_end", "max_end"):
                    close(getattr(s, name), getattr(t, name), steps("PhaseState", name, way), name)


LANES = st.builds(
    r.MapLane,
    id=st.just(0),
    points=st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=2, max_size=9),
    maneuvers=st.none() | st.frozensets(st.integers(0, 11)),
    connections=st.lists(
        st.builds(
            r.LaneConnection, st.integers(0, 255), st.tuples(st.none() | st.integers(0, 65535), st.integers(0, 65535)),
            st.none() | st.integers(1, 255), st.none() | st.frozensets(st.integers(0, 11)),
        ), max_size=4).map(tuple),
    speed_limit=maybe(1, 60),
    lane_type=st.sampled_from(["vehicle", "bikeLane", "sidewalk", "parking"]),
)  # fmt: skip
APPROACHES = st.builds(
    r.MapApproach, st.lists(LANES, min_size=1, max_size=4).map(tuple), st.tuples(st.none(), st.integers(0, 65535)), st.none(),
    maybe(3, 30), st.none() | st.text("abc", min_size=1, max_size=9),
)  # fmt: skip


@st.composite
def maps(draw: st.DrawFn) -> r.MapMessage:
    """Maps with lane numbers of their own, and one speed limit and one lane width for each intersection."""
    nodes = []
    for number in range(draw(st.integers(1, 2))):
        place, limit, width, count = draw(PLACES), draw(maybe(1, 60)), draw(maybe(2, 6)), 0
        approaches = []
        for approach in draw(st.lists(APPROACHES, min_size=1, max_size=4)):
            lanes = []
            for lane in approach.lanes:
                count += 1
                points = tuple(shifted(place, x, y) for x, y in lane.points)
                lanes.append(replace(lane, id=count, points=points, width=width))
            approaches.append(replace(approach, lanes=tuple(lanes), speed_limit=limit))
        name = draw(st.none() | st.text("xyz", min_size=1, max_size=9))
        nodes.append(r.MapIntersection(number, draw(st.none() | st.integers(0, 65535)), place, tuple(approaches), name))
    return r.MapMessage(tuple(nodes), draw(st.integers(0, 127)))


@pytest.mark.parametrize("way", EVERY_WAY, ids="-".join)
@settings(**QUICK, max_examples=5)
@given(message=maps())
def test_maps(message: r.MapMessage, way: tuple[str, str]) -> None:
    (before,), (after,), said = there_and_back(message, way)
    says("MapMessage", "", before, way, said)
    assert before.revision == after.revision
    for n, m in zip(before.intersections, after.intersections, strict=True):
        says("MapIntersection", "intersections.", n, way, said)
        assert (n.id, n.region, n.name) == (m.id, m.region, m.name)
        close(n.place, m.place, steps("MapIntersection", "place", way), "place")
        for a, b in zip(n.approaches, m.approaches, strict=True):
            for f in ("upstream", "name", "width", "speed_limit"):
                if not may_differ("MapApproach", f, way):
                    close(getattr(a, f), getattr(b, f), steps("MapApproach", f, way), f)
            for x, y in zip(a.lanes, b.lanes, strict=True):
                for f in ("id", "maneuvers", "connections", "ingress", "lane_type", "width", "speed_limit"):
                    if not may_differ("MapLane", f, way):
                        close(getattr(x, f), getattr(y, f), steps("MapLane", f, way), f)
                for p, q in zip(x.points, y.points, strict=True):
                    close(p, q, steps("MapLane", "points", way), "points")


def test_one_limit_and_one_width_for_an_intersection_where_no_more_is_said() -> None:
    place = r.Place(31.2, 121.4)
    line = (place, shifted(place, 50.0, 0.0))
    slow = r.MapApproach((r.MapLane(1, line, 2.5),), (None, 1), 8.0)
    fast = r.MapApproach((r.MapLane(2, line, 3.5),), (None, 2), 16.0)
    message = r.MapMessage((r.MapIntersection(1, None, place, (slow, fast)),))
    for way in (("csae_day1", "etsi"), ("csae_day2", "sae")):
        _, (after,), _ = there_and_back(message, way)
        for approach in after.intersections[0].approaches:
            assert approach.speed_limit == pytest.approx(16.0) and approach.lanes[0].width == pytest.approx(3.5)


EVENTS = st.builds(
    r.RoadEvent,
    id=st.integers(0, 255),
    code=st.sampled_from([101, 102, 305, 501, 707, 904]),
    cause=st.sampled_from([(3, 0), (6, 5), (94, 0), (97, 2)]),
    source=st.none() | st.sampled_from(["police", "government", "internet", "detection"]),
    place=st.just(None),
    radius=maybe(1, 400),
    start=st.floats(NOW - 3000, NOW),
    end=st.floats(NOW + 1, NOW + 40_000),
    text=st.none() | st.text("abc ", min_size=1, max_size=40).filter(str.strip),
    priority=st.integers(0, 7),
    confidence=st.none() | st.floats(0.1, 1.0),
    path_radius=maybe(1, 50),
)


@st.composite
def road(draw: st.DrawFn) -> r.RoadInformation:
    origin, events = draw(PLACES), []
    for k, event in enumerate(draw(st.lists(EVENTS, min_size=1, max_size=4))):
        x, y = draw(st.floats(-800, 800)), draw(st.floats(-800, 800))
        path = tuple(shifted(origin, x - 20.0 * i, y + 5.0 * i) for i in range(draw(st.sampled_from([0, 2, 5])), 0, -1))
        events.append(replace(event, id=k, place=shifted(origin, x, y), path=path))
    return r.RoadInformation(draw(st.integers(0, 2**32 - 1)), NOW, origin, tuple(events))


@pytest.mark.parametrize("way", EVERY_WAY, ids="-".join)
@settings(**QUICK, max_examples=5)
@given(message=road())
def test_events(message: r.RoadInformation, way: tuple[str, str]) -> None:
    before, after, said = there_and_back(message, way)
    told, back = ([e for m in messages for e in m.events] for messages in (before, after))
    says("RoadInformation", "", before[0], way, said)
    for a, b in zip(told, back, strict=True):
        says("RoadEvent", "events.", a, way, said)
        for f in fields(a):
            x, y, step = getattr(a, f.name), getattr(b, f.name), steps("RoadEvent", f.name, way)
            if step is None or f.name == "id" or x is None:
                continue  # where a field must be there, a number is chosen for it
            if f.name in ("start", "end"):
                assert abs(x - y) <= step + 1e-3, f.name  # minutes are cut, not rounded
            elif f.name == "path":
                for p, q in zip(x, y, strict=True):
                    close(p, q, step, f.name)
            elif math.isinf(step):
                assert x <= y * (1 + 1e-9), f.name
            else:
                close(x, y, step, f.name)


@pytest.mark.parametrize("way", [w for w in EVERY_WAY if "sae" not in w and "etsi" in w], ids="-".join)
@settings(**QUICK, max_examples=8)
@given(
    origin=PLACES,
    objects=st.lists(st.tuples(OBJECTS, st.floats(-900, 900), st.floats(-900, 900)), min_size=1, max_size=30),
)
def test_perception(origin: r.Place, objects: list[Any], way: tuple[str, str]) -> None:
    seen = tuple(replace(o, place=shifted(origin, x, y)) for o, x, y in objects)
    before, after, said = there_and_back(r.PerceptionMessage(77, NOW, origin, seen), way)
    told, back = ([o for m in messages for o in m.objects] for messages in (before, after))
    assert {m.station for m in after} == {77}
    for a, b in zip(told, back, strict=True):
        for f in fields(a):
            x, y, step = getattr(a, f.name), getattr(b, f.name), steps("PerceivedObject", f.name, way)
            if step is None:
                assert (
                    x in EMPTY
                    or step_of("PerceivedObject", f.name, family(way[1])) is not None
                    or f"objects.{f.name}" in said
                )
            elif math.isinf(step):
                assert x is None or x <= y * (1 + 1e-9), f.name
            elif not (f.name == "heading" and x is None):
                close(x, y, step, f.name)

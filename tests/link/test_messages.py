"""Typed messages: round trips of records through every standard, steps as the capability table says, vectors, the world frame."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.algo.geo import projection
from cloverleaf.link.content.frame import Frame
from cloverleaf.link.messages import decode, encode, from_world, read, to_world, write
from cloverleaf.link.messages import records as r
from cloverleaf.link.messages.convert import READABLE
from cloverleaf.link.messages.wire import bearing_of, heading_of, metres_per_degree, nearest_time, offset, shifted
from cloverleaf.link.translate.capability import CAPABILITY, step_of
from cloverleaf.types.errors import DecodeError, EncodeError, InputError
from cloverleaf.types.messages import LightState
from cloverleaf.types.state import Kind

NOW = 1_770_000_123.0
VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "v2x" / "vectors"
STANDARDS = ("csae_day1", "csae_day2", "etsi", "sae")


def maybe(low: float, high: float) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(low, high)


PLACES = st.builds(r.Place, st.floats(-80, 80), st.floats(-179, 179), maybe(-100, 5000))
AWARENESS = st.builds(
    r.BasicSafetyMessage,
    station=st.integers(0, 2**32 - 1),
    time=st.floats(NOW - 25, NOW + 25),
    place=PLACES,
    accuracy=st.none() | st.builds(r.Accuracy, st.floats(0.1, 12), st.floats(0.1, 12), maybe(-3.1, 3.1)),
    speed=maybe(-160, 160),
    heading=maybe(-math.pi, math.pi),
    accel=maybe(-15.9, 15.9),
    lateral_accel=maybe(-15.9, 15.9),
    yaw_rate=st.floats(-5, 5),
    steering_wheel=maybe(-3.2, 3.2),
    length=maybe(0.1, 40),
    width=maybe(0.1, 6),
    height=maybe(0.1, 6),
    kind=st.none() | st.sampled_from([k for k in Kind if k not in (Kind.NONE, Kind.EBIKE)]),
    events=st.frozensets(st.sampled_from(r.EVENTS)),
    lights=st.none()
    | st.frozensets(st.sampled_from([x for x in r.LIGHTS if x not in ("automatic", "left_turn", "right_turn")])),
    siren=st.booleans(),
    light_bar=st.booleans(),
)
OBJECTS = st.builds(
    r.PerceivedObject,
    id=st.integers(1, 65535),
    kind=st.none() | st.sampled_from([k for k in Kind if k not in (Kind.NONE, Kind.EBIKE)]),
    station=st.none() | st.integers(0, 2**63),
    time=st.floats(NOW - 1.9, NOW),
    spread=maybe(0.02, 40),
    speed=maybe(0, 100),
    heading=maybe(-math.pi, math.pi),
    length=maybe(0.1, 25),
    width=maybe(0.1, 6),
    height=maybe(0.1, 6),
    source=st.none() | st.sampled_from(["self", "v2x", "video", "radar", "loop", "lidar", "fused"]),
)
TIMES = maybe(NOW - 100, NOW + 1000)
SIGNALS = st.builds(
    r.SignalPhaseAndTiming,
    time=st.floats(NOW - 20, NOW + 20),
    name=st.none() | st.text("abc ", min_size=1, max_size=20),
    intersections=st.lists(
        st.builds(
            r.IntersectionSignals, st.integers(0, 65535), st.none() | st.integers(0, 65535),
            st.lists(
                st.builds(r.Phase, st.integers(1, 255), st.lists(
                    st.builds(r.PhaseState, st.sampled_from(LightState), TIMES, TIMES, TIMES, TIMES),
                    min_size=1, max_size=3).map(tuple)), min_size=1, max_size=16).map(tuple),
            st.frozensets(st.integers(0, 13)), st.floats(NOW - 20, NOW + 20)),
        min_size=1, max_size=3).map(tuple),
)  # fmt: skip


def close(before: Any, after: Any, step: float | None, field: str) -> None:
    """`after` is what is left of `before` at a quantisation step."""
    if step is None:
        assert after in (None, (), frozenset(), False), field
    elif isinstance(before, float) and isinstance(after, float):
        gap = abs(before - after)
        if field in ("heading", "orientation"):
            gap = min(gap, 2 * math.pi - gap)
        assert gap <= 0.5 * step * (1 + 1e-6) + 1e-6, (field, before, after)
    elif isinstance(before, r.Place):
        assert abs(before.latitude_deg - after.latitude_deg) <= 0.51 * step, field
        assert abs(before.longitude_deg - after.longitude_deg) <= 0.51 * step / math.cos(
            math.radians(before.latitude_deg)
        )
    elif step == 0:
        assert before == after, (field, before, after)


def through(record: Any, standard: str) -> list[Any]:
    return [decode(standard, name, data, NOW) for name, data in encode(record, standard)]


@pytest.mark.parametrize("standard", STANDARDS)
@settings(deadline=None, max_examples=60)
@given(message=AWARENESS)
def test_awareness_round_trip(message: r.BasicSafetyMessage, standard: str) -> None:
    (again,) = through(message, standard)
    assert type(again) is (r.CooperativeAwarenessMessage if standard == "etsi" else r.BasicSafetyMessage)
    for f in fields(message):
        before, after = getattr(message, f.name), getattr(again, f.name)
        step = step_of("Awareness", f.name, standard.partition("_")[0])
        if f.name == "path" or (f.name == "lights" and step is not None and before is None):
            continue
        if f.name == "place":
            close(before, after, step, f.name)
            assert (before.elevation is None) == (after.elevation is None)
            assert before.elevation is None or abs(before.elevation - after.elevation) <= 0.051
        elif f.name == "accuracy" and before is not None and step is not None:
            assert abs(before.semi_major - after.semi_major) <= 0.5 * step + 1e-6
        else:
            close(before, after, step, f.name)


@pytest.mark.parametrize("standard", STANDARDS)
@settings(deadline=None, max_examples=40)
@given(message=SIGNALS)
def test_signals_round_trip(message: r.SignalPhaseAndTiming, standard: str) -> None:
    (again,) = through(message, standard)
    assert again.name == message.name and len(again.intersections) == len(message.intersections)
    for a, b in zip(message.intersections, again.intersections):
        assert (a.id, a.region, a.status) == (b.id, b.region, b.status)
        for p, q in zip(a.phases, b.phases, strict=True):
            assert p.group == q.group
            for s, t in zip(p.states, q.states, strict=True):
                assert s.light == t.light
                for name in ("start", "min_end", "likely_end", "max_end"):
                    close(getattr(s, name), getattr(t, name), 0.1, name)


@pytest.mark.parametrize("standard", ["csae_day1", "csae_day2", "etsi"])
@settings(deadline=None, max_examples=40)
@given(origin=PLACES, objects=st.lists(st.tuples(OBJECTS, st.floats(-900, 900), st.floats(-900, 900)), max_size=40))
def test_perception_round_trip(origin: r.Place, objects: list[Any], standard: str) -> None:
    seen = tuple(replace(o, place=shifted(origin, x, y)) for o, x, y in objects)
    message = r.PerceptionMessage(77, NOW, origin, seen)
    again = through(message, standard)
    arrived = [o for m in again for o in m.objects]
    assert len(arrived) == len(seen) and {m.station for m in again} == {77}
    family = standard.partition("_")[0]
    for a, b in zip(seen, arrived):
        for f in fields(a):
            before, after, step = getattr(a, f.name), getattr(b, f.name), step_of("PerceivedObject", f.name, family)
            if f.name == "spread" and family == "csae" and before is not None:
                assert before <= after * (1 + 1e-9)
            elif f.name == "heading" and family == "etsi" and before is None:
                continue
            else:
                close(before, after, step, f.name)


EVENT = r.RoadEvent(
    id=7, code=501, cause=(3, 0), source="police", place=r.Place(31.2, 121.4), radius=120.0, start=NOW - 63.0, end=NOW + 400.0,
    text="road works", priority=5, confidence=0.9, path=tuple(r.Place(31.2 + k * 1e-4, 121.4) for k in range(4)), path_radius=8.0,
)  # fmt: skip
ROAD = r.RoadInformation(
    12, NOW, r.Place(31.201, 121.4, 4.0), (EVENT, replace(EVENT, id=8)), (r.RoadSign(1, 85, EVENT.place, "60"),)
)


@pytest.mark.parametrize("standard", STANDARDS)
def test_events_round_trip(standard: str) -> None:
    again = through(ROAD, standard)
    arrived = [e for m in again for e in m.events]
    family = standard.partition("_")[0]
    assert len(again) == (2 if family == "etsi" else 1) and len(arrived) == 2
    for f in fields(EVENT):
        before, after, step = getattr(EVENT, f.name), getattr(arrived[0], f.name), step_of("RoadEvent", f.name, family)
        if f.name == "path":
            for p, q in zip(before, after, strict=True):
                close(p, q, step, f.name)
        elif step is not None and not math.isfinite(step):
            assert before <= after
        elif f.name in ("start", "end") and step == 60.0:
            assert abs(before - after) <= 60.0
        elif f.name == "end":
            assert 0.0 <= after - before <= 1.0
        else:
            close(before, after, step, f.name)
    assert bool(again[0].signs) == (step_of("RoadInformation", "signs", family) is not None)


@pytest.mark.parametrize("ended", list(r.Termination))
def test_a_denm_ends_an_event(ended: r.Termination) -> None:
    (again,) = through(replace(ROAD, events=(replace(EVENT, termination=ended),)), "etsi")
    assert again.events[0].termination is ended and again.events[0].cause is None


LANES = tuple(
    r.MapLane(
        k, tuple(r.Place(31.2 + i * 2e-4, 121.4 + k * 3e-5) for i in range(5)), 3.5, frozenset({0, k}),
        (r.LaneConnection(1, (3, 44), k + 1, frozenset({0})),), 13.9, True, "vehicle" if k < 3 else "bikeLane",
    )
    for k in (1, 2, 3)
)  # fmt: skip
MAP = r.MapMessage(
    (r.MapIntersection(9, 3, r.Place(31.2005, 121.4003, 2.5), (
        r.MapApproach(LANES, (3, 10), 16.66, 10.5, "North"), r.MapApproach(LANES[:2], (3, 11), 13.88, 7.0, "South")), "Cross"),),
    5,
)  # fmt: skip


@pytest.mark.parametrize("standard", STANDARDS)
def test_map_round_trip(standard: str) -> None:
    (again,) = through(MAP, standard)
    family = standard.partition("_")[0]
    a, b = MAP.intersections[0], again.intersections[0]
    assert (a.id, a.region, a.name, again.revision) == (b.id, b.region, b.name, 5) and len(b.approaches) == 2
    for p, q in zip(a.approaches, b.approaches):
        for name in ("upstream", "name", "width"):
            close(getattr(p, name), getattr(q, name), step_of("MapApproach", name, family), name)
        for x, y in zip(p.lanes, q.lanes, strict=True):
            assert (x.maneuvers, x.connections, x.lane_type, x.ingress) == (
                y.maneuvers,
                y.connections,
                y.lane_type,
                y.ingress,
            )
            close(x.width, y.width, 0.01, "width")
            close(x.speed_limit, y.speed_limit, step_of("MapLane", "speed_limit", family), "speed_limit")
            for m, n in zip(x.points, y.points, strict=True):
                close(m, n, step_of("MapLane", "points", family), "points")
    numbers = [lane.id for approach in b.approaches for lane in approach.lanes]
    assert numbers == ([1, 2, 3, 1, 2] if family == "csae" else [1, 2, 3, 4, 5])


def test_path_history_travels() -> None:
    here = r.Place(31.2, 121.4)
    path = tuple(r.PathPoint(r.Place(31.2 - k * 1e-4, 121.4 + k * 1e-4), 0.5 * k) for k in range(1, 10))
    message = r.BasicSafetyMessage(station=1, time=NOW, place=here, path=path)
    for standard in ("csae_day1", "csae_day2", "etsi"):
        (again,) = through(message, standard)
        for a, b in zip(path, again.path, strict=True):
            close(a.place, b.place, 1e-7, "path")
            assert b.age == pytest.approx(a.age, abs=0.02)


def test_sae_has_no_open_message_for_objects() -> None:
    with pytest.raises(EncodeError, match="not openly specified"):
        write(r.PerceptionMessage(1, NOW, r.Place(0, 0)), "sae")


def test_wrong_names_and_values() -> None:
    with pytest.raises(InputError):
        read("etsi", "bsm", {}, NOW)
    with pytest.raises(InputError):
        write(ROAD, "wave")
    with pytest.raises(DecodeError):
        read("csae_day1", "bsm", ["mapFrame", {}], NOW)
    with pytest.raises(DecodeError):
        decode("csae_day1", "bsm", b"\xff\xff", NOW)
    with pytest.raises(EncodeError, match="time"):
        write(r.RoadInformation(1, None, None, (r.RoadEvent(1),)), "etsi")


@pytest.mark.skipif(not VECTORS.is_dir(), reason="needs ../shared/v2x/vectors")
@pytest.mark.parametrize("standard", ["csae_day1", "csae_day2", "etsi"])
def test_random_messages_read_and_settle(standard: str) -> None:
    """Whatever a decoder yields can be read; written and read again, the record stays as it is."""
    for name in READABLE[standard]:
        file = VECTORS / standard / f"{name}.jsonl.gz"
        file = file if file.is_file() else VECTORS / standard / f"{name}_d2.jsonl.gz"
        for line in gzip.decompress(file.read_bytes()).splitlines()[::9]:
            record = read(standard, name, json.loads(line)["value"], NOW)
            try:
                once = [decode(standard, n, data, NOW) for n, data in encode(record, standard)]
            except EncodeError:
                continue
            for m in once:
                twice = [decode(standard, n, data, NOW) for n, data in encode(m, standard)]
                assert len(twice) == 1 and type(twice[0]) is type(m)


def test_capability_table_names_fields_that_exist() -> None:
    for c in CAPABILITY:
        assert c.field in {f.name for f in fields(getattr(r, c.record))}, c
    for name in (
        "Awareness",
        "PhaseState",
        "MapLane",
        "RoadEvent",
        "PerceivedObject",
        "MapApproach",
        "RoadInformation",
    ):
        listed = {c.field for c in CAPABILITY if c.record == name}
        assert listed == {f.name for f in fields(getattr(r, name))} - {"lanes"}, name


@settings(deadline=None)
@given(st.floats(-1500, 1500), st.floats(-1500, 1500), st.floats(-math.pi, math.pi))
def test_world_frame_and_back(x: float, y: float, heading: float) -> None:
    frame = Frame(projection("", 0.0, 0.0, 31.2, 121.4))
    place, true = from_world(frame, x, y, heading)
    again = to_world(frame, place, true)
    assert abs(again[0] - x) < 0.012 and abs(again[1] - y) < 0.012
    assert again[2] is not None and abs(math.remainder(again[2] - heading, 2 * math.pi)) < 1e-6


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(-3000, 3000), st.floats(-3000, 3000))
def test_local_offsets_are_inverse(latitude: float, longitude: float, east: float, north: float) -> None:
    origin = r.Place(latitude, longitude)
    assert offset(origin, shifted(origin, east, north)) == pytest.approx((east, north), abs=1e-5)


def test_wire_helpers() -> None:
    assert heading_of(90.0) == pytest.approx(0.0) and heading_of(0.0) == pytest.approx(math.pi / 2)
    assert heading_of(270.0) == pytest.approx(math.pi) and bearing_of(-math.pi / 2) == pytest.approx(180.0)
    assert nearest_time(59_900, 1e-3, 60_000, 120.0) == pytest.approx(119.9)
    assert nearest_time(100, 1e-3, 60_000, 119.9) == pytest.approx(120.1)
    assert nearest_time(60_001, 1e-3, 60_000, 0.0) is None
    assert metres_per_degree(0.0)[1] == pytest.approx(111_319.49, abs=0.1)
    assert np.isfinite(metres_per_degree(89.9)).all()

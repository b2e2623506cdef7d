"""The life of messages: objects worth sharing, maps in parts, duplicates and stale messages; for events see `test_event_life.py`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.test_messages import MAP, NOW

from cloverleaf.link.content.content import divided
from cloverleaf.link.life.freshness import FreshnessFilter
from cloverleaf.link.life.map_parts import PACKET, Assembly, divide, join, numbered
from cloverleaf.link.life.object_selection import ObjectSelection
from cloverleaf.link.messages import decode, encode
from cloverleaf.link.messages import records as r
from cloverleaf.types.errors import EncodeError
from cloverleaf.types.messages import MessageKind, PerceptionBatch
from cloverleaf.types.state import Kind
from naive.link_life import NaiveFreshness, NaiveSelection


def batch(objects: list[dict], t: float, station: int = 5) -> PerceptionBatch:
    n = len(objects)
    column = {k: np.array([o[k] for o in objects], float) for k in ("t", "x", "y", "speed", "heading")} if n else {}
    empty = np.zeros(0)
    kind = np.array([Kind.PEDESTRIAN if o["person"] else Kind.CAR for o in objects], np.int32)
    return PerceptionBatch(
        np.array([station]), np.array([t]), np.array([0, n]), np.array([o["id"] for o in objects], np.int32), np.full(n, -1),
        column.get("t", empty), column.get("x", empty), column.get("y", empty), column.get("heading", empty),
        column.get("speed", empty), np.full(n, 4.5), np.full(n, 1.8), kind, np.full(n, 0.5),
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_selection_equals_the_plain_rules(data: st.DataObject) -> None:
    ours, plain = ObjectSelection(), NaiveSelection()
    state = {k: [float(data.draw(st.floats(-50, 50))), 0.0, data.draw(st.floats(0, 15)), 0.0] for k in range(4)}
    for step in range(25):
        t = round(0.05 * step * data.draw(st.integers(1, 3)) + 0.15 * step, 3)
        objects = []
        for k, s in state.items():
            s[0] += s[2] * 0.1
            s[2] = max(s[2] + data.draw(st.sampled_from([0.0, 0.0, 0.3, -0.7])), 0.0)
            s[3] += data.draw(st.sampled_from([0.0, 0.0, 0.05]))
            if data.draw(st.booleans()):
                age = data.draw(st.sampled_from([0.0, 0.1, 2.0]))
                objects.append(
                    {"id": k, "person": k == 3, "t": t - age, "x": s[0], "y": s[1], "speed": s[2], "heading": s[3]}
                )
        made = ours.select(batch(objects, t), t)
        expected = plain.select(objects, t)
        assert (sorted(made.object_id.tolist()) if len(made.station) else None) == expected


def test_a_car_at_rest_is_shared_once_a_second() -> None:
    rules, shared = ObjectSelection(), []
    for k in range(31):
        t = 0.1 * k
        made = rules.select(batch([{"id": 1, "person": False, "t": t, "x": 0, "y": 0, "speed": 0, "heading": 0}], t), t)
        if len(made.object_id):
            shared.append(k)
    assert shared == [0, 10, 20, 30]


def test_selection_of_many_senders_keeps_their_objects_apart() -> None:
    one = [{"id": 1, "person": False, "t": 0.0, "x": 0, "y": 0, "speed": 5, "heading": 0}]
    first, second = batch(one, 0.0, 5), batch(one * 1, 0.0, 6)
    both = PerceptionBatch(*[
        np.array([0, 1, 2]) if f == "object_start" else np.concatenate((getattr(first, f), getattr(second, f))) for f in first._fields
    ])  # fmt: skip
    made = ObjectSelection().select(both, 0.0)
    assert made.station.tolist() == [5, 6] and made.object_start.tolist() == [0, 1, 2]


def large_map(approaches: int) -> r.MapMessage:
    node = MAP.intersections[0]
    each = tuple(replace(node.approaches[0], upstream=(3, 100 + k), name=None) for k in range(approaches))
    return replace(MAP, intersections=(replace(node, approaches=each, name=None),), station=4)


@pytest.mark.parametrize("standard", ["csae_day1", "csae_day2", "etsi", "sae"])
def test_large_maps_travel_in_parts(standard: str) -> None:
    whole, limit = large_map(12), 700
    parts = divide(whole, standard, limit)
    sizes = [len(data) for p in parts for _, data in encode(p, standard)]
    assert len(parts) > 1 and max(sizes) <= limit
    heard = [decode(standard, *encode(p, standard)[0], NOW) for p in parts]
    assembly = Assembly()
    answers = [assembly.hear(p) for p in heard[::-1]]
    complete = answers[-1]
    assert complete is not None and len(complete.intersections[0].approaches) == 12
    if not standard.startswith("csae"):
        assert all(a is None for a in answers[:-1]) and [p.part for p in heard] == [
            (i + 1, len(parts)) for i in range(len(parts))
        ]
        ids = [lane.id for a in complete.intersections[0].approaches for lane in a.lanes]
        assert ids == list(range(1, len(ids) + 1)), "lane numbers hold across parts"
    assert divide(MAP, standard) == [MAP]


@pytest.mark.parametrize("standard", ["csae_day1", "csae_day2", "etsi", "sae"])
def test_the_loops_maps_are_divided_where_they_are_larger_than_a_packet(standard: str) -> None:
    name = "mapem" if standard == "etsi" else "map"
    ((_, whole),) = encode(large_map(15), standard)
    parts = divided(whole, standard, NOW)
    assert len(whole) > PACKET and len(parts) > 1 and max(map(len, parts)) <= PACKET
    assembly = Assembly()
    answers = [assembly.hear(decode(standard, name, p, NOW)) for p in parts]
    assert len(answers[-1].intersections[0].approaches) == 15
    ((_, small),) = encode(large_map(2), standard)
    assert divided(small, standard, NOW) == [small]


def test_map_limits_and_revisions() -> None:
    with pytest.raises(EncodeError, match="one approach"):
        divide(large_map(3), "etsi", 60)
    with pytest.raises(EncodeError, match="parts"):
        divide(large_map(30), "etsi", 300)
    parts = divide(large_map(12), "etsi", 700)
    assembly = Assembly()
    assembly.hear(replace(parts[0], revision=4))
    assert [assembly.hear(p) is None for p in parts][:-1] == [True] * (len(parts) - 1), (
        "parts of an older revision do not count"
    )
    assert (
        join([replace(parts[0], revision=1), parts[1]]).intersections[0].approaches
        == parts[1].intersections[0].approaches
    )
    assert numbered(numbered(large_map(3))) == numbered(large_map(3))


def test_each_message_is_fresh_or_left_aside_for_one_reason() -> None:
    f = FreshnessFilter()
    station, time = np.array([1, 1, 2, 1, 1, 1]), np.array([10.0, 10.0, 10.0, 9.9, 9.0, 11.0])
    fresh, refused = f.check(MessageKind.AWARENESS, station, time, 10.06)
    assert fresh.tolist() == [1, 0, 1, 0, 0, 0] and len(refused) == 4
    assert f.counts == {"fresh": 2, "duplicate": 1, "out of order": 1, "stale": 1, "future": 1}
    fresh, refused = f.check(MessageKind.AWARENESS, np.array([1]), np.array([np.nan]), 10.1)
    assert fresh.tolist() == [1] and not refused, "a message without a time"


@settings(deadline=None)
@given(
    st.sampled_from([MessageKind.AWARENESS, MessageKind.SIGNAL, MessageKind.ADVICE]),
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-900.0, -0.6, -0.2, -0.1, 0.0, 0.3, 0.6])), max_size=8),
        max_size=6,
    ),
)
def test_freshness_of_many_is_that_of_each(kind: MessageKind, ticks: list[list[tuple[int, float]]]) -> None:
    plain, ours, counts = NaiveFreshness(), FreshnessFilter(), Counter()
    for k, heard in enumerate(ticks):
        now = 0.1 * k
        station, time = np.array([s for s, _ in heard], np.int64), np.array([now + d for _, d in heard])
        expected = [plain.check(kind, s, now + d, now) for s, d in heard]
        fresh, refused = ours.check(kind, station, time, now)
        assert [bool(f) for f in fresh] == [e == "fresh" for e in expected]
        assert sorted(v.value for v in refused) == sorted(e for e in expected if e != "fresh")
        counts.update(expected)
    assert +ours.counts == counts

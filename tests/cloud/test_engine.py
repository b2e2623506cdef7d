"""The live engine on the toy crossing: real bytes in, warnings out, wrong input counted, shards that own each object once."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from toy import Traffic, crossing, spat

from cloverleaf.cloud.live import table
from cloverleaf.cloud.live.engine import Engine
from cloverleaf.cloud.live.frames import SIMULATED, Frame, Trust, pack_frame, read_frame
from cloverleaf.cloud.live.snapshot import Mark, pack_snapshot, read_snapshot
from cloverleaf.cloud.live.tiles import around, shares, tile_of
from cloverleaf.cloud.live.twin import LiveTwin
from cloverleaf.cloud.twin import Twin
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import GeoReference
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.messages import EventBatch, MessageKind

NOW = 1_800_000_000.0
GEO = GeoReference(
    "+proj=tmerc +lat_0=39.795 +lon_0=116.505 +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m", 0.0, 0.0, 39.795, 116.505
)

pytestmark = pytest.mark.usefixtures("compiled")


def toy(signal: bool = False):
    return crossing(signal)._replace(geo=GEO)


def frame(batch, sequence: int, now: float, kind=MessageKind.AWARENESS, standard="csae_day2", flags=0) -> Frame:
    buffer, start = Content(toy(), standard, clock=0.0).encode(kind, batch)
    n = len(start) - 1
    trust = np.full(n, int(Trust.UNSIGNED), np.uint8)
    return Frame(standard, -1, 1, sequence, now, np.full(n, int(kind), np.uint8), trust, buffer, start, flags)


def test_frames_round_trip_and_refuse_damage() -> None:
    cars = Traffic([0, 1, 2], [-60.0, -50.0, -40.0])
    data = pack_frame(frame(cars.awareness(NOW), 7, NOW, flags=SIMULATED))
    back = read_frame(data)
    assert back.sequence == 7 and back.time == NOW and back.flags == SIMULATED and len(back.kind) == 3
    assert pack_frame(back) == data
    rng = np.random.default_rng(1)
    for cut in range(len(data)):
        with pytest.raises(DecodeError):
            read_frame(data[:cut])
    for _ in range(2000):
        raw = bytearray(data)
        raw[rng.integers(0, 52)] ^= int(rng.integers(1, 256))
        with contextlib.suppress(DecodeError):
            read_frame(bytes(raw))
    with pytest.raises(DecodeError):
        read_frame(b"")


@pytest.mark.parametrize("standard", ["csae_day2", "etsi"])
def test_bytes_in_warning_out(standard: str) -> None:
    engine = Engine(toy(), epoch=1)
    cars = Traffic([0, 1], [-60.0, -60.0], 15.0)
    engine.add("city.edge1", frame(cars.awareness(NOW), 1, NOW, standard=standard))
    down = engine.cycle(NOW + 0.05)
    assert [d.source for d in down] == ["city.edge1"] and down[0].stations.tolist() == [1]
    said = read_frame(down[0].data)
    batch, error = Content(toy(), standard, clock=0.0).decode(MessageKind.EVENT, said.buffer, said.start)
    assert not error.any() and len(batch.event) == 1 and np.hypot(batch.x[0], batch.y[0]) < 6.0
    assert engine.said["what"].tolist() == [0] and engine.counts.totals["accepted"] == 2
    assert engine.cycle(NOW + 0.06) == [], "not told again at once"
    rows = read_snapshot(pack_snapshot(engine.snapshot(NOW + 0.1))).rows
    assert len(rows) == 2 and (rows["marks"] & int(Mark.WARNED) != 0).sum() == 1


def test_the_live_twin_matches_the_twin_of_the_loop() -> None:
    """Same news, same tracks: the fast twin against the plain one."""
    rng = np.random.default_rng(5)
    slow, fast = Twin(toy()), LiveTwin(toy(), room=4)
    cars = Traffic(rng.integers(0, 4, 30).tolist(), rng.uniform(-280, 280, 30).tolist(), 9.0)
    for k in range(20):
        t = NOW + 0.1 * k
        from toy import inbox

        who = np.flatnonzero(rng.random(30) < 0.7)
        slow.ingest(inbox(cars.awareness(t, who)), t)
        fast.hear(cars.awareness(t, who), np.zeros(len(who), np.int64), t)
        fast.look(t)
        cars.move("GGGG")
    a, b = np.argsort(slow.tracks.station), np.argsort(fast.tracks.station)
    assert slow.tracks.station[a].tolist() == fast.tracks.station[b].tolist()
    for name in ("x", "y", "speed", "sigma", "lane"):
        assert np.allclose(getattr(slow.tracks, name)[a], getattr(fast.tracks, name)[b], atol=1e-6), name
    assert np.allclose(slow.tracks.s[a], fast.tracks.s[b], atol=0.05)
    fast.look(NOW + 10.0)
    assert fast.rows == 0


def test_lights_and_perceived_objects_arrive() -> None:
    engine = Engine(toy(True), epoch=1)
    cars = Traffic([0, 1], [-60.0, -60.0], 15.0)
    engine.add("city.rsu1", frame(spat(NOW, 0, NOW, True), 1, NOW, MessageKind.SIGNAL))
    engine.add("city.rsu1", frame(cars.perception(NOW, np.array([1])), 2, NOW, MessageKind.PERCEPTION))
    engine.add("city.edge1", frame(cars.awareness(NOW, np.array([0])), 1, NOW))
    engine.cycle(NOW + 0.02)
    shot = engine.snapshot(NOW + 0.02)
    assert len(shot.heads) == 4 and len(shot.rows) == 2
    assert sorted((shot.rows["marks"] & int(Mark.CONNECTED)).tolist()) == [0, 1]


def test_what_cannot_be_true_is_refused_and_counted() -> None:
    engine = Engine(toy(), epoch=1)
    cars = Traffic([0], [-60.0], 15.0)
    good = cars.awareness(NOW)
    engine.add("a.late", frame(good._replace(time=good.time - 5.0), 1, NOW))
    engine.add("a.early", frame(good._replace(time=good.time + 5.0), 1, NOW))
    engine.add("a.abroad", frame(good._replace(x=good.x + 500_000.0), 1, NOW))
    engine.add("a.fast", frame(good._replace(speed=good.speed + 130.0), 1, NOW))
    engine.add("a.twice", frame(good, 1, NOW))
    engine.add("a.twice", frame(good, 1, NOW))
    garbage = frame(good, 1, NOW)
    engine.add("a.garbage", garbage._replace(buffer=np.full(len(garbage.buffer), 0xFF, np.uint8)))
    engine.add("a.signed", frame(good, 2, NOW)._replace(trust=np.array([int(Trust.SIGNED)], np.uint8)))
    engine.cycle(NOW)
    refused = {source: reason for source, reason in engine.counts.refused}
    assert refused == {
        "a.late": "stale", "a.early": "clock", "a.abroad": "off_map", "a.fast": "implausible", "a.twice": "duplicate_frame",
        "a.garbage": "undecodable", "a.signed": "signature_not_expected",
    }  # fmt: skip
    assert engine.twin.rows == 1 and engine.counts.totals["accepted"] == 1


def test_a_simulated_clock_is_moved_to_ours() -> None:
    engine = Engine(toy(), epoch=1)
    cars = Traffic([0], [-60.0], 15.0)
    engine.add("sim.loop", frame(cars.awareness(NOW - 1e7), 1, NOW - 1e7, flags=SIMULATED))
    engine.cycle(NOW)
    assert engine.twin.rows == 1 and abs(engine.twin.tracks.time[0] - NOW) < 1e-3


def test_ten_thousand_messages_a_second_of_one_station_are_cut_to_the_rate() -> None:
    engine = Engine(toy(), epoch=1)
    cars = Traffic([0], [-60.0], 10.0)
    for k in range(10_000 // 20):
        many = [cars.awareness(NOW + (20 * k + i) * 1e-4) for i in range(20)]
        batch = type(many[0])(*[np.concatenate(c) for c in zip(*many)])
        engine.add("a.flood", frame(batch, k, NOW))
        engine.cycle(NOW + k * 2e-3)
    totals = engine.counts.totals
    assert totals["accepted"] == 10_000 and 9_900 < totals["rate"] <= 10_000 - table.RATE
    assert engine.twin.rows == 1


def test_each_object_is_owned_by_one_shard_wherever_it_drives() -> None:
    """Cars cross the border between two shards; at every common moment the shards' snapshots hold everyone once."""
    base = toy()
    west = {t for t in around(set(tile_of(base.graph.point_x, base.graph.point_y).tolist())) if t >> 16 < 1 << 15}
    every = around(set(tile_of(base.graph.point_x, base.graph.point_y).tolist()))
    engines = [Engine(base, shard=0, tiles=west, secret=b"k"), Engine(base, shard=1, tiles=every - west, secret=b"k")]
    cars = Traffic([0, 0, 0, 2, 2], [-40.0, -60.0, -80.0, -95.0, -115.0], 14.0)
    crossed = set()
    for k in range(120):
        t = NOW + 0.1 * k
        part = frame(cars.awareness(t), k, t)
        for engine in engines:
            engine.add("city.edge1", part)
            engine.cycle(t + 0.01)
        shots = [e.snapshot(t + 0.05) for e in engines]
        handles = [set(s.rows["handle"].tolist()) for s in shots]
        assert not handles[0] & handles[1] and len(handles[0] | handles[1]) == 5
        crossed.add((len(handles[0]), len(handles[1])))
        cars.move("GGGG")
    assert len(crossed) > 2, "somebody changed sides"


def test_shares_cover_the_map_once() -> None:
    g = toy().graph
    parts = shares(g.point_x, g.point_y, 3)
    tiles = set(tile_of(g.point_x, g.point_y).tolist())
    assert tiles <= set().union(*parts) and sum(map(len, parts)) == len(set().union(*parts))


def test_a_warning_that_is_repeated_keeps_its_number():
    engine = Engine(crossing(), ["collision_warning"])
    one = EventBatch(*([np.full(2, v) for v in (-2, 5.0, 2, 0.0, 0.0, 20.0)]), np.array([7, 8]), *([np.full(2, 3.0)] * 3))
    first, again = engine._alive(one, 5.0), engine._alive(one._replace(time=one.time + 0.1), 5.1)
    assert first.number.tolist() == again.number.tolist() == [0, 1] and (again.start == 5.0).all()
    assert (again.end == 5.1 + 3.0 + 2.0).all()
    later = engine._alive(one, 8.0)  # long after: another event
    assert later.number.tolist() == [2, 3] and (later.start == 8.0).all()

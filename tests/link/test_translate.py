"""Translation between the standards: what arrives, what is lost, said per message and by the table."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from tests.link.test_life import large_map
from tests.link.test_link_commands import rows, run
from tests.link.test_messages import EVENT, LANES, MAP, NOW, ROAD, VECTORS

from cloverleaf.link.life.map_parts import PACKET
from cloverleaf.link.messages import decode, encode
from cloverleaf.link.messages import records as r
from cloverleaf.link.messages.convert import READABLE
from cloverleaf.link.translate.capability import CAPABILITY, FAMILIES, lost
from cloverleaf.link.translate.translate import groups, translate
from cloverleaf.types.errors import DecodeError, EncodeError, InputError
from cloverleaf.types.state import Kind

FULL = r.BasicSafetyMessage(
    station=5, time=NOW, place=r.Place(31.2, 121.4, 4.0), accuracy=r.Accuracy(1.0, 0.5, 0.3), speed=14.0, heading=1.0, accel=1.5,
    lateral_accel=0.5, yaw_rate=0.1, steering_wheel=0.2, length=4.8, width=1.9, height=1.5, kind=Kind.EMERGENCY,
    events=frozenset({"hard_braking"}), lights=frozenset({"low_beam"}), siren=True, light_bar=True,
    path=(r.PathPoint(r.Place(31.199, 121.4), 5.0),),
)  # fmt: skip
OBJECT = r.PerceivedObject(3, Kind.CAR, 99, NOW - 0.1, r.Place(31.2001, 121.4), 0.5, 10.0, 0.5, 4.5, 1.8, 1.5, "lidar")
SEEN = r.PerceptionMessage(12, NOW, r.Place(31.2, 121.4), (OBJECT,) * 20)
PHASE = r.Phase(2, (r.PhaseState(r.LightState.RED, None, NOW + 5, NOW + 6, NOW + 9),))
SIGNALS = r.SignalPhaseAndTiming(NOW, (r.IntersectionSignals(9, 3, (PHASE,), frozenset({5}), NOW),))
PAIRS = [
    ("csae_day1", "bsm", FULL, "etsi"),
    ("csae_day2", "bsm", FULL, "sae"),
    ("etsi", "cam", FULL, "csae_day2"),
    ("etsi", "cam", FULL, "sae"),
    ("sae", "bsm", FULL, "csae_day1"),
    ("sae", "bsm", FULL, "etsi"),
    ("csae_day1", "spat", SIGNALS, "etsi"),
    ("csae_day1", "spat", SIGNALS, "sae"),
    ("etsi", "spatem", SIGNALS, "csae_day1"),
    ("sae", "spat", SIGNALS, "etsi"),
    ("csae_day2", "map", MAP, "etsi"),
    ("csae_day2", "map", MAP, "sae"),
    ("etsi", "mapem", MAP, "csae_day2"),
    ("sae", "map", MAP, "etsi"),
    ("csae_day1", "rsi", ROAD, "etsi"),
    ("etsi", "denm", ROAD, "csae_day1"),
    ("csae_day1", "rsi", ROAD, "sae"),
    ("etsi", "denm", ROAD, "sae"),
    ("sae", "tim", ROAD, "csae_day2"),
    ("csae_day1", "rsm", SEEN, "etsi"),
    ("csae_day2", "ssm", SEEN, "etsi"),
    ("etsi", "cpm", SEEN, "csae_day1"),
    ("etsi", "cpm", SEEN, "csae_day2"),
]


@pytest.mark.parametrize(("source", "name", "record", "target"), PAIRS, ids=lambda v: v if isinstance(v, str) else "")
def test_what_the_table_says_is_lost_is_lost(source: str, name: str, record: r.Awareness, target: str) -> None:
    made, data = encode(record, source)[0]
    assert made == name
    found = translate(source, name, data, target, now=NOW)
    arrived = [decode(target, kind, raw, NOW) for kind, raw in found.messages]
    assert arrived and all(type(a).__mro__[-2] is type(found.record).__mro__[-2] for a in arrived)
    family = target.partition("_")[0]
    tops = {line.split(":")[0] for line in found.lost}
    for row in CAPABILITY:
        if row.record == type(found.record).__mro__[-2].__name__ or row.record == type(found.record).__name__:
            held = getattr(found.record, row.field)
            if getattr(row, family) is None and held not in (None, (), frozenset(), False):
                assert row.field in tops, row
            elif getattr(row, family) is not None:
                assert row.field not in tops, row
    assert not found.unread, "our own messages hold nothing that no record holds"


def test_there_and_back_keeps_what_both_carry() -> None:
    for first, second in (("csae_day1", "etsi"), ("etsi", "csae_day2"), ("csae_day2", "sae"), ("sae", "etsi")):
        name, data = encode(FULL, first)[0]
        there = translate(first, name, data, second, now=NOW).messages[0]
        back = translate(second, *there, first, now=NOW).messages[0]
        a, b = decode(first, name, data, NOW), decode(first, *back, NOW)
        assert (b.station, b.speed, b.place.latitude_deg) == pytest.approx(
            (a.station, a.speed, a.place.latitude_deg), abs=0.011
        )
        assert b.heading == pytest.approx(a.heading, abs=0.002)


def test_events_become_denms_and_back() -> None:
    name, data = encode(ROAD, "csae_day1")[0]
    found = translate("csae_day1", name, data, "etsi", now=NOW)
    assert [kind for kind, _ in found.messages] == ["denm", "denm"] and "signs" in found.lost
    denm = decode("etsi", *found.messages[0], NOW).events[0]
    assert denm.cause == (3, 0) and denm.radius == 200.0
    back = translate("etsi", *found.messages[0], "csae_day1", now=NOW)
    assert decode("csae_day1", *back.messages[0], NOW).events[0].code == EVENT.code


def test_phase_numbers_from_zero_need_an_offset() -> None:
    lane = replace(LANES[0], connections=(r.LaneConnection(1, None, 0),))
    node = replace(MAP.intersections[0], approaches=(r.MapApproach((lane,), (3, 1)),))
    zero = replace(MAP, intersections=(node,))
    name, data = encode(zero, "csae_day2")[0]
    with pytest.raises(EncodeError, match="no signal group"):
        translate("csae_day2", name, data, "etsi", now=NOW)
    found = translate("csae_day2", name, data, "etsi", now=NOW, phase_offset=1)
    assert groups(decode("etsi", *found.messages[0], NOW)) == {1}


@pytest.mark.skipif(not VECTORS.is_dir(), reason="needs ../shared/v2x/vectors")
def test_random_messages_translate_or_say_why_not() -> None:
    done = 0
    for source, names in READABLE.items():
        for name in names:
            files = [VECTORS / source / f"{name}{suffix}.jsonl.gz" for suffix in ("", "_d2")]
            for file in filter(Path.is_file, files):
                for line in gzip.decompress(file.read_bytes()).splitlines()[::29]:
                    for target in READABLE:
                        try:
                            made = translate(source, name, bytes.fromhex(json.loads(line)["hex"]), target, now=NOW)
                        except EncodeError:
                            continue
                        assert all(decode(target, kind, data, NOW) for kind, data in made.messages)
                        done += 1
    assert done > 300


def test_the_table_has_no_row_for_nothing() -> None:
    for source in FAMILIES:
        assert lost(source, source) == []
        for target in FAMILIES:
            for row in lost(source, target):
                assert row.field in {f.name for f in fields(getattr(r, row.record))}


def test_command(tmp_path: Path) -> None:
    _, data = encode(FULL, "csae_day1")[0]
    out = rows(
        run("translate", "--from", "csae_day1", "--type", "bsm", "--to", "etsi", stdin=f"{data.hex()}\nxx\n00\n")
    )
    assert (
        out[0]["messages"][0]["type"] == "cam"
        and "events" in out[0]["lost"]
        and set(out[1]) == set(out[2]) == {"error"}
    )
    table = run("translate", "--table").stdout
    assert (
        "RoadEvent.text" in table
        and "Awareness.events" in run("translate", "--table", "--from", "csae_day1", "--to", "etsi").stdout
    )
    for wrong in (
        ("--from", "wave"),
        ("--from", "etsi", "--type", "bsm", "--to", "sae"),
        ("--table", "--from", "wave", "--to", "x"),
    ):
        assert isinstance(run("translate", *wrong, stdin="").exception, InputError)


def test_bytes_of_another_message_are_refused() -> None:
    _, data = encode(SIGNALS, "csae_day1")[0]
    with pytest.raises(DecodeError):
        translate("csae_day1", "bsm", data, "etsi")


def test_a_large_map_travels_in_parts_and_comes_back_whole() -> None:
    whole = large_map(30)
    name, data = encode(whole, "csae_day1")[0]
    lines = rows(run("translate", "--from", "csae_day1", "--type", name, "--to", "etsi", stdin=data.hex()))
    parts = [m["hex"] for m in lines[0]["messages"]]
    assert len(parts) > 1 and all(len(p) <= 2 * PACKET for p in parts)
    assert not [field for field in lines[0]["lost"] if " of " in field], "every approach arrives"
    back = rows(run("translate", "--from", "etsi", "--type", "mapem", "--to", "sae", stdin="\n".join(parts)))
    assert [bool(row["messages"]) for row in back] == [False] * (len(parts) - 1) + [True]
    again = [decode("sae", m["type"], bytes.fromhex(m["hex"]), NOW) for m in back[-1]["messages"]]
    approaches = [a for part in again for n in part.intersections for a in n.approaches]
    assert len(approaches) == len(whole.intersections[0].approaches)

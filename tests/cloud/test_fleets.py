"""Fleets that speak something else: reports arrive in any pieces, damage is skipped and counted, buses go out again as they came in."""

from __future__ import annotations

import calendar
import math
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from test_engine import toy

from cloverleaf.cloud.api.app import create_app
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.gateways import Report, awareness, gateway_class, station_of
from cloverleaf.cloud.gateways import gb32960 as gb
from cloverleaf.cloud.gateways import jt808 as jt
from cloverleaf.cloud.gateways.timetable import read_timetable
from cloverleaf.cloud.gateways.transit import positions, read_positions, siri
from cloverleaf.cloud.live.snapshot import HEAD, ROW, Mark, Snapshot, tracks_of
from cloverleaf.cloud.services.transit import BusStops
from cloverleaf.link.content.content import Content
from cloverleaf.types.errors import DecodeError, InputError, PluginError
from cloverleaf.types.state import Kind

WHEN = calendar.timegm((2026, 11, 24, 12, 30, 15))
LAT, LON = 39.795123, 116.505456


def jt_location(speed_kmh: float = 36.0) -> bytes:
    time = bytes.fromhex("261124203015")  # Beijing
    return struct.pack(">IIIIHHH", 0, 3, round(LAT * 1e6), round(LON * 1e6), 30, round(speed_kmh * 10), 90) + time


def gb_data(second: int = 15, latitude: float = LAT) -> bytes:
    head = bytes([26, 11, 24, 20, 30, second])
    vehicle = bytes([gb.VEHICLE, 1, 3, 1]) + struct.pack(">H", 360) + bytes(15)
    motors = bytes([2, 1]) + bytes(12)
    place = bytes([gb.POSITION, 0]) + struct.pack(">II", round(LON * 1e6), round(latitude * 1e6))
    return head + vehicle + motors + place


@pytest.mark.parametrize("edition", [2013, 2019])
def test_jt808_in_any_pieces(edition: int) -> None:
    data = b"".join(jt.pack(jt.LOCATION, "13800138000", k, jt_location(), edition=edition) for k in range(120, 130))
    rng = np.random.default_rng(1)
    gateway, reports, answers, at = gateway_class("jt808")(), [], b"", 0
    while at < len(data):
        size = int(rng.integers(1, 40))
        found, answer = gateway.feed(data[at : at + size])
        reports += found
        answers += answer
        at += size
    assert (
        reports
        == [Report("13800138000", float(WHEN), pytest.approx(LAT), pytest.approx(LON), pytest.approx(10.0), 90.0)] * 10
    )
    serials = [struct.unpack(">HHB", jt.read(a)[3]) for a in answers.split(b"\x7e") if a]
    assert serials == [(k, jt.LOCATION, 0) for k in range(120, 130)] and gateway.broken == 0


def test_gb32960_with_bearing_from_the_way() -> None:
    gateway = gateway_class("gb32960")()
    first = gb.pack(0x02, "LSVAA00000000TEST", gb_data())
    second = gb.pack(0x02, "LSVAA00000000TEST", gb_data(16, LAT + 1e-4))
    reports, answer = gateway.feed(b"noise" + first[:30])
    more, rest = gateway.feed(first[30:] + second)
    a, b = [*reports, *more]
    assert (a.vehicle, a.time, a.speed) == ("LSVAA00000000TEST", float(WHEN), pytest.approx(10.0)) and math.isnan(
        a.bearing
    )
    assert b.bearing == pytest.approx(0.0, abs=1e-6) and b.latitude == pytest.approx(LAT + 1e-4)
    assert (answer + rest).count(b"##\x02\x01") == 2 and gateway.broken == 1


@given(st.binary(max_size=300), st.sampled_from(["jt808", "gb32960"]))
def test_garbage_never_raises(data, name) -> None:
    gateway = gateway_class(name)()
    assert gateway.feed(data)[0] == [] or data
    gateway.feed(b"\x7e##" + data)


@pytest.mark.parametrize("name", ["jt808", "gb32960"])
def test_damaged_reports_are_counted(name: str) -> None:
    good = jt.pack(jt.LOCATION, "138", 5, jt_location()) if name == "jt808" else gb.pack(2, "V" * 17, gb_data())
    taken = 0
    for k in range(3, len(good) - 1):
        gateway = gateway_class(name)()
        raw = bytearray(good)
        raw[k] ^= 0x55
        taken += len(gateway.feed(bytes(raw) + good)[0])
    assert taken <= len(good) + 20, "the good one behind each damaged one, and nothing of the damage"
    with pytest.raises(PluginError, match="unknown gateway"):
        gateway_class("jt809")


def test_reports_become_own_state_on_the_map() -> None:
    content = Content(toy(), "csae_day2", clock=0.0)
    batch = awareness(
        [Report("bus 7", 1e9, LAT, LON, 9.0, 90.0), Report("x", 1e9, 0.0, 0.0, 0.0, math.nan)], content.frame
    )
    assert (
        abs(batch.heading[0]) < 0.01
        and np.hypot(batch.x[0], batch.y[0]) < 100.0
        and batch.station[0] == station_of("bus 7") > 0
    )
    buffer, start = content.encode(0, batch)
    back, error = content.decode(0, buffer, start)
    assert not error.any() and back.kind.tolist() == [int(Kind.BUS)] * 2 and np.isnan(back.heading[1])


def test_gtfs_realtime_out_and_in_again() -> None:
    rows = np.zeros(2, ROW)
    rows["handle"], rows["x"], rows["y"], rows["heading"], rows["speed"], rows["kind"] = (
        [7, 9],
        [10, 20],
        [0, 5],
        [0, 1.5],
        [5, 6],
        3,
    )
    found = read_positions(positions(rows, toy(), float(WHEN)))
    content = Content(toy(), "csae_day2", clock=0.0)
    batch = awareness(found, content.frame)
    assert (
        [r.vehicle for r in found] == ["7", "9"]
        and np.allclose(batch.x, rows["x"], atol=0.6)
        and np.allclose(batch.heading, rows["heading"], atol=1e-3)
    )
    out = siri(rows, toy(), float(WHEN))
    assert out["features"][1]["properties"]["VehicleRef"] == "9" and len(out["features"]) == 2
    with pytest.raises(DecodeError):
        read_positions(b"\xff\xff\xff")


def test_headways_arrivals_and_adherence() -> None:
    base = toy()
    graph = base.graph._replace(
        stop_lane=np.array([4], np.int32), stop_begin=np.array([50.0]), stop_end=np.array([65.0])
    )
    stops = BusStops(graph)
    rows = np.zeros(2, ROW)
    rows["handle"], rows["kind"], rows["marks"], rows["lane"], rows["speed"] = [7, 9], 3, int(Mark.CONNECTED), 4, 10.0
    for k in range(60):
        t = 1000.0 + k
        rows["s"] = [10.0 * k, 10.0 * k - 200.0]
        tracks = tracks_of(rows, t)
        stops.see(tracks, t)
        if k == 2:
            (first, second) = stops.arrivals(tracks, 0, t)
            assert first == (7, pytest.approx(t + 3.0)) and second[0] == 9
    assert stops.headways(0) == [20.0] and stops.adherence(0, [1000.0, 1026.0]) == [5.0, -1.0]


def gtfs(folder: Path, lines: str, zone: str = "Asia/Shanghai") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "agency.txt").write_text(f"agency_id,agency_timezone\nbus,{zone}\n")
    (folder / "stop_times.txt").write_text("\ufefftrip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + lines)
    return folder


def test_a_timetable_knows_the_arrivals_of_the_day_and_of_the_night(tmp_path: Path) -> None:
    table = read_timetable(gtfs(tmp_path, "a,20:30:00,20:30:10,s1,1\na,,,s2,2\nb, 8:00:00,,s1,1\nc,24:10:00,,s1,1\n"))
    assert table.near("s1", WHEN) == [WHEN - 15.0 + s for s in (0.0, 13_200.0, 41_400.0)], "20:30:15 in Beijing"
    assert table.near("s2", WHEN) == [] and table.near("nowhere", WHEN) == []
    midnight = calendar.timegm((2026, 11, 24, 16, 0, 0))
    assert midnight + 600.0 in table.near("s1", midnight + 300.0), "24:10:00 of yesterday is tonight"
    summer = read_timetable(gtfs(tmp_path, "a,08:00:00,,s1,1\n", "Europe/Berlin"))
    changed = calendar.timegm((2026, 3, 29, 6, 0, 0))  # 8 o'clock on the day the clocks go forward
    assert changed in summer.near("s1", changed + 60.0)


@pytest.mark.parametrize(
    "lines, zone, said",
    [
        ("a,8 o'clock,,s1,1\n", "UTC", "stop_times.txt:2"),
        ("a,08:00:00,,,1\n", "UTC", "stop_times.txt:2"),
        ("a,08:61:00,,s1,1\n", "UTC", "stop_times.txt:2"),
        ("a,08:00:00,,s1,1\n", "Mars/North", "no time zone"),
    ],
)
def test_a_timetable_that_is_none_is_told_of(tmp_path: Path, lines: str, zone: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_timetable(gtfs(tmp_path, lines, zone))
    with pytest.raises(InputError, match="not a GTFS feed"):
        read_timetable(tmp_path / "nothing")


def test_the_api_says_how_late_buses_are(tmp_path: Path) -> None:
    base, now = toy(), time.time()
    graph = base.graph._replace(
        stop_lane=np.array([4, 5], np.int32), stop_begin=np.array([50.0, 50.0]), stop_end=np.array([65.0, 65.0])
    )
    live = Live(base._replace(graph=graph, stop_ids=("s1", "s2")))
    clock = time.strftime("%H:%M:%S", time.gmtime(now - 30.0))
    live.timetable = read_timetable(gtfs(tmp_path / "gtfs", f"a,{clock},,s1,1\n", "UTC"))
    rows = np.zeros(1, ROW)
    rows["handle"], rows["kind"], rows["lane"], rows["s"] = 7, 3, 4, 55.0
    live.shots[0] = Snapshot(now, 0, rows, np.zeros(0, HEAD))
    live.stops.see(tracks_of(rows, now), now)
    with TestClient(create_app(live, tmp_path)) as client:
        one, two = client.get("/api/transit/stops").json()["stops"]
        assert one["late"] == [pytest.approx(30.0, abs=1.1)] and two["late"] is None
        live.timetable = None
        assert client.get("/api/transit/stops").json()["stops"][0]["late"] is None

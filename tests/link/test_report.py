"""`link report`: figures of a synthetic drive whose truth is known, and input from which little can be told."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.test_inspection import bsm
from tests.link.test_link_commands import run

from cloverleaf.link.codec.single import codec
from cloverleaf.link.field.fit import fit_radio, predicted
from cloverleaf.link.field.logs import METRES_PER_DEGREE, Entry, Track, metres_between
from cloverleaf.link.field.measure import ages, curve, gaps, match, wilson
from cloverleaf.link.field.summary import POOR
from cloverleaf.link.io.framing import framed
from cloverleaf.link.io.geonetworking import Position
from cloverleaf.link.io.pcap import Recorder
from cloverleaf.types.errors import InputError

HERE = (31.2, 121.4)


def message(k: int, east: float) -> bytes:
    value = codec("csae_day1", "bsm").decode(bsm())
    value[1]["secMark"], value[1]["msgCnt"] = 100 * k % 60_000, k % 128
    value[1]["pos"] = {"lat": round(HERE[0] * 1e7), "long": round((HERE[1] + east) * 1e7)}
    return codec("csae_day1", "bsm").encode(value)


def drive(folder: Path, n: int = 600, delay: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """A car drives away from a receiver; returns distances and who was heard."""
    distance = np.linspace(5.0, 600.0, n)
    heard = np.random.default_rng(3).random(n) < predicted(distance, 17.0, 0.3, "lte-v2x", 10.0)
    with Recorder(folder / "tx.pcap", 147) as tx, Recorder(folder / "rx.pcap", 147) as rx:
        for k in range(n):
            east = distance[k] / METRES_PER_DEGREE / math.cos(math.radians(HERE[0]))
            data = framed(message(k, east), "csae_day1", "bsm", Position(1, 0, 0, 0))
            tx.add(1.7e9 + 0.1 * k, data)
            if heard[k]:
                rx.add(1.7e9 + 0.1 * k + delay, data)
    return distance, heard


def test_a_drive_away_from_a_roadside_unit(tmp_path: Path) -> None:
    distance, heard = drive(tmp_path)
    result = run(
        "report",
        tmp_path / "tx.pcap",
        tmp_path / "rx.pcap",
        "--receiver",
        f"{HERE[0]},{HERE[1]}",
        "--out",
        tmp_path / "out",
    )
    assert result.exit_code == 0, result.output
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (data["sent"], data["received"]) == (600, int(heard.sum())) and data["pdr"] == pytest.approx(heard.mean())
    for row in data["pdr_by_distance"]:
        inside = (distance >= row["from_m"] + 0.5) & (distance < row["to_m"] - 0.5)
        assert abs(row["sent"] - inside.sum()) <= 2 and row["low"] <= row["pdr"] <= row["high"]
    assert data["latency_s"]["mean"] == pytest.approx(0.02, abs=1e-4)
    assert data["fit"]["power_dbm"] == pytest.approx(17.0, abs=2.0) and data["fit"]["rmse"] < 0.1
    times = np.flatnonzero(heard) * 0.1
    assert data["gap_s"]["mean"] == pytest.approx(np.diff(times).mean(), rel=1e-3)
    html = (tmp_path / "out" / "report.html").read_text()
    assert html.count("<svg") == 4 and "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_without_places_there_are_no_distances(tmp_path: Path) -> None:
    drive(tmp_path, 50)
    result = run("report", tmp_path / "tx.pcap", tmp_path / "rx.pcap", "--out", tmp_path)
    data = json.loads((tmp_path / "report.json").read_text())
    assert (
        result.exit_code == 0
        and data["pdr_by_distance"] == []
        and data["fit"] is None
        and "--receiver" in data["notes"][0]
    )


def test_a_moving_receiver(tmp_path: Path) -> None:
    drive(tmp_path, 60)
    rows = "".join(f"{1.7e9 + t},{HERE[0]},{HERE[1] + 0.0001 * t}\n" for t in range(7))
    (tmp_path / "track.csv").write_text("time,latitude,longitude\n" + rows)
    result = run(
        "report", tmp_path / "tx.pcap", tmp_path / "rx.pcap", "--track", tmp_path / "track.csv", "--out", tmp_path
    )
    assert result.exit_code == 0 and json.loads((tmp_path / "report.json").read_text())["pdr_by_distance"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--receiver", "1"], "--receiver"), (["--radio", "wifi"], "--radio"), (["--station", "77"], "--station"),
        (["--track", "none.csv"], "none.csv"), (["--receiver", "1,2", "--station", "5"], "--track"),
    ],
)  # fmt: skip
def test_wrong_options(options: list[str], names: str, tmp_path: Path) -> None:
    drive(tmp_path, 5)
    error = run("report", tmp_path / "tx.pcap", tmp_path / "rx.pcap", "--out", tmp_path, *options).exception
    assert isinstance(error, InputError) and names in str(error)


def test_wrong_files(tmp_path: Path) -> None:
    drive(tmp_path, 5)
    (tmp_path / "junk").write_bytes(b"junk")
    for other in ("junk", "absent"):
        assert isinstance(run("report", tmp_path / "tx.pcap", tmp_path / other).exception, InputError)


def entry(time: float, data: bytes, station: str = "a") -> Entry:
    return Entry(time, "csae bsm", station, HERE, data)


def test_repeated_bytes_pair_with_their_own_sending() -> None:
    tx = [entry(t, b"same") for t in (0.0, 1.0, 2.0)] + [entry(0.5, b"other")]
    found = match(tx, [entry(2.03, b"same"), entry(0.53, b"other"), entry(9.0, b"foreign")], None)
    assert np.isnan(found.received).tolist() == [True, False, True, False] and found.unknown == 1


def test_age_of_information_by_hand() -> None:
    tx = [entry(t, bytes([k])) for k, t in enumerate((0.0, 1.0, 2.0))]
    rx = [entry(0.1, b"\0"), entry(2.1, b"\2")]
    found = match(tx, rx, None)
    age = ages(found)
    assert age.min() == pytest.approx(0.1, abs=0.011) and age.max() == pytest.approx(2.1, abs=0.011)
    assert gaps(found).tolist() == pytest.approx([2.0])


@settings(deadline=None)
@given(st.integers(1, 5000), st.data())
def test_wilson_holds_the_share(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    assert 0.0 <= low <= hits / n + 1e-12 and hits / n - 1e-12 <= high <= 1.0


@pytest.mark.parametrize(("power", "load"), [(10.0, 0.0), (20.0, 0.5), (26.0, 0.2)])
def test_fit_finds_what_made_the_data(power: float, load: float) -> None:
    rng = np.random.default_rng(5)
    distance = rng.uniform(0.0, 800.0, 6000)
    heard = (rng.random(6000) < predicted(distance, power, load, "lte-v2x", 10.0)).astype(float)
    found = fit_radio(distance, heard)
    assert found is not None and found["power_dbm"] == pytest.approx(power, abs=1.0)
    assert found["channel_busy"] == pytest.approx(load, abs=0.15)
    assert fit_radio(distance[:5], heard[:5]) is None
    assert fit_radio(distance + 1e6, heard) is None


def test_distance_and_track() -> None:
    assert metres_between((0.0, 0.0), (0.01, 0.0)) == pytest.approx(1111.95, rel=1e-3)
    track = Track([2.0, 0.0], [(2.0, 0.0), (0.0, 0.0)])
    assert track.at(1.0) == (1.0, 0.0) and track.at(99.0) is None and track.at(-1.0) == (0.0, 0.0)
    assert curve(match([entry(0.0, b"x")], [], None), 25.0) == []


@pytest.mark.parametrize("radio", ["lte-v2x", "nr-v2x"])
@pytest.mark.parametrize("shape", ["half of all", "far but not near", "an edge at 80 m"])
def test_fit_says_when_no_radio_of_its_kind_made_the_data(shape: str, radio: str) -> None:
    rng = np.random.default_rng(8)
    distance = rng.uniform(0.0, 500.0, 3000)
    share = {
        "half of all": 0.5 + 0 * distance,
        "far but not near": 1.0 * (distance > 200.0),
        "an edge at 80 m": 1.0 * (distance < 80.0),
    }
    found = fit_radio(distance, (rng.random(3000) < share[shape]).astype(float), radio)
    assert found is not None and (found["misfit"] > POOR or found["at_limit"]), found


def test_few_messages_are_no_bad_fit() -> None:
    rng, bad = np.random.default_rng(9), 0
    for _ in range(8):
        distance = rng.uniform(0.0, 500.0, 60)
        found = fit_radio(distance, (rng.random(60) < predicted(distance, 15.0, 0.4, "lte-v2x", 10.0)).astype(float))
        bad += found is not None and found["misfit"] > POOR
    assert bad <= 1


def test_losses_that_come_together_widen_the_region() -> None:
    rng = np.random.default_rng(10)
    distance = np.repeat(rng.uniform(0.0, 700.0, 150), 20)  # twenty messages in a row share their fate
    heard = np.repeat((rng.random(150) < predicted(distance[::20], 17.0, 0.3, "lte-v2x", 10.0)).astype(float), 20)
    found = fit_radio(distance, heard)
    assert found is not None and found["power_dbm_95"][0] <= 17.0 <= found["power_dbm_95"][1]
    assert found["channel_busy_95"][0] <= 0.3 <= found["channel_busy_95"][1]
    alone = fit_radio(distance[::20], heard[::20])
    width = [f["power_dbm_95"][1] - f["power_dbm_95"][0] for f in (found, alone)]
    assert width[0] > 0.4 * width[1], "no narrower than it may be for the 150 places that there are"

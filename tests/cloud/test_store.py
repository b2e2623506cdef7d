"""The lake: each frame once, whole commits only, damage contained, erasure complete, the past replayed."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.cloud.live.ranges import Ranges
from cloverleaf.cloud.store.lake import Lake, LakeFull
from cloverleaf.cloud.store.log import Log
from cloverleaf.cloud.store.query import Reader
from cloverleaf.cloud.store.replay import Past
from cloverleaf.cloud.store.rows import Names, Rows
from cloverleaf.types.errors import CloverleafError

T0 = 1_800_000_000.0


def rows(vehicles: int, steps: int, t0: float = T0, sequence: int = 1, spread: float = 900.0) -> Rows:
    """`vehicles` that drive east at 10 m/s and report at 10 Hz; one in five brakes hard."""
    n = vehicles * steps
    vehicle = np.tile(np.arange(vehicles, dtype=np.int64) + 1000, steps)
    time = t0 + np.repeat(np.arange(steps) * 0.1, vehicles)
    x = (vehicle - 1000) * spread / vehicles + 10.0 * (time - t0)
    accel = np.where(vehicle % 5 == 0, -5.0, 0.5)

    def f4(v):
        return np.broadcast_to(np.asarray(v, np.float32), n)

    return Rows(
        time, vehicle, f4(x), f4(7.0), f4(0.0), f4(10.0), f4(accel), np.ones(n, np.uint8), np.zeros(n, np.uint16), np.zeros(n, np.uint8),
        np.zeros(n, np.int32), np.ones(n, np.uint32), np.full(n, sequence, np.uint64), np.arange(n).astype(np.uint16),
    )  # fmt: skip


def filled(folder, commits: int = 3) -> Lake:
    lake = Lake(folder)
    for k in range(commits):
        assert lake.claim("city.edge", 1, k)
        lake.put(rows(20, 10, T0 + k, k))
        assert lake.commit({"FRAMES": k + 1}) == 200
    return lake


@given(st.lists(st.integers(0, 60)))
def test_ranges_are_a_set(numbers) -> None:
    ranges, plain = Ranges(), set()
    for n in numbers:
        assert ranges.add(n) is (n not in plain)
        plain.add(n)
    assert {n for n in range(62) if n in ranges} == plain
    assert all(a[1] + 1 < b[0] for a, b in zip(ranges.ranges, ranges.ranges[1:]))


def test_ranges_forget_what_is_long_past() -> None:
    ranges = Ranges()
    for n in range(0, 1000, 2):
        ranges.add(n)
    ranges.forget(100)
    assert len(ranges.ranges) <= 52 and 1 in ranges and 997 not in ranges and not ranges.add(501) and ranges.add(997)


def test_a_frame_is_stored_once_also_after_a_restart(tmp_path) -> None:
    lake = filled(tmp_path)
    assert not lake.claim("city.edge", 1, 2) and lake.claim("city.edge", 2, 2) and not lake.claim("city.edge", 2, 2)
    lake.close()
    again = Lake(tmp_path)
    assert again.log.streams == {"FRAMES": 3} and not again.claim("city.edge", 1, 0) and again.claim("city.edge", 2, 2)
    again.close()


def test_what_was_not_committed_is_gone_and_swept(tmp_path) -> None:
    lake = filled(tmp_path)
    before = set(lake.log.files)
    stray = tmp_path / next(iter(before)).rpartition("/")[0] / "half.parquet"
    stray.write_bytes(b"PAR1 half a file")
    (tmp_path / "_log" / "00000000000000000009.new").write_text("{")
    lake.close()
    again = Lake(tmp_path)
    assert set(again.log.files) == before and not stray.exists() and not list((tmp_path / "_log").glob("*.new"))
    again.close()


def test_one_writer_only(tmp_path) -> None:
    lake = filled(tmp_path)
    with pytest.raises(CloverleafError, match="another process"):
        Lake(tmp_path)
    lake.close()


def test_checkpoints_keep_everything(tmp_path) -> None:
    lake = filled(tmp_path, 140)
    lake.close()
    assert len(list((tmp_path / "_log").iterdir())) < 70
    reader = Log(tmp_path, read_only=True)
    assert sum(f.rows for f in reader.files.values()) == 140 * 200
    assert reader.holds("city.edge:1", 77) and not reader.holds("city.edge:1", 140)


def test_a_full_disk_loses_nothing(tmp_path) -> None:
    lake = filled(tmp_path)
    lake.floor = 1 << 60
    lake.claim("city.edge", 1, 50)
    lake.put(rows(20, 10, T0 + 50, 50))
    with pytest.raises(LakeFull):
        lake.commit({"FRAMES": 50})
    assert lake.waiting == 200 and lake.log.streams == {"FRAMES": 3}
    lake.floor = 0
    assert lake.commit({"FRAMES": 50}) == 200 and lake.log.streams == {"FRAMES": 50}
    lake.close()


def test_a_failing_disk_loses_nothing(tmp_path, monkeypatch) -> None:
    lake = filled(tmp_path)
    lake.claim("city.edge", 1, 50)
    lake.put(rows(20, 10, T0 + 50, 50))

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(os, "fsync", fails)
        with pytest.raises(OSError):
            lake.commit({"FRAMES": 50})
    assert lake.commit({"FRAMES": 50}) == 200
    reader = Reader(tmp_path)
    assert reader.span()[2] == 800 and reader.box(T0, T0 + 100, (-1e9, -1e9, 1e9, 1e9)).num_rows == 800
    lake.close()


def test_questions(tmp_path) -> None:
    lake = filled(tmp_path, 3)
    reader = Reader(tmp_path)
    traffic = reader.traffic(T0, T0 + 10, cell=250.0, step=10.0).to_pylist()
    assert sum(r["messages"] for r in traffic) == 600 and all(abs(r["p85_speed"] - 10.0) < 1e-5 for r in traffic)
    assert {r["vehicle"] for r in reader.braking(T0, T0 + 10).to_pylist()} == {1000, 1005, 1010, 1015}
    box = reader.box(T0, T0 + 0.05, (100.0, 0.0, 300.0, 20.0)).to_pylist()
    assert all(100 <= r["x"] <= 300 for r in box) and len(box) == 4
    assert reader.trip(1003, T0, T0 + 10).num_rows == 30
    assert reader.traffic(T0 + 1e6, T0 + 1e6 + 10).num_rows == 0
    lake.close()


def test_empty_lake(tmp_path) -> None:
    reader = Reader(tmp_path / "lake")
    assert reader.span() == (0.0, 0.0, 0) and reader.traffic(0, 1e10).num_rows == 0


def test_a_corrupt_file_is_found_reported_and_left_out(tmp_path) -> None:
    lake = filled(tmp_path)
    bad = sorted(lake.log.files)[1]
    raw = bytearray((tmp_path / bad).read_bytes())
    raw[20:-20] = bytes(len(raw) - 40)
    (tmp_path / bad).write_bytes(raw)
    reader, found = Reader(tmp_path), []
    reader.report = found.append
    assert sum(r["messages"] for r in reader.traffic(T0, T0 + 10).to_pylist()) == 400
    assert found == [bad] and bad in reader.damaged
    lake.quarantine(bad)
    assert bad not in lake.log.files and list((tmp_path / "_quarantine").iterdir())
    lake.close()


def test_merge_retention_and_erasure(tmp_path) -> None:
    lake = filled(tmp_path, 30)
    assert lake.merge(crowd=10) == 29 and len(lake.log.files) == 1
    reader = Reader(tmp_path)
    assert reader.span()[2] == 6000 and reader.trip(1003, T0, T0 + 100).num_rows == 300
    assert lake.erase({1003, 1004}) == 600
    assert reader.trip(1003, T0, T0 + 100).num_rows == 0 and reader.span()[2] == 5400
    assert lake.retain(100.0, T0 + 1000.0) == 5400 and reader.span()[2] == 0
    assert not list(tmp_path.glob("hour=*/cell=*/*"))
    lake.close()


def test_a_large_file_is_not_merged_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("cloverleaf.cloud.store.lake.LARGE", 2000)
    lake = filled(tmp_path, 10)
    assert lake.merge(crowd=10) == 9
    (large,) = lake.log.files
    for k in range(10, 20):
        assert lake.claim("city.edge", 1, k)
        lake.put(rows(20, 10, T0 + k, k))
        lake.commit({"FRAMES": k + 1})
    assert lake.merge(crowd=10) == 9 and len(lake.log.files) == 2 and large in lake.log.files
    assert lake.merge(crowd=2) == 0
    lake.close()


def test_files_that_were_merged_meanwhile_are_not_damaged(tmp_path, monkeypatch) -> None:
    lake = filled(tmp_path, 10)
    reader = Reader(tmp_path)
    listed = reader.files

    def late(first, last, box=None):  # the files are merged between the look at the log and the question
        found = listed(first, last, box)
        lake.merge(crowd=10)
        return found

    monkeypatch.setattr(reader, "files", late)
    assert reader.trip(1003, T0, T0 + 100).num_rows == 100
    assert reader.damaged == {}
    lake.close()


def test_names_are_not_remembered_for_those_who_are_gone() -> None:
    names = Names(b"one")
    first = names.names(np.arange(1000), np.full(1000, T0))
    assert names.names(np.array([7, 2000, 7]), np.full(3, T0)).tolist() == [
        first[7],
        names.name(2000, int(T0 // 86_400)),
        first[7],
    ]
    assert len(names._known) == 2


def test_the_past_is_played_forwards_and_backwards(tmp_path) -> None:
    lake = filled(tmp_path, 30)
    past = Past(Reader(tmp_path))
    for t in (T0 + 3.03, T0 + 12.0, T0 + 1.5):
        shown = past.at(t)
        assert len(shown) == 20 and (shown["age"] <= 0.11).all()
    assert len(past.at(T0 + 100.0)) == 0
    lake.close()


def test_names_change_with_the_day_and_need_the_secret() -> None:
    a, b = Names(b"one"), Names(b"two")
    station = np.array([5, 6, 5])
    first = a.names(station, np.full(3, T0))
    assert first[0] == first[2] != first[1] and first[0] == a.name(5, int(T0 // 86_400))
    assert first[0] != a.names(station, np.full(3, T0 + 86_400))[0] and first[0] != b.names(station, np.full(3, T0))[0]


def test_the_log_is_plain(tmp_path) -> None:
    lake = filled(tmp_path, 1)
    commit = json.loads((tmp_path / "_log" / f"{1:020d}.json").read_text())
    assert (
        commit["streams"] == {"FRAMES": 1}
        and commit["frames"] == {"city.edge:1": [[0, 0]]}
        and commit["add"][0][1] == 200
    )
    lake.close()

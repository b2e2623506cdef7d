"""A short day of the platform in fast time: everything is taken, trips end and begin, and memory stays."""

from __future__ import annotations

from cloverleaf.cli.bench_cloud_day import SHIFT, day
from cloverleaf.cloud.store.query import Reader


def test_a_shift_and_a_half(tmp_path) -> None:
    hours, vehicles = 1.5 * SHIFT / 3600.0, 60
    out = day(tmp_path, hours, vehicles, hz=1.0, keep_s=300.0, sample_s=45.0)
    steps = round(1.5 * SHIFT)
    assert out["accepted"] == steps * vehicles and out["refused"] == {}
    assert out["stations"] > 2 * vehicles, "trips ended and others began"
    assert out["memory_mb_last"] - out["memory_mb_first"] < 20.0
    first, last, _ = Reader(tmp_path / "lake").span()
    assert 0.0 < last - first < 900.0, "what is old is forgotten"

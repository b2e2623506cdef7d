"""OpenDRIVE queries against the shared reference answers, for every shared map."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.map.query import MapQuery

SHARED = Path(__file__).resolve().parents[3] / "shared"
ORACLE = SHARED / "oracle" / "map"


def _maps() -> dict[str, Path]:
    found = {p.stem: p for p in SHARED.glob("maps/*/*.xodr")}
    for name in ("alks_road_different_curvatures", "X-Intersection_NCAP"):
        for path in SHARED.glob(f"scenarios/*/**/{name}.xodr"):
            found[name] = path
    return {n: p for n, p in found.items() if (ORACLE / f"{n}.lane_to_xyz.csv.gz").exists()}


MAPS = _maps()
pytestmark = pytest.mark.skipif(not MAPS, reason="needs ../shared/maps and ../shared/oracle/map")


def _table(name: str) -> dict[str, list[str]]:
    with gzip.open(ORACLE / name, "rt") as stream:
        rows = list(csv.DictReader(stream))
    return {key: [row[key] for row in rows] for key in rows[0]}


def _float(table: dict[str, list[str]], key: str) -> np.ndarray:
    return np.array([float(v) for v in table[key]])


@pytest.mark.parametrize("name", sorted(MAPS))
def test_lane_to_xyz(name: str) -> None:
    query, t = MapQuery.read(MAPS[name]), _table(f"{name}.lane_to_xyz.csv.gz")
    lane = _float(t, "lane_id").astype(np.int64)
    out = query.lane_to_xyz(query.rows(t["road_id"]), lane, _float(t, "s"), _float(t, "offset"))
    assert np.isfinite(out).all()
    assert np.hypot(out[:, 0] - _float(t, "x"), out[:, 1] - _float(t, "y")).max() < 1e-4
    assert np.abs(out[:, 2] - _float(t, "z")).max() < 1e-4
    turn = np.abs((out[:, 3] - _float(t, "heading") + np.pi) % (2 * np.pi) - np.pi)
    assert turn.max() < 1e-4


@pytest.mark.parametrize("name", sorted(n for n in MAPS if (ORACLE / f"{n}.xy_to_lane.csv.gz").exists()))
def test_xy_to_lane(name: str) -> None:
    query, t = MapQuery.read(MAPS[name]), _table(f"{name}.xy_to_lane.csv.gz")
    x, y = _float(t, "x"), _float(t, "y")
    ids, out = query.xy_to_lane(x, y, _float(t, "heading_hint"))
    back = query.lane_to_xyz(ids[:, 0], ids[:, 1], out[:, 0], out[:, 1])
    length = query.tables.road_length[ids[:, 0]]
    inner = (out[:, 0] > 1e-6) & (out[:, 0] < length - 1e-6)
    # Points beyond the end of a road come back at its end.
    assert np.hypot(back[:, 0] - x, back[:, 1] - y)[inner].max() < 1e-4
    assert np.hypot(back[:, 0] - x, back[:, 1] - y).max() < 0.45
    alone = _float(t, "roads_overlapping") <= 1
    road = np.array([query.drive.road_ids[i] for i in ids[:, 0]])
    same = (road == np.array(t["road_id"])) & (ids[:, 1] == _float(t, "lane_id"))
    assert same[alone].mean() > 0.98
    assert np.abs(out[:, 1] - _float(t, "offset"))[alone & same].max() < 0.06
    assert np.abs(out[:, 0] - _float(t, "s"))[alone & same].max() < 0.1

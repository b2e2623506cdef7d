"""`cloverleaf map`: the CSV contract both ways, and complaints that name file and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloverleaf.cli.main import dispatch
from cloverleaf.map.district import load_district
from cloverleaf.map.query_graph import GraphQuery
from cloverleaf.types.errors import MapError


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert dispatch(["map", *arguments]) == 0
    return capsys.readouterr().out.strip().split("\n")


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lanes, points = tmp_path / "lanes.csv", tmp_path / "points.csv"
    lanes.write_text("road_id,lane_id,s,offset\nWA,-2,100,0.25\nAB,3,20.5,-0.5\n")
    out = _run(capsys, "query", "builtin:district", "--from-lane", str(lanes))
    assert out[0] == "x,y,z,heading"
    assert len(out) == 3
    points.write_text("\n".join(out) + "\n")
    back = _run(capsys, "query", "builtin:district", "--from-xy", str(points))
    assert back[0] == "road_id,lane_id,s,offset"
    for line, want in zip(back[1:], (("WA", -2, 100.0, 0.25), ("AB", 3, 20.5, -0.5))):
        road, lane, s, offset = line.split(",")
        assert (road, int(lane)) == want[:2]
        assert np.allclose([float(s), float(offset)], want[2:], atol=2e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("road_id,lane_id,s\nWA,-1,x\n", "lanes.csv:2: s is not a number"),
        ("road_id,lane_id,s\nWB,-1,1\n", "lanes.csv:2: unknown road 'WB'"),
        ("road_id,lane_id,s\nWA,-1\n", "lanes.csv:2: 3 fields expected"),
        ("road_id,lane_id,s\nWA,-1.5,0\n", "lanes.csv:2: lane_id is not an integer"),
        ("road_id,lane_id,s\nWA,-1,1\nWA,-9,1\n", "lanes.csv:3: road 'WA' has no lane -9 at s = 1"),
        ("road_id,lane_id,s\nWA,-1,9000\n", "lanes.csv:2: s = 9000 is off road 'WA'"),
        ("road_id,s\nWA,1\n", "lanes.csv:1: column 'lane_id' is missing"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "lanes.csv"
    file.write_text(text)
    with pytest.raises(MapError, match=message):
        dispatch(["map", "query", "builtin:district", "--from-lane", str(file)])


def test_graph_queries_there_and_back() -> None:
    base_map, _ = load_district()
    query = GraphQuery(base_map)
    out = query.lane_to_xyz(["WA+0", "WA+0"], np.array([3, 99]), np.array([50.0, 1.0]), np.array([0.5, 0.0]))
    assert np.isnan(out[1]).all()
    assert query.why_nowhere("WA+0", 99, 1.0) == ("edge 'WA+0' has no lane 99", "lanes 0 to 4")
    assert query.why_nowhere("WA+0", 3, 9e3)[0] == "s = 9000 is off lane 3 of edge 'WA+0'"
    ids, lanes, s = query.xy_to_lane(out[:1, 0], out[:1, 1], out[:1, 3])
    assert (ids[0], lanes[0]) == ("WA+0", 3)
    assert np.allclose(s[0], (50.0, 0.5))


def test_convert_writes_geojson(tmp_path: Path) -> None:
    import json

    out = tmp_path / "lanes.geojson"
    assert dispatch(["map", "convert", "builtin:district", "--out", str(out)]) == 0
    features = json.loads(out.read_text())["features"]
    assert len(features) > 400
    longitude, latitude = features[0]["geometry"]["coordinates"][0]
    assert abs(longitude - 116.5) < 0.02 and abs(latitude - 39.795) < 0.02

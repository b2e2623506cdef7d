"""What the API says of the map beside its lanes."""

from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from cloverleaf.cloud.api.app import create_app, signal_lines
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.live.snapshot import HEAD, ROW, Snapshot
from cloverleaf.cloud.server.settings import read_map
from cloverleaf.road.roadside import Roadside


def test_stop_lines_cross_the_ends_of_the_lanes_that_signals_govern() -> None:
    graph = read_map("builtin:district").graph
    lines = np.array(signal_lines(graph))
    governed = {int(graph.link_from[k]) for k in np.flatnonzero(graph.link_signal >= 0)}
    assert 0 < len(lines) <= len(governed)
    ends = {}
    for lane in governed:
        p = slice(graph.lane_point_start[lane], graph.lane_point_start[lane + 1])
        x, y = graph.point_x[p], graph.point_y[p]
        ends[round(float(x[-1]), 1), round(float(y[-1]), 1)] = lane, np.array([x[-1] - x[-2], y[-1] - y[-2]])
    for x0, y0, x1, y1 in lines:
        lane, along = min(ends.items(), key=lambda e: np.hypot(e[0][0] - (x0 + x1) / 2, e[0][1] - (y0 + y1) / 2))[1]
        across = np.array([x1 - x0, y1 - y0])
        assert abs(np.hypot(*across) - graph.lane_width[lane]) < 0.05
        assert abs(along @ across) < 0.1 * np.hypot(*along) * np.hypot(*across)


def test_units_stand_where_the_road_puts_them_once_they_are_heard(tmp_path: Path) -> None:
    base_map = read_map("builtin:district")
    road, live = Roadside(base_map), Live(base_map)
    client = TestClient(create_app(live, tmp_path))
    assert client.get("/api/map").json()["units"] == []
    heads = np.zeros(3, HEAD)
    heads["group"], heads["index"] = road.rsu_group[1], np.arange(3)
    live.shots[0] = Snapshot(1.0, 0, np.zeros(0, ROW), heads)
    page = client.get("/api/map").json()
    place = {"id": "1", "x": round(float(road.rsu_x[1]), 2), "y": round(float(road.rsu_y[1]), 2)}
    assert page["units"] == [place] and page["features"] and page["stop_lines"]
    assert "units" not in client.get("/api/map?degrees=true").json()

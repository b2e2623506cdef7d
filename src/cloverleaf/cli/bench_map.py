"""Speed of OpenDRIVE loading and queries: the `map` rows of `cloverleaf bench`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BAR_LOAD, BAR_TO_POINT, BAR_TO_LANE = 0.3, 1e7, 2e6
"""s for Town03, queries/s and core."""


def run_bench(path: str | Path | None = None, queries: int = 200_000) -> dict[str, Any]:
    """Load time (s) and queries per second on one core: positions on lanes, weighted by road length, best of five runs."""
    import numpy as np

    from cloverleaf.map.district import DISTRICT_MAP
    from cloverleaf.map.opendrive.lanes import fill_lane_points
    from cloverleaf.map.opendrive.locate import fill_located
    from cloverleaf.map.query import MapQuery

    file = Path(path) if path is not None else DISTRICT_MAP
    query = MapQuery.read(file)
    load = _best(lambda: MapQuery.read(file))
    m = query.drive.map
    draw = np.random.default_rng(0)
    road = draw.choice(len(m.road_length), queries, p=m.road_length / m.road_length.sum()).astype(np.int64)
    s = draw.random(queries) * m.road_length[road]
    lane = draw.choice([-3, -2, -1, 1, 2, 3], queries).astype(np.int64)
    offset, out = draw.uniform(-0.4, 0.4, queries), np.empty((queries, 6))
    fill_lane_points(query.tables, road, lane, s, offset, out)
    hit = ~np.isnan(out[:, 0])
    road, lane, s, offset = road[hit], lane[hit], s[hit], offset[hit]
    out, n = np.empty((len(s), 6)), len(s)
    to_point = _best(lambda: fill_lane_points(query.tables, road, lane, s, offset, out))
    x, y, heading = (np.ascontiguousarray(out[:, i]) for i in (0, 1, 3))
    ids, found = np.empty((n, 2), np.int64), np.empty((n, 2))
    fill_located(query.tables, query.grid, x, y, heading, ids, found)
    to_lane = _best(lambda: fill_located(query.tables, query.grid, x, y, heading, ids, found))
    return {
        "map": str(file),
        f"load_s (bar {BAR_LOAD})": load,
        f"lane_to_xy_per_s (bar {BAR_TO_POINT:g})": n / to_point,
        f"xy_to_lane_per_s (bar {BAR_TO_LANE:g})": n / to_lane,
        "queries": n,
    }


def _best(run: Callable[[], Any]) -> float:
    """Shortest of five runs in s of this thread's processor time, so that other programs matter less."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)

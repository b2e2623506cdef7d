"""Routes resolved to lanes, beside their slow twin, and drivers who merge before a yield line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.naive.paths import edge_rows, yields

from cloverleaf.cli.bench_collisions import load_case
from cloverleaf.map.paths import build_paths

SHARED = Path(__file__).parents[3] / "shared"


@pytest.mark.parametrize("net", ["district", "resco_cologne8", "tavf_hamburg"])
def test_rows_equal_their_slow_twin(net: str) -> None:
    if net != "district" and not (SHARED / "nets" / net).is_dir():
        pytest.skip("shared traffic nets are not beside the checkout")
    base_map, demand, _ = load_case(net, SHARED, 1)
    paths, routes = build_paths(base_map, demand), demand.routes
    driven = np.flatnonzero(np.diff(demand.trips.stop_start) == 0)
    checked = merging = 0
    for trip in driven[:: max(1, len(driven) // 150)]:
        path, route = paths.trip_path[trip], demand.trips.route[trip]
        edges = routes.edge[routes.start[route] : routes.start[route + 1]].tolist()
        vclass = int(demand.types.vclass[demand.trips.vtype[trip]])
        for position, rows in zip(
            range(paths.start[path], paths.start[path + 1]), edge_rows(base_map.graph, edges, vclass)
        ):
            for lane, (link, way, off) in enumerate(rows):
                at = paths.pos_row[position] + lane
                assert paths.row_length[at] == pytest.approx(way)
                assert (paths.row_link[at], paths.row_offset[at]) == (link, off)
                checked += off != 0
                merging += off != 0 and link >= 0 and yields(base_map.graph, link)
    assert checked > 20
    assert merging > 0 or net != "tavf_hamburg"  # its two-lane roads narrow behind junctions

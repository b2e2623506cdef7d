"""Routing: costs against repeated relaxation, permissions, rerouting, determinism."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.naive.sumo_net import shortest

from cloverleaf.map.graph import VehicleClass
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.routing import Router

NET = Path(__file__).parents[3] / "shared" / "nets" / "resco_cologne8" / "cologne8.net.xml.gz"
BUSES = Path(__file__).parents[3] / "shared" / "nets" / "bologna_pasubio" / "pasubio_buslanes.net.xml.gz"

pytestmark = pytest.mark.skipif(not NET.exists(), reason="the nets of ../shared are not here")


@pytest.fixture(scope="module")
def base():
    return read_sumo_net(NET)


def _cost(router, edges, costs):
    total = 0.0
    for a, b in pairwise(edges):
        rows = range(router.turns.start[a], router.turns.start[a + 1])
        total += costs.edge[a] + min(costs.turn[t] for t in rows if router.turns.target[t] == b)
    return total


def test_routes_are_shortest(base):
    router = Router(base.graph)
    costs = router.costs(int(VehicleClass.PASSENGER))
    turns: dict[int, list[tuple[int, float]]] = {}
    for edge in range(len(base.edge_ids)):
        turns[edge] = [
            (int(router.turns.target[t]), float(costs.turn[t]))
            for t in range(router.turns.start[edge], router.turns.start[edge + 1])
        ]
    normal = np.flatnonzero(base.graph.edge_internal == 0)
    rng = np.random.default_rng(1)
    found = 0
    for a, b in rng.choice(normal, (40, 2)):
        way = router.route(a, b, costs)
        best = shortest(turns, {e: float(costs.edge[e]) for e in range(len(base.edge_ids))}, int(a), int(b))
        if len(way) == 0:
            assert best == np.inf
            continue
        found += 1
        assert way[0] == a and way[-1] == b and router.connected(way, int(VehicleClass.PASSENGER)) == -1
        assert _cost(router, way, costs) == pytest.approx(best)
    assert found > 20


def test_batch_equals_single_and_repeats(base):
    router = Router(base.graph)
    costs = router.costs(int(VehicleClass.PASSENGER))
    normal = np.flatnonzero(base.graph.edge_internal == 0)
    pairs = np.random.default_rng(2).choice(normal, (60, 2)).astype(np.int32)
    batch = router.routes(pairs[:, 0], pairs[:, 1], costs)
    again = Router(base.graph).routes(pairs[::-1, 0], pairs[::-1, 1], costs)
    for n, (a, b) in enumerate(pairs):
        mine = batch.edge[batch.start[n] : batch.start[n + 1]]
        other = again.edge[again.start[59 - n] : again.start[60 - n]]
        assert (mine == router.route(a, b, costs)).all() and (mine == other).all()


def test_closed_lanes_are_avoided():
    base = read_sumo_net(BUSES)
    router = Router(base.graph)
    first = base.graph.edge_lane_start
    only_bus = [
        e for e in range(len(base.edge_ids))
        if not base.graph.edge_internal[e] and (base.graph.lane_allow[first[e] : first[e + 1]] == VehicleClass.BUS).all()
    ]  # fmt: skip
    assert only_bus
    car, bus = router.costs(int(VehicleClass.PASSENGER)), router.costs(int(VehicleClass.BUS))
    assert np.isinf(car.edge[only_bus]).all() and np.isfinite(bus.edge[only_bus]).all()


def test_rerouting_leaves_a_jam(base):
    router = Router(base.graph)
    costs = router.costs(int(VehicleClass.PASSENGER))
    normal = np.flatnonzero(base.graph.edge_internal == 0)
    changed = 0
    for a, b in np.random.default_rng(3).choice(normal, (30, 2)):
        way = router.route(a, b, costs)
        if len(way) < 5:
            continue
        jam = costs.edge.copy()
        jam[way[2]] += 1e5
        detour = router.route(a, b, router.turn_costs(jam, int(VehicleClass.PASSENGER)))
        changed += way[2] not in detour
    assert changed > 5


def test_through_visits_all_stations(base):
    router = Router(base.graph)
    costs = router.costs(int(VehicleClass.PASSENGER))
    way = router.route(*_far(base, router, costs), costs)
    stations = [int(way[0]), int(way[len(way) // 2]), int(way[-1])]
    assert (router.through(stations, costs) == way).all()


def _far(base, router, costs):
    normal = np.flatnonzero(base.graph.edge_internal == 0)
    for a in normal:
        for b in normal[::-1]:
            if len(router.route(a, b, costs)) > 6:
                return a, b
    raise AssertionError

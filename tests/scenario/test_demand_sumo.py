"""SUMO demand: counts, routes, types, stops and flows of the nets in ../shared, and route lengths against the reference runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.map.census import require_supported
from cloverleaf.map.graph import LaneKind, VehicleClass
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.routing import Router
from cloverleaf.scenario.demand.sample import sample_demand
from cloverleaf.scenario.demand.sumo_config import read_sumocfg
from cloverleaf.scenario.demand.sumo_routes import read_sumo_routes
from cloverleaf.types.demand import Depart, FollowModel
from cloverleaf.types.state import Kind

SHARED = Path(__file__).parents[3] / "shared"
CONFIGS = sorted((SHARED / "nets").rglob("*.sumocfg"))

pytestmark = pytest.mark.skipif(not CONFIGS, reason="the nets of ../shared are not here")


def _load(config, seed=1):
    cfg = read_sumocfg(config)
    base = read_sumo_net(cfg.net, cfg.additional)
    plan = read_sumo_routes(base, cfg.routes, cfg.additional)
    router = Router(base.graph)
    return cfg, base, plan, router, sample_demand(base, plan, seed=seed, begin=cfg.begin, end=cfg.end, router=router)


@pytest.fixture(scope="module", params=["tavf_hamburg", "bologna_pasubio", "resco_cologne8"])
def city(request):
    return request.param, *_load(SHARED / "nets" / request.param / "run.sumocfg")


def _ways(demand):
    return [demand.routes.edge[a:b] for a, b in zip(demand.routes.start[:-1], demand.routes.start[1:])]


def test_every_trip_of_the_period_is_there(city):
    name, cfg, _, plan, _, demand = city
    expected = {"tavf_hamburg": 7098, "bologna_pasubio": 8664 + 112, "resco_cologne8": 2046}[name]
    late = sum(m.depart >= cfg.end for m in plan.movers)
    total = {"tavf_hamburg": 20051 + 1025 + 189, "bologna_pasubio": 8776, "resco_cologne8": 2046}[name]
    assert len(plan.movers) == total and len(demand.trips.depart) == total - late
    assert len(demand.trips.depart) <= expected
    assert (np.diff(demand.trips.depart) >= 0).all() and demand.trips.depart.min() >= cfg.begin


def test_routes_are_connected_for_their_vehicles(city):
    _, _, _, _, router, demand = city
    ways = _ways(demand)
    for route, vtype in {(int(r), int(t)) for r, t in zip(demand.trips.route, demand.trips.vtype)}:
        assert router.connected(ways[route], int(demand.types.vclass[vtype])) == -1


def test_mean_route_length_is_that_of_the_reference(city):
    name, cfg, _, _, router, demand = city
    oracle = json.loads((SHARED / "oracle" / "sumo" / f"{name}.json").read_text())
    reference = _route_length(oracle)
    ways = _ways(demand)
    length = np.array([router.length(way) for way in ways])[demand.trips.route]
    costs = router.costs(int(VehicleClass.ALL))
    free = np.array([costs.edge[way].sum() for way in ways])[demand.trips.route]
    # The reference counts arrived vehicles: leave out those who cannot arrive before the end in city traffic (1.5 x free flow).
    arrives = demand.trips.depart + 1.5 * free < cfg.end
    assert arrives.mean() > 0.85
    assert length[arrives].mean() == pytest.approx(reference, rel=0.02)


def _route_length(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "route_length_m":
                return value["mean"] if isinstance(value, dict) else value
            found = _route_length(value)
            if found is not None:
                return found
    elif isinstance(node, list):
        for value in node:
            found = _route_length(value)
            if found is not None:
                return found
    return None


def test_stops_lie_on_their_routes_in_order(city):
    _, _, base, _, _, demand = city
    ways = _ways(demand)
    for trip in np.flatnonzero(np.diff(demand.trips.stop_start)):
        rows = slice(demand.trips.stop_start[trip], demand.trips.stop_start[trip + 1])
        edges = base.graph.lane_edge[demand.stops.lane[rows]]
        way = list(ways[demand.trips.route[trip]])
        assert all(e in way for e in edges)
        assert (demand.stops.duration[rows] >= 0).all() and (
            demand.stops.start_pos[rows] < demand.stops.end_pos[rows]
        ).all()


def test_types_of_hamburg():
    *_, demand = _load(SHARED / "nets/tavf_hamburg/run.sumocfg")
    row = demand.type_ids.index("PKW_special")
    t = demand.types
    assert (t.speed_factor_mean[row], t.speed_factor_dev[row], t.min_gap[row], t.sigma[row]) == (1.0, 0.0, 2.5, 0.0)
    row = demand.type_ids.index("PKW")
    factor = (t.speed_factor_mean[row], t.speed_factor_dev[row], t.speed_factor_min[row], t.speed_factor_max[row])
    assert factor == (1.1, 0.1, 0.8, 1.4) and (t.lc_cooperative[row], t.lc_assertive[row]) == (0.8, 1.2)
    bus = demand.type_ids.index("MetroBUS")
    assert (t.length[bus], t.accel[bus], t.decel[bus], t.max_speed[bus]) == (12.0, 1.2, 4.0, pytest.approx(27.778))
    assert set(demand.trips.depart_lane) == {Depart.BEST, Depart.FIRST}
    assert demand.stops.parking.sum() > 0


def test_type_shares_of_a_distribution():
    *_, demand = _load(SHARED / "nets/bologna_pasubio/run.sumocfg")
    private = np.array([demand.type_ids[v].startswith("passenger") for v in demand.trips.vtype])
    share = np.bincount(demand.trips.vtype[private]) / private.sum()
    rows = [i for i, n in enumerate(demand.type_ids) if n.startswith("passenger")]
    weight = {"passenger1": 0.4 / 1.15, "passenger2a": 0.2 / 1.15, "passenger5": 0.05 / 1.15}
    for name, p in weight.items():
        assert share[demand.type_ids.index(name)] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / private.sum()))
    assert share[rows].sum() == pytest.approx(1.0)


def test_same_seed_same_demand_other_seed_other_demand():
    config = SHARED / "nets/micro/signal_4leg/mid.sumocfg"
    a, b, c = (_load(config, seed)[-1] for seed in (5, 5, 6))
    assert all((x == y).all() for x, y in zip(a.trips, b.trips))
    assert len(a.trips.depart) != len(c.trips.depart) or (a.trips.depart != c.trips.depart).any()


@pytest.mark.parametrize(("level", "per_hour"), [("low", 1000), ("mid", 2000), ("high", 3400)])
def test_probability_flows_have_their_rate(level, per_hour):
    *_, demand = _load(SHARED / f"nets/micro/signal_4leg/{level}.sumocfg")
    assert len(demand.trips.depart) == pytest.approx(per_hour, abs=4 * np.sqrt(per_hour))
    assert demand.trip_ids[0].rpartition(".")[2] == "0"


def test_models_of_the_queue_cases():
    for name, model in (
        ("acc", FollowModel.ACC),
        ("cacc", FollowModel.CACC),
        ("idm", FollowModel.IDM),
        ("krauss", FollowModel.KRAUSS),
    ):
        *_, demand = _load(SHARED / f"nets/micro/queue_discharge/{name}.sumocfg")
        assert demand.types.model[0] == model and len(demand.trips.depart) == 60
        assert demand.trips.depart_pos[:2].tolist() == [795.0, 787.5] and (demand.trips.depart_speed == 0).all()


def test_people_walk_over_the_crossing():
    _, base, _, _, demand = _load(SHARED / "nets/micro/ped_crossing/mid.sumocfg")
    g = base.graph
    for i in range(len(demand.walks.depart)):
        path = demand.walks.path_lane[demand.walks.path_start[i] : demand.walks.path_start[i + 1]]
        kinds = [LaneKind(k) for k in g.lane_kind[path]]
        assert kinds == [
            LaneKind.SIDEWALK,
            LaneKind.WALKING_AREA,
            LaneKind.CROSSING,
            LaneKind.WALKING_AREA,
            LaneKind.SIDEWALK,
        ]
    assert len(demand.walks.depart) == pytest.approx(216, abs=60)
    assert demand.walks.speed.mean() == pytest.approx(1.39, abs=0.05) and demand.walks.speed.std() > 0.05


@pytest.mark.parametrize("config", CONFIGS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_all_configurations_are_supported(config):
    cfg, base, plan, _, demand = _load(config)
    assert require_supported((*cfg.census, *base.census, *plan.census)) == ()
    t = demand.types
    assert (t.length > 0).all() and (t.emergency_decel >= t.decel).all() and (t.kind != Kind.NONE).all()
    assert len(demand.trip_ids) == len(demand.trips.depart)

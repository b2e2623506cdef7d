"""From a demand plan to the demand of one seed: flows expanded, types and routes drawn, trips routed."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo import rng
from cloverleaf.map.graph import BaseMap, VehicleClass
from cloverleaf.map.routing import Costs, Router
from cloverleaf.scenario.demand.persons import path_table
from cloverleaf.scenario.demand.plan import DemandPlan, Mover, Stop, Timing, Walk
from cloverleaf.types.demand import Demand, Routes, Stops, Trips, VehicleTypes, Walks
from cloverleaf.types.errors import DemandError
from cloverleaf.types.state import I64, Kind

_Profile = tuple[float, float, float]
"""What the cost of a way depends on: class bits, top speed m/s, mean speed factor."""
_Way = tuple[tuple[int, ...], _Profile]
"""Stations and profile."""


def sample_demand(
    base_map: BaseMap,
    plan: DemandPlan,
    *,
    seed: int,
    begin: float = 0.0,
    end: float = math.inf,
    step: float = 1.0,
    router: Router | None = None,
) -> Demand:
    """Draw the demand of one seed for departures in [begin, end) s.

    `step` s is the grid on which flows with a probability draw. Type and route of a trip are drawn from streams keyed by
    (seed, trip row), departures of flow f from (seed, f). Raises DemandError where a trip has no way or a route is broken.
    """
    router = router or Router(base_map.graph)
    movers = [m for m in plan.movers if begin <= m.depart < end]
    walks = [w for w in plan.walks if begin <= w.depart < end]
    for number, (pattern, timing) in enumerate(plan.flows):
        for count, depart in enumerate(_departures(timing, seed, number, end, step)):
            if depart < begin:
                continue
            name = f"{pattern.name}.{count}"
            if isinstance(pattern, Walk):
                walks.append(pattern._replace(name=name, depart=depart))
            else:
                movers.append(pattern._replace(name=name, depart=depart))
    movers.sort(key=lambda m: m.depart)
    walks.sort(key=lambda w: w.depart)
    types = plan.types.table()
    vtype = np.array([m.types.pick(_draw(seed, i, rng.DRIVER_TYPE)) for i, m in enumerate(movers)], np.int32)
    routes, route = _routes(base_map, plan, router, types, movers, vtype, seed)
    stops, stop_start = _stops(base_map, plan, routes, movers, route)
    trips = _trips(base_map, types, routes, movers, vtype, route, stop_start)
    walk_rows = _walks(types, walks, seed)
    return Demand(types, routes, trips, stops, walk_rows, tuple(m.name for m in movers), tuple(plan.types.ids))


def _draw(seed: int, actor: int, purpose: int, counter: int = 0) -> float:
    return float(rng.uniform(np.uint64(rng.stream(seed, 0, actor, purpose)), counter))


def _departures(timing: Timing, seed: int, flow: int, end: float, step: float) -> list[float]:
    """Departure times of one flow, ascending."""
    stop = min(timing.end, end)
    times: list[float] = []
    limit = timing.number if timing.number >= 0 else math.inf
    key = np.uint64(rng.stream(seed, 0, flow, rng.DEPART))
    if not math.isnan(timing.period):
        while len(times) < limit:
            at = timing.begin + len(times) * timing.period if times else timing.begin
            if at >= stop or (not times and math.isinf(timing.period)):
                break
            times.append(at)
        return times
    if not math.isfinite(stop):
        raise DemandError(f"flow {flow} never ends", hint="give the flow or the run an end")
    at, counter = timing.begin, 0
    if not math.isnan(timing.rate):
        while len(times) < limit:
            at += -math.log(1.0 - rng.uniform(key, counter)) / timing.rate
            counter += 1
            if at >= stop:
                break
            times.append(at)
        return times
    chance = min(timing.probability * step, 1.0)
    # Geometric gaps are the same process as one draw per step, at the cost of one draw per vehicle.
    slot = -1
    while chance > 0.0 and len(times) < limit:
        gap = (
            1.0
            if chance >= 1.0
            else math.floor(math.log(1.0 - rng.uniform(key, counter)) / math.log(1.0 - chance)) + 1.0
        )
        slot += int(gap)
        counter += 1
        at = timing.begin + slot * step
        if at >= stop - 1e-9:
            break
        times.append(at)
    return times


def _routes(
    base_map: BaseMap,
    plan: DemandPlan,
    router: Router,
    types: VehicleTypes,
    movers: list[Mover],
    vtype: np.ndarray,
    seed: int,
) -> tuple[Routes, np.ndarray]:
    """Given routes first, then those found for trips; each distinct way once."""
    edges = list(plan.routes)
    row = np.zeros(len(movers), np.int32)
    checked: set[tuple[int, int]] = set()
    wanted: dict[_Way, list[int]] = {}
    for i, mover in enumerate(movers):
        t = vtype[i]
        if mover.route.choice is not None:
            choice = mover.route.choice
            row[i] = choice.pick(_draw(seed, i, rng.ROUTE_CHOICE)) if len(choice.rows) > 1 else choice.rows[0]
            pair = (int(row[i]), int(types.vclass[t]))
            if pair not in checked:
                checked.add(pair)
                _check(base_map, router, mover, edges[row[i]], int(types.vclass[t]))
            continue
        profile = (float(types.vclass[t]), float(types.max_speed[t]), float(types.speed_factor_mean[t]))
        wanted.setdefault((mover.route.stations, profile), []).append(i)
    costs: dict[_Profile, Costs] = {}
    # By profile and origin, so that one search tree serves all trips that start on an edge.
    direct: dict[_Profile, list[tuple[int, ...]]] = {}
    for stations, profile in wanted:
        if profile not in costs:
            costs[profile] = router.costs(int(profile[0]), profile[1], profile[2])
        if len(stations) == 2:
            direct.setdefault(profile, []).append(stations)
    found: dict[_Way, np.ndarray] = {}
    for profile, pairs in direct.items():
        table = np.array(pairs, np.int32)
        ways = router.routes(table[:, 0], table[:, 1], costs[profile])
        for n, stations in enumerate(pairs):
            found[stations, profile] = ways.edge[ways.start[n] : ways.start[n + 1]]
    for key, users in wanted.items():
        way = found[key] if key in found else router.through(list(key[0]), costs[key[1]])
        if len(way) == 0:
            mover, names = movers[users[0]], base_map.edge_ids
            chain = "' to '".join(names[e] for e in key[0])
            message = f"no way leads from '{chain}' for this vehicle class"
            raise DemandError(
                message, file=mover.file, line=mover.line, element=mover.name, hint="check permissions and connections"
            )
        row[users] = len(edges)
        edges.append(way)
    start = np.concatenate(([0], np.cumsum([len(e) for e in edges]))).astype(np.int64)
    return Routes(start, np.concatenate(edges).astype(np.int32) if edges else np.zeros(0, np.int32)), row


def _check(base_map: BaseMap, router: Router, mover: Mover, edges: np.ndarray, vclass: int) -> None:
    bad = router.connected(edges, vclass)
    if bad < 0:
        return
    name = base_map.edge_ids[edges[bad]]
    before = f"after '{base_map.edge_ids[edges[bad - 1]]}' " if bad else ""
    message = f"the route is broken {before}at '{name}': no connection for {VehicleClass(vclass).name or 'this class'}"
    raise DemandError(
        message, file=mover.file, line=mover.line, element=mover.name, hint="check the order of the edges"
    )


def _stops(
    base_map: BaseMap, plan: DemandPlan, routes: Routes, movers: list[Mover], route: np.ndarray
) -> tuple[Stops, I64]:
    rows: list[Stop] = []
    start = [0]
    lane_edge = base_map.graph.lane_edge
    for i, mover in enumerate(movers):
        own = (*plan.route_stops.get(int(route[i]), ()), *mover.stops)
        if own:
            way = routes.edge[routes.start[route[i]] : routes.start[route[i] + 1]]
            for stop in own:
                if lane_edge[stop.lane] not in way:
                    lane = base_map.lane_ids[stop.lane]
                    message = f"the stop on lane '{lane}' is not on the route"
                    raise DemandError(message, file=mover.file, line=mover.line, element=mover.name)
            rows.extend(own)
        start.append(len(rows))
    columns = list(zip(*rows)) or [()] * 6
    dtypes = (np.int32, float, float, float, float, np.uint8)
    return Stops(*(np.array(c, d) for c, d in zip(columns, dtypes))), np.array(start, np.int64)


def _trips(
    base_map: BaseMap,
    types: VehicleTypes,
    routes: Routes,
    movers: list[Mover],
    vtype: np.ndarray,
    route: np.ndarray,
    stop_start: I64,
) -> Trips:
    g = base_map.graph
    length = g.lane_length[g.edge_lane_start[:-1]]
    first, last = routes.edge[routes.start[route]], routes.edge[routes.start[route + 1] - 1]
    pos = np.array([m.depart_pos for m in movers], float)
    back = np.array([m.depart_back for m in movers], float)
    arrival = np.array([m.arrival_pos for m in movers], float)
    lane = np.array([m.depart_lane for m in movers], np.int32)
    lanes = np.diff(g.edge_lane_start)[first]
    if (lane >= lanes).any():
        mover = movers[int(np.flatnonzero(lane >= lanes)[0])]
        name = base_map.edge_ids[first[np.flatnonzero(lane >= lanes)[0]]]
        raise DemandError(
            f"edge '{name}' has no lane {mover.depart_lane}", file=mover.file, line=mover.line, element=mover.name
        )
    end = length[last]
    arrival = np.where(arrival < 0.0, np.maximum(end + arrival, 0.0), arrival)
    return Trips(
        depart=np.array([m.depart for m in movers], float),
        vtype=vtype,
        route=route,
        depart_lane=lane,
        depart_pos=np.where(
            back >= 0.0, np.maximum(length[first] - back, 0.0), np.where(pos >= 0, np.minimum(pos, length[first]), pos)
        ),
        depart_speed=np.array([m.depart_speed for m in movers], float),
        arrival_pos=np.where(arrival >= end, -1.0, arrival),
        smart=(types.kind[vtype] == Kind.CAR).astype(np.uint8),
        stop_start=stop_start,
    )


def _walks(types: VehicleTypes, walks: list[Walk], seed: int) -> Walks:
    start, lanes = path_table([w.path for w in walks])
    speed = np.zeros(len(walks))
    for i, walk in enumerate(walks):
        key = np.uint64(rng.stream(seed, 0, i, rng.PEDESTRIAN))
        t = walk.types.pick(rng.uniform(key, 0))
        mean, dev = types.speed_factor_mean[t], types.speed_factor_dev[t]
        factor = rng.truncated_normal(key, 1, mean, dev, types.speed_factor_min[t], types.speed_factor_max[t])
        speed[i] = types.max_speed[t] * factor
    return Walks(
        depart=np.array([w.depart for w in walks], float),
        path_start=start,
        path_lane=lanes,
        speed=speed,
        depart_pos=np.array([w.depart_pos for w in walks], float),
        arrival_pos=np.array([w.arrival_pos for w in walks], float),
    )

"""Bench row of human traffic: pairs of vehicles that touch although nobody errs, and whether the traffic flows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.cli.bench_traffic import load
from cloverleaf.loop.batch import Batch
from cloverleaf.map.graph import BaseMap
from cloverleaf.map.road_tables import signal_starts
from cloverleaf.map.spatial import empty_grid, rebuild
from cloverleaf.types import traffic as T
from cloverleaf.types.collisions import empty_events
from cloverleaf.types.demand import Demand
from cloverleaf.types.state import I64, U8
from cloverleaf.world import collision
from cloverleaf.world.fault import empty_conduct, right_of_way, watch
from cloverleaf.world.world import World

CASES = {"district": 3600.0, "resco_cologne8": 3600.0, "bologna_pasubio": 3600.0, "tavf_hamburg": 1200.0}
"""Net -> seconds driven."""
EVERY = 0.5
"""s between looks at who touches whom; at most one vehicle length at city speeds."""
GRID_MARGIN = 50.0  # m around the map


class Contact(NamedTuple):
    """A pair of vehicles at first contact."""

    time: float  # s
    trips: tuple[int, int]
    slots: tuple[int, int]
    kind: int  # collisions.CollisionKind
    speeds: tuple[float, float]  # m/s


class Watch:
    """Sees which vehicles of a world of human drivers touch; it never interferes."""

    def __init__(self, world: World) -> None:
        graph, capacity = world.base_map.graph, len(world.actors.kind)
        x, y = graph.point_x, graph.point_y
        self.world, self.contacts = world, dict[tuple[int, int], Contact]()
        self._grid = empty_grid(
            x.min() - GRID_MARGIN, y.min() - GRID_MARGIN, x.max() + GRID_MARGIN, y.max() + GRID_MARGIN, 15.0, capacity
        )
        self._rules, self._conduct = right_of_way(graph), empty_conduct(capacity)
        self._crashes, self._events = collision.empty_crashes(capacity), empty_events(4096)

    def look(self, start: I64, light: U8) -> list[Contact]:
        """Pairs that touch now and never did before, under the lights `light` of groups that begin at `start`."""
        w, e = self.world, self._events
        w.refresh()
        a = w.actors
        watch(a, self._conduct, self._rules, start, light, w.time)
        rebuild(self._grid, a.x, a.y, a.kind)
        e.filled[:] = 0
        self._crashes.until[:] = 0.0
        collision.detect(
            a, self._grid, self._rules, self._conduct, self._crashes, e, collision.CollisionRules(), w.time
        )
        fresh = []
        for row in range(int(e.filled[0])):
            pair = (int(e.trip_a[row]), int(e.trip_b[row]))
            if pair not in self.contacts:
                slots = tuple(int(np.flatnonzero(a.trip == trip)[0]) for trip in pair)
                found = Contact(
                    w.time, pair, (slots[0], slots[1]), int(e.kind[row]), (float(e.speed_a[row]), float(e.speed_b[row]))
                )
                self.contacts[pair] = found
                fresh.append(found)
        return fresh


def load_case(name: str, data: Path | None, seed: int) -> tuple[BaseMap, Demand, float]:
    """Base map, demand without smart cars, and begin (s) of the district or of a net in `data`."""
    if name != "district":
        if data is None:
            raise FileNotFoundError(name)
        setup, base_map, demand = load(data / "nets" / name / "run.sumocfg", seed)
        return base_map, demand, setup.begin
    from cloverleaf.map.district import load_district
    from cloverleaf.scenario.demand.flow_table import read_flow_table
    from cloverleaf.scenario.demand.sample import sample_demand

    base_map, table = load_district()
    demand = sample_demand(base_map, read_flow_table(base_map, table), seed=seed, begin=0.0, end=CASES[name])
    return base_map, demand._replace(trips=demand.trips._replace(smart=np.zeros_like(demand.trips.smart))), 0.0


def run_bench(name: str, data: Path | None, step: float = 0.1, seed: int = 1) -> dict[str, Any]:
    """One net without human errors: pairs in contact (bar 0), trips that entered and arrived, the longest wait."""
    if name != "district" and (data is None or not (data / "nets" / name / "run.sumocfg").is_file()):
        return {"name": f"collisions:{name}", "skipped": "needs --data with nets/" + name}
    base_map, demand, begin = load_case(name, data, seed)
    world = World(base_map, demand, seed=seed, step=step, begin=begin, measured=False)
    batch, seen = Batch(world), Watch(world)
    start, light = signal_starts(base_map.graph), world.ground.roads.light
    stride = max(1, round(EVERY / step))
    for _ in range(round(CASES[name] / step / stride)):
        batch.run(stride)
        seen.look(start, light)
    ledger, v = world.ledger(), world.ground.vehicles
    waits = v.f[v.active[: v.count[0]], T.WAIT]
    return {
        "name": f"collisions:{name}",
        "seconds": CASES[name],
        "step_s": step,
        "seed": seed,
        "pairs": len(seen.contacts),
        "inserted": int((~np.isnan(ledger[:, T.TRIP_DEPART])).sum()),
        "arrived": int((~np.isnan(ledger[:, T.TRIP_ARRIVAL])).sum()),
        "longest_wait_s": float(waits.max()) if len(waits) else 0.0,
    }

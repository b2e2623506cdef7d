"""The world: the only owner of writable truth. Inserts, moves and removes road users, and shows them to drivers and sensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import BaseMap
from cloverleaf.map.neighbours import empty_lists
from cloverleaf.map.paths import build_paths
from cloverleaf.map.road_tables import road_tables
from cloverleaf.types import traffic as T
from cloverleaf.types.demand import Demand, Stops
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import I32, Actors, empty_actors
from cloverleaf.world.changes import change_all
from cloverleaf.world.insertion import Queue, build_queue, insert_due
from cloverleaf.world.motion import account, move_all
from cloverleaf.world.places import place_all


class Ground(NamedTuple):
    """Everything that the traffic kernels of the world read and write."""

    vehicles: T.Vehicles
    lists: T.LaneLists
    roads: T.Roads
    paths: T.Paths
    stops: Stops
    ledger: T.Ledger
    queue: Queue
    clock: T.Clock
    scratch: I32  # (capacity,)


def empty_vehicles(capacity: int) -> T.Vehicles:
    """A table of `capacity` free rows."""
    ints = np.full((capacity, T.I_COLUMNS), -1, np.int32)
    return T.Vehicles(
        np.zeros((capacity, T.F_COLUMNS)), ints, np.zeros(capacity, np.uint64), np.zeros(capacity, np.int32),
        np.array([0, capacity, 0, 0], np.int64),
    )  # fmt: skip


class World:
    """One world on one base map with one demand. `time` is the simulation time in seconds."""

    def __init__(
        self,
        base_map: BaseMap,
        demand: Demand,
        *,
        seed: int = 0,
        step: float = 0.1,
        begin: float = 0.0,
        capacity: int = 0,
        measured: bool = True,
    ) -> None:
        graph = base_map.graph
        trips = len(demand.trips.depart)
        capacity = max(1, min(trips, capacity) if capacity else trips)
        self.base_map, self.demand, self.seed, self.dt = base_map, demand, seed, step
        self.measured = np.int64(measured)
        ledger = np.zeros((max(trips, 1), T.LEDGER_COLUMNS))
        ledger[:, [T.TRIP_DEPART, T.TRIP_ARRIVAL]] = np.nan
        self.ground = Ground(
            empty_vehicles(capacity), empty_lists(len(graph.lane_edge), len(graph.junction_x)), road_tables(graph),
            build_paths(base_map, demand), demand.stops, T.Ledger(ledger),
            build_queue(graph, demand, capacity, seed), T.Clock(np.array([begin, step]), np.zeros(1, np.int64)),
            np.zeros(capacity, np.int32),
        )  # fmt: skip
        self.actors: Actors = empty_actors(capacity)
        links = len(graph.link_from)
        self._view = T.HumanView(
            self.ground.vehicles, self.ground.lists, self.ground.roads, self.ground.paths, self.ground.clock,
            demand.stops.lane, demand.stops.end_pos, np.full(links, 1e18),
        )  # fmt: skip
        self._skip_past_trips(begin)
        self._insert()
        self.refresh()

    def _skip_past_trips(self, begin: float) -> None:
        """Trips that departed before `begin` do not take place."""
        self.ground.queue.count[0] = int(np.searchsorted(self.ground.queue.depart, begin - 1e-9))

    def _insert(self) -> None:
        g = self.ground
        insert_due(g.vehicles, g.lists, g.roads, g.paths, g.ledger, g.queue, g.clock.time[0], g.clock.time[1])

    @property
    def time(self) -> float:
        """Simulation time, s."""
        return float(self.ground.clock.time[0])

    def view(self) -> T.HumanView:
        """What drivers may see; read-only by agreement."""
        return self._view

    def show(self, signals: SignalState) -> None:
        """Show the lights of `signals` to the drivers."""
        self.ground.roads.light[: len(signals.light)] = signals.light

    def step(self, intents: T.HumanIntents) -> None:
        """Advance by one step: move everyone, change lanes where there is room, insert who is due."""
        g = self.ground
        move_all(
            g.vehicles, g.lists, g.roads, g.paths, g.stops, g.ledger, g.queue.free, g.clock, intents, g.scratch, self.measured
        )  # fmt: skip
        change_all(g.vehicles, g.lists, g.roads, g.paths, g.clock, intents)
        g.clock.step[0] += 1
        g.clock.time[0] += g.clock.time[1]
        self._insert()

    def refresh(self) -> None:
        """Bring the `actors` table up to date: positions and headings from the lanes' centre lines."""
        g, m = self.ground, self.base_map.graph
        place_all(
            g.vehicles, g.paths, m.lane_point_start, m.point_x, m.point_y, m.point_s, g.lists.left_odo, g.roads, self.actors
        )  # fmt: skip

    def ledger(self) -> np.ndarray:
        """Account of all trips, those on the road included; shape (trips, LEDGER_COLUMNS)."""
        g = self.ground
        for slot in g.vehicles.active[: g.vehicles.count[0]]:
            account(g.vehicles, g.ledger, int(slot))
        return g.ledger.f

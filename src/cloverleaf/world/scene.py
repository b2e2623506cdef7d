"""The whole scene of one world: traffic, smart cars on their wheels, people on foot, collisions, sensors. Two exits: `sense` and `view`."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.map.graph import BaseMap
from cloverleaf.map.loops import Loops
from cloverleaf.map.spatial import Grid, empty_grid, rebuild
from cloverleaf.types.collisions import CollisionEvents, empty_events
from cloverleaf.types.demand import Demand
from cloverleaf.types.frames import FleetMission, SensorFrames
from cloverleaf.types.people import PeopleIntents, PeopleView
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import F64, I32, I64, U8, Actors, Control, VehicleCommands, empty_actors
from cloverleaf.types.traffic import HALTED, STATE
from cloverleaf.world import collision, sensing
from cloverleaf.world.dynamics import PlantParameters, empty_plant, move_fleet
from cloverleaf.world.fault import empty_conduct, right_of_way, watch
from cloverleaf.world.lights import Cameras
from cloverleaf.world.locate import locate_fleet, place_entrants
from cloverleaf.world.sensing_lane import LaneCameras
from cloverleaf.world.walking import Walking
from cloverleaf.world.weather import Weather
from cloverleaf.world.world import World
from cloverleaf.world.wrecks import clear_away, hold_wrecks

MARGIN = 50.0
"""m around the map that the grids cover."""
MOST_COLLISIONS = 4096
MOST_WALKERS = 4000
"""People on foot at the same time."""
SMALLEST_CELL = 15.0
"""m"""
MOST_CELLS = 40_000


def _grid(base_map: BaseMap, capacity: int) -> Grid:
    """One index for collisions and sensors; the cells grow with the map, because every rebuild visits all of them."""
    g = base_map.graph
    low_x, low_y, high_x, high_y = (g.point_x.min(), g.point_y.min(), g.point_x.max(), g.point_y.max())
    area = (high_x - low_x + 2 * MARGIN) * (high_y - low_y + 2 * MARGIN)
    cell = max(SMALLEST_CELL, math.sqrt(area / MOST_CELLS))
    return empty_grid(low_x - MARGIN, low_y - MARGIN, high_x + MARGIN, high_y + MARGIN, cell, capacity)


class Scene:
    """Truth of one world. Arrays that it hands out are its own: read, never keep or write.

    Args:
        base_map, demand: where and who; `demand.trips.smart` marks the smart cars.
        seed: of all random streams.
        step: s.
        begin: simulation time at the start, s.
        sensors: what cars and roadside units carry.
    """

    def __init__(
        self,
        base_map: BaseMap,
        demand: Demand,
        *,
        seed: int = 0,
        step: float = 0.1,
        begin: float = 0.0,
        sensors: sensing.SensorSet | None = None,
        weather: Weather | None = None,
    ) -> None:
        self.traffic = World(base_map, demand, seed=seed, step=step, begin=begin)
        vehicles, people = len(self.traffic.actors.kind), min(len(demand.walks.depart), MOST_WALKERS)
        capacity = vehicles + people
        self.actors: Actors = empty_actors(capacity)
        self.traffic.actors = self.actors
        self.walking = Walking(base_map, demand, vehicles, people, begin)
        self.base_map, self.demand, self.dt = base_map, demand, step
        self.plant, self.parameters = empty_plant(capacity), PlantParameters()
        self.rules, self.conduct = right_of_way(base_map.graph), empty_conduct(capacity)
        self.crash_rules, self.crashes = collision.CollisionRules(), collision.empty_crashes(capacity)
        self.collisions: CollisionEvents = empty_events(MOST_COLLISIONS)
        self.removed: tuple[int, ...] = ()
        self._grid = _grid(base_map, capacity)
        sensors = sensors or sensing.default_sensors()
        self._eyes = sensing.Sensing(capacity, self._grid, sensors, weather or Weather(), seed, step=step)
        self._lanes = LaneCameras(base_map.graph, capacity, sensors.lane, seed, step)
        self._known = np.full(capacity, -1, np.int64)
        self._expired, self._cleared = np.zeros(capacity, np.int32), np.zeros(capacity, np.int64)
        self._looks = 0
        self._cameras, self._loops = Cameras(base_map.graph, demand), Loops(base_map.graph)
        self._arrive()

    @property
    def time(self) -> float:
        """Simulation time, s."""
        return self.traffic.time

    @property
    def fleet(self) -> I32:
        """Rows of Actors that hold smart cars, ascending."""
        return self._fleet

    @property
    def stations(self) -> I64:
        """V2X station ids of the fleet: their trip rows."""
        return self.actors.trip[self._fleet]

    def mission(self) -> FleetMission:
        """What each smart car knows of its own trip, in fleet order."""
        a, trips, types, rows = self.actors, self.demand.trips, self.demand.types, self._fleet
        trip = a.trip[rows]
        kind = trips.vtype[trip]
        return FleetMission(
            trip, trips.route[trip], a.route_pos[rows], a.length[rows], a.width[rows],
            types.max_speed[kind], trips.arrival_pos[trip], a.kind[rows],
        )  # fmt: skip

    def view(self) -> PeopleView:
        """What people may see; read-only by agreement."""
        return PeopleView(self.traffic.view(), self.walking.view())

    def halted(self) -> U8:
        """1 for every row that stands at a scheduled stop."""
        out = np.zeros(len(self.actors.kind), np.uint8)
        state = self.traffic.ground.vehicles.i[:, STATE]
        out[: len(state)] = (state & HALTED) != 0
        return out

    def sense(self, units_xy: F64, signals: SignalState) -> SensorFrames:
        """Sensor frames of the fleet and of roadside units at `units_xy` (m, shape (units, 2)), under these lights."""
        frames = self._eyes.sense(self.actors, self._fleet, units_xy, self.time, self._looks)
        marked = self._lanes.see(self.actors, self._fleet, self.time, self._looks)
        self._looks += 1
        shown = self._cameras.see(self.actors, self._fleet, signals.light, self.time)
        return frames._replace(lights=shown, lanes=marked)

    def loops(self) -> F64:
        """Time (s) at which a vehicle was last over the induction loop of each lane, -1e18 never; shape (L,)."""
        return self._loops.read(self.traffic.view())

    def step(self, intents: PeopleIntents, commands: VehicleCommands, signals: SignalState) -> None:
        """Advance everyone by one step; `signals` are shown to everyone from now on."""
        self.traffic.show(signals)
        g, graph, a = self.traffic.ground, self.base_map.graph, self.actors
        hold_wrecks(g.vehicles, a, self.crashes, intents.drivers)
        if len(self._fleet):
            move_fleet(a, self._fleet, self.plant, commands, self.parameters, self.dt)
            wrecked = self._fleet[self.crashes.until[self._fleet] > 0.0]
            a.speed[wrecked] = 0.0
            locate_fleet(
                g.vehicles, g.lists, g.roads, g.paths, graph.lane_point_start, graph.point_x, graph.point_y, graph.point_s, a,
                self._fleet, g.clock, self.traffic.measured,
            )  # fmt: skip
        self.traffic.step(intents.drivers)
        self.walking.step(a, intents.walkers, self.time, self.dt)
        self._arrive()
        self._collide(signals)

    def _arrive(self) -> None:
        """Places of lane-bound users and of smart cars that have just come."""
        self.traffic.refresh()
        a, g, graph = self.actors, self.traffic.ground, self.base_map.graph
        self._fleet = np.flatnonzero((a.control == Control.SMART) & (a.kind > 0)).astype(np.int32)
        if len(self._fleet):
            place_entrants(
                g.vehicles, g.roads, graph.lane_point_start, graph.point_x, graph.point_y, graph.point_s, a, self._fleet, self._known
            )  # fmt: skip

    def _collide(self, signals: SignalState) -> None:
        a, g, now = self.actors, self.traffic.ground, self.time
        watch(a, self.conduct, self.rules, signals.start, signals.light, now)
        rebuild(self._grid, a.x, a.y, a.kind)
        collision.detect(a, self._grid, self.rules, self.conduct, self.crashes, self.collisions, self.crash_rules, now)
        count = collision.settle(a, self.crashes, now, self._expired)
        self.removed = ()
        if count:
            gone = clear_away(g.vehicles, g.lists, g.ledger, g.queue.free, self._expired, count, self._cleared)
            for row in self._expired[:count]:
                self.walking.remove(int(row), a)
            self.removed = tuple(int(t) for t in self._cleared[:gone])
            self._arrive()

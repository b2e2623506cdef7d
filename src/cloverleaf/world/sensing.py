"""The world's exit for cars and roads: truth in, sensor frames out, nothing that identifies anyone."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import PERCEPTION_ROAD, SENSOR_NOISE
from cloverleaf.map.spatial import Grid, rebuild
from cloverleaf.types.frames import EgoFrame, ObjectFrame, SensorFrames
from cloverleaf.types.state import F64, I32, I64, Actors
from cloverleaf.world.sensing_ego import EgoErrors, empty_ego_frame, empty_ego_state, measure_ego
from cloverleaf.world.sensing_lane import LaneErrors
from cloverleaf.world.sensing_objects import Observers, deliver, detect_objects, empty_objects
from cloverleaf.world.sensing_sight import Sight, empty_sight
from cloverleaf.world.sensing_suite import Suite, car_suite, roadside_suite
from cloverleaf.world.weather import Weather

PER_OBSERVER = 96
"""Objects per list at most; the nearest are kept."""
FASTEST_DRIFT = 3.0  # m/s; more is a jump from lane to lane, no motion
CELL = 25.0
"""m, side of cells that suits a search over 80-150 m."""


class SensorSet(NamedTuple):
    """Which sensors a run has."""

    car: Suite
    roadside: Suite
    ego: EgoErrors
    lane: LaneErrors | None = LaneErrors()


def default_sensors() -> SensorSet:
    """Series car, mast at the roadside, corrected GNSS/INS."""
    return SensorSet(car_suite(), roadside_suite(), EgoErrors())


@kernel
def _place_cars(actors, slots, observers):
    """Observers at the cars in `slots`."""
    for i in range(slots.shape[0]):
        row = slots[i]
        observers.identity[i] = actors.trip[row]
        observers.row[i] = row
        observers.x[i], observers.y[i], observers.heading[i] = actors.x[row], actors.y[row], actors.heading[row]


@kernel
def drift_sideways(actors, trip, x, y, dt, sideways):
    """Fill `sideways` (capacity,), m/s to the left of the heading, from the places `x`, `y` of `trip` one step ago, and remember the new.

    Lane-bound vehicles change lanes without turning, so that their speed along the heading is not all of their motion.
    """
    for i in range(trip.shape[0]):
        sideways[i] = 0.0
        if actors.trip[i] >= 0 and actors.trip[i] == trip[i]:
            c, s = math.cos(actors.heading[i]), math.sin(actors.heading[i])
            left = ((actors.y[i] - y[i]) * c - (actors.x[i] - x[i]) * s) / dt
            if abs(left) < FASTEST_DRIFT:
                sideways[i] = left
        trip[i], x[i], y[i] = actors.trip[i], actors.x[i], actors.y[i]


class _Past(NamedTuple):
    """One frame under way: object lists and whose they are."""

    objects: ObjectFrame
    identity: I64  # (observers,)
    observers: I64  # (1,) how many


def _room(observers: int) -> _Past:
    return _Past(
        empty_objects(observers, observers * PER_OBSERVER), np.full(observers, -1, np.int64), np.zeros(1, np.int64)
    )


def _enlarged(past: _Past, observers: int) -> _Past:
    """The same frame with room for more observers."""
    new, n = _room(observers), int(past.observers[0])
    total = int(past.objects.start[n])
    for name, column in new.objects._asdict().items():
        filled = n + 1 if name == "start" else total
        column[:filled] = getattr(past.objects, name)[:filled]
    new.identity[:n], new.observers[0] = past.identity[:n], n
    return new


class _Channel:
    """Object lists of one kind of observer, with the ring of past frames that makes them late."""

    def __init__(self, suite: Suite, weather: Weather, seed: int, world: int, purpose: int) -> None:
        self.suite, self.settings = suite, suite.settings(weather, seed, world, purpose)
        self.ring = [_room(1) for _ in range(suite.latency_steps + 1)]
        self.reserve(4)

    def reserve(self, observers: int) -> None:
        """Make room for this many observers."""
        if observers < len(self.ring[0].identity):
            return
        observers *= 2
        self.ring = [_enlarged(past, observers) for past in self.ring]
        self.out = empty_objects(observers, observers * PER_OBSERVER)
        self.observers = Observers(
            np.zeros(observers, np.int64), np.full(observers, -1, np.int32), *(np.zeros(observers) for _ in range(3))
        )

    def step(
        self, actors: Actors, sideways: F64, grid: Grid, count: int, time: float, step: int, sight: Sight
    ) -> ObjectFrame:
        """Measure now, deliver what was measured `latency_steps` ago; views that hold until the next call."""
        now, then = self.ring[step % len(self.ring)], self.ring[(step + 1) % len(self.ring)]
        detect_objects(
            actors, sideways, grid, self.suite.sensors, self.settings, self.observers, count, time, step, sight, PER_OBSERVER,
            now.objects,
        )  # fmt: skip
        now.identity[:count] = self.observers.identity[:count]
        now.observers[0] = count
        total = deliver(then.objects, then.identity, then.observers[0], self.observers.identity, count, self.out)
        columns: Any = {name: column[:total] for name, column in self.out._asdict().items()}
        columns["start"] = self.out.start[: count + 1]
        return ObjectFrame(**columns)


class Sensing:
    """All sensors of one world. `grid` is indexed anew at each call."""

    def __init__(
        self,
        capacity: int,
        grid: Grid,
        sensors: SensorSet,
        weather: Weather,
        seed: int,
        world: int = 0,
        step: float = 0.1,
    ) -> None:
        self.grid, self.sensors, self.dt = grid, sensors, float(step)
        self.seed, self.world = int(seed), int(world)
        self.cars = _Channel(sensors.car, weather, seed, world, SENSOR_NOISE)
        self.roadside = _Channel(sensors.roadside, weather, seed, world, PERCEPTION_ROAD)
        self.sight, self.ego_state = empty_sight(), empty_ego_state(capacity)
        self.ego = empty_ego_frame(4)
        self.sideways, self._trip = np.zeros(capacity), np.full(capacity, -1, np.int64)
        self._x, self._y = np.zeros(capacity), np.zeros(capacity)

    def sense(self, actors: Actors, fleet: I32, units_xy: F64, time: float, step: int) -> SensorFrames:
        """Frames of the cars in rows `fleet` (n,) and of roadside units at `units_xy` (m, 2), at simulation time `time` s.

        `step` counts calls and must rise by one each time. Arrays of the answer are valid until the next call. Object
        lists carry the time of measurement, which is `latency_steps` before; own motion is of now.
        """
        n, m = len(fleet), len(units_xy)
        drift_sideways(actors, self._trip, self._x, self._y, self.dt, self.sideways)
        if n + m:
            rebuild(self.grid, actors.x, actors.y, actors.kind)
        if n > len(self.ego.time):
            self.ego = empty_ego_frame(2 * n)
        self.cars.reserve(n)
        self.roadside.reserve(m)
        _place_cars(actors, fleet, self.cars.observers)
        measure_ego(
            actors,
            fleet,
            self.ego_state,
            self.sensors.ego,
            self.seed,
            self.world,
            float(time),
            int(step),
            self.dt,
            self.ego,
        )
        units = self.roadside.observers
        units.identity[:m] = np.arange(m)
        if m:
            units.x[:m], units.y[:m] = units_xy[:, 0], units_xy[:, 1]
        return SensorFrames(
            EgoFrame(*(c[:n] for c in self.ego)),
            self.cars.step(actors, self.sideways, self.grid, n, float(time), int(step), self.sight),
            self.roadside.step(actors, self.sideways, self.grid, m, float(time), int(step), self.sight),
        )

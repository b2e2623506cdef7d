"""People on foot move: insert who is due, carry out their decisions, remove who has arrived, and show them as road users.

Where to and when to cross is decided in `human/`; here are bodies only. Walkers take the rows of Actors behind the vehicles'.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.geometry import point_on_polyline, segment_at
from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import BaseMap
from cloverleaf.map.walkways import build_walkways
from cloverleaf.types.demand import Demand
from cloverleaf.types.state import Actors
from cloverleaf.types.walking import WalkIntents, WalkView, empty_walkers

ACCEL = 2.0  # m/s2 of a person setting off or stopping
WIDEST = 0.9  # m left or right of the line
DEPTH, WIDTH = 0.4, 0.5  # m, body along and across the heading
PEDESTRIAN = 7


@kernel
def _enter(walkers, ways, slot, walk):
    """Put a new person at the start of a walk."""
    walkers.walk[slot] = walk
    walkers.s[slot] = 0.0
    walkers.d[slot] = 0.0
    walkers.v[slot] = 0.0
    walkers.wait[slot] = 0.0
    walkers.crossing[slot] = ways.cross_start[walk]


@kernel
def _show(walkers, ways, actors, slot, row, identity, accel):
    """Write one walker into its row of Actors."""
    walk = walkers.walk[slot]
    first, last = ways.point_start[walk], ways.point_start[walk + 1]
    x, y, heading = point_on_polyline(walkers.s[slot], walkers.d[slot], ways.x, ways.y, ways.s, first, last)
    walkers.x[slot], walkers.y[slot], walkers.heading[slot] = x, y, heading
    actors.trip[row] = identity + walk
    actors.kind[row] = PEDESTRIAN
    actors.control[row] = 0
    actors.x[row], actors.y[row], actors.heading[row] = x, y, heading
    actors.speed[row], actors.accel[row], actors.yaw_rate[row] = walkers.v[slot], accel, 0.0
    actors.length[row], actors.width[row] = DEPTH, WIDTH
    actors.lane[row] = ways.lane[segment_at(walkers.s[slot], ways.s, first, last)]
    actors.s[row], actors.d[row] = walkers.s[slot], walkers.d[slot]
    actors.route[row], actors.route_pos[row] = -1, 0


@kernel
def walk_all(view, actors, offset, intents, depart, cursor, time, dt):
    """Advance everyone on foot by `dt` s to `time` s. cursor (2,): next walk to start, people on their way."""
    walkers, ways = view.walkers, view.ways
    for slot in range(walkers.walk.shape[0]):
        walk = walkers.walk[slot]
        if walk < 0:
            if cursor[0] >= depart.shape[0] or depart[cursor[0]] > time:
                continue
            walk = cursor[0]
            cursor[0] += 1
            cursor[1] += 1
            _enter(walkers, ways, slot, walk)
            _show(walkers, ways, actors, slot, offset + slot, view.first_identity, 0.0)
            continue
        before = walkers.v[slot]
        speed = max(min(max(intents.speed[slot], before - ACCEL * dt), before + ACCEL * dt), 0.0)
        walkers.v[slot] = speed
        walkers.s[slot] += 0.5 * (before + speed) * dt
        walkers.d[slot] = min(max(walkers.d[slot] + intents.drift[slot] * dt, -WIDEST), WIDEST)
        walkers.wait[slot] = 0.0 if speed > 0.1 else walkers.wait[slot] + dt
        nearest = walkers.crossing[slot]
        if nearest < ways.cross_start[walk + 1] and walkers.s[slot] > ways.cross_end[nearest]:
            walkers.crossing[slot] = nearest + 1
        if walkers.s[slot] >= ways.s[ways.point_start[walk + 1] - 1]:
            walkers.walk[slot] = -1
            cursor[1] -= 1
            actors.kind[offset + slot] = 0
            actors.trip[offset + slot] = -1
            actors.lane[offset + slot] = -1
            continue
        _show(walkers, ways, actors, slot, offset + slot, view.first_identity, (speed - before) / dt)


class Walking:
    """All people on foot of one world. They use rows [offset, offset + capacity) of Actors."""

    def __init__(self, base_map: BaseMap, demand: Demand, offset: int, capacity: int, begin: float = 0.0) -> None:
        order = np.argsort(demand.walks.depart, kind="stable")
        if (order != np.arange(len(order))).any():
            raise ValueError("walks must be sorted by departure")
        self.offset, self.capacity = offset, capacity
        self._depart = demand.walks.depart
        self._cursor = np.array([np.searchsorted(self._depart, begin - 1e-9), 0], np.int64)
        self._view = WalkView(
            build_walkways(base_map.graph, demand.walks),
            empty_walkers(capacity),
            demand.walks.speed,
            len(demand.trips.depart),
        )

    @property
    def on_the_way(self) -> int:
        """People walking now."""
        return int(self._cursor[1])

    def view(self) -> WalkView:
        """What decisions on foot need; read-only by agreement."""
        return self._view

    def step(self, actors: Actors, intents: WalkIntents, time: float, dt: float) -> None:
        """Advance everyone to `time` (s) by `dt` (s)."""
        walk_all(self._view, actors, np.int64(self.offset), intents, self._depart, self._cursor, float(time), float(dt))

    def remove(self, row: int, actors: Actors) -> None:
        """Take the person in `row` of Actors off the road (after a collision)."""
        slot = row - self.offset
        if 0 <= slot < self.capacity and self._view.walkers.walk[slot] >= 0:
            self._view.walkers.walk[slot] = -1
            self._cursor[1] -= 1
            actors.kind[row], actors.trip[row], actors.lane[row] = 0, -1, -1

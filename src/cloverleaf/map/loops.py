"""Induction loops before the stop lines and vehicles per lane: what a road knows of traffic without eyes."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.signal_tables import detector_position, signal_plan
from cloverleaf.types.state import F64, I32
from cloverleaf.types.traffic import BEHIND, LANE, LANE_LENGTH, LENGTH, NEVER, ODO, TRIP, HumanView, S, V


@kernel
def _left_at(front, length, speed, loop, t, step):
    """Time at which a vehicle was last over the loop within the step that ends at t, -1e18 not at all. Positions m on the lane."""
    if front < loop or front - length - speed * step > loop:
        return -NEVER
    if front - length <= loop:
        return t
    return t - (front - length - loop) / speed


@kernel
def read_loops(vehicles, lists, roads, lanes, position, t, step, clear_time):
    """Update clear_time (L,) for the loops of `lanes`, at `position` (L,) m. Also a vehicle whose front has just left the lane counts."""
    for n in range(lanes.shape[0]):
        lane = lanes[n]
        loop = position[lane]
        slot = lists.first[lane]
        while slot >= 0 and vehicles.f[slot, S] >= loop:
            seen = _left_at(vehicles.f[slot, S], vehicles.f[slot, LENGTH], vehicles.f[slot, V], loop, t, step)
            clear_time[lane] = max(clear_time[lane], seen)
            slot = vehicles.i[slot, BEHIND]
        slot = lists.left_slot[lane]
        if slot >= 0 and vehicles.i[slot, LANE] >= 0 and vehicles.i[slot, TRIP] == lists.left_trip[lane]:
            front = roads.lane_f[lane, LANE_LENGTH] + vehicles.f[slot, ODO] - lists.left_odo[lane]
            seen = _left_at(front, vehicles.f[slot, LENGTH], vehicles.f[slot, V], loop, t, step)
            clear_time[lane] = max(clear_time[lane], seen)


@kernel
def count_on_lanes(vehicles, count):
    """Vehicles per lane into count (L,)."""
    for lane in range(count.shape[0]):
        count[lane] = 0.0
    for n in range(vehicles.count[0]):
        lane = vehicles.i[vehicles.active[n], LANE]
        if lane >= 0:
            count[lane] += 1.0


class Loops:
    """The loops of a map, one per lane that an actuated signal could use, placed as SUMO places them."""

    def __init__(self, graph: LaneGraph) -> None:
        self.position: F64 = detector_position(graph, signal_plan(graph))
        self.lanes: I32 = np.flatnonzero(self.position >= 0.0).astype(np.int32)
        self.clear_time: F64 = np.full(len(graph.lane_length), -NEVER)

    def read(self, view: HumanView) -> F64:
        """Time s at which a vehicle was last over the loop of each lane, -1e18 never; shape (L,). Call once per step."""
        time, step = float(view.clock.time[0]), float(view.clock.time[1])
        read_loops(view.vehicles, view.lists, view.roads, self.lanes, self.position, time, step, self.clear_time)
        return self.clear_time

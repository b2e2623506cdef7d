"""Who comes first at a signal: emergency vehicles at once, buses by a longer or earlier green, within bounds that spare the others.

Vehicles announce themselves by their messages; the request is for the stage that is green for their lane. A stage under way keeps its
minimum green and its clearance whatever is asked: that is the controller's own business.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import I32

BUS, EMERGENCY = 1, 2
BUS_EARLY, BUS_LATE = 12.0, 10.0
"""s before its arrival at which a bus may call its stage, and s by which its green may be prolonged."""
EMERGENCY_EARLY = 30.0
REST = 60.0
"""s after a bus was served before the next one may change the order of stages."""
LIFE = 3.0
"""s after which a request that is not renewed lapses."""


class Request(NamedTuple):
    """A vehicle's wish for a stage."""

    station: int
    level: int  # BUS or EMERGENCY
    phase: int  # stage that is green for it
    arrival: float  # s, when it will be at the stop line
    heard: float  # s


class Priority:
    """Requests at one signal; `wish` says which stage to ask the controller for."""

    def __init__(self) -> None:
        self.requests: dict[int, Request] = {}
        self._held_since: float | None = None
        self._served = -1e18

    def hear(self, request: Request) -> None:
        """A request, or its renewal."""
        self.requests[request.station] = request

    def wish(self, t: float, showing: int) -> int:
        """Stage to ask for at `t` s while stage `showing` shows; -1 leaves the controller alone."""
        self.requests = {s: r for s, r in self.requests.items() if t - r.heard <= LIFE and r.arrival > t - 2.0}
        urgent = [r for r in self.requests.values() if r.level == EMERGENCY and r.arrival - t <= EMERGENCY_EARLY]
        if urgent:
            return min(urgent, key=lambda r: (r.arrival, r.station)).phase
        buses = sorted((r for r in self.requests.values() if r.level == BUS), key=lambda r: (r.arrival, r.station))
        for bus in buses:
            if bus.phase == showing and bus.arrival - t <= BUS_LATE:
                if self._held_since is None and t - self._served < REST:
                    continue
                if self._held_since is None:
                    self._held_since = t
                if t - self._held_since <= BUS_LATE:
                    return bus.phase
                self._held_since, self._served = None, t
                return -1
            elif bus.phase != showing and bus.arrival - t <= BUS_EARLY and t - self._served >= REST:
                return bus.phase
        if self._held_since is not None:
            self._held_since, self._served = None, t
        return -1


def stages_of_lanes(graph: LaneGraph, group: int) -> dict[int, int]:
    """For every lane that leads to this signal: the stage (index within the group) with the longest green for it."""
    found: dict[int, tuple[float, int]] = {}
    first = int(graph.signal_phase_start[group])
    for p in range(first, int(graph.signal_phase_start[group + 1])):
        state = graph.phase_state[graph.phase_state_start[p] : graph.phase_state_start[p + 1]].tobytes().decode()
        if "y" in state:
            continue
        for link in np.flatnonzero(graph.link_signal == group).tolist():
            if state[graph.link_signal_index[link]] in "Gg":
                lane, length = int(graph.link_from[link]), float(graph.phase_duration[p])
                if lane not in found or length > found[lane][0]:
                    found[lane] = (length, p - first)
    return {lane: phase for lane, (_, phase) in found.items()}


def green_wave(graph: LaneGraph, groups: I32, distance: list[float], speed: float) -> LaneGraph:
    """The graph with offsets so that a platoon at `speed` m/s finds green along `groups`, whose stop lines lie at `distance` m.

    The first stage of each group is taken for the one along the route; all plans should have the same cycle, else the wave drifts.
    """
    offset = graph.signal_offset.copy()
    start = float(offset[groups[0]])
    for group, way in zip(groups.tolist(), distance):
        first, end = graph.signal_phase_start[group], graph.signal_phase_start[group + 1]
        cycle = float(graph.phase_duration[first:end].sum())
        offset[group] = (start + (way - distance[0]) / speed) % cycle if cycle > 0.0 else 0.0
    return graph._replace(signal_offset=offset)

"""The smart road: signal controllers of the whole map, and roadside units at the signals that see, hear and broadcast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import BaseMap, LaneGraph
from cloverleaf.map.signal_places import signal_places
from cloverleaf.road.broadcast import HeadForecast, signal_batch
from cloverleaf.road.perception import RoadPerception
from cloverleaf.road.signals import SignalControllers
from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import RSU_STATION_BASE, PerceptionBatch, Received, SignalBatch
from cloverleaf.types.signals import SignalCommand, SignalState, SignalTiming
from cloverleaf.types.state import F64, I32, I64

UNITS = ("signals", "none")
COUNT_EVERY = 1.0
"""s between counts of vehicles per lane for pressure and for cameras that stand in for loops."""


class RoadOutput(NamedTuple):
    """What the road does in one tick."""

    signals: SignalState
    timing: SignalTiming
    spat: SignalBatch  # one per unit
    perception: PerceptionBatch  # one per unit
    topology: I64  # stations that offer their MAP message


class Roadside:
    """Signals of `base_map` under `control` (`plan`, `fixed`, `actuated`, `max_pressure`), with units at the `signals` or `none`.

    `rsu_x`, `rsu_y` (m, ENU) and `rsu_group` (signal group) have one row per unit; unit u has station RSU_STATION_BASE + u.
    """

    def __init__(self, base_map: BaseMap, *, control: str = "plan", units: str = "signals", begin: float = 0.0) -> None:
        if units not in UNITS:
            raise StudyError(f"roadside units at '{units}' do not exist", hint=nearest(units, UNITS))
        graph = base_map.graph
        self.graph = graph
        self.controllers = SignalControllers(graph, control=control, begin=begin)
        places = signal_places(graph)
        count = len(places.group) if units == "signals" else 0
        groups = places.group[:count]
        self.rsu_group: I32 = groups
        self.rsu_x, self.rsu_y = places.x[:count], places.y[:count]
        self.stations: I64 = RSU_STATION_BASE + np.arange(len(groups), dtype=np.int64)
        lane_start, lanes = _watched_lanes(graph, groups)
        self.perception = RoadPerception(graph, self.rsu_x, self.rsu_y, lane_start, lanes)
        self.forecast = HeadForecast(int(self.controllers.plan.head_start[-1]))
        self._count: F64 = np.zeros(len(graph.lane_length))
        self._seen: F64 = np.full(len(graph.lane_length), -1e18)
        self._counted = -np.inf

    def signals(self, t: float) -> SignalState:
        """Lights as they stand, with nobody having looked since; at the begin of a run those of time t s."""
        return self.controllers.step(t, self._seen, self._count)

    def step(
        self, frames: ObjectFrame, inbox: Received, command: SignalCommand, t: float, loops: F64 | None = None
    ) -> RoadOutput:
        """One tick at time t s.

        frames: detections, one observer per unit. command: wishes of the cloud. loops: shape (L,), s at which a vehicle was last
        within the lane's induction loop (-1e18 never); without loops a lane counts as occupied while a unit sees a vehicle on it.
        """
        if len(self.stations):
            self.perception.step(frames, inbox, t)
            if t >= self._counted + COUNT_EVERY - 1e-9:
                self._count, self._counted = self.perception.lane_counts(), t
                self._seen[self._count > 0.0] = t
        self.controllers.command(command, t)
        signals = self.controllers.step(t, self._seen if loops is None else loops, self._count)
        return RoadOutput(
            signals=signals,
            timing=self.controllers.timing(t),
            spat=signal_batch(
                self.controllers.plan, self.controllers.memory, signals, self.forecast, self.stations, self.rsu_group, t
            ),
            perception=self.perception.share(self.stations, t),
            topology=self.stations,
        )


def _watched_lanes(graph: LaneGraph, groups: I32) -> tuple[I64, I32]:
    """Approaches and exits of each group in compressed form."""
    rows = []
    for group in groups:
        own = graph.link_signal == group
        rows.append(np.unique(np.concatenate((graph.link_from[own], graph.link_to[own]))))
    start = np.concatenate(([0], np.cumsum([len(r) for r in rows]))).astype(np.int64)
    return start, np.concatenate(rows).astype(np.int32) if rows else np.zeros(0, np.int32)

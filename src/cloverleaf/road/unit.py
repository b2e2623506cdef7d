"""One roadside unit on its own: signal controller, sensors and heard messages in; SPAT, MAP and perception out; priority at the signal.

No IO: `cloverleaf rsu` gives it time, detections and messages, and sends what it says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.station import empty_received
from cloverleaf.map.graph import BaseMap
from cloverleaf.road.broadcast import LIGHTS
from cloverleaf.road.calibration import Calibration, check
from cloverleaf.road.controller import Controller, ControllerStatus
from cloverleaf.road.fusion import fuse
from cloverleaf.road.perception import RoadPerception
from cloverleaf.road.priority import BUS, EMERGENCY, Priority, Request, stages_of_lanes
from cloverleaf.road.roadside import Roadside
from cloverleaf.types.errors import InputError
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import RSU_STATION_BASE, AwarenessBatch, MessageKind, PerceptionBatch, SignalBatch
from cloverleaf.types.state import I64, Kind

CALIBRATE_EVERY = 30.0
_LEVEL = {int(Kind.BUS): BUS, int(Kind.EMERGENCY): EMERGENCY}


class Said(NamedTuple):
    """What the unit says in one step; the topology is a station id to make the MAP message of."""

    spat: SignalBatch
    perception: PerceptionBatch
    topology: I64


class Unit:
    """Unit `number` of a map (one per signal group that governs a link) over a controller."""

    def __init__(self, base_map: BaseMap, number: int, controller: Controller) -> None:
        whole = Roadside(base_map)
        if not 0 <= number < len(whole.stations):
            valid = f"0 to {len(whole.stations) - 1}" if len(whole.stations) else "it has no signals"
            raise InputError(f"the map has no unit {number}", hint=valid)
        self.base_map, self.controller, self.number = base_map, controller, number
        self.group = int(whole.rsu_group[number])
        self.groups = whole.rsu_group
        self.x, self.y = float(whole.rsu_x[number]), float(whole.rsu_y[number])
        self.station = RSU_STATION_BASE + number
        graph = base_map.graph
        own = graph.link_signal == self.group
        lanes = np.unique(np.concatenate((graph.link_from[own], graph.link_to[own]))).astype(np.int32)
        place = (np.array([self.x]), np.array([self.y]))
        self.perception = RoadPerception(graph, *place, np.array([0, len(lanes)], np.int64), lanes)
        self.priority = Priority()
        self.calibration: dict[str, Calibration] = {}
        self.status: ControllerStatus | None = None
        self.trouble = ""
        self._stages = stages_of_lanes(base_map.graph, self.group)
        self._wished: tuple[int, float] = (-1, -1e18)
        self._pairs: dict[str, list[tuple[float, float, float, float]]] = {}
        self._calibrated = 0.0

    def wish(self, phase: int, t: float) -> None:
        """The cloud asks for a stage."""
        self._wished = (phase, t)

    def step(self, t: float, sensors: dict[str, ObjectFrame], heard: AwarenessBatch) -> Said:
        """One step at `t` s; sensors: detections by name in the unit's frame (x east, y north of it)."""
        self._hear(heard, t)
        self._compare(sensors, heard, t)
        inbox = empty_received(np.array([RSU_STATION_BASE], np.int64))
        n = len(heard.station)
        inbox = inbox._replace(
            start=np.array([0, n]), kind=np.full(n, int(MessageKind.AWARENESS), np.int32), message=np.arange(n, dtype=np.int32),
            delay=np.zeros(n), awareness=heard,
        )  # fmt: skip
        frame = fuse(list(sensors.values())) if sensors else _nothing()
        self.perception.step(frame, inbox, t)
        try:
            self.status = self.controller.status(t)
            self.trouble = ""
            self._ask(t)
        except Exception as error:  # a cabinet that does not answer must not silence the unit
            self.trouble = f"{type(error).__name__}: {error}"
            self.status = None
        station = np.array([self.station], np.int64)
        return Said(spat(self.status, self.group, self.station, t), self.perception.share(station, t), station)

    def _ask(self, t: float) -> None:
        assert self.status is not None
        phase = self.priority.wish(t, self.status.phase)
        if phase < 0 and t - self._wished[1] <= 2.0:
            phase = self._wished[0]
        if phase >= 0:
            self.controller.ask(phase, t)

    def _hear(self, heard: AwarenessBatch, t: float) -> None:
        """Buses and emergency vehicles on an approach ask for their stage by being there."""
        graph = self.base_map.graph
        for i in np.flatnonzero(np.isin(heard.kind, list(_LEVEL))).tolist():
            best, lane = 4.0, -1
            for k in self._stages:
                a, b = graph.lane_point_start[k], graph.lane_point_start[k + 1]
                gap = float(np.hypot(graph.point_x[a:b] - heard.x[i], graph.point_y[a:b] - heard.y[i]).min())
                if gap < best:
                    best, lane = gap, k
            if lane < 0:
                continue
            end = int(graph.lane_point_start[lane + 1]) - 1
            left = float(np.hypot(graph.point_x[end] - heard.x[i], graph.point_y[end] - heard.y[i]))
            arrival = t + left / max(float(heard.speed[i]), 3.0)
            self.priority.hear(
                Request(int(heard.station[i]), _LEVEL[int(heard.kind[i])], self._stages[lane], arrival, t)
            )

    def _compare(self, sensors: dict[str, ObjectFrame], heard: AwarenessBatch, t: float) -> None:
        """Pairs of what a sensor sees and what a vehicle says of itself; now and then a judgement."""
        for name, frame in sensors.items():
            pairs = self._pairs.setdefault(name, [])
            for k in range(len(heard.station)):
                age = t - float(heard.time[k])
                x = float(heard.x[k] + heard.speed[k] * age * np.cos(heard.heading[k]))
                y = float(heard.y[k] + heard.speed[k] * age * np.sin(heard.heading[k]))
                if len(frame.x):
                    gap = np.hypot(frame.x + self.x - x, frame.y + self.y - y)
                    j = int(np.argmin(gap))
                    if gap[j] < 4.0:
                        pairs.append((float(frame.x[j] + self.x), float(frame.y[j] + self.y), x, y))
            del pairs[:-2000]
        if t - self._calibrated > CALIBRATE_EVERY:
            self._calibrated = t
            for name, pairs in self._pairs.items():
                seen_x, seen_y, said_x, said_y = np.array(pairs).reshape(-1, 4).T
                found = check(seen_x, seen_y, said_x, said_y, self.x, self.y)
                if found is not None:
                    self.calibration[name] = found


def _nothing() -> ObjectFrame:
    """A frame without detections."""
    none = np.zeros(0)
    return ObjectFrame(
        np.zeros(2, np.int64), none, none, none, none, none, none, none, none, np.zeros(0, np.int32), none, none
    )


def spat(status: ControllerStatus | None, group: int, station: int, t: float) -> SignalBatch:
    """SPAT content of what a controller shows; lights `unavailable` and no times where it does not answer."""
    letters = status.letters if status is not None else b""
    n = len(letters)
    light = LIGHTS[np.frombuffer(letters, np.uint8)] if n else np.zeros(0, np.uint8)
    ends = (status.min_end, status.likely_end, status.max_end) if status is not None else (np.nan,) * 3
    # a phase's end is the end of what its green and yellow heads show; the others stay red for longer, nobody knows how long
    changing = np.isin(np.frombuffer(letters, np.uint8), np.frombuffer(b"Ggy", np.uint8))
    least, likely, most = (np.where(changing, e, np.nan) for e in ends)
    unknown = np.full(n, np.nan)
    return SignalBatch(
        np.array([station], np.int64), np.array([t]), np.array([group], np.int32), np.array([0, n], np.int64), np.arange(n, dtype=np.int32),
        light, least, likely, most, np.zeros(n, np.uint8), unknown,
    )  # fmt: skip

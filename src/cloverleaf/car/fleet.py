"""The fleet of smart cars: sensor frames and heard messages in, commands, own announcements and screen messages out."""

from __future__ import annotations

import numpy as np

from cloverleaf.car.drive import act_fleet, locate_fleet, perceive_fleet, think_fleet
from cloverleaf.car.heard import Heard, body_table, detection_table, light_table, marking_table
from cloverleaf.car.hmi import SPEED_ADVICE, Display, explain, messages
from cloverleaf.car.inbox import InboxDoor
from cloverleaf.car.roadbook import build_roadbook
from cloverleaf.car.state import (
    ACCEL,
    ADVICE,
    ADVICE_UNTIL,
    ASK,
    COMMITTED,
    COST,
    GUARDED,
    HALTING,
    HEADING,
    INDICATOR,
    LANE,
    LOST,
    POS,
    PROPOSAL,
    ROUTE,
    SIGNAL_LINK,
    SPAT_LINK,
    SPEED,
    STATION,
    STOPPED_AT,
    TERM,
    TIME,
    WARNING,
    YAW_RATE,
    X,
    Y,
    empty_fleet,
    empty_scratch,
)  # fmt: skip
from cloverleaf.car.state import Fleet as Memory
from cloverleaf.car.tally import Tally
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.demand import Routes
from cloverleaf.types.frames import FleetMission, SensorFrames
from cloverleaf.types.hmi import HmiBatch
from cloverleaf.types.messages import AwarenessBatch, Received
from cloverleaf.types.state import F64, I64, VehicleCommands

HARD_BRAKING = 1 << 7  # AwarenessBatch.events
HARD = -4.0  # m/s2


class Fleet:
    """All smart cars of one world. What a car remembers is kept by its station id; cars come and go.

    Args:
        base_map: the map that the cars carry.
        routes: edge sequences; `FleetMission.route` indexes them.
        step: s between calls of `step`.
    """

    def __init__(self, base_map: BaseMap, routes: Routes, step: float = 0.1, capacity: int = 64) -> None:
        self.book = build_roadbook(base_map.graph, routes)
        self.dt = float(step)
        self.memory = empty_fleet(capacity)
        self._scratch = empty_scratch()
        self._relation = np.zeros(max(len(base_map.graph.link_from), 1), np.int64)
        self._slot: dict[int, int] = {}
        self._free = list(range(capacity - 1, -1, -1))
        self._stations: I64 = np.zeros(0, np.int64)
        self._slots: I64 = np.zeros(0, np.int64)
        self.tally = Tally()
        self.door = InboxDoor(self.tally)

    def _grow(self) -> None:
        old, count = self.memory, len(self.memory.f)
        new = empty_fleet(2 * count)
        for a, b in zip(new, old):
            a[:count] = b
        self.memory = Memory(*new)
        self._free = list(range(2 * count - 1, count - 1, -1)) + self._free

    def _assign(self, mission: FleetMission) -> None:
        """Slots for the present cars: those that left free theirs, those that are new start afresh."""
        if np.array_equal(mission.station, self._stations):
            return
        now = set(mission.station.tolist())
        for station in [s for s in self._slot if s not in now]:
            slot = self._slot.pop(station)
            self.memory.i[slot, STATION] = -1
            self._free.append(slot)
        for k, station in enumerate(mission.station.tolist()):
            if station not in self._slot:
                if not self._free:
                    self._grow()
                slot = self._free.pop()
                self._slot[station] = slot
                f, i = self.memory.f[slot], self.memory.i[slot]
                f[:], i[:] = 0.0, 0
                f[TIME] = -1.0
                self.memory.pose_cov[slot] = 0.0
                i[STATION], i[ROUTE], i[POS] = station, mission.route[k], mission.route_pos[k]
                i[[LANE, SPAT_LINK, SIGNAL_LINK, COMMITTED, HALTING, STOPPED_AT]] = -1
                i[LOST] = 1
        self._stations = mission.station.copy()
        self._slots = np.array([self._slot[s] for s in mission.station.tolist()], np.int64)

    def _reroute(self, mission: FleetMission) -> None:
        """Cars whose mission has another route than before look for themselves on it anew."""
        i, changed = self.memory.i, self.memory.i[self._slots, ROUTE] != mission.route
        if changed.any():
            slots = self._slots[changed]
            i[slots, ROUTE], i[slots, POS], i[slots, LOST] = mission.route[changed], mission.route_pos[changed], 1

    def forget_advice(self, stations: I64) -> None:
        """These cars do not act any more upon what was advised to them."""
        for station in stations.tolist():
            if station in self._slot:
                self.memory.f[self._slot[station], ADVICE_UNTIL] = 0.0

    def step(
        self, frames: SensorFrames, mission: FleetMission, inbox: Received, t: float
    ) -> tuple[VehicleCommands, AwarenessBatch, HmiBatch]:
        """One tick at simulation time `t` (s): commands in fleet order, own announcements, screen messages."""
        return self.drive(frames, mission, self.door.admit(mission.station, inbox, t).told, t)

    def drive(
        self, frames: SensorFrames, mission: FleetMission, told: Heard, t: float
    ) -> tuple[VehicleCommands, AwarenessBatch, HmiBatch]:
        """As `step`, of messages that have passed the door: those of the car in row k are told.start[k] to told.start[k + 1]."""
        self._assign(mission)
        self._reroute(mission)
        n = len(self._slots)
        out, wanted = np.zeros((n, 3)), np.zeros(n)
        kind, value, indicator = np.zeros(n, np.int32), np.full(n, np.nan), np.zeros(n, np.int32)
        if n:
            now, memory, slots = float(t), self.memory, self._slots
            bodies, marked = body_table(frames.ego, mission), marking_table(frames.lanes, n)
            locate_fleet(self.book, memory, self._scratch, slots, bodies, marked, now)
            seen = frames.objects
            perceive_fleet(memory, self._scratch, slots, detection_table(seen), seen.start, told, now, self.dt)
            lights = light_table(frames.lights, n)
            think_fleet(self.book, memory, self._scratch, self._relation, slots, lights, now, wanted)
            act_fleet(self.book, memory, self._scratch, slots, wanted, self.dt, out)
            kind, indicator = memory.i[slots, WARNING].astype(np.int32), memory.i[slots, INDICATOR].astype(np.int32)
            value = np.where(kind == SPEED_ADVICE, memory.f[slots, ADVICE], np.nan)
        commands = VehicleCommands(out[:, 0].copy(), out[:, 1].copy(), indicator)
        display = Display(kind, value, out[:, 2])
        return commands, self._announce(mission, t), messages(self._stations, display, float(t))

    def _announce(self, mission: FleetMission, t: float) -> AwarenessBatch:
        """What each car says of itself: its filtered pose."""
        f = self.memory.f[self._slots]
        events = np.where(f[:, ACCEL] < HARD, HARD_BRAKING, 0).astype(np.int32)
        return AwarenessBatch(
            self._stations, np.full(len(f), float(t)), f[:, X].copy(), f[:, Y].copy(), f[:, HEADING].copy(), f[:, SPEED].copy(),
            f[:, ACCEL].copy(), f[:, YAW_RATE].copy(), mission.length.copy(), mission.width.copy(), mission.kind.copy(), events,
        )  # fmt: skip

    def slot(self, station: int) -> int | None:
        """Row of the car with this station id in `memory`, None if it is not there."""
        return self._slot.get(station)

    def remembered(self, station: int) -> tuple[F64, I64] | None:
        """What the car with this station id has in memory: its row of floats and of integers, by the columns of `car.state`."""
        slot = self._slot.get(station)
        return None if slot is None else (self.memory.f[slot], self.memory.i[slot])

    def explain(self, station: int) -> str:
        """Why the car with this station id does what it does, in one line; empty if it is not there."""
        slot = self._slot.get(station)
        if slot is None:
            return ""
        f, i = self.memory.f[slot], self.memory.i[slot]
        return explain(int(i[PROPOSAL]), int(i[TERM]), float(f[COST]), float(f[ASK]), int(i[GUARDED]))

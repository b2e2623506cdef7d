"""A fleet on its computing platform: inputs pass fault injection and supervision, outputs follow the mode that is left."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.car.consistency import Consistency
from cloverleaf.car.fleet import Fleet
from cloverleaf.car.heard import Heard, body_table, detection_table
from cloverleaf.car.inbox import Admitted
from cloverleaf.car.limits import LEAST_SURE
from cloverleaf.car.marked import MarkingDoor
from cloverleaf.car.mission import MissionDoor
from cloverleaf.car.rows import rows_of
from cloverleaf.car.steps import Steps
from cloverleaf.car.supervise import Checked, Mode, Supervision
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.runtime.faults import Injector
from cloverleaf.types.errors import StudyError
from cloverleaf.types.frames import EgoFrame, FleetMission, SensorFrames
from cloverleaf.types.hmi import HmiBatch, HmiKind, Priority, empty_hmi
from cloverleaf.types.messages import AwarenessBatch, Received
from cloverleaf.types.state import F64, I64, VehicleCommands

SLOW = 8.0  # m/s
STOP_BRAKING = 2.5  # m/s2, of a safe stop; at most 4 for a minimum-risk manoeuvre (UN R157, 5.5.1)
HAZARD = 2
SHOWN = 1.0  # s


TOPICS = ("ego", "objects", "lights", "lanes", "mission", "inbox", "commands", "awareness", "hmi")
"""What passes through here and may be struck by faults."""
LATE_TALK = 0.4  # s; others speak ten times a second, so that something fresher is always among what they say


class SupervisedFleet:
    """Wraps a fleet; the same `step`. `faults` strike what the cars read and what they say, see `TOPICS`."""

    def __init__(self, fleet: Fleet, faults: Injector | None = None) -> None:
        self.fleet = fleet
        self.supervision, self.consistency = Supervision(fleet.dt, fleet.tally), Consistency()
        self.steps = Steps()
        self.trips = MissionDoor(fleet.tally, len(fleet.book.pos_start) - 1)
        self.markings = MarkingDoor(fleet.tally)
        self._faults = Injector()
        self.faults = faults or Injector()
        self.mode: I64 = np.zeros(0, np.int64)
        self._stations: I64 = np.zeros(0, np.int64)
        self._accel: F64 = np.zeros(0)
        self._steer: F64 = np.zeros(0)

    @property
    def faults(self) -> Injector:
        """What strikes the topics. Setting it raises StudyError for a topic that does not pass through here."""
        return self._faults

    @faults.setter
    def faults(self, faults: Injector) -> None:
        for fault in faults.faults:
            if fault.topic not in TOPICS:
                raise StudyError(
                    f"a car neither reads nor writes '{fault.topic}'",
                    element="fault",
                    hint=f"one of {', '.join(TOPICS)}",
                )
        self._faults = faults

    def step(
        self, frames: SensorFrames, mission: FleetMission, inbox: Received, t: float
    ) -> tuple[VehicleCommands, AwarenessBatch, HmiBatch]:
        """As `Fleet.step`."""
        strike, camera, stations = self.faults, frames.lights is not None, mission.station
        ego, objects = strike("ego", frames.ego, t), strike("objects", frames.objects, t)
        lights, received = strike("lights", frames.lights, t), strike("inbox", inbox, t)
        checked = self.supervision.check(stations, ego, objects, lights, self._asked(stations), t, camera=camera)
        lanes = None if frames.lanes is None else self.markings.check(stations, strike("lanes", frames.lanes, t), t)
        mission, stale, never = self.trips.check(stations, strike("mission", mission, t))
        admitted = self.fleet.door.admit(stations, silent(inbox) if received is None else received, t)
        wanted = np.maximum(checked.wanted, np.where(never, Mode.SAFE_STOP, np.where(stale, Mode.SLOWER, Mode.NORMAL)))
        if received is None:
            self.tally.add("inbox", Reason.LOST, np.ones(len(stations), bool))
        deaf = unheard(admitted) if received is not None else np.ones(len(stations), bool)
        biased = self._biased(checked, mission, admitted.told, t)
        wanted = np.maximum(wanted, np.where(biased, Mode.SLOWER, np.where(deaf, Mode.ALONE, Mode.NORMAL)))
        self.mode = self.supervision.held(wanted)
        self.fleet.forget_advice(stations[self.mode == Mode.ALONE])
        mission = mission._replace(
            max_speed=np.where(self.mode == Mode.SLOWER, np.minimum(mission.max_speed, SLOW), mission.max_speed)
        )
        frames = frames._replace(ego=checked.ego, objects=checked.objects, lights=checked.lights, lanes=lanes)
        commands, awareness, hmi = self.fleet.drive(frames, mission, admitted.told, t)
        done = self._done(commands, t)
        self._stations, self._accel = stations.copy(), done.accel.copy()
        return done, self._said(awareness, frames.ego, t), self._shown(hmi, stations, t)

    def _done(self, commands: VehicleCommands, t: float) -> VehicleCommands:
        """What the actuators do: what they are asked for, or a safe stop where the mode or a command that does not arrive says so."""
        n = len(self.mode)
        struck = self.faults("commands", commands, t)
        lost = np.full(n, struck is None or any(len(column) != n for column in struck))
        given = commands if lost.any() else struck
        broken = ~(np.isfinite(given.accel) & np.isfinite(given.steer))
        self.tally.add("commands", Reason.LOST, lost)
        self.tally.add("commands", Reason.BROKEN, broken)
        self.mode[lost | broken] = Mode.SAFE_STOP
        held = self._steer if len(self._steer) == n else np.zeros(n)
        stop, blind = self.mode == Mode.SAFE_STOP, lost | broken
        accel = np.where(stop, np.minimum(np.where(blind, 0.0, given.accel), -STOP_BRAKING), given.accel)
        self._steer = np.where(blind, held, given.steer)
        return VehicleCommands(accel, self._steer.copy(), np.where(stop, HAZARD, given.indicator).astype(np.int32))

    def _said(self, awareness: AwarenessBatch, ego: EgoFrame, t: float) -> AwarenessBatch:
        """What goes out: nothing that is not a number, and nothing of a car that never knew where it is."""
        struck = self.faults("awareness", awareness, t)
        if struck is None:
            self.tally.add("awareness", Reason.LOST, np.ones(len(awareness.station), bool))
            none: list[Any] = [column[:0] for column in awareness]
            return AwarenessBatch(*none)
        whole = np.logical_and.reduce([np.isfinite(column) for column in struck])
        if len(whole) == len(ego.x):
            self.tally.add("awareness", Reason.BROKEN, ~whole)
            whole &= ego.sigma_xy <= LEAST_SURE
        kept: list[Any] = [column[whole] for column in struck]
        return AwarenessBatch(*kept)

    def _shown(self, hmi: HmiBatch, stations: I64, t: float) -> HmiBatch:
        """What the screens show; who is stopped is asked to take over, whatever else there was."""
        stopping = stations[self.mode == Mode.SAFE_STOP]
        struck = self.faults("hmi", take_over(hmi, stopping, t) if len(stopping) else hmi, t)
        if struck is None:
            self.tally.add("hmi", Reason.LOST, np.ones(len(stations), bool))
            return empty_hmi()
        whole: np.ndarray = np.isfinite(struck.time) & np.isfinite(struck.until)
        return struck if whole.all() else HmiBatch(*(column[whole] for column in struck))

    @property
    def tally(self) -> Tally:
        """What the cars dropped, by topic and reason."""
        return self.fleet.tally

    def _biased(self, checked: Checked, mission: FleetMission, told: Heard, t: float) -> np.ndarray:
        """Cars whose objects lie beside where these say they are, or where they were a moment ago, (n,) bool; counted."""
        stations, body, seen = mission.station, body_table(checked.ego, mission), detection_table(checked.objects)
        start, rows = checked.objects.start, np.arange(len(mission.station))
        biased = self.consistency.check(stations, body, seen, start, told, rows, t)
        stepped = self.steps.check(stations, body, seen, start, checked.fixed, t)
        self.steps.refute(stepped & self.consistency.sound())
        self.tally.add("objects", Reason.BIASED, biased)
        self.tally.add("objects", Reason.STEPPED, stepped)
        return biased | stepped

    def _asked(self, stations: I64) -> F64:
        """m/s2 that each car of today's fleet was asked for in the last tick, 0 for newcomers."""
        if np.array_equal(stations, self._stations):
            return self._accel
        row = rows_of(stations, self._stations)
        return np.where(row >= 0, self._accel[row] if len(self._accel) else 0.0, 0.0)

    def explain(self, station: int) -> str:
        """As `Fleet.explain`, with the mode where it is not normal and what was dropped so far."""
        line = self.fleet.explain(station)
        at = np.flatnonzero(self._stations == station)
        if not len(at):
            return line
        if self.mode[at[0]] != Mode.NORMAL:
            line += f"; degraded: {Mode(int(self.mode[at[0]])).name.lower().replace('_', ' ')}"
        dropped = ", ".join(f"{name} {reason} {many}" for (name, reason), many in self.tally.of(station).items())
        return f"{line}; dropped: {dropped}" if dropped else line

    def remembered(self, station: int) -> tuple[F64, I64] | None:
        """As `Fleet.remembered`."""
        return self.fleet.remembered(station)


def unheard(admitted: Admitted) -> np.ndarray:
    """Cars that got messages and could use none, or none of which is fresh; (n,) bool."""
    useless = (admitted.dropped > 0) & (admitted.good == 0)
    return useless | (np.isfinite(admitted.youngest) & (admitted.youngest > LATE_TALK))


def silent(inbox: Received) -> Received:
    """The same receivers, who received nothing."""
    return inbox._replace(
        start=np.zeros_like(inbox.start), kind=inbox.kind[:0], message=inbox.message[:0], delay=inbox.delay[:0]
    )


def take_over(hmi: HmiBatch, stations: I64, t: float) -> HmiBatch:
    """The screen messages with a transition demand to the people in these cars, who see nothing else."""
    keep = ~np.isin(hmi.station, stations)
    ask = empty_hmi(len(stations))
    ask.station[:], ask.time[:], ask.until[:] = stations, t, t + SHOWN
    ask.kind[:], ask.priority[:] = HmiKind.TAKE_OVER, Priority.IMMINENT
    return HmiBatch(**{f: np.concatenate((getattr(hmi, f)[keep], getattr(ask, f))) for f in HmiBatch._fields})

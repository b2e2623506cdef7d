"""A fleet on its computing platform: inputs pass fault injection and supervision, outputs follow the mode that is left."""

from __future__ import annotations

import numpy as np

from cloverleaf.car.consistency import Consistency
from cloverleaf.car.fleet import Fleet
from cloverleaf.car.heard import body_table, detection_table, heard
from cloverleaf.car.supervise import Checked, Mode, Supervision
from cloverleaf.runtime.faults import Injector
from cloverleaf.types.frames import FleetMission, SensorFrames
from cloverleaf.types.hmi import HmiBatch, HmiKind, Priority, empty_hmi
from cloverleaf.types.messages import AwarenessBatch, Received
from cloverleaf.types.state import F64, I64, VehicleCommands

SLOW = 8.0  # m/s
STOP_BRAKING = 2.5  # m/s2, of a safe stop; at most 4 for a minimum-risk manoeuvre (UN R157, 5.5.1)
HAZARD = 2
SHOWN = 1.0  # s


class SupervisedFleet:
    """Wraps a fleet; the same `step`. `faults` strike the topics ego, objects, lights, mission and inbox."""

    def __init__(self, fleet: Fleet, faults: Injector | None = None) -> None:
        self.fleet = fleet
        self.supervision, self.consistency = Supervision(fleet.dt), Consistency()
        self.faults = faults or Injector()
        self.mode: I64 = np.zeros(0, np.int64)
        self._stations: I64 = np.zeros(0, np.int64)
        self._accel: F64 = np.zeros(0)

    def step(
        self, frames: SensorFrames, mission: FleetMission, inbox: Received, t: float
    ) -> tuple[VehicleCommands, AwarenessBatch, HmiBatch]:
        """As `Fleet.step`."""
        strike, camera = self.faults, frames.lights is not None
        mission = strike("mission", mission, t) or mission
        checked = self.supervision.check(
            mission.station,
            strike("ego", frames.ego, t),
            strike("objects", frames.objects, t),
            strike("lights", frames.lights, t),
            self._asked(mission.station),
            t,
            camera=camera,
        )
        received = strike("inbox", inbox, t)
        if received is None:
            received = silent(inbox)
        biased = self._biased(checked, mission, received, t)
        self.mode = np.where(biased, np.maximum(checked.mode, Mode.SLOWER), checked.mode)
        mission = mission._replace(
            max_speed=np.where(self.mode == Mode.SLOWER, np.minimum(mission.max_speed, SLOW), mission.max_speed)
        )
        frames = frames._replace(ego=checked.ego, objects=checked.objects, lights=checked.lights)
        commands, awareness, hmi = self.fleet.step(frames, mission, received, t)
        stopping = np.flatnonzero(self.mode == Mode.SAFE_STOP)
        commands.accel[stopping] = np.minimum(commands.accel[stopping], -STOP_BRAKING)
        commands.indicator[stopping] = HAZARD
        self._stations, self._accel = mission.station.copy(), commands.accel.copy()
        return commands, awareness, take_over(hmi, mission.station[stopping], t) if len(stopping) else hmi

    def _biased(self, checked: Checked, mission: FleetMission, received: Received, t: float) -> np.ndarray:
        """Cars whose objects lie beside where these say they are, (n,) bool; counted."""
        if not len(received.awareness.station):
            return np.zeros(len(mission.station), bool)
        row = {int(s): r for r, s in enumerate(received.receivers)}
        receivers = np.array([row.get(int(s), -1) for s in mission.station], np.int64)
        seen = checked.objects
        biased = self.consistency.check(
            mission.station, body_table(checked.ego, mission), detection_table(seen), seen.start, heard(received), receivers, t
        )  # fmt: skip
        if biased.any():
            self.supervision.counts[("objects", "biased")] += int(biased.sum())
        return biased

    def _asked(self, stations: I64) -> F64:
        """m/s2 that each car of today's fleet was asked for in the last tick, 0 for newcomers."""
        if np.array_equal(stations, self._stations):
            return self._accel
        row = {int(s): k for k, s in enumerate(self._stations)}
        return np.array([self._accel[row[int(s)]] if int(s) in row else 0.0 for s in stations])

    def explain(self, station: int) -> str:
        """As `Fleet.explain`, with the mode where it is not normal."""
        line = self.fleet.explain(station)
        at = np.flatnonzero(self._stations == station)
        if not len(at) or self.mode[at[0]] == Mode.NORMAL:
            return line
        return f"{line}; degraded: {Mode(int(self.mode[at[0]])).name.lower().replace('_', ' ')}"

    def remembered(self, station: int) -> tuple[F64, I64] | None:
        """As `Fleet.remembered`."""
        return self.fleet.remembered(station)


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

"""A fleet of which one car has a person at its wheel: the same `step`, one row of the commands passes through the cockpit."""

from __future__ import annotations

import numpy as np

from cloverleaf.car.fleet import Fleet
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.human.cockpit import Automation, Cockpit, Command, Controls
from cloverleaf.types.frames import FleetMission, SensorFrames
from cloverleaf.types.hmi import HmiBatch, HmiKind
from cloverleaf.types.messages import AwarenessBatch, Received
from cloverleaf.types.state import F64, I64, VehicleCommands


class DrivenFleet:
    """Wraps a fleet; `station` names the driven car, -1 none. `controls` may be replaced between ticks."""

    def __init__(self, fleet: Fleet | SupervisedFleet) -> None:
        self.fleet = fleet
        self.station = -1
        self.controls = Controls()
        self.cockpit = Cockpit()
        self.hmi: HmiBatch | None = None  # what its screen shows

    def enter(self, station: int) -> None:
        """Sit down in another car; its automation drives on until the person does something."""
        self.station, self.cockpit = station, Cockpit()
        self.cockpit.automation, self.cockpit.person = Automation.ACTIVE, 0.0

    def step(
        self, frames: SensorFrames, mission: FleetMission, inbox: Received, t: float
    ) -> tuple[VehicleCommands, AwarenessBatch, HmiBatch]:
        """As `Fleet.step`."""
        commands, awareness, hmi = self.fleet.step(frames, mission, inbox, t)
        mine = hmi.station == self.station
        self.hmi = HmiBatch(*(column[mine] for column in hmi))
        for row in np.flatnonzero(mission.station == self.station):
            command = self.cockpit.step(
                self.controls,
                Command(float(commands.accel[row]), float(commands.steer[row]), int(commands.indicator[row])),
                speed=float(frames.ego.speed[row]),
                length=float(mission.length[row]),
                able=not bool((self.hmi.kind == HmiKind.TAKE_OVER).any()),
                t=t,
            )
            commands.accel[row], commands.steer[row], commands.indicator[row] = command
        return commands, awareness, hmi

    def remembered(self, station: int) -> tuple[F64, I64] | None:
        """As `Fleet.remembered`."""
        return self.fleet.remembered(station)

    def explain(self, station: int) -> str:
        """As `Fleet.explain`."""
        return self.fleet.explain(station)

"""The person at the wheel of an automated car: pedals and wheel, hand-over, take-over, and what happens if nobody takes over.

Transition demands and the minimum-risk manoeuvre follow `human/transition.py` (UN R157), availability `human/driver_monitor.py`.
Braking or steering takes over at once; authority moves smoothly over `BLEND` s.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.human.driver_monitor import DriverMonitor, Reading
from cloverleaf.human.transition import LEAD_S, Order, Stage, Transition, blend

TAKE_OVER_S = LEAD_S
BLEND = 0.8  # s
FULL_THROTTLE, FULL_BRAKE, COASTING = 3.5, 9.0, 0.25  # m/s2
LATERAL = 5.0  # m/s2 that a full turn of the wheel asks for at speed
STEER_MAX = 0.55  # rad at the road wheel, when slow
OVERRIDE_BRAKE, OVERRIDE_STEER = 0.08, 0.12
HAZARD = 2


ATTENTIVE = Reading()


class Automation(IntEnum):
    """Who drives."""

    OFF = 0  # the person; the automation could not
    AVAILABLE = 1  # the person; the automation could
    ACTIVE = 2
    TAKE_OVER = 3  # the automation, asking the person to take over


class Controls(NamedTuple):
    """What hands and feet do now."""

    throttle: float = 0.0  # 0..1
    brake: float = 0.0  # 0..1
    steer: float = 0.0  # -1 right .. 1 left
    indicator: int = 0  # as in Actors
    automation: bool = False  # the switch

    def clean(self) -> Controls:
        """The same within its limits; what is not a number counts as untouched."""

        def bound(value: float, low: float, high: float) -> float:
            return min(max(value, low), high) if math.isfinite(value) else 0.0

        return Controls(
            bound(self.throttle, 0.0, 1.0), bound(self.brake, 0.0, 1.0), bound(self.steer, -1.0, 1.0),
            self.indicator if self.indicator in (-1, 0, 1, 2) else 0, bool(self.automation),
        )  # fmt: skip


class Command(NamedTuple):
    """One car's row of VehicleCommands."""

    accel: float  # m/s2
    steer: float  # rad
    indicator: int


def manual(controls: Controls, speed: float, length: float) -> Command:
    """What pedals and wheel ask of a car of `length` m at `speed` m/s; a full turn never asks for more than `LATERAL` m/s2."""
    accel = FULL_THROTTLE * controls.throttle - FULL_BRAKE * controls.brake
    if controls.throttle == 0.0 and controls.brake == 0.0 and speed > 0.0:
        accel = -COASTING
    limit = min(STEER_MAX, math.atan(LATERAL * wheelbase(length) / max(speed * speed, 1.0)))
    return Command(accel, limit * controls.steer, controls.indicator)


class Cockpit:
    """Authority over one car, tick by tick. `person` is the share of the command that is the person's."""

    def __init__(self) -> None:
        self.automation = Automation.OFF
        self.person = 1.0
        self.transition, self.monitor = Transition(), DriverMonitor()
        self.order = Order(Stage.NONE, math.nan, math.inf, False)
        self._switch = False
        self._time = -math.inf

    def take_over_s(self, t: float) -> float | None:
        """Seconds left of a transition demand, 0 once the car stops by itself; None without one."""
        if self.automation != Automation.TAKE_OVER:
            return None
        return max(self.transition.since + LEAD_S - t, 0.0)

    def step(
        self, controls: Controls, automatic: Command, *, speed: float, length: float, able: bool, t: float,
        reading: Reading | None = ATTENTIVE,
    ) -> Command:  # fmt: skip
        """The command at time `t` (s): the person's, the automation's, or a blend on the way between them.

        able: False while the automation asks for, or cannot do without, the person. reading: of the camera that watches the person.
        """
        controls = controls.clean()
        person = self.monitor.step(reading, t)
        self._decide(controls, able)
        driving = self.automation >= Automation.ACTIVE
        self.order = self.transition.step(t, speed=speed, person=person, taken_over=not driving, unable=not able)
        if driving:
            self.automation = Automation.ACTIVE if self.order.stage == Stage.NONE else Automation.TAKE_OVER
        step = (t - self._time) / BLEND if math.isfinite(self._time) else 0.0
        self._time = t
        self.person = max(self.person - step, 0.0) if driving else min(self.person + step, 1.0)
        if controls.brake > OVERRIDE_BRAKE:
            self.person = 1.0  # brakes do not wait
        machine = automatic
        if self.order.hazard:
            machine = Command(min(automatic.accel, self.order.most_accel), automatic.steer, HAZARD)
        mine = manual(controls, speed, length)
        w = self.person
        return Command(
            blend(w, mine.accel, machine.accel),
            blend(w, mine.steer, machine.steer),
            mine.indicator if w > 0.5 else machine.indicator,
        )

    def _decide(self, controls: Controls, able: bool) -> None:
        pressed, self._switch = controls.automation and not self._switch, controls.automation
        overriding = controls.brake > OVERRIDE_BRAKE or abs(controls.steer) > OVERRIDE_STEER
        if self.automation >= Automation.ACTIVE:
            if overriding or not controls.automation:
                self.automation = Automation.AVAILABLE if able else Automation.OFF
        elif pressed and able and not overriding:
            self.automation = Automation.ACTIVE
        else:
            self.automation = Automation.AVAILABLE if able else Automation.OFF

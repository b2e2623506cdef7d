"""The transition demand of an automated car, by the times of UN R157: ask, ask louder, then stop by itself.

5.4.2 a planned end asks so early that the stop ends before it; an unplanned one at once. 5.4.3 escalation 4 s after the start of the
demand at the latest. 5.4.4 the minimum-risk manoeuvre begins no earlier than 10 s after the demand, or at once for a severe failure.
5.5.1 it brakes by at most 4 m/s2, 5.5.2 hazard lights from its start. 5.5.5 at standstill the car stays still until the driver takes
over by hand; 5.4.5 the driver ends it by taking over.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

from cloverleaf.human.driver_monitor import Availability

LEAD_S, ESCALATE_S = 10.0, 4.0
BRAKING = 3.0  # m/s2, of the minimum-risk manoeuvre; 4 is the most that is allowed
STANDSTILL = 0.05  # m/s


class Stage(IntEnum):
    """How far a demand has gone."""

    NONE = 0
    DEMAND = 1  # picture and sound
    ESCALATED = 2  # haptic, constant
    MINIMUM_RISK = 3
    STOPPED = 4  # hazard lights on until the driver takes over


class Order(NamedTuple):
    """What the cockpit does now."""

    stage: Stage
    left_s: float  # until the minimum-risk manoeuvre begins; NaN without a demand
    most_accel: float  # m/s2 that the automation may at most command; inf no limit
    hazard: bool


class Transition:
    """One car's demand; call `step` once a tick."""

    def __init__(self) -> None:
        self.stage = Stage.NONE
        self.since = math.nan
        self.reason = ""

    def step(
        self, t: float, *, speed: float, person: Availability = Availability.ATTENTIVE, taken_over: bool = False,
        planned_in: float = math.inf, unable: bool = False, severe: bool = False,
    ) -> Order:  # fmt: skip
        """Advance to time `t` (s).

        planned_in: s until the automation's domain ends, inf if it does not. unable: it cannot go on for long. severe: it cannot go on.
        """
        stopping = speed / BRAKING
        wants = unable or severe or planned_in <= LEAD_S + stopping or person >= Availability.DROWSY
        if taken_over:
            self.stage, self.since, self.reason = Stage.NONE, math.nan, ""
        elif self.stage == Stage.NONE and wants:
            self.stage, self.since = Stage.DEMAND, t
            self.reason = (
                "severe failure" if severe else "failure" if unable else "end of its domain" if planned_in <= LEAD_S + stopping
                else person.name.lower()
            )  # fmt: skip
        elif self.stage in (Stage.DEMAND, Stage.ESCALATED) and not wants:
            self.stage, self.since, self.reason = Stage.NONE, math.nan, ""
        waited = t - self.since
        if self.stage == Stage.DEMAND and (waited >= ESCALATE_S or person >= Availability.UNAVAILABLE):
            self.stage = Stage.ESCALATED
        if self.stage in (Stage.DEMAND, Stage.ESCALATED) and (waited >= LEAD_S or severe):
            self.stage = Stage.MINIMUM_RISK
        if self.stage == Stage.MINIMUM_RISK and speed <= STANDSTILL:
            self.stage = Stage.STOPPED
        risk = self.stage >= Stage.MINIMUM_RISK
        left = math.nan if self.stage == Stage.NONE else max(LEAD_S - waited, 0.0)
        return Order(self.stage, left, -BRAKING if risk else math.inf, risk)


def blend(person: float, hands: float, machine: float) -> float:
    """Command of shared control: `person` (0..1) is the share of the hands; smoothstep, so that neither end of a transfer has a kink."""
    w = min(max(person, 0.0), 1.0)
    w = w * w * (3.0 - 2.0 * w)
    return w * hands + (1.0 - w) * machine

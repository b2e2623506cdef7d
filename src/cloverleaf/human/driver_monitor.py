"""Driver monitoring: eyes, hands and presence as a camera and the wheel see them, and what they say of the person's availability.

UN R157 (01 series): the driver counts as available by at least two criteria within 30 s (5.1.3.1: input to the controls, eye blinking or
closure, conscious head or body movement); inattentive if the gaze is off the road or mirrors (6.1.3); absent or unbelted means a
transition demand at once (6.1.1, 6.1.2). Readings that are not numbers, or none for `STALE` s, count as a person who is not there.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

STALE = 1.0  # s without a reading
UNAVAILABLE_S = 30.0  # s without a sign of life by two criteria
DROWSY_PERCLOS = 0.3  # share of time that eyes are closed, over PERCLOS_S
PERCLOS_S = 60.0
GLANCE_S = (
    5.0  # s off the road after which the person is inattentive (R157 6.1.3.1: three seconds of gaze tell attention)
)
HANDS_TORQUE = 0.3  # Nm


class Reading(NamedTuple):
    """One picture of the person."""

    seated: bool = True
    belted: bool = True
    eyes_open: float = 1.0  # 0 closed .. 1 open
    on_road: bool = True  # gaze at road or mirrors
    moved: bool = True  # head or body moved since the last reading
    torque: float = 0.0  # Nm of the hands on the wheel


class Availability(IntEnum):
    """What the person can be asked to do."""

    ATTENTIVE = 0
    DISTRACTED = 1  # could take over once called
    DROWSY = 2
    UNAVAILABLE = 3  # no sign of life
    ABSENT = 4  # not in the seat, or unbelted


class DriverMonitor:
    """Memory of one person; call `step` with each reading, or with None where there is none."""

    def __init__(self) -> None:
        self.perclos = 0.0
        self.state = Availability.ATTENTIVE
        self._time = math.nan
        self._read = self._looked = -math.inf
        self._signs = {"eyes": -math.inf, "body": -math.inf, "hands": -math.inf}
        self._was_open = True

    def step(self, reading: Reading | None, t: float) -> Availability:
        """The person's availability at time `t` (s)."""
        if math.isnan(self._time):
            # whoever switches the automation on has just shown to be there
            self._read = self._looked = t
            self._signs = dict.fromkeys(self._signs, t)
        dt = 0.0 if math.isnan(self._time) else max(t - self._time, 0.0)
        self._time = t
        if reading is not None and math.isfinite(reading.eyes_open) and math.isfinite(reading.torque):
            self._take(reading, t, dt)
        if t - self._read > STALE:
            self.state = Availability.ABSENT
        return self.state

    def _take(self, reading: Reading, t: float, dt: float) -> None:
        self._read = t
        is_open = reading.eyes_open > 0.2
        share = min(dt / PERCLOS_S, 1.0)
        self.perclos += share * ((0.0 if is_open else 1.0) - self.perclos)
        for name, sign in (
            ("eyes", is_open != self._was_open),
            ("body", reading.moved),
            ("hands", abs(reading.torque) > HANDS_TORQUE),
        ):
            if sign:
                self._signs[name] = t
        self._was_open = is_open
        if reading.on_road and is_open:
            self._looked = t
        alive = sum(t - last <= UNAVAILABLE_S for last in self._signs.values())
        if not reading.seated or not reading.belted:
            self.state = Availability.ABSENT
        elif alive < 2:
            self.state = Availability.UNAVAILABLE
        elif self.perclos > DROWSY_PERCLOS:
            self.state = Availability.DROWSY
        else:
            self.state = Availability.DISTRACTED if t - self._looked > GLANCE_S else Availability.ATTENTIVE

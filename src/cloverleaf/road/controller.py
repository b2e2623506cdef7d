"""The seam to a signal controller: what it shows and will show, and the stage that one asks it for.

Behind it stand adapters to real cabinets (`controller_ntcip.py`, `controller_gb.py`) or the simulated controller of a map's signal.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from cloverleaf.road.signals import SignalControllers
from cloverleaf.types.signals import SignalCommand


class ControllerStatus(NamedTuple):
    """What one controller shows. Times in s, NaN unknown."""

    letters: bytes  # one per head, as in SignalState
    phase: int  # index within the group
    min_end: float
    likely_end: float
    max_end: float
    next_phase: int  # -1 unknown


class Controller(Protocol):
    """One signal controller."""

    def status(self, t: float) -> ControllerStatus:
        """What it shows at `t` s; advances a simulated one."""

    def ask(self, phase: int, t: float) -> None:
        """Serve this stage as soon as it is safe; repeat the wish while it holds."""


class SimulatedController:
    """One group of a map's controllers. Their safe transitions and minimum greens hold whatever is asked."""

    def __init__(self, controllers: SignalControllers, group: int) -> None:
        self.controllers, self.group = controllers, group
        lanes = controllers._lanes
        self.seen, self.count = np.full(lanes, -1e18), np.zeros(lanes)

    def status(self, t: float) -> ControllerStatus:
        """Step all controllers to `t`, and read this one."""
        state = self.controllers.step(t, self.seen, self.count)
        timing = self.controllers.timing(t)
        g = self.group
        letters = state.light[state.start[g] : state.start[g + 1]].tobytes()
        ends = (float(timing.min_end[g]), float(timing.likely_end[g]), float(timing.max_end[g]))
        return ControllerStatus(letters, int(state.phase[g]), *ends, int(timing.next_phase[g]))

    def ask(self, phase: int, t: float) -> None:
        """A wish as the cloud would send it."""
        one = np.array([self.group], np.int32)
        self.controllers.command(SignalCommand(one, np.array([phase], np.int32), np.array([t])), t)

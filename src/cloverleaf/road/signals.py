"""The signal controllers of a road network: their own plan, gaps, local max pressure, or stages wished for by the cloud."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.signal_control import ControlMode, SignalPlan, predict_end, set_mode, step_signals
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.signal_tables import signal_memory, signal_plan
from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.signals import SignalCommand, SignalState, SignalTiming
from cloverleaf.types.state import F64

CONTROLS = ("plan", "fixed", "actuated", "max_pressure")
"""`plan`: what the map says of each signal; the others hold for all signals that have two stages or more."""
COMMAND_LIFE = 5.0
"""s after which a controller that hears no more wishes of the cloud returns to its own control."""
NET_MINIMUM, NET_MAXIMUM = 5.0, 50.0
"""s, green of an actuated stage for which the map gives no range (netconvert's defaults)."""


@kernel
def _predict_all(plan, memory, t, out, next_phase):
    for g in range(memory.phase.shape[0]):
        least, likely, most, following = predict_end(plan, memory, g, t)
        out[g, 0] = least
        out[g, 1] = likely
        out[g, 2] = most
        next_phase[g] = following


class SignalControllers:
    """All controllers of a map. `step` shows the lights of time t; safe transitions are built into the kernels."""

    def __init__(self, graph: LaneGraph, *, control: str = "plan", begin: float = 0.0) -> None:
        if control not in CONTROLS:
            raise StudyError(f"signal control '{control}' does not exist", hint=nearest(control, CONTROLS))
        self.plan = _with_ranges(signal_plan(graph)) if control == "actuated" else signal_plan(graph)
        groups = len(graph.signal_links)
        stages = np.add.reduceat(self.plan.is_stage, self.plan.phase_start[:-1]) if groups else np.zeros(0, np.uint8)
        self.choosable = stages >= 2
        mode = np.where(graph.signal_actuated == 1, ControlMode.ACTUATED, ControlMode.FIXED)
        if control == "fixed":
            mode = np.full(groups, ControlMode.FIXED)
        elif control == "actuated":
            mode = np.where(self.choosable, ControlMode.ACTUATED, mode)
        elif control == "max_pressure":
            mode = np.where(self.choosable, ControlMode.PRESSURE, mode)
        self.own_mode = mode.astype(np.int32)
        self.memory = signal_memory(graph, self.plan, self.own_mode, begin)
        self.heard = np.full(groups, -math.inf)
        self.made = np.full(groups, -math.inf)  # s, moment of the newest wish taken
        self._lanes = len(graph.lane_length)
        self._ends, self._next = np.zeros((groups, 3)), np.zeros(groups, np.int32)

    def command(self, wish: SignalCommand, t: float) -> None:
        """Take wishes of the cloud: stages (phase index within the group).

        Wishes for anything but a stage are ignored, and those that a newer one has overtaken on the way.
        """
        plan, memory = self.plan, self.memory
        for group, phase, made in zip(wish.group.tolist(), wish.phase.tolist(), wish.time.tolist()):
            if not 0 <= group < len(self.own_mode) or not self.choosable[group]:
                continue
            row = int(plan.phase_start[group]) + phase
            if phase < 0 or row >= plan.phase_start[group + 1] or not plan.is_stage[row]:
                continue
            if made < self.made[group]:
                continue
            self.made[group] = made
            if set_mode(plan, memory, group, int(ControlMode.COMMAND), float(t)):
                memory.wanted[group] = phase
                self.heard[group] = t

    def step(self, t: float, clear_time: F64, count: F64) -> SignalState:
        """Lights at time t. clear_time, count: shape (L,), see `algo.signal_control.step_signals`."""
        plan, memory = self.plan, self.memory
        stale = (memory.mode == ControlMode.COMMAND) & (t - self.heard > COMMAND_LIFE)
        for group in np.flatnonzero(stale):
            if set_mode(plan, memory, int(group), int(self.own_mode[group]), float(t)):
                memory.wanted[group] = -1
        step_signals(plan, memory, clear_time, count, float(t))
        return SignalState(plan.head_start, memory.light.copy(), memory.phase.copy(), memory.since.copy())

    def timing(self, t: float) -> SignalTiming:
        """What each controller knows of the end of what it shows."""
        _predict_all(self.plan, self.memory, float(t), self._ends, self._next)
        return SignalTiming(
            self._ends[:, 0].copy(), self._ends[:, 1].copy(), self._ends[:, 2].copy(), self._next.copy()
        )


def _with_ranges(plan: SignalPlan) -> SignalPlan:
    """Stages without a range of their own get the usual one, so that a fixed plan can run actuated."""
    bare = (plan.is_stage == 1) & (plan.maximum <= plan.minimum)
    minimum = np.where(bare, np.minimum(plan.duration, NET_MINIMUM), plan.minimum)
    maximum = np.where(bare, np.maximum(plan.duration, NET_MAXIMUM), plan.maximum)
    return plan._replace(minimum=minimum, maximum=maximum)

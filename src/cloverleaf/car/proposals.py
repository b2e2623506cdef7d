"""Planning by proposals: a coarse grid of accelerations and offsets, then small steps around the best of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.car.rollout import BMW_320I, PROPOSAL, Situation, Vehicle, Weights, drive_on_paper, empty_states, search
from cloverleaf.types.state import F64

FIRST = (-7.0, -4.0, -2.0, -1.0, -0.4, 0.0, 0.4, 1.0, 2.0, 3.5)  # m/s2
SECOND = (-5.0, -2.0, -0.8, 0.0, 0.8, 2.0)
SIDEWAYS = (0.0, -0.4, 0.4, -0.9, 0.9, -1.6, 1.6, -3.5, 3.5)  # m; the last two are the next lanes
PASSING = ((0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (-2.0, 1.0))
"""Accelerations tried beside the path whatever is best on it: on the path everybody may have to stop."""
CHANGES = (10.0, 25.0)  # m, and 1.5 s and 3 s at speed
NEW = (0.0, math.nan, math.nan)
"""Ending of a proposal whose change of offset begins now."""
STEPS = ((1.0, 0.6, 0.8, 0.4), (0.4, 0.3, 0.3, 0.2), (0.15, 0.15, 0.12, 0.1), (0.05, 0.08, 0.05, 0.05))
"""Widths of the refinement: first acceleration, moment of the change (s), second acceleration, offset (m)."""


class Plan(NamedTuple):
    """The chosen proposal and its states; `states[k]` is k steps ahead: x, y, heading, speed, steer, acceleration, steering rate."""

    proposal: F64  # (PROPOSAL,)
    cost: float
    reached: bool
    states: F64


class Planner:
    """Plans for one car in one situation; call `plan` once a cycle."""

    def __init__(
        self, situation: Situation, goal_offset: float = 0.0, car: Vehicle = BMW_320I, weights: Weights | None = None
    ) -> None:
        self.situation, self.car, self.weights = situation, car, weights or Weights()
        self.offsets = sorted({*SIDEWAYS, goal_offset}, key=abs) if goal_offset else list(SIDEWAYS)
        self._last: tuple[int, F64, F64] | None = None  # step, state and proposal of the last choice

    def _place(self, state: F64) -> tuple[float, float, float]:
        """Of the rear axle: m along the path, m to its left, slope against it."""
        w, rear = self.situation, self.car.rear
        x, y = state[0] - rear * math.cos(state[2]), state[1] - rear * math.sin(state[2])
        k = int(np.argmin((w.path_x - x) ** 2 + (w.path_y - y) ** 2))
        dx, dy, heading = x - w.path_x[k], y - w.path_y[k], w.path_heading[k]
        c, s = math.cos(heading), math.sin(heading)
        lean = min(max(wrap_angle(state[2] - heading), -0.6), 0.6)
        return float(w.path_s[k] + dx * c + dy * s), float(dy * c - dx * s), math.tan(lean)

    def _onward(self, state: F64, step: int) -> list[tuple[float, ...]]:
        """The last choice, gone on with: what was planned must stay possible, or a change of lane would begin anew for ever."""
        if self._last is None:
            return []
        when, before, p = self._last
        (start, d, lean), (now, _, _) = self._place(before), self._place(state)
        if math.isfinite(p[6]):
            start, d, lean = start - p[5], p[6], p[7]
        return [(p[0], max(p[1] - (step - when) * self.situation.dt, 0.0), p[2], p[3], p[4], now - start, d, lean)]

    def plan(self, state: F64, step: int, horizon: int) -> Plan:
        """The best drive of `horizon` steps from `state` (STATE,) at time step `step`."""
        change = max(CHANGES[0], 1.5 * float(state[3]))
        times = (0.25 * horizon * self.situation.dt, 0.6 * horizon * self.situation.dt)
        base = [(a, t, b, self.offsets[0], change, *NEW) for a in FIRST for t in times for b in SECOND]
        proposals = np.array(base + self._onward(state, step))
        costs = self._costs(state, step, horizon, proposals)
        keep = np.argsort(costs, kind="stable")[:6]
        wide = max(CHANGES[1], 3.0 * float(state[3]))
        drives = [tuple(proposals[k][:3]) for k in keep] + [(a, times[0], b) for a, b in PASSING]
        sideways = [(*drive, d, c, *NEW) for drive in drives for d in self.offsets for c in (change, wide)]
        more = np.array(sideways)
        more_costs = self._costs(state, step, horizon, more)
        proposals, costs = np.vstack((proposals, more)), np.concatenate((costs, more_costs))
        best, cost = proposals[costs.argmin()].copy(), float(costs.min())
        for widths in STEPS:
            best, cost = self._refine(state, step, horizon, best, cost, widths)
        states = empty_states(horizon)
        cost, done, goal = drive_on_paper(
            self.situation, self.car, self.weights, state, step, best, horizon, np.inf, states
        )
        self._last = step, state.copy(), best
        return Plan(best, float(cost), bool(goal), states[: done + 1])

    def _refine(
        self, state: F64, step: int, horizon: int, best: F64, cost: float, widths: tuple[float, ...]
    ) -> tuple[F64, float]:
        """Try neighbours one width away, alone and in pairs of the accelerations, until none is better."""
        moves = [
            np.eye(PROPOSAL)[k] * w * sign for k, w in zip((0, 1, 2, 3), widths, strict=True) for sign in (-1.0, 1.0)
        ]
        moves += [np.array([i * widths[0], 0.0, j * widths[2], *[0.0] * 5]) for i in (-1.0, 1.0) for j in (-1.0, 1.0)]
        for _ in range(3):
            near = best + np.array(moves)
            near[:, 1] = np.maximum(near[:, 1], 0.0)
            costs = self._costs(state, step, horizon, near)
            if costs.min() >= cost - 1e-9:
                break
            best, cost = near[costs.argmin()].copy(), float(costs.min())
        return best, cost

    def _costs(self, state: F64, step: int, horizon: int, proposals: F64) -> F64:
        costs, room = np.zeros(len(proposals)), empty_states(horizon)
        search(self.situation, self.car, self.weights, state, step, horizon, proposals, costs, room)
        return costs

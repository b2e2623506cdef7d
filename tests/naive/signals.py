"""One signal controller in plain Python: plan, gaps and free choice of stages; dictionaries and strings, one group at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Phase:
    duration: float
    minimum: float
    maximum: float
    state: str
    following: int
    detectors: list[int]
    moves: list[tuple[int, int, float]]  # lane in, lane out, share

    @property
    def stage(self) -> bool:
        return any(c in "Gg" for c in self.state) and not any(c in "yu" for c in self.state)


class Controller:
    def __init__(self, phases: list[Phase], mode: str, offset: float, t: float, yellow: float, all_red: float,
                 crossing: list[float]) -> None:  # fmt: skip
        self.phases, self.mode, self.yellow, self.all_red, self.crossing = phases, mode, yellow, all_red, crossing
        position = (t - offset) % sum(p.duration for p in phases)
        index = 0
        while index < len(phases) - 1 and position >= phases[index].duration - 1e-9:
            position -= phases[index].duration
            index += 1
        self.served = [t] * len(phases)
        self.wanted = -1
        self._enter(index, t - position)

    def _enter(self, index: int, t: float) -> None:
        self.index, self.since = index, t
        phase = self.phases[index]
        self.until = t + (phase.minimum if self.mode == "actuated" else phase.duration)
        self.light, self.change = phase.state, None

    def _next(self) -> int:
        following = self.phases[self.index].following
        return following if following >= 0 else (self.index + 1) % len(self.phases)

    def step(self, clear: dict[int, float], count: dict[int, float], t: float) -> str:
        if self.mode in ("fixed", "actuated"):
            self._by_plan(clear, t)
        else:
            self._freely(count, t)
        return self.light

    def _by_plan(self, clear: dict[int, float], t: float) -> None:
        while t >= self.until - 1e-9:
            phase = self.phases[self.index]
            if self.mode == "actuated" and phase.maximum > phase.minimum:
                gap = max(0.0, min((t - clear[d] for d in phase.detectors), default=math.inf))
                left = self.since + phase.maximum - t
                if gap < 3.0 and left > 1e-9:
                    self.until = t + min(max(1.0, math.ceil(2.0 - gap - 1e-9)), left)
                    return
            self._enter(self._next(), self.until)

    def _pressure(self, index: int, count: dict[int, float]) -> float:
        return sum(share * (count[a] - count[b]) for a, b, share in self.phases[index].moves)

    def _choice(self, count: dict[int, float], t: float) -> int:
        stages = [i for i, p in enumerate(self.phases) if p.stage and i != self.index]
        waiting = [
            i
            for i in stages
            if t - self.served[i] > 120.0 and sum(s * count[a] for a, _, s in self.phases[i].moves) > 0
        ]
        if waiting:
            return min(waiting, key=lambda i: (self.served[i], i))
        best = max(stages, key=lambda i: (self._pressure(i, count), -i), default=self.index)
        staying = self._pressure(self.index, count) + (2.0 if self.phases[self.index].stage else 0.0)
        return best if self._pressure(best, count) > staying + 1e-9 else self.index

    def _freely(self, count: dict[int, float], t: float) -> None:
        phase = self.phases[self.index]
        if self.change is None:
            if not phase.stage:
                if t >= self.until - 1e-9:
                    self._enter(self._next(), self.until)
                return
            self.served[self.index] = t
            if t < self.since + 10.0 - 1e-9:
                return
            goal = self._choice(count, t) if self.mode == "pressure" else self.wanted
            if goal < 0 or goal == self.index or not self.phases[goal].stage:
                return
            walkers = [
                need
                for need, a, b in zip(self.crossing, phase.state, self.phases[goal].state)
                if a in "Gg" and b not in "Gg"
            ]
            self.change = (goal, t, max(max(walkers) - self.yellow - self.all_red, 0.0) if walkers else 0.0)
            self.light = self._between(goal, "walk")
        goal, began, walking = self.change
        if t >= began + walking - 1e-9:
            self.light = self._between(goal, "y")
        if t >= began + walking + self.yellow - 1e-9:
            self.light = self._between(goal, "r")
        if t >= began + walking + self.yellow + self.all_red - 1e-9:
            self._enter(goal, began + walking + self.yellow + self.all_red)
            self.served[goal] = t

    def _between(self, goal: int, part: str) -> str:
        letters = []
        for a, b, crossing in zip(self.phases[self.index].state, self.phases[goal].state, self.crossing):
            if a in "Gg":
                keeps = b in "Gg" or (part == "walk" and crossing == 0.0)
                letters.append(a if keeps else "r" if part == "r" else "y")
            else:
                letters.append(a if a == b else "r")
        return "".join(letters)

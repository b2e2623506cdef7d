"""Runs components over the table of topics: in simulation at given times, live against a clock - the same code decides what is due.

A component reads topics and writes topics (`runtime/replay.py: Component`). Its period is that of the fastest topic that it writes. In
one round writers run before readers as far as there is no circle; who is in one reads what the round before left. A value older than
its topic's deadline is not handed out (deadline supervision); a component that raises is counted and the others go on (alive supervision).
"""

from __future__ import annotations

import time as clock
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cloverleaf.runtime.faults import Injector
from cloverleaf.runtime.replay import Component
from cloverleaf.runtime.topics import topic
from cloverleaf.types.errors import StudyError

SLACK = 1e-9  # s


class Task(NamedTuple):
    """One component in its place. A topic of `reads` that is missing or late arrives as None."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    component: Component

    @property
    def period(self) -> float:
        """s between two rounds."""
        return 1.0 / max(topic(name).rate_hz for name in self.writes)


def in_order(tasks: Sequence[Task]) -> list[Task]:
    """Writers before readers; ties, and circles, in the order given. Raises StudyError if two tasks write one topic."""
    owner: dict[str, str] = {}
    for task in tasks:
        if not task.writes:
            raise StudyError("writes no topic, so nothing says how often it runs", element=task.name)
        for name in (*task.reads, *task.writes):
            topic(name)
        for name in task.writes:
            if name in owner:
                raise StudyError(f"'{name}' is written by {owner[name]} and {task.name}", element="topics")
            owner[name] = task.name
    left, done = list(tasks), []
    while left:
        waiting = {name for task in left for name in task.writes}
        ready = next((t for t in left if not (set(t.reads) - set(t.writes)) & waiting), left[0])
        left.remove(ready)
        done.append(ready)
    return done


@dataclass
class Schedule:
    """The deterministic scheduler: call `run_until`, or `round` with times of your own. No clock is read here."""

    tasks: Sequence[Task]
    board: dict[str, tuple[float, Any]] = field(default_factory=dict)  # topic -> time of writing, value
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (task or topic, reason)
    listen: Callable[[str, float, Any], None] | None = None  # hears every value written, a Recorder's `write` for one
    faults: Injector = field(default_factory=Injector)  # strike what readers get of any topic

    def __post_init__(self) -> None:
        self._order = in_order(self.tasks)
        self._due = dict.fromkeys((t.name for t in self._order), 0.0)
        self.base = min(t.period for t in self._order)

    def write(self, name: str, t: float, value: Any) -> None:
        """Put a value on the board, from a task, a sensor or a gateway; one that a fault swallows leaves the board as it was."""
        topic(name)
        struck = self.faults(name, value, t)
        if struck is not None:
            self.board[name] = (t, struck)
        if self.listen:
            self.listen(name, t, value)

    def read(self, name: str, t: float) -> Any:
        """The newest value of a topic; None, and counted, where it is missing or later than its deadline and one period."""
        if name not in self.board:
            self.counts[(name, "lost")] += 1
            return None
        at, value = self.board[name]
        row = topic(name)
        if t - at > max(row.deadline_s, 1.0 / row.rate_hz) + SLACK:
            self.counts[(name, "late")] += 1
            return None
        return value

    def round(self, t: float) -> list[str]:
        """Run what is due at time `t` (s); the names of the tasks that ran."""
        ran = []
        for task in self._order:
            if t < self._due[task.name] - SLACK:
                continue
            # From the grid, not from now: a late round does not shift the later ones, and missed ones are not made up for.
            self._due[task.name] = (int((t + SLACK) / task.period) + 1) * task.period
            ran.append(task.name)
            try:
                written = task.component({name: self.read(name, t) for name in task.reads}, t)
            except Exception as error:  # whatever a component dies of, the others must not
                self.counts[(task.name, f"died: {type(error).__name__}")] += 1
                continue
            for name, value in written.items():
                if name in task.writes:
                    self.write(name, t, value)
                else:
                    self.counts[(task.name, f"wrote '{name}', which is not its own")] += 1
        return ran

    def run_until(self, end: float, begin: float = 0.0) -> None:
        """All rounds of [begin, end) (s) in simulated time."""
        for k in range(round((end - begin) / self.base)):
            self.round(begin + k * self.base)


def run_live(
    schedule: Schedule,
    seconds: float,
    *,
    now: Callable[[], float] = clock.monotonic,
    sleep: Callable[[float], None] = clock.sleep,
) -> float:
    """The real-time scheduler: rounds of the same schedule at the times of a clock, for `seconds`; returns the share of rounds in time.

    A round that takes longer than its period is counted as an overrun of "schedule"; the rounds that it swallowed are left out, so that
    the newest values are acted upon rather than a queue of old ones.
    """
    start, k, rounds, late = now(), 0, 0, 0
    total = round(seconds / schedule.base)
    while k < total:
        wait = start + k * schedule.base - now()
        if wait > 0.0:
            sleep(wait)
        schedule.round(k * schedule.base)
        rounds += 1
        behind = int((now() - start) / schedule.base + SLACK)
        if behind > k:
            schedule.counts[("schedule", "overrun")] += 1
            late += 1
        k = max(k + 1, behind)
    return 1.0 - late / max(rounds, 1)

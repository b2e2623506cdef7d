"""What a study needs of a simulation: one world per arm and seed, stepped tick by tick, and what remains of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from cloverleaf.map.graph import BaseMap
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.collisions import CollisionEvents
from cloverleaf.types.demand import Demand
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import U8, Actors


class Tick(NamedTuple):
    """What is true at the end of one step. Columns are the world's own: read, never keep."""

    time: float  # s
    actors: Actors
    signals: SignalState  # as they stood during the step
    halted: U8 | None  # (capacity,) 1 at a scheduled stop, or None if nobody halts
    removed: tuple[int, ...] = ()  # trips taken off the road before their end in this step


class Loop(Protocol):
    """One world of one arm and seed, ready to run. `loop/` provides it; see `Factory`."""

    base_map: BaseMap
    demand: Demand
    collisions: CollisionEvents
    begin: float  # s
    step: float  # s

    def tick(self) -> Tick:
        """Advance one step."""

    def link_statistics(self) -> dict[str, Any]:
        """The `link` part of summary.json: sent, delivered, pdr, latency_ms_p99, bytes; empty without a link."""


Factory = Callable[[Study, Arm, int], Loop]
"""(study, arm, seed) -> Loop."""


class StateDigest:
    """sha256 over the packed states of all ticks: equal digests mean equal runs, bit by bit."""

    COLUMNS = ("trip", "kind", "x", "y", "heading", "speed", "accel", "lane", "s")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, actors: Actors, light: U8) -> None:
        """Hash the rows in use, ordered by slot, and the signal letters."""
        rows = np.flatnonzero((actors.trip >= 0) | (actors.kind > 0))
        self._hash.update(rows.astype("<i4").tobytes())
        for name in self.COLUMNS:
            column = getattr(actors, name)[rows]
            self._hash.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
        self._hash.update(light.tobytes())

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def combined_digest(parts: list[str]) -> str:
    """Digest of a study from those of its runs, in their fixed order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Strip:
    """Trajectories along one arterial for a time-space diagram: one row per sample, lengths in m, times in s."""

    title: str
    length: float
    trip: np.ndarray  # (samples,) int64
    time: np.ndarray
    position: np.ndarray
    smart: np.ndarray  # (samples,) bool
    signal_at: tuple[float, ...] = ()  # m, stop lines
    red: tuple[tuple[float, float, float], ...] = ()  # (m, from s, to s)
    edges: tuple[int, ...] = ()


@dataclass(frozen=True)
class ArmResult:
    """One finished run."""

    arm: Arm
    seed: int
    measures: dict[str, float]  # metric name -> value
    arrived_only: dict[str, float]  # SUMO's terms, for comparison
    link: dict[str, Any]
    digest: str
    vehicle_steps: int
    simulated_s: float
    wall_s: float
    strip: Strip | None = None
    interrupted: bool = False
    collisions: tuple[dict[str, Any], ...] = field(default=())

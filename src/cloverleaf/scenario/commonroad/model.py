"""A motion planning scenario as arrays. Metres, radians, seconds; time steps are whole numbers of `step` s."""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.types.state import F64, I64


class Lanelet(NamedTuple):
    """A piece of lane; bounds run in driving direction."""

    id: int
    left: F64  # (p, 2)
    right: F64  # (q, 2)
    centre: F64  # (m, 2)
    half_width: F64  # (m,) m
    successors: tuple[int, ...]
    predecessors: tuple[int, ...]
    adjacent: tuple[int, ...]  # neighbours of the same driving direction

    def polygon(self) -> F64:
        """Its outline, (p + q, 2)."""
        from numpy import vstack

        return vstack((self.left, self.right[::-1]))


class Start(NamedTuple):
    """Initial state: the centre of the box at time step `step`."""

    step: int
    x: float
    y: float
    heading: float
    speed: float
    yaw_rate: float


class Goal(NamedTuple):
    """One way to reach the goal; all of its parts must hold at one time step."""

    first: int  # time steps
    last: int
    polygons: tuple[F64, ...]  # position inside one of them; empty: anywhere
    lanelets: tuple[int, ...]  # whose polygons are among them
    heading: tuple[float, float] | None
    speed: tuple[float, float] | None


class PlanningTask(NamedTuple):
    """One planning problem among lanelets and obstacles.

    `box[t, o]` is obstacle o at time step t: x, y, heading, half length, half width; NaN while it is absent. Obstacles without motion fill
    all steps. What the file predicts is taken as it is.
    """

    id: str  # benchmark id
    version: str
    problem: int
    step: float  # s
    lanelets: dict[int, Lanelet]
    box: F64  # (T, O, 5)
    start: Start
    goals: tuple[Goal, ...]

    @property
    def last_step(self) -> int:
        """Time step after which no goal can be reached any more."""
        return max(goal.last for goal in self.goals)


class Outline(NamedTuple):
    """Polygons behind each other: polygon k has vertices `start[k]:start[k + 1]`."""

    x: F64
    y: F64
    start: I64

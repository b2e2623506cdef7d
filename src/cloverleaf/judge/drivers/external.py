"""Drivers in Python: what they are handed, and how their answers get into the engine.

A planner sees one `Scene` a step; a vectorised driver sees the arrays of all worlds (columns in `loop/storyboard/driver.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cloverleaf.loop.storyboard import driver as d
from cloverleaf.types.errors import PluginError

F64 = NDArray[np.float64]


class Own(NamedTuple):
    """The vehicle under test: SI units, radians; `offset` m left of the lane's centre; `desired` speed of the scenario."""

    time: float
    dt: float
    x: float
    y: float
    heading: float
    speed: float
    accel: float
    length: float
    width: float
    desired: float
    s: float
    offset: float
    lane_width: float
    limit: float
    curvature: float


class Other(NamedTuple):
    """Another road user, seen along and left of the own lane. `gap` bumper to bumper; `lanes` to the left, 0 the own."""

    gap: float
    ahead: float
    left: float
    speed: float
    lateral_speed: float
    accel: float
    length: float
    width: float
    lanes: float
    kind: float  # 0 vehicle, 1 pedestrian, 2 other
    x: float  # m, box centre in the world
    y: float
    heading: float  # rad
    entity: int  # row in the scenario


class Scene(NamedTuple):
    """One step of one world. `entity`: the own row in the scenario; `centre` x, y (m) of the own box."""

    own: Own
    others: tuple[Other, ...]
    entity: int
    centre: tuple[float, float]


class Planner(Protocol):
    """A driver of one world; constructed with the case's parameters."""

    def drive(self, scene: Scene) -> float | tuple[float, float]:
        """Acceleration (m/s2), or acceleration and curvature (1/m) where the driver steers itself."""


class VectorDriver(Protocol):
    """A driver of many worlds at once."""

    vectorised: bool

    def reset(self, worlds: int, entities: int, dt: float) -> None:
        """A new batch begins."""

    def drive(self, own: F64, near: F64, command: F64) -> None:
        """Fill `command` (worlds, 2) from `own` (worlds, OWN) and `near` (worlds, entities, NEAR)."""


def scene_of(own: F64, near: F64, poses: F64, entity: int) -> Scene:
    """The scene of one world from its rows; `poses` (entities, 3): box centres and headings of all."""
    others = tuple(
        Other._make((*map(float, row[d.GAP : d.NEAR_BESIDE]), *map(float, poses[k]), k))
        for k, row in enumerate(near)
        if row[d.PRESENT_HERE] == 1.0
    )
    mine = Own(*map(float, own[: len(Own._fields)]))
    return Scene(mine, others, entity, (float(poses[entity, 0]), float(poses[entity, 1])))


class Planners:
    """One planner per world, called in turn: makes a VectorDriver of a planner class."""

    vectorised = True

    def __init__(self, make: Any, cases: Sequence[Mapping[str, Any]], entity: int) -> None:
        self._planners = [_construct(make, case) for case in cases]
        self._entity = entity
        self.poses: F64 = np.zeros((len(cases), 0, 3))  # (worlds, entities, 3), set before each call of `drive`

    def reset(self, worlds: int, entities: int, dt: float) -> None:
        """Nothing: planners are new for each batch."""

    def drive(self, own: F64, near: F64, command: F64) -> None:
        """Ask each planner whose world still runs."""
        for w, planner in enumerate(self._planners):
            if own[w, d.OWN_ACTIVE] == 0.0:
                continue
            answer = planner.drive(scene_of(own[w], near[w], self.poses[w], self._entity))
            accel, curvature = answer if isinstance(answer, tuple) else (answer, math.nan)
            if not math.isfinite(accel):
                raise PluginError(f"the driver answered an acceleration of {accel} at {own[w, d.OWN_TIME]:.2f} s")
            command[w, d.COMMAND_ACCEL], command[w, d.COMMAND_CURVATURE] = accel, curvature

    def close(self) -> None:
        """Let planners free what they hold."""
        for planner in self._planners:
            closing = getattr(planner, "close", None)
            if closing is not None:
                closing()


def _construct(make: Any, case: Mapping[str, Any]) -> Planner:
    """A planner for one case; the class may take the case's parameters or nothing."""
    try:
        return make(case) if _takes_case(make) else make()
    except TypeError as error:
        raise PluginError(
            f"the driver cannot be constructed: {error}", hint="__init__(self) or __init__(self, case)"
        ) from error


def _takes_case(make: Any) -> bool:
    import inspect

    try:
        return bool(inspect.signature(make).parameters)
    except (TypeError, ValueError):
        return False

"""Tiers: where a service runs, by when it must have answered, and which data it may read.

| tier | answers within | data level: what its view has |
|---|---|---|
| edge | 100 ms | single road users of one shard under their handles, lights, map |
| region | 1 s | single road users of all shards under their handles, lights, map |
| centre | 60 s | flows: vehicles and mean speeds per lane and minute; nobody single |

A service is the same object in all of them: `name`, `deadline`, `interval`, `step(view, t) -> Answer`, and its `tier`. A view has
what its level has; anything else raises `LevelError`, which counts as the service's failure.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from cloverleaf.cloud.twin import Tracks
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.state import F64, I64


class Tier(Enum):
    """Edge, region, centre: the value is the s within which an answer must be there."""

    EDGE = 0.1
    REGION = 1.0
    CENTRE = 60.0


class LevelError(CloverleafError):
    """A service asks for data above its level."""


class Flows(NamedTuple):
    """Traffic per lane over the last whole minute; shape (lanes,)."""

    vehicles: I64  # different vehicles seen
    mean_speed: F64  # m/s, NaN where nobody was
    since: float  # s since 1970


_LEVEL: dict[Tier, tuple[str, ...]] = {
    Tier.EDGE: ("graph", "tracks", "signals", "approaches"),
    Tier.REGION: ("graph", "tracks", "signals", "approaches"),
    Tier.CENTRE: ("graph", "flows"),
}
_BUILT_IN = {"collision_warning": Tier.EDGE}


def tier_of(service: Any) -> Tier:
    """Where a service belongs: what it declares; without a declaration the region."""
    declared = getattr(service, "tier", _BUILT_IN.get(service.name, Tier.REGION))
    return declared if isinstance(declared, Tier) else Tier[str(declared).upper()]


class View:
    """What a service sees of `world`, an object with everything; names above the level do not exist for it.

    `tracks` lacks those who have been silent for longer than the service's `deadline` (s) at `now`.
    """

    __slots__ = ("_deadline", "_level", "_world", "now")

    def __init__(self, world: Any, tier: Tier, deadline: float = float("inf")) -> None:
        self._world, self._level, self._deadline, self.now = world, tier, deadline, 0.0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in _LEVEL[self._level]:
            raise LevelError(f"'{name}' is not on the data level of the tier {self._level.name.lower()}")
        value = getattr(self._world, name)
        if name != "tracks" or value is None:
            return value
        fresh = self.now - value.time <= self._deadline
        return value if fresh.all() else Tracks._make(column[fresh] for column in value)


class Region:
    """All shards' tracks together: the world of region views."""

    def __init__(self, graph: Any, approaches: Any, signals: Any) -> None:
        self.graph, self.approaches, self.signals = graph, approaches, signals
        self.tracks: Tracks | None = None
        self.flows: Flows | None = None

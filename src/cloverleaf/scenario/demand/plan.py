"""A demand before its random part: who departs when or how often, with which choices of type and route.

Readers make a `DemandPlan`; `sample.sample_demand` turns it into a `Demand` for one seed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import Feature
from cloverleaf.scenario.demand.vehicle_types import Choice, TypeBook
from cloverleaf.types.demand import Depart
from cloverleaf.types.state import I32


class Stop(NamedTuple):
    """One halt; columns as in `Stops`."""

    lane: int
    start_pos: float
    end_pos: float
    duration: float
    until: float
    parking: int


class RouteSpec(NamedTuple):
    """The way of a trip: a choice among given edge sequences, or stations between which a router finds it."""

    choice: Choice | None  # rows of DemandPlan.routes
    stations: tuple[int, ...] = ()  # edges: origin, via ..., goal


class Mover(NamedTuple):
    """One road user, or the pattern of a flow; columns as in `Trips`."""

    name: str
    depart: float
    types: Choice
    route: RouteSpec
    depart_lane: int = int(Depart.FIRST)
    depart_pos: float = float(Depart.BASE)
    depart_speed: float = 0.0
    arrival_pos: float = np.inf  # m; negative from the end of the last edge, inf the end
    stops: tuple[Stop, ...] = ()
    depart_back: float = -1.0  # >= 0: m before the end of the first edge, in place of depart_pos
    file: str = ""  # where it stands, for errors found later
    line: int = 0


class Walk(NamedTuple):
    """One pedestrian; positions in m on the first and last lane, speed in m/s."""

    name: str
    depart: float
    types: Choice
    path: I32
    depart_pos: float
    arrival_pos: float


class Timing(NamedTuple):
    """How often a flow inserts; exactly one of the three rules is set."""

    begin: float
    end: float
    period: float = np.nan  # s between insertions
    rate: float = np.nan  # 1/s, exponential gaps
    probability: float = np.nan  # per second
    number: int = -1  # at most so many, -1 no bound


class Flow(NamedTuple):
    """A pattern and its timing; the pattern is a `Mover` or a `Walk`."""

    pattern: Mover | Walk
    timing: Timing


class DemandPlan(NamedTuple):
    """All of a demand that does not depend on the seed."""

    types: TypeBook
    routes: list[I32]
    route_stops: dict[int, tuple[Stop, ...]]  # halts that belong to a route
    movers: list[Mover]
    walks: list[Walk]
    flows: list[Flow]
    census: tuple[Feature, ...]

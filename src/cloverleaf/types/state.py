"""Road users as columns: the one schema of everything that moves.

SI units, radians, right-handed ENU (x east, y north, z up); body frames x forward, y left. Headings count anticlockwise from
east. Only `world/` writes these columns; everyone else sees them through `HumanView` or through sensors.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]


class Kind(IntEnum):
    """What a road user is. NONE marks a free row."""

    NONE = 0
    CAR = 1
    TRUCK = 2
    BUS = 3
    MOTORCYCLE = 4
    EBIKE = 5
    BICYCLE = 6
    PEDESTRIAN = 7
    EMERGENCY = 8


class Control(IntEnum):
    """Who decides for a road user."""

    HUMAN = 0
    SMART = 1
    SCRIPTED = 2


class Actors(NamedTuple):
    """All road users of one world; every column has shape (capacity,). A row keeps its user from insertion to arrival."""

    trip: I64  # row of Trips, the identity for the whole run; -1 in a free row
    kind: I32  # Kind
    control: I32  # Control
    x: F64  # centre of the box, m
    y: F64
    heading: F64  # rad
    speed: F64  # m/s along the heading, >= 0 except when reversing
    accel: F64  # m/s2 along the heading, realised in the last step
    yaw_rate: F64  # rad/s
    steer: F64  # front wheel angle, rad, left positive; 0 for lane-bound users
    length: F64  # m
    width: F64  # m
    lane: I32  # lane of the base map under the front bumper, -1 off the map
    s: F64  # front bumper's arc length on that lane, m
    d: F64  # lateral offset from the lane's centre line, m, left positive
    route: I32  # row of Routes, -1 none
    route_pos: I32  # index of the current edge within the route
    indicator: I32  # -1 right, 0 off, 1 left, 2 hazard


def empty_actors(capacity: int) -> Actors:
    """A table of `capacity` free rows."""

    def column(kind: str, fill: float = 0) -> np.ndarray:
        return np.full(capacity, fill, dtype=kind)

    ints = {"trip": ("i8", -1), "lane": ("i4", -1), "route": ("i4", -1)}
    ints.update({name: ("i4", 0) for name in ("kind", "control", "route_pos", "indicator")})
    return Actors(**{f: column(*ints.get(f, ("f8", 0.0))) for f in Actors._fields})


class VehicleCommands(NamedTuple):
    """What the smart cars ask of their actuators; one row per car of the fleet, shape (n,)."""

    accel: F64  # m/s2, demanded longitudinal acceleration
    steer: F64  # rad, demanded front wheel angle, left positive
    indicator: I32  # as in Actors

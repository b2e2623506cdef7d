"""Collisions as they happened: a bounded buffer of columns that the world fills and everyone may read."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I32, I64, U8


class CollisionKind(IntEnum):
    """How two road users met, seen from their boxes and headings at first contact."""

    REAR_END = 0  # same direction, one behind the other
    SIDE_SWIPE = 1  # same direction, side by side
    CROSSING = 2  # at an angle
    HEAD_ON = 3
    PEDESTRIAN = 4  # one of them on foot
    RIDER = 5  # a vehicle and a bicycle or e-bike, whatever the direction


class Fault(IntEnum):
    """Who broke the rule that would have prevented it."""

    UNKNOWN = 0
    A = 1
    B = 2
    BOTH = 3


class FaultReason(IntEnum):
    """Which rule decided; the order of the codes is the order in which rules are tried."""

    NONE = 0
    RED_LIGHT = 1
    CROSSING_PRIORITY = 2  # a person on a crossing had, or did not have, priority
    HIT_STANDING = 3  # the other one stood still
    RIGHT_OF_WAY = 4  # the one who had to yield
    CUT_IN = 5  # changed lane right before
    FOLLOWED = 6  # ran into the one ahead
    PASSED_CLOSE = 7  # the faster one of two side by side
    STRONGER = 8  # motor vehicle against a person outside crossings


class CollisionEvents(NamedTuple):
    """One row per pair at first contact, `filled[0]` rows are filled; shape (capacity,) unless said."""

    filled: I64  # (2,) rows filled; events that found the buffer full
    time: F64  # s
    trip_a: I64
    trip_b: I64
    kind_a: I32  # state.Kind
    kind_b: I32
    control_a: I32  # state.Control
    control_b: I32
    x_a: F64  # m, centres of the boxes
    y_a: F64
    x_b: F64
    y_b: F64
    heading_a: F64  # rad
    heading_b: F64
    speed_a: F64  # m/s at first contact
    speed_b: F64
    impact_speed: F64  # m/s, magnitude of the relative velocity
    kind: I32  # CollisionKind
    fault: I32  # Fault
    reason: I32  # FaultReason
    struck_from_behind: U8  # 1: a was hit in the rear, 2: b was; 0 otherwise


def empty_events(capacity: int) -> CollisionEvents:
    """A buffer for `capacity` collisions."""
    ints = {f: np.int32 for f in ("kind_a", "kind_b", "control_a", "control_b", "kind", "fault", "reason")}
    types: dict[str, type] = {"trip_a": np.int64, "trip_b": np.int64, "struck_from_behind": np.uint8, **ints}
    columns: dict[str, Any] = {f: np.zeros(capacity, types.get(f, np.float64)) for f in CollisionEvents._fields}
    columns["filled"] = np.zeros(2, np.int64)
    return CollisionEvents(**columns)

"""What the cockpit tells the person at the wheel, and what a car shows to people outside."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I32, I64, U8


class HmiKind(IntEnum):
    """What a warning or an intent is about."""

    NONE = 0
    FORWARD_COLLISION = 1
    INTERSECTION_COLLISION = 2
    RED_LIGHT = 3
    VULNERABLE_USER = 4
    LANE_CHANGE = 5
    SPEED_ADVICE = 6
    HAZARD_AHEAD = 7
    EMERGENCY_VEHICLE = 8
    TAKE_OVER = 9
    YIELDING = 10  # shown outside: I let you go first
    DRIVING_ON = 11  # shown outside: I will not stop


class Priority(IntEnum):
    """How urgent it is; the highest one is presented, ties by the order of rows."""

    INFORMATION = 0
    CAUTION = 1
    IMMINENT = 2


class HmiBatch(NamedTuple):
    """One row per warning or intent of this tick; shape (n,)."""

    station: I64  # V2X station id of the car
    row: I32  # row of Actors whose driver perceives it, -1 nobody on board has to (filled in by the loop)
    time: F64  # s, when it was raised
    until: F64  # s, when it ends
    kind: I32  # HmiKind
    priority: I32  # Priority
    value: F64  # of SPEED_ADVICE m/s, of TAKE_OVER s left; NaN none
    outside: U8  # 1: shown to people outside


def empty_hmi(rows: int = 0) -> HmiBatch:
    """A batch of `rows` empty rows."""
    types = {"station": np.int64, "row": np.int32, "kind": np.int32, "priority": np.int32, "outside": np.uint8}
    columns: dict[str, Any] = {f: np.zeros(rows, types.get(f, np.float64)) for f in HmiBatch._fields}
    columns["row"][:] = -1
    columns["value"][:] = np.nan
    return HmiBatch(**columns)

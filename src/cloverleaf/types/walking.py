"""People on foot: the tables through which `human/` and `world/` meet for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I32, I64, U8


class Walkways(NamedTuple):
    """Walks as polylines, with the crossings on their way; static during a run. C as in LaneGraph.crossing_*."""

    # walk w runs over points [point_start[w], point_start[w + 1])
    point_start: I64  # (walks + 1,)
    x: F64  # m
    y: F64
    s: F64  # m along the walk
    lane: I32  # lane of the segment that starts at the point
    # and meets crossings [cross_start[w], cross_start[w + 1]) in this order
    cross_start: I64  # (walks + 1,)
    cross_lane: I32
    cross_begin: F64  # m along the walk
    cross_end: F64
    cross_forward: U8  # 1: walked in the direction of the lane
    # rows of LaneGraph.crossing_* of a lane: row_item[row_start[lane]:row_start[lane + 1]]
    row_start: I64  # (L + 1,)
    row_item: I32
    # the strip of the crossing lane that vehicles of that link sweep; shape (C,)
    strip_begin: F64  # m along the crossing lane
    strip_end: F64


class Walkers(NamedTuple):
    """People now on their way, by slot; slot j is row offset + j of Actors. Free slots have walk -1. Shape (capacity,)."""

    walk: I32  # row of Walks
    s: F64  # m along the walk
    d: F64  # m, left of its line
    v: F64  # m/s
    x: F64  # m
    y: F64
    heading: F64  # rad
    crossing: I32  # next or present crossing, an index into Walkways.cross_*; at the end: none left
    wait: F64  # s since the speed was last above 0.1 m/s


class WalkView(NamedTuple):
    """Everything that decisions on foot need of the world; treat as read-only."""

    ways: Walkways
    walkers: Walkers
    speed: F64  # (walks,) m/s, desired
    first_identity: int  # Actors.trip of walk 0; walk w has first_identity + w


class WalkIntents(NamedTuple):
    """What people on foot want for the coming step, by slot; shape (capacity,)."""

    speed: F64  # m/s
    drift: F64  # m/s to the left


def empty_walkers(capacity: int) -> Walkers:
    """Free slots."""
    floats = [np.zeros(capacity) for _ in range(7)]
    s, d, v, x, y, heading, wait = floats
    none = np.full(capacity, -1, np.int32)
    return Walkers(none, s, d, v, x, y, heading, none.copy(), wait)


def empty_walk_intents(capacity: int) -> WalkIntents:
    """Everybody stands."""
    return WalkIntents(np.zeros(capacity), np.zeros(capacity))

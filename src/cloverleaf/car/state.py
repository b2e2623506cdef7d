"""What the fleet remembers between ticks, and the scratch that one car after the other thinks in.

Row i of every column belongs to the car in slot i; slots are kept per station id (`car/fleet.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I32, I64, U8

TRACKS = 64  # objects that one car follows
STEPS = 24  # prediction steps
DT = 0.25  # s, one prediction step
HYPOTHESES = 112  # predicted motions per car
POINTS = 256  # points of a path
SEGMENTS = 40  # lanes of a path
GATES = 10  # junction entries of a path
HOLDS = 10  # places to stop at

# columns of `Fleet.f`
(
    X, Y, HEADING, SPEED, ACCEL, YAW_RATE, P_XX, P_XY, P_YY, P_XH, P_YH, P_HH, TIME, STEER, ASK, LANE_S, LANE_D,
    SHIFT, SHIFT_LENGTH, SHIFT_DONE, LAST_CHANGE, STANDING, SPAT_TIME, SPAT_END, SPAT_NEXT_END, ADVICE, ADVICE_UNTIL,
    EVENT_X, EVENT_Y, EVENT_AT, LENGTH, WIDTH, TOP_SPEED, LOWEST, COST, CONFLICT_TIME, SINCE_CHOICE,
) = range(37)  # fmt: skip
F_COLUMNS = 40
# columns of `Fleet.i`
(
    STATION, LANE, POS, ROUTE, COUNT, NEXT_ID, KNOWN, SPAT_LINK, SPAT_LIGHT, SPAT_NEXT, COMMITTED, STOPPED_AT, PROPOSAL,
    TERM, INDICATOR, WISH, GUARDED, LOST, LAST_LANE,
) = range(19)  # fmt: skip
I_COLUMNS = 20
# columns of `Fleet.track`
(
    T_X,
    T_Y,
    T_VX,
    T_VY,
    T_HEADING,
    T_YAW,
    T_PP,
    T_PV,
    T_VV,
    T_LENGTH,
    T_WIDTH,
    T_SEEN,
    T_TOLD,
    T_TRUST,
    T_TIME,
    T_ACCEL,
) = range(16)
TRACK_F = 16
# columns of `Fleet.track_i`
T_ID, T_KIND, T_STATION, T_LANE, T_HITS, T_USED = range(6)
TRACK_I = 6

# what happens at a gate
RED_STOP, STOP_FIRST, GIVE_WAY, KEEP_CLEAR = 1, 2, 4, 8


class Fleet(NamedTuple):
    """Memory of all cars; `capacity` rows."""

    f: F64  # (capacity, F_COLUMNS)
    i: I64  # (capacity, I_COLUMNS)
    track: F64  # (capacity, TRACKS, TRACK_F), ENU
    track_i: I64  # (capacity, TRACKS, TRACK_I)


class Path(NamedTuple):
    """A way ahead; arc length s is 0 beside the car, negative behind it."""

    x: F64  # (POINTS,)
    y: F64
    s: F64
    cos: F64  # of the segment that starts here
    sin: F64
    heading: F64
    limit: F64  # m/s, speed limit from here on
    top: F64  # m/s, speed here from which all limits and bends ahead are reached comfortably
    seg_lane: I64  # (SEGMENTS,)
    seg_s: F64  # (SEGMENTS,) m, where the lane begins
    gate_link: I64  # (GATES,)
    gate_rule: I64  # (GATES,) union of RED_STOP..KEEP_CLEAR
    gate_s: F64  # (GATES,) m, stop line
    gate_end: F64  # (GATES,) m, end of the junction
    gate_open: F64  # (GATES,) s from now at which a red light is expected to end; inf unknown
    gate_shut: F64  # (GATES,) s from now at which a green light is expected to end; inf unknown
    n: I64  # (4,) points, segments, gates, 1 if the way ends blindly


class Hypotheses(NamedTuple):
    """Predicted motions of others, ENU; step k is k * DT ahead."""

    x: F64  # (HYPOTHESES, STEPS + 1)
    y: F64
    cos: F64
    sin: F64
    v: F64
    f: F64  # (HYPOTHESES, 4) length, width, trust, age of the last sight s
    i: I64  # (HYPOTHESES, 4) kind, track, relation (0 none, 1 goes before us, 2 gives way to us), link
    n: I64  # (1,)


class Occupied(NamedTuple):
    """Where on a path a hypothesis is in the way: [low, high] m at each step; low = inf where it is not."""

    low: F64  # (HYPOTHESES, STEPS + 1)
    high: F64
    v: F64  # m/s along the path
    row: I64  # (HYPOTHESES,) hypotheses that matter
    first: I64  # (HYPOTHESES,) first step at which it is in the way
    sideways: U8  # (HYPOTHESES,) 1: it crosses rather than leads
    n: I64  # (1,)


class Motion(NamedTuple):
    """One simulated proposal."""

    s: F64  # (STEPS + 1,) m
    v: F64
    a: F64


class Scratch(NamedTuple):
    """Working memory; one per thread."""

    keep: Path
    change: Path
    hyp: Hypotheses
    occ: Occupied
    occ_change: Occupied
    motion: Motion
    hold: F64  # (HOLDS,)
    relation: I64  # (K,) how a foe's link relates to our way; zero between cars
    used: I64  # (512,) links marked in `relation`
    taken: I64  # (1024,) detections already assigned
    cost: F64  # (16,) terms of the proposal last scored
    best: F64  # (8,)


def empty_fleet(capacity: int) -> Fleet:
    """Memory for `capacity` cars; station -1 marks a free slot."""
    i = np.zeros((capacity, I_COLUMNS), np.int64)
    i[:, STATION] = -1
    return Fleet(
        np.zeros((capacity, F_COLUMNS)),
        i,
        np.zeros((capacity, TRACKS, TRACK_F)),
        np.zeros((capacity, TRACKS, TRACK_I), np.int64),
    )


def _path() -> Path:
    def points() -> F64:
        return np.zeros(POINTS)

    def gates() -> F64:
        return np.zeros(GATES)

    return Path(
        points(), points(), points(), points(), points(), points(), points(), points(),
        np.zeros(SEGMENTS, np.int64), np.zeros(SEGMENTS), np.zeros(GATES, np.int64), np.zeros(GATES, np.int64),
        gates(), gates(), gates(), gates(), np.zeros(4, np.int64),
    )  # fmt: skip


def _occupied() -> Occupied:
    def table() -> F64:
        return np.zeros((HYPOTHESES, STEPS + 1))

    def rows() -> I64:
        return np.zeros(HYPOTHESES, np.int64)

    return Occupied(table(), table(), table(), rows(), rows(), np.zeros(HYPOTHESES, np.uint8), np.zeros(1, np.int64))


def empty_scratch(links: int) -> Scratch:
    """Working memory for a map of `links` links."""

    def table() -> F64:
        return np.zeros((HYPOTHESES, STEPS + 1))

    hyp = Hypotheses(
        table(), table(), table(), table(), table(),
        np.zeros((HYPOTHESES, 4)), np.zeros((HYPOTHESES, 4), np.int64), np.zeros(1, np.int64),
    )  # fmt: skip
    motion = Motion(np.zeros(STEPS + 1), np.zeros(STEPS + 1), np.zeros(STEPS + 1))
    return Scratch(
        _path(), _path(), hyp, _occupied(), _occupied(), motion, np.zeros(HOLDS), np.zeros(max(links, 1), np.int64),
        np.zeros(512, np.int64), np.zeros(1024, np.int64), np.zeros(16), np.zeros(8),
    )  # fmt: skip


__all__ = ["I32", "Fleet", "Hypotheses", "Motion", "Occupied", "Path", "Scratch", "empty_fleet", "empty_scratch"]

"""What the fleet remembers between ticks, and the scratch that one car after the other thinks in.

Row i of every column belongs to the car in slot i; slots are kept per station id (`car/fleet.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I64

TRACKS = 64  # objects that one car follows
STEPS = 24  # prediction steps
DT = 0.25  # s, one prediction step
HYPOTHESES = 112  # predicted motions per car
POINTS = 256  # points of a path
POSE = 9  # states of the localisation filter
SEGMENTS = 40  # lanes of a path, at most
GATES = 10  # junction entries of a path
HOLDS = 10  # places to stop at
PROPOSED = 12  # proposals played in one go

# columns of `Fleet.f`
(
    X, Y, HEADING, SPEED, ACCEL, YAW_RATE, PROTECTION, TIME, STEER, ASK, LANE_S, LANE_D,
    SHIFT, SHIFT_LENGTH, SHIFT_DONE, LAST_CHANGE, STANDING, SPAT_TIME, SPAT_END, SPAT_NEXT_END, ADVICE, ADVICE_UNTIL,
    EVENT_X, EVENT_Y, EVENT_AT, LENGTH, WIDTH, TOP_SPEED, LOWEST, COST, CONFLICT_TIME, SINCE_CHOICE, OFF, ASKEW, YELLOW_AT,
) = range(35)  # fmt: skip
F_COLUMNS = 35
# columns of `Fleet.i`
(
    STATION, LANE, POS, ROUTE, COUNT, NEXT_ID, KNOWN, SPAT_LINK, SPAT_LIGHT, SPAT_NEXT, COMMITTED, STOPPED_AT, PROPOSAL,
    TERM, INDICATOR, WISH, GUARDED, LOST, LAST_LANE, SIGNAL_LINK, SIGNAL_GROUP, SIGNAL_INDEX, WARNING, HALTING,
) = range(24)  # fmt: skip
I_COLUMNS = 24
# columns of `Fleet.track`; what others read holds at T_TIME, the filter (`Fleet.motion`) at T_FILTERED
(
    T_X, T_Y, T_VX, T_VY, T_HEADING, T_YAW, T_ACCEL, T_PP, T_VV, T_LENGTH, T_WIDTH, T_SEEN, T_TOLD, T_TRUST, T_TIME, T_FILTERED, T_CV,
    T_CTRA, T_BODY, T_HH,
) = range(20)  # fmt: skip
TRACK_F = 20
MODELS, MOTION_STATES = 2, 6  # of `algo/imm.py`
# columns of `Fleet.track_i`
T_ID, T_KIND, T_STATION, T_LANE, T_HITS, T_USED = range(6)
TRACK_I = 6

MOTION_NOISE = (
    (2.0, 0.5, 1.4, 0.1, 1.5, 0.15, 0.98),
    (1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.95),
)
"""Process noise of vehicles and of people: m/s2 of constant velocity, m/s2 beside turn and acceleration, m/s2 and rad/s per sqrt(s),
m/s2 and rad/s of the priors, probability that a model holds over a step."""

# what happens at a gate
RED_STOP, STOP_FIRST, GIVE_WAY, KEEP_CLEAR = 1, 2, 4, 8


class Fleet(NamedTuple):
    """Memory of all cars; `capacity` rows."""

    f: F64  # (capacity, F_COLUMNS)
    pose: F64  # (capacity, POSE) state of the localisation filter, see car/localisation.py
    pose_cov: F64  # (capacity, POSE, POSE) covariance of its errors; 0 before the first fix
    i: I64  # (capacity, I_COLUMNS)
    track: F64  # (capacity, TRACKS, TRACK_F), ENU
    track_i: I64  # (capacity, TRACKS, TRACK_I)
    motion: F64  # (capacity, TRACKS, MODELS, MOTION_STATES), ENU, see algo/imm.py
    motion_cov: F64  # (capacity, TRACKS, MODELS, MOTION_STATES, MOTION_STATES)


def _record(**fields: object) -> np.dtype[np.void]:
    """One record of fixed-size tables. Kernels get records by one pointer, where a tuple of arrays would be copied call by call."""
    return np.dtype(
        [(name, *(spec if isinstance(spec, tuple) else (spec,))) for name, spec in fields.items()], align=True
    )


def _floats(*shape: int) -> tuple[type, tuple[int, ...]]:
    return np.float64, shape


def _ints(*shape: int) -> tuple[type, tuple[int, ...]]:
    return np.int64, shape


PATH = _record(
    x=_floats(POINTS),
    y=_floats(POINTS),
    s=_floats(POINTS),
    cos=_floats(POINTS),  # of the segment that starts here
    sin=_floats(POINTS),
    heading=_floats(POINTS),
    limit=_floats(POINTS),  # m/s, speed limit from here on
    top=_floats(POINTS),  # m/s, speed here from which all limits and bends ahead are reached comfortably
    gate_link=_ints(GATES),
    gate_rule=_ints(GATES),  # union of RED_STOP..KEEP_CLEAR
    gate_s=_floats(GATES),  # m, stop line
    gate_end=_floats(GATES),  # m, end of the junction
    gate_open=_floats(GATES),  # s from now at which a red light is expected to end; inf unknown
    gate_shut=_floats(GATES),  # s from now at which a green light is expected to end; inf unknown
    halt=_floats(1),  # m, where to let people on a crosswalk pass; inf nowhere
    n=_ints(4),  # points, lanes, gates, 1 if the way ends blindly
)
"""A way ahead; arc length s is 0 beside the car, negative behind it."""

HYPOTHESIS_TABLE = _record(
    x=_floats(HYPOTHESES, STEPS + 1),
    y=_floats(HYPOTHESES, STEPS + 1),
    cos=_floats(HYPOTHESES, STEPS + 1),
    sin=_floats(HYPOTHESES, STEPS + 1),
    v=_floats(HYPOTHESES, STEPS + 1),
    f=_floats(
        HYPOTHESES, 5
    ),  # length, width, trust, age of the last sight s, probability among the hypotheses of its track
    i=_ints(HYPOTHESES, 4),  # kind, track, relation (0 none, 1 goes before us, 2 gives way to us), link
    n=_ints(1),
)
"""Predicted motions of others, ENU; step k is k * DT ahead."""

OCCUPIED = _record(
    low=_floats(HYPOTHESES, STEPS + 1),
    high=_floats(HYPOTHESES, STEPS + 1),
    v=_floats(HYPOTHESES, STEPS + 1),  # m/s along the path
    row=_ints(HYPOTHESES),  # hypotheses that matter
    first=_ints(HYPOTHESES),  # first step at which it is in the way
    sideways=_ints(HYPOTHESES),  # 1: it crosses rather than leads
    n=_ints(1),
)
"""Where on a path a hypothesis is in the way: [low, high] m at each step; low = inf where it is not."""

MOTION = _record(s=_floats(STEPS + 1), v=_floats(STEPS + 1), a=_floats(STEPS + 1))
"""One simulated proposal: m, m/s, m/s2."""

SCRATCH = _record(
    keep=PATH,
    change=PATH,
    hyp=HYPOTHESIS_TABLE,
    occ=OCCUPIED,
    occ_change=OCCUPIED,
    motion=MOTION,
    hold=_floats(HOLDS),
    todo=_floats(PROPOSED, 5),  # proposals to play: kind, cap, hold, brake, bias
    used=_ints(512),  # links marked in the relation column
    cost=_floats(16),  # terms of the proposal last scored
    best=_floats(8),
    sensors=_floats(8),  # what the localisation filter believes of them
    transition=_floats(POSE, POSE),
    work=_floats(POSE, POSE),
    gain=_floats(POSE),
    derivative=_floats(POSE),
    old_mean=_floats(MODELS, MOTION_STATES),
    old_cov=_floats(MODELS, MOTION_STATES, MOTION_STATES),
    motion_gain=_floats(MOTION_STATES),
    noise=_floats(2, 7),  # of vehicles and of people, as algo/imm.py reads it
)
"""Working memory of one thread."""


def empty_fleet(capacity: int) -> Fleet:
    """Memory for `capacity` cars; station -1 marks a free slot."""
    i = np.zeros((capacity, I_COLUMNS), np.int64)
    i[:, STATION] = -1
    return Fleet(
        np.zeros((capacity, F_COLUMNS)),
        np.zeros((capacity, POSE)),
        np.zeros((capacity, POSE, POSE)),
        i,
        np.zeros((capacity, TRACKS, TRACK_F)),
        np.zeros((capacity, TRACKS, TRACK_I), np.int64),
        np.zeros((capacity, TRACKS, MODELS, MOTION_STATES)),
        np.zeros((capacity, TRACKS, MODELS, MOTION_STATES, MOTION_STATES)),
    )


def empty_scratch() -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Working memory as one record, shape (1,)."""
    scratch = np.zeros(1, SCRATCH)
    scratch["noise"][0] = MOTION_NOISE
    return scratch


__all__ = ["Fleet", "empty_fleet", "empty_scratch"]

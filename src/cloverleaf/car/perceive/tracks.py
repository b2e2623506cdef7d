"""The table of tracks that `tracking.py` writes, its tuning, and the columns of the detections that it reads."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I64

# columns of a detection table (n, DETECTION): a plane of our choice, z up, bodies by their centres; m, rad, m/s
D_X, D_Y, D_Z, D_HEADING, D_LENGTH, D_WIDTH, D_HEIGHT, D_SCORE, D_CLASS, D_SIGMA = range(10)
DETECTION = 10
"""D_SIGMA: deviation of the position, m; 0 takes the tuning's. D_CLASS: number of the class. Sizes 0: a point without body."""

# columns of Tracks.f
(
    Z, VZ, ZPP, ZPV, ZVV, HEADING, RATE, HPP, HPV, HVV, LENGTH, WIDTH, HEIGHT, SIZES, SCORE, BELIEF, TIME, SEEN, SHARE_CV,
    SHARE_CTRA, X, Y, VX, VY, PEAK,
) = range(25)  # fmt: skip
TRACK_F = 25
# columns of Tracks.i
ID, HITS, MISSES, CONFIRMED, DETECTED, CLASS, AGE = range(7)
TRACK_I = 7
"""DETECTED: row of the detection taken in the last frame, -1 none."""
CLASSES = 8


@dataclass(frozen=True)
class Tuning:
    """How the tracker sees its detector and its objects. Order is the order of the kernel's parameter row."""

    cv_accel: float = 4.0  # m/s2, process noise of constant velocity
    ctra_accel: float = 1.0  # m/s2, white acceleration beside turn and acceleration
    jerk: float = 2.0  # m/s2 per sqrt(s)
    turn: float = 0.5  # rad/s per sqrt(s)
    accel_prior: float = 2.0  # m/s2
    turn_prior: float = 0.3  # rad/s
    stay: float = 0.95  # probability that a model holds over a step
    sigma: float = 0.15  # m, of a position at 0 m ...
    sigma_per_m: float = 0.005  # ... growing with range
    velocity_prior: float = 12.0  # m/s, of a new track
    heading_sigma: float = 0.1  # rad
    gate: float = 16.0  # squared Mahalanobis distance
    reach: float = 6.0  # m, no pair is farther apart
    overlap_weight: float = 0.7  # share of GIoU in the cost; the rest is distance
    most_cost: float = 0.6  # pairs dearer than this are not made, first stage
    second_cost: float = 0.6  # and second stage
    strong: float = 0.5  # belief in a detection from which it joins the first stage and may start a track
    weak: float = 0.1  # detections below are not used at all
    score_middle: float = 0.5  # score at which half of the detections are real ...
    score_scale: float = 0.15  # ... and how fast that changes: belief = 1 / (1 + exp(-(score - middle) / scale))
    start: float = 0.9  # share of a detection's log odds that a new track begins with
    gain: float = 1.0  # share that each further hit adds
    hit: float = 0.7  # log odds that any hit adds beside
    miss: float = 0.5  # log odds that a miss takes
    most_belief: float = 6.0  # log odds never exceed this
    confirm: float = 2.0  # log odds from which a track is told
    drop: float = -2.0  # log odds below which it ends
    most_misses: float = 8.0  # frames
    told_misses: float = 1.0  # a confirmed track is still told after so many misses
    size_memory: float = 20.0  # frames over which sizes are averaged
    score_memory: float = 1.0  # weight of the newest score in a track's score; 1: the newest alone
    told_belief: float = 5.45  # ... if its log odds are at least this

    def row(self) -> F64:
        return np.array(astuple(self))


(
    P_CV_ACCEL, P_CTRA_ACCEL, P_JERK, P_TURN, P_ACCEL_PRIOR, P_TURN_PRIOR, P_STAY, P_SIGMA, P_SIGMA_M, P_VELOCITY, P_HEADING, P_GATE,
    P_REACH, P_OVERLAP, P_COST, P_COST2, P_STRONG, P_WEAK, P_MIDDLE, P_SCALE, P_START, P_GAIN, P_HIT, P_MISS, P_MOST, P_CONFIRM,
    P_DROP, P_MISSES, P_TOLD, P_SIZE, P_SCORE, P_TOLD_BELIEF,
) = range(32)  # fmt: skip


class Tracks(NamedTuple):
    """Tracks in rows 0 .. n[0]; n[1] is the next identity."""

    f: F64  # (capacity, TRACK_F)
    i: I64  # (capacity, TRACK_I)
    mean: F64  # (capacity, 2, 6) of the two motion models, see algo/imm.py
    cov: F64  # (capacity, 2, 6, 6)
    votes: F64  # (capacity, CLASSES) log likelihood of each class
    n: I64  # (2,)


class Scratch(NamedTuple):
    """Working memory of one frame."""

    cost: F64  # (capacity, detections)
    work: F64  # (3, capacity + detections + 2)
    link: I64  # (3, capacity + detections + 2)
    row: I64  # (2, capacity) rows that take part, and what they were given
    column: I64  # (3, detections) the same of detections, and 1 for those used up
    mean: F64  # (2, 6)
    cov: F64  # (2, 6, 6)
    gain: F64  # (6,)
    poly: F64  # (3, 16, 2)
    body: F64  # (2, 7)


def empty_tracks(capacity: int) -> Tracks:
    return Tracks(
        np.zeros((capacity, TRACK_F)),
        np.zeros((capacity, TRACK_I), np.int64),
        np.zeros((capacity, 2, 6)),
        np.zeros((capacity, 2, 6, 6)),
        np.zeros((capacity, CLASSES)),
        np.array([0, 1]),
    )


def empty_scratch(capacity: int, detections: int) -> Scratch:
    total = capacity + detections + 2
    return Scratch(
        np.zeros((capacity, detections)), np.zeros((3, total)), np.zeros((3, total), np.int64),
        np.zeros((2, capacity), np.int64), np.zeros((3, detections), np.int64), np.zeros((2, 6)), np.zeros((2, 6, 6)),
        np.zeros(6), np.zeros((3, 16, 2)), np.zeros((2, 7)),
    )  # fmt: skip

"""One proposal played forward: the own car follows its path under a cap, towards a hold, behind whoever is in the way."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import path_index, top_speed_at
from cloverleaf.car.state import ASK, DT, LENGTH, SPEED, STEPS

ACCEL, BRAKE = 1.8, 1.5  # m/s2, comfortable
HEADWAY = 1.1  # s
STANDSTILL = 2.0  # m behind a leader
LINE_GAP = 1.2  # m short of a line: the own position is known to some decimetres only
FIRM, STRONGEST = 3.5, 8.0  # m/s2, of the brakes that are proposed where going on would collide
JERK_UP, JERK_DOWN, JERK_HARD, JERK_RELEASE = 2.2, 3.2, 20.0, 4.0  # m/s3; the last: letting go of the brake
_ROOT = 2.0 * math.sqrt(ACCEL * BRAKE)


@kernel
def follow(gap, v, leader_v, free):
    """IDM towards a leader, softened by what is needed if it keeps its speed (the idea of Kesting's ACC), m/s2."""
    g = max(gap, 0.1)
    star = STANDSTILL + max(0.0, v * HEADWAY + v * (v - leader_v) / _ROOT)
    z = star / g
    if z < 1.0:
        return min(free, ACCEL * (1.0 - z * z))
    a = ACCEL * (1.0 - z * z)
    closing = max(v - leader_v, 0.0)
    needed = -closing * closing / (2.0 * max(gap - 0.5 * STANDSTILL, 0.1))
    return min(free, max(a, needed * 1.15 - 1.8 if gap > 1.0 else a))


@kernel
def stop_before(gap, v, free):
    """Acceleration that halts LINE_GAP short of a line `gap` m ahead, m/s2."""
    room = gap - LINE_GAP
    if room <= 0.05:
        return min(free, -max(1.0, v / 0.3)) if v > 0.05 else -0.5
    needed = v * v / (2.0 * room)
    if needed > 1.2:
        return min(free, -needed * 1.06)
    z = (0.3 * v + v * v / (2.0 * 1.3)) / room
    return min(free, ACCEL * (1.0 - z * z))


@kernel
def wish(path, occ, k, s, v, half, segment, cap, hold):
    """Wanted acceleration at step k of a simulation, m/s2."""
    top = min(top_speed_at(path, s, segment), cap)
    if v <= top:
        ratio = v / max(top, 0.1)
        ratio *= ratio
        a = ACCEL * (1.0 - ratio * ratio)
    else:
        a = max(-2.6, (top - v) / 0.9)
    front = s + half
    free = a
    for r in range(occ.n[0]):
        low = occ.low[r, k]
        if low == math.inf or occ.high[r, k] < s:
            continue
        if low < front and low + occ.high[r, k] < 2.0 * s:
            continue
        a = min(a, follow(low - front, v, max(occ.v[r, k], 0.0), free))
    if hold < math.inf:
        a = min(a, stop_before(hold - front, v, free))
    return a


@kernel
def simulate(path, occ, motion, f, i, cap, hold, brake):
    """Fill `motion`; `cap` m/s, `hold` m (inf none), `brake` > 0: just brake so hard. Returns the acceleration wanted now."""
    half = 0.5 * f[i, LENGTH]
    s, v, a = 0.0, f[i, SPEED], f[i, ASK]
    segment = path_index(path, 0.0, np.int64(0))
    now = 0.0
    for k in range(STEPS + 1):
        motion.s[k], motion.v[k] = s, v
        segment = path_index(path, s, segment)
        want = -brake if brake > 0.0 else wish(path, occ, k, s, v, half, segment, cap, hold)
        want = max(want, -STRONGEST)
        if k == 0:
            now = want
        down = JERK_HARD if want < -3.0 else JERK_DOWN
        a = min(max(want, a - down * DT), a + (JERK_UP if a >= 0.0 else JERK_RELEASE) * DT)
        if v <= 0.0 and a < 0.0:
            a = 0.0
        motion.a[k] = a
        after = max(0.0, v + a * DT)
        s += 0.5 * (v + after) * DT if after > 0.0 or a >= 0.0 else 0.5 * v * v / max(-a, 0.1)
        v = after
    return now

"""What a proposal is worth: collisions, right of way, lights, blocking, closeness, comfort and progress in one cost.

Terms are kept apart in `cost`, so that the choice can be explained by the one that decided.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.car.state import (
    COMMITTED,
    DT,
    KEEP_CLEAR,
    LENGTH,
    RED_STOP,
    SPEED,
    STANDING,
    STEPS,
    STOP_FIRST,
    STOPPED_AT,
)  # fmt: skip
from cloverleaf.measure.comfort import comfort_cost

COLLISION, RED_LIGHT, STOP_SIGN, RIGHT_OF_WAY, BLOCKING, CLOSE, COMFORT, PROGRESS, TOTAL = range(9)
GOES_FIRST = 1
PEDESTRIAN = 7
CROSS_MARGIN = 1.7  # s kept to somebody who goes first
LEAST_MARGIN = 0.7  # s, after a long wait
FAR_OFF = 1e9


@kernel
def _time_at(motion, position):
    """When the centre reaches `position`, s; FAR_OFF if not within the horizon."""
    if motion.s[STEPS] < position:
        return FAR_OFF
    for k in range(1, STEPS + 1):
        if motion.s[k] >= position:
            move = motion.s[k] - motion.s[k - 1]
            return (k - 1 + ((position - motion.s[k - 1]) / move if move > 1e-9 else 0.0)) * DT
    return FAR_OFF


@kernel
def _collision(occ, hyp, motion, half, r):
    """Cost of the first overlap with row r; nothing if the other one runs into us from behind or we stand."""
    sideways = occ.sideways[r] != 0
    early = 1 if sideways and hyp.i[occ.row[r], 0] != PEDESTRIAN else 0
    for k in range(STEPS + 1):
        front, rear, s = motion.s[k] + half, motion.s[k] - half, motion.s[k]
        for t in range(max(k - early, 0), min(k + early, STEPS) + 1):
            low, high = occ.low[r, t], occ.high[r, t]
            if front <= low or rear >= high or low == math.inf:
                continue
            if (
                low + high < 2.0 * s
                and occ.v[r, t] > -0.5
                and (not sideways or occ.v[r, t] > 0.7 * hyp.v[occ.row[r], t])
            ):
                continue
            if motion.v[k] < 0.2:
                return 20.0 if k > 0 else 0.0
            share = 1.0 if t == k else 0.4
            return share * (1000.0 + 30.0 * motion.v[k] * motion.v[k]) * (1.0 - 0.6 * k / STEPS)
    return 0.0


@kernel
def _closeness(occ, motion, half, r):
    """Discomfort of short times to collision with whoever is ahead."""
    worst = 0.0
    for k in range(0, STEPS + 1, 2):
        low = occ.low[r, k]
        gap = low - motion.s[k] - half
        if low == math.inf or gap <= 0.0:
            continue
        closing = motion.v[k] - max(occ.v[r, k], 0.0)
        if closing > 0.5 and gap < 2.0 * closing:
            worst = max(worst, 2.0 - gap / closing)
    return 8.0 * worst


@kernel
def _right_of_way(occ, hyp, motion, half, r, margin):
    """Cost of going before somebody who goes first without leaving `margin` s."""
    h = occ.row[r]
    if hyp.i[h, 2] != GOES_FIRST or occ.first[r] == 0:
        return 0.0
    first = occ.first[r]
    low, high, last = math.inf, -math.inf, first
    k = first
    while k <= STEPS and occ.low[r, k] < math.inf:
        low, high, last = min(low, occ.low[r, k]), max(high, occ.high[r, k]), k
        k += 1
    enters = first * DT
    if half > low + 0.5:
        return 0.0  # already there: clearing is the best
    merges = last == STEPS and occ.v[r, last] > 0.7 * hyp.v[h, last] and hyp.i[h, 0] != PEDESTRIAN
    if merges:
        # It will follow us: compare where we are when it enters.
        rear, v = motion.s[first] - half, motion.v[first]
        if motion.s[first] + half <= occ.low[r, first]:
            return 0.0
        closing = max(occ.v[r, first] - v, 0.0)
        room = rear - occ.high[r, first]
        needed = 2.0 + 0.5 * v + closing * closing / 4.0 + 0.7 * closing
        return 120.0 + 20.0 * min(needed - room, 10.0) if room < needed else 0.0
    reach, leave = _time_at(motion, low - half), _time_at(motion, high + half)
    if reach < enters and leave + margin > enters:
        return 120.0 + 60.0 * min(leave + margin - enters, 3.0)
    return 0.0


@kernel
def _gates(path, motion, ints, i, half, cost):
    """Lines crossed against the light or a stop sign, and junction boxes blocked."""
    for g in range(path.n[2]):
        line, rule = path.gate_s[g], path.gate_rule[g]
        if line < half - 0.5:
            continue
        passes = _time_at(motion, line - half + 0.25)
        if passes >= FAR_OFF:
            continue
        if rule & RED_STOP and passes < path.gate_open[g] and ints[i, COMMITTED] != path.gate_link[g]:
            cost[RED_LIGHT] += 600.0
        if passes > path.gate_shut[g] and ints[i, COMMITTED] != path.gate_link[g]:
            cost[RED_LIGHT] += 60.0
        if rule & STOP_FIRST and ints[i, STOPPED_AT] != path.gate_link[g]:
            cost[STOP_SIGN] += 200.0
        if rule & KEEP_CLEAR:
            for k in range(STEPS // 2, STEPS + 1):
                if motion.v[k] < 1.0 and motion.s[k] - half < path.gate_end[g] and motion.s[k] + half > line + 1.0:
                    cost[BLOCKING] += 40.0
                    break


@kernel
def score(path, occ, hyp, motion, f, ints, i, cost):
    """Fill the terms of `cost` for `motion`; returns their sum."""
    half = 0.5 * f[i, LENGTH]
    for k in range(TOTAL + 1):
        cost[k] = 0.0
    margin = max(LEAST_MARGIN, CROSS_MARGIN - f[i, STANDING] / 60.0)
    for r in range(occ.n[0]):
        cost[COLLISION] += _collision(occ, hyp, motion, half, r)
        cost[RIGHT_OF_WAY] += _right_of_way(occ, hyp, motion, half, r, margin)
        cost[CLOSE] = max(cost[CLOSE], _closeness(occ, motion, half, r))
    _gates(path, motion, ints, i, half, cost)
    jerk = 0.0
    for k in range(STEPS):
        change = (motion.a[k + 1] - motion.a[k]) / DT
        cost[COMFORT] += comfort_cost(motion.a[k], change, 0.0) / STEPS
        jerk += max(-motion.a[k] - 3.0, 0.0) * DT
    cost[COMFORT] += 6.0 * jerk
    v = f[i, SPEED]
    top = path.limit[0]
    free = min(top * STEPS * DT, v * STEPS * DT + 0.5 * 1.8 * (STEPS * DT) ** 2)
    cost[PROGRESS] = 12.0 * (1.0 - motion.s[STEPS] / max(free, 5.0))
    total = 0.0
    for k in range(TOTAL):
        total += cost[k]
    cost[TOTAL] = total
    return total

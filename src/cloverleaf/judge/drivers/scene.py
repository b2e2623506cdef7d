"""What the built-in drivers make of the other road users: who is in the way, who will be, and who is hidden.

All kernels take `own` and `near` of `loop/storyboard/driver.py`. The other road users are taken to keep their velocity.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.driver import (
    DX,
    DY,
    GAP,
    NEAR_LATERAL_SPEED,
    NEAR_LENGTH,
    NEAR_SPEED,
    NEAR_WIDTH,
    OWN_LENGTH,
    OWN_SPEED,
    OWN_WIDTH,
    PRESENT_HERE,
)

WANDERING = 0.375  # m of lateral offset at which a leader gives the view free (UN R157 Annex 4 Appendix 3)


@kernel
def bumper_gap(own, near, i):
    """Distance of road user i's rear from our front (m): along the road where it is connected, else straight ahead."""
    gap = near[i, GAP]
    return gap if gap == gap else near[i, DX] - 0.5 * (own[OWN_LENGTH] + near[i, NEAR_LENGTH])


@kernel
def side_gap(own, near, i):
    """Distance between the sides (m), negative while they overlap."""
    return abs(near[i, DY]) - 0.5 * (own[OWN_WIDTH] + near[i, NEAR_WIDTH])


@kernel
def approach(near, i):
    """Lateral speed towards our path (m/s, negative: away)."""
    return -near[i, NEAR_LATERAL_SPEED] if near[i, DY] > 0.0 else near[i, NEAR_LATERAL_SPEED]


@kernel
def leader(own, near):
    """Row of the nearest road user ahead whose sides overlap ours, or -1."""
    found, nearest = -1, math.inf
    for i in range(near.shape[0]):
        if near[i, PRESENT_HERE] == 1.0 and near[i, DX] > 0.0 and side_gap(own, near, i) < 0.0:
            if near[i, DX] < nearest:
                found, nearest = i, near[i, DX]
    return found


@kernel
def hidden(near, i, first):
    """True if road user i is behind the leader `first`, which still covers it."""
    return (
        first >= 0 and i != first and near[i, DX] > near[first, DX] and abs(near[first, DY]) < WANDERING
        and abs(near[i, DY]) < 0.5 * near[first, NEAR_WIDTH]
    )  # fmt: skip


@kernel
def will_meet(own, near, i, horizon, margin):
    """Will road user i be in our way when we get there, both going on as now? True also if it is in the way already.

    It occupies our strip from `enters` to `leaves`; we occupy its place from `first` to `last` (s, each widened by `margin`).
    """
    side, towards = side_gap(own, near, i), approach(near, i)
    enters, leaves = 0.0, math.inf
    across = own[OWN_WIDTH] + near[i, NEAR_WIDTH]
    if side > 0.0:
        if towards < 0.05 or side / towards > horizon:
            return False
        enters, leaves = side / towards, (side + across) / towards
    elif abs(near[i, NEAR_LATERAL_SPEED]) > 0.05:
        leaves = (-side if towards < 0.0 else across + side) / abs(near[i, NEAR_LATERAL_SPEED])
    gap, closing = bumper_gap(own, near, i), own[OWN_SPEED] - near[i, NEAR_SPEED]
    body = own[OWN_LENGTH] + near[i, NEAR_LENGTH]
    if gap + body < 0.0:
        return False
    if closing <= 0.01:
        return gap < 0.0 and side < 0.0
    first, last = max(gap, 0.0) / closing, (gap + body) / closing
    return first < leaves + margin and last > enters - margin and first < horizon


@kernel
def comes_head_on(own, near, i, slowest, margin):
    """Does road user i come towards us, faster than `slowest` m/s, and will it be in our way when we meet?

    Who comes into our way head-on is not trusted to leave it on the other side: a lane change ends in it. `margin` s as in `will_meet`.
    """
    towards = -near[i, NEAR_SPEED]
    if towards <= slowest or near[i, DX] < 0.0:
        return False
    meeting = max(bumper_gap(own, near, i), 0.0) / max(own[OWN_SPEED] + towards, 0.1)
    side, inwards = side_gap(own, near, i), approach(near, i)
    if side > 0.0:
        return inwards > 0.05 and side < inwards * (meeting + margin)
    return inwards > -0.05 or -side > -inwards * (meeting - margin)

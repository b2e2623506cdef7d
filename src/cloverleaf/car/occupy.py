"""Where others are in the way: predicted boxes projected on a path as intervals [low, high] of arc length over time."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import project, swept
from cloverleaf.car.state import (
    ASKEW,
    DT,
    HYPOTHESES,
    LENGTH,
    OFF,
    SHIFT,
    SHIFT_DONE,
    SHIFT_LENGTH,
    SPEED,
    STEPS,
    WIDTH,
)  # fmt: skip

CAR_MARGIN, WALK_MARGIN, STILL_MARGIN = 0.35, 0.7, 0.3  # m, kept sideways
PEDESTRIAN, GOES_FIRST, CLEARS = 7, 1, 3


@kernel
def shift_at(f, i, s):
    """Wanted lateral offset (m) at position `s`: the rest of a lane change, a quintic in the way driven."""
    if f[i, SHIFT] == 0.0:
        return 0.0
    u = min(max((f[i, SHIFT_DONE] + max(s, 0.0)) / f[i, SHIFT_LENGTH], 0.0), 1.0)
    return f[i, SHIFT] * (1.0 - u * u * u * (10.0 + u * (-15.0 + 6.0 * u)))


@kernel
def lasting(f, i, s):
    """Share of the present deviation from the wanted line that is left at position `s`."""
    return min(max(1.0 - s / (8.0 + 1.5 * f[i, SPEED]), 0.0), 1.0)


@kernel
def offset_at(f, i, s):
    """Lateral offset (m) to expect at position `s`: the wanted one, and what is left of the present deviation from it."""
    return shift_at(f, i, s) + f[i, OFF] * lasting(f, i, s)


@kernel
def occupy_one(path, hyp, occ, f, i, h, from_behind):
    """Project hypothesis h; append it to `occ` if it is ever in the way. `from_behind` 1 keeps followers too."""
    half, width = 0.5 * f[i, LENGTH], 0.5 * f[i, WIDTH]
    hl, hw = 0.5 * hyp.f[h, 0], 0.5 * hyp.f[h, 1]
    end = path.s[path.n[0] - 1]
    row = occ.n[0]
    segment = np.int64(-1)
    first = -1
    sideways = False
    for k in range(STEPS + 1):
        s, d, segment = project(path, hyp.x[h, k], hyp.y[h, k], segment)
        c = hyp.cos[h, k] * path.cos[segment] + hyp.sin[h, k] * path.sin[segment]
        q = abs(hyp.sin[h, k] * path.cos[segment] - hyp.cos[h, k] * path.sin[segment])
        along, across = hl * abs(c) + hw * q, hl * q + hw * abs(c)
        if k == 0 and abs(d) > 60.0 and abs(s) > 200.0:
            return
        margin = CAR_MARGIN
        if hyp.i[h, 0] == PEDESTRIAN:
            margin = WALK_MARGIN
        elif hyp.v[h, k] < 0.3:
            margin = STILL_MARGIN
        # a car that stands askew or turns is wider than it is
        reach = across + width + margin + max(f[i, ASKEW] * lasting(f, i, s), swept(path, s, segment, half))
        near = min(max(s - along, 0.0), s) if s > 0.0 else s
        low, high = math.inf, -math.inf
        if (
            (abs(d - offset_at(f, i, s)) < reach or abs(d - offset_at(f, i, near)) < reach)
            and s - along < end
            and s + along > -half - 60.0
        ):
            low, high = s - along, s + along
            if first < 0:
                first = k
                sideways = k > 0 or c < 0.75
                # who comes into our way behind us follows us, unless he goes first
                if from_behind == 0 and c > 0.5:
                    if k == 0 and s < -0.25 * half:
                        return
                    if k > 0 and high < f[i, SPEED] * DT * k - half and hyp.i[h, 2] != GOES_FIRST:
                        return
        occ.low[row, k], occ.high[row, k], occ.v[row, k] = low, high, hyp.v[h, k] * c
    if first < 0 or row >= HYPOTHESES - 1:
        return
    occ.row[row], occ.first[row], occ.sideways[row] = h, first, 1 if sideways else 0
    occ.n[0] = row + 1


@kernel
def keep_way_free(path, hyp, occ, f, i, h):
    """Let the vehicle of the last row of `occ`, if it stands across our way already, occupy the rest of its way `h` too.

    Who stops right before its front stops in its way, and both wait for ever. Never nearer than can be stopped for without haste.
    """
    row = occ.n[0] - 1
    if row < 0 or hyp.i[occ.row[row], 1] != hyp.i[h, 1] or occ.first[row] > 0 or occ.sideways[row] == 0:
        return
    width, hl, hw = 0.5 * f[i, WIDTH], 0.5 * hyp.f[h, 0], 0.5 * hyp.f[h, 1]
    low, segment = occ.low[row, 0], np.int64(-1)
    for k in range(STEPS + 1):
        s, d, segment = project(path, hyp.x[h, k], hyp.y[h, k], segment)
        c = abs(hyp.cos[h, k] * path.cos[segment] + hyp.sin[h, k] * path.sin[segment])
        q = abs(hyp.sin[h, k] * path.cos[segment] - hyp.cos[h, k] * path.sin[segment])
        if abs(d - offset_at(f, i, s)) < hl * q + hw * c + width + STILL_MARGIN:
            low = min(low, s - hl * c - hw * q)
    low = max(low, 0.5 * f[i, LENGTH] + 0.25 * f[i, SPEED] ** 2 + 0.3)
    for k in range(STEPS + 1):
        occ.low[row, k] = min(occ.low[row, k], low)


@kernel
def occupy(path, hyp, occ, f, i, from_behind):
    """Fill `occ` with all hypotheses that get in the way on `path`."""
    occ.n[0] = 0
    for h in range(hyp.n[0]):
        if hyp.i[h, 2] == CLEARS:
            keep_way_free(path, hyp, occ, f, i, h)
        else:
            occupy_one(path, hyp, occ, f, i, h, from_behind)

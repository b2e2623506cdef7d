"""A warning becomes an obstacle: what the cloud says will meet us stands on the path, at the time it says, whether we see it or not."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import project
from cloverleaf.car.state import DT, EVENT_AT, EVENT_X, EVENT_Y, HYPOTHESES, LENGTH, STEPS

BEFORE, AFTER = 1.0, 1.5  # s around the warned time for which the place counts as taken
SIZE = 5.0  # m, of the unknown one
NEAR = 4.0  # m; a place farther from the path does not concern it
ASIDE = 40.0  # m, where the unknown one is at all other times
CAR, GOES_FIRST = 1, 1
TRUST = 0.6


@kernel
def stand_in(path, fleet, hyp, i, now):
    """Append a hypothesis for the warning that car i holds, if it is for the way ahead; returns 1 if it did."""
    f = fleet.f
    ahead = f[i, EVENT_AT] - now
    h = hyp.n[0]
    if not (-AFTER < ahead < STEPS * DT) or f[i, EVENT_AT] <= 0.0 or h >= HYPOTHESES - 1:
        return 0
    s, d, segment = project(path, f[i, EVENT_X], f[i, EVENT_Y], np.int64(-1))
    # who already stands there had better leave
    if abs(d) > NEAR or s < 0.5 * f[i, LENGTH] + 0.5 * SIZE:
        return 0
    c, q = path.cos[segment], path.sin[segment]
    for k in range(STEPS + 1):
        there = abs(d) if -BEFORE <= k * DT - ahead <= AFTER else ASIDE
        side = math.copysign(there, d)
        hyp.x[h, k] = path.x[segment] + (s - path.s[segment]) * c - side * q
        hyp.y[h, k] = path.y[segment] + (s - path.s[segment]) * q + side * c
        hyp.cos[h, k], hyp.sin[h, k], hyp.v[h, k] = -q, c, 0.0  # it crosses
    hyp.f[h, 0], hyp.f[h, 1], hyp.f[h, 2], hyp.f[h, 3], hyp.f[h, 4] = SIZE, SIZE, TRUST, 0.0, 1.0
    hyp.i[h, 0], hyp.i[h, 1], hyp.i[h, 2], hyp.i[h, 3] = CAR, -1, GOES_FIRST, -1
    hyp.n[0] = h + 1
    return 1

"""RSS distances of two road users who each have dynamics of their own: tables in, tables out (compiled).

The forms are those of the ad-rss library, which refine the paper (see `measure/rss.py`) in four ways: acceleration during the response time
ends at a top speed, speeds are ranges, an additional least distance is kept, and the lateral margin is the mean of both sides' and
stands inside the maximum. A side that moves away after its response time is not credited with the way it brakes on. Comparisons are made as
the library makes them: figures closer than its resolution of a thousandth count as equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64

(
    LON_MIN, LON_MAX, LAT_MIN, LAT_MAX, RESPONSE, ACCEL, BRAKE_MAX, BRAKE_MIN, BRAKE_CORRECT, LAT_ACCEL, LAT_BRAKE, MARGIN, LEAST,
    TOP_SPEED,
) = range(14)  # fmt: skip
COLUMNS = 14
"""Columns of one side: speeds m/s (longitudinal >= 0; lateral positive to the right), s, m/s2 (all positive), m, m/s."""

RESOLUTION = 1e-3
"""m and m/s."""


@kernel
def larger(a, b):
    """The larger of two figures; the first where they count as equal."""
    return b if a < b - RESOLUTION else a


@kernel
def limited_way(speed, top, rho, accel, brake):
    """Way (m) of a car that accelerates for rho, but not beyond `top` or the speed it has, and then brakes to a stop."""
    end, most = speed + accel * rho, larger(top, speed)
    end = end if end < most - RESOLUTION else most
    rising = (end - speed) / accel if accel > 0.0 else 0.0
    return speed * rho + 0.5 * accel * rising * rising + (end - speed) * (rho - rising) + end * end / (2.0 * brake)


@kernel
def drift_way(speed, rho, accel, brake):
    """Way (m) towards the other side: speed and result positive that way; after rho only speed towards it is braked away."""
    end = speed + accel * rho
    way = speed * rho + 0.5 * accel * rho * rho
    return way + end * end / (2.0 * brake) if end > 0.0 else way


@kernel
def _distances(a, b, out):
    for k in range(a.shape[0]):
        follow = limited_way(b[k, LON_MAX], b[k, TOP_SPEED], b[k, RESPONSE], b[k, ACCEL], b[k, BRAKE_MIN])
        lead = a[k, LON_MIN] * a[k, LON_MIN] / (2.0 * a[k, BRAKE_MAX])
        out[k, 0] = larger(follow - lead, 0.0) + b[k, LEAST]
        correct = limited_way(a[k, LON_MAX], a[k, TOP_SPEED], a[k, RESPONSE], a[k, ACCEL], a[k, BRAKE_CORRECT])
        out[k, 1] = correct + follow + larger(a[k, LEAST], b[k, LEAST])
        left = drift_way(a[k, LAT_MAX], a[k, RESPONSE], a[k, LAT_ACCEL], a[k, LAT_BRAKE])
        right = drift_way(-b[k, LAT_MIN], b[k, RESPONSE], b[k, LAT_ACCEL], b[k, LAT_BRAKE])
        out[k, 2] = larger(left + right + 0.5 * (a[k, MARGIN] + b[k, MARGIN]), 0.0)


def rss_distances(a: Any, b: Any) -> F64:
    """Safe distances (n, 3), m, of pairs of road users, (n, COLUMNS) each.

    Column 0: b follows a the same way; 1: both meet, a on its correct side; 2: side by side, a on the left.
    """
    first, second = np.ascontiguousarray(a, np.float64), np.ascontiguousarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 2 or first.shape[1] != COLUMNS:
        raise ValueError(f"two tables of shape (n, {COLUMNS}) are needed, not {first.shape} and {second.shape}")
    out = np.zeros((len(first), 3))
    _distances(first, second, out)
    return out

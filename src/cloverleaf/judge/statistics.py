"""Means and paired differences over seeds, with 95 % intervals.

Few seeds (3 to 30) and roughly symmetric metrics: Student's t on the per-seed values. Arms share their random numbers, so their
difference is taken seed by seed and the interval is that of the mean of the differences, which is far narrower than the
difference of two intervals. One seed has no interval: NaN, never a zero width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit


class Interval(NamedTuple):
    """Mean over seeds, its 95 % interval and how many seeds it rests on (NaN values are left out and lower n)."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: Sequence[float]) -> Interval:
    """Mean and 95 % interval of one metric over seeds."""
    x = np.asarray([v for v in values if np.isfinite(v)], float)
    if len(x) == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(x.mean())
    if len(x) == 1:
        return Interval(mean, np.nan, np.nan, 1)
    half = float(stdtrit(len(x) - 1, 0.975) * x.std(ddof=1) / np.sqrt(len(x)))
    return Interval(mean, mean - half, mean + half, len(x))


def paired(values: Sequence[float], baseline: Sequence[float]) -> Interval:
    """Mean difference `values - baseline`, seed by seed."""
    return interval([a - b for a, b in zip(values, baseline, strict=True)])


def relative(values: Sequence[float], baseline: Sequence[float]) -> Interval:
    """Paired difference as a share of the baseline's mean; NaN where that is zero."""
    change, base = paired(values, baseline), interval(baseline).mean
    if not base:
        return Interval(np.nan, np.nan, np.nan, change.n)
    ends = sorted((change.low / base, change.high / base))
    return Interval(change.mean / base, ends[0], ends[1], change.n)


def excludes_zero(difference: Interval) -> bool:
    """True if the interval lies on one side of zero. An interval without width (all seeds alike) counts if it is not at zero."""
    return bool(difference.low > 0 or difference.high < 0)


def verdict(difference: Interval, better: int) -> str:
    """ "better", "worse", "unclear" or "same" for a metric whose good direction is `better` (-1 less, 1 more, 0 neither)."""
    if difference.n and difference.mean == 0 and not (difference.low < 0 < difference.high):
        return "same"
    if better == 0 or not excludes_zero(difference):
        return "unclear"
    return "better" if (difference.mean > 0) == (better > 0) else "worse"

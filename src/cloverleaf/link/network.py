"""Delay over the network between cars, units and cloud (Uu or field network), as a distribution given by percentiles.

Between percentiles the delay is linear in -ln(1 - p), the coordinate in which an exponential is a straight line; beyond the last one it
goes on along the last stretch, so that a tail stays a tail. p100, where given, is the longest delay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import CHANNEL, stream, uniform
from cloverleaf.types.errors import StudyError
from cloverleaf.types.state import F64

FIXED_SHARE = 0.7
"""Share of the mean delay that every message takes where only the mean is known; the rest is exponential."""


class NetworkDelay(NamedTuple):
    """A distribution of one-way delays: knots (K,), K >= 2, the first at 0."""

    at: F64  # -ln(1 - p)
    delay: F64  # s
    longest: float  # s

    def quantile(self, p: float) -> float:
        """Delay in s that a share `p` of the messages does not exceed, 0 <= p < 1."""
        return float(_quantile(self.at, self.delay, self.longest, -math.log(1.0 - p)))


def delay_of_mean(mean: float) -> NetworkDelay:
    """Where only a mean in s is known: 70 % of it fixed, the rest exponential."""
    return NetworkDelay(np.array([0.0, 1.0]), mean * np.array([FIXED_SHARE, 1.0]), math.inf)


def delay_of_percentiles(percentiles_ms: Mapping[str, float]) -> NetworkDelay:
    """A distribution through measured percentiles in ms, named p0 to p100, e.g. {"p50": 30, "p95": 60, "p99": 110}.

    Without p0 the delay begins where the first stretch does, but not below 0.

    Raises:
        StudyError: fewer than two below p100, a name that is no percentile, or delays that fall.
    """
    element = "cloud.latency_percentiles_ms"
    share: dict[float, float] = {}
    for name, value in percentiles_ms.items():
        try:
            p = float(name.removeprefix("p")) / 100.0 if name.startswith("p") else math.nan
        except ValueError:
            p = math.nan
        if not 0.0 <= p <= 1.0:
            raise StudyError(f"'{name}' is no percentile", element=element, hint="p0 to p100, e.g. p50, p95, p99.9")
        share[p] = value * 1e-3
    order = sorted(share)
    delays = [share[p] for p in order]
    if any(a > b for a, b in pairwise(delays)) or any(not 0.0 <= d <= 60.0 for d in delays):
        raise StudyError("delays must grow with the percentile, from 0 to 60,000 ms", element=element)
    longest = share.pop(1.0, math.inf)
    at = [-math.log(1.0 - p) for p in order if p < 1.0]
    delay = [share[p] for p in order if p < 1.0]
    if len(at) < 2:
        raise StudyError(
            "two percentiles below p100 are needed at least", element=element, hint="e.g. {p50: 30, p99: 110}"
        )
    if at[0] > 0.0:
        slope = (delay[1] - delay[0]) / (at[1] - at[0])
        at, delay = [0.0, *at], [max(delay[0] - slope * at[0], 0.0), *delay]
    return NetworkDelay(np.array(at), np.array(delay), longest)


@kernel
def _quantile(at, delay, longest, e):
    """Delay at the coordinate `e`."""
    k = 1
    while k < len(at) - 1 and e > at[k]:
        k += 1
    slope = (delay[k] - delay[k - 1]) / (at[k] - at[k - 1])
    return min(delay[k - 1] + slope * (e - at[k - 1]), longest)


@kernel
def network_delay(seed, station, tick, at, quantile, longest, delay):
    """Draw the delays in s of messages from or to `station` (n,); one draw of a station in a tick."""
    for i in range(len(station)):
        k = stream(seed, 1, station[i], CHANNEL)
        delay[i] = _quantile(at, quantile, longest, -math.log(1.0 - uniform(k, tick)))

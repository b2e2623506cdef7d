"""Slow twins of the radio's kernels."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np


def naive_deliver(
    start: list[int], message: list[int], delay: list[float], wanted: list[int], limit: float
) -> tuple[list, list]:
    """Per receiver the pairs kept, and the late ones as (receiver, message, delay)."""
    kept, late = [], []
    for r in range(len(start) - 1):
        mine = []
        for p in range(start[r], start[r + 1]):
            if wanted[message[p]]:
                if delay[p] > limit:
                    late.append((r, message[p], delay[p]))
                else:
                    mine.append((message[p], delay[p]))
        kept.append(mine)
    return kept, late


def naive_path_loss(d: float) -> float:
    """WINNER+ B1 LOS at 5.91 GHz, antennas 1.5 m, as printed."""
    d = max(d, 3.0)
    if d < 4 * 1.5 * 1.5 * 5.91e9 / 3e8:
        loss = 22.7 * math.log10(d) + 27.0 + 20.0 * math.log10(5.91)
    else:
        loss = 40.0 * math.log10(d) + 7.56 - 17.3 * math.log10(1.5) - 17.3 * math.log10(1.5) + 2.7 * math.log10(5.91)
    return max(loss, 20.0 * math.log10(d) + 46.4 + 20.0 * math.log10(5.91 / 5.0))


def naive_select(
    period: int, subchannels: int, own_slot: int, reserved: np.ndarray, power: np.ndarray, threshold: float
) -> set[int]:
    """Resources that the standard's three steps leave to draw from, ties at the rank limit included."""
    count = period * subchannels
    while True:
        left = [q for q in range(count) if q // subchannels != own_slot and reserved[q] <= threshold]
        if len(left) >= max(count // 5, 1):
            break
        threshold *= 10**0.3
    totals = {q: float(power[q].sum()) for q in left}
    limit = sorted(totals.values())[min(max(count // 5, 1), len(left)) - 1]
    return {q for q in left if totals[q] <= limit * (1 + 1e-6)}


def naive_network_delay(percentiles: dict[float, float], p: float) -> float:
    """Delay in ms at the share `p`: straight lines between given percentiles over -ln(1 - p), the last one going on to p100."""
    points = sorted((-math.log(1 - q / 100), d) for q, d in percentiles.items() if q < 100)
    if points[0][0] > 0:
        (a, x), (b, y) = points[:2]
        points.insert(0, (0.0, max(x - (y - x) / (b - a) * a, 0.0)))
    e = -math.log(1 - p)
    for (a, x), (b, y) in pairwise(points):
        if e <= b or (b, y) == points[-1]:
            return min(x + (y - x) * (e - a) / (b - a), percentiles.get(100.0, math.inf))
    raise AssertionError("no stretch")

"""Fits the radio model of the simulation to a measured delivery curve, so that a study can use the radio that was measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.radio.tables import radio_tables
from cloverleaf.types.state import F64

POWERS = np.arange(-6.0, 36.01, 0.5)
"""dBm that are tried: equivalent power at the antenna, in which cable, antenna and obstruction losses are contained."""
LOADS = np.linspace(0.0, 0.95, 20)
"""Channel busy ratios that are tried."""
LEAST = 30
"""Messages below which nothing is fitted."""


def predicted(distance: F64, power_dbm: float, load: float, radio: str, rate: float) -> F64:
    """Delivery ratio of the simulation's radio at distances in m; `rate` is what the receiver itself sends, messages/s."""
    t = radio_tables(radio, power_dbm)
    rows = np.arange(len(t.weak)) * t.distance_step
    collide = np.array([np.interp(load, t.loads, row) for row in t.collide])
    pdr = (1.0 - t.half_duplex * rate) * (1.0 - t.weak) * (1.0 - t.fade) * (1.0 - collide)
    return np.where(distance > t.reach, 0.0, np.interp(distance, rows, pdr))


def fit_radio(distance: F64, received: F64, radio: str = "lte-v2x", rate: float = 10.0) -> dict[str, Any] | None:
    """Power and channel load under which the model makes the measured outcomes likeliest (binomial likelihood).

    Args:
        distance: m per message, shape (n,).
        received: 1 received, 0 lost, shape (n,).

    Returns:
        power_dbm, channel_busy, log_likelihood, rmse over 25 m bins, `misfit`: what of it chance does not explain within reach,
        `at_limit`: the parameters whose best value is the highest or lowest one tried, and the 95 % region of both parameters, widened
        by the overdispersion of the bins (quasi-likelihood of P. McCullagh and J. Nelder, 1989, 4.5), since losses of neighbouring
        messages come together. None for fewer than 30 messages, for fewer than three distance bins, where nothing can be told apart, or
        if a message arrived from farther than the model reaches at its highest power: then a place is wrong, or the radio is another.
    """
    reach = radio_tables(radio, float(POWERS[-1])).reach
    if (distance[received > 0] > reach).any():
        return None
    received, distance = received[distance <= reach], distance[distance <= reach]
    bins = (distance // 25.0).astype(np.int64)
    if len(distance) < LEAST or len(np.unique(bins)) < 3:
        return None
    n = np.bincount(bins).astype(float)
    hits = np.bincount(bins, weights=received)
    used = np.flatnonzero(n)
    n, hits, middle = n[used], hits[used], 25.0 * used.astype(np.float64) + 12.5
    best = np.full((len(POWERS), len(LOADS)), -np.inf)
    for i, power in enumerate(POWERS):
        for k, load in enumerate(LOADS):
            p = np.clip(predicted(middle, float(power), float(load), radio, rate), 1e-4, 1.0 - 1e-4)
            best[i, k] = float((hits * np.log(p) + (n - hits) * np.log(1.0 - p)).sum())
    i, k = divmod(int(best.argmax()), len(LOADS))
    model = np.clip(predicted(middle, float(POWERS[i]), float(LOADS[k]), radio, rate), 1e-4, 1.0 - 1e-4)
    squares, chance = (hits / n - model) ** 2, model * (1.0 - model) / n
    within = np.maximum(hits / n, model) > 0.02  # where nothing arrives and nothing should, nothing is learnt
    dispersion = max(float((squares / np.maximum(chance, 1e-2 / n)).sum()) / max(len(n) - 2, 1), 1.0)
    likely = best >= best.max() - 2.996 * dispersion  # half the 95 % quantile of chi square with two degrees of freedom
    limits = {"power": i in (0, len(POWERS) - 1), "channel load": k == len(LOADS) - 1}
    powers, loads = POWERS[likely.any(axis=1)], LOADS[likely.any(axis=0)]
    return {
        "radio": radio,
        "power_dbm": float(POWERS[i]),
        "power_dbm_95": [float(powers.min()), float(powers.max())],
        "channel_busy": round(float(LOADS[k]), 3),
        "channel_busy_95": [round(float(loads.min()), 3), round(float(loads.max()), 3)],
        "log_likelihood": float(best[i, k]),
        "rmse": float(np.sqrt(np.average(squares, weights=n))),
        "misfit": float(np.sqrt(max(np.average(squares - chance, weights=n * within + 1e-9), 0.0))),
        "at_limit": [name for name, there in limits.items() if there],
    }

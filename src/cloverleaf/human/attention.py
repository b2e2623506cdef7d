"""Where drivers look: on and off the road in turn, called back by looming, by warnings, or by the end of a glance.

A two-state renewal process with lognormal dwell times. Sources: eyes are on the forward path for about 80 % of routine driving, most
of the rest being mirrors and instruments (Morando, Victor, Dozza 2019, IEEE T-ITS 21(2)); glances over 1.7-2 s mark the risky tail
(Liang, Lee, Horrey 2014, HFES 58; Klauer et al. 2006, DOT HS 810 594). We count as inattention half of the time off path: median
0.9 s with log deviation 0.6 (mean 1.08 s, 9 % over 2 s), after 9.7 s on the road on average, so 10 % of the time on a free road.
Drivers fit their glances to the situation (Tivesten, Dozza 2014, Transp. Res. F 26): they look away only if what remains free
ahead - headway beyond 1 s, way to the junction beyond 2 s - outlasts the glance, and not while the leader brakes; so in dense
traffic the share is lower. Take-over from automation: lognormal, mean 2.7 s (Zhang et al. 2019, meta-analysis of 129 studies).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.noise import fold
from cloverleaf.algo.rng import normal, uniform
from cloverleaf.types.hmi import HmiBatch
from cloverleaf.types.state import F64, I64, U8


class GlanceRates(NamedTuple):
    """Parameters of the renewal process; scalars."""

    on_median: float = 7.0  # s
    on_log_sigma: float = 0.8
    off_median: float = 0.9  # s
    off_log_sigma: float = 0.6
    least_headway: float = 1.0  # s that must be left when the eyes return
    least_way: float = 2.0  # s to the end of the lane that must be left then
    looming: float = 0.2  # 1/s, inverse time to collision that is noticed from the corner of the eye
    recovery: float = 0.4  # s from looming or a warning to eyes on the road
    compliance: float = 0.8  # share of warnings that are heeded


class Attention(NamedTuple):
    """State by vehicle slot; shape (capacity,)."""

    away: U8  # 1: looks away
    until: F64  # s, when the present state ends
    draws: I64  # dwell times drawn so far


def empty_attention(capacity: int) -> Attention:
    """Everybody looks at the road and has not yet drawn a dwell time."""
    return Attention(np.zeros(capacity, np.uint8), np.full(capacity, -1.0), np.zeros(capacity, np.int64))


@kernel
def lognormal(key, counter, median, log_sigma):
    """Lognormal draw number `counter` with this median."""
    return median * math.exp(log_sigma * normal(key, counter))


@kernel
def restart_attention(attention, slot, key, now, rates):
    """A new driver looks at the road, somewhere within a dwell time."""
    attention.away[slot] = 0
    attention.draws[slot] = 1
    attention.until[slot] = now + uniform(key, 1 << 40) * lognormal(key, 0, rates.on_median, rates.on_log_sigma)


@kernel
def advance_attention(attention, slot, key, now, rates, headway, way, inverse_ttc, leader_brakes):
    """Advance one driver to `now` s; True if the eyes are on the road.

    headway: s to the leader (inf none); way: s to the end of the lane; inverse_ttc: 1/s, positive when closing in; leader_brakes: bool.
    """
    if attention.away[slot] == 1:
        if inverse_ttc > rates.looming:
            attention.until[slot] = min(attention.until[slot], now + rates.recovery)
    if now >= attention.until[slot]:
        counter = attention.draws[slot]
        attention.draws[slot] = counter + 1
        if attention.away[slot] == 1:
            attention.away[slot] = 0
            attention.until[slot] = now + lognormal(key, counter, rates.on_median, rates.on_log_sigma)
        else:
            glance = lognormal(key, counter, rates.off_median, rates.off_log_sigma)
            free = min(headway - rates.least_headway, way - rates.least_way)
            if free < glance or inverse_ttc > 0.1 or leader_brakes:
                attention.until[slot] = now + 1.0
            else:
                attention.away[slot] = 1
                attention.until[slot] = now + glance
    return attention.away[slot] == 0


@kernel
def _heed(attention, rows, until, priority, times, keys, now, compliance, recovery):
    """Warnings call eyes back to the road; rows of nobody and mere information do not."""
    for k in range(rows.shape[0]):
        slot = rows[k]
        if slot < 0 or slot >= attention.away.shape[0] or priority[k] < 1 or until[k] < now:
            continue
        # One draw per warning, not per tick: it is known by the time when it was raised.
        raised = np.int64(times[k] * 1000.0)
        if attention.away[slot] == 1 and uniform(fold(keys[slot], raised), 0) < compliance:
            attention.until[slot] = min(attention.until[slot], now + recovery)


def heed(attention: Attention, hmi: HmiBatch, keys: np.ndarray, now: float, rates: GlanceRates) -> None:
    """Let the warnings of `hmi` act on the drivers; keys (capacity,) uint64 as in Vehicles.key, now in s."""
    if len(hmi.row):
        _heed(
            attention, hmi.row, hmi.until, hmi.priority, hmi.time, keys, float(now), float(rates.compliance),
            float(rates.recovery),
        )  # fmt: skip


@kernel
def takeover_time(key, counter):
    """Seconds from a take-over request to control by the driver: lognormal, mean 2.7 s, log deviation 0.45."""
    return lognormal(key, counter, 2.7 * math.exp(-0.5 * 0.45 * 0.45), 0.45)

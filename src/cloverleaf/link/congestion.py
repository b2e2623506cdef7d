"""Congestion control: the shortest interval between two awareness messages of a station, from what it hears of the channel.

| name | rule | source |
|---|---|---|
| none | 100 ms | |
| reactive | states by channel busy ratio | ETSI TS 102 687, reactive approach, packets up to 1 ms |
| adaptive | each station's share of the air follows the gap between busy ratio and target (LIMERIC) | ETSI TS 102 687, 5.4 |
| occupancy | a limit on the station's own channel occupancy by busy ratio | ETSI TS 103 574, priority of CAM and BSM; from memory |
| density | interval in proportion to the vehicles within 100 m | SAE J2945/1 and J3161/1, density part |

The numbers of the density rule are those of table I of S. Ahmad et al., "V2V System Congestion Control Validation and Performance",
IEEE TVT 68(3), 2019 (B = 25, 600 ms, weight 0.05, 100 m); that the weight counts per second is from memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.state import F64, I64

SHORTEST = 0.1
"""s between awareness messages on a free channel."""
LONGEST = 1.0
REACTIVE_BUSY = (0.30, 0.40, 0.50, 0.60)
"""Channel busy ratios at which the reactive table changes state."""
REACTIVE_INTERVAL = (0.1, 0.2, 0.4, 0.5, 1.0)
"""s between messages in the states relaxed, active 1-3, restrictive."""
OCCUPANCY_BUSY = (0.30, 0.65, 0.80)
OCCUPANCY_LIMIT = (np.inf, 0.03, 0.006, 0.003)
"""Share of the air that one station may take between these busy ratios."""


class Adaptive(NamedTuple):
    """Parameters of TS 102 687, table 3."""

    alpha: float = 0.016
    beta: float = 0.0012
    target: float = 0.68
    most: float = 0.03
    least: float = 0.0006
    rise: float = 0.0005
    fall: float = -0.00025
    period: float = 0.2  # s


class Density(NamedTuple):
    """Parameters of SAE J2945/1, 6.3.8."""

    range_m: float = 100.0
    coefficient: float = 25.0  # vehicles up to which 100 ms hold
    longest: float = 0.6  # s
    memory: float = 0.95  # weight of the smoothed count after a second


CONTROLS = ("none", "reactive", "adaptive", "occupancy", "density")
OF_STANDARD = {"etsi": "reactive", "sae": "density", "csae_day1": "occupancy", "csae_day2": "occupancy"}
"""What a standard's profile uses unless a study says otherwise."""


def reactive_interval(busy: F64) -> F64:
    """Interval in s of the reactive table at channel busy ratios."""
    return np.array(REACTIVE_INTERVAL)[np.searchsorted(REACTIVE_BUSY, busy, side="right")]


def occupancy_interval(busy: F64, airtime: float) -> F64:
    """Interval in s at which messages of `airtime` s of the whole channel stay within the occupancy limit."""
    return airtime / np.array(OCCUPANCY_LIMIT)[np.searchsorted(OCCUPANCY_BUSY, busy, side="right")]


def density_interval(vehicles: F64, rule: Density | None = None) -> F64:
    """Interval in s with so many vehicles (smoothed count) in range."""
    rule = rule or Density()
    return np.clip(SHORTEST * vehicles / rule.coefficient, SHORTEST, rule.longest)


class Congestion:
    """The rule of one link, and its memory per station.

    Args:
        name: one of `CONTROLS`.
        step: s between two calls of `hear`.

    Raises:
        StudyError: no such rule.
    """

    def __init__(self, name: str, step: float = 0.1) -> None:
        if name not in CONTROLS:
            raise StudyError(
                f"unknown congestion control '{name}'", element="link.congestion", hint=nearest(name, CONTROLS)
            )
        self.name, self.step = name, step
        self.interval = np.full(256, SHORTEST)  # s, by station
        self._state = np.full(256, np.nan)  # smoothed busy ratio or count
        self._share = np.full(256, Adaptive().most)

    def hear(self, station: I64, busy: F64, near: F64, airtime: float) -> None:
        """What stations heard during a tick.

        Args:
            station: ids, small and not negative.
            busy: channel busy ratios, 0..1.
            near: vehicles heard within `Density.range_m`; only looked at by that rule.
            airtime: s of the whole channel that one awareness message takes.
        """
        if self.name == "none" or not len(station):
            return
        self._grow(int(station.max()))
        if self.name == "reactive":
            interval = reactive_interval(busy)
        elif self.name == "occupancy":
            interval = occupancy_interval(busy, airtime)
        elif self.name == "density":
            rule = Density()
            keep = rule.memory**self.step
            before = self._state[station]
            count = np.where(np.isnan(before), near, keep * before + (1.0 - keep) * near)
            self._state[station] = count
            interval = density_interval(count, rule)
        else:
            interval = airtime / self._adapt(station, busy)
        self.interval[station] = np.clip(interval, SHORTEST, LONGEST)

    def _adapt(self, station: I64, busy: F64) -> F64:
        """The share of the air that each station may take (TS 102 687, 5.4, steps 1 to 5), spread over ticks shorter than its period."""
        p = Adaptive()
        part = min(self.step / p.period, 1.0)
        before = self._state[station]
        smooth = np.where(np.isnan(before), busy, (1.0 - 0.5 * part) * before + 0.5 * part * busy)
        self._state[station] = smooth
        offset = np.clip(p.beta * (p.target - smooth), p.fall, p.rise)
        share = np.clip((1.0 - p.alpha * part) * self._share[station] + part * offset, p.least, p.most)
        self._share[station] = share
        return share

    def of(self, station: I64) -> F64:
        """Shortest interval of stations, s."""
        if len(station):
            self._grow(int(station.max()))
        return self.interval[station]

    def _grow(self, top: int) -> None:
        more = top + 1 - len(self.interval)
        if more > 0:
            more = max(more, len(self.interval))
            self.interval = np.append(self.interval, np.full(more, SHORTEST))
            self._state = np.append(self._state, np.full(more, np.nan))
            self._share = np.append(self._share, np.full(more, Adaptive().most))

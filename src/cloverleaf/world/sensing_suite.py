"""Sensor suites as tables: what a car and a roadside unit can see, and how well.

Object lists are what remains after the sensors of one observer have been fused, so each object appears once, with the error of the
first sensor in the table that covers it. Figures (orders of magnitude of series sensors): long-range radar with camera
150 m, 0.1-0.4 m in range, 0.3-1 deg in azimuth; surround view 80 m; roadside mast 5-8 m high, 0.3-1 m, fused latency 100-300 ms;
recall falls logistically with range, earlier for small objects, and misses come in runs of 3-5 frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cloverleaf.types.errors import StudyError
from cloverleaf.types.state import F64
from cloverleaf.world.weather import Weather, attenuation_per_m

RUN = 4
"""Frames for which one draw decides about a miss: the mean run of misses of a half-visible object is about 4-5 frames."""


class SensorTable(NamedTuple):
    """Sensors of one suite, best first; shape (sensors,)."""

    yaw: F64  # rad, of the optical axis in the body frame
    half_view: F64  # rad, half field of view; pi all around
    reach: F64  # m
    recall: F64  # 0..1, near and in full view
    sigma_range: F64  # m, along the line of sight, at the sensor
    sigma_per_m: F64  # m per m of distance, added to it
    sigma_bearing: F64  # rad
    sigma_speed: F64  # m/s per component


class SuiteSettings(NamedTuple):
    """What all sensors of one suite share; scalars."""

    height: float  # m above the road
    attenuation: float  # 1/m, of detection by weather
    confusion: float  # share of objects reported with a wrong class
    ghosts: float  # false objects per frame
    seed: int
    world: int
    purpose: int  # of algo/rng


@dataclass(frozen=True)
class Suite:
    """A suite with its latency; `latency_steps` are steps of the world between measurement and delivery."""

    sensors: SensorTable
    height: float
    latency_steps: int
    confusion: float = 0.01
    ghosts: float = 0.01

    def __post_init__(self) -> None:
        if self.latency_steps < 0 or not 0 <= self.confusion <= 1 or not 0 <= self.ghosts <= 1:
            raise StudyError("latency, confusion and ghosts must not be negative, shares at most 1", element="sensors")

    @property
    def reach(self) -> float:
        """Range of the farthest sensor, m."""
        return float(self.sensors.reach.max())

    def settings(self, weather: Weather, seed: int, world: int, purpose: int) -> SuiteSettings:
        """The scalars of the kernels under this weather."""
        loss = attenuation_per_m(weather)
        return SuiteSettings(
            float(self.height),
            float(loss),
            float(self.confusion),
            float(self.ghosts),
            int(seed),
            int(world),
            int(purpose),
        )


def _table(*rows: tuple[float, ...]) -> SensorTable:
    return SensorTable(*(np.array(column, np.float64) for column in zip(*rows)))


#                 yaw  half view           reach  recall sigma  per m  bearing             speed
FRONT_LONG_RANGE = (0.0, math.radians(20.0), 150.0, 0.995, 0.10, 0.002, math.radians(0.15), 0.10)
SURROUND = (0.0, math.pi, 80.0, 0.99, 0.10, 0.003, math.radians(0.3), 0.20)
MAST = (0.0, math.pi, 120.0, 0.99, 0.20, 0.004, math.radians(0.2), 0.30)


def car_suite(latency_steps: int = 1) -> Suite:
    """Front long range (150 m, +-20 deg) and surround view (80 m, 360 deg) of a series smart car; 0.1 s old at 10 Hz."""
    return Suite(_table(FRONT_LONG_RANGE, SURROUND), height=1.4, latency_steps=latency_steps)


def roadside_suite(latency_steps: int = 2) -> Suite:
    """Camera and lidar on a 6 m mast: 120 m, 360 deg; 0.2 s old at 10 Hz."""
    return Suite(_table(MAST), height=6.0, latency_steps=latency_steps)


def ideal_suite(reach: float = 150.0) -> Suite:
    """Sees everything in reach without error or delay, but not through others: for tests and upper bounds."""
    return Suite(_table((0.0, math.pi, reach, 1.0, 0.0, 0.0, 0.0, 0.0)), 1.4, 0, confusion=0.0, ghosts=0.0)

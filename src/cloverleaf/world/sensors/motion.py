"""Own motion as raw sensors give it: inertial unit with drifting biases, wheel ticks, and GNSS whose errors come from the sky it sees.

GNSS: each satellite has its own slowly changing pseudo-range error; one whose line of sight is built over is lost or, as often, tracked
by a reflection that is metres too long. The position error is what least squares makes of them, so errors in a street canyon are large,
across the street and correlated over tens of seconds, and below four satellites there is no fix.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64
from cloverleaf.world.sensors.lidar import cast
from cloverleaf.world.sensors.surroundings import KIND

WHEEL_ROUND = 1.95  # m


class ImuModel(NamedTuple):
    """Data sheet of the two axes that matter on a road."""

    gyro_noise: float = 1.4e-4  # rad/s per sqrt(Hz)
    gyro_bias: float = 0.003  # rad/s, when switched on
    gyro_walk: float = 2e-5  # rad/s per sqrt(s)
    accel_noise: float = 1.5e-3  # m/s2 per sqrt(Hz)
    accel_bias: float = 0.05  # m/s2, when switched on
    accel_walk: float = 2e-4  # m/s2 per sqrt(s)


class Imu:
    """One inertial unit."""

    def __init__(self, model: ImuModel, random: np.random.Generator) -> None:
        self.model, self.random = model, random
        self.gyro_bias = model.gyro_bias * random.standard_normal()
        self.accel_bias = model.accel_bias * random.standard_normal()

    def sample(self, accel: float, yaw_rate: float, dt: float) -> tuple[float, float]:
        """Measured acceleration (m/s2) and yaw rate (rad/s), means over `dt` s."""
        m, draw = self.model, self.random.standard_normal(4)
        self.gyro_bias += m.gyro_walk * math.sqrt(dt) * draw[0]
        self.accel_bias += m.accel_walk * math.sqrt(dt) * draw[1]
        noise = 1.0 / math.sqrt(dt)
        return accel + self.accel_bias + m.accel_noise * noise * draw[
            2
        ], yaw_rate + self.gyro_bias + m.gyro_noise * noise * draw[3]


class WheelModel(NamedTuple):
    """Wheel speed by counting teeth."""

    ticks: int = 96  # per turn
    scale_error: float = 0.01  # deviation, of the wheel's size
    slip: float = 0.002  # of the speed per m/s2


class Wheel:
    """One wheel of one car."""

    def __init__(self, model: WheelModel, random: np.random.Generator) -> None:
        self.model = model
        self.scale = 1.0 + model.scale_error * random.standard_normal()
        self._rest = random.random()

    def sample(self, speed: float, accel: float, dt: float) -> float:
        """Speed (m/s) from the whole teeth that passed in `dt` s."""
        tooth = WHEEL_ROUND / self.model.ticks
        self._rest += abs(speed) * self.scale * (1.0 + self.model.slip * accel) * dt / tooth
        teeth = math.floor(self._rest)
        self._rest -= teeth
        return math.copysign(teeth * tooth / dt, speed)


class GnssModel(NamedTuple):
    """Receiver."""

    sigma: float = 0.4  # m, pseudo-range error of a satellite in the open, after corrections
    tau: float = 30.0  # s, over which it changes
    noise: float = 0.1  # m, white
    reflected: float = 12.0  # m, mean of the way that a reflection is longer
    tracked: float = 0.5  # share of hidden satellites that are tracked by a reflection
    mask: float = math.radians(10.0)  # elevation below which satellites are not used
    satellites: int = 24  # above the horizon, of all systems
    latency: float = 0.1  # s


class Fix(NamedTuple):
    """One solution."""

    x: float  # m, ENU
    y: float
    sigma: float  # m, deviation per axis that the receiver claims
    satellites: int


class Gnss:
    """One receiver."""

    def __init__(self, model: GnssModel, random: np.random.Generator) -> None:
        self.model, self.random = model, random
        n = model.satellites
        self.azimuth = 2.0 * math.pi * random.random(n)
        # evenly over the sky: the sine of the elevation is uniform
        self.elevation = np.arcsin(random.random(n))
        self._error = model.sigma * random.standard_normal(n)
        self._reflection = random.exponential(model.reflected, n)
        self._tracked = random.random(n) < model.tracked

    def visible(self, boxes: F64, x: float, y: float, z: float = 1.6) -> np.ndarray:
        """Which satellites (n,) bool are in line of sight past the buildings of `boxes`."""
        walls = np.ascontiguousarray(boxes[boxes[:, KIND] == 0]) if len(boxes) else boxes
        n = len(self.azimuth)
        clear = np.ones(n, bool)
        for k in range(n):
            ranges, hits, cosines = np.empty((1, 1)), np.empty((1, 1), np.int64), np.empty((1, 1))
            cast(
                walls, np.array([x, y, z, 0.0]), np.array([self.azimuth[k], 1e-3, 0.0]), np.array([math.tan(self.elevation[k])]), 200.0,
                np.zeros(3), ranges, hits, cosines,
            )  # fmt: skip
            clear[k] = hits[0, 0] < 0
        return clear

    def fix(self, x: float, y: float, boxes: F64, dt: float) -> Fix | None:
        """The solution at true position (x, y) m, `dt` s after the last; None with fewer than four satellites."""
        m, n = self.model, len(self.azimuth)
        keep = math.exp(-dt / m.tau)
        self._error = keep * self._error + m.sigma * math.sqrt(1.0 - keep * keep) * self.random.standard_normal(n)
        renew = self.random.random(n) > keep  # a street passes by: reflections change with the same time constant
        self._reflection = np.where(renew, self.random.exponential(m.reflected, n), self._reflection)
        self._tracked = np.where(renew, self.random.random(n) < m.tracked, self._tracked)
        white = m.noise * self.random.standard_normal(n)
        clear = self.visible(boxes, x, y)
        used = (self.elevation >= m.mask) & (clear | self._tracked)
        if used.sum() < 4:
            return None
        error = (self._error + white + np.where(clear, 0.0, self._reflection))[used]
        az, el = self.azimuth[used], self.elevation[used]
        h = np.column_stack((-np.cos(el) * np.cos(az), -np.cos(el) * np.sin(az), -np.sin(el), np.ones(len(az))))
        weight = np.sin(el)  # receivers trust high satellites more
        normal = h.T @ (weight[:, None] * h)
        if np.linalg.cond(normal) > 1e8:
            return None
        inverse = np.linalg.inv(normal)
        off = inverse @ (h.T @ (weight * error))
        left = error - h @ off
        spread = max(m.sigma, math.sqrt(float(left @ left) / max(len(left) - 4, 1)))
        return Fix(
            x + float(off[0]),
            y + float(off[1]),
            spread * math.sqrt(0.5 * (inverse[0, 0] + inverse[1, 1])),
            int(used.sum()),
        )

"""Localisation with integrity: an error-state Kalman filter over GNSS, IMU, wheel speed and lane observations (compiled).

Planar state: position x, y (m, ENU), heading (rad, from east to the left), speed (m/s), gyro bias (rad/s), accelerometer bias (m/s2),
wheel scale error, and the slowly changing part of the GNSS error, cx and cy (m): a first-order Gauss-Markov process, so that many fixes
with one common error are not believed more than one. The filter keeps the covariance of the errors and puts each correction into the
state at once (Sola 2017, "Quaternion kinematics for the error-state Kalman filter", ch. 5, reduced to the plane).

Protection level: the radius that the position error exceeds with less than the tolerated risk, if noise is as modelled: k times the
deviation along the worst direction (for a Gaussian error, k = 5.33 at 1e-7). Fixes that contradict the state are left out; if they keep
doing so, the filter takes its own position for the wrong one, widens its covariance and with it the level.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import astuple, dataclass

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64

X, Y, HEADING, SPEED, GYRO_BIAS, ACCEL_BIAS, WHEEL_SCALE, CX, CY = range(9)
N = 9
GATE = 13.8  # chi-square 0.999 for two degrees of freedom
GATE_SCALAR = 10.8  # and for one


@dataclass(frozen=True)
class Sensors:
    """What the sensors are believed to be. Order is the order of the kernel's parameter row."""

    gyro_noise: float = 0.002  # rad/s per sqrt(Hz)
    gyro_walk: float = 2e-5  # rad/s per sqrt(s)
    accel_noise: float = 0.05  # m/s2 per sqrt(Hz)
    accel_walk: float = 1e-3  # m/s2 per sqrt(s)
    scale_walk: float = 1e-5  # per sqrt(s)
    slip: float = 0.02  # m per sqrt(s), sideways
    gnss_common: float = 1.5  # m, slowly changing part of the error per axis
    gnss_time: float = 30.0  # s, over which it changes

    def row(self) -> F64:
        return np.array(astuple(self))


GYRO_NOISE, GYRO_WALK, ACCEL_NOISE, ACCEL_WALK, SCALE_WALK, SLIP, COMMON, COMMON_TIME = range(8)


@kernel
def propagate(x, p, accel, yaw_rate, dt, s, f, work):
    """Carry state x (9,) and covariance p (9, 9) ahead by one IMU sample: longitudinal acceleration m/s2, yaw rate rad/s."""
    w, a = yaw_rate - x[GYRO_BIAS], accel - x[ACCEL_BIAS]
    middle = x[HEADING] + 0.5 * w * dt
    c, d = math.cos(middle), math.sin(middle)
    way = x[SPEED] * dt + 0.5 * a * dt * dt
    for r in range(N):
        for k in range(N):
            f[r, k] = 1.0 if r == k else 0.0
    f[X, HEADING], f[Y, HEADING] = -way * d, way * c
    f[X, SPEED], f[Y, SPEED] = dt * c, dt * d
    f[X, GYRO_BIAS], f[Y, GYRO_BIAS] = 0.5 * dt * way * d, -0.5 * dt * way * c
    f[X, ACCEL_BIAS], f[Y, ACCEL_BIAS] = -0.5 * dt * dt * c, -0.5 * dt * dt * d
    f[HEADING, GYRO_BIAS], f[SPEED, ACCEL_BIAS] = -dt, -dt
    fade = math.exp(-dt / s[COMMON_TIME])
    f[CX, CX] = f[CY, CY] = fade
    x[X] += way * c
    x[Y] += way * d
    x[HEADING] = wrap_angle(x[HEADING] + w * dt)
    x[SPEED] = x[SPEED] + a * dt
    x[CX] *= fade
    x[CY] *= fade
    for r in range(N):
        for k in range(N):
            total = 0.0
            for j in range(N):
                total += f[r, j] * p[j, k]
            work[r, k] = total
    for r in range(N):
        for k in range(N):
            total = 0.0
            for j in range(N):
                total += work[r, j] * f[k, j]
            p[r, k] = total
    slip = s[SLIP] * s[SLIP] * dt
    p[X, X] += slip * d * d
    p[Y, Y] += slip * c * c
    p[X, Y] -= slip * c * d
    p[Y, X] -= slip * c * d
    p[HEADING, HEADING] += s[GYRO_NOISE] * s[GYRO_NOISE] * dt
    p[SPEED, SPEED] += s[ACCEL_NOISE] * s[ACCEL_NOISE] * dt
    p[GYRO_BIAS, GYRO_BIAS] += s[GYRO_WALK] * s[GYRO_WALK] * dt
    p[ACCEL_BIAS, ACCEL_BIAS] += s[ACCEL_WALK] * s[ACCEL_WALK] * dt
    p[WHEEL_SCALE, WHEEL_SCALE] += s[SCALE_WALK] * s[SCALE_WALK] * dt
    common = s[COMMON] * s[COMMON] * (1.0 - fade * fade)
    p[CX, CX] += common
    p[CY, CY] += common


@kernel
def correct(x, p, h, off, variance, gate, gain):
    """Take one scalar measurement: h (9,) its derivative, off the measured minus the expected value. False where it is gated out."""
    s = variance
    for r in range(N):
        total = 0.0
        for k in range(N):
            total += p[r, k] * h[k]
        gain[r] = total
        s += h[r] * total
    if not off * off <= gate * s:
        return False
    for r in range(N):
        x[r] += gain[r] / s * off
    for r in range(N):
        for k in range(r + 1):
            value = p[r, k] - gain[r] * gain[k] / s
            p[r, k] = p[k, r] = value
    x[HEADING] = wrap_angle(x[HEADING])
    return True


class Localiser:
    """Pose of one car with its protection level. All inputs may be late, missing or wrong; what is not used is counted by reason."""

    def __init__(self, sensors: Sensors | None = None, *, risk: float = 1e-7, memory: float = 0.5) -> None:
        from scipy.stats import norm

        self.sensors = sensors or Sensors()
        self.state = np.zeros(N)
        self.covariance = np.zeros((N, N))
        self.time = math.nan
        self.unused = {"not finite": 0, "late": 0, "contradicts": 0, "before start": 0}
        self.factor = float(norm.isf(0.5 * risk))
        self._row = self.sensors.row()
        self._f, self._work, self._gain, self._h = np.zeros((N, N)), np.zeros((N, N)), np.zeros(N), np.zeros(N)
        self._memory = memory
        self._past: deque[tuple[float, float, float]] = deque()
        self._contradictions = 0

    def start(self, time: float, x: float, y: float, heading: float, speed: float, sigma: float = 3.0) -> None:
        """Begin at a pose known within `sigma` m and about 0.1 rad."""
        self.state[:] = 0.0
        self.state[:4] = x, y, heading, speed
        common = self.sensors.gnss_common
        self.covariance[...] = np.diag(
            [sigma**2, sigma**2, 0.1**2, 1.0, 0.01**2, 0.1**2, 0.02**2, common**2, common**2]
        )
        self.time = time
        self._past.clear()
        self._past.append((time, x, y))

    def imu(self, time: float, accel: float, yaw_rate: float) -> None:
        """One IMU sample, valid since the last one; gaps of up to 1 s are bridged with it."""
        if not self._usable(time, accel, yaw_rate):
            return
        dt = time - self.time
        if dt <= 0.0:
            self.unused["late"] += 1
            return
        propagate(self.state, self.covariance, accel, yaw_rate, min(dt, 1.0), self._row, self._f, self._work)
        self.time = time
        self._past.append((time, float(self.state[X]), float(self.state[Y])))
        while self._past[0][0] < time - self._memory:
            self._past.popleft()

    def wheel(self, speed: float, sigma: float = 0.1) -> None:
        """Speed from the wheels, m/s, with its scale error."""
        if self._usable(self.time, speed, sigma):
            self._h[:] = 0.0
            self._h[SPEED], self._h[WHEEL_SCALE] = 1.0 + self.state[WHEEL_SCALE], self.state[SPEED]
            expected = self.state[SPEED] * (1.0 + self.state[WHEEL_SCALE])
            self._take(speed - expected, sigma * sigma)

    def lane(self, offset: float, x: float, y: float, heading: float, sigma: float = 0.1) -> None:
        """Offset (m, left positive) of the car from a lane whose centre line passes (x, y) in direction `heading`, as a camera sees it."""
        if self._usable(self.time, offset, x, y, heading, sigma):
            c, s = math.cos(heading), math.sin(heading)
            self._h[:] = 0.0
            self._h[X], self._h[Y] = -s, c
            expected = -(self.state[X] - x) * s + (self.state[Y] - y) * c
            self._take(offset - expected, sigma * sigma)

    def gnss(self, time: float, x: float, y: float, sigma: float) -> bool:
        """A fix that was valid at `time` (may be late by up to the memory), with the deviation of its quickly changing part, m."""
        if not self._usable(time, x, y, sigma):
            return False
        then = min(self._past, key=lambda past: abs(past[0] - time), default=None)
        if then is None or time < self.time - self._memory:
            self.unused["late"] += 1
            return False
        off = np.array([x - then[1] - self.state[CX], y - then[2] - self.state[CY]])
        h = np.zeros((2, N))
        h[0, X] = h[1, Y] = h[0, CX] = h[1, CY] = 1.0
        spread = h @ self.covariance @ h.T + np.eye(2) * sigma * sigma
        if off @ np.linalg.solve(spread, off) > GATE:
            self.unused["contradicts"] += 1
            self._contradictions += 1
            if self._contradictions >= 10:
                # Ten in a row: rather we are wrong. Believe the own position less, so that the fixes count again.
                self.covariance[:2, :2] += np.eye(2) * float(off @ off)
                self._contradictions = 0
            return False
        self._contradictions = 0
        late = (float(self.state[X]) - then[1], float(self.state[Y]) - then[2])
        for axis, measured in ((0, x), (1, y)):
            # Compared with where the car was then, as far as it is known now: the way since is kept.
            off_axis = measured - (self.state[axis] - late[axis]) - self.state[CX + axis]
            self._h[:] = h[axis]
            correct(self.state, self.covariance, self._h, off_axis, sigma * sigma, math.inf, self._gain)
        return True

    @property
    def protection_level(self) -> float:
        """Radius (m) around the position; infinite before the start."""
        if math.isnan(self.time):
            return math.inf
        a, b, c = self.covariance[X, X], self.covariance[X, Y], self.covariance[Y, Y]
        largest = 0.5 * (a + c) + math.sqrt(0.25 * (a - c) ** 2 + b * b)
        return self.factor * math.sqrt(max(largest, 0.0))

    def lateral_level(self, heading: float) -> float:
        """Bound (m) of the error across a lane of this heading."""
        s, c = -math.sin(heading), math.cos(heading)
        p = self.covariance
        return self.factor * math.sqrt(max(s * s * p[X, X] + 2.0 * s * c * p[X, Y] + c * c * p[Y, Y], 0.0))

    def _usable(self, *values: float) -> bool:
        if math.isnan(self.time):
            self.unused["before start"] += 1
            return False
        if not all(map(math.isfinite, values)):
            self.unused["not finite"] += 1
            return False
        return True

    def _take(self, off: float, variance: float) -> None:
        if not correct(self.state, self.covariance, self._h, off, variance, GATE_SCALAR, self._gain):
            self.unused["contradicts"] += 1

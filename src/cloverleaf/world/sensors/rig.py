"""The raw signals of one car: every sensor of its suite, each at its own rate, each late by its own latency."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.algo.rng import SENSOR_NOISE, stream
from cloverleaf.types.state import Actors, Kind
from cloverleaf.world.sensors.camera import CameraModel, picture
from cloverleaf.world.sensors.lidar import LidarModel, scan
from cloverleaf.world.sensors.motion import Gnss, GnssModel, Imu, ImuModel, Wheel, WheelModel
from cloverleaf.world.sensors.radar import RadarModel, look
from cloverleaf.world.sensors.suite import Mount, SensorSuite
from cloverleaf.world.sensors.surroundings import KIND, Surroundings, around
from cloverleaf.world.sensors.ultrasonic import UltrasonicModel, ping
from cloverleaf.world.weather import Weather

REACH = 200.0  # m, of what is gathered around the car


class Reading(NamedTuple):
    """One value of one sensor. `value`: Scan, Detections, CameraBoxes, m (NaN: no echo), (accel, yaw rate), m/s, or Fix."""

    sensor: str
    time: float  # s, of the measurement
    delivered: float  # s
    value: Any


class Rig:
    """All sensors on the car of trip `trip`. Draws depend on (seed, trip, sensor, number of the reading) only."""

    def __init__(
        self,
        suite: SensorSuite,
        surroundings: Surroundings,
        trip: int,
        *,
        seed: int = 0,
        weather: Weather | None = None,
    ) -> None:
        self.suite, self.surroundings, self.trip, self.seed = suite, surroundings, trip, seed
        self.weather = weather or Weather()
        self._count = [0] * len(suite.sensors)
        self._pending: list[Reading] = []
        self._state: list[Any] = []
        for number, mount in enumerate(suite.sensors):
            m, random = mount.model, self._random(number, -1)
            holds = (
                Imu(m, random) if isinstance(m, ImuModel) else Wheel(m, random) if isinstance(m, WheelModel) else None
            )
            self._state.append(Gnss(m, random) if isinstance(m, GnssModel) else holds)

    def _random(self, number: int, count: int) -> np.random.Generator:
        key = int(stream(self.seed, number, self.trip, SENSOR_NOISE))
        return np.random.Generator(np.random.Philox(key=key, counter=count + 1 << 64))

    def step(self, actors: Actors, time: float) -> list[Reading]:
        """Readings delivered up to `time` (s), oldest first; the sensors that are due measure the world as it is now."""
        row = int(np.flatnonzero(actors.trip == self.trip)[0])
        due = [n for n, m in enumerate(self.suite.sensors) if self._count[n] / m.rate <= time + 1e-9]
        if due:
            boxes = around(self.surroundings, actors, row, float(actors.x[row]), float(actors.y[row]), REACH)
            near = np.flatnonzero(
                (actors.kind > Kind.NONE)
                & (np.hypot(actors.x - actors.x[row], actors.y - actors.y[row]) <= REACH + 10.0)
            )
            identity = np.full(len(boxes), -1, np.int64)
            people = near[near != row]
            identity[: len(people)] = actors.trip[people]
            for n in due:
                mount = self.suite.sensors[n]
                value = self._measure(n, mount, actors, row, boxes, identity)
                self._pending.append(Reading(mount.name, time, time + mount.latency, value))
                self._count[n] = max(self._count[n] + 1, math.floor(time * mount.rate + 1e-9) + 1)
        ready = sorted((r for r in self._pending if r.delivered <= time + 1e-9), key=lambda r: (r.delivered, r.sensor))
        self._pending = [r for r in self._pending if r.delivered > time + 1e-9]
        return ready

    def _measure(self, n: int, mount: Mount, a: Actors, row: int, boxes: np.ndarray, identity: np.ndarray) -> Any:
        m, held, random = mount.model, self._state[n], self._random(n, self._count[n])
        heading, speed = float(a.heading[row]), float(a.speed[row])
        c, s = math.cos(heading), math.sin(heading)
        pose = (
            float(a.x[row]) + mount.x * c - mount.y * s, float(a.y[row]) + mount.x * s + mount.y * c, mount.z, heading + mount.yaw
        )  # fmt: skip
        turn = float(a.yaw_rate[row])
        motion = (speed * c - turn * (pose[1] - float(a.y[row])), speed * s + turn * (pose[0] - float(a.x[row])), turn)
        since = 1.0 / mount.rate
        if isinstance(m, LidarModel):
            return scan(m, boxes, pose, motion, self.weather, random)
        if isinstance(m, RadarModel):
            return look(m, boxes, pose, motion, random)
        if isinstance(m, CameraModel):
            return picture(m, boxes, pose, identity, self.weather, self.seed, self.trip, self._count[n], random)
        if isinstance(m, UltrasonicModel):
            return ping(m, boxes, pose, random)
        if isinstance(held, Imu):
            return held.sample(float(a.accel[row]), turn, since)
        if isinstance(held, Wheel):
            return held.sample(speed, float(a.accel[row]), since)
        assert isinstance(held, Gnss)
        still = boxes[boxes[:, KIND] == 0] if len(boxes) else boxes
        return held.fix(pose[0], pose[1], still, since)

"""Real sensors by name, from their makers' data sheets (rounded; where a sheet is silent, usual values of the class)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.world.sensors.camera import CameraModel
from cloverleaf.world.sensors.lidar import LidarModel
from cloverleaf.world.sensors.motion import GnssModel, ImuModel, WheelModel
from cloverleaf.world.sensors.radar import RadarModel
from cloverleaf.world.sensors.ultrasonic import UltrasonicModel

Model = LidarModel | RadarModel | CameraModel | UltrasonicModel | ImuModel | WheelModel | GnssModel


def _beams(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(np.radians(np.linspace(low, high, count)).tolist())


def _deg(value: float) -> float:
    return math.radians(value)


LIDARS = {
    "velodyne_vlp16": LidarModel(_beams(-15.0, 15.0, 16), _deg(0.2), 2 * math.pi, 100.0, 50.0, 0.03, 0.1),
    "velodyne_hdl64e": LidarModel(_beams(-24.8, 2.0, 64), _deg(0.17), 2 * math.pi, 120.0, 50.0, 0.02, 0.1),
    "ouster_os1_64": LidarModel(_beams(-22.5, 22.5, 64), _deg(0.35), 2 * math.pi, 120.0, 45.0, 0.02, 0.1),
    "hesai_pandar64": LidarModel(_beams(-25.0, 15.0, 64), _deg(0.2), 2 * math.pi, 200.0, 200.0, 0.02, 0.1),
    "robosense_m1": LidarModel(_beams(-12.5, 12.5, 125), _deg(0.2), _deg(120.0), 200.0, 150.0, 0.03, 0.1),
}
RADARS = {
    "continental_ars408_far": RadarModel(_deg(18.0), 250.0, 0.40, _deg(0.1), 0.03),
    "continental_ars408_near": RadarModel(_deg(120.0), 70.0, 0.10, _deg(1.0), 0.03),
    "corner_77ghz": RadarModel(_deg(150.0), 80.0, 0.20, _deg(1.0), 0.05),
}
CAMERAS = {
    "front_52": CameraModel(_deg(52.0), 1280, 960),
    "front_100_8mp": CameraModel(_deg(100.0), 3840, 2160),
    "side_100": CameraModel(_deg(100.0), 1920, 1208, reach=80.0),
    "fisheye_surround": CameraModel(_deg(150.0), 1280, 960, reach=25.0),
}
ULTRASONICS = {"parking": UltrasonicModel(_deg(70.0)), "parking_wide": UltrasonicModel(_deg(120.0), reach=4.5)}
IMUS = {
    "automotive_mems": ImuModel(),
    "tactical": ImuModel(2.3e-6, 5e-5, 1e-7, 1.5e-4, 5e-3, 1e-5),
}
WHEELS = {"abs_48": WheelModel(48), "abs_96": WheelModel(96)}
GNSSES = {
    "single_frequency": GnssModel(sigma=1.5, noise=0.3, reflected=15.0),
    "dual_frequency_corrected": GnssModel(),
    "rtk": GnssModel(sigma=0.015, noise=0.005, tau=60.0, reflected=8.0, tracked=0.2),
}


class Family(NamedTuple):
    """One type of sensor: its presets, and the rate and latency that a mount has unless it says otherwise."""

    presets: dict[str, Model]
    rate_hz: float
    latency_s: float


FAMILIES: dict[str, Family] = {
    "lidar": Family(dict(LIDARS), 10.0, 0.05),
    "radar": Family(dict(RADARS), 18.0, 0.06),
    "camera": Family(dict(CAMERAS), 30.0, 0.08),
    "ultrasonic": Family(dict(ULTRASONICS), 20.0, 0.02),
    "imu": Family(dict(IMUS), 100.0, 0.005),
    "wheel": Family(dict(WHEELS), 50.0, 0.01),
    "gnss": Family(dict(GNSSES), 10.0, 0.1),
}

"""A sensor suite as a YAML table: which sensors a car carries, where they look, how often and how late.

```yaml
name: robotaxi
sensors:
  - {name: roof, type: lidar, preset: hesai_pandar64, z: 1.8}
  - {name: front, type: radar, preset: continental_ars408_far, x: 2.2, z: 0.5}
  - {name: eye, type: camera, preset: front_52, x: 0.6, z: 1.4, rate_hz: 20}
  - {name: gnss, type: gnss, preset: rtk}
```
A study names such a file, or a built-in suite, as `fleet: {sensors: ...}`; there each car gets the object list that sensors like these
leave after fusion (`object_suite`). One car's raw signals come from `world/sensors/rig.py`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.world.sensing import SensorSet
from cloverleaf.world.sensing_ego import EgoErrors
from cloverleaf.world.sensing_lane import LaneErrors
from cloverleaf.world.sensing_suite import SensorTable, Suite, roadside_suite
from cloverleaf.world.sensors.camera import CameraModel
from cloverleaf.world.sensors.lidar import LidarModel
from cloverleaf.world.sensors.motion import GnssModel
from cloverleaf.world.sensors.presets import FAMILIES, Model
from cloverleaf.world.sensors.radar import RadarModel

Number = Annotated[float, Field(allow_inf_nan=False)]
CLASSES = ("lidar", "radar", "camera", "ultrasonic", "imu", "wheel", "gnss")


class Mount(BaseModel):
    """One sensor: what it is, where it sits in the body frame (x forward, y left, z over ground, m) and where it looks."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1, max_length=40)]
    type: Literal["lidar", "radar", "camera", "ultrasonic", "imu", "wheel", "gnss"]
    preset: str
    x: Annotated[float, Field(ge=-20, le=20)] = 0.0
    y: Annotated[float, Field(ge=-5, le=5)] = 0.0
    z: Annotated[float, Field(gt=0, le=5)] = 1.4
    yaw_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0
    rate_hz: Annotated[float, Field(gt=0, le=1000)] | None = None
    latency_s: Annotated[float, Field(ge=0, le=2)] | None = None

    @property
    def model(self) -> Model:
        """The data sheet. Raises StudyError for an unknown preset."""
        presets = FAMILIES[self.type].presets
        if self.preset not in presets:
            raise StudyError(
                f"no {self.type} '{self.preset}'",
                element=f"sensors.{self.name}.preset",
                hint=nearest(self.preset, presets),
            )
        return presets[self.preset]

    @property
    def rate(self) -> float:
        """Hz."""
        return self.rate_hz or FAMILIES[self.type].rate_hz

    @property
    def latency(self) -> float:
        """s from measurement to delivery."""
        return FAMILIES[self.type].latency_s if self.latency_s is None else self.latency_s

    @property
    def yaw(self) -> float:
        """rad."""
        return math.radians(self.yaw_deg)


class SensorSuite(BaseModel):
    """All sensors of one car."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=80)] = "suite"
    sensors: tuple[Mount, ...] = Field(min_length=1)


def _mounts(*rows: tuple[str, str, str, float, float, float, float]) -> tuple[Mount, ...]:
    return tuple(Mount(name=n, type=t, preset=p, x=x, y=y, z=z, yaw_deg=yaw) for n, t, p, x, y, z, yaw in rows)  # type: ignore[arg-type]


_MOTION = (
    ("imu", "imu", "automotive_mems", 0.0, 0.0, 0.5, 0.0),
    ("wheel", "wheel", "abs_96", 0.0, 0.0, 0.3, 0.0),
    ("gnss", "gnss", "dual_frequency_corrected", 0.0, 0.0, 1.5, 0.0),
)
_CORNERS = tuple(
    (f"corner_{k}", "radar", "corner_77ghz", x, y, 0.6, yaw)
    for k, (x, y, yaw) in enumerate(((2.1, 0.8, 55.0), (2.1, -0.8, -55.0), (-2.1, 0.8, 130.0), (-2.1, -0.8, -130.0)))
)
_PARKING = tuple(
    (f"park_{k}", "ultrasonic", "parking", x, y, 0.5, yaw)
    for k, (x, y, yaw) in enumerate(((2.3, 0.4, 10.0), (2.3, -0.4, -10.0), (-2.3, 0.4, 170.0), (-2.3, -0.4, -170.0)))
)
BUILT_IN = {
    "assist": SensorSuite(
        name="assist",
        sensors=_mounts(
            ("front_radar", "radar", "continental_ars408_far", 2.2, 0.0, 0.5, 0.0),
            ("eye", "camera", "front_52", 0.6, 0.0, 1.4, 0.0), *_MOTION,
        ),
    ),
    "pilot": SensorSuite(
        name="pilot",
        sensors=_mounts(
            ("front_radar", "radar", "continental_ars408_far", 2.2, 0.0, 0.5, 0.0), *_CORNERS,
            ("eye", "camera", "front_100_8mp", 0.6, 0.0, 1.4, 0.0), ("left", "camera", "side_100", 0.5, 0.9, 1.2, 90.0),
            ("right", "camera", "side_100", 0.5, -0.9, 1.2, -90.0), ("back", "camera", "side_100", -2.0, 0.0, 1.1, 180.0),
            ("front_lidar", "lidar", "robosense_m1", 1.0, 0.0, 1.5, 0.0), *_PARKING, *_MOTION,
        ),
    ),
    "robotaxi": SensorSuite(
        name="robotaxi",
        sensors=_mounts(
            ("roof", "lidar", "hesai_pandar64", 0.0, 0.0, 1.9, 0.0),
            ("front_radar", "radar", "continental_ars408_far", 2.2, 0.0, 0.5, 0.0), *_CORNERS,
            ("eye", "camera", "front_52", 0.6, 0.0, 1.5, 0.0), ("left", "camera", "side_100", 0.5, 0.9, 1.5, 90.0),
            ("right", "camera", "side_100", 0.5, -0.9, 1.5, -90.0), ("back", "camera", "side_100", -2.0, 0.0, 1.5, 180.0),
            *_PARKING, *_MOTION,
        ),
    ),
}  # fmt: skip
"""Suites by name: driver assistance, a series car with lidar, a robotaxi."""


def read_suite(file: Path) -> SensorSuite:
    """The suite of a YAML file. Raises StudyError naming file, line and key."""
    try:
        text = file.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except FileNotFoundError as error:
        raise StudyError("no such file", file=file, hint=nearest(str(file), BUILT_IN)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot be read: {error}", file=file) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise StudyError(
            f"not YAML: {getattr(error, 'problem', error)}", file=file, line=mark.line + 1 if mark else 0
        ) from error
    if not isinstance(data, dict):
        raise StudyError("expected keys 'name' and 'sensors'", file=file)
    try:
        suite = SensorSuite(**data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        key = str(first["loc"][-1])
        known = Mount.model_fields if "sensors" in where else SensorSuite.model_fields
        hint = nearest(key, known) if first["type"] == "extra_forbidden" else ""
        raise StudyError(
            first["msg"], file=file, line=_line_of(text, first["loc"]), element=where, hint=hint
        ) from error
    names = [m.name for m in suite.sensors]
    for mount in suite.sensors:
        if names.count(mount.name) > 1:
            raise StudyError(f"two sensors are called '{mount.name}'", file=file, element="sensors")
        _ = mount.model
    return suite


def _line_of(text: str, where: tuple[int | str, ...]) -> int:
    """Line of the innermost part of a key path that can be found, 0 none."""
    node, line = yaml.compose(text), 0
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def suite_named(name: str, base: Path | None = None) -> SensorSuite:
    """A built-in suite by its name, else the YAML file of that name. Raises StudyError."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if not name.endswith((".yaml", ".yml")):
        raise StudyError(f"no sensor suite '{name}'", element="sensors", hint=nearest(name, BUILT_IN))
    return read_suite((base or Path()) / name)


def object_suite(suite: SensorSuite, step: float) -> Suite:
    """The object list that these sensors leave after fusion; best range first, so that an object takes its error from the best one.

    A lidar's reach for objects is that of a 10 % target, at most 120 m: beyond, a car has too few points to be one.
    """
    rows, latency = [], 0.0
    for mount in suite.sensors:
        m = mount.model
        if isinstance(m, LidarModel):
            rows.append(
                (
                    mount.yaw,
                    0.5 * m.field,
                    min(1.3 * m.reach_10, m.reach, 120.0),
                    0.99,
                    0.05 + m.range_sigma,
                    0.002,
                    0.002,
                    0.3,
                )
            )
        elif isinstance(m, RadarModel):
            rows.append(
                (
                    mount.yaw,
                    0.5 * m.field,
                    min(m.reach, 180.0),
                    0.97,
                    m.range_sigma,
                    0.001,
                    m.azimuth_sigma,
                    m.speed_sigma,
                )
            )
        elif isinstance(m, CameraModel):
            reach = min(m.reach, m.focal * 1.5 / m.half_px)  # a car of 1.5 m is `half_px` high there
            rows.append((mount.yaw, 0.5 * m.field, reach, 0.97, 0.3, m.range_error, 2.0 * m.box_sigma / m.focal, 0.8))
        else:
            continue
        latency = max(latency, mount.latency)
    if not rows:
        raise StudyError("no lidar, radar or camera: such a car sees nobody", element="sensors")
    rows.sort(key=lambda row: row[4] + 30.0 * (row[5] + row[6]))
    table = SensorTable(*(np.array(column, np.float64) for column in zip(*rows, strict=True)))
    height = max(m.z for m in suite.sensors if m.type in ("lidar", "camera", "radar"))
    return Suite(table, float(height), max(math.ceil(latency / step - 1e-9), 0))


def sensor_set(suite: SensorSuite, step: float) -> SensorSet:
    """What a run with this suite has: object lists of its cars, own motion by its receiver, masts as ever."""
    receivers = [m.model for m in suite.sensors if isinstance(m.model, GnssModel)]
    if not receivers:
        raise StudyError("no gnss: such a car does not know where it is", element="sensors")
    best = min(receivers, key=lambda g: g.sigma)
    camera = any(m.type == "camera" for m in suite.sensors)
    return SensorSet(
        object_suite(suite, step),
        roadside_suite(),
        EgoErrors(sigma_xy=max(0.6 * best.sigma, 0.02), tau_xy=best.tau),
        LaneErrors() if camera else None,
    )

"""A scene as OSI 3 ground truth, and a traffic update as an acceleration: for drivers that speak the Open Simulation Interface.

Coordinates as in OSI: right-handed world frame, box centres, radians, SI. The vehicle under test is `host_vehicle_id`; ids are the entity's
row in the scenario plus one.
"""

from __future__ import annotations

import math
from typing import Any

from cloverleaf.judge.drivers.external import Scene
from cloverleaf.types.errors import PluginError

VEHICLE, PEDESTRIAN, OTHER = 2, 4, 1  # osi3.MovingObject.Type


def osi_modules() -> tuple[Any, Any, Any]:
    """The protobuf modules of ground truth, sensor view and traffic update. Raises PluginError without osi-python."""
    try:
        from osi3 import osi_groundtruth_pb2, osi_sensorview_pb2, osi_trafficupdate_pb2
    except ImportError as error:
        raise PluginError("OSI is not installed", element="--driver", hint="pip install 'cloverleaf[osi]'") from error
    return osi_groundtruth_pb2, osi_sensorview_pb2, osi_trafficupdate_pb2


def fill_ground_truth(truth: Any, scene: Scene) -> None:
    """Write a scene into an osi3.GroundTruth."""
    own = scene.own
    truth.version.version_major, truth.version.version_minor, truth.version.version_patch = 3, 8, 0
    truth.timestamp.seconds = int(own.time)
    truth.timestamp.nanos = min(round((own.time - int(own.time)) * 1e9), 999_999_999)
    truth.host_vehicle_id.value = scene.entity + 1
    body = (own.length, own.width, VEHICLE)
    _object(truth.moving_object.add(), scene.entity + 1, (*scene.centre, own.heading), own.speed, 0.0, own.accel, body)
    for other in scene.others:
        kind = VEHICLE if other.kind == 0 else PEDESTRIAN if other.kind == 1 else OTHER
        body = (other.length, other.width, kind)
        # speeds are given along our lane: turn them back into the world
        along = own.heading
        _object(truth.moving_object.add(), other.entity + 1, (other.x, other.y, other.heading), other.speed,
                other.lateral_speed, other.accel, body, along)  # fmt: skip


def _object(
    message: Any, number: int, pose: tuple[float, float, float], speed: float, lateral: float, accel: float,
    body: tuple[float, float, int], along: float | None = None,
) -> None:  # fmt: skip
    x, y, heading = pose
    direction = heading if along is None else along
    c, s = math.cos(direction), math.sin(direction)
    message.id.value = number
    message.type = body[2]
    base = message.base
    base.dimension.length, base.dimension.width, base.dimension.height = body[0], body[1], 1.5
    base.position.x, base.position.y, base.position.z = x, y, 0.75
    base.orientation.yaw = heading
    base.velocity.x, base.velocity.y = speed * c - lateral * s, speed * s + lateral * c
    base.acceleration.x, base.acceleration.y = accel * c, accel * s


def accel_of(update: Any, scene: Scene) -> float:
    """Acceleration (m/s2) that a TrafficUpdate asks for: its acceleration along our heading, else the change of speed in one step.

    Raises PluginError where the update says nothing about the vehicle under test.
    """
    own = scene.own
    for message in update.update:
        if message.id.value in (scene.entity + 1, 0):
            base = message.base
            c, s = math.cos(own.heading), math.sin(own.heading)
            if base.HasField("acceleration"):
                return float(base.acceleration.x * c + base.acceleration.y * s)
            if base.HasField("velocity"):
                return (base.velocity.x * c + base.velocity.y * s - own.speed) / own.dt
    raise PluginError("the traffic update holds neither acceleration nor velocity of the vehicle under test",
                      hint=f"update[].id {scene.entity + 1}, base.acceleration in world coordinates")  # fmt: skip

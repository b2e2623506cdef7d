"""What sensors deliver: object lists and the car's own motion. No identity of the truth ever appears here.

A frame serves many observers at once (a fleet of cars, a set of roadside units): observer i owns rows
`start[i]:start[i + 1]` of the object columns.
"""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.types.state import F64, I32, I64, U8


class EgoFrame(NamedTuple):
    """Own motion as measured; shape (observers,). Position and heading come from GNSS/INS with error, ENU."""

    time: F64  # s, of the measurement
    x: F64  # m, centre of the box
    y: F64
    heading: F64  # rad
    speed: F64  # m/s
    accel: F64  # m/s2
    yaw_rate: F64  # rad/s
    sigma_xy: F64  # m, one standard deviation claimed by the receiver


class ObjectFrame(NamedTuple):
    """Detected objects in the body frame of their observer at the time of measurement."""

    start: I64  # (observers + 1,)
    time: F64  # s, of the measurement; shape (objects,) from here on
    x: F64  # m forward, centre of the object's box
    y: F64  # m left
    heading: F64  # rad, relative to the observer
    vx: F64  # m/s over ground, along the observer's x axis
    vy: F64
    length: F64  # m
    width: F64  # m
    kind: I32  # state.Kind as classified
    sigma: F64  # m, standard deviation of the position
    confidence: F64  # 0..1


class LightFrame(NamedTuple):
    """The signal head that a car's camera watches: that of the next signalled link on its way; shape (n,), fleet order."""

    link: I32  # link of the base map that the head belongs to, -1 none within sight
    light: U8  # letter as in SignalState, 0 none
    distance: F64  # m from the front bumper to the stop line, inf where no head is within sight
    time: F64  # s, of the picture


class LaneFrame(NamedTuple):
    """The lane markings that a car's camera sees; shape (n,), fleet order."""

    time: F64  # s, of the picture
    offset: F64  # m, centre of the box left of the middle of the lane that it is in; NaN where no lane is marked
    sigma: F64  # m, one standard deviation claimed by the camera


class SensorFrames(NamedTuple):
    """One tick of sensing: fleet cars first (`ego`, `objects`), then roadside units (`roadside`)."""

    ego: EgoFrame
    objects: ObjectFrame
    roadside: ObjectFrame  # body frame of a unit = ENU shifted to the unit's position
    lights: LightFrame | None = None  # what the cameras of the cars see of signals
    lanes: LaneFrame | None = None  # and of lane markings


class FleetMission(NamedTuple):
    """What a smart car knows of its own trip; one row per car of the fleet, shape (n,)."""

    station: I64  # V2X station id of the car, stable over its life
    route: I32  # row of Routes
    route_pos: I32  # index of the current edge in the route, from the car's own map matching
    length: F64  # m
    width: F64  # m
    max_speed: F64  # m/s
    arrival_pos: F64  # m on the last edge
    kind: I32  # state.Kind

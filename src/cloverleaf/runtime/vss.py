"""Names of vehicle signals by the COVESA Vehicle Signal Specification (VSS 5.0), and how they follow from the topics' columns.

VSS counts in km/h, degrees and percent, with headings clockwise from north; the topics are SI and ENU. One row of the table says both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloverleaf.types.errors import StudyError, nearest

KMH = 3.6
STEERING_RATIO = 15.0  # hand wheel over road wheel


class Signal(NamedTuple):
    """One leaf of the VSS tree. `outward` turns the topic's value into the signal's, `inward` back (None: it has no way back)."""

    name: str
    datatype: str  # as VSS names it
    unit: str
    topic: str
    column: str
    outward: Callable[[Any], float | bool]
    inward: Callable[[float], float] | None = None
    low: float = -math.inf  # values beyond are impossible, in the signal's unit
    high: float = math.inf


def compass(heading: float) -> float:
    """Heading from east, anticlockwise (rad) -> degrees from north, clockwise, 0 <= value < 360; the map is its own inverse up to units."""
    return (90.0 - math.degrees(heading)) % 360.0


def _from_compass(value: float) -> float:
    return math.remainder(math.radians(90.0 - value), 2.0 * math.pi)


def _scaled(factor: float) -> tuple[Callable[[Any], float], Callable[[float], float]]:
    return (lambda v: float(v) * factor), (lambda v: v / factor)


_SAME, _SPEED, _ANGLE = _scaled(1.0), _scaled(KMH), _scaled(math.degrees(1.0))
_WHEEL = _scaled(math.degrees(STEERING_RATIO))

SIGNALS = (
    Signal("Vehicle.Speed", "float", "km/h", "ego", "speed", *_SPEED, -250.0, 350.0),
    Signal("Vehicle.Acceleration.Longitudinal", "float", "m/s^2", "ego", "accel", *_SAME, -30.0, 30.0),
    Signal("Vehicle.AngularVelocity.Yaw", "float", "degrees/s", "ego", "yaw_rate", *_ANGLE, -180.0, 180.0),
    Signal("Vehicle.CurrentLocation.Heading", "double", "degrees", "ego", "heading", compass, _from_compass, 0.0, 360.0),
    Signal("Vehicle.CurrentLocation.HorizontalAccuracy", "double", "m", "ego", "sigma_xy", *_SAME, 0.0, 1e4),
    Signal("Vehicle.Length", "uint16", "mm", "mission", "length", *_scaled(1000.0), 500.0, 30_000.0),
    Signal("Vehicle.Width", "uint16", "mm", "mission", "width", *_scaled(1000.0), 300.0, 4_000.0),
    Signal("Vehicle.Chassis.SteeringWheel.Angle", "int16", "degrees", "commands", "steer", *_WHEEL, -900.0, 900.0),
    Signal("Vehicle.MotionManagement.Acceleration", "float", "m/s^2", "commands", "accel", *_SAME, -12.0, 8.0),
    Signal(
        "Vehicle.Body.Lights.DirectionIndicator.Left.IsSignaling", "boolean", "", "commands", "indicator", lambda v: int(v) in (1, 2)
    ),
    Signal(
        "Vehicle.Body.Lights.DirectionIndicator.Right.IsSignaling", "boolean", "", "commands", "indicator",
        lambda v: int(v) in (-1, 2),
    ),
    Signal("Vehicle.Body.Lights.Hazard.IsSignaling", "boolean", "", "commands", "indicator", lambda v: int(v) == 2),
)  # fmt: skip
"""`Vehicle.MotionManagement.Acceleration` is ours: VSS has no demanded acceleration. All other names are the catalogue's."""
BY_NAME = {signal.name: signal for signal in SIGNALS}


def signal(name: str) -> Signal:
    """The row of that name. Raises StudyError naming the nearest one."""
    if name not in BY_NAME:
        raise StudyError(f"unknown vehicle signal '{name}'", element="VSS", hint=nearest(name, BY_NAME))
    return BY_NAME[name]


def to_vss(topic: str, value: Any, row: int = 0) -> dict[str, float | bool]:
    """All signals that car `row` of a topic's value fills, by VSS name."""
    return {s.name: s.outward(getattr(value, s.column)[row]) for s in SIGNALS if s.topic == topic}


def from_vss(values: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """(topic, column) -> SI value, for each signal with a way back. Raises StudyError for unknown names."""
    known = ((signal(name), value) for name, value in values.items())
    return {(s.topic, s.column): s.inward(float(value)) for s, value in known if s.inward is not None}

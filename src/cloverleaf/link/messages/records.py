"""V2X messages as typed objects in SI, whatever the standard: one record per concept, "unavailable" as None.

Times are s since 1970 UTC, places WGS 84 degrees, headings rad anticlockwise from true east, everything else SI. Records are what
translation goes through, and what a script reads; the loop uses columns instead (`types/messages.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloverleaf.types.messages import LightState
from cloverleaf.types.state import Kind


@dataclass(frozen=True)
class Place:
    """A point on the globe."""

    latitude_deg: float
    longitude_deg: float
    elevation: float | None = None  # m


@dataclass(frozen=True)
class Accuracy:
    """One standard deviation ellipse of a position."""

    semi_major: float  # m
    semi_minor: float  # m
    orientation: float | None = None  # rad, anticlockwise from east


@dataclass(frozen=True)
class PathPoint:
    """Where a station was."""

    place: Place
    age: float | None  # s before the message


@dataclass(frozen=True)
class Awareness:
    """What a station says about itself; use one of its two forms."""

    station: int | None = None
    time: float | None = None
    place: Place | None = None
    accuracy: Accuracy | None = None
    speed: float | None = None  # m/s, backwards negative
    heading: float | None = None
    accel: float | None = None  # m/s^2, forwards
    lateral_accel: float | None = None  # m/s^2, to the left
    yaw_rate: float | None = None  # rad/s, anticlockwise
    steering_wheel: float | None = None  # rad, to the left
    length: float | None = None  # m
    width: float | None = None  # m
    height: float | None = None  # m
    kind: Kind | None = None
    roadside: bool = False  # sent by a roadside unit
    events: frozenset[str] = frozenset()  # see EVENTS
    lights: frozenset[str] | None = None  # see LIGHTS
    siren: bool | None = None
    light_bar: bool | None = None
    path: tuple[PathPoint, ...] = ()


@dataclass(frozen=True)
class BasicSafetyMessage(Awareness):
    """BSM of CSAE and SAE."""


@dataclass(frozen=True)
class CooperativeAwarenessMessage(Awareness):
    """CAM of ETSI."""


EVENTS = ("hazard_lights", "stop_line_violation", "abs", "traction_control", "stability_control", "hazardous_materials",
          "reserved", "hard_braking", "lights_changed", "wipers_changed", "flat_tyre", "disabled", "airbag")  # fmt: skip
"""Event flags in the order of CSAE and SAE."""

LIGHTS = ("low_beam", "high_beam", "left_turn", "right_turn", "hazard", "automatic", "daytime", "fog", "parking")
"""Exterior lights in the order of CSAE; ETSI has no hazard and automatic bits but says hazard by both turn signals."""


@dataclass(frozen=True)
class PhaseState:
    """One state of a signal group and when it begins and ends."""

    light: LightState
    start: float | None = None
    min_end: float | None = None
    likely_end: float | None = None
    max_end: float | None = None


@dataclass(frozen=True)
class Phase:
    """A signal group: its state now, then those that follow."""

    group: int
    states: tuple[PhaseState, ...]


@dataclass(frozen=True)
class IntersectionSignals:
    """The signals of one intersection."""

    id: int
    region: int | None
    phases: tuple[Phase, ...]
    status: frozenset[int] = frozenset()  # bits of IntersectionStatusObject that are set
    time: float | None = None


@dataclass(frozen=True)
class SignalPhaseAndTiming:
    """SPAT, SPATEM."""

    time: float | None
    intersections: tuple[IntersectionSignals, ...]
    station: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class LaneConnection:
    """Where a lane leads."""

    lane: int | None  # number there
    node: tuple[int | None, int] | None  # (region, id) of the intersection to which it leads
    group: int | None = None
    maneuvers: frozenset[int] | None = None


@dataclass(frozen=True)
class MapLane:
    """A lane; its line runs in the direction of travel."""

    id: int
    points: tuple[Place, ...] = ()
    width: float | None = None
    maneuvers: frozenset[int] | None = None  # bits of AllowedManeuvers
    connections: tuple[LaneConnection, ...] = ()
    speed_limit: float | None = None
    ingress: bool = True
    lane_type: str = "vehicle"


@dataclass(frozen=True)
class MapApproach:
    """Lanes that lead to an intersection from one neighbour (or away from it)."""

    lanes: tuple[MapLane, ...]
    upstream: tuple[int | None, int] | None = None  # (region, id) of the neighbour
    speed_limit: float | None = None
    width: float | None = None
    name: str | None = None


@dataclass(frozen=True)
class MapIntersection:
    """An intersection and its approaches."""

    id: int
    region: int | None
    place: Place
    approaches: tuple[MapApproach, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class MapMessage:
    """MAP, MAPEM."""

    intersections: tuple[MapIntersection, ...]
    revision: int = 0
    station: int | None = None
    part: tuple[int, int] | None = None  # (number from 1, of how many) of a map that needs several messages


class Termination(Enum):
    """How an event ended."""

    CANCELLED = "cancelled"  # by its sender
    NEGATED = "negated"  # by somebody else


@dataclass(frozen=True)
class RoadEvent:
    """Something on the road. `cause` is ETSI's (cause, sub-cause), `code` the Chinese event type (GB/T 29100)."""

    id: int
    code: int | None = None
    cause: tuple[int, int] | None = None
    source: str | None = None  # police, government, meteorological, internet, detection
    place: Place | None = None
    radius: float | None = None  # m
    start: float | None = None
    end: float | None = None
    text: str | None = None
    priority: int | None = None  # 0 lowest to 7
    confidence: float | None = None  # 0..1
    path: tuple[Place, ...] = ()  # along which the event is relevant
    path_radius: float | None = None  # m
    termination: Termination | None = None
    originator: int | None = None  # station that reported it first; None: the sender of the message


@dataclass(frozen=True)
class RoadSign:
    """A sign (GB 5768 number in CSAE)."""

    id: int
    code: int
    place: Place | None = None
    text: str | None = None
    path: tuple[Place, ...] = ()
    path_radius: float | None = None


@dataclass(frozen=True)
class RoadInformation:
    """RSI; DENM carries one event of it."""

    station: int | None
    time: float | None
    place: Place | None
    events: tuple[RoadEvent, ...] = ()
    signs: tuple[RoadSign, ...] = ()


@dataclass(frozen=True)
class PerceivedObject:
    """A road user that somebody else saw."""

    id: int
    kind: Kind | None = None
    station: int | None = None  # if the object announced itself
    time: float | None = None
    place: Place | None = None
    spread: float | None = None  # m, radius that holds the truth in 95 % of cases
    speed: float | None = None
    heading: float | None = None
    length: float | None = None
    width: float | None = None
    height: float | None = None
    source: str | None = None  # self, v2x, video, radar, loop, lidar, fused


@dataclass(frozen=True)
class PerceptionMessage:
    """RSM, SSM, CPM."""

    station: int | None
    time: float | None
    place: Place | None
    objects: tuple[PerceivedObject, ...] = ()

"""The growing tables of a reader: plain lists that become the arrays of `OpenDriveMap`."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloverleaf.map.opendrive.model import Controller, Junction, MapObject, Signal

Link = tuple[int, str, int]  # kind (0 none, 1 road, 2 junction), element id, contact (0 start, 1 end)


@dataclass
class RoadRow:
    """One road as read; link targets are still ids."""

    id: str
    name: str
    length: float
    left_hand: bool
    junction: str
    line: int
    type: str
    speed: float  # m/s at the start, NaN unknown
    links: tuple[Link, Link]
    profile: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class LaneRow:
    """One lane of one section; predecessor and successor are still lane ids, None if not given."""

    id: int
    type: int
    section: int
    level: bool
    border: bool
    cubic: tuple[int, int]
    height: tuple[int, int]
    predecessor: int | None
    successor: int | None
    speed: float
    line: int


@dataclass
class ConnectionRow:
    """One junction connection; road references are still ids."""

    junction: int
    incoming: str
    road: str
    contact: int
    links: list[tuple[int, int]]
    line: int


@dataclass
class Rows:
    """Everything read so far."""

    roads: list[RoadRow] = field(default_factory=list)
    piece_start: list[int] = field(default_factory=lambda: [0])
    pieces: list[tuple[int, float, float, float, float, float]] = field(
        default_factory=list
    )  # kind s x y heading length
    coefs: list[tuple[float, ...]] = field(default_factory=list)
    parameter_end: list[float] = field(default_factory=list)  # polynomials: last p; 0: found from the length
    section_start: list[int] = field(default_factory=lambda: [0])
    section_s: list[float] = field(default_factory=list)
    section_lane_start: list[int] = field(default_factory=lambda: [0])
    section_center: list[int] = field(default_factory=list)
    lanes: list[LaneRow] = field(default_factory=list)
    cubic: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    height: list[tuple[float, float, float]] = field(default_factory=list)
    connections: list[ConnectionRow] = field(default_factory=list)
    junctions: list[Junction] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    controllers: list[Controller] = field(default_factory=list)
    objects: list[MapObject] = field(default_factory=list)
    marks: list[tuple[int, float, float, str, str, str]] = field(default_factory=list)
    lane_user_data: dict[int, dict[str, str]] = field(default_factory=dict)
    lane_access: dict[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, element: str, number: int = 1) -> None:
        """Note `number` occurrences of an element for the census."""
        self.counts[element] = self.counts.get(element, 0) + number

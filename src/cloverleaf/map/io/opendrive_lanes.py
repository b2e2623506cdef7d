"""Lanes of an OpenDRIVE map as lane-graph edges: which lanes count, what they allow, and their sampled centre lines."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from cloverleaf.map.graph import LaneKind, VehicleClass
from cloverleaf.map.opendrive.lanes import fill_row_points
from cloverleaf.map.opendrive.model import LANE_TYPES, OpenDrive, OpenDriveMap, Piece
from cloverleaf.map.opendrive.tables import MapTables
from cloverleaf.types.state import F64

V = VehicleClass
MOTOR = int(V.ALL & ~(V.PEDESTRIAN | V.BICYCLE | V.RAIL))
KINDS: dict[str, tuple[LaneKind, int]] = {
    **{t: (LaneKind.DRIVING, MOTOR) for t in ("driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp")},
    **{t: (LaneKind.DRIVING, MOTOR) for t in ("slipLane", "mwyEntry", "mwyExit", "bidirectional", "special1")},
    "shared": (LaneKind.DRIVING, MOTOR | int(V.BICYCLE)),
    "bus": (LaneKind.BUS, int(V.BUS | V.COACH | V.EMERGENCY)),
    "taxi": (LaneKind.DRIVING, int(V.TAXI | V.EMERGENCY)),
    "HOV": (LaneKind.DRIVING, int(V.HOV | V.BUS | V.EMERGENCY)),
    "biking": (LaneKind.BICYCLE, int(V.BICYCLE | V.MOPED)),
    "sidewalk": (LaneKind.SIDEWALK, int(V.PEDESTRIAN)),
    "walking": (LaneKind.SIDEWALK, int(V.PEDESTRIAN)),
    "parking": (LaneKind.PARKING, 0),
    "shoulder": (LaneKind.SHOULDER, 0),
    "stop": (LaneKind.SHOULDER, 0),
}
"""Lane type -> (kind, who may use it). Types that are not here carry no road user and are left out."""
ROLLING = (LaneKind.DRIVING, LaneKind.BUS, LaneKind.BICYCLE)
DEFAULT_SPEED = {"motorway": 33.33, "rural": 27.78, "lowSpeed": 8.33, "pedestrian": 1.94, "bicycle": 6.94}
TOWN_SPEED = 13.89  # m/s where the map gives none
NARROW = 0.6  # m; a lane that is never wider is left out
WALK_SPEED = 1.4
_ACCESS = {
    "bus": V.BUS, "bicycle": V.BICYCLE, "pedestrian": V.PEDESTRIAN, "truck": V.TRUCK, "emergency": V.EMERGENCY,
    "taxi": V.TAXI, "motorcycle": V.MOTORCYCLE, "passengerCar": V.PASSENGER, "delivery": V.DELIVERY, "none": V(0),
    "hov": V.HOV, "autonomousTraffic": V(0), "throughTraffic": V(0), "simulator": V(0),
}  # fmt: skip


@dataclass
class GraphLane:
    """One lane of the graph under construction; `rows` are OpenDRIVE lane rows in order of travel."""

    rows: tuple[int, ...]
    kind: LaneKind
    allow: int
    speed: float
    width: float
    length: float
    points: F64  # (n, 3)
    edge: int = -1
    index: int = 0
    id: str = ""
    left: int = -1
    right: int = -1


@dataclass
class GraphEdge:
    """One direction of one lane section, or one connecting road."""

    id: str
    lanes: list[int] = field(default_factory=list)
    start: int = -1  # junction
    end: int = -1
    internal: bool = False
    priority: int = 0
    roundabout: bool = False


@dataclass
class Sections:
    """Where sections lie: road and s-interval by section, and the direction of each lane row."""

    road: np.ndarray
    begin: F64
    end: F64

    @classmethod
    def of(cls, m: OpenDriveMap) -> Sections:
        road = np.repeat(np.arange(len(m.road_length)), np.diff(m.road_section_start))
        end = np.append(m.section_s[1:], 0.0)
        end[m.road_section_start[1:] - 1] = m.road_length
        return cls(road, m.section_s, end)


def forward(m: OpenDriveMap, road: int, lane_id: int) -> bool:
    """True if traffic on the lane moves along increasing s."""
    return (lane_id < 0) != bool(m.road_left_hand[road])


def lane_use(drive: OpenDrive, row: int, road: int) -> tuple[LaneKind, int] | None:
    """Kind and permissions of a lane row; None if nobody uses it."""
    kind, allow = KINDS.get(LANE_TYPES[drive.map.lane_type[row]], (None, 0))
    if kind is None:
        return None
    rules = drive.lane_access.get(row, ())
    allowed = [int(_ACCESS.get(name, V.ALL)) for rule, name in rules if rule == "allow"]
    if allowed:
        allow = 0
        for bits in allowed:
            allow |= bits
    for rule, name in rules:
        if rule == "deny":
            allow &= ~int(_ACCESS.get(name, V(0)))
    if (
        kind == LaneKind.DRIVING
        and not allowed
        and not _has_biking(drive.map, row)
        and drive.road_types[road] != "motorway"
    ):
        allow |= int(V.BICYCLE)
    return kind, allow


def _has_biking(m: OpenDriveMap, row: int) -> bool:
    """True if a bicycle lane runs on the same side of the same section."""
    section = m.lane_section[row]
    side = m.lane_id[row] > 0
    biking = LANE_TYPES.index("biking")
    for other in range(m.section_lane_start[section], m.section_lane_start[section + 1]):
        if m.lane_type[other] == biking and (m.lane_id[other] > 0) == side:
            return True
    return False


def lane_speed(drive: OpenDrive, row: int, road: int, kind: LaneKind) -> float:
    """Speed limit, m/s."""
    if kind == LaneKind.SIDEWALK:
        return WALK_SPEED
    speed = float(drive.map.lane_speed[row])
    if not math.isfinite(speed) or speed <= 0.0:
        speed = DEFAULT_SPEED.get(drive.road_types[road], TOWN_SPEED)
    return speed


def sample_positions(m: OpenDriveMap, road: int, begin: float, end: float) -> F64:
    """Road positions at which centre lines are sampled: ends of pieces, and <= 2 m (5 mm sagitta) steps where they bend or vary."""
    marks = {begin, end}
    first, last = m.road_piece_start[road], m.road_piece_start[road + 1]
    bent: list[tuple[float, float, float]] = []
    for p in range(first, last):
        a, b = float(m.piece_s[p]), float(m.piece_s[p] + m.piece_length[p])
        if b <= begin or a >= end:
            continue
        marks.update((min(max(a, begin), end), min(max(b, begin), end)))
        if m.piece_kind[p] != Piece.LINE:
            bend = abs(m.piece_coef[p, 0]) if m.piece_kind[p] == Piece.ARC else 0.05
            step = min(2.0, math.sqrt(0.04 / max(bend, 1e-6)))
            bent.append((max(a, begin), min(b, end), step))
    for low, high, cubic in _varying(m, road, begin, end):
        marks.update((low, high))
        if cubic:
            bent.append((low, high, 2.0))
    positions = [np.array(sorted(marks))]
    for low, high, step in bent:
        positions.append(np.linspace(low, high, max(2, math.ceil((high - low) / step) + 1)))
    all_s = np.unique(np.concatenate(positions))
    keep = np.concatenate(([True], np.diff(all_s) > 0.05))
    keep[-1] = True
    if len(all_s) > 2 and all_s[-1] - all_s[-2] <= 0.05:
        keep[-2] = False
    keep[0] = True
    return all_s[keep]


def _varying(m: OpenDriveMap, road: int, begin: float, end: float) -> list[tuple[float, float, bool]]:
    """Intervals of cubic records in [begin, end] with a slope; the flag says that it is not linear."""
    found = []
    spans = [(int(a), int(b), 0.0) for a, b in m.road_profile[road, [0, 2]]]
    for section in range(m.road_section_start[road], m.road_section_start[road + 1]):
        s0 = float(m.section_s[section])
        if s0 <= end and (section + 1 == m.road_section_start[road + 1] or m.section_s[section + 1] >= begin):
            rows = range(m.section_lane_start[section], m.section_lane_start[section + 1])
            spans.extend((int(m.lane_cubic[r, 0]), int(m.lane_cubic[r, 1]), s0) for r in rows)
    for first, last, s0 in spans:
        for row in range(first, last):
            low = s0 + m.cubic[row, 0]
            high = s0 + m.cubic[row + 1, 0] if row + 1 < last else end
            low, high = max(low, begin), min(high, end)
            if high > low and np.any(m.cubic[row, 2:] != 0.0):
                found.append((float(low), float(high), bool(np.any(m.cubic[row, 3:] != 0.0))))
    return found


def center_line(
    m: OpenDriveMap, tables: MapTables, sections: Sections, rows: tuple[int, ...], cache: dict[int, F64]
) -> tuple[F64, float]:
    """Points (n, 3) of a chain of lane rows in the order of travel, and its largest width."""
    parts: list[F64] = []
    width = 0.0
    for row in rows:
        section = int(m.lane_section[row])
        road = int(sections.road[section])
        if section not in cache:
            cache[section] = sample_positions(m, road, float(sections.begin[section]), float(sections.end[section]))
        s = cache[section]
        # A record of the next section may start exactly where this one ends: stay a micrometre before it.
        s = np.append(s[:-1], max(s[-1] - 1e-6, s[0]))
        out = np.zeros((len(s), 5))
        fill_row_points(tables, road, row, s, out)
        if not forward(m, road, int(m.lane_id[row])):
            out = out[::-1]
        width = max(width, float(out[:, 3].max()))
        parts.append(out[:, :3] if not parts else out[1:, :3])
    points = np.concatenate(parts)
    keep = np.concatenate(([True], np.hypot(*np.diff(points[:, :2], axis=0).T) > 1e-4))
    if keep.sum() < 2:
        points = np.array([points[0], points[-1] + [1e-3, 0.0, 0.0]])
        keep = np.array([True, True])
    return np.ascontiguousarray(points[keep]), width


def polyline_length(points: F64) -> float:
    """Length in the plane, m; never 0."""
    return max(float(np.hypot(*np.diff(points[:, :2], axis=0).T).sum()), 1e-3)

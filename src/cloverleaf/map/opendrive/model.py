"""OpenDRIVE as columns (`OpenDriveMap`) and the document around them (`OpenDrive`); kernels read `tables.MapTables`."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from cloverleaf.map.graph import Feature
from cloverleaf.types.state import F64, I32, I64, U8


class Piece(IntEnum):
    """Kind of a reference-line element. A spiral needs more than its ends, a polynomial a map from arc length."""

    LINE = 0
    ARC = 1
    SPIRAL = 2
    POLY = 3


class Profile(IntEnum):
    """Column of `OpenDriveMap.road_profile`."""

    ELEVATION = 0
    SUPERELEVATION = 1
    LANE_OFFSET = 2
    CROSSFALL_LEFT = 3
    CROSSFALL_RIGHT = 4


LANE_TYPES: tuple[str, ...] = (
    "none", "driving", "stop", "shoulder", "biking", "sidewalk", "border", "restricted", "parking", "bidirectional",
    "median", "special1", "special2", "special3", "roadWorks", "tram", "rail", "entry", "exit", "offRamp", "onRamp",
    "curb", "connectingRamp", "walking", "slipLane", "shared", "bus", "taxi", "HOV", "mwyEntry", "mwyExit",
)  # fmt: skip
"""e_laneType of OpenDRIVE 1.4-1.8; `lane_type` is an index into it."""


class OpenDriveMap(NamedTuple):
    """The roads. R roads, P pieces, S sections, L lanes (lane 0 included), J junctions, C connections.

    Lanes of a section run from the leftmost (largest id) to the rightmost, without gaps, so the row of lane `id` is
    `section_center[section] - id`. Metres, radians, ENU.
    """

    # roads
    road_length: F64  # (R,)
    road_left_hand: U8  # (R,) 1: traffic keeps left
    road_junction: I32  # (R,) row of the junction the road belongs to, -1 none
    road_piece_start: I64  # (R + 1,)
    road_section_start: I64  # (R + 1,)
    road_profile: I64  # (R, 5, 2) rows [begin, end) of `cubic`, by Profile
    road_link: I32  # (R, 2, 3) predecessor, successor: kind (0 none, 1 road, 2 junction), row, contact (0 start, 1 end)
    # pieces of reference lines
    piece_kind: I32  # (P,) Piece
    piece_s: F64  # (P,) road s at the start
    piece_x: F64
    piece_y: F64
    piece_heading: F64
    piece_length: F64
    piece_coef: F64  # (P, 8) arc: curvature; spiral: curvature, its rate; polynomial: aU bU cU dU aV bV cV dV
    piece_knot_start: I64  # (P + 1,) into `knot`
    knot: F64  # (K, 2) equidistant in s; spiral: local x, y; polynomial: parameter p, dp/ds
    # lane sections
    section_s: F64  # (S,)
    section_lane_start: I64  # (S + 1,)
    section_center: I64  # (S,) row of lane 0
    # lanes
    lane_id: I32  # (L,)
    lane_type: I32  # (L,) index into LANE_TYPES
    lane_section: I32  # (L,)
    lane_level: U8  # (L,) 1: not tilted by superelevation
    lane_border: U8  # (L,) 1: the cubic gives the outer border, else the width
    lane_cubic: I64  # (L, 2) rows [begin, end) of `cubic`, s counted from the section start
    lane_height: I64  # (L, 2) rows [begin, end) of `height`
    lane_link: I32  # (L, 2) row of the predecessor and successor lane (along s), -1 none or through a junction
    lane_speed: F64  # (L,) m/s at the section start, from the lane or else the road; NaN unknown
    cubic: F64  # (N, 5) s, a, b, c, d of a + b ds + c ds^2 + d ds^3
    height: F64  # (H, 3) sOffset, inner, outer
    # junction connections
    junction_connection_start: I64  # (J + 1,)
    connection_incoming: I32  # (C,) road row
    connection_road: I32  # (C,) connecting road row
    connection_contact: I32  # (C,) 0 start, 1 end of the connecting road touches the incoming road
    connection_link_start: I64  # (C + 1,)
    connection_link: I32  # (links, 2) lane ids from, to


class Signal(NamedTuple):
    """A signal or sign at (road, s, t)."""

    id: str
    road: int
    s: float
    t: float
    orientation: str  # '+', '-' or 'none'
    dynamic: bool
    type: str
    subtype: str
    value: float  # NaN if none
    unit: str
    country: str
    lanes: tuple[tuple[int, int], ...]  # validity: (fromLane, toLane); empty: all
    reference: bool  # True: a signalReference to `id`
    line: int


class Controller(NamedTuple):
    """A group of signals switched together: (signal id, type) in document order."""

    id: str
    name: str
    controls: tuple[tuple[str, str], ...]


class MapObject(NamedTuple):
    """An object at (road, s, t); `outline` holds absolute (s, t) or local (u, v) corners."""

    id: str
    road: int
    type: str
    subtype: str
    name: str
    s: float
    t: float
    heading: float
    length: float
    width: float
    height: float
    orientation: str
    outline: tuple[tuple[float, float], ...]
    outline_local: bool
    lanes: tuple[tuple[int, int], ...]
    user_data: dict[str, str]
    line: int


class Junction(NamedTuple):
    """A junction: its kind ('default', 'direct', ...), controllers and (high, low) priorities of connecting roads."""

    id: str
    name: str
    kind: str
    controllers: tuple[str, ...]
    priorities: tuple[tuple[str, str], ...]


class RoadMarks(NamedTuple):
    """Road marks as columns, shape (marks,); `lane` is a lane row, the mark lies on its outer border (lane 0: centre)."""

    lane: I32
    s_offset: F64
    width: F64
    type: tuple[str, ...]
    color: tuple[str, ...]
    lane_change: tuple[str, ...]


class OpenDrive(NamedTuple):
    """A map as read: arrays for kernels, tables of names and of what stands beside the road."""

    map: OpenDriveMap
    road_ids: tuple[str, ...]
    road_names: tuple[str, ...]
    road_lines: tuple[int, ...]  # line of each road element in the file
    road_types: tuple[str, ...]  # first <type>, '' if none
    junctions: tuple[Junction, ...]
    signals: tuple[Signal, ...]
    roundabouts: tuple[tuple[str, ...], ...]  # junction ids of each junction group of that type
    controllers: tuple[Controller, ...]
    objects: tuple[MapObject, ...]
    marks: RoadMarks
    lane_user_data: dict[int, dict[str, str]]  # lane row -> code -> value
    lane_access: dict[int, tuple[tuple[str, str], ...]]  # lane row -> (rule, restriction)
    geo_reference: str
    offset: tuple[float, float]  # header offset x, y
    version: str
    source: str
    census: tuple[Feature, ...]

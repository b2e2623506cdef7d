"""The lane graph: the base map as arrays, one index space each for lanes, edges, links, junctions, signals and stops.

Every reader (SUMO net, OpenDRIVE) produces a `LaneGraph`; everything that drives, signals or draws reads it.
Offsets arrays are compressed rows: row i of `x` is `x[x_start[i]:x_start[i + 1]]`.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

from cloverleaf.types.state import F64, I32, I64, U8, U32


class LaneKind(IntEnum):
    """What a lane is for."""

    DRIVING = 0
    INTERNAL = 1  # inside a junction
    CROSSING = 2  # pedestrian crosswalk over a junction or road
    WALKING_AREA = 3
    SIDEWALK = 4
    BICYCLE = 5
    BUS = 6
    PARKING = 7
    SHOULDER = 8


class VehicleClass(IntFlag):
    """Who may use a lane; `LaneGraph.lane_allow` holds a union."""

    PASSENGER = 1
    TRUCK = 2
    BUS = 4
    BICYCLE = 8
    PEDESTRIAN = 16
    MOTORCYCLE = 32
    EMERGENCY = 64
    DELIVERY = 128
    TAXI = 256
    COACH = 512
    TRAILER = 1024
    RAIL = 2048
    MOPED = 4096
    EVEHICLE = 8192
    AUTHORITY = 16384
    PRIVATE = 32768
    HOV = 65536
    CUSTOM1 = 131072
    CUSTOM2 = 262144
    OTHER = 524288
    ALL = 1048575


class JunctionKind(IntEnum):
    """Rule of a junction where no signal decides."""

    PRIORITY = 0
    RIGHT_BEFORE_LEFT = 1
    ALLWAY_STOP = 2
    PRIORITY_STOP = 3
    SIGNAL = 4
    UNREGULATED = 5
    DEAD_END = 6
    ZIPPER = 7
    ROUNDABOUT = 8
    SIGNAL_UNREGULATED = 9


class LinkDirection(IntEnum):
    """Turn of a link."""

    STRAIGHT = 0
    LEFT = 1
    RIGHT = 2
    PART_LEFT = 3
    PART_RIGHT = 4
    TURN = 5


class LaneGraph(NamedTuple):
    """The base map. L lanes, E edges, K links, J junctions, G signal groups (controllers), P polyline points.

    Lanes of one edge are contiguous, index 0 rightmost (right-hand traffic). An internal lane belongs to the internal edge of its link.
    A link leads from `link_from` over its internal lanes to `link_to`. Foes of a link are the links whose paths conflict
    with it; `yields` says to which of them it gives way where no signal decides (or where the signal shows a permissive green).
    """

    # lanes, shape (L,)
    lane_edge: I32
    lane_index: I32  # 0 = rightmost
    lane_kind: I32  # LaneKind
    lane_length: F64  # m, the length that counts for driving
    lane_width: F64  # m
    lane_speed: F64  # m/s, limit
    lane_allow: U32  # VehicleClass bits
    lane_left: I32  # neighbour to the left on the same edge, -1 none
    lane_right: I32
    lane_link_start: I64  # (L + 1,) into link_*: links are sorted by `from` lane, those of internal lanes included
    lane_point_start: I64  # (L + 1,) into point_*
    lane_internal_link: I32  # for an internal lane: the link of its normal `from` lane that it serves; else -1
    # points of centre lines, shape (P,)
    point_x: F64  # m, ENU
    point_y: F64
    point_z: F64
    point_s: F64  # arc length, m, scaled so that the last point of a lane is lane_length
    point_heading: F64  # rad, of the segment that starts here; the last repeats
    point_curvature: F64  # 1/m, left positive
    # edges, shape (E,)
    edge_lane_start: I64  # (E + 1,) into lanes
    edge_from: I32  # junction, -1 none
    edge_to: I32
    edge_internal: U8  # 1 inside a junction
    edge_priority: I32
    edge_roundabout: U8
    # links, shape (K,)
    link_from: I32  # lane
    link_to: I32  # normal lane reached in the end
    link_via: I32  # first internal lane, -1 if none
    link_direction: I32  # LinkDirection
    link_junction: I32  # -1 none
    link_request: I32  # row in the junction's right-of-way matrix, -1 none
    link_signal: I32  # signal group, -1 none
    link_signal_index: I32  # position in the group's state string
    link_state: U8  # ord() of the unsignalised state: M major, m minor, = equal, s stop, w allway stop, Z zipper, o off
    link_length: F64  # m along its internal lanes
    link_cont: U8  # 1: may wait inside the junction (has an internal junction)
    link_keep_clear: U8  # 1: do not block the box
    link_foe_start: I64  # (K + 1,) into foe_*
    # foes, shape (F,)
    foe_link: I32
    foe_yield: U8  # 1: our link gives way to this foe
    foe_own_lane: I32  # internal lane of ours that holds the conflict, -1 if only the target lane is shared (merge)
    foe_own_begin: F64  # m on that internal lane where the conflict area begins
    foe_own_end: F64
    foe_other_lane: I32  # internal lane of the foe
    foe_other_begin: F64
    foe_other_end: F64
    # crossings over links: pedestrians on crossing lane c conflict with link k; shape (C,)
    crossing_lane: I32
    crossing_link: I32
    crossing_link_begin: F64  # m from the start of the link's internal path
    crossing_link_end: F64
    crossing_has_priority: U8  # 1: zebra, vehicles yield
    crossing_signal: I32  # signal group, -1 none
    crossing_signal_index: I32
    # junctions, shape (J,)
    junction_kind: I32  # JunctionKind
    junction_x: F64
    junction_y: F64
    # signal plans: group g runs phases [signal_phase_start[g], signal_phase_start[g + 1])
    signal_links: I32  # (G,) length of the state string
    signal_actuated: U8  # (G,)
    signal_offset: F64  # (G,) s
    signal_phase_start: I64  # (G + 1,)
    phase_duration: F64  # (phases,) s
    phase_min: F64
    phase_max: F64
    phase_next: I32  # index of the following phase within the group, -1 the next one
    phase_state_start: I64  # (phases + 1,) into phase_state
    phase_state: U8  # ord() of SUMO's letters: r y g G u s o O
    # stops (bus stops, parking), shape (S,)
    stop_lane: I32
    stop_begin: F64
    stop_end: F64


class GeoReference(NamedTuple):
    """How ENU metres relate to the globe: `proj` (PROJ string or '!' none) and the offset added to projected coordinates."""

    proj: str
    offset_x: float
    offset_y: float
    origin_lat_deg: float
    origin_lon_deg: float


class Feature(NamedTuple):
    """One row of the support census of an input file."""

    file: str
    element: str
    count: int
    status: str  # supported | approximated | ignored | unsupported
    note: str


class BaseMap(NamedTuple):
    """A lane graph with its names, its georeference and the census of what was read."""

    graph: LaneGraph
    lane_ids: tuple[str, ...]
    edge_ids: tuple[str, ...]
    junction_ids: tuple[str, ...]
    signal_ids: tuple[str, ...]
    stop_ids: tuple[str, ...]
    geo: GeoReference
    source: str
    census: tuple[Feature, ...]

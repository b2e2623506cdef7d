"""The map repacked in a few blocks, as the kernels read it: fewer arrays compile and call faster than forty columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.opendrive.model import LANE_TYPES, OpenDriveMap
from cloverleaf.types.state import F64, I64

# columns of `road_i`
LEFT_HAND, PIECE_BEGIN, PIECE_END, SECTION_BEGIN, SECTION_END, PROFILES = range(
    6
)  # PROFILES: 5 pairs of rows, by Profile
# columns of `piece_f`
PIECE_X, PIECE_Y, PIECE_HEADING, PIECE_SIN, PIECE_COS, PIECE_LENGTH, COEF = range(7)  # COEF: 8 columns
# columns of `piece_i`
KIND, KNOT_BEGIN, KNOT_END = range(3)
# columns of `section_i`
LANE_BEGIN, LANE_END, CENTER = range(3)
# columns of `lane_i`
LANE_ID, LANE_SECTION, LEVEL, BORDER, CUBIC_BEGIN, CUBIC_END, HEIGHT_BEGIN, HEIGHT_END, LANE_ROAD, USE = range(10)
# USE: 2 traffic moves here, 1 people or bicycles do, 0 neither; ranks lanes that overlap

# columns of `span_f`; the first six describe the chord
SPAN_X, SPAN_Y, SPAN_DX, SPAN_DY, SPAN_CHORD, SPAN_REACH, SPAN_S, SPAN_LENGTH, SPAN_RIGHT, SPAN_LEFT = range(10)
# columns of `span_i`
SPAN_PIECE, SPAN_ROAD = range(2)

_MOVING = ("driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp", "slipLane", "bus", "taxi", "HOV", "mwyEntry",
           "mwyExit", "bidirectional", "shared")  # fmt: skip
_WALKING = ("biking", "sidewalk", "walking", "parking", "stop", "shoulder")


class MapTables(NamedTuple):
    """Blocks of `OpenDriveMap`; columns are the constants of this module. Metres and radians."""

    road_length: F64  # (R,)
    road_i: I64  # (R, 15)
    piece_s: F64  # (P,)
    piece_f: F64  # (P, 14)
    piece_i: I64  # (P, 3)
    knot: F64  # (K, 2)
    section_s: F64  # (S,)
    section_i: I64  # (S, 3)
    lane_i: I64  # (L, 10)
    cubic: F64  # (N, 5)
    height: F64  # (H, 3)


class LaneGrid(NamedTuple):
    """Where to look for a point: pieces cut into short spans, spans listed per square cell (compressed rows)."""

    span_f: F64  # (spans, 10)
    span_i: I64  # (spans, 2)
    cell_start: I64  # (nx * ny + 1,)
    cell_span: I64
    frame: F64  # (3,) x, y of the lower left corner, side of a cell, m
    shape: I64  # (2,) nx, ny


def map_tables(m: OpenDriveMap) -> MapTables:
    """Repack the columns of a map."""
    road_i = np.column_stack(
        (
            m.road_left_hand,
            m.road_piece_start[:-1],
            m.road_piece_start[1:],
            m.road_section_start[:-1],
            m.road_section_start[1:],
            m.road_profile.reshape(-1, 10),
        )
    ).astype(np.int64)
    h = m.piece_heading
    piece_f = np.column_stack((m.piece_x, m.piece_y, h, np.sin(h), np.cos(h), m.piece_length, m.piece_coef))
    piece_i = np.column_stack((m.piece_kind, m.piece_knot_start[:-1], m.piece_knot_start[1:])).astype(np.int64)
    section_i = np.column_stack((m.section_lane_start[:-1], m.section_lane_start[1:], m.section_center)).astype(
        np.int64
    )
    section_road = np.repeat(np.arange(len(m.road_length)), np.diff(m.road_section_start))
    use = np.array([2 if t in _MOVING else 1 if t in _WALKING else 0 for t in LANE_TYPES])[m.lane_type]
    lane_i = np.column_stack(
        (
            m.lane_id, m.lane_section, m.lane_level, m.lane_border, m.lane_cubic, m.lane_height,
            section_road[m.lane_section], use,
        )
    ).astype(np.int64)  # fmt: skip
    return MapTables(
        m.road_length, road_i, m.piece_s, np.ascontiguousarray(piece_f), piece_i, m.knot, m.section_s, section_i, lane_i,
        m.cubic, m.height,
    )  # fmt: skip

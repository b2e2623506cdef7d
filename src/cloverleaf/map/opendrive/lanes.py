"""Kernels for lanes: (road, lane id, s, offset) -> position, height, heading, and the lateral layout of a section."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.opendrive.geometry import last_at_or_before, road_frame
from cloverleaf.map.opendrive.tables import (
    BORDER,
    CENTER,
    CUBIC_BEGIN,
    CUBIC_END,
    HEIGHT_BEGIN,
    HEIGHT_END,
    LANE_BEGIN,
    LANE_END,
    LANE_ID,
    LANE_SECTION,
    LEFT_HAND,
    LEVEL,
    PROFILES,
    SECTION_BEGIN,
    SECTION_END,
)

ROUNDING = 1e-3
"""m by which s may leave the road: positions in files are rounded."""


@inlined
def cubic_at(m, begin, end, s):
    """Value and slope at s of a chain of cubics; 0 without records, the first value before the first record."""
    if end <= begin:
        return 0.0, 0.0
    row = begin
    high = end
    while high - row > 1:
        middle = (row + high) >> 1
        if m.cubic[middle, 0] <= s:
            row = middle
        else:
            high = middle
    d = max(s - m.cubic[row, 0], 0.0)
    a, b, c, e = m.cubic[row, 1], m.cubic[row, 2], m.cubic[row, 3], m.cubic[row, 4]
    return a + d * (b + d * (c + d * e)), b + d * (2.0 * c + d * 3.0 * e)


@inlined
def profile_at(m, road, profile, s):
    """Value and slope of a road profile (model.Profile) at s."""
    column = PROFILES + 2 * profile
    return cubic_at(m, m.road_i[road, column], m.road_i[road, column + 1], s)


@inlined
def section_at(m, road, s):
    """Row of the lane section that holds s; at a border the later one."""
    return last_at_or_before(m.section_s, m.road_i[road, SECTION_BEGIN], m.road_i[road, SECTION_END], s)


@inlined
def lane_row(m, road, lane_id, s):
    """Row of lane `lane_id` at (road, s), or -1."""
    section = section_at(m, road, s)
    row = m.section_i[section, CENTER] - lane_id
    if row < m.section_i[section, LANE_BEGIN] or row >= m.section_i[section, LANE_END]:
        return -1
    return row


@inlined
def lane_extent(m, row, s):
    """Of a lane row at s, as distances from lane 0 (>= 0): inner and outer border, their slopes along s, and the share that
    lanes marked level take up to the inner border and up to the outer one."""
    section = m.lane_i[row, LANE_SECTION]
    center = m.section_i[section, CENTER]
    ds = s - m.section_s[section]
    step = 1 if row > center else -1
    inner, inner_slope, outer, outer_slope = 0.0, 0.0, 0.0, 0.0
    flat, flat_outer = 0.0, 0.0
    at = center
    while at != row:
        at += step
        value, slope = cubic_at(m, m.lane_i[at, CUBIC_BEGIN], m.lane_i[at, CUBIC_END], ds)
        inner, inner_slope, flat = outer, outer_slope, flat_outer
        if m.lane_i[at, BORDER] == 1:
            outer, outer_slope = -step * value, -step * slope
        else:
            outer, outer_slope = inner + value, inner_slope + slope
        if m.lane_i[at, LEVEL] == 1:
            flat_outer = flat + outer - inner
    return inner, outer, inner_slope, outer_slope, flat, flat_outer


@inlined
def lane_height(m, row, s, share):
    """Height above the road plane at the given share (0 inner .. 1 outer border) of a lane's width; linear between records."""
    begin, end = m.lane_i[row, HEIGHT_BEGIN], m.lane_i[row, HEIGHT_END]
    if end <= begin:
        return 0.0
    ds = s - m.section_s[m.lane_i[row, LANE_SECTION]]
    at = begin
    while at + 1 < end and m.height[at + 1, 0] <= ds:
        at += 1
    here = m.height[at, 1] + (m.height[at, 2] - m.height[at, 1]) * share
    if at + 1 < end and m.height[at + 1, 0] > m.height[at, 0] and ds > m.height[at, 0]:
        onward = m.height[at + 1, 1] + (m.height[at + 1, 2] - m.height[at + 1, 1]) * share
        here += (onward - here) * (ds - m.height[at, 0]) / (m.height[at + 1, 0] - m.height[at, 0])
    return here


@inlined
def point_at(m, road, s, t, flat, raised):
    """x, y, z, heading, pitch, roll of a point t metres left of the reference line; `raised` is height above the plane.

    `flat` is the part of |t| that is not tilted. Lateral vector with superelevation r and elevation angle p:
    cos r * left + sin r * up, up = (-sin p cos h, -sin p sin h, cos p).
    """
    x, y, heading, sine, cosine, _ = road_frame(m, road, s)
    z, slope = profile_at(m, road, 0, s)
    roll, roll_slope = profile_at(m, road, 1, s)
    fall, _ = profile_at(m, road, 3 if t > 0.0 else 4, s)
    tilted = t - flat if t > 0.0 else t + flat
    lift, across = raised, t
    if roll != 0.0 or fall != 0.0:
        lift += tilted * math.sin(roll) - abs(tilted) * math.tan(fall)
        across += tilted * (math.cos(roll) - 1.0)
    x -= across * sine
    y += across * cosine
    pitch = 0.0
    if slope != 0.0 or roll_slope != 0.0:
        along = math.sqrt(1.0 + slope * slope)
        x -= lift * slope / along * cosine
        y -= lift * slope / along * sine
        lift /= along
        # A line t metres off the axis climbs and drifts as the tilt changes.
        pitch = -math.atan(slope + tilted * math.cos(roll) * roll_slope)
        heading -= math.atan(tilted * math.sin(roll) * roll_slope)
    return x, y, z + lift, heading, pitch, roll


@kernel
def turn_in_plane(heading, pitch, roll, turn):
    """Heading, pitch, roll after a turn (rad, to the left) about the normal of the plane that heading, pitch and roll span."""
    sin_p, cos_p, sin_r, cos_r = math.sin(pitch), math.cos(pitch), math.sin(roll), math.cos(roll)
    sin_t, cos_t = math.sin(turn), math.cos(turn)
    along = cos_t * cos_p + sin_t * sin_r * sin_p
    aside = sin_t * cos_r
    down = cos_t * sin_p - sin_t * sin_r * cos_p
    left_up = sin_t * sin_p + cos_t * sin_r * cos_p
    bend = math.atan2(aside, along)
    # atan2 of a turn by about pi may come out as -pi: keep the sense of the turn.
    if bend < 0.0 and turn > 0.5 * math.pi:
        bend += 2.0 * math.pi
    return heading + bend, math.asin(min(max(down, -1.0), 1.0)), math.atan2(left_up, cos_r * cos_p)


@inlined
def row_point(m, road, row, s, offset):
    """x, y, z, heading, pitch, roll at `offset` metres left of the centre of a lane row, at any s of its section or its end.

    Lane 0 is the reference line with its lane offset. The heading is that of the lane centre in driving direction; lane 0
    counts with the lanes against s.
    """
    base, slope = profile_at(m, road, 2, s)
    lane_id = m.lane_i[row, LANE_ID]
    t = offset
    flat, raised = 0.0, 0.0
    if lane_id != 0:
        inner, outer, inner_slope, outer_slope, flat_inner, flat_outer = lane_extent(m, row, s)
        side = 1.0 if lane_id > 0 else -1.0
        t += side * 0.5 * (inner + outer)
        slope += side * 0.5 * (inner_slope + outer_slope)
        share = min(max(0.5 + side * offset / (outer - inner), 0.0), 1.0) if outer > inner else 0.5
        raised = lane_height(m, row, s, share)
        flat = flat_inner + (flat_outer - flat_inner) * share
    x, y, z, heading, pitch, roll = point_at(m, road, s, base + t, flat, raised)
    onward = lane_id > 0 if m.road_i[road, LEFT_HAND] == 1 else lane_id < 0
    if slope == 0.0 or (pitch == 0.0 and roll == 0.0):
        turn = math.atan(slope) if slope != 0.0 else 0.0
        if onward:
            return x, y, z, heading + turn, pitch, roll
        return x, y, z, heading + turn + math.pi, -pitch, -roll
    turn = math.atan(slope)
    heading, pitch, roll = turn_in_plane(heading, pitch, roll, turn if onward else turn + math.pi)
    return x, y, z, heading, pitch, roll


@inlined
def lane_point(m, road, lane_id, s, offset):
    """`row_point` of lane `lane_id` at (road, s); NaN if there is no such lane or s is over 1 mm off the road."""
    row = lane_row(m, road, lane_id, s)
    if row < 0 or not -ROUNDING <= s <= m.road_length[road] + ROUNDING:
        nan = math.nan
        return nan, nan, nan, nan, nan, nan
    return row_point(m, road, row, min(max(s, 0.0), m.road_length[road]), offset)


@kernel
def fill_lane_points(m, road, lane, s, offset, out):
    """Rows of `out` (n, 6): `lane_point` of columns road (rows of the map), lane (ids), s, offset."""
    for i in range(len(s)):
        x, y, z, heading, pitch, roll = lane_point(m, road[i], lane[i], s[i], offset[i])
        out[i, 0] = x
        out[i, 1] = y
        out[i, 2] = z
        out[i, 3] = heading
        out[i, 4] = pitch
        out[i, 5] = roll


@kernel
def fill_row_points(m, road, row, s, out):
    """Rows of `out` (n, 5): x, y, z, width and heading at the centre of one lane row at `s`."""
    for i in range(len(s)):
        x, y, z, heading, _, _ = row_point(m, road, row, s[i], 0.0)
        inner, outer, _, _, _, _ = lane_extent(m, row, s[i])
        out[i, 0] = x
        out[i, 1] = y
        out[i, 2] = z
        out[i, 3] = outer - inner
        out[i, 4] = heading

"""Kernels for lanes: (road, lane id, s, offset) -> position, height, heading, and the lateral layout of a section."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.map.opendrive.geometry import last_at_or_before, road_pose


@kernel
def cubic_at(m, begin, end, s):
    """Value and slope at s of a chain of cubics; 0 without records, the first value before the first record."""
    if end <= begin:
        return 0.0, 0.0
    row = begin
    if end - begin > 1:
        low, high = begin, end
        while high - low > 1:
            middle = (low + high) >> 1
            if m.cubic[middle, 0] <= s:
                low = middle
            else:
                high = middle
        row = low
    d = max(s - m.cubic[row, 0], 0.0)
    a, b, c, e = m.cubic[row, 1], m.cubic[row, 2], m.cubic[row, 3], m.cubic[row, 4]
    return a + d * (b + d * (c + d * e)), b + d * (2.0 * c + d * 3.0 * e)


@kernel
def profile_at(m, road, profile, s):
    """Value and slope of a road profile (model.Profile) at s."""
    return cubic_at(m, m.road_profile[road, profile, 0], m.road_profile[road, profile, 1], s)


@kernel
def section_at(m, road, s):
    """Row of the lane section that holds s; at a border the later one."""
    return last_at_or_before(m.section_s, m.road_section_start[road], m.road_section_start[road + 1], s)


@kernel
def lane_row(m, road, lane_id, s):
    """Row of lane `lane_id` at (road, s), or -1."""
    section = section_at(m, road, s)
    row = m.section_center[section] - lane_id
    if row < m.section_lane_start[section] or row >= m.section_lane_start[section + 1]:
        return -1
    return row


@kernel
def lane_extent(m, road, row, s):
    """Inner and outer border of a lane row as distances from lane 0 (>= 0), and their slopes along s."""
    section = m.lane_section[row]
    center = m.section_center[section]
    ds = s - m.section_s[section]
    step = 1 if row > center else -1
    inner, inner_slope, outer, outer_slope = 0.0, 0.0, 0.0, 0.0
    at = center
    while at != row:
        at += step
        value, slope = cubic_at(m, m.lane_cubic[at, 0], m.lane_cubic[at, 1], ds)
        inner, inner_slope = outer, outer_slope
        if m.lane_border[at] == 1:
            outer, outer_slope = -step * value, -step * slope
        else:
            outer, outer_slope = inner + value, inner_slope + slope
    return inner, outer, inner_slope, outer_slope


@kernel
def tilted_share(m, road, row, s, t_lane):
    """The part of a lateral distance that superelevation tilts: all of it, but for lanes marked level."""
    section = m.lane_section[row]
    center = m.section_center[section]
    ds = s - m.section_s[section]
    step = 1 if row > center else -1
    at, flat, inner = center, 0.0, 0.0
    while at != row:
        at += step
        value, _ = cubic_at(m, m.lane_cubic[at, 0], m.lane_cubic[at, 1], ds)
        width = -step * value - inner if m.lane_border[at] == 1 else value
        if m.lane_level[at] == 1:
            flat += width if at != row else abs(t_lane) - inner
        inner += width
    return flat


@kernel
def lane_height(m, row, s, share):
    """Height above the road plane at the given share (0 inner .. 1 outer border) of a lane's width."""
    begin, end = m.lane_height[row, 0], m.lane_height[row, 1]
    if end <= begin:
        return 0.0
    ds = s - m.section_s[m.lane_section[row]]
    at = begin
    while at + 1 < end and m.height[at + 1, 0] <= ds:
        at += 1
    return m.height[at, 1] + (m.height[at, 2] - m.height[at, 1]) * share


@kernel
def point_at(m, road, s, t, flat, raised):
    """x, y, z, heading, pitch, roll of a point t metres left of the reference line; `raised` is height above the plane.

    Lateral vector with superelevation r and elevation angle p: cos r * left + sin r * up, up = (-sin p cos h, -sin p sin h, cos p).
    """
    x, y, heading, _ = road_pose(m, road, s)
    sine, cosine = math.sin(heading), math.cos(heading)
    z, slope = profile_at(m, road, 0, s)
    roll, _ = profile_at(m, road, 1, s)
    fall, _ = profile_at(m, road, 3 if t > 0.0 else 4, s)
    tilted = t - flat if t > 0.0 else t + flat
    along = math.sqrt(1.0 + slope * slope)
    sin_p, cos_p = slope / along, 1.0 / along
    lift = tilted * math.sin(roll) + raised - abs(tilted) * math.tan(fall)
    flat_t = tilted * math.cos(roll) + (t - tilted)
    x += -flat_t * sine - lift * sin_p * cosine
    y += flat_t * cosine - lift * sin_p * sine
    return x, y, z + lift * cos_p, heading, -math.atan(slope), roll


@kernel
def row_point(m, road, row, s, offset):
    """x, y, z, heading, pitch, roll at `offset` metres left of the centre of a lane row, at any s of its section or its end.

    Lane 0 is the reference line with its lane offset. The heading is that of the lane centre in driving direction.
    """
    base, slope = profile_at(m, road, 2, s)
    lane_id = m.lane_id[row]
    t = offset
    flat, raised = 0.0, 0.0
    if lane_id != 0:
        inner, outer, inner_slope, outer_slope = lane_extent(m, road, row, s)
        side = 1.0 if lane_id > 0 else -1.0
        t += side * 0.5 * (inner + outer)
        slope += side * 0.5 * (inner_slope + outer_slope)
        share = 0.5 + side * offset / (outer - inner) if outer > inner else 0.5
        raised = lane_height(m, row, s, min(max(share, 0.0), 1.0))
        flat = tilted_share(m, road, row, s, t)
    x, y, z, heading, pitch, roll = point_at(m, road, s, base + t, flat, raised)
    heading += math.atan(slope)
    if (lane_id > 0) != (m.road_left_hand[road] == 1) and lane_id != 0:
        return x, y, z, heading + math.pi, -pitch, -roll
    return x, y, z, heading, pitch, roll


@kernel
def lane_point(m, road, lane_id, s, offset):
    """`row_point` of lane `lane_id` at (road, s); NaN if there is no such lane or s is off the road."""
    row = lane_row(m, road, lane_id, s)
    if row < 0 or not 0.0 <= s <= m.road_length[road]:
        nan = math.nan
        return nan, nan, nan, nan, nan, nan
    return row_point(m, road, row, s, offset)


@kernel
def fill_row_points(m, road, row, s, out):
    """Rows of `out` (n, 5): x, y, z, lane width and heading at the centre of lane rows `row` at `s`."""
    for i in range(len(s)):
        x, y, z, heading, _, _ = row_point(m, road[i], row[i], s[i], 0.0)
        inner, outer, _, _ = lane_extent(m, road[i], row[i], s[i])
        out[i, 0] = x
        out[i, 1] = y
        out[i, 2] = z
        out[i, 3] = outer - inner
        out[i, 4] = heading

"""Where actors are: on a lane, on a road, or anywhere in the plane; and how they move along the road network.

`m` is a MapTables, `g` its LaneGrid, `n` its RoadNetwork, `a` the actors of one world. Without roads the tables are empty and
actors move in the plane.
"""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.state import (
    AT_END,
    CHANCE,
    G_LOW,
    GOAL_ROAD,
    HEADING,
    LANE,
    OFFSET,
    PITCH,
    ROAD,
    ROLL,
    ROW,
    T_ROAD,
    TURN,
    WANDERS,
    S,
    X,
    Y,
    Z,
)
from cloverleaf.map.opendrive.geometry import road_pose
from cloverleaf.map.opendrive.lanes import lane_extent, lane_row, point_at, profile_at, row_point, section_at
from cloverleaf.map.opendrive.locate import lane_across, locate, locate_far
from cloverleaf.map.opendrive.network import N_CONTACT, N_ROAD, N_ROW
from cloverleaf.map.opendrive.tables import LANE_BEGIN, LANE_END, LANE_ID, LANE_SECTION, LEFT_HAND

LINKS = 8  # roads that one step may cross
EQUAL = 1e-4  # rad, ways onward whose directions differ by less are equally straight
NARROW = 1e-6  # m, width of a lane that has ended


@kernel
def lane_centre(m, row, s):
    """Lateral position t (m, left of the reference line) of a lane's centre."""
    road = m.lane_i[row, 8]
    base, _ = profile_at(m, road, 2, s)
    lane_id = m.lane_i[row, LANE_ID]
    if lane_id == 0:
        return base
    inner, outer, _, _, _, _ = lane_extent(m, row, s)
    return base + (0.5 if lane_id > 0 else -0.5) * (inner + outer)


@kernel
def drives_along(m, road, lane_id):
    """True if traffic of the lane drives towards +s."""
    return (lane_id > 0) == (m.road_i[road, LEFT_HAND] == 1)


@kernel
def place_on_row(m, a, i, row, s, offset):
    """Put an actor on a lane row; its heading keeps its angle to the road."""
    road = m.lane_i[row, 8]
    lane_id = m.lane_i[row, LANE_ID]
    x, y, z, heading, pitch, roll = row_point(m, road, row, s, offset)
    if not drives_along(m, road, lane_id):
        heading -= math.pi
        pitch, roll = -pitch, -roll
    a[i, X], a[i, Y], a[i, Z] = x, y, z
    a[i, PITCH], a[i, ROLL] = pitch, roll
    a[i, HEADING] = wrap_angle(heading + a[i, TURN])
    a[i, ROAD], a[i, LANE], a[i, ROW] = road, lane_id, row
    a[i, S], a[i, OFFSET] = s, offset
    a[i, T_ROAD] = lane_centre(m, row, s) + offset
    a[i, G_LOW] = math.inf


@kernel
def road_heading(m, i, a):
    """Direction of +s where an actor is (lanes included), rad; its own heading off the map."""
    if a[i, ROAD] < 0:
        return a[i, HEADING]
    return a[i, HEADING] - a[i, TURN]


@kernel
def place_on_lane(m, a, i, road, lane_id, s, offset):
    """Put an actor on a lane; where the lane does not exist, on the road at the same lateral place."""
    s = min(max(s, 0.0), m.road_length[road])
    row = lane_row(m, road, lane_id, s)
    if row < 0:
        place_on_road(m, a, i, road, s, offset)
        return
    place_on_row(m, a, i, row, s, offset)


@kernel
def place_on_road(m, a, i, road, s, t):
    """Put an actor at (s, t) of a road: on the lane that holds the point, or beside the outermost one."""
    s = min(max(s, 0.0), m.road_length[road])
    row, offset, _ = lane_across(m, road, s, t)
    if row >= 0:
        place_on_row(m, a, i, row, s, offset)
        return
    x, y, z, heading, pitch, roll = point_at(m, road, s, t, 0.0, 0.0)
    a[i, X], a[i, Y], a[i, Z] = x, y, z
    a[i, PITCH], a[i, ROLL] = pitch, roll
    a[i, HEADING] = wrap_angle(heading + a[i, TURN])
    base, _ = profile_at(m, road, 2, s)
    a[i, ROAD], a[i, LANE], a[i, ROW] = road, 0, -1
    a[i, S], a[i, OFFSET], a[i, T_ROAD] = s, t - base, t
    a[i, G_LOW] = math.inf


@kernel
def find_lane(m, g, a, i):
    """Road, lane, s and offset of an actor from its point and heading; off the grid of the map it has none."""
    if len(m.road_length) == 0:
        a[i, ROAD] = -1.0
        return
    x, y = a[i, X], a[i, Y]
    road, lane_id, s, offset = locate(m, g, x, y, math.nan)
    if road < 0:
        road, lane_id, s, offset = locate_far(m, g, x, y)
    s = min(max(s, 0.0), m.road_length[road])
    row = lane_row(m, road, lane_id, s)
    if row >= 0 and lane_id != 0:
        _, _, z, heading, pitch, roll = row_point(m, road, row, s, offset)
        if not drives_along(m, road, lane_id):
            heading -= math.pi
            pitch, roll = -pitch, -roll
        t = lane_centre(m, row, s) + offset
    else:
        base, _ = profile_at(m, road, 2, s)
        t = base + offset
        _, _, z, heading, pitch, roll = point_at(m, road, s, t, 0.0, 0.0)
    a[i, ROAD], a[i, LANE], a[i, ROW] = road, lane_id, row
    a[i, S], a[i, OFFSET], a[i, T_ROAD] = s, offset, t
    a[i, G_LOW] = math.inf
    a[i, TURN] = wrap_angle(a[i, HEADING] - heading)
    a[i, Z], a[i, PITCH], a[i, ROLL] = z, pitch, roll


@kernel
def place_at(m, g, a, i, x, y, heading):
    """Put an actor anywhere, m and rad; height, pitch and roll are those of the road there."""
    a[i, X], a[i, Y] = x, y
    a[i, HEADING] = wrap_angle(heading)
    find_lane(m, g, a, i)


@kernel
def force_lane(m, road, s, t, lane_id):
    """Row of a lane of (road, s), -1 if it is not there, and the offset from its centre of the lateral position t."""
    row = lane_row(m, road, lane_id, s)
    if row < 0:
        return row, 0.0
    return row, t - lane_centre(m, row, s)


@kernel
def onward_link(m, n, a, i, row, end):
    """Which link an actor takes at the end of a lane: towards its next waypoint, as it has drawn on a random way, else by the default
    route of clause 6.8.1: the straightest, of equal ones that to the side on which traffic keeps; -1 if there is none."""
    begin, stop = n.start[2 * row + end], n.start[2 * row + end + 1]
    if stop - begin <= 1:
        return begin if stop > begin else -1
    goal = int(a[i, GOAL_ROAD])
    if goal < 0 and a[i, WANDERS] == 1.0 and not math.isnan(a[i, CHANCE]):
        return begin + min(int(a[i, CHANCE] * (stop - begin)), stop - begin - 1)
    best, chosen = math.inf, begin
    for k in range(begin, stop):
        road, contact = n.onward[k, N_ROAD], n.onward[k, N_CONTACT]
        if goal >= 0:
            cost = 0.0
            if road != goal:
                near = min(n.hop[2 * road + 1 - contact, 2 * goal], n.hop[2 * road + 1 - contact, 2 * goal + 1])
                cost = near + m.road_length[road]
            cost += 1e-3 * abs(n.turn[k])
        else:
            keeps_left = m.road_i[int(a[i, ROAD]), LEFT_HAND] == 1
            cost = abs(n.turn[k]) - (EQUAL if (n.turn[k] > 0.0) == keeps_left else 0.0)
        if cost < best - 1e-9:
            best, chosen = cost, k
    return chosen


@kernel
def move_along(m, n, a, i, distance, exact):
    """Move an actor along its lane by `distance` (m along its heading) at its offset; `exact` 0: metres of the reference line.

    At the end of the road it stops (AT_END).
    """
    row, s, offset = int(a[i, ROW]), a[i, S], a[i, OFFSET]
    road = int(a[i, ROAD])
    if road < 0 or row < 0:
        a[i, X] += distance * math.cos(a[i, HEADING])
        a[i, Y] += distance * math.sin(a[i, HEADING])
        return
    forward = math.cos(a[i, TURN]) >= 0.0
    ds = distance if forward else -distance
    if exact == 1:
        _, _, _, k = road_pose(m, road, s)
        scale = 1.0 - k * a[i, T_ROAD]
        if scale > 0.05:
            ds /= scale
    a[i, AT_END] = 0.0
    for _ in range(LINKS):
        section = m.lane_i[row, LANE_SECTION]
        low, high = m.section_s[section], n.section_end[section]
        target = s + ds
        if low <= target <= high or ds == 0.0:
            s = target
            break
        end = 1 if ds > 0.0 else 0
        k = onward_link(m, n, a, i, row, end)
        edge = high if end == 1 else low
        if k < 0:
            s = edge
            a[i, AT_END] = 1.0
            break
        if n.start[2 * row + end + 1] - n.start[2 * row + end] > 1:
            a[i, CHANCE] = math.nan  # spent: the next choice has a draw of its own
        rest = abs(target - edge)
        contact = n.onward[k, N_CONTACT]
        if contact == end:
            # the onward lane runs the other way: left and right change sides
            offset = -offset
            a[i, TURN] = wrap_angle(a[i, TURN] + math.pi)
        row = n.onward[k, N_ROW]
        section = m.lane_i[row, LANE_SECTION]
        s = m.section_s[section] if contact == 0 else n.section_end[section]
        ds = rest if contact == 0 else -rest
    inner, outer, _, _, _, _ = lane_extent(m, row, s)
    if outer - inner < NARROW and m.lane_i[row, LANE_ID] != 0:
        row, offset = wider_lane(m, row, s), 0.0
    place_on_row(m, a, i, row, s, offset)


@kernel
def wider_lane(m, row, s):
    """The next lane inwards that still has a width, for a lane that has none left; the lane itself if there is none."""
    step = 1 if m.lane_i[row, LANE_ID] > 0 else -1
    at = row + step
    while m.lane_i[at, LANE_ID] != 0:
        inner, outer, _, _, _, _ = lane_extent(m, at, s)
        if outer - inner >= NARROW:
            return at
        at += step
    return row


@kernel
def lane_by_count(lane_id, count):
    """Lane id `count` lanes further to the left in the direction of +s, passing over lane 0."""
    target = lane_id + count
    if lane_id != 0 and (target == 0 or (target > 0) != (lane_id > 0)):
        target += 1 if count > 0 else -1
    return target


@kernel
def lane_exists(m, road, s, lane_id):
    """True if the road has that lane at s."""
    section = section_at(m, road, s)
    first, last = m.section_i[section, LANE_BEGIN], m.section_i[section, LANE_END] - 1
    return m.lane_i[last, LANE_ID] <= lane_id <= m.lane_i[first, LANE_ID] and lane_id != 0

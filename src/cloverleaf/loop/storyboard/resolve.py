"""Positions worked out: each is put on a spare actor row, with point, heading, road, lane and offset.

`p` is the Program, `v` the numbers of one world, `a` its actors, `path` its trajectories as far as laid out.
"""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.place import (
    drives_along,
    find_lane,
    lane_by_count,
    move_along,
    place_at,
    place_on_lane,
    place_on_road,
    place_on_row,
    road_heading,
)
from cloverleaf.loop.storyboard.state import (
    G_LOW,
    GOAL_ROAD,
    HEADING,
    LANE,
    OFFSET,
    PATH_ROW,
    PATH_S,
    PITCH,
    ROAD,
    ROLL,
    ROW,
    T_ROAD,
    TURN,
    S,
    X,
    Y,
    Z,
)
from cloverleaf.loop.storyboard.trajectory import point_on_path
from cloverleaf.map.opendrive.network import N_CONTACT, N_ROAD
from cloverleaf.map.opendrive.tables import LANE_BEGIN, LANE_END, SECTION_BEGIN, SECTION_END
from cloverleaf.scenario.storyboard.tables import (
    ABSOLUTE_ANGLES,
    AT_LANE,
    AT_RELATIVE_LANE,
    AT_RELATIVE_OBJECT,
    AT_RELATIVE_ROAD,
    AT_RELATIVE_WORLD,
    AT_ROAD,
    AT_ROUTE,
    AT_TRAJECTORY,
    AT_WORLD,
    J_ROW,
    J_ROWS,
    NO_ORIENTATION,
    P_ENTITY,
    P_KIND,
    P_MODE,
    P_ORIENT,
    P_REF,
    P_ROAD,
    P_SLOT,
    R_BEGIN,
    R_END,
    RELATIVE_ANGLES,
)

STRIDE, MOST_STRIDES = 1.0, 1000
"""m that a way along a lane is measured by at a time (the scale between lane and reference line is that where a stride begins)."""


@kernel
def against(m, road, lane_id):
    """TURN of traffic on a lane: 0 along +s, pi against."""
    return 0.0 if drives_along(m, road, lane_id) else math.pi


@kernel
def copy_place(a, source, target):
    """Take over point, heading, road and lane of another actor."""
    for c in range(X, ROLL + 1):
        a[target, c] = a[source, c]
    for c in range(ROAD, TURN + 1):
        a[target, c] = a[source, c]
    a[target, GOAL_ROAD], a[target, G_LOW] = a[source, GOAL_ROAD], math.inf


@kernel
def resolve(p, v, m, g, n, a, path, at, i):
    """Put actor row `i` to position `at`. Trajectories that it names must be laid out before."""
    kind, slot, other = p.positions[at, P_KIND], p.positions[at, P_SLOT], p.positions[at, P_ENTITY]
    first, second, third = v[slot], v[slot + 1], v[slot + 2]
    road = p.positions[at, P_ROAD]
    base = 0.0  # what relative angles are measured from
    a[i, GOAL_ROAD] = -1.0
    if kind == AT_WORLD:
        heading = v[slot + 3]
        a[i, HEADING] = 0.0 if math.isnan(heading) else heading
        a[i, X], a[i, Y], a[i, Z] = first, second, 0.0 if math.isnan(third) else third
        find_lane(m, g, a, i)
        if not math.isnan(third):
            a[i, Z] = third
        a[i, PITCH] = v[slot + 4] if not math.isnan(v[slot + 4]) else a[i, PITCH]
        a[i, ROLL] = v[slot + 5] if not math.isnan(v[slot + 5]) else a[i, ROLL]
        base = road_heading(m, i, a) if len(m.road_length) > 0 else 0.0
        if p.positions[at, P_ORIENT] == NO_ORIENTATION and len(m.road_length) > 0:
            a[i, TURN] = 0.0
            a[i, HEADING] = base
    elif kind in (AT_RELATIVE_WORLD, AT_RELATIVE_OBJECT):
        _beside_entity(p, v, m, g, a, at, i)
        return
    elif kind == AT_ROAD:
        a[i, TURN] = 0.0
        place_on_road(m, a, i, road, first, second)
        base = road_heading(m, i, a)
    elif kind == AT_LANE:
        a[i, TURN] = against(m, road, int(first))
        place_on_lane(m, a, i, road, int(first), second, third)
        base = a[i, HEADING]
    elif kind == AT_RELATIVE_ROAD:
        copy_place(a, other, i)
        _shift(m, n, a, i, first)
        t = a[other, T_ROAD] + second
        if a[i, ROAD] >= 0:
            a[i, TURN] = a[other, TURN] if a[i, ROAD] == a[other, ROAD] else a[i, TURN]
            place_on_road(m, a, i, int(a[i, ROAD]), a[i, S], t)
        base = road_heading(m, i, a)
        a[i, TURN] = 0.0
        a[i, HEADING] = wrap_angle(base + a[i, TURN])
    elif kind == AT_RELATIVE_LANE:
        copy_place(a, other, i)
        if a[i, ROAD] >= 0:
            # ds counts along the reference line, lanes along t, angles from +s; dsLane all as traffic of the lane sees it
            side = 1
            if p.positions[at, P_MODE] == 1:
                a[i, TURN] = against(m, int(a[i, ROAD]), a[i, LANE])
                steps = min(int(abs(second) / STRIDE) + 1, MOST_STRIDES)
                for _ in range(steps):
                    move_along(m, n, a, i, second / steps, 1)
                side = 1 if drives_along(m, int(a[i, ROAD]), a[i, LANE]) else -1
            else:
                _shift(m, n, a, i, second)
            lane_id = lane_by_count(int(a[i, LANE]), side * int(first))
            a[i, TURN] = against(m, int(a[i, ROAD]), lane_id) if p.positions[at, P_MODE] == 1 else 0.0
            place_on_lane(m, a, i, int(a[i, ROAD]), lane_id, a[i, S], side * third)
        base = a[i, HEADING]
    elif kind == AT_ROUTE:
        base = _on_route(p, v, m, g, n, a, path, at, i)
    elif kind == AT_TRAJECTORY:
        j = p.positions[at, P_REF]
        begin = p.trajectories[j, J_ROW]
        x, y, z, h, _ = point_on_path(path, begin, begin + p.trajectories[j, J_ROWS], first, 0, begin)
        a[i, PATH_S], a[i, PATH_ROW] = first, j
        a[i, Z] = 0.0 if math.isnan(z) else z
        place_at(m, g, a, i, x - second * math.sin(h), y + second * math.cos(h), h)
        if not math.isnan(z):
            a[i, Z] = z
        base = h
    orient = p.positions[at, P_ORIENT]
    heading = v[slot + 3]
    if orient != NO_ORIENTATION and not math.isnan(heading):
        before = road_heading(m, i, a)
        a[i, HEADING] = wrap_angle(heading + (base if orient == RELATIVE_ANGLES else 0.0))
        a[i, TURN] = wrap_angle(a[i, HEADING] - before) if a[i, ROAD] >= 0 else 0.0
    elif orient == ABSOLUTE_ANGLES and kind != AT_WORLD:
        before = road_heading(m, i, a)
        a[i, HEADING] = 0.0
        a[i, TURN] = wrap_angle(-before) if a[i, ROAD] >= 0 else 0.0


@kernel
def _beside_entity(p, v, m, g, a, at, i):
    """Relative to an entity: offsets in the world's axes or in its own, which pitch and roll with it; angles relative to its own
    orientation, or to the world (clauses RelativeWorldPosition, RelativeObjectPosition; 6.3: about z, then y, then x)."""
    other, slot, orient = p.positions[at, P_ENTITY], p.positions[at, P_SLOT], p.positions[at, P_ORIENT]
    dx, dy, dz = v[slot], v[slot + 1], v[slot + 2]
    heading, pitch, roll = a[other, HEADING], a[other, PITCH], a[other, ROLL]
    x, y, z = a[other, X], a[other, Y], a[other, Z]
    if p.positions[at, P_KIND] == AT_RELATIVE_OBJECT:
        dx, dy, dz = turned(heading, pitch, roll, dx, dy, dz)
    if orient != NO_ORIENTATION:
        h = 0.0 if math.isnan(v[slot + 3]) else v[slot + 3]
        q = 0.0 if math.isnan(v[slot + 4]) else v[slot + 4]
        r = 0.0 if math.isnan(v[slot + 5]) else v[slot + 5]
        if orient == ABSOLUTE_ANGLES:
            heading, pitch, roll = h, q, r
        else:
            heading, pitch, roll = turned_further(heading, pitch, roll, h, q, r)
    place_at(m, g, a, i, x + dx, y + dy, heading)
    a[i, Z], a[i, PITCH], a[i, ROLL] = z + dz, pitch, roll


@kernel
def turned(heading, pitch, roll, x, y, z):
    """A vector of a frame with these angles (rad), as the world sees it."""
    c, s = math.cos(roll), math.sin(roll)
    y, z = c * y - s * z, s * y + c * z
    c, s = math.cos(pitch), math.sin(pitch)
    x, z = c * x + s * z, c * z - s * x
    c, s = math.cos(heading), math.sin(heading)
    return c * x - s * y, s * x + c * y, z


@kernel
def turned_further(heading, pitch, roll, h, q, r):
    """Angles (rad) of a frame that is turned by h, q, r from one with the angles heading, pitch, roll."""
    xx, xy, xz = turned(h, q, r, 1.0, 0.0, 0.0)
    yx, yy, yz = turned(h, q, r, 0.0, 1.0, 0.0)
    zx, zy, zz = turned(h, q, r, 0.0, 0.0, 1.0)
    xx, xy, xz = turned(heading, pitch, roll, xx, xy, xz)
    _, _, yz = turned(heading, pitch, roll, yx, yy, yz)
    _, _, zz = turned(heading, pitch, roll, zx, zy, zz)
    return math.atan2(xy, xx), math.asin(min(max(-xz, -1.0), 1.0)), math.atan2(yz, zz)


@kernel
def _shift(m, n, a, i, ds):
    """Move along the reference line by ds in the direction of +s of the road where the actor stands."""
    turn = a[i, TURN]
    a[i, TURN] = 0.0
    move_along(m, n, a, i, ds, 0)
    # on a road of opposite direction the turn has flipped with the frame
    a[i, TURN] = wrap_angle(a[i, TURN] + turn)


@kernel
def _on_route(p, v, m, g, n, a, path, at, i):
    """Position at a path length of a route: from its first waypoint along roads to each next one. Returns the base heading."""
    route, slot = p.positions[at, P_REF], p.positions[at, P_SLOT]
    mode = p.positions[at, P_MODE]
    if mode == 0:
        other = p.positions[at, P_ENTITY]
        copy_place(a, other, i)
        return a[i, HEADING]
    rest = v[slot]
    begin, end = p.routes[route, R_BEGIN], p.routes[route, R_END]
    spare = a.shape[0] - 1
    simple_place(p, v, m, g, n, a, p.members[begin], spare)
    road, s = int(a[spare, ROAD]), a[spare, S]
    along = -1
    for w in range(begin + 1, end):
        simple_place(p, v, m, g, n, a, p.members[w], spare)
        goal, goal_s = int(a[spare, ROAD]), a[spare, S]
        for _ in range(200):
            if road == goal:
                if along < 0 or goal_s != s:
                    along = 1 if goal_s >= s else 0
                length = abs(goal_s - s)
                step = min(length, rest) if w + 1 < end else rest
                s += step if along == 1 else -step
                rest -= step
                break
            if along < 0:
                ahead = min(
                    n.hop[2 * road + 1, 2 * goal] + goal_s,
                    n.hop[2 * road + 1, 2 * goal + 1] + m.road_length[goal] - goal_s,
                )
                back = min(
                    n.hop[2 * road, 2 * goal] + goal_s, n.hop[2 * road, 2 * goal + 1] + m.road_length[goal] - goal_s
                )
                along = 1 if ahead + m.road_length[road] - s <= back + s else 0
            left = m.road_length[road] - s if along == 1 else s
            if rest <= left:
                s += rest if along == 1 else -rest
                rest = 0.0
                break
            k = link_towards(m, n, road, along, goal)
            if k < 0:
                s = m.road_length[road] if along == 1 else 0.0
                rest = 0.0
                break
            rest -= left
            contact = n.onward[k, N_CONTACT]
            road = n.onward[k, N_ROAD]
            s = m.road_length[road] if contact == 1 else 0.0
            along = 1 - contact
        if rest <= 0.0:
            break
    s = min(max(s, 0.0), m.road_length[road])
    # angles are measured from +s of the road, or from the lane, whichever way the route goes
    if mode == 1:
        a[i, TURN] = 0.0
        place_on_road(m, a, i, road, s, v[slot + 1] if along != 0 else -v[slot + 1])
    else:
        lane = int(v[slot + 1])
        a[i, TURN] = against(m, road, lane)
        place_on_lane(m, a, i, road, lane, s, v[slot + 2])
    return a[i, HEADING]


@kernel
def link_towards(m, n, road, end, goal):
    """The link at one end of a road, of any lane, that leads to road `goal` in the fewest metres; -1 if none does."""
    section = m.road_i[road, SECTION_END] - 1 if end == 1 else m.road_i[road, SECTION_BEGIN]
    best, chosen = math.inf, -1
    for row in range(m.section_i[section, LANE_BEGIN], m.section_i[section, LANE_END]):
        for k in range(n.start[2 * row + end], n.start[2 * row + end + 1]):
            onward, contact = n.onward[k, N_ROAD], n.onward[k, N_CONTACT]
            cost = 0.0
            if onward != goal:
                out = 2 * onward + 1 - contact
                cost = m.road_length[onward] + min(n.hop[out, 2 * goal], n.hop[out, 2 * goal + 1])
            if cost < best - 1e-9:
                best, chosen = cost, k
    return chosen


@kernel
def simple_place(p, v, m, g, n, a, at, i):
    """A waypoint: on a lane, a road, in the world or beside an entity."""
    kind, slot, road = p.positions[at, P_KIND], p.positions[at, P_SLOT], p.positions[at, P_ROAD]
    if kind == AT_LANE:
        a[i, TURN] = against(m, road, int(v[slot]))
        place_on_lane(m, a, i, road, int(v[slot]), v[slot + 1], v[slot + 2])
    elif kind == AT_ROAD:
        a[i, TURN] = 0.0
        place_on_road(m, a, i, road, v[slot], v[slot + 1])
    elif kind == AT_WORLD:
        place_at(m, g, a, i, v[slot], v[slot + 1], 0.0)
    else:
        other = p.positions[at, P_ENTITY]
        if other >= 0:
            copy_place(a, other, i)
        place_on_row_again(m, a, i)


@kernel
def place_on_row_again(m, a, i):
    """Bring point and heading of an actor in line with its lane and offset."""
    if a[i, ROW] >= 0:
        place_on_row(m, a, i, int(a[i, ROW]), a[i, S], a[i, OFFSET])

"""Where and how vehicles of a traffic action arrive: a place drawn at random, a vehicle drawn by weight, room about it.

All draws come from one stream per world and action, so a run depends on its seed alone.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import SCENARIO_TRAFFIC, stream, uniform
from cloverleaf.loop.storyboard.distance import facing, free_gap, gap_between, lane_gap, road_extent
from cloverleaf.loop.storyboard.place import drives_along, find_lane, place_on_row
from cloverleaf.loop.storyboard.resolve import copy_place
from cloverleaf.loop.storyboard.routing import jump
from cloverleaf.loop.storyboard.state import (
    ACCEL,
    AT_END,
    BODY_KIND,
    BOX_X,
    BOX_Y,
    BRAKE,
    CHANCE,
    DESIRED,
    END_SINCE,
    GOAL_ROAD,
    GOAL_ROUTE,
    HEADING,
    LENGTH,
    MAX_ACCEL,
    MAX_DECEL,
    MAX_SPEED,
    ODOMETER,
    OFFROAD_SINCE,
    OLD_SPEED,
    PRESENT,
    PX,
    PY,
    REACH,
    ROAD,
    ROW,
    SEED,
    SPEED,
    STILL_SINCE,
    THROTTLE,
    TRAFFIC,
    TURN,
    WANDERS,
    WIDTH,
    Y_DRAWS,
    S,
    X,
    Y,
)
from cloverleaf.map.opendrive.geometry import road_pose
from cloverleaf.map.opendrive.lanes import lane_extent, section_at
from cloverleaf.map.opendrive.tables import LANE_BEGIN, LANE_END, LANE_ID, USE
from cloverleaf.scenario.storyboard import tables as T

URBAN = 50.0 / 3.6  # m/s, where neither the action nor the map says how fast
STANDING_GAP = 2.0  # m
HEADWAY = 1.0  # s that a vehicle keeps to others as it arrives
WIDE = 2.0  # m, narrower lanes are no place to arrive
BESIDE = 0.3  # m of lateral gap below which vehicles are in each other's way
ANY_WAY, SAME_WAY, OTHER_WAY = range(3)


@kernel
def traffic_column(p, k):
    """Column of `variable` with the state of traffic action k (Y_*)."""
    return p.sizes[T.Z_VARIABLES] + p.sizes[T.Z_SIGNALS] + 2 * p.signals.shape[0] + TRAFFIC * k


@kernel
def draw(p, clock, variable, k):
    """The next number in [0, 1) of traffic action k."""
    at = traffic_column(p, k) + Y_DRAWS
    variable[at] += 1.0
    return uniform(stream(int(clock[SEED]), 0, k, SCENARIO_TRAFFIC), int(variable[at]))


@kernel
def draw_body(p, v, k, u):
    """Index in `members` of the vehicle that u in [0, 1) chooses by weight."""
    begin, end = p.traffic[k, T.D_BODY], p.traffic[k, T.D_BODY_END]
    total = 0.0
    for b in range(begin, end, T.BODY_COLUMNS):
        total += v[p.members[b + 2]]
    rest = u * total
    for b in range(begin, end, T.BODY_COLUMNS):
        rest -= v[p.members[b + 2]]
        if rest < 0.0:
            return b
    return end - T.BODY_COLUMNS


@kernel
def take_body(p, v, a, i, body):
    """Give a row the box, performance and category of a vehicle."""
    slot = p.members[body]
    a[i, BODY_KIND] = p.members[body + 1]
    a[i, LENGTH], a[i, WIDTH] = v[slot + T.B_LENGTH], v[slot + T.B_WIDTH]
    a[i, BOX_X], a[i, BOX_Y] = v[slot + T.B_X], v[slot + T.B_Y]
    a[i, REACH] = 0.5 * (a[i, LENGTH] + a[i, WIDTH]) + abs(a[i, BOX_X]) + abs(a[i, BOX_Y])
    a[i, MAX_SPEED], a[i, MAX_ACCEL], a[i, MAX_DECEL] = (
        v[slot + T.B_MAX_SPEED],
        v[slot + T.B_MAX_ACCEL],
        v[slot + T.B_MAX_DECEL],
    )


@kernel
def fits(m, row, s, way, heading):
    """True if traffic drives on a lane row at s, in the wanted direction against a heading."""
    lane_id = m.lane_i[row, LANE_ID]
    if lane_id == 0 or m.lane_i[row, USE] != 2:
        return False
    inner, outer, _, _, _, _ = lane_extent(m, row, s)
    if outer - inner < WIDE:
        return False
    if way == ANY_WAY:
        return True
    road = m.lane_i[row, 8]
    _, _, h, _ = road_pose(m, road, s)
    along = math.cos(h - heading) if drives_along(m, road, lane_id) else -math.cos(h - heading)
    return (along > 0.0) == (way == SAME_WAY)


@kernel
def lane_across_road(m, road, s, u, way, heading):
    """The lane row that u in [0, 1) chooses among all of a road at s that fit; -1 if none does."""
    section = section_at(m, road, s)
    begin, end = m.section_i[section, LANE_BEGIN], m.section_i[section, LANE_END]
    count = 0
    for row in range(begin, end):
        if fits(m, row, s, way, heading):
            count += 1
    pick = int(u * count)
    for row in range(begin, end):
        if fits(m, row, s, way, heading):
            if pick == 0:
                return row
            pick -= 1
    return -1


@kernel
def put_on_lane(m, a, i, row, s):
    """Put a row on the centre of a lane, as its traffic drives."""
    a[i, TURN] = 0.0
    place_on_row(m, a, i, row, s, 0.0)


@kernel
def near_point(m, g, a, i, x, y, u, way, heading, own_lane):
    """Put row i on a lane of the road nearest to a point: the lane there if it fits and `own_lane` is 1, else one drawn by u. 1 if done."""
    a[i, X], a[i, Y], a[i, HEADING] = x, y, 0.0
    find_lane(m, g, a, i)
    road, s, row = int(a[i, ROAD]), a[i, S], int(a[i, ROW])
    if road < 0:
        return False
    if own_lane == 0 or row < 0 or not fits(m, row, s, way, heading):
        row = lane_across_road(m, road, s, u, way, heading)
    if row < 0:
        return False
    put_on_lane(m, a, i, row, s)
    return True


@kernel
def in_polygon(path, begin, end, x, y):
    """True if a point lies inside a polygon of path rows (crossings of a ray, Jordan)."""
    inside, j = False, end - 1
    for i in range(begin, end):
        if (path[i, PY] > y) != (path[j, PY] > y):
            if x < path[i, PX] + (y - path[i, PY]) / (path[j, PY] - path[i, PY]) * (path[j, PX] - path[i, PX]):
                inside = not inside
        j = i
    return inside


@kernel
def has_room(p, m, n, a, i, speed):
    """True if row i, not yet there, would stand clear of all others at this speed (m/s)."""
    for k in range(p.entities.shape[0]):
        if a[k, PRESENT] == 0.0:
            continue
        dx, dy = a[k, X] - a[i, X], a[k, Y] - a[i, Y]
        reach = 10.0 + a[i, REACH] + a[k, REACH] + HEADWAY * max(speed, abs(a[k, SPEED]))
        if dx * dx + dy * dy > reach * reach:
            continue
        if gap_between(a, i, k) < 0.5 * STANDING_GAP:
            return False
        ds, dt = lane_gap(m, n, a, i, k)
        if not ds < math.inf:
            continue
        f = facing(a, i)
        ci, li, si, wi = road_extent(a, i)
        ck, lk, sk, wk = road_extent(a, k)
        if abs(free_gap(wi + wk, dt + f * (sk - si))) > BESIDE:
            continue
        gap = free_gap(li + lk, ds + f * (ck - ci))
        behind = speed if gap > 0.0 else abs(a[k, SPEED])
        if abs(gap) < STANDING_GAP + HEADWAY * behind:
            return False
    return True


@kernel
def starting_speed(limit, a, i, asked):
    """What the action asks for, else the limit of the lane."""
    if not math.isnan(asked):
        return min(asked, a[i, MAX_SPEED])
    row = int(a[i, ROW])
    own = limit[row] if row >= 0 else math.nan
    return min(URBAN if math.isnan(own) else own, a[i, MAX_SPEED])


@kernel
def arrive(p, a, k, here, speed):
    """Bring the vehicle that stands on row `here` into the world on a free row of action k; False if none is free."""
    for i in range(p.traffic[k, T.D_POOL], p.traffic[k, T.D_POOL_END]):
        if a[i, PRESENT] == 1.0:
            continue
        copy_place(a, here, i)
        for c in (LENGTH, WIDTH, BOX_X, BOX_Y, REACH, MAX_SPEED, MAX_ACCEL, MAX_DECEL, BODY_KIND):
            a[i, c] = a[here, c]
        a[i, PRESENT], a[i, SPEED], a[i, OLD_SPEED], a[i, DESIRED], a[i, ACCEL] = 1.0, speed, speed, speed, 0.0
        a[i, ODOMETER], a[i, AT_END], a[i, GOAL_ROUTE], a[i, GOAL_ROAD] = 0.0, 0.0, -1.0, -1.0
        a[i, STILL_SINCE], a[i, OFFROAD_SINCE], a[i, END_SINCE] = math.nan, math.nan, math.nan
        a[i, THROTTLE], a[i, BRAKE] = math.nan, math.nan
        a[i, WANDERS], a[i, CHANCE] = 1.0, math.nan
        jump(a, i)
        return True
    return False

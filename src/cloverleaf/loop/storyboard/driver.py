"""A driver of your own in place of the storyboard's default controller: the slot, what it sees and what it answers.

`@driver` compiles a function of one fixed signature, `drive(own, near, memory, command)`, all contiguous float64. It is called once a
step for each entity that it drives, and sees the world as it was at the end of the step before, so that no order of entities matters.
Units are m, s, rad; "left" and "ahead" are seen along the entity's lane.
"""

from __future__ import annotations

import math

from numba import types

from cloverleaf.algo.jit import inlined
from cloverleaf.algo.pointer import pointer
from cloverleaf.loop.storyboard.distance import along_lane, box_centre, facing, free_gap, lane_gap, road_extent
from cloverleaf.loop.storyboard.state import (
    ACCEL,
    DESIRED,
    DT,
    G_CURVATURE,
    G_HIGH,
    G_LOW,
    G_WIDTH,
    HEADING,
    LANE,
    LENGTH,
    LON_CONTROL,
    OFFSET,
    PRESENT,
    ROAD,
    ROW,
    SPEED,
    TIME,
    VX,
    VY,
    WIDTH,
    S,
    X,
    Y,
)
from cloverleaf.map.opendrive.geometry import road_pose
from cloverleaf.map.opendrive.lanes import lane_extent

(
    OWN_TIME, OWN_DT, OWN_X, OWN_Y, OWN_HEADING, OWN_SPEED, OWN_ACCEL, OWN_LENGTH, OWN_WIDTH, OWN_DESIRED, OWN_S, OWN_OFFSET,
    OWN_LANE_WIDTH, OWN_LIMIT, OWN_CURVATURE, OWN_LATERAL_SPEED, OWN_ACTIVE,
) = range(17)  # fmt: skip
"""Columns of `own`: reference point, heading, speed; DESIRED: speed the storyboard asks for; OFFSET from the lane's centre, left positive;
LIMIT: speed limit of the lane (NaN unknown); CURVATURE of the road (1/m, left positive); LATERAL_SPEED across the lane;
ACTIVE 1 while the driver has the longitudinal control."""
(
    PRESENT_HERE, GAP, DX, DY, NEAR_SPEED, NEAR_LATERAL_SPEED, NEAR_ACCEL, NEAR_LENGTH, NEAR_WIDTH, NEAR_LANES, NEAR_KIND, NEAR_BESIDE,
) = range(12)  # fmt: skip
"""Columns of `near`, one row for each entity: GAP bumper to bumper along the road (m, negative behind, 0 beside, NaN no road leads there);
DX, DY from box centre to box centre, ahead and left; SPEED and LATERAL_SPEED along and across the own lane; LANES to the left (NaN none);
BESIDE: lateral gap of the boxes (m, 0 where they overlap, negative to the right)."""
OWN, NEAR, COMMAND = 17, 12, 2
COMMAND_ACCEL, COMMAND_CURVATURE = range(2)  # m/s2; 1/m, NaN: keep the lane as the default controller does

SAME_LANE = 1.5  # m to the side, within which somebody on another road counts as in the same lane

_F8 = types.float64
SIGNATURE = types.void(
    types.Array(_F8, 1, "C"), types.Array(_F8, 2, "C"), types.Array(_F8, 1, "C"), types.Array(_F8, 1, "C")
)
DRIVER = types.FunctionType(SIGNATURE)
NOBODY, OUTSIDE, COMPILED = range(3)  # codes of the N_DRIVER column


driver = pointer(SIGNATURE)
"""Decorator: a function as a driver, a pointer of one fixed signature that the engine takes without being compiled again."""


@driver
def stand_by(own, near, memory, command):
    """Keeps its speed."""
    command[COMMAND_ACCEL] = 0.0


@inlined
def look(p, m, n, clock, a, limit, i, own, near):
    """Fill what the driver of entity i sees."""
    f = facing(a, i)
    c, s = along_lane(a, i)
    own[OWN_TIME], own[OWN_DT] = clock[TIME], clock[DT]
    own[OWN_X], own[OWN_Y], own[OWN_HEADING] = a[i, X], a[i, Y], a[i, HEADING]
    own[OWN_SPEED], own[OWN_ACCEL], own[OWN_DESIRED] = a[i, SPEED], a[i, ACCEL], a[i, DESIRED]
    own[OWN_LENGTH], own[OWN_WIDTH] = a[i, LENGTH], a[i, WIDTH]
    own[OWN_ACTIVE] = 1.0 if a[i, LON_CONTROL] >= 0.0 else 0.0
    own[OWN_S], own[OWN_OFFSET] = a[i, S], f * a[i, OFFSET]
    own[OWN_LATERAL_SPEED] = a[i, VY] * c - a[i, VX] * s
    own[OWN_LANE_WIDTH], own[OWN_LIMIT], own[OWN_CURVATURE] = math.nan, math.nan, 0.0
    row = int(a[i, ROW])
    if row >= 0 and a[i, ROAD] >= 0:
        own[OWN_LIMIT] = limit[row]
        if a[i, G_LOW] <= a[i, S] <= a[i, G_HIGH]:
            own[OWN_LANE_WIDTH], own[OWN_CURVATURE] = a[i, G_WIDTH], f * a[i, G_CURVATURE]
        else:
            inner, outer, _, _, _, _ = lane_extent(m, row, a[i, S])
            _, _, _, k = road_pose(m, int(a[i, ROAD]), a[i, S])
            own[OWN_LANE_WIDTH], own[OWN_CURVATURE] = outer - inner, f * k
    for k in range(p.entities.shape[0]):
        near[k, PRESENT_HERE] = 0.0
        if k != i and a[k, PRESENT] != 0.0:
            look_at(p, m, n, a, i, k, f, c, s, near)


@inlined
def look_at(p, m, n, a, i, k, f, c, s, near):
    """Fill the row of another entity k; (c, s) leads along the road the way that entity i faces, f is 1 if that is +s."""
    near[k, PRESENT_HERE], near[k, GAP], near[k, NEAR_BESIDE], near[k, NEAR_LANES] = 1.0, math.nan, math.nan, math.nan
    near[k, NEAR_ACCEL], near[k, NEAR_LENGTH], near[k, NEAR_WIDTH] = a[k, ACCEL], a[k, LENGTH], a[k, WIDTH]
    near[k, NEAR_KIND] = p.entities[k, 0]
    vx, vy = a[k, VX], a[k, VY]
    ds, dt = lane_gap(m, n, a, i, k)
    if not ds < math.inf:
        ox, oy = box_centre(a, i)
        bx, by = box_centre(a, k)
        near[k, DX], near[k, DY] = (bx - ox) * c + (by - oy) * s, (by - oy) * c - (bx - ox) * s
        near[k, NEAR_SPEED], near[k, NEAR_LATERAL_SPEED] = vx * c + vy * s, vy * c - vx * s
        return
    ci, li, si, wi = road_extent(a, i)
    ck, lk, sk, wk = road_extent(a, k)
    ahead, aside = ds + f * (ck - ci), dt + f * (sk - si)
    near[k, GAP] = free_gap(li + lk, ahead)
    near[k, NEAR_BESIDE] = free_gap(wi + wk, aside)
    near[k, DX], near[k, DY] = ahead, aside
    # speeds along and across the road where the other one is, so that bends do not count as turning
    x, y = along_lane(a, k)
    if a[k, ROAD] == a[i, ROAD]:
        lanes = a[k, LANE] - a[i, LANE]
        if (a[k, LANE] > 0.0) != (a[i, LANE] > 0.0):
            lanes -= 1.0 if lanes > 0.0 else -1.0
        near[k, NEAR_LANES] = f * lanes
        same = facing(a, k) == f
    else:
        if abs(aside) < SAME_LANE:
            near[k, NEAR_LANES] = 0.0
        g = facing(a, k)
        x, y = g * x, g * y  # along +s there
        same = x * c + y * s >= 0.0
    if not same:
        x, y = -x, -y
    near[k, NEAR_SPEED], near[k, NEAR_LATERAL_SPEED] = vx * x + vy * y, vy * x - vx * y

"""A driver of your own in place of the storyboard's default controller: the slot, what it sees and what it answers.

`@driver` compiles a function of one fixed signature, `drive(own, near, memory, command)`, all contiguous float64. It is called once a
step for each entity that it drives, before that entity moves. Units are m, s, rad; "left" and "ahead" are seen along the entity's lane.
"""

from __future__ import annotations

import math

from numba import types

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.pointer import pointer
from cloverleaf.loop.storyboard.distance import free_gap, lane_gap, road_extent
from cloverleaf.loop.storyboard.state import (
    ACCEL,
    BOX_X,
    BOX_Y,
    DESIRED,
    DT,
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
    TURN,
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


@kernel
def look(p, m, n, clock, a, limit, i, own, near):
    """Fill what the driver of entity i sees."""
    lane_heading = a[i, HEADING] - a[i, TURN] + (0.0 if math.cos(a[i, TURN]) >= 0.0 else math.pi)
    c, s = math.cos(lane_heading), math.sin(lane_heading)
    own[OWN_TIME], own[OWN_DT] = clock[TIME], clock[DT]
    own[OWN_X], own[OWN_Y], own[OWN_HEADING] = a[i, X], a[i, Y], a[i, HEADING]
    own[OWN_SPEED], own[OWN_ACCEL], own[OWN_DESIRED] = a[i, SPEED], a[i, ACCEL], a[i, DESIRED]
    own[OWN_LENGTH], own[OWN_WIDTH] = a[i, LENGTH], a[i, WIDTH]
    own[OWN_ACTIVE] = 1.0 if a[i, LON_CONTROL] >= 0.0 else 0.0
    facing = 1.0 if math.cos(a[i, TURN]) >= 0.0 else -1.0
    own[OWN_S], own[OWN_OFFSET] = a[i, S], facing * a[i, OFFSET]
    own[OWN_LATERAL_SPEED] = a[i, VY] * c - a[i, VX] * s
    own[OWN_LANE_WIDTH], own[OWN_LIMIT], own[OWN_CURVATURE] = math.nan, math.nan, 0.0
    row = int(a[i, ROW])
    if row >= 0 and a[i, ROAD] >= 0:
        inner, outer, _, _, _, _ = lane_extent(m, row, a[i, S])
        own[OWN_LANE_WIDTH], own[OWN_LIMIT] = outer - inner, limit[row]
        _, _, _, k = road_pose(m, int(a[i, ROAD]), a[i, S])
        own[OWN_CURVATURE] = facing * k
    ci, li, si, wi = road_extent(a, i)
    ox = a[i, X] + a[i, BOX_X] * math.cos(a[i, HEADING]) - a[i, BOX_Y] * math.sin(a[i, HEADING])
    oy = a[i, Y] + a[i, BOX_X] * math.sin(a[i, HEADING]) + a[i, BOX_Y] * math.cos(a[i, HEADING])
    for k in range(p.entities.shape[0]):
        near[k, PRESENT_HERE] = 0.0
        if k == i or a[k, PRESENT] == 0.0:
            continue
        near[k, PRESENT_HERE] = 1.0
        h = a[k, HEADING]
        dx = a[k, X] + a[k, BOX_X] * math.cos(h) - a[k, BOX_Y] * math.sin(h) - ox
        dy = a[k, Y] + a[k, BOX_X] * math.sin(h) + a[k, BOX_Y] * math.cos(h) - oy
        ds, dt = lane_gap(m, n, a, i, k)
        ck, lk, sk, wk = road_extent(a, k)
        near[k, GAP], near[k, NEAR_BESIDE], near[k, NEAR_LANES] = math.nan, math.nan, math.nan
        vx, vy = a[k, VX], a[k, VY]
        if ds < math.inf:
            ahead, aside = ds + facing * (ck - ci), dt + facing * (sk - si)
            near[k, GAP] = free_gap(li + lk, ahead)
            near[k, NEAR_BESIDE] = free_gap(wi + wk, aside)
            near[k, DX], near[k, DY] = ahead, aside
            if a[k, ROAD] == a[i, ROAD]:
                lanes = a[k, LANE] - a[i, LANE]
                if (a[k, LANE] > 0.0) != (a[i, LANE] > 0.0):
                    lanes -= 1.0 if lanes > 0.0 else -1.0
                near[k, NEAR_LANES] = facing * lanes
            elif abs(aside) < 1.5:
                near[k, NEAR_LANES] = 0.0
            # speeds along and across the road where the other one is, so that bends do not count as turning
            h_lane = a[k, HEADING] - a[k, TURN]
            turned = math.cos(wrap_angle(h_lane - lane_heading)) < 0.0 and a[k, ROAD] != a[i, ROAD]
            if (a[k, ROAD] == a[i, ROAD] and facing < 0.0) or turned:
                h_lane += math.pi
            near[k, NEAR_SPEED] = vx * math.cos(h_lane) + vy * math.sin(h_lane)
            near[k, NEAR_LATERAL_SPEED] = vy * math.cos(h_lane) - vx * math.sin(h_lane)
        else:
            near[k, DX], near[k, DY] = dx * c + dy * s, dy * c - dx * s
            near[k, NEAR_SPEED], near[k, NEAR_LATERAL_SPEED] = vx * c + vy * s, vy * c - vx * s
        near[k, NEAR_ACCEL], near[k, NEAR_LENGTH], near[k, NEAR_WIDTH] = a[k, ACCEL], a[k, LENGTH], a[k, WIDTH]
        near[k, NEAR_KIND] = p.entities[k, 0]

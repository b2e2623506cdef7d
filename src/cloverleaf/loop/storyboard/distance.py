"""Distances between actors, and between actors and places: in the frame of the entity, along roads, along trajectories."""

from __future__ import annotations

import math

from cloverleaf.algo.boxes import box_corner, box_gap
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.state import (
    BOX_X,
    BOX_Y,
    DIR_OF,
    DIR_X,
    DIR_Y,
    HEADING,
    LENGTH,
    ROAD,
    T_ROAD,
    TURN,
    WIDTH,
    S,
    X,
    Y,
)
from cloverleaf.scenario.storyboard.tables import ACROSS, ALONG, LANE_SYSTEM, ROAD_SYSTEM

HALF_TURN = 0.5 * math.pi


@inlined
def direction(a, i):
    """(cosine, sine) of an actor's heading, worked out anew only when it has turned."""
    h = a[i, HEADING]
    if a[i, DIR_OF] != h:
        a[i, DIR_OF], a[i, DIR_X], a[i, DIR_Y] = h, math.cos(h), math.sin(h)
    return a[i, DIR_X], a[i, DIR_Y]


@inlined
def facing(a, i):
    """1.0 if an actor faces along +s of its road, else -1.0."""
    return 1.0 if abs(a[i, TURN]) <= HALF_TURN else -1.0


@inlined
def along_lane(a, i):
    """Unit vector along an actor's road, the way that it faces."""
    c, s = direction(a, i)
    if a[i, TURN] != 0.0:
        h = a[i, HEADING] - a[i, TURN]
        f = facing(a, i)
        c, s = f * math.cos(h), f * math.sin(h)
    return c, s


@kernel
def box_centre(a, i):
    """Centre of an actor's box in the plane."""
    c, s = direction(a, i)
    return a[i, X] + c * a[i, BOX_X] - s * a[i, BOX_Y], a[i, Y] + s * a[i, BOX_X] + c * a[i, BOX_Y]


@kernel
def gap_between(a, i, k):
    """Signed gap of two boxes, m, 0 or less if they overlap."""
    ax, ay = box_centre(a, i)
    bx, by = box_centre(a, k)
    return box_gap(ax, ay, a[i, HEADING], a[i, LENGTH], a[i, WIDTH], bx, by, a[k, HEADING], a[k, LENGTH], a[k, WIDTH])


@kernel
def free_along_across(a, i, k):
    """Longitudinal and lateral distance of two boxes in the frame of actor i: 0 where their shadows overlap, negative behind and right."""
    c, s = direction(a, i)
    bx, by = box_centre(a, k)
    low_x, high_x, low_y, high_y = math.inf, -math.inf, math.inf, -math.inf
    for q in range(4):
        px, py = box_corner(q, bx, by, a[k, HEADING], a[k, LENGTH], a[k, WIDTH])
        dx, dy = px - a[i, X], py - a[i, Y]
        u, w = dx * c + dy * s - a[i, BOX_X], dy * c - dx * s - a[i, BOX_Y]
        low_x, high_x = min(low_x, u), max(high_x, u)
        low_y, high_y = min(low_y, w), max(high_y, w)
    front, side = 0.5 * a[i, LENGTH], 0.5 * a[i, WIDTH]
    along = low_x - front if low_x > front else (high_x + front if high_x < -front else 0.0)
    across = low_y - side if low_y > side else (high_y + side if high_y < -side else 0.0)
    return along, across


@kernel
def road_ds(m, n, road, s, other, other_s):
    """Shortest way from (road, s) to (other, other_s) along roads: (m along +s of the first road, or negative against it; 1 if roads
    run the same way there, else -1; inf if no way leads there)."""
    if road < 0 or other < 0:
        return math.inf, 1.0
    best, sense = math.inf, 1.0
    if road == other:
        return other_s - s, 1.0
    if n.hop.shape[0] <= 2 * other:
        return best, sense
    for end in range(2):
        out = m.road_length[road] - s if end == 1 else s
        for enter in range(2):
            way = (
                out
                + n.hop[2 * road + end, 2 * other + enter]
                + (other_s if enter == 0 else m.road_length[other] - other_s)
            )
            if way < abs(best):
                best = way if end == 1 else -way
                sense = 1.0 if end != enter else -1.0
    return best, sense


@inlined
def lane_gap(m, n, a, i, k):
    """(ds, dt) from actor i to k along the road, positive ahead of and left of i as it faces; inf where roads do not connect."""
    f = facing(a, i)
    if a[i, ROAD] == a[k, ROAD] and a[i, ROAD] >= 0.0:
        return f * (a[k, S] - a[i, S]), f * (a[k, T_ROAD] - a[i, T_ROAD])
    ds, sense = road_ds(m, n, int(a[i, ROAD]), a[i, S], int(a[k, ROAD]), a[k, S])
    if not abs(ds) < math.inf:
        return math.inf, math.inf
    return f * ds, f * (sense * a[k, T_ROAD] - a[i, T_ROAD])


@inlined
def road_extent(a, i):
    """Reach of a box along its road from the reference point: ahead and behind (as it faces), and half its width across."""
    turn = a[i, TURN]
    if turn == 0.0:
        return a[i, BOX_X], 0.5 * a[i, LENGTH], a[i, BOX_Y], 0.5 * a[i, WIDTH]
    c, s = abs(math.cos(turn)), abs(math.sin(turn))
    centre = a[i, BOX_X] * math.cos(turn) - a[i, BOX_Y] * math.sin(turn)
    side = a[i, BOX_X] * math.sin(turn) + a[i, BOX_Y] * math.cos(turn)
    along = 0.5 * (a[i, LENGTH] * c + a[i, WIDTH] * s)
    across = 0.5 * (a[i, LENGTH] * s + a[i, WIDTH] * c)
    return centre, along, side, across


@inlined
def free_gap(reach, gap):
    """A centre distance less the reach of both boxes; 0 if they overlap."""
    if gap > reach:
        return gap - reach
    if gap < -reach:
        return gap + reach
    return 0.0


@inlined
def gap_on_road(a, i, k, free):
    """Distance of two actors along the road they share, m, positive ahead of i; `free` 1 between their boxes."""
    f = facing(a, i)
    ds = f * (a[k, S] - a[i, S])
    if free == 1:
        ci, li, _, _ = road_extent(a, i)
        ck, lk, _, _ = road_extent(a, k)
        ds = free_gap(li + lk, ds + f * (ck - ci))
    return ds


@kernel
def distance_to_actor(m, n, a, i, k, system, kind, free):
    """Distance from actor i to k: signed (ahead, left positive) along or across, else the straight distance; inf if undefined."""
    if kind != ALONG and kind != ACROSS:
        if free == 1:
            return max(gap_between(a, i, k), 0.0)
        dx, dy = a[k, X] - a[i, X], a[k, Y] - a[i, Y]
        return math.sqrt(dx * dx + dy * dy)
    if system in (ROAD_SYSTEM, LANE_SYSTEM):
        ds, dt = lane_gap(m, n, a, i, k)
        if free == 1 and ds < math.inf:
            f = facing(a, i)
            ci, li, si, wi = road_extent(a, i)
            ck, lk, sk, wk = road_extent(a, k)
            ds = free_gap(li + lk, ds + f * (ck - ci))
            dt = free_gap(wi + wk, dt + f * (sk - si))
        return ds if kind == ALONG else dt
    if free == 1:
        along, across = free_along_across(a, i, k)
        return along if kind == ALONG else across
    c, s = direction(a, i)
    dx, dy = a[k, X] - a[i, X], a[k, Y] - a[i, Y]
    return dx * c + dy * s if kind == ALONG else dy * c - dx * s


@kernel
def distance_to_place(m, n, a, i, k, system, kind, free):
    """`distance_to_actor` for a place on spare row k: a point without a box."""
    a[k, LENGTH], a[k, WIDTH], a[k, BOX_X], a[k, BOX_Y] = 0.0, 0.0, 0.0, 0.0
    return distance_to_actor(m, n, a, i, k, system, kind, free)

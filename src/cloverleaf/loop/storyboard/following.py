"""FollowTrajectoryAction: along a trajectory by speed, or by its time stamps."""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.layout import lay_out
from cloverleaf.loop.storyboard.lifecycle import finish
from cloverleaf.loop.storyboard.place import find_lane
from cloverleaf.loop.storyboard.state import (
    DT,
    HEADING,
    MOVED,
    PATH_ACTION,
    PATH_ROW,
    PATH_S,
    PFIXED,
    PH,
    PS,
    PT,
    PV,
    SPEED,
    STEERED,
    TIME,
    W0,
    W1,
    W2,
    X,
    Y,
    Z,
)
from cloverleaf.loop.storyboard.trajectory import point_on_path, s_at_time, time_pieces
from cloverleaf.scenario.storyboard import tables as T

TINY = 1e-6
NO_TIMING, BY_RELATIVE_TIME, BY_TIME = range(3)


@kernel
def place_on_path(p, m, g, a, path, k, i, s, sense):
    """Put an actor on its trajectory at s; `sense` -1: it faces against the direction of the trajectory."""
    j = p.actions[k, T.A_REF]
    begin = p.trajectories[j, T.J_ROW]
    end = begin + p.trajectories[j, T.J_ROWS]
    smooth = 1 if p.trajectories[j, T.J_SHAPE] == T.NURBS else p.actions[k, T.A_MODE]
    x, y, z, h, row = point_on_path(path, begin, end, s, smooth, int(a[i, PATH_ROW]))
    a[i, X], a[i, Y] = x, y
    a[i, HEADING] = wrap_angle(h if sense > 0.0 else h + math.pi)
    a[i, PATH_S], a[i, PATH_ROW] = s, row
    find_lane(m, g, a, i)
    if not math.isnan(z):
        a[i, Z] = z


@kernel
def start_follow(p, v, m, g, n, a, path, el, e, k, i):
    """W0 clock of the trajectory, W1 1 as it faces along, -1 against, W2 1 if vertices ask for headings."""
    j = p.actions[k, T.A_REF]
    lay_out(p, v, m, g, n, a, path, j, i)
    begin = p.trajectories[j, T.J_ROW]
    end = begin + p.trajectories[j, T.J_ROWS]
    s = min(max(v[p.actions[k, T.A_SLOT] + 2], 0.0), path[end - 1, PS])
    a[i, PATH_ACTION], a[i, PATH_ROW] = e, begin
    timing = p.actions[k, T.A_DIMENSION]
    el[e, W0] = path[begin, PT]
    if timing != NO_TIMING:
        smooth = p.actions[k, T.A_MODE] == 1 and p.trajectories[j, T.J_SHAPE] == T.POLYLINE
        time_pieces(path, begin, end, 1 if smooth else 0, a[i, SPEED])
    fixed = not math.isnan(path[begin, PFIXED])
    el[e, W2] = 1.0 if fixed else 0.0
    sense = 1.0
    if not fixed and timing == NO_TIMING and a[i, SPEED] < -TINY:
        sense = -1.0
    # an orientation against the direction of motion: the entity reverses along the trajectory
    el[e, W1] = sense
    if fixed and math.cos(path[begin, PFIXED] - path[begin, PH]) < -TINY:
        el[e, W1] = -1.0
    place_on_path(p, m, g, a, path, k, i, s, sense)
    if timing != NO_TIMING:
        a[i, SPEED] = el[e, W1] * path[begin, PV]


@kernel
def step_follow(p, v, m, g, clock, a, path, el, log, e, k, i):
    """One step along the trajectory; at its end the rest of the step goes straight on."""
    j, slot, dt = p.actions[k, T.A_REF], p.actions[k, T.A_SLOT], clock[DT]
    begin = p.trajectories[j, T.J_ROW]
    end = begin + p.trajectories[j, T.J_ROWS]
    total = path[end - 1, PS]
    a[i, MOVED], a[i, STEERED] = 1.0, 1.0
    before = a[i, PATH_S]
    timing = p.actions[k, T.A_DIMENSION]
    rest, done = 0.0, False
    fixed = el[e, W2] == 1.0
    if timing == NO_TIMING:
        s = before + el[e, W1] * a[i, SPEED] * dt
        if p.trajectories[j, T.J_CLOSED] == 1 and total > TINY:
            s -= total * math.floor(s / total)
        elif dt > 0.0 and ((s > total - TINY and s > before) or (s < TINY and s < before)):
            done = True
            rest = abs(a[i, SPEED]) * dt - abs(min(max(s, 0.0), total) - before)
        s = min(max(s, 0.0), total)
    else:
        scale, offset = v[slot], v[slot + 1]
        el[e, W0] = el[e, W0] + scale * dt if timing == BY_RELATIVE_TIME else (clock[TIME] + dt) * scale
        now = el[e, W0] + offset
        s = s_at_time(path, begin, end, now)
        last = path[end - 1, PT]
        if now < last + TINY and dt > TINY:
            a[i, SPEED] = el[e, W1] * (s - before) / dt
        if now > last - TINY:
            done = True
            rest = (now - last) * abs(a[i, SPEED])
    place_on_path(p, m, g, a, path, k, i, s, 1.0 if fixed else el[e, W1])
    if done:
        if rest > 0.0:
            heading = a[i, HEADING] if a[i, SPEED] >= 0.0 else a[i, HEADING] + math.pi
            a[i, X] += rest * math.cos(heading)
            a[i, Y] += rest * math.sin(heading)
            find_lane(m, g, a, i)
        a[i, PATH_ACTION] = -1.0
        finish(clock, el, log, e)

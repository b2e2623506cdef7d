"""The way ahead: the lanes of the route joined to one line, with limits, bends and junction entries along it."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.roadbook import (
    FIRST_ROW,
    LANE_POINTS,
    LANE_POINTS_END,
    PCOS,
    PHEADING,
    PS,
    PSIN,
    PX,
    PY,
    ROW_LINK,
)
from cloverleaf.car.state import GATES, GIVE_WAY, KEEP_CLEAR, POINTS, SEGMENTS, STOP_FIRST
from cloverleaf.types.traffic import (
    LANE_INDEX,
    LANE_INTERNAL,
    LANE_LENGTH,
    LANE_NEXT,
    LANE_SPEED,
    LINK_CLEAR,
    LINK_FREE,
    LINK_LENGTH,
    LINK_STATE,
    LINK_TO,
    LINK_VIA,
)  # fmt: skip

LATERAL_ACCEL = 1.9  # m/s2, comfortable in bends
SLOWING = 1.4  # m/s2, comfortable towards a lower limit
STEP_LENGTH, STEP_TURN = 2.0, 0.5  # m, rad: shorter with sharper turns either way at its ends is a step aside, not a bend
STEP_EASE = 2.5  # m, before and after a step, over which it is spread
_STOP, _ALLWAY, _MAJOR = ord("s"), ord("w"), ord("M")


@kernel
def onward_link(book, route, pos, lane):
    """The link by which the route leaves `lane`: -1 the lane does not lead on, -2 the route ends on this edge."""
    if book.lane_i[lane, LANE_INTERNAL] > 0:
        return np.int64(book.lane_i[lane, LANE_NEXT])
    at = book.pos_start[route] + pos
    if at + 1 >= book.pos_start[route + 1]:
        return np.int64(-2)
    return np.int64(book.row_i[book.pos[at, FIRST_ROW] + book.lane_i[lane, LANE_INDEX], ROW_LINK])


@kernel
def _add_lane(book, path, n, lane, offset, back, limit):
    """Append the points of `lane`, which begins at path position `offset`; returns the number of points."""
    first, end = book.lane_i[lane, LANE_POINTS], book.lane_i[lane, LANE_POINTS_END]
    for k in range(first, end):
        at = offset + book.point[k, PS]
        if k + 1 < end and offset + book.point[k + 1, PS] < -back:
            continue
        if n >= POINTS:
            return n
        if n > 0 and at - path.s[n - 1] < 0.05:
            # A joint: the later lane's direction and limit hold from here on.
            n -= 1
            at = path.s[n]
        elif k + 1 == end and n > 0:
            # The last point's heading repeats; keep the segment's.
            path.x[n], path.y[n], path.s[n] = book.point[k, PX], book.point[k, PY], at
            path.heading[n], path.cos[n], path.sin[n] = path.heading[n - 1], path.cos[n - 1], path.sin[n - 1]
            path.limit[n] = limit
            n += 1
            continue
        path.x[n], path.y[n], path.s[n] = book.point[k, PX], book.point[k, PY], at
        path.heading[n], path.cos[n], path.sin[n] = book.point[k, PHEADING], book.point[k, PCOS], book.point[k, PSIN]
        path.limit[n] = limit
        n += 1
    return n


@kernel
def _rule(book, link, inner):
    """What a link without signal asks for at its line."""
    state = book.link_i[link, LINK_STATE]
    rule = 0
    if not inner and (state in (_STOP, _ALLWAY)):
        rule |= STOP_FIRST
    if inner or not (65 <= state <= 90):
        rule |= GIVE_WAY
    if book.link_i[link, LINK_CLEAR] > 0:
        rule |= KEEP_CLEAR
    return rule


@kernel
def build_path(book, path, route, pos, lane, s, back, reach, top_speed):
    """Fill `path` from `back` m behind to `reach` m ahead of position `s` on `lane`, along the route from edge number `pos` on."""
    n, segments, gates = np.int64(0), 0, 0
    offset = -s
    path.n[3] = 0
    path.halt[0] = math.inf
    while True:
        limit = min(book.lane_f[lane, LANE_SPEED], top_speed)
        segments += 1
        n = _add_lane(book, path, n, lane, offset, back, limit)
        offset += book.lane_f[lane, LANE_LENGTH]
        if offset > reach or segments >= SEGMENTS or n >= POINTS - 1:
            break
        internal = book.lane_i[lane, LANE_INTERNAL] > 0
        link = onward_link(book, route, pos, lane)
        if link < 0:
            path.n[3] = 1 if link == -1 else 0
            break
        via = book.link_i[link, LINK_VIA]
        if book.link_i[link, LINK_FREE] == 0 and gates < GATES and (not internal or via >= 0):
            path.gate_link[gates] = link
            path.gate_s[gates] = offset
            path.gate_end[gates] = offset + book.link_f[link, LINK_LENGTH]
            path.gate_rule[gates] = _rule(book, link, internal)
            path.gate_open[gates] = math.inf
            path.gate_shut[gates] = math.inf
            gates += 1
        if via >= 0:
            lane = np.int64(via)
        else:
            lane = np.int64(book.link_i[link, LINK_TO])
            pos += 1
    path.n[0], path.n[1], path.n[2] = n, segments, gates
    ease_steps(path)
    limit_bends(path)


@kernel
def ease_steps(path):
    """Spread steps aside, with which some maps join lanes that do not meet: no car can follow them, who tries swings out.

    A step is a segment shorter than `STEP_LENGTH` between two sharp turns of opposite sense. The points within `STEP_EASE` m of it
    are left out; the first and the last point stay.
    """
    k = 1
    while k < path.n[0] - 2:
        turn = wrap_angle(path.heading[k] - path.heading[k - 1])
        back = wrap_angle(path.heading[k + 1] - path.heading[k])
        if path.s[k + 1] - path.s[k] >= STEP_LENGTH or turn * back >= 0.0 or min(abs(turn), abs(back)) < STEP_TURN:
            k += 1
            continue
        first, end, last = k, k + 2, path.n[0] - 1
        begin, finish = path.s[k] - STEP_EASE, path.s[k + 1] + STEP_EASE
        while first > 1 and path.s[first - 1] > begin:
            first -= 1
        while end < last and path.s[end] < finish:
            end += 1
        limit = path.limit[first - 1]
        for j in range(first, end):
            limit = min(limit, path.limit[j])
        a = first - 1
        path.heading[a] = math.atan2(path.y[end] - path.y[a], path.x[end] - path.x[a])
        path.cos[a], path.sin[a], path.limit[a] = math.cos(path.heading[a]), math.sin(path.heading[a]), limit
        for j in range(end, path.n[0]):
            to = first + j - end
            path.x[to], path.y[to], path.s[to], path.limit[to] = path.x[j], path.y[j], path.s[j], path.limit[j]
            path.heading[to], path.cos[to], path.sin[to] = path.heading[j], path.cos[j], path.sin[j]
        path.n[0] -= end - first
        k = first


@kernel
def limit_bends(path):
    """Fill `top`: the speed at each point that limits and bends at and beyond it allow."""
    n = path.n[0]
    j = 0
    i0 = 0
    for i in range(n):
        while j + 1 < n and path.s[j] < path.s[i] + 4.0:
            j += 1
        while path.s[i0 + 1] < path.s[i] - 4.0 and i0 + 1 < i:
            i0 += 1
        turn = 0.0
        for k in range(i0, j):  # all turning counts: left and right again is no straight line
            turn += abs(wrap_angle(path.heading[k + 1] - path.heading[k]))
        span = min(max(path.s[j] - path.s[i0], 4.0), 9.0)
        bend = turn / span
        path.top[i] = path.limit[i]
        if bend > 1e-4:
            path.top[i] = min(path.limit[i], max(2.5, math.sqrt(LATERAL_ACCEL / bend)))
    for i in range(n - 2, -1, -1):
        ds = path.s[i + 1] - path.s[i]
        path.top[i] = min(path.top[i], math.sqrt(path.top[i + 1] * path.top[i + 1] + 2.0 * SLOWING * ds))


@kernel
def path_index(path, s, hint):
    """Segment that holds position `s`, walking from `hint`."""
    last = path.n[0] - 2
    i = min(max(hint, 0), last)
    while i < last and path.s[i + 1] <= s:
        i += 1
    while i > 0 and path.s[i] > s:
        i -= 1
    return i


@kernel
def top_speed_at(path, s, i):
    """Speed (m/s) allowed at position `s` of segment i, knowing what comes."""
    rest = path.s[i + 1] - s
    ahead = path.top[i + 1]
    return min(path.limit[i], math.sqrt(ahead * ahead + 2.0 * SLOWING * max(rest, 0.0)))


@kernel
def project(path, x, y, hint):
    """Foot of a point on the path near segment `hint` (or anywhere if hint < 0): (s, d, segment)."""
    n = path.n[0]
    if hint < 0:
        best, best_square = 0, math.inf
        for k in range(n):
            dx, dy = x - path.x[k], y - path.y[k]
            square = dx * dx + dy * dy
            # A long straight segment's points are far from a car in its middle: measure the segment itself.
            if k + 1 < n:
                t = dx * path.cos[k] + dy * path.sin[k]
                span = path.s[k + 1] - path.s[k]
                if 0.0 < t < span:
                    square -= t * t
            if square < best_square:
                best, best_square = k, square
        hint = best
    i = min(hint, n - 2)
    while True:
        t = (x - path.x[i]) * path.cos[i] + (y - path.y[i]) * path.sin[i]
        if t > path.s[i + 1] - path.s[i] and i < n - 2:
            nt = (x - path.x[i + 1]) * path.cos[i + 1] + (y - path.y[i + 1]) * path.sin[i + 1]
            if nt < 0.0:
                break
            i += 1
            continue
        if t < 0.0 and i > 0:
            i -= 1
            pt = (x - path.x[i]) * path.cos[i] + (y - path.y[i]) * path.sin[i]
            if pt > path.s[i + 1] - path.s[i]:
                break
            continue
        break
    dx, dy = x - path.x[i], y - path.y[i]
    return path.s[i] + dx * path.cos[i] + dy * path.sin[i], dy * path.cos[i] - dx * path.sin[i], i


@kernel
def swept(path, s, i, half):
    """What a body of half length `half` needs beside its own width at `s` of segment i, because the path turns beneath it, m."""
    turn = 0.0
    if i > 0 and s - path.s[i] < half:
        turn += abs(wrap_angle(path.heading[i] - path.heading[i - 1]))
    if i + 2 < path.n[0] and path.s[i + 1] - s < half:
        turn += abs(wrap_angle(path.heading[i + 1] - path.heading[i]))
    return 0.5 * half * min(turn, 1.0)


__all__ = ["build_path", "onward_link", "path_index", "project", "swept", "top_speed_at"]

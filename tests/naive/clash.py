"""Slow twin of how bodies keep out of room that lanes share: every vehicle of the world is looked at, no list is walked."""

from __future__ import annotations

import numpy as np
from tests.naive.following import braking_way, stop_speed

from cloverleaf.algo.following import krauss_follow_speed
from cloverleaf.types import traffic as T

WAIT_BEFORE_CROSSING, WAIT_BEFORE_PARALLEL = 1.5, 0.1  # m
HELD_UP, FORESIGHT, BETWEEN = 1.0, 1.0, 0.5  # m/s, s, s


def bodies_on(veh, lists, roads, lane):
    """(slot, tail, front) in m on `lane` of all whose front is on it, and of the one that left it last if its tail still is."""
    found = []
    for slot in veh.active[: veh.count[0]].tolist():
        f, i = veh.f[slot], veh.i[slot]
        if i[T.LANE] == lane and not i[T.STATE] & T.PARKED:
            found.append((slot, f[T.S] - f[T.LENGTH], f[T.S]))
        elif lists.left_slot[lane] == slot and lists.left_trip[lane] == i[T.TRIP]:
            front = roads.lane_f[lane, T.LANE_LENGTH] + f[T.ODO] - lists.left_odo[lane]
            if front - f[T.LENGTH] < roads.lane_f[lane, T.LANE_LENGTH]:
                found.append((slot, front - f[T.LENGTH], front))
    return sorted(found, key=lambda body: -body[2])


def next_into(veh, roads, lane):
    """(slot, m to go) of the head of the queue that leads into the junction's path `lane`, if its light lets it."""
    for link in np.flatnonzero(roads.link_i[:, T.LINK_VIA] == lane):
        source = roads.link_i[link, T.LINK_FROM]
        if roads.lane_i[source, T.LANE_INTERNAL]:
            continue
        there = [s for s in veh.active[: veh.count[0]].tolist() if veh.i[s, T.LANE] == source]
        there = [s for s in there if not veh.i[s, T.STATE] & T.PARKED]
        light = roads.link_i[link, T.LINK_LIGHT]
        if there and (light < 0 or chr(roads.light[light]) not in "ry"):
            head = max(there, key=lambda s: veh.f[s, T.S])
            if veh.i[head, T.LINK] == link:
                return head, roads.lane_f[source, T.LANE_LENGTH] - veh.f[head, T.S]
    return -1, 0.0


def yields(own, other, mine, theirs, room, level, dt):
    """True if the driver `own` stops for `other`: both are `mine` and `theirs` metres before the room, which is `room` metres to leave."""
    v, w = max(own[T.V], 0.5), other[T.V]
    if mine < braking_way(own[T.V], own[T.DECEL], 0.0, dt):
        return False
    if (theirs + room) / max(w, 1e-9) + BETWEEN <= mine / v:
        return False  # gone before
    spare = theirs - braking_way(w, other[T.DECEL], 0.0, dt)
    if spare < 0.0:
        return True
    soon = w >= HELD_UP and spare <= w * FORESIGHT
    return soon and (theirs / w < mine / v or (theirs / w == mine / v and not level))


def clash_speed(veh, lists, roads, slot, lane, ahead, dt):
    """Least speed (m/s) over all shared rooms of `lane`, inf if nobody is in the way."""
    own = veh.f[slot]
    speeds = [float("inf")]
    for row in range(roads.lane_i[lane, T.LANE_CLASH], roads.lane_i[lane, T.LANE_CLASH_END]):
        beside, along = roads.clash_i[row]
        begin, end = ahead + roads.clash_f[row, [T.CLASH_BEGIN, T.CLASH_END]]
        low, high = roads.clash_f[row, [T.CLASH_OTHER_BEGIN, T.CLASH_OTHER_END]]
        if end + own[T.LENGTH] < 0.0 or (not along and begin < 0.0):
            continue
        line = begin - (WAIT_BEFORE_PARALLEL if along else WAIT_BEFORE_CROSSING)
        bodies = bodies_on(veh, lists, roads, beside)
        for other, tail, front in bodies:
            if other == slot or front <= low or tail >= high:
                continue
            if not along:
                speeds.append(stop_speed(max(0.0, line), own[T.DECEL], dt, dt))
                continue
            scale = (end - begin) / max(high - low, 0.1)
            lead = begin + (front - low) * scale
            if lead > 0.01 or (lead >= -0.01 and other < slot):
                gap = max(begin + (tail - low) * scale, begin) - own[T.MIN_GAP]
                their = veh.f[other]
                speeds.append(
                    krauss_follow_speed(
                        gap, own[T.V], their[T.V], their[T.DECEL], own[T.DECEL], own[T.EMERGENCY], own[T.TAU], dt
                    )
                )
        outside = [(other, low - front) for other, _, front in bodies if front <= low]
        if outside:
            other, way = outside[0]
        else:
            other, way = next_into(veh, roads, beside)
            way += low
        if line > 0.0 and other not in (-1, slot):
            room = high - low + veh.f[other, T.LENGTH]
            if yields(own, veh.f[other], line, way, room, slot < other, dt):
                speeds.append(stop_speed(line, own[T.DECEL], dt, dt))
    return min(speeds)

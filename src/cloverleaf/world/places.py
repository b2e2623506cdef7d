"""Places: x, y and heading of lane-bound vehicles from their lanes' centre lines."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.types.traffic import (
    ACC,
    CAME_BY,
    CONTROL,
    KIND,
    LANE,
    LANE_INTERNAL,
    LANE_LENGTH,
    LANE_NEXT,
    LENGTH,
    LINK_ENTRY,
    LINK_FROM,
    LINK_TO,
    LINK_VIA,
    POS,
    TRIP,
    WIDTH,
    D,
    S,
    V,
)

PIECES = 6
"""Lanes behind the own one that a body may reach over."""


@kernel
def point_on(start, x, y, along, lane, s):
    """Position on the centre line of `lane` at arc length `s` (m), extended straight beyond its ends: (x, y, dx, dy)."""
    first, last = start[lane], start[lane + 1] - 1
    low, high = first, last - 1
    while low < high:
        mid = (low + high + 1) // 2
        if along[mid] <= s:
            low = mid
        else:
            high = mid - 1
    way = along[low + 1] - along[low]
    t = (s - along[low]) / way if way > 1e-9 else 0.0
    dx, dy = x[low + 1] - x[low], y[low + 1] - y[low]
    norm = math.sqrt(dx * dx + dy * dy)
    if norm < 1e-9:
        return x[low], y[low], 1.0, 0.0
    return x[low] + t * dx, y[low] + t * dy, dx / norm, dy / norm


@inlined
def lane_behind(veh, roads, slot, lane):
    """Lane that `slot` came from before `lane`, -1 unknown."""
    if roads.lane_i[lane, LANE_INTERNAL] > 0:
        onward = roads.lane_i[lane, LANE_NEXT]
        if onward < 0:
            return -1
        link = roads.link_i[onward, LINK_ENTRY]
        via = roads.link_i[link, LINK_VIA]
        return int(roads.link_i[link, LINK_FROM]) if via == lane else int(via)
    link = veh.i[slot, CAME_BY]
    if link < 0 or roads.link_i[link, LINK_TO] != lane:
        return -1
    via = roads.link_i[link, LINK_VIA]
    if via < 0:
        return int(roads.link_i[link, LINK_FROM])
    inner = roads.link_i[roads.lane_i[via, LANE_NEXT], LINK_VIA]
    return int(inner if inner >= 0 else via)


@kernel
def lane_pose(veh, roads, start, x, y, along, slot):
    """Centre and heading (x, y, rad) of the box of `slot`: it lies between the points under its front and its rear end."""
    f, lane = veh.f, veh.i[slot, LANE]
    length = f[slot, LENGTH]
    fx, fy, ux, uy = point_on(start, x, y, along, lane, f[slot, S])
    rear = f[slot, S] - length
    at = lane
    for _ in range(PIECES):
        before = lane_behind(veh, roads, slot, at) if rear < 0.0 else -1
        if before < 0:
            break
        rear += roads.lane_f[before, LANE_LENGTH]
        at = before
    rx, ry, _, _ = point_on(start, x, y, along, at, rear)
    dx, dy = fx - rx, fy - ry
    norm = math.sqrt(dx * dx + dy * dy)
    if norm > 0.1:
        ux, uy = dx / norm, dy / norm
    d = f[slot, D]
    return fx - ux * length * 0.5 - uy * d, fy - uy * length * 0.5 + ux * d, math.atan2(uy, ux)


@kernel
def place_all(veh, paths, start, x, y, along, unused, roads, actors):
    """Fill the actors table from the traffic state; the box lies between the points under its front and its rear end."""
    f, i = veh.f, veh.i
    for k in range(veh.count[3]):
        actors.trip[k] = i[k, TRIP]
        if i[k, TRIP] < 0:
            actors.kind[k] = 0
            actors.lane[k] = -1
    for k in range(veh.count[0]):
        slot = veh.active[k]
        lane = i[slot, LANE]
        actors.kind[slot] = i[slot, KIND]
        actors.control[slot] = i[slot, CONTROL]
        actors.speed[slot] = f[slot, V]
        actors.accel[slot] = f[slot, ACC]
        actors.length[slot] = f[slot, LENGTH]
        actors.width[slot] = f[slot, WIDTH]
        actors.lane[slot] = lane
        actors.s[slot] = f[slot, S]
        actors.d[slot] = f[slot, D]
        actors.route_pos[slot] = paths.pos_route[i[slot, POS]]
        if i[slot, CONTROL] == 1:
            continue
        actors.x[slot], actors.y[slot], actors.heading[slot] = lane_pose(veh, roads, start, x, y, along, slot)
        actors.yaw_rate[slot] = 0.0
        d = f[slot, D]
        actors.indicator[slot] = 1 if d < -0.3 else (-1 if d > 0.3 else 0)

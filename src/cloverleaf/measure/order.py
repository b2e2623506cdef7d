"""Who drives behind whom: lane lists and leaders from the Actors columns alone, so that observers depend on no engine."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, Kind

LOOK_AHEAD = 80.0  # m beyond the end of the own lane
HOPS = 4  # lanes searched beyond the own one

_PEDESTRIAN = int(Kind.PEDESTRIAN)


class Order(NamedTuple):
    """Lane lists and leaders; rows of Actors, -1 none."""

    rear: I32  # (L,) rearmost vehicle of each lane
    ahead: I32  # (capacity,) next vehicle ahead on the same lane
    leader: I32  # (capacity,) next vehicle ahead on the path that overlaps sideways
    gap: F64  # (capacity,) m from the own front to the leader's rear


def empty_order(lanes: int, capacity: int) -> Order:
    """Scratch for `order_lanes` and `find_leaders`."""
    return Order(
        np.full(lanes, -1, np.int32),
        np.full(capacity, -1, np.int32),
        np.full(capacity, -1, np.int32),
        np.zeros(capacity),
    )


@kernel
def insert_by_position(order, lane, slot, s, column):
    """Link `slot` into its lane's list, which runs from the rear forward (equal positions: later slot behind)."""
    behind, here = np.int32(-1), order.rear[lane]
    while here >= 0 and column[here] < s:
        behind, here = here, order.ahead[here]
    order.ahead[slot] = here
    if behind < 0:
        order.rear[lane] = slot
    else:
        order.ahead[behind] = slot


@kernel
def order_lanes(actors, order):
    """Sort all vehicles into lane lists, in the order of their rows (new vehicles are mostly rearmost: short walks)."""
    for lane in range(order.rear.shape[0]):
        order.rear[lane] = -1
    for slot in range(actors.trip.shape[0]):
        order.leader[slot] = -1
        if actors.trip[slot] >= 0 and actors.lane[slot] >= 0 and actors.kind[slot] != _PEDESTRIAN:
            insert_by_position(order, actors.lane[slot], np.int32(slot), actors.s[slot], actors.s)


@kernel
def next_lane(site, lane, edge):
    """The lane a vehicle comes to after `lane` when its route goes on to `edge`; -1 if this lane does not lead there."""
    if site.lane_inside[lane] == 1:
        return site.lane_next[lane]
    for k in range(site.lane_link_start[lane], site.lane_link_start[lane + 1]):
        if site.lane_edge[site.link_to[k]] == edge:
            return site.link_via[k] if site.link_via[k] >= 0 else site.link_to[k]
    return np.int32(-1)


@kernel
def overlap_sideways(actors, a, b):
    """True if two vehicles on lanes of the same line would touch when driving on."""
    return abs(actors.d[a] - actors.d[b]) < 0.5 * (actors.width[a] + actors.width[b])


@kernel
def follow_route(site, lane, route, place):
    """Index of the route's edge once `lane` is reached: the next one if that is where the lane lies, else unchanged."""
    if route >= 0 and site.lane_inside[lane] == 0:
        following = site.route_start[route] + place + 1
        if following < site.route_start[route + 1] and site.route_edge[following] == site.lane_edge[lane]:
            return place + np.int32(1)
    return place


@kernel
def find_leader(actors, site, order, slot):
    """Leader of one vehicle: (slot or -1, gap in m). Looks LOOK_AHEAD metres beyond its own lane along its route."""
    other = order.ahead[slot]
    lane = actors.lane[slot]
    offset = -actors.s[slot]
    route, place = actors.route[slot], actors.route_pos[slot]
    hop = 0
    while True:
        while other >= 0:
            if overlap_sideways(actors, slot, other):
                return other, offset + actors.s[other] - actors.length[other]
            other = order.ahead[other]
        hop += 1
        offset += site.lane_length[lane]
        if hop > HOPS or offset > LOOK_AHEAD:
            return np.int32(-1), 0.0
        edge = np.int32(-1)
        if site.lane_inside[lane] == 0:
            if route < 0 or site.route_start[route] + place + 1 >= site.route_start[route + 1]:
                return np.int32(-1), 0.0
            edge = site.route_edge[site.route_start[route] + place + 1]
        lane = next_lane(site, lane, edge)
        if lane < 0:
            return np.int32(-1), 0.0
        place = follow_route(site, lane, route, place)
        other = order.rear[lane]


@kernel
def find_leaders(actors, site, order):
    """Leaders and gaps of all vehicles; `order_lanes` must have run."""
    for slot in range(actors.trip.shape[0]):
        if actors.trip[slot] >= 0 and actors.lane[slot] >= 0 and actors.kind[slot] != _PEDESTRIAN:
            leader, gap = find_leader(actors, site, order, slot)
            order.leader[slot] = leader
            order.gap[slot] = gap

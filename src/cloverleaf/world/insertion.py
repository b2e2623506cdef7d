"""Insertion: trips that are due enter the road as soon as there is safe room, first come first served on each edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.following import brake_gap, secure_gap, stop_speed
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import DAWDLE, DEPART, SPEED_FACTOR, stream, truncated_normal, uniform
from cloverleaf.map.bodies import hangs_over
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.neighbours import enter, leader_at
from cloverleaf.types.demand import Demand
from cloverleaf.types.state import F64, I32, I64, U8
from cloverleaf.types.traffic import (
    ACCEL,
    ARRIVAL_POS,
    ASSERT,
    BEHIND,
    CLEAR_AT,
    CONTROL,
    COOPERATE,
    DECEL,
    DEPARTED,
    EMERGENCY,
    EMISSION,
    ENTRY,
    F_COLUMNS,
    FACTOR,
    I_COLUMNS,
    INDEX,
    KIND,
    LANE_ALLOW,
    LANE_INDEX,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_SPEED,
    LANE_WIDTH,
    LAST_CHANGE,
    LC_GAIN,
    LC_KEEP,
    LC_STRATEGIC,
    LENGTH,
    LINK_FREE,
    LINK_TO,
    MIN_GAP,
    MODEL,
    NEVER,
    POS,
    SIGMA,
    STATE,
    STOP,
    STOP_END,
    TAU,
    TRIP,
    TRIP_DELAY,
    TRIP_DEPART,
    V_TYPE,
    VCLASS,
    VTYPE,
    WAITS,
    WIDTH,
    S,
    V,
)
from cloverleaf.world.motion import on_lane
from cloverleaf.world.upstream import room_upstream

BASE, BEST, FREE, RANDOM, MAX, DESIRED, FIRST, LAST, AVERAGE, SPEED_LIMIT = range(-2, -12, -1)
TYPE_F = (
    "length", "width", "min_gap", "max_speed", "accel", "decel", "emergency_decel", "tau", "sigma", "speed_factor_mean",
    "speed_factor_dev", "speed_factor_min", "speed_factor_max", "lc_cooperative", "lc_assertive",
    "lc_strategic", "lc_speed_gain", "lc_keep_right",
)  # fmt: skip
TYPE_I = ("kind", "vclass", "model", "emission")


class Queue(NamedTuple):
    """Trips that wait to enter, and what is needed to make a vehicle of one."""

    depart: F64  # (trips,) s
    vtype: I32
    lane: I32  # lane index or Depart code
    pos: F64
    speed: F64
    arrival: F64  # m on the last lane, -1 its end
    smart: U8
    stop_start: I64  # (trips + 1,)
    type_f: F64  # (types, len(TYPE_F))
    type_i: I32  # (types, len(TYPE_I))
    next: I32  # (trips,) next waiting trip at the same edge
    first: I32  # (E,) first waiting trip of each edge, -1 none
    last: I32  # (E,)
    edges: I32  # (E,) edges with waiting trips: edges[:count[1]]
    count: I64  # (4,) next trip due, edges waiting, trips waiting, seed
    edge_lane: I64  # (E + 1,)
    free: I32  # (capacity,) free slots: free[:Vehicles.count[1]]


def build_queue(graph: LaneGraph, demand: Demand, capacity: int, seed: int) -> Queue:
    """All trips of `demand`, none entered yet."""
    trips, types = demand.trips, demand.types
    edges = len(graph.edge_lane_start) - 1
    return Queue(
        trips.depart.astype(np.float64), trips.vtype.astype(np.int32), trips.depart_lane.astype(np.int32),
        trips.depart_pos.astype(np.float64), trips.depart_speed.astype(np.float64), trips.arrival_pos.astype(np.float64),
        np.append(trips.smart, np.uint8(0)), trips.stop_start.astype(np.int64),
        np.ascontiguousarray(np.stack([getattr(types, n).astype(np.float64) for n in TYPE_F], axis=1)),
        np.ascontiguousarray(np.stack([getattr(types, n).astype(np.int32) for n in TYPE_I], axis=1)),
        np.full(max(len(trips.depart), 1), -1, np.int32), np.full(edges, -1, np.int32), np.full(edges, -1, np.int32),
        np.zeros(edges, np.int32), np.array([0, 0, 0, seed], np.int64), graph.edge_lane_start.astype(np.int64),
        np.arange(capacity - 1, -1, -1, dtype=np.int32),
    )  # fmt: skip


@kernel
def choose_lane(lists, roads, paths, queue, trip, pos, vclass):
    """Lane to enter on by the trip's departLane rule, -1 if no lane admits the class."""
    edge = paths.pos_edge[pos]
    first = queue.edge_lane[edge]
    lanes = queue.edge_lane[edge + 1] - first
    rule = queue.lane[trip]
    if rule >= 0:
        return int(min(first + rule, first + lanes - 1))
    best = -1
    least = 1e18
    key = stream(queue.count[3], 0, trip, DEPART)
    for j in range(lanes):
        lane = first + j
        if (roads.lane_i[lane, LANE_ALLOW] & vclass) == 0:
            continue
        row = paths.pos_row[pos] + j
        if rule == BEST and paths.row_offset[row] != 0:
            continue
        if rule in (BEST, FREE):
            fill = lists.fill[lane] / roads.lane_f[lane, LANE_LENGTH]
        elif rule == RANDOM:
            fill = uniform(key, j)
        elif rule == LAST:
            fill = -float(j)
        else:
            fill = float(j)
        if fill < least:
            least = fill
            best = lane
    return int(best)


@kernel
def beside_a_changer(veh, lists, roads, lane, s, length, width):
    """True if the body of a vehicle on a lane beside `lane` hangs over the place of a box with its front at `s` (m)."""
    left, right = roads.lane_i[lane, LANE_LEFT], roads.lane_i[lane, LANE_RIGHT]
    own = 0.5 * roads.lane_f[lane, LANE_WIDTH]
    if left >= 0:
        apart = own + 0.5 * roads.lane_f[left, LANE_WIDTH]
        if hangs_over(veh, lists, roads, left, -1.0, s, length, width, apart):
            return True
    if right >= 0:
        apart = own + 0.5 * roads.lane_f[right, LANE_WIDTH]
        return hangs_over(veh, lists, roads, right, 1.0, s, length, width, apart)
    return False


@kernel
def try_insert(veh, lists, roads, paths, ledger, queue, trip, now, dt):
    """Put `trip` on the road if there is safe room; True if it is gone from the queue."""
    if veh.count[1] == 0:
        return False
    f, i = veh.f, veh.i
    vtype = queue.vtype[trip]
    t = queue.type_f
    vclass = queue.type_i[vtype, 1]
    pos = paths.start[paths.trip_path[trip]]
    lane = choose_lane(lists, roads, paths, queue, trip, pos, vclass)
    if lane < 0:
        return False
    length, gap0, decel, tau = t[vtype, 0], t[vtype, 2], t[vtype, 5], t[vtype, 7]
    lane_length = roads.lane_f[lane, LANE_LENGTH]
    key = stream(queue.count[3], 0, trip, SPEED_FACTOR)
    factor = truncated_normal(key, 0, t[vtype, 9], t[vtype, 10], t[vtype, 11], t[vtype, 12])
    top = min(roads.lane_f[lane, LANE_SPEED] * factor, t[vtype, 3])
    at = queue.pos[trip]
    if at >= 0.0:
        s = min(at, lane_length)
    elif at in (RANDOM, FREE):
        s = min(length + uniform(key, 99) * max(0.0, lane_length - length), lane_length)
    elif at == LAST and lists.last[lane] >= 0:
        rear = lists.last[lane]
        s = min(lane_length, max(min(length, lane_length), f[rear, S] - f[rear, LENGTH] - gap0))
    else:
        s = min(length + 0.1, lane_length)
    wish = queue.speed[trip]
    patch = wish < 0.0 and wish != DESIRED and wish != SPEED_LIMIT
    speed = min(wish, top) if wish >= 0.0 else (top if wish in (MAX, DESIRED, SPEED_LIMIT, RANDOM) else 0.0)
    if wish == RANDOM:
        speed = top * uniform(key, 98)
    ahead = leader_at(veh, lists, lane, lane_length, s)
    behind = lists.first[lane] if ahead < 0 else i[ahead, BEHIND]
    link = paths.row_link[paths.pos_row[pos] + roads.lane_i[lane, LANE_INDEX]]
    limit = speed
    if ahead >= 0:
        gap = f[ahead, S] - f[ahead, LENGTH] - s - gap0
        if gap < 0.0:
            return False
        if gap < secure_gap(speed, f[ahead, V], f[ahead, DECEL], decel, tau, dt):
            if not patch and speed > 0.0:
                return False
            limit = min(limit, stop_speed(gap, decel, tau, dt))
    elif link >= 0 and (roads.link_i[link, LINK_FREE] == 0 or lists.last[roads.link_i[link, LINK_TO]] >= 0):
        limit = min(limit, stop_speed(lane_length - s, decel, tau, dt)) if patch else limit
    elif link < 0 and paths.pos_last[pos] == 0:
        limit = min(limit, stop_speed(lane_length - s, decel, tau, dt))
    speed = max(limit, 0.0)
    if behind >= 0:
        gap = s - length - f[behind, S] - f[behind, MIN_GAP]
        if gap < secure_gap(f[behind, V], speed, decel, f[behind, DECEL], f[behind, TAU], dt):
            return False
    elif not room_upstream(veh, lists, roads, lane, s - length, speed, decel, -1, dt):
        return False
    sight = brake_gap(speed, decel, tau, dt) + gap0
    if beside_a_changer(veh, lists, roads, lane, s + sight, length + sight, t[vtype, 1]):
        return False
    veh.count[1] -= 1
    slot = queue.free[veh.count[1]]
    veh.count[3] = max(veh.count[3], slot + 1)
    for c in range(F_COLUMNS):
        f[slot, c] = 0.0
    for c in range(I_COLUMNS):
        i[slot, c] = -1
    f[slot, S], f[slot, V], f[slot, LENGTH], f[slot, MIN_GAP] = s, speed, length, gap0
    f[slot, ACCEL], f[slot, DECEL], f[slot, EMERGENCY] = t[vtype, 4], decel, t[vtype, 6]
    f[slot, TAU], f[slot, SIGMA], f[slot, FACTOR], f[slot, V_TYPE] = tau, t[vtype, 8], factor, t[vtype, 3]
    f[slot, ENTRY], f[slot, CLEAR_AT], f[slot, WIDTH], f[slot, DEPARTED] = NEVER, NEVER, t[vtype, 1], now
    f[slot, COOPERATE], f[slot, ASSERT], f[slot, LAST_CHANGE] = t[vtype, 13], t[vtype, 14], -1e9
    f[slot, LC_STRATEGIC], f[slot, LC_GAIN], f[slot, LC_KEEP] = t[vtype, 15], t[vtype, 16], t[vtype, 17]
    arrival = queue.arrival[trip]
    f[slot, ARRIVAL_POS] = arrival if arrival >= 0.0 else NEVER
    i[slot, POS], i[slot, MODEL], i[slot, TRIP] = pos, queue.type_i[vtype, 2], trip
    i[slot, KIND], i[slot, VCLASS], i[slot, EMISSION] = queue.type_i[vtype, 0], vclass, queue.type_i[vtype, 3]
    i[slot, CONTROL] = queue.smart[trip]
    i[slot, WAITS], i[slot, STATE], i[slot, VTYPE] = 0, 0, vtype
    if queue.stop_start[trip + 1] > queue.stop_start[trip]:
        i[slot, STOP], i[slot, STOP_END] = queue.stop_start[trip], queue.stop_start[trip + 1]
    veh.key[slot] = stream(queue.count[3], 0, trip, DAWDLE)
    i[slot, INDEX] = veh.count[0]
    veh.active[veh.count[0]] = slot
    veh.count[0] += 1
    on_lane(veh, roads, paths, slot, lane)
    enter(veh, lists, slot, lane)
    ledger.f[trip, TRIP_DEPART] = now
    ledger.f[trip, TRIP_DELAY] = max(0.0, now - queue.depart[trip])
    return True


@kernel
def insert_due(veh, lists, roads, paths, ledger, queue, now, dt):
    """Queue the trips that are due at `now` and let in whoever has room."""
    trip = queue.count[0]
    while trip < len(queue.depart) and queue.depart[trip] <= now + 1e-9:
        edge = paths.pos_edge[paths.start[paths.trip_path[trip]]]
        queue.next[trip] = -1
        if queue.first[edge] < 0:
            queue.first[edge] = trip
            queue.edges[queue.count[1]] = edge
            queue.count[1] += 1
        else:
            queue.next[queue.last[edge]] = trip
        queue.last[edge] = trip
        queue.count[2] += 1
        trip += 1
    queue.count[0] = trip
    k = 0
    while k < queue.count[1]:
        edge = queue.edges[k]
        while queue.first[edge] >= 0:
            if not try_insert(veh, lists, roads, paths, ledger, queue, queue.first[edge], now, dt):
                break
            queue.first[edge] = queue.next[queue.first[edge]]
            queue.count[2] -= 1
        if queue.first[edge] < 0:
            queue.count[1] -= 1
            queue.edges[k] = queue.edges[queue.count[1]]
        else:
            k += 1

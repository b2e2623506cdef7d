"""Following, and keeping clear of bodies that hang over between lanes while somebody changes."""

from __future__ import annotations

from cloverleaf.algo.following import follow_speed, krauss_follow_speed
from cloverleaf.algo.jit import kernel
from cloverleaf.map.bodies import in_each_others_way
from cloverleaf.map.neighbours import leader_at, overhang
from cloverleaf.map.skew import shift_between
from cloverleaf.types.traffic import (
    ACC,
    ACCEL,
    DECEL,
    EMERGENCY,
    LANE,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_SKEW,
    LENGTH,
    MODEL,
    PARKED,
    STATE,
    TAU,
    V_LANE,
    D,
    S,
    V,
)

SLIGHT = 0.5  # m beside the centre line up to which no body reaches another lane's vehicles
TOUCH = 0.5  # m that lane changers keep to those on the lane they leave


@kernel
def behind(f, i, slot, other, gap, speed, dt):
    """Speed (m/s) that is safe `gap` metres (net) behind `other`, by the driver's own law; at most `speed`."""
    decel, tau = f[slot, DECEL], f[slot, TAU]
    if i[slot, MODEL] == 0:
        # a gap that would do even behind a wall cannot matter: the common case on open road
        if gap > speed * (tau + dt) + 0.5 * speed * speed / decel + 0.1:
            return speed
        return min(
            speed,
            krauss_follow_speed(gap, f[slot, V], f[other, V], f[other, DECEL], decel, f[slot, EMERGENCY], tau, dt),
        )
    return min(
        speed,
        follow_speed(
            i[slot, MODEL], gap, f[slot, V], f[slot, ACC], f[other, V], f[other, DECEL], i[other, MODEL],
            f[slot, V_LANE], f[slot, ACCEL], decel, f[slot, EMERGENCY], tau, dt,
        ),
    )  # fmt: skip


@kernel
def hang_over(view, near):
    """List the lane changers whose bodies still hang over the lane they leave in `near.hang`."""
    veh, roads = view.vehicles, view.roads
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if near.hang_lane[slot] >= 0:
            near.hang[near.hang_lane[slot]] = -1
            near.hang_lane[slot] = -1
    for k in range(veh.count[0]):
        slot = veh.active[k]
        d, lane = veh.f[slot, D], veh.i[slot, LANE]
        if (d > SLIGHT or d < -SLIGHT) and lane >= 0 and (veh.i[slot, STATE] & PARKED) == 0:
            old = roads.lane_i[lane, LANE_LEFT] if d > 0.0 else roads.lane_i[lane, LANE_RIGHT]
            if old >= 0:
                near.hang_lane[slot] = old
                near.hang_next[slot] = near.hang[old]
                near.hang[old] = slot


@kernel
def behind_changers(view, near, slot, lane, ahead, safe):
    """Speed (m/s), at most `safe`, that stays behind bodies hanging over `lane`, whose start is `ahead` metres from the front."""
    f, i = view.vehicles.f, view.vehicles.i
    other = near.hang[lane]
    while other >= 0:
        front = ahead + f[other, S] + shift_between(view.roads, i[other, LANE], lane, f[other, S])
        if other != slot and (front > 0.0 or (front == 0.0 and other < slot)):
            if in_each_others_way(f, view.roads, other, i[other, LANE], slot, lane):
                gap = max(0.0, front - f[other, LENGTH] - TOUCH - view.roads.lane_f[lane, LANE_SKEW])
                safe = behind(f, i, slot, other, gap, safe, view.clock.time[1])
        other = near.hang_next[other]
    return safe


@kernel
def behind_old_leader(view, slot, safe):
    """Speed (m/s), at most `safe`, at which a lane changer does not touch who is ahead on the lane its body still hangs over."""
    veh, roads = view.vehicles, view.roads
    f = veh.f
    lane = veh.i[slot, LANE]
    old = roads.lane_i[lane, LANE_LEFT] if f[slot, D] > 0.0 else roads.lane_i[lane, LANE_RIGHT]
    if old < 0:
        return safe
    length = roads.lane_f[old, LANE_LENGTH]
    at = f[slot, S] + shift_between(roads, lane, old, f[slot, S])
    ahead = leader_at(veh, view.lists, old, length, at)
    if ahead >= 0:
        if in_each_others_way(f, roads, slot, lane, ahead, old):
            gap = max(0.0, f[ahead, S] - f[ahead, LENGTH] - at - TOUCH - roads.lane_f[lane, LANE_SKEW])
            safe = behind(f, veh.i, slot, ahead, gap, safe, view.clock.time[1])
    else:
        back, other = overhang(veh, view.lists, old, length)
        if other >= 0 and other != slot:
            safe = behind(f, veh.i, slot, other, max(0.0, back - at - TOUCH), safe, view.clock.time[1])
    return safe

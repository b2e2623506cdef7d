"""Where free-moving cars are in terms of lanes: front bumper to lane, arc length and offset, so that lane-bound drivers see them.

A smart car moves by its wheels; after each step its front bumper is projected onto the lane it was on. Far enough over a
lane marking it belongs to the neighbouring lane; past the lane's end the ordinary hand-over of `motion` takes it on.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.map.neighbours import enter, leave
from cloverleaf.types.traffic import (
    ACC,
    AHEAD,
    BEHIND,
    LANE,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_WIDTH,
    LAST_CHANGE,
    LENGTH,
    D,
    S,
)
from cloverleaf.world.motion import move_one, on_lane
from cloverleaf.world.places import lane_pose

WINDOW = 30.0
"""m, how far from the last known arc length the foot point is looked for."""
OVER = 0.1
"""m, how far the middle of the front must be beyond a marking to belong to the next lane; keeps the assignment steady."""


@kernel
def foot_on_lane(start, x, y, along, lane, px, py, near):
    """(arc length, offset left) in m of the point (px, py) on the centre line of `lane`, searched around arc length `near`.

    The first and the last segment extend beyond their ends, so the answer may be below 0 or above the lane's length.
    """
    first, last = start[lane], start[lane + 1] - 1
    best, best_s, best_d = math.inf, near, 0.0
    for k in range(first, last):
        if (along[k + 1] < near - WINDOW and k + 1 < last) or (along[k] > near + WINDOW and k > first):
            continue
        dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
        square = dx * dx + dy * dy
        if square < 1e-12:
            continue
        t = ((px - x[k]) * dx + (py - y[k]) * dy) / square
        low = -math.inf if k == first else 0.0
        high = math.inf if k == last - 1 else 1.0
        t = min(max(t, low), high)
        ox, oy = px - x[k] - t * dx, py - y[k] - t * dy
        distance = ox * ox + oy * oy
        if distance < best:
            best = distance
            best_s = along[k] + t * (along[k + 1] - along[k])
            best_d = math.copysign(math.sqrt(distance), dx * oy - dy * ox)
    return best_s, best_d


@kernel
def locate_fleet(veh, lists, roads, paths, start, x, y, along, actors, slots, clock, measured):
    """Bring the traffic rows of the cars in `slots` (n,) into line with their place in `actors`; books speed, way and losses."""
    f, i = veh.f, veh.i
    dt = clock.time[1]
    for k in range(slots.shape[0]):
        slot = slots[k]
        lane = i[slot, LANE]
        s_before = f[slot, S]
        move_one(veh, roads, slot, max(actors.speed[slot], 0.0), dt, measured)
        f[slot, ACC] = actors.accel[slot]
        half = 0.5 * f[slot, LENGTH]
        px = actors.x[slot] + half * math.cos(actors.heading[slot])
        py = actors.y[slot] + half * math.sin(actors.heading[slot])
        s, d = foot_on_lane(start, x, y, along, lane, px, py, s_before)
        side = roads.lane_i[lane, LANE_LEFT] if d > 0.0 else roads.lane_i[lane, LANE_RIGHT]
        if side >= 0 and abs(d) > 0.5 * roads.lane_f[lane, LANE_WIDTH] + OVER and s < roads.lane_f[lane, LANE_LENGTH]:
            near = s * roads.lane_f[side, LANE_LENGTH] / roads.lane_f[lane, LANE_LENGTH]
            s, d = foot_on_lane(start, x, y, along, side, px, py, near)
            leave(veh, lists, slot)
            f[slot, S], f[slot, D] = s, d
            f[slot, LAST_CHANGE] = clock.time[0]
            on_lane(veh, roads, paths, slot, side)
            enter(veh, lists, slot, side)
            continue
        f[slot, S], f[slot, D] = s, d
        ahead, behind = i[slot, AHEAD], i[slot, BEHIND]
        if (ahead >= 0 and f[ahead, S] < s) or (behind >= 0 and f[behind, S] > s):
            leave(veh, lists, slot)
            enter(veh, lists, slot, lane)


@kernel
def place_entrants(veh, roads, start, x, y, along, actors, slots, known):
    """Put cars that have just entered on their lane: pose from the centre line. `known` (capacity,) int64: trip placed last in a row."""
    for k in range(slots.shape[0]):
        slot = slots[k]
        if known[slot] == actors.trip[slot]:
            continue
        known[slot] = actors.trip[slot]
        actors.x[slot], actors.y[slot], actors.heading[slot] = lane_pose(veh, roads, start, x, y, along, slot)
        actors.yaw_rate[slot], actors.steer[slot], actors.indicator[slot] = 0.0, 0.0, 0

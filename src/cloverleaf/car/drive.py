"""One tick of the whole car: the pipeline on one page, in four kernels that each walk the fleet."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.control import accelerate, steer
from cloverleaf.car.fuse import take_messages
from cloverleaf.car.guard import NOTHING, guard
from cloverleaf.car.heard import (
    B_ACCEL,
    B_HEADING,
    B_LENGTH,
    B_SIGMA,
    B_SPEED,
    B_TIME,
    B_TOP,
    B_WIDTH,
    B_X,
    B_Y,
    B_YAW,
    M_OFFSET,
    M_SIGMA,
)  # fmt: skip
from cloverleaf.car.hmi import FORWARD, most_urgent
from cloverleaf.car.lane_match import match_lane
from cloverleaf.car.lights import first_signal, rule_lights
from cloverleaf.car.locate import filter_pose, follow_lane, show_pose
from cloverleaf.car.occupy import shift_at
from cloverleaf.car.path import build_path, path_index
from cloverleaf.car.plan import decide, reach_of
from cloverleaf.car.predict import clear_foes, mark_foes, predict_all
from cloverleaf.car.roadbook import SIGNAL, SIGNAL_PLACE
from cloverleaf.car.state import (
    ASK,
    ASKEW,
    GUARDED,
    HEADING,
    INDICATOR,
    KNOWN,
    LANE,
    LANE_D,
    LANE_S,
    LAST_CHANGE,
    LENGTH,
    LOST,
    OFF,
    POS,
    PROTECTION,
    ROUTE,
    SHIFT,
    SHIFT_DONE,
    SHIFT_LENGTH,
    SIGNAL_GROUP,
    SIGNAL_INDEX,
    SIGNAL_LINK,
    SPEED,
    STANDING,
    STEER,
    STOP_FIRST,
    STOPPED_AT,
    TIME,
    TOP_SPEED,
    WARNING,
    WIDTH,
)  # fmt: skip
from cloverleaf.car.track import end_tracks, frame_time, predict_tracks, take_objects
from cloverleaf.car.warned import stand_in
from cloverleaf.types.traffic import LANE_WIDTH, LINK_DIRECTION

BACK = 40.0  # m of the own path behind the car
STILL = 0.3  # m/s
AT_LINE = 3.5  # m; a stop within this of the line counts at a stop sign
INDICATE = 40.0  # m before a turn
STOPPING, NEARLY_OVER = 2.0, 0.4  # m/s, m: a lane change with so little left to go, at such a speed, is over
LOST_BRAKE = -2.0  # m/s2
ALERT_LIMIT = 8.0  # m; a car whose position may be farther off does not go on


@kernel
def locate_fleet(book, fleet, memory, slots, body, marked, now):
    """Pose and lane of all cars; row k of `body` and `marked` belongs to the car in slot slots[k]."""
    f, ints = fleet.f, fleet.i
    for k in range(slots.shape[0]):
        i = slots[k]
        f[i, LENGTH], f[i, WIDTH], f[i, TOP_SPEED] = body[k, B_LENGTH], body[k, B_WIDTH], body[k, B_TOP]
        if ints[i, KNOWN] == 0:
            f[i, TIME] = now
            f[i, ASK] = body[k, B_ACCEL]
            f[i, LAST_CHANGE] = now  # who has just begun to look does not know yet who is beside him
            ints[i, KNOWN] = 1
        filter_pose(
            fleet, memory[0], i, body[k, B_X], body[k, B_Y], body[k, B_HEADING], body[k, B_SPEED], body[k, B_ACCEL], body[k, B_YAW],
            body[k, B_SIGMA], body[k, B_TIME], now,
        )  # fmt: skip
        follow_lane(book, f, ints, i)
        if match_lane(book, fleet, memory[0], i, marked[k, M_OFFSET], marked[k, M_SIGMA]):
            show_pose(fleet, i)
            follow_lane(book, f, ints, i)


@kernel
def perceive_fleet(fleet, memory, slots, seen, seen_start, heard, now, dt):
    """Tracks of all cars from their own detections and from messages; row k of `heard` is what the car in slots[k] heard."""
    for k in range(slots.shape[0]):
        i = slots[k]
        newest = frame_time(seen, seen_start[k], seen_start[k + 1], now)
        predict_tracks(fleet, memory[0], i, newest, dt)
        take_objects(fleet, memory[0], i, seen, seen_start[k], seen_start[k + 1], now)
        take_messages(fleet, memory[0], i, heard, k, now)
        end_tracks(fleet, i, dt)


@kernel
def _remember(book, fleet, path, i, dt):
    """Standing time, stops at stop signs, progress of a lane change, indicator."""
    f, ints = fleet.f, fleet.i
    v, half = f[i, SPEED], 0.5 * f[i, LENGTH]
    f[i, STANDING] = f[i, STANDING] + dt if v < STILL else 0.0
    side = 0
    for g in range(path.n[2]):
        rest = path.gate_s[g] - half
        if rest < -1.0:
            continue
        if path.gate_rule[g] & STOP_FIRST and v < STILL and rest < AT_LINE:
            ints[i, STOPPED_AT] = path.gate_link[g]
        if rest < INDICATE and side == 0:
            turn = book.link_i[path.gate_link[g], LINK_DIRECTION]
            side = 1 if turn in (1, 3) else (-1 if turn in (2, 4) else 0)
    if f[i, SHIFT] != 0.0:
        f[i, SHIFT_DONE] += v * dt
        # who stops shortly before the end of a change may have no way left to drive it: a next change would never begin
        if f[i, SHIFT_DONE] >= f[i, SHIFT_LENGTH] or (v < STOPPING and abs(shift_at(f, i, 0.0)) < NEARLY_OVER):
            f[i, SHIFT] = 0.0
        elif abs(f[i, SHIFT]) > 0.4 * book.lane_f[ints[i, LANE], LANE_WIDTH]:
            side = 1 if f[i, SHIFT] < 0.0 else -1
    ints[i, INDICATOR] = side


@kernel
def _next_signal(book, ints, path, i):
    """Note which signal the car approaches: its timing is taken from the next messages."""
    g = first_signal(book, path)
    link = path.gate_link[g] if g >= 0 else np.int64(-1)
    ints[i, SIGNAL_LINK] = link
    if g >= 0:
        ints[i, SIGNAL_GROUP], ints[i, SIGNAL_INDEX] = book.link_i[link, SIGNAL], book.link_i[link, SIGNAL_PLACE]


@kernel
def _deviate(path, f, i):
    """Note how far the car is off its wanted line, and by how much its turned body reaches beyond its own width."""
    f[i, OFF] = f[i, LANE_D] - shift_at(f, i, 0.0)
    turn = wrap_angle(f[i, HEADING] - path.heading[path_index(path, 0.0, np.int64(0))])
    f[i, ASKEW] = min(0.5 * f[i, LENGTH] * abs(math.sin(turn)), 1.0)


@kernel
def think_fleet(book, fleet, memory, relation, slots, lights, now, wanted):
    """Fill `wanted` (n,), m/s2: predict the others, decide, choose the lane. `relation` (K,) is zero between cars."""
    f, ints, scratch = fleet.f, fleet.i, memory[0]
    path = scratch.keep
    for k in range(slots.shape[0]):
        i = slots[k]
        if ints[i, LOST] == 1:
            wanted[k] = LOST_BRAKE
            ints[i, WARNING] = most_urgent(path, fleet, i, now)
            continue
        build_path(
            book, path, ints[i, ROUTE], ints[i, POS], ints[i, LANE], f[i, LANE_S], BACK, reach_of(f[i, SPEED]), f[i, TOP_SPEED]
        )  # fmt: skip
        _deviate(path, f, i)
        _next_signal(book, ints, path, i)
        shown = rule_lights(book, fleet, path, i, lights[k, 0], lights[k, 1], now)
        marked = mark_foes(book, path, relation, scratch.used, shown)
        predict_all(book, fleet, scratch.hyp, relation, i)
        clear_foes(relation, scratch.used, marked)
        stand_in(path, fleet, scratch.hyp, i, now)
        wanted[k] = decide(book, fleet, scratch, i, now)
        if f[i, PROTECTION] > ALERT_LIMIT:
            wanted[k] = min(wanted[k], LOST_BRAKE)
        ints[i, WARNING] = most_urgent(path, fleet, i, now)


@kernel
def act_fleet(book, fleet, memory, slots, wanted, dt, out):
    """Guard the wanted accelerations and follow the chosen paths; fills `out` (n, 3): accel, steer, brake of the guard."""
    f, ints, path = fleet.f, fleet.i, memory[0].keep
    for k in range(slots.shape[0]):
        i = slots[k]
        allowed, reason, lost = wanted[k], np.int64(NOTHING), ints[i, LOST] == 1
        if not lost:
            build_path(
                book, path, ints[i, ROUTE], ints[i, POS], ints[i, LANE], f[i, LANE_S], BACK, reach_of(f[i, SPEED]),
                f[i, TOP_SPEED],
            )  # fmt: skip
            allowed, reason, _who = guard(path, fleet, i, wanted[k])
            _remember(book, fleet, path, i, dt)
        ints[i, GUARDED] = reason
        if reason != NOTHING:
            ints[i, WARNING] = FORWARD
        accel = accelerate(f, i, allowed, reason != NOTHING, dt)
        angle = f[i, STEER] if lost else steer(path, f, i, dt)
        if not math.isfinite(accel + angle):
            accel, angle = LOST_BRAKE, 0.0
        out[k, 0], out[k, 1], out[k, 2] = accel, angle, min(allowed, 0.0) if reason != NOTHING else 0.0

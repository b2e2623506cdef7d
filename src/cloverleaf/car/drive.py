"""One tick of the whole car, for all cars of a fleet one after the other: the pipeline on one page."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.control import accelerate, steer
from cloverleaf.car.fuse import take_messages
from cloverleaf.car.guard import NOTHING, guard
from cloverleaf.car.hmi import SPEED_ADVICE, most_urgent
from cloverleaf.car.lights import first_signal, rule_lights
from cloverleaf.car.locate import filter_pose, follow_lane
from cloverleaf.car.path import build_path
from cloverleaf.car.plan import decide, reach_of
from cloverleaf.car.predict import clear_foes, mark_foes, predict_all
from cloverleaf.car.state import (
    ADVICE,
    ASK,
    COMMITTED,
    F_COLUMNS,
    GUARDED,
    I_COLUMNS,
    INDICATOR,
    KNOWN,
    LANE,
    LANE_S,
    LENGTH,
    LOST,
    POS,
    ROUTE,
    SHIFT,
    SHIFT_DONE,
    SHIFT_LENGTH,
    SPAT_LINK,
    SPEED,
    STANDING,
    STATION,
    STEER,
    STOP_FIRST,
    STOPPED_AT,
    TIME,
    TOP_SPEED,
    WIDTH,
)  # fmt: skip
from cloverleaf.car.track import end_tracks, predict_tracks, take_objects
from cloverleaf.types.traffic import LANE_WIDTH, LINK_DIRECTION

BACK = 40.0  # m of the own path behind the car
STILL = 0.3  # m/s
AT_LINE = 3.5  # m; a stop within this of the line counts at a stop sign
INDICATE = 40.0  # m before a turn
LOST_BRAKE = -2.0  # m/s2


@kernel
def reset_car(fleet, i, station, route, route_pos):
    """Forget whoever used slot i before."""
    for c in range(F_COLUMNS):
        fleet.f[i, c] = 0.0
    for c in range(I_COLUMNS):
        fleet.i[i, c] = 0
    ints = fleet.i
    ints[i, STATION], ints[i, ROUTE], ints[i, POS] = station, route, route_pos
    ints[i, LANE], ints[i, LOST], ints[i, KNOWN] = -1, 1, 0
    ints[i, SPAT_LINK], ints[i, COMMITTED], ints[i, STOPPED_AT] = -1, -1, -1
    fleet.f[i, TIME] = -1.0


@kernel
def _locate(book, fleet, i, ego, row, now):
    """Pose and lane."""
    f, ints = fleet.f, fleet.i
    if ints[i, KNOWN] == 0:
        f[i, TIME] = now
        f[i, ASK] = ego.accel[row]
        ints[i, KNOWN] = 1
    filter_pose(
        f, i, ego.x[row], ego.y[row], ego.heading[row], ego.speed[row], ego.accel[row], ego.yaw_rate[row], ego.sigma_xy[row],
        ego.time[row], now,
    )  # fmt: skip
    follow_lane(book, f, ints, i)


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
        if f[i, SHIFT_DONE] >= f[i, SHIFT_LENGTH]:
            f[i, SHIFT] = 0.0
        elif abs(f[i, SHIFT]) > 0.4 * book.lane_f[ints[i, LANE], LANE_WIDTH]:
            side = 1 if f[i, SHIFT] < 0.0 else -1
    ints[i, INDICATOR] = side


@kernel
def drive_car(book, fleet, scratch, i, row, objects, light_link, light, inbox, receiver, now, dt):
    """Everything after localisation for one car: (accel, steer, guard's brake)."""
    f, ints = fleet.f, fleet.i
    path = scratch.keep
    predict_tracks(fleet, i, now)
    take_objects(fleet, i, objects, row, now)
    if ints[i, LOST] == 1:
        end_tracks(fleet, i, dt)
        ints[i, GUARDED] = NOTHING
        return accelerate(f, i, LOST_BRAKE, False, dt), f[i, STEER], 0.0
    build_path(
        book,
        path,
        ints[i, ROUTE],
        ints[i, POS],
        ints[i, LANE],
        f[i, LANE_S],
        BACK,
        reach_of(f[i, SPEED]),
        f[i, TOP_SPEED],
    )
    if receiver >= 0:
        g = first_signal(book, path)
        link = path.gate_link[g] if g >= 0 else np.int64(-1)
        group = np.int64(book.link_signal[link, 0]) if g >= 0 else np.int64(-1)
        index = np.int64(book.link_signal[link, 1]) if g >= 0 else np.int64(-1)
        take_messages(fleet, i, inbox, receiver, group, index, link, now)
    end_tracks(fleet, i, dt)
    shown = rule_lights(book, fleet, path, i, light_link, light, now)
    marked = mark_foes(book, path, scratch.relation, scratch.used, shown)
    predict_all(book, fleet, scratch.hyp, scratch.relation, i)
    clear_foes(scratch.relation, scratch.used, marked)
    lane = ints[i, LANE]
    wanted = decide(book, fleet, scratch, i, now)
    if ints[i, LANE] != lane:
        path = scratch.change
    allowed, reason, _who = guard(path, fleet, i, wanted)
    ints[i, GUARDED] = reason
    _remember(book, fleet, path, i, dt)
    accel = accelerate(f, i, allowed, reason != NOTHING, dt)
    return accel, steer(path, f, i, dt), min(allowed, 0.0) if reason != NOTHING else 0.0


@kernel
def drive_fleet(
    book, fleet, scratch, slots, mission, ego, objects, lights, inbox, receivers, now, dt, commands, display
):
    """One tick of all cars; row k of mission, frames and commands belongs to the car in slot slots[k]."""
    f = fleet.f
    for k in range(slots.shape[0]):
        i = slots[k]
        f[i, LENGTH], f[i, WIDTH], f[i, TOP_SPEED] = mission.length[k], mission.width[k], mission.max_speed[k]
        _locate(book, fleet, i, ego, k, now)
        accel, angle, braking = drive_car(
            book, fleet, scratch, i, np.int64(k), objects, np.int64(lights.link[k]), np.int64(lights.light[k]), inbox,
            receivers[k], now, dt,
        )  # fmt: skip
        if not math.isfinite(accel + angle):
            accel, angle = LOST_BRAKE, 0.0
        _write(commands, display, scratch.keep, fleet, i, k, accel, angle, braking, now)


@kernel
def _write(commands, display, path, fleet, i, k, accel, angle, braking, now):
    commands.accel[k], commands.steer[k], commands.indicator[k] = accel, angle, fleet.i[i, INDICATOR]
    kind = most_urgent(path, fleet, i, now)
    display.kind[k], display.braking[k] = kind, braking
    display.value[k] = fleet.f[i, ADVICE] if kind == SPEED_ADVICE else math.nan

"""Proposals driven on paper: each steers a kinematic car along a path and is scored step by step; the cheapest wins.

A proposal is (first acceleration, when it changes, second acceleration, offset from the path, way over which it is reached). A
controller drives it through the model with the limits of its actuators, so every proposal is drivable. Model: kinematic single
track about the rear axle (Althoff 2017, "CommonRoad: Vehicle Models", KS).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.boxes import axis_gaps
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I64, U8


class Vehicle(NamedTuple):
    """The car; m, rad, s."""

    length: float
    width: float
    wheelbase: float
    rear: float  # from the box's centre back to the rear axle
    steer_max: float
    steer_rate: float
    accel_max: float
    v_switch: float  # m/s, above which the drive is limited by its power


BMW_320I = Vehicle(4.508, 1.61, 2.5789, 1.4227, 1.066, 0.4, 11.5, 7.824)
"""Vehicle 2 of CommonRoad (Althoff 2017, table 6)."""


class Weights(NamedTuple):
    """Cost per second of the squared quantity, unless said."""

    accel: float = 50.0
    steer: float = 50.0
    steer_rate: float = 50.0
    way: float = 1.0  # per m
    slow: float = 20.0  # of the speed below the goal's least
    near: float = 50.0  # of exp(-0.2 m of gap to the nearest obstacle ahead)


class Situation(NamedTuple):
    """Everything that a rollout looks at; arrays are read only."""

    path_x: F64  # (n,)
    path_y: F64
    path_heading: F64
    path_curvature: F64
    path_s: F64
    box: F64  # (T, O, 5): obstacles by time step, NaN absent
    ground: U8  # raster of where a car may be
    ground_at: F64  # (3,): x0, y0, cell
    outline: F64  # (v, 2): vertices of all goal areas
    outline_start: I64  # (a + 1,)
    goal: F64  # (g, 8): first step, last step, first area, end of areas, heading low, high, speed low, high
    goal_s: F64  # (2,) m on the path between which the goal lies; NaN no place
    dt: float


CRASH, OFF_ROAD, MISSED, UNFIT = 1e6, 2e4, 1e5, 3e3
STILL_OFF = 2e3  # per corner and step outside since the drive began: it cannot be helped at first, but must not go on
PATIENCE = 500.0  # cost above twice the best at which a proposal is given up
FAR = 200.0  # weight of a (m/s)2 by which the goal would be missed
MOST_LATERAL = 6.0  # m/s2, wished; the tyres could more
CLEARANCE = 0.08  # m kept to every obstacle
ROAD_MARGIN = 0.1  # m kept to the edge of the road
PROPOSAL = 8
STATE = 5  # x, y (centre), heading, speed, steer


@kernel
def allowed(ground, at, x, y):
    """Whether a point lies where a car may be."""
    i, j = int((x - at[0]) / at[2]), int((y - at[1]) / at[2])
    return 0 <= i < ground.shape[1] and 0 <= j < ground.shape[0] and ground[j, i] == 1


@kernel
def off_road(ground, at, x, y, c, s, half_length, half_width):
    """Number of the box's four corners that lie outside."""
    out = 0
    for k in range(4):
        forward = half_length if k < 2 else -half_length
        left = half_width if k % 2 == 0 else -half_width
        if not allowed(ground, at, x + forward * c - left * s, y + forward * s + left * c):
            out += 1
    return out


@kernel
def touches(box, step, x, y, c, s, half_length, half_width):
    """(whether the car's box touches an obstacle, m to the nearest one ahead along the heading; inf none) at a time step."""
    gap = math.inf
    reach = math.sqrt(half_length * half_length + half_width * half_width)
    row = min(step, box.shape[0] - 1)
    for o in range(box.shape[1]):
        dx, dy = box[row, o, 0] - x, box[row, o, 1] - y
        if not math.isfinite(dx):
            continue
        hl, hw = box[row, o, 3], box[row, o, 4]
        forward, left = dx * c + dy * s, dy * c - dx * s
        if forward > 0.0 and abs(left) < hw + half_width + 0.5:
            gap = min(gap, max(forward - hl - half_length, 0.0))
        far = reach + math.sqrt(hl * hl + hw * hw)
        if dx * dx + dy * dy > far * far:
            continue
        cb, sb = math.cos(box[row, o, 2]), math.sin(box[row, o, 2])
        g0, g1, g2, g3 = axis_gaps(dx, dy, c, s, half_length, half_width, cb, sb, hl, hw)
        if g0 <= 0.0 and g1 <= 0.0 and g2 <= 0.0 and g3 <= 0.0:
            return True, 0.0
    return False, gap


@kernel
def within(outline, first, end, x, y):
    """Whether a point lies in the polygon of vertices [first, end), by the even-odd rule."""
    odd = False
    b = end - 1
    for a in range(first, end):
        if (outline[a, 1] > y) != (outline[b, 1] > y):
            at = outline[a, 0] + (y - outline[a, 1]) / (outline[b, 1] - outline[a, 1]) * (outline[b, 0] - outline[a, 0])
            if x < at:
                odd = not odd
        b = a
    return odd


@kernel
def arrived(w, step, x, y, heading, v):
    """Whether a state fulfils one of the goals."""
    for g in range(w.goal.shape[0]):
        if step < w.goal[g, 0] or step > w.goal[g, 1] or v < w.goal[g, 6] or v > w.goal[g, 7]:
            continue
        middle, half = 0.5 * (w.goal[g, 4] + w.goal[g, 5]), 0.5 * (w.goal[g, 5] - w.goal[g, 4])
        if half < 3.1 and abs(wrap_angle(heading - middle)) > half:
            continue
        if w.goal[g, 2] == w.goal[g, 3]:
            return True
        for a in range(int(w.goal[g, 2]), int(w.goal[g, 3])):
            if within(w.outline, w.outline_start[a], w.outline_start[a + 1], x, y):
                return True
    return False


@kernel
def passed(w, k, x, y):
    """Whether a place lies beyond point k of the path."""
    heading = w.path_heading[k - 1]
    return (w.path_x[k] - x) * math.cos(heading) + (w.path_y[k] - y) * math.sin(heading) <= 0.0


@kernel
def drive_on_paper(w, car, weight, state, step, proposal, horizon, bound, out):
    """Drive one proposal from `state` (STATE,) at time step `step` for at most `horizon` steps.

    proposal (PROPOSAL,): a1 (m/s2), t1 (s), a2 (m/s2), offset (m, left), way of the change (m); to go on with a change: the part of
    its way that lies behind, the offset and the slope it began with (NaN, NaN: begin a new one from here). out (horizon + 1, STATE + 2)
    takes the states and, behind them, acceleration and steering rate over the step. A drive dearer than `bound` is given up, at
    infinite cost. Returns (cost, steps driven, 1 if a goal was reached).
    """
    x, y, heading, v, steer = state[0], state[1], state[2], state[3], state[4]
    half_length, half_width = 0.5 * car.length + CLEARANCE, 0.5 * car.width + CLEARANCE
    rear_x, rear_y = x - car.rear * math.cos(heading), y - car.rear * math.sin(heading)
    n, k = w.path_s.shape[0], 0
    best = math.inf
    for i in range(n):
        square = (w.path_x[i] - rear_x) ** 2 + (w.path_y[i] - rear_y) ** 2
        if square < best:
            best, k = square, i
    first_s, first_d, first_lean = 0.0, 0.0, 0.0
    cost, reached, done = 0.0, 0, 0
    was_off = off_road(
        w.ground, w.ground_at, x, y, math.cos(heading), math.sin(heading), 0.5 * car.length, 0.5 * car.width
    )
    least = w.goal[0, 6]
    for t in range(horizon + 1):
        out[t, 0], out[t, 1], out[t, 2], out[t, 3], out[t, 4] = x, y, heading, v, steer
        out[t, 5], out[t, 6] = 0.0, 0.0
        done = t
        c, s = math.cos(heading), math.sin(heading)
        hit, gap = touches(w.box, step + t, x, y, c, s, half_length, half_width)
        if hit and t > 0:
            cost += CRASH * (1.0 + (horizon - t) / (horizon + 1.0))
            break
        outside = off_road(
            w.ground, w.ground_at, x, y, c, s, 0.5 * car.length + ROAD_MARGIN, 0.5 * car.width + ROAD_MARGIN
        )
        cost += (OFF_ROAD if outside > was_off else STILL_OFF) * outside
        was_off = min(was_off, outside)
        if arrived(w, step + t, x, y, heading, v):
            reached = 1
            break
        if cost > bound:
            return math.inf, t, 0
        if t == horizon:
            break
        # where on the path the rear axle is
        while k < n - 2 and passed(w, k + 1, rear_x, rear_y):
            k += 1
        dx, dy = rear_x - w.path_x[k], rear_y - w.path_y[k]
        ch, sh = math.cos(w.path_heading[k]), math.sin(w.path_heading[k])
        along = w.path_s[k] + dx * ch + dy * sh
        d = dy * ch - dx * sh
        if t == 0:
            first_s, first_d = along - proposal[5], d
            first_lean = math.tan(min(max(wrap_angle(heading - w.path_heading[k]), -0.6), 0.6))
            if math.isfinite(proposal[6]):  # goes on with an older change
                first_d, first_lean = proposal[6], proposal[7]
        share = min(max((along - first_s) / proposal[4], 0.0), 1.0)
        blend = share * share * share * (10.0 - 15.0 * share + 6.0 * share * share)
        slope = 30.0 * share * share * (1.0 - share) * (1.0 - share) / proposal[4]
        left = (1.0 - share) * (1.0 - share) * (1.0 - share)
        wanted = first_d + (proposal[3] - first_d) * blend + first_lean * proposal[4] * share * left
        lean = math.atan(
            (proposal[3] - first_d) * slope + first_lean * (left - 3.0 * share * (1.0 - share) * (1.0 - share))
        )
        ahead = min(k + int(0.35 * v / 0.5) + 1, n - 1)
        sight = max(3.0, 0.7 * v)
        curvature = (
            w.path_curvature[ahead]
            - (d - wanted) / (sight * sight)
            - 1.6 * wrap_angle(heading - w.path_heading[k] - lean) / sight
        )
        target = min(max(math.atan(car.wheelbase * curvature), -car.steer_max), car.steer_max)
        rate = min(max((target - steer) / max(w.dt, 0.2), -0.97 * car.steer_rate), 0.97 * car.steer_rate)
        accel = proposal[0] if t * w.dt < proposal[1] else proposal[2]
        power = car.accel_max if v <= car.v_switch else car.accel_max * car.v_switch / v
        lateral = v * v * abs(math.tan(steer)) / car.wheelbase
        if lateral > MOST_LATERAL:
            cost += UNFIT * (lateral - MOST_LATERAL) * w.dt
        if lateral > 0.9 * car.accel_max:  # no tyre holds that: the drive does not exist
            cost += CRASH * (1.0 + (horizon - t) / (horizon + 1.0))
            break
        grip = math.sqrt(max((0.95 * car.accel_max) ** 2 - lateral * lateral, 0.0))
        accel = min(max(accel, -grip), min(0.95 * power, grip))
        accel = max(accel, -v / w.dt)
        out[t, 5], out[t, 6] = accel, rate
        cost += w.dt * (
            weight.accel * accel * accel + weight.steer * steer * steer + weight.steer_rate * rate * rate + weight.way * v
            + weight.near * (math.exp(-0.2 * gap) if gap < 1e3 else 0.0)
        )  # fmt: skip
        if least > 0.0 and v < least:
            cost += w.dt * weight.slow * (least - v) * (least - v)
        for _ in range(2):
            h = 0.5 * w.dt
            mid_v, mid_steer = v + 0.5 * h * accel, steer + 0.5 * h * rate
            turn = mid_v * math.tan(mid_steer) / car.wheelbase
            mid_heading = heading + 0.5 * h * turn
            rear_x += h * mid_v * math.cos(mid_heading)
            rear_y += h * mid_v * math.sin(mid_heading)
            heading += h * turn
            v = max(v + h * accel, 0.0)
            steer += h * rate
        x, y = rear_x + car.rear * math.cos(heading), rear_y + car.rear * math.sin(heading)
    if reached == 0:
        cost += still_to_go(w, step + done, rear_x, rear_y, k, v, car.rear)
    return cost, done, reached


@kernel
def still_to_go(w, step, x, y, k, v, rear):
    """Cost of what is left when a rollout ends before a goal: the speed by which the goal will be missed, or that it is too late."""
    last, first = w.goal[0, 1], w.goal[0, 0]
    for g in range(1, w.goal.shape[0]):
        last, first = max(last, w.goal[g, 1]), min(first, w.goal[g, 0])
    along = (
        w.path_s[k]
        + (x - w.path_x[k]) * math.cos(w.path_heading[k])
        + (y - w.path_y[k]) * math.sin(w.path_heading[k])
        + rear
    )
    low, high = w.goal_s[0], w.goal_s[1]
    if step >= last:
        miss = max(low - along, along - high, 0.0) if math.isfinite(low) else 0.0
        return MISSED + 100.0 * miss
    if not math.isfinite(low):
        return 0.0
    needed = (low - along) / ((last - step) * w.dt)
    cost = FAR * (max(needed - v, 0.0) ** 2)
    if along > high:
        cost += MISSED * 0.1 * (along - high)
    elif first > step:
        most = (high - along) / ((first - step) * w.dt)
        cost += FAR * max(v - most, 0.0) ** 2
    return cost


@kernel
def search(w, car, weight, state, step, horizon, proposals, costs, scratch):
    """Cost of each of the proposals (p, PROPOSAL), infinite for those far from the best before them; fills costs (p,)."""
    best = math.inf
    for p in range(proposals.shape[0]):
        bound = 2.0 * best + PATIENCE
        costs[p], _, _ = drive_on_paper(w, car, weight, state, step, proposals[p], horizon, bound, scratch)
        best = min(best, costs[p])


def empty_states(horizon: int) -> F64:
    """Room for the states of one rollout."""
    return np.zeros((horizon + 1, STATE + 2))

"""One planning task driven in closed loop: plan, follow for half a second, plan again."""

from __future__ import annotations

import itertools
import math
import time
from typing import NamedTuple

import numpy as np

from cloverleaf.car.proposals import Planner
from cloverleaf.car.rollout import BMW_320I, Situation, arrived, off_road, touches
from cloverleaf.scenario.commonroad.model import PlanningTask
from cloverleaf.scenario.commonroad.road import CELL, ground, nearest, reference_path
from cloverleaf.types.state import F64

CYCLE = 5
"""Time steps between two plans."""
LONGEST = 80
"""Time steps that one plan looks ahead."""
ANYTHING = 1e9
CAR = (0.5 * BMW_320I.length, 0.5 * BMW_320I.width)


def hits(task: PlanningTask, step: int, state: F64) -> bool:
    """Whether the car touches an obstacle at this time step."""
    c, s = math.cos(state[2]), math.sin(state[2])
    return bool(touches(task.box, step, state[0], state[1], c, s, CAR[0], CAR[1])[0])


def leaves(w: Situation, state: F64) -> bool:
    """Whether a corner of the car lies outside all lanelets."""
    c, s = math.cos(state[2]), math.sin(state[2])
    return bool(off_road(w.ground, w.ground_at, state[0], state[1], c, s, CAR[0], CAR[1]))


class Drive(NamedTuple):
    """What came of a task. `states` (n, 5): centre x, y, heading, speed, steering angle by time step from the start on."""

    reached: bool
    crashed: bool  # into an obstacle that it did not begin in
    off_road: int  # time steps with a corner outside all lanelets
    hopeless: bool  # the task begins inside an obstacle
    states: F64
    cycle_ms: tuple[float, ...]


def situation(task: PlanningTask) -> tuple[Situation, float]:
    """What the planner sees of a task, and the goal's offset from the path (m, left positive; 0 without a place)."""
    path = reference_path(task)
    raster = ground(task, path)
    areas: list[F64] = []
    rows = []
    for goal in task.goals:
        heading = goal.heading or (-ANYTHING, ANYTHING)
        speed = goal.speed or (-ANYTHING, ANYTHING)
        rows.append((goal.first, goal.last, len(areas), len(areas) + len(goal.polygons), *heading, *speed))
        areas += goal.polygons
    outline = np.vstack(areas) if areas else np.zeros((0, 2))
    start = np.array([0, *itertools.accumulate(len(a) for a in areas)], np.int64)
    line = np.column_stack((path.x, path.y))
    low, high, offset = math.nan, math.nan, 0.0
    if areas:
        places = [path.s[[nearest(line, *point) for point in area]] for area in areas]
        low, high = min(float(p.min()) for p in places), max(float(p.max()) for p in places)
        if not any(goal.lanelets for goal in task.goals):
            middle = areas[0].mean(0)
            k = nearest(line, *middle)
            d = middle - line[k]
            offset = float(d[1] * math.cos(path.heading[k]) - d[0] * math.sin(path.heading[k]))
            offset = offset if abs(offset) < 6.0 else 0.0
    w = Situation(
        path.x, path.y, path.heading, path.curvature, path.s, task.box, raster.cells, np.array([raster.x0, raster.y0, CELL]),
        np.ascontiguousarray(outline), start, np.array(rows, np.float64), np.array([low, high]), task.step,
    )  # fmt: skip
    return w, offset


def drive(task: PlanningTask) -> Drive:
    """Drive a task to its goal, to a collision, or to its last moment."""
    w, offset = situation(task)
    planner = Planner(w, offset)
    first = task.start
    steer = math.atan(BMW_320I.wheelbase * first.yaw_rate / first.speed) if first.speed > 1.0 else 0.0
    state = np.array([first.x, first.y, first.heading, first.speed, steer])
    hopeless = hits(task, first.step, state)
    step, states, cycles, crashed = first.step, [state.copy()], [], False
    off = 0
    # a task that begins at its goal still takes one step: a drive has at least two states
    while (len(states) < 2 or not arrived(w, step, *state[:4])) and step < task.last_step and not crashed:
        horizon = min(task.last_step - step, LONGEST)
        began = time.process_time()
        plan = planner.plan(state, step, horizon)
        cycles.append(1000.0 * (time.process_time() - began))
        last = len(plan.states) - 1
        for k in range(1, (last if plan.reached else min(CYCLE, last)) + 1):
            state = plan.states[k, :5].copy()
            step += 1
            states.append(state)
            crashed = hits(task, step, state)
            off += int(leaves(w, state))
            if crashed or arrived(w, step, *state[:4]):
                break
        if last == 0:
            state = rolled(state, task.step)
            step += 1
            states.append(state)
    return Drive(
        bool(arrived(w, step, *state[:4])) and not crashed,
        crashed and not hopeless,
        off,
        hopeless,
        np.array(states),
        tuple(cycles),
    )


def rolled(state: F64, dt: float) -> F64:
    """The state one step later of a car that has nothing to decide any more: it rolls straight on."""
    x, y, heading, speed, steer = state
    return np.array([x + dt * speed * math.cos(heading), y + dt * speed * math.sin(heading), heading, speed, steer])

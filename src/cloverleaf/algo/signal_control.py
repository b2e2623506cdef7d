"""Signal controllers for all groups at once: fixed time, actuated by gaps, max pressure, and stages on command.

Actuated follows SUMO's default controller: a green lasts its minimum, then as long as a detector of its lanes saw a vehicle less
than `MAX_GAP` ago, each time by the time that vehicle needs to the stop line, up to its maximum.
Max pressure: P. Varaiya, "Max pressure control of a network of signalized intersections", Transportation Research C 36, 2013.
Where a stage is chosen freely, people on crosswalks that lose green are first given the time to cross, while vehicles keep theirs;
then heads that lose green show yellow, then all heads that change are red, then the new stage begins.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, I64, U8

DETECTOR_GAP = 2.0
"""s of travel at the speed limit between detector and stop line (SUMO's `detector-gap`)."""
MAX_GAP = 3.0
"""s without a vehicle after which a green ends (SUMO's `max-gap`)."""

SWITCH_LOSS = 2.0
"""Vehicles of pressure that a change of stage must gain: who could have left during yellow, all red and start-up on one lane."""


class ControlMode(IntEnum):
    """Who decides when a group changes."""

    FIXED = 0  # the plan's durations
    ACTUATED = 1  # the plan's order, durations by gaps
    PRESSURE = 2  # free choice among the plan's stages by pressure
    COMMAND = 3  # free choice by SignalMemory.wanted


class SignalPlan(NamedTuple):
    """Static tables; G groups, P phases (rows as in `LaneGraph.phase_*`), H heads. A stage is a phase that ends in no yellow."""

    head_start: I64  # (G + 1,) into heads
    phase_start: I64  # (G + 1,) into phases
    duration: F64  # (P,) s
    minimum: F64  # (P,) s
    maximum: F64  # (P,) s
    following: I32  # (P,) index within the group, -1 the next one
    state_start: I64  # (P + 1,) into state
    state: U8  # letters
    is_stage: U8  # (P,) 1: somebody has green and nobody yellow
    yellow: F64  # (G,) s of the yellow between freely chosen stages
    all_red: F64  # (G,) s of the red after it
    min_green: F64  # (G,) s, least green of freely chosen stages
    max_red: F64  # (G,) s after which a stage with demand is served whatever the pressure
    crossing: F64  # (H,) s that people need to cross at a head for walkers, 0 at all others
    lane_start: I64  # (P + 1,) into lane: detectors that prolong a phase
    lane: I32
    move_start: I64  # (P + 1,) into move_*: movements that are green in a phase
    move_in: I32  # lane in front of the stop line
    move_out: I32  # lane behind the junction
    move_share: F64  # share of the lane's vehicles that the movement stands for


class SignalMemory(NamedTuple):
    """What controllers remember; shape (G,) unless said. Written by `step_signals`."""

    mode: I32  # ControlMode
    phase: I32  # index within the group
    since: F64  # s, when the phase began
    until: F64  # s, when the controller looks again (FIXED, ACTUATED)
    change: I32  # 0 in a phase, 3 walkers clear, 1 yellow, 2 all red on the way to `target`
    target: I32  # stage being changed to, -1 none
    change_at: F64  # s, when the present part of the change began
    clear_for: F64  # s, walkers' part of the present change
    wanted: I32  # stage commanded, -1 none
    served: F64  # (P,) s, when a stage last had green
    light: U8  # (H,) letters shown now


@kernel
def enter_phase(plan, memory, g, index, t):
    """Begin phase `index` (int64) of group `g` at time t (float)."""
    p = plan.phase_start[g] + index
    memory.phase[g] = index
    memory.since[g] = t
    memory.until[g] = t + (plan.minimum[p] if memory.mode[g] == 1 else plan.duration[p])
    memory.change[g] = 0
    memory.target[g] = -1
    for i in range(plan.head_start[g + 1] - plan.head_start[g]):
        memory.light[plan.head_start[g] + i] = plan.state[plan.state_start[p] + i]


@kernel
def following_phase(phase_start, following, g, index):
    """Index of the phase after `index` (int64) of group `g`; columns of `SignalPlan`."""
    p = phase_start[g] + index
    if following[p] >= 0:
        return np.int64(following[p])
    return np.int64((index + 1) % (phase_start[g + 1] - phase_start[g]))


@kernel
def start_signals(plan, memory, offset, t):
    """Put every group where its plan is at time t: (t - offset) modulo the sum of the durations in order of phases."""
    for g in range(memory.phase.shape[0]):
        first, end = plan.phase_start[g], plan.phase_start[g + 1]
        cycle = 0.0
        for p in range(first, end):
            cycle += plan.duration[p]
            memory.served[p] = t
        position = 0.0
        if cycle > 0.0:
            position = (t - offset[g]) % cycle
        index = np.int64(0)
        while index < end - first - 1 and position >= plan.duration[first + index] - 1e-9:
            position -= plan.duration[first + index]
            index += 1
        enter_phase(plan, memory, g, index, t - position)
        memory.wanted[g] = -1


@kernel
def shortest_gap(lane_start, lane, p, clear_time, t):
    """s since a vehicle was last on any detector of phase row `p`; 1e18 without detectors."""
    gap = 1e18
    for k in range(lane_start[p], lane_start[p + 1]):
        gap = min(gap, t - clear_time[lane[k]])
    return max(gap, 0.0)


@kernel
def step_plan(plan, memory, g, clear_time, t):
    """FIXED and ACTUATED: prolong the phase or go on to the next one."""
    for _ in range(64):
        if t < memory.until[g] - 1e-9:
            return
        p = plan.phase_start[g] + memory.phase[g]
        if memory.mode[g] == 1 and plan.maximum[p] > plan.minimum[p]:
            left = memory.since[g] + plan.maximum[p] - t
            gap = shortest_gap(plan.lane_start, plan.lane, p, clear_time, t)
            if left > 1e-9 and gap < MAX_GAP:
                # Whole seconds, so that the last vehicle seen reaches the stop line.
                longer = max(1.0, math.ceil(DETECTOR_GAP - gap - 1e-9))
                memory.until[g] = t + min(longer, left)
                return
        enter_phase(
            plan,
            memory,
            g,
            following_phase(plan.phase_start, plan.following, g, np.int64(memory.phase[g])),
            memory.until[g],
        )


@kernel
def stage_pressure(move_start, move_in, move_out, move_share, p, count):
    """(pressure, demand) of phase row `p` in vehicles: over its green movements, those before the stop line less those behind
    it, and those before the stop line alone."""
    pressure, demand = 0.0, 0.0
    for k in range(move_start[p], move_start[p + 1]):
        demand += move_share[k] * count[move_in[k]]
        pressure += move_share[k] * (count[move_in[k]] - count[move_out[k]])
    return pressure, demand


@kernel
def choose_stage(plan, memory, g, count, t):
    """Index of the stage to serve: one that has waited longer than max_red, else that of the highest pressure.

    Another one must gain more than a change costs.
    """
    first, end = plan.phase_start[g], plan.phase_start[g + 1]
    best, best_pressure = np.int64(memory.phase[g]), -1e18
    now = first + best
    if plan.is_stage[now]:
        best_pressure, _ = stage_pressure(plan.move_start, plan.move_in, plan.move_out, plan.move_share, now, count)
        best_pressure += SWITCH_LOSS
    oldest, overdue = plan.max_red[g], np.int64(-1)
    for p in range(first, end):
        if plan.is_stage[p] == 0 or p == now:
            continue
        pressure, demand = stage_pressure(plan.move_start, plan.move_in, plan.move_out, plan.move_share, p, count)
        red = t - memory.served[p]
        if red > oldest and demand > 0.0:
            oldest, overdue = red, np.int64(p - first)
        if pressure > best_pressure + 1e-9:
            best_pressure, best = pressure, np.int64(p - first)
    return overdue if overdue >= 0 else best


@kernel
def show_change(plan, memory, g):
    """Heads that are green now and not in the target: yellow or red, as the change stands. Others keep green if the target has it."""
    target_row = plan.phase_start[g] + memory.target[g]
    now = plan.phase_start[g] + memory.phase[g]
    for i in range(plan.head_start[g + 1] - plan.head_start[g]):
        mine = plan.state[plan.state_start[now] + i]
        next_letter = plan.state[plan.state_start[target_row] + i]
        green = mine == 71 or mine == 103
        keeps = next_letter == 71 or next_letter == 103
        letter = 114
        if green and (keeps or (memory.change[g] == 3 and plan.crossing[plan.head_start[g] + i] == 0.0)):
            letter = mine
        elif green or mine == 121:
            letter = 114 if memory.change[g] == 2 else 121
        elif mine != 114 and mine == next_letter:
            letter = mine
        memory.light[plan.head_start[g] + i] = letter


@kernel
def walkers_need(plan, memory, g, goal):
    """s before the yellow that people on crosswalks need who have green now and will not have it in stage `goal`."""
    now, then = plan.phase_start[g] + memory.phase[g], plan.phase_start[g] + goal
    longest = 0.0
    for i in range(plan.head_start[g + 1] - plan.head_start[g]):
        mine, after = plan.state[plan.state_start[now] + i], plan.state[plan.state_start[then] + i]
        if mine in (71, 103) and after not in (71, 103):
            longest = max(longest, plan.crossing[plan.head_start[g] + i])
    return max(longest - plan.yellow[g] - plan.all_red[g], 0.0)


@kernel
def step_free(plan, memory, g, count, t):
    """PRESSURE and COMMAND: keep the stage for its minimum green, then change where another one is wanted."""
    now = plan.phase_start[g] + memory.phase[g]
    if memory.change[g] == 0:
        if plan.is_stage[now] == 0:
            # A yellow or red of the plan that was running when free choice began: the plan leads on.
            if t >= memory.until[g] - 1e-9:
                enter_phase(
                    plan,
                    memory,
                    g,
                    following_phase(plan.phase_start, plan.following, g, np.int64(memory.phase[g])),
                    memory.until[g],
                )
            return
        memory.served[now] = t
        if t < memory.since[g] + plan.min_green[g] - 1e-9:
            return
        goal = np.int64(memory.wanted[g])
        if memory.mode[g] == 2:
            goal = choose_stage(plan, memory, g, count, t)
        if goal < 0 or goal == memory.phase[g] or plan.is_stage[plan.phase_start[g] + goal] == 0:
            return
        memory.target[g] = goal
        memory.clear_for[g] = walkers_need(plan, memory, g, goal)
        memory.change[g] = 3
        memory.change_at[g] = t
        show_change(plan, memory, g)
    if memory.change[g] == 3 and t >= memory.change_at[g] + memory.clear_for[g] - 1e-9:
        memory.change[g] = 1
        memory.change_at[g] += memory.clear_for[g]
        show_change(plan, memory, g)
    if memory.change[g] == 1 and t >= memory.change_at[g] + plan.yellow[g] - 1e-9:
        memory.change[g] = 2
        memory.change_at[g] += plan.yellow[g]
        show_change(plan, memory, g)
    if memory.change[g] == 2 and t >= memory.change_at[g] + plan.all_red[g] - 1e-9:
        enter_phase(plan, memory, g, np.int64(memory.target[g]), memory.change_at[g] + plan.all_red[g])
        memory.served[plan.phase_start[g] + memory.phase[g]] = t


@kernel
def set_mode(plan, memory, g, mode, t):
    """Hand group `g` over to another ControlMode; a change under way is finished first. Returns 1 if done."""
    if memory.mode[g] == mode:
        return 1
    if memory.change[g] > 0:
        return 0
    p = plan.phase_start[g] + memory.phase[g]
    free = memory.mode[g] >= 2
    memory.mode[g] = mode
    if mode == 1:
        memory.until[g] = max(memory.since[g] + plan.minimum[p], t)
    elif mode == 0 and free:
        memory.until[g] = max(memory.since[g] + plan.duration[p], t)
    return 1


@kernel
def step_signals(plan, memory, clear_time, count, t):
    """Advance all groups to time t (s), at most one decision per call and group in the free modes.

    clear_time (L,): s, when a vehicle was last within the lane's detector (-1e18 never), see `detector_distance`.
    count (L,): vehicles per lane as far as known, for PRESSURE. Both are indexed by lane of the base map.
    """
    for g in range(memory.phase.shape[0]):
        if memory.mode[g] <= 1:
            step_plan(plan, memory, g, clear_time, t)
        else:
            step_free(plan, memory, g, count, t)


@kernel
def change_over(plan, memory, g):
    """s, when the change under way of group `g` is over and its target begins."""
    end = memory.change_at[g] + plan.all_red[g]
    if memory.change[g] != 2:
        end += plan.yellow[g]
    if memory.change[g] == 3:
        end += memory.clear_for[g]
    return end


@kernel
def predict_end(plan, memory, g, t):
    """(min end, likely end, max end, next phase index) of what group `g` shows now; s, NaN unknown.

    During a change the end is that of its present part.
    """
    p = plan.phase_start[g] + memory.phase[g]
    if memory.change[g] > 0:
        end = memory.change_at[g] + plan.all_red[g]
        if memory.change[g] == 1:
            end = memory.change_at[g] + plan.yellow[g]
        elif memory.change[g] == 3:
            end = memory.change_at[g] + memory.clear_for[g]
        return end, end, end, np.int64(memory.target[g])
    if memory.mode[g] == 0 or plan.maximum[p] <= plan.minimum[p]:
        if memory.mode[g] <= 1 or plan.is_stage[p] == 0:
            return (
                memory.until[g],
                memory.until[g],
                memory.until[g],
                following_phase(plan.phase_start, plan.following, g, np.int64(memory.phase[g])),
            )
    if memory.mode[g] == 1:
        least = max(memory.since[g] + plan.minimum[p], t)
        return (
            least,
            memory.until[g],
            memory.since[g] + plan.maximum[p],
            following_phase(plan.phase_start, plan.following, g, np.int64(memory.phase[g])),
        )
    least = max(memory.since[g] + plan.min_green[g], t)
    following = np.int64(-1)
    if memory.mode[g] == 3 and memory.wanted[g] != memory.phase[g]:
        following = np.int64(memory.wanted[g])
    return least, math.nan, math.nan, following

"""The four reference drivers of UN R157 in scenarios: normal following, and the model's reaction once it judges a scene unsafe.

The decisions are those of `judge/r157/drivers.py`; here they meet any number of road users, any step, and a road that goes on
afterwards. In normal driving they hold the wanted speed and follow by the improved IDM with the model's own equilibrium
headway and at most NORMAL_BRAKE, beyond which the regulation speaks of an emergency manoeuvre. A second after the scene is safe
again they go back to it.
"""

from __future__ import annotations

import math

from cloverleaf.algo.following import iidm_accel
from cloverleaf.algo.jit import kernel
from cloverleaf.judge.drivers.scene import approach, bumper_gap, hidden, leader, side_gap
from cloverleaf.judge.r157.drivers import (
    BRAKE_JERK,
    BRAKE_MAX,
    CC_HUMAN,
    FSM,
    FSM_BRAKE_MAX,
    FSM_BRAKE_MIN,
    HUMAN_COASTING,
    REG157,
    REG157_BRAKE,
    RSS,
    equilibrium_gap,
    judge_safety,
    reaction_time,
)
from cloverleaf.loop.storyboard.driver import (
    COMMAND_ACCEL,
    COMMAND_CURVATURE,
    DX,
    NEAR_ACCEL,
    NEAR_LENGTH,
    NEAR_SPEED,
    OWN_ACCEL,
    OWN_DESIRED,
    OWN_DT,
    OWN_LENGTH,
    OWN_SPEED,
    PRESENT_HERE,
    driver,
)

NORMAL_ACCEL, COMFORTABLE, NORMAL_BRAKE, STANDSTILL = 1.5, 2.0, 5.0, 2.0  # m/s2, m/s2, m/s2, m
LEADER_BRAKES = 0.5  # m/s2 of a leader's deceleration that a human takes for a reason to react
CALM = 1.0  # s of safety after which normal driving goes on
# memory
REACTED, BRAKE, SAFE_FOR = range(3)


@kernel
def unsafe(model, own, near, i):
    """(unsafe, critical, proactive fuzzy metric) of road user i for a reference driver."""
    v, other = own[OWN_SPEED], near[i, NEAR_SPEED]
    dx, gap, side = near[i, DX], bumper_gap(own, near, i), side_gap(own, near, i)
    if dx < 0.0 or v <= 0.0:
        return False, 0.0, 0.0
    if model == CC_HUMAN and side <= 0.0 and v > other:
        # behind somebody in the own path the careful human needs no short TTC to act
        closing = v - other
        braking = near[i, NEAR_ACCEL] < -LEADER_BRAKES and gap < equilibrium_gap(CC_HUMAN, v)
        if braking or closing * closing > 2.0 * COMFORTABLE * max(gap, 0.1):
            return True, 0.0, 0.0
    if v <= other and model != RSS and model != FSM:
        return False, 0.0, 0.0
    clearance = dx + 0.5 * (own[OWN_LENGTH] + near[i, NEAR_LENGTH])
    safe, _, critical, proactive = judge_safety(
        model, 0, dx, gap, side, clearance, v, other, -approach(near, i), own[OWN_ACCEL]
    )
    return not safe, critical, proactive


@kernel
def reference_accel(model, own, near, memory):
    """Acceleration of a reference driver, m/s2."""
    dt, v = own[OWN_DT], own[OWN_SPEED]
    first = leader(own, near)
    danger, critical, proactive = False, 0.0, 0.0
    for i in range(near.shape[0]):
        if near[i, PRESENT_HERE] == 1.0 and not hidden(near, i, first):
            bad, c, p = unsafe(model, own, near, i)
            danger = danger or bad
            critical, proactive = max(critical, c), max(proactive, p)
    if danger:
        memory[SAFE_FOR] = 0.0
        if memory[REACTED] < reaction_time(model) - 1e-9:
            memory[REACTED] += dt
            return -HUMAN_COASTING if model == CC_HUMAN else 0.0
        if model == REG157:
            return -REG157_BRAKE
        memory[BRAKE] = min(memory[BRAKE] + BRAKE_JERK * dt, BRAKE_MAX)
        if model == FSM:
            demand = proactive * FSM_BRAKE_MIN
            if critical > 0.0:
                demand = critical * (FSM_BRAKE_MAX - FSM_BRAKE_MIN) + FSM_BRAKE_MIN
            memory[BRAKE] = min(memory[BRAKE], demand)
        return -memory[BRAKE]
    memory[BRAKE] = 0.0
    if memory[REACTED] > 0.0:
        memory[SAFE_FOR] += dt
        if memory[SAFE_FOR] < CALM:
            return 0.0
        memory[REACTED] = 0.0
    gap, other = math.inf, v
    if first >= 0:
        gap, other = bumper_gap(own, near, first), near[first, NEAR_SPEED]
    headway = (equilibrium_gap(model, v) - STANDSTILL) / max(v, 1.0)
    wanted = iidm_accel(gap, v, other, own[OWN_DESIRED], NORMAL_ACCEL, COMFORTABLE, max(headway, 0.5), STANDSTILL)
    return max(wanted, -NORMAL_BRAKE)


@driver
def cc_human(own, near, memory, command):
    """Competent and careful human driver, UN R157 Annex 4 Appendix 3."""
    command[COMMAND_ACCEL] = reference_accel(CC_HUMAN, own, near, memory)
    command[COMMAND_CURVATURE] = math.nan


@driver
def fsm(own, near, memory, command):
    """Fuzzy safety model, Mattas et al. 2020."""
    command[COMMAND_ACCEL] = reference_accel(FSM, own, near, memory)
    command[COMMAND_CURVATURE] = math.nan


@driver
def rss(own, near, memory, command):
    """Responsibility-sensitive safety, Shalev-Shwartz et al. 2017."""
    command[COMMAND_ACCEL] = reference_accel(RSS, own, near, memory)
    command[COMMAND_CURVATURE] = math.nan


@driver
def reg157(own, near, memory, command):
    """The cut-in rule of UN R157 clause 5.2.5.2."""
    command[COMMAND_ACCEL] = reference_accel(REG157, own, near, memory)
    command[COMMAND_CURVATURE] = math.nan

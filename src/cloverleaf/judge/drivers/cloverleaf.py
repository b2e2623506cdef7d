"""Our default driver in compiled form: the planner's following law and the guard of the component car, under ideal sensing.

Same laws and constants as `car/simulate.py` and `car/guard.py`; what falls away is sensing, tracking and the choice among
several proposals, which a sweep's straight task does not need. Jerk is limited as the car's control limits it.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.car.guard import longitudinal_limit, sideways_unsafe
from cloverleaf.car.simulate import ACCEL as TOP_ACCEL
from cloverleaf.car.simulate import FIRM, JERK_DOWN, JERK_HARD, JERK_RELEASE, JERK_UP, STRONGEST, follow
from cloverleaf.car.state import DT as PLAN_DT
from cloverleaf.car.state import STEPS
from cloverleaf.judge.drivers.scene import bumper_gap, comes_head_on, side_gap, will_meet
from cloverleaf.loop.storyboard.driver import (
    COMMAND_ACCEL,
    COMMAND_CURVATURE,
    DX,
    DY,
    NEAR_LATERAL_SPEED,
    NEAR_SPEED,
    NEAR_WIDTH,
    OWN_DESIRED,
    OWN_DT,
    OWN_SPEED,
    OWN_WIDTH,
    PRESENT_HERE,
    driver,
)

HORIZON, MARGIN = 4.0, 0.3  # s of prediction, s of doubt about who is first
TOWARDS = 0.5  # m/s, from which somebody in the way is oncoming and not standing
AHEAD = STEPS * PLAN_DT  # s that the planner plays a proposal forward
TO_SPARE = 1.0  # s that we stand before somebody who comes head-on arrives
STARTED, LAST = range(2)  # memory: has a command been given, and which


@kernel
def free_accel(v, top):
    """Towards the wanted speed, m/s2 (as `wish` of car/simulate.py)."""
    if v <= top:
        ratio = v / max(top, 0.1)
        ratio *= ratio
        return TOP_ACCEL * (1.0 - ratio * ratio)
    return max(-2.6, (top - v) / 0.9)


@kernel
def brake_for_oncoming(gap, v, u, top):
    """Acceleration (m/s2) that the planner chooses for somebody `gap` m ahead in our way who comes towards us at `u` m/s; inf: none.

    Following cannot avoid him. If going on (at most towards `top` m/s) meets him within the planner's horizon, a firm brake is chosen
    where it brings us to rest in good time, else the strongest.
    """
    on = min(top * AHEAD, v * AHEAD + 0.5 * TOP_ACCEL * AHEAD * AHEAD)
    if gap > u * AHEAD + on:
        return math.inf
    rest = v / FIRM
    return -FIRM if gap > 0.5 * v * rest + u * (rest + TO_SPARE) else -STRONGEST


@kernel
def planned_accel(own, near):
    """Plan, then guard, m/s2."""
    v = own[OWN_SPEED]
    free = free_accel(v, own[OWN_DESIRED])
    wanted, allowed = free, math.inf
    for i in range(near.shape[0]):
        if near[i, PRESENT_HERE] == 0.0 or near[i, DX] < 0.0:
            continue
        gap, other = bumper_gap(own, near, i), near[i, NEAR_SPEED]
        if comes_head_on(own, near, i, TOWARDS, MARGIN):
            wanted = min(wanted, brake_for_oncoming(gap, v, -other, own[OWN_DESIRED]))
        if will_meet(own, near, i, HORIZON, MARGIN) or side_gap(own, near, i) < 0.0:
            wanted = min(wanted, follow(gap, v, max(other, 0.0), free))
        reach = 0.5 * (own[OWN_WIDTH] + near[i, NEAR_WIDTH])
        drifting = abs(near[i, NEAR_LATERAL_SPEED]) > 0.3 and sideways_unsafe(
            near[i, DY], near[i, NEAR_LATERAL_SPEED], reach
        )
        if side_gap(own, near, i) < -0.05 or drifting:
            allowed = min(allowed, longitudinal_limit(v, other, max(gap, 0.0)))
    return max(min(wanted, allowed), -STRONGEST)


@driver
def cloverleaf(own, near, memory, command):
    """Cloverleaf's own driver."""
    wanted = planned_accel(own, near)
    if memory[STARTED] == 1.0:
        down = JERK_HARD if wanted < -3.0 else JERK_DOWN
        up = JERK_UP if memory[LAST] >= 0.0 else JERK_RELEASE
        wanted = min(max(wanted, memory[LAST] - down * own[OWN_DT]), memory[LAST] + up * own[OWN_DT])
    memory[STARTED], memory[LAST] = 1.0, wanted
    command[COMMAND_ACCEL] = wanted
    command[COMMAND_CURVATURE] = math.nan

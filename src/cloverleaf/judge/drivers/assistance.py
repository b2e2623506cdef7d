"""IDM, and what is in series cars today: adaptive cruise control with automatic emergency braking."""

from __future__ import annotations

import math

from cloverleaf.algo.following import iidm_accel, kesting_acc_accel
from cloverleaf.algo.jit import kernel
from cloverleaf.judge.drivers.scene import bumper_gap, leader, will_meet
from cloverleaf.loop.storyboard.driver import (
    COMMAND_ACCEL,
    COMMAND_CURVATURE,
    NEAR_ACCEL,
    NEAR_SPEED,
    OWN_DESIRED,
    OWN_DT,
    OWN_SPEED,
    PRESENT_HERE,
    driver,
)

ACCEL, BRAKE, HEADWAY, STANDSTILL, COOLNESS = 1.4, 2.0, 1.5, 2.0, 0.99  # Treiber and Kesting 2013, chapter 11
HARDEST = 8.0  # m/s2 that plain IDM may ask of the tyres
ACC_BRAKE = 3.5  # m/s2, ISO 15622 allows an average of 3.5 over 2 s
AEB_BRAKE, AEB_JERK = 9.0, 40.0  # m/s2, m/s3
AEB_NEEDED = 5.0  # m/s2: imminent is what needs more
AEB_DELAY = 0.2  # s until the brakes bite
AEB_HORIZON, AEB_MARGIN = 3.0, 0.1  # s
ENGAGED = 0  # memory: deceleration of the emergency brake so far


@kernel
def imminent(own, near):
    """True if avoiding somebody in our way needs more than AEB_NEEDED."""
    for i in range(near.shape[0]):
        if near[i, PRESENT_HERE] == 1.0 and will_meet(own, near, i, AEB_HORIZON, AEB_MARGIN):
            closing = own[OWN_SPEED] - near[i, NEAR_SPEED]
            room = bumper_gap(own, near, i) - closing * AEB_DELAY
            if closing > 0.0 and (room <= 0.0 or closing * closing > 2.0 * AEB_NEEDED * room):
                return True
    return False


@driver
def idm(own, near, memory, command):
    """Improved intelligent driver model, Treiber and Kesting 2013: reacts to the leader in its path alone."""
    i = leader(own, near)
    gap = bumper_gap(own, near, i) if i >= 0 else math.inf
    other = near[i, NEAR_SPEED] if i >= 0 else own[OWN_SPEED]
    wanted = iidm_accel(gap, own[OWN_SPEED], other, own[OWN_DESIRED], ACCEL, BRAKE, HEADWAY, STANDSTILL)
    command[COMMAND_ACCEL] = max(wanted, -HARDEST)
    command[COMMAND_CURVATURE] = math.nan


@driver
def acc_aeb(own, near, memory, command):
    """ACC of Kesting, Treiber and Helbing 2010 with at most ACC_BRAKE, and an emergency brake that stays on until the danger is over."""
    i = leader(own, near)
    gap = bumper_gap(own, near, i) if i >= 0 else math.inf
    other = near[i, NEAR_SPEED] if i >= 0 else own[OWN_SPEED]
    slowing = near[i, NEAR_ACCEL] if i >= 0 else 0.0
    wanted = kesting_acc_accel(
        gap, own[OWN_SPEED], other, slowing, own[OWN_DESIRED], ACCEL, BRAKE, HEADWAY, STANDSTILL, COOLNESS
    )
    if imminent(own, near) or (memory[ENGAGED] > 0.0 and i >= 0 and own[OWN_SPEED] > other):
        memory[ENGAGED] = min(memory[ENGAGED] + AEB_JERK * own[OWN_DT], AEB_BRAKE)
    else:
        memory[ENGAGED] = 0.0
    command[COMMAND_ACCEL] = (
        min(max(wanted, -ACC_BRAKE), -memory[ENGAGED]) if memory[ENGAGED] > 0.0 else max(wanted, -ACC_BRAKE)
    )
    command[COMMAND_CURVATURE] = math.nan

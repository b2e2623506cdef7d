"""What is measured of the entity under test at every step, as an observer that the engine calls: the columns the rules ask for.

Measures start at zero, so each is kept in a form whose neutral value is zero (closeness instead of time to collision).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.algo.jit import kernel
from cloverleaf.judge.drivers.scene import bumper_gap, leader, will_meet
from cloverleaf.loop.storyboard.driver import (
    NEAR_SPEED,
    OWN_ACCEL,
    OWN_ACTIVE,
    OWN_DT,
    OWN_LANE_WIDTH,
    OWN_OFFSET,
    OWN_SPEED,
    OWN_WIDTH,
    PRESENT_HERE,
    driver,
)

CLOSENESS, SHORT_NOW, SHORT_WORST, NEEDLESS, EXIT, FASTEST, HARDEST, STEPS, FOLLOWED, START_SPEED, IN_LANE = range(11)
MEMORY = 12
LEAST_GAP = 2.0  # m, UN R157 5.2.3.3
PULLS_AWAY = 0.2  # m/s that a leader may be faster and still count as followed
HORIZON, MARGIN = 4.0, 0.2  # s
HARDEST_POSSIBLE = 15.0  # m/s2; more is no braking: the end of a road, or the storyboard sets a speed


@kernel
def minimum_gap(v):
    """Bumper gap (m) that UN R157 5.2.3.3 demands at speed v: time gaps by speed, linear between, never below LEAST_GAP."""
    kmh = v * 3.6
    if kmh <= 7.2:
        gap = 1.0
    elif kmh <= 10.0:
        gap = 1.0 + 0.1 * (kmh - 7.2) / 2.8
    else:
        gap = 1.1 + 0.1 * (kmh - 10.0) / 10.0
    return max(gap * v, LEAST_GAP)


@kernel
def needed_decel(own, near):
    """Strongest deceleration (m/s2) that a road user in our way, now or soon, asks for if it keeps its speed."""
    needed = 0.0
    for i in range(near.shape[0]):
        if near[i, PRESENT_HERE] == 1.0 and will_meet(own, near, i, HORIZON, MARGIN):
            closing, gap = own[OWN_SPEED] - near[i, NEAR_SPEED], bumper_gap(own, near, i)
            if closing > 0.0:
                needed = max(needed, closing * closing / (2.0 * max(gap - 1.0, 0.1)))
    return needed


@driver
def observe(own, near, memory, command):
    """One step's measures of the entity under test; nothing counts before it has the controls."""
    if own[OWN_ACTIVE] == 0.0:
        return
    v, accel = own[OWN_SPEED], own[OWN_ACCEL]
    if memory[STEPS] == 0.0:
        memory[START_SPEED] = v
        half = 0.5 * own[OWN_LANE_WIDTH]
        memory[IN_LANE] = 1.0 if abs(own[OWN_OFFSET]) + 0.5 * own[OWN_WIDTH] <= half else 0.0
    memory[STEPS] += 1.0
    memory[FASTEST] = max(memory[FASTEST], v)
    if accel < -HARDEST_POSSIBLE:
        accel = 0.0
    memory[HARDEST] = max(memory[HARDEST], -accel)
    exit = abs(own[OWN_OFFSET]) + 0.5 * own[OWN_WIDTH] - 0.5 * own[OWN_LANE_WIDTH]
    if exit == exit:
        memory[EXIT] = max(memory[EXIT], exit)
    i = leader(own, near)
    short = False
    if i >= 0:
        gap, closing = bumper_gap(own, near, i), v - near[i, NEAR_SPEED]
        memory[FOLLOWED] = 1.0
        if closing > 0.0:
            memory[CLOSENESS] = max(memory[CLOSENESS], closing / max(gap, 1e-3))
        short = gap < minimum_gap(v) and closing > -PULLS_AWAY and v > 0.1
    memory[SHORT_NOW] = memory[SHORT_NOW] + own[OWN_DT] if short else 0.0
    memory[SHORT_WORST] = max(memory[SHORT_WORST], memory[SHORT_NOW])
    if -accel > memory[NEEDLESS] and 2.0 * needed_decel(own, near) < -accel:
        memory[NEEDLESS] = -accel


def measures(observed: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Columns by name from what `observe` left in its memory, shape (worlds, MEMORY); NaN where the entity never had the controls."""
    ran = observed[:, STEPS] > 0
    near = observed[:, CLOSENESS] > 0
    columns = {
        "min_ttc_s": np.where(near, 1.0 / np.where(near, observed[:, CLOSENESS], 1.0), np.nan),
        "short_gap_s": observed[:, SHORT_WORST],
        "followed": observed[:, FOLLOWED],
        "needless_decel_mps2": observed[:, NEEDLESS],
        "max_decel_mps2": observed[:, HARDEST],
        "lane_exit_m": np.where(observed[:, IN_LANE] == 1.0, observed[:, EXIT], np.nan),
        "top_speed_kmh": observed[:, FASTEST] * 3.6,
        "start_speed_kmh": observed[:, START_SPEED] * 3.6,
    }
    return {name: np.where(ran, values, np.nan) for name, values in columns.items()}

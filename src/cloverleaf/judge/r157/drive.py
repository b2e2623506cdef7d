"""Any driver on the R157 families: the grids' motion of the others, the driver's own answers for the ego.

Step 0.1 s, positions are box centres, new speed first and then position with the new speed, as in `families.py`. The four reference
drivers have their own exact kernels there; here every other driver drives, whatever its form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.algo.jit import kernel
from cloverleaf.judge.drivers.external import Planners
from cloverleaf.judge.drivers.registry import COMPILED, MEMORY, VECTOR, Driver
from cloverleaf.judge.r157.drivers import STEP, G
from cloverleaf.judge.r157.families import (
    LENGTH,
    RUN_IN_ACCEL,
    SIDE_GAP,
    STANDING_LENGTH,
    STEPS,
    WIDTH,
)
from cloverleaf.judge.r157.suite import FAMILIES, Columns, on_grid
from cloverleaf.loop.storyboard import driver as d

LANE = 3.5  # m
HEADWAY = 2.0  # s, at which a driver without a published equilibrium follows (that of the careful human)
F64 = NDArray[np.float64]


@kernel
def drive_all(drive, own, near, memory, command, active):
    """Call a compiled driver for every world that still runs."""
    for w in range(own.shape[0]):
        if active[w]:
            drive(own[w], near[w], memory[w], command[w])


class _Course:
    """Motion of the others in one family, step by step: `x`, `y`, `vx`, `vy` of shape (cases, others)."""

    def __init__(self, family: str, cases: Mapping[str, F64]) -> None:
        kmh = cases["ego_kmh"] if "ego_kmh" in cases else cases["speed_kmh"]
        self.speed = kmh / 3.6
        n = len(self.speed)
        count = 2 if family == "cut_out" else 1
        self.x, self.y, self.vx, self.vy = (np.zeros((n, count)) for _ in range(4))
        self.length = np.full(count, LENGTH)
        self.family, self.steps = family, STEPS
        self.gap = HEADWAY * self.speed
        if family.startswith("cut_in"):
            self._lateral = on_grid(cases["lat_vel_mps"])
            self.gap = cases["dx0_m"]
            self.vx[:, 0] = cases["cutin_kmh"] / 3.6
            self.y[:, 0] = SIDE_GAP + WIDTH
            self._moving = np.where(self._lateral > 0, (SIDE_GAP + WIDTH) / np.maximum(self._lateral, 1e-9), 0.0)
            self._rise = self._lateral / RUN_IN_ACCEL
            self.y[:, 0] += 0.5 * self._rise * self._lateral
            self.gap = self.gap + self._rise * (self.speed - self.vx[:, 0])
            self.steps = STEPS + int(np.ceil(self._rise.max() / STEP)) if n else STEPS
        elif family == "cut_out":
            self._lateral = cases["lat_vel_mps"]
            self.vx[:, 0] = self.speed
            self.length[1] = STANDING_LENGTH
            self.x[:, 1] = self.gap + LENGTH + cases["front_distance_m"] + LENGTH
        else:
            self._brake = cases["lead_decel_g"] * G
            self.vx[:, 0] = self.speed
        self.x[:, 0] = self.gap + LENGTH

    def advance(self, time: float) -> None:
        """Move the others by one step that begins at `time` s."""
        if self.family.startswith("cut_in"):
            since = time - self._rise
            share = np.clip(time * RUN_IN_ACCEL, 0.0, self._lateral)
            self.vy[:, 0] = np.where(since < self._moving, -share, 0.0)
        elif self.family == "cut_out":
            standing = np.abs(self.x[:, 1] - self.x[:, 0]) < 0.5 * (LENGTH + STANDING_LENGTH)
            hit = standing & (np.abs(self.y[:, 0]) < WIDTH)
            self.vx[hit, 0] = 0.0
            self.vy[:, 0] = np.where((np.abs(self.y[:, 0]) < 4.0) & (self.vx[:, 0] > 0), self._lateral, 0.0)
        else:
            self.vx[:, 0] = np.maximum(self.vx[:, 0] - self._brake * STEP, 0.0)
        self.x += self.vx * STEP
        self.y += self.vy * STEP


def drive_family(family: str, driver: Driver, cases: Mapping[str, F64]) -> Columns:
    """Run every case; columns of shape (cases,): `crash`, `min_ttc_s`, `impact_speed_kmh`, `initial_distance_m`."""
    cases = {p: np.ascontiguousarray(cases[p], np.float64) for p in FAMILIES[family].parameters}
    course = _Course(family, cases)
    n, others = course.x.shape
    own, near = np.zeros((n, d.OWN)), np.zeros((n, others, d.NEAR))
    memory, command = np.zeros((n, MEMORY)), np.zeros((n, d.COMMAND))
    own[:, d.OWN_DT], own[:, d.OWN_LENGTH], own[:, d.OWN_WIDTH], own[:, d.OWN_LANE_WIDTH] = STEP, LENGTH, WIDTH, LANE
    own[:, d.OWN_SPEED] = own[:, d.OWN_DESIRED] = course.speed
    own[:, d.OWN_LIMIT], own[:, d.OWN_ACTIVE] = np.nan, 1.0
    near[:, :, d.PRESENT_HERE], near[:, :, d.NEAR_LENGTH], near[:, :, d.NEAR_WIDTH] = 1.0, course.length, WIDTH
    crash, impact, ttc = np.zeros(n), np.zeros(n), np.full(n, np.nan)
    running = np.ones(n, np.bool_)
    rows = (
        [dict(zip(cases, values)) for values in zip(*cases.values())] if driver.form not in (COMPILED, VECTOR) else []
    )
    asked: Any = None
    if driver.form != COMPILED:
        asked = driver.call() if driver.form == VECTOR else Planners(driver.call, rows, others)
        asked.reset(n, others, STEP)
    reach = 0.5 * (LENGTH + course.length)
    for step in range(course.steps):
        before = near[:, :, d.NEAR_SPEED].copy()
        dx = course.x - own[:, [d.OWN_X]]
        near[:, :, d.DX], near[:, :, d.DY] = dx, course.y
        near[:, :, d.GAP] = np.where(dx > 0, dx - reach, -np.abs(dx) + reach)
        near[:, :, d.NEAR_SPEED], near[:, :, d.NEAR_LATERAL_SPEED] = course.vx, course.vy
        near[:, :, d.NEAR_ACCEL] = (course.vx - before) / STEP if step else 0.0
        near[:, :, d.NEAR_LANES] = np.rint(course.y / LANE)
        overlap = (np.abs(course.y) < WIDTH) & (np.abs(dx) < reach)
        closing = own[:, [d.OWN_SPEED]] - course.vx
        ahead = (dx > reach) & (np.abs(course.y) < WIDTH) & (closing > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ttc = np.fmin(ttc, np.where(running[:, None] & ahead, (dx - reach) / closing, np.nan).min(axis=1))
        hit = running & overlap.any(axis=1)
        crash[hit] = 1.0
        impact[hit] = np.where(overlap, closing, -np.inf).max(axis=1)[hit] * 3.6
        running &= ~hit
        own[:, d.OWN_TIME] = step * STEP
        if asked is None:
            drive_all(driver.call, own, near, memory, command, running)
        else:
            own[:, d.OWN_ACTIVE] = running
            if isinstance(asked, Planners):
                asked.poses = np.zeros((n, others + 1, 3))
                asked.poses[:, :others, 0], asked.poses[:, :others, 1] = course.x, course.y
                asked.poses[:, others, 0] = own[:, d.OWN_X]
            asked.drive(own, near, command)
        speed = np.maximum(own[:, d.OWN_SPEED] + np.where(running, command[:, d.COMMAND_ACCEL], 0.0) * STEP, 0.0)
        own[:, d.OWN_ACCEL] = (speed - own[:, d.OWN_SPEED]) / STEP
        own[:, d.OWN_SPEED] = speed
        own[:, d.OWN_X] += speed * STEP
        course.advance(step * STEP)
        if not running.any():
            break
    getattr(asked, "close", lambda: None)()
    return {
        "crash": crash.astype(np.int8), "min_ttc_s": ttc, "impact_speed_kmh": np.maximum(impact, 0.0),
        "initial_distance_m": course.gap,
    }  # fmt: skip

"""Cost function SM1 of the CommonRoad benchmarks, for comparison only: nothing plans with it.

J = 50 A + 50 SA + 50 SR + L + 20 V + 50 O, each an integral over time by Simpson's rule: squared acceleration, squared steering
angle, squared steering rate, speed, squared speed below the goal's least, exp(-0.2 gap to the nearest obstacle). Althoff, Koschi,
Manzinger 2017, "CommonRoad: Composable benchmarks", and its evaluation code for the differences (quotients between states).
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import simpson

from cloverleaf.scenario.commonroad.model import PlanningTask
from cloverleaf.types.state import F64

WEIGHTS = {"A": 50.0, "SA": 50.0, "SR": 50.0, "L": 1.0, "V": 20.0}


def partial_costs(task: PlanningTask, states: F64) -> dict[str, float]:
    """The parts without O of a drive (n, 5), unweighted; O needs the benchmark's own projection."""
    speed, steer, dt = states[:, 3], states[:, 4], task.step
    if len(states) < 2:
        return dict.fromkeys(WEIGHTS, 0.0)
    low = min((g.speed[0] for g in task.goals if g.speed), default=0.0)
    accel, rate = np.diff(speed) / dt, np.diff(steer) / dt

    def integral(values: F64) -> float:
        return float(simpson(values, dx=dt))

    return {
        "A": integral(accel**2),
        "SA": integral(steer**2),
        "SR": integral(rate**2),
        "L": integral(speed),
        "V": integral(np.maximum(low - speed, 0.0) ** 2),
    }


def total_cost(parts: dict[str, float]) -> float:
    """Weighted sum of the parts that there are."""
    return sum(WEIGHTS[name] * value for name, value in parts.items())

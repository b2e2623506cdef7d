"""`cloverleaf bench control`: solve time of the predictive controller, and its tracking on car models that we did not write.

The plants are the single-track and the multi-body model of commonroad-vehicle-models (BMW 320i, vehicle 2), in a process of their own;
the controller knows mass, geometry and friction, not the tyres. The path is a chain of bends, left and right, that need 0.8 of
the friction.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from cloverleaf.algo.dynamics import GRAVITY
from cloverleaf.cli.peers import find_peer
from cloverleaf.types.state import F64

MODULE, VARIABLE = "vehiclemodels", "CLOVERLEAF_VEHICLE_MODELS_PYTHON"
BAR_MS, BAR_RMSE = 1.0, 0.15
USED, TICK, DURATION = 0.8, 0.02, 14.0
FRICTIONS = (0.3, 0.5, 0.7, 1.0)

PLANT = """
import math, sys
from vehiclemodels.parameters_vehicle2 import parameters_vehicle2
from vehiclemodels.vehicle_dynamics_st import vehicle_dynamics_st
from vehiclemodels.vehicle_dynamics_mb import vehicle_dynamics_mb
from vehiclemodels.init_st import init_st
from vehiclemodels.init_mb import init_mb
kind, friction, speed, tick, lag = sys.argv[1], *map(float, sys.argv[2:6])
p = parameters_vehicle2()
p.tire.p_dy1 = p.tire.p_dx1 = friction
start = [0.0, 0.0, 0.0, speed, 0.0, 0.0, 0.0]
x = list((init_st if kind == 'st' else init_mb)(start, p) if kind == 'mb' else init_st(start))
f = vehicle_dynamics_st if kind == 'st' else vehicle_dynamics_mb
parts = 4 if kind == 'st' else 40
print(p.m, p.I_z, p.a, p.b, flush=True)
accel = 0.0
def add(x, k, h):
    return [a + h * b for a, b in zip(x, k)]
while True:
    if kind == 'st':
        vx, vy = x[3] * math.cos(x[6]), x[3] * math.sin(x[6])
    else:
        vx, vy = x[3], x[10]
    print(*(float(v) for v in (x[0], x[1], x[4], vx, vy, x[5], x[2], accel)), flush=True)
    line = sys.stdin.readline()
    if not line:
        break
    rate, demand = map(float, line.split())
    h = tick / parts
    for _ in range(parts):
        accel = demand + (accel - demand) * math.exp(-h / lag)
        u = [rate, accel]
        k1 = f(x, u, p); k2 = f(add(x, k1, h / 2), u, p); k3 = f(add(x, k2, h / 2), u, p); k4 = f(add(x, k3, h), u, p)
        x = [a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(x, k1, k2, k3, k4)]
"""


def bends(peak: float, ramp: float, hold: float, length: float, step: float = 0.25) -> tuple[F64, F64, F64, F64, F64]:
    """A path (s, x, y, heading, curvature) of bends to alternate sides: clothoid, arc of curvature `peak`, clothoid."""
    s = np.arange(0.0, length, step)
    knots, values, at, side = [0.0, 30.0], [0.0, 0.0], 30.0, 1.0
    while at < length:
        knots += [at + ramp, at + ramp + hold, at + 2 * ramp + hold]
        values += [side * peak, side * peak, 0.0]
        at, side = at + 2 * ramp + hold, -side
    curvature = np.interp(s, knots, values)
    heading = np.concatenate([[0.0], np.cumsum(0.5 * (curvature[1:] + curvature[:-1]) * step)])
    x = np.concatenate([[0.0], np.cumsum(np.cos(0.5 * (heading[1:] + heading[:-1])) * step)])
    y = np.concatenate([[0.0], np.cumsum(np.sin(0.5 * (heading[1:] + heading[:-1])) * step)])
    return s, x, y, heading, curvature


def nearest(path: tuple[F64, ...], x: float, y: float, near: float) -> tuple[float, float, float, float]:
    """(station, offset, heading, curvature) of the path beside a point; searched around `near` m."""
    s, px, py, heading, curvature = path
    first = max(int((near - 5.0) / (s[1] - s[0])), 0)
    window = slice(first, first + 60)
    k = first + int(np.argmin((px[window] - x) ** 2 + (py[window] - y) ** 2))
    k = min(k, len(s) - 2)
    c, d = math.cos(heading[k]), math.sin(heading[k])
    along, across = (x - px[k]) * c + (y - py[k]) * d, (y - py[k]) * c - (x - px[k]) * d
    across -= 0.5 * curvature[k] * along * along
    return float(s[k] + along), across, float(heading[k] + curvature[k] * along), float(curvature[k])


def ride(python: str, kind: str, friction: float) -> Iterator[tuple[float, float, float]]:
    """Drive the bends; yields (offset m, solve time ms of CPU, share of friction used) per tick."""
    from cloverleaf.car.mpc import STAGES, STEP, Car, PathTracker

    speed = 6.0 + 16.0 * friction
    peak = USED * friction * GRAVITY / (speed * speed)
    path = bends(peak, max(1.2 * speed, 12.0), 1.6 * speed, speed * DURATION + 120.0)
    plant = subprocess.Popen(
        [python, "-W", "ignore", "-c", PLANT, kind, *map(str, (friction, speed, TICK, 0.25))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={},
    )  # fmt: skip
    assert plant.stdin and plant.stdout
    try:
        mass, inertia, front, rear = map(float, plant.stdout.readline().split())
        tracker = PathTracker(Car(mass=mass, inertia=inertia, front=front, rear=rear, friction=friction))
        station, stages = 0.0, (np.arange(STAGES) + 1) * STEP
        for _ in range(int(DURATION / TICK)):
            x, y, yaw, vx, vy, r, delta, a = map(float, plant.stdout.readline().split())
            station, offset, heading, kappa = nearest(path, x, y, station)
            psi = math.atan2(math.sin(yaw - heading), math.cos(yaw - heading))
            ahead = np.interp(station + vx * stages, path[0], path[4])
            begin = time.thread_time()
            tracker.observe(vy, r, vx, delta, kappa, TICK)
            state = np.array([offset, psi, vy, r, delta, station, vx, a])
            rate, demand = tracker.step(state, ahead, np.full(STAGES, speed))
            spent = (time.thread_time() - begin) * 1e3
            plant.stdin.write(f"{rate!r} {demand!r}\n")
            plant.stdin.flush()
            yield offset, spent, math.hypot(vx * r, a) / (friction * GRAVITY)
    finally:
        plant.kill()
        plant.communicate()


def solve_times(count: int = 2000) -> F64:
    """CPU time (ms) of ticks with an obstacle ahead, a narrow gap beside it and bends at the limit, all constraints active in turn."""
    from cloverleaf.car.mpc import STAGES, STEP, Car, PathTracker

    r = np.random.default_rng(0)
    tracker, times = PathTracker(Car(friction=0.7)), []
    stages = (np.arange(STAGES) + 1) * STEP
    state = np.zeros(8)
    for k in range(count):
        if k % 40 == 0:
            state = np.array([*r.normal(0, [0.3, 0.05, 0.1, 0.1, 0.03]), 0.0, r.uniform(5, 25), r.normal(0, 0.5)])
            v = state[6]
            peak = r.uniform(-0.9, 0.9) * 0.7 * GRAVITY / (v * v)
            block = r.uniform(0.8, 1.5) * v
            gap = np.where(stages > 0.5, r.uniform(-0.3, 0.3), -np.inf)
        curvature = peak * np.minimum(1.0, stages + 0.02 * (k % 40))
        begin = time.thread_time()
        tracker.step(state, curvature, np.full(STAGES, v), station_most=np.full(STAGES, block), offset_low=gap)
        times.append((time.thread_time() - begin) * 1e3)
        state = tracker.plan[1] * 0.4 + state * 0.6
    return np.array(times[40:])


def run() -> None:
    """Print the rows."""
    t = solve_times()
    p50, p95, p99 = np.percentile(t, [50, 95, 99])
    met = "met" if p95 <= BAR_MS else "missed"
    print(
        f"MPC, 30 stages, all constraints: p50 {p50:.3f}  p95 {p95:.3f}  p99 {p99:.3f} ms (bar p95 {BAR_MS:.0f}): {met}"
    )
    python = find_peer(MODULE, VARIABLE)
    if python is None:
        print(
            f"foreign plants are not installed: pip install commonroad-vehicle-models in a Python named by {VARIABLE}"
        )
        return
    print(
        f"{'plant':<14}{'friction':>9}{'RMSE m':>9}{'max m':>8}{'used p95':>10}{'p95 ms':>8}   bar {BAR_RMSE} m at {USED} of the friction"
    )
    for kind, name in (("st", "single-track"), ("mb", "multi-body")):
        for friction in FRICTIONS:
            row = summary(list(ride(python, kind, friction)))
            met = "met" if row["rmse_m"] <= BAR_RMSE else "missed"
            print(
                f"{name:<14}{friction:>9.1f}{row['rmse_m']:>9.3f}{row['max_m']:>8.3f}{row['used_p95']:>10.2f}{row['p95_ms']:>8.3f}   {met}",
                flush=True,
            )


def summary(rows: list[tuple[float, float, float]]) -> dict[str, Any]:
    """RMSE and largest offset, share of friction, solve time of one ride."""
    offset, spent, used = np.array(rows).T
    return {
        "rmse_m": float(np.sqrt(np.mean(offset**2))),
        "max_m": float(abs(offset).max()),
        "used_p95": float(np.percentile(used, 95)),
        "p95_ms": float(np.percentile(spent[5:], 95)),
    }

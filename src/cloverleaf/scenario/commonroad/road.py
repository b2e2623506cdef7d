"""The road of a planning task: a reference path along the lanelets to the goal, and where a car may be at all."""

from __future__ import annotations

import heapq
import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_closing

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.scenario.commonroad.model import Lanelet, PlanningTask
from cloverleaf.scenario.commonroad.relax import normals, relax
from cloverleaf.types.state import F64, U8

SPACING = 0.5  # m between points of a path
SMOOTHING = 5.0  # m of the moving average that rounds its corners before they are eased
MOST_TURN = 0.8  # rad between a car and the lanelet that it drives on
KEPT, BARE, LEAST_ROOM = 1.2, 0.85, 0.45
"""m: a lane's half width less the first is the room to ease a path in; narrow lanes leave up to the third as far as the second, half a
car and a little, stays free."""
BEHIND, BEYOND = 15.0, 120.0  # m of path before the start and after the goal
CHANGE_COST = 5.0  # m of way that a lane change is worth
CELL = 0.2  # m, of the raster
SEAM = 1  # cells on each side of a gap between lanelets that is closed: neighbours rarely meet to the centimetre
NOSE = 3.7  # m from the rear axle, which follows the path, to the front of a car
MOST_SWUNG = 0.1  # 1/m of bend up to which the room makes way for the nose; beyond, the inside would be cut
MARGIN = 8.0  # m


class Path(NamedTuple):
    """A reference path; columns of shape (n,)."""

    x: F64
    y: F64
    heading: F64
    curvature: F64  # 1/m
    s: F64  # m


class Ground(NamedTuple):
    """Drivable area as a raster; cell [j, i] covers y0 + j * CELL, x0 + i * CELL."""

    cells: U8
    x0: float
    y0: float


@kernel
def fill(cells, px, py, x0, y0, cell):
    """Mark the cells whose middle lies inside a polygon (px, py of shape (n,)), by even-odd crossings of each row."""
    n = px.shape[0]
    low, high = py[0], py[0]
    for k in range(n):
        low, high = min(low, py[k]), max(high, py[k])
    first, last = max(0, int((low - y0) / cell) - 1), min(cells.shape[0] - 1, int((high - y0) / cell) + 1)
    for j in range(first, last + 1):
        y = y0 + (j + 0.5) * cell
        for a in range(n):
            b = (a + 1) % n
            if (py[a] > y) == (py[b] > y):
                continue
            x = px[a] + (y - py[a]) / (py[b] - py[a]) * (px[b] - px[a])
            begin = max(0, int(math.ceil((x - x0) / cell - 0.5)))
            for i in range(begin, cells.shape[1]):
                cells[j, i] ^= 1


def ground(task: PlanningTask, path: Path, reach: float = 40.0) -> Ground:
    """Raster of all lanelets within `reach` m of the path, seams between them closed."""
    x0, y0 = float(path.x.min()) - reach, float(path.y.min()) - reach
    shape = tuple(int((c.max() - low + reach) / CELL) + 2 for c, low in ((path.y, y0), (path.x, x0)))
    cells = np.zeros(shape, np.uint8)
    for lanelet in task.lanelets.values():
        outline = lanelet.polygon()
        if (
            (outline.max(0) < (x0, y0)).any()
            or outline[:, 0].min() > x0 + shape[1] * CELL
            or outline[:, 1].min() > y0 + shape[0] * CELL
        ):
            continue
        one = np.zeros_like(cells)
        fill(one, np.ascontiguousarray(outline[:, 0]), np.ascontiguousarray(outline[:, 1]), x0, y0, CELL)
        cells |= one
    closed = binary_closing(cells, np.ones((3, 3), bool), SEAM)
    return Ground(closed.astype(np.uint8) | cells, x0, y0)


def inside(polygon: F64, x: float, y: float) -> bool:
    """Even-odd rule."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return bool((crosses & (x < at)).sum() % 2)


def lanelets_under(task: PlanningTask, x: float, y: float, heading: float) -> dict[int, float]:
    """Lanelets that a car at this place may be on, likeliest first; the likeliest alone where none holds it in its direction.

    In junctions several lie on each other, and which is meant shows only by where they lead: each has the cost, in m of way, of how ill it
    fits, less the part of it that lies behind the car.
    """
    held: list[tuple[float, int, float]] = []
    best, best_cost = -1, math.inf
    for lanelet in task.lanelets.values():
        gap = np.hypot(lanelet.centre[:, 0] - x, lanelet.centre[:, 1] - y)
        near = int(gap.argmin())
        a, b = lanelet.centre[max(near - 1, 0)], lanelet.centre[min(near + 1, len(lanelet.centre) - 1)]
        turn = abs(wrap_angle(math.atan2(b[1] - a[1], b[0] - a[0]) - heading))
        holds = inside(lanelet.polygon(), x, y)
        cost = 10.0 * turn + (0.0 if holds else 20.0 + float(gap[near]))
        if cost < best_cost:
            best, best_cost = lanelet.id, cost
        if holds and turn < MOST_TURN:
            held.append((cost, lanelet.id, length(lanelet.centre[: near + 1])))
    return {number: cost - behind for cost, number, behind in sorted(held)} or {best: 0.0}


def length(line: F64) -> float:
    """m along a polyline (n, 2)."""
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def way(task: PlanningTask, starts: dict[int, float], goals: set[int]) -> list[int]:
    """Lanelets from one of `starts` (with its cost, m) to one of `goals` by the shortest way, lane changes included; only the first of
    `starts` where no way leads there."""
    cost, before = dict(starts), dict.fromkeys(starts, -1)
    queue = [(first, at) for at, first in starts.items()]
    heapq.heapify(queue)
    while queue:
        so_far, at = heapq.heappop(queue)
        if so_far > cost[at]:
            continue
        if at in goals:
            found = [at]
            while before[found[-1]] >= 0:
                found.append(before[found[-1]])
            return found[::-1]
        here = task.lanelets[at]
        steps = [(s, length(here.centre)) for s in here.successors] + [(s, CHANGE_COST) for s in here.adjacent]
        for to, more in steps:
            if to in task.lanelets and so_far + more < cost.get(to, math.inf):
                cost[to], before[to] = so_far + more, at
                heapq.heappush(queue, (so_far + more, to))
    return [next(iter(starts))]


def goal_lanelets(task: PlanningTask) -> set[int]:
    """Lanelets that the goals name, or that hold the middle of their areas; empty for goals without a place."""
    out: set[int] = set()
    for goal in task.goals:
        out.update(goal.lanelets)
        for polygon in () if goal.lanelets else goal.polygons:
            x, y = polygon.mean(0)
            out.update(lanelet.id for lanelet in task.lanelets.values() if inside(lanelet.polygon(), x, y))
    return out


def straightest(task: PlanningTask, lanelet: Lanelet, back: bool = False) -> int:
    """The neighbour ahead (or behind) that bends least; -1 none."""
    best, best_turn = -1, math.inf
    for number in lanelet.predecessors if back else lanelet.successors:
        if number in task.lanelets:
            other = task.lanelets[number].centre
            own = lanelet.centre
            a, b = (other[-1] - other[0], own[1] - own[0]) if back else (own[-1] - own[-2], other[-1] - other[0])
            turn = abs(wrap_angle(math.atan2(b[1], b[0]) - math.atan2(a[1], a[0])))
            if turn < best_turn:
                best, best_turn = number, turn
    return best


def run_line(task: PlanningTask, run: list[int]) -> F64:
    """Centre line of lanelets behind each other, prolonged both ways along the straightest neighbours, then straight; (n, 3) with their
    half widths."""
    run, before, after = list(run), 0.0, 0.0
    while (
        before < BEHIND + 60.0
        and (more := straightest(task, task.lanelets[run[0]], back=True)) >= 0
        and more not in run
    ):
        run.insert(0, more)
        before += length(task.lanelets[more].centre)
    while after < BEYOND and (more := straightest(task, task.lanelets[run[-1]])) >= 0 and more not in run:
        run.append(more)
        after += length(task.lanelets[more].centre)
    line = np.vstack([np.column_stack((task.lanelets[k].centre, task.lanelets[k].half_width)) for k in run])
    line = line[np.concatenate(([True], np.hypot(*np.diff(line[:, :2], axis=0).T) > 1e-3))]
    first, last = line[0] - line[1], line[-1] - line[-2]
    first[2] = last[2] = 0.0
    return np.vstack(
        (line[0] + first / np.hypot(*first[:2]) * 2 * BEHIND, line, line[-1] + last / np.hypot(*last[:2]) * BEYOND)
    )


def resampled(line: F64, spacing: float = SPACING) -> F64:
    """A polyline (n, k) with points every `spacing` m; columns behind x and y go along."""
    s = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line[:, :2], axis=0).T))))
    at = np.arange(0.0, s[-1], spacing)
    return np.column_stack([np.interp(at, s, column) for column in line.T])


def nearest(line: F64, x: float, y: float) -> int:
    """Row of the nearest point."""
    return int(np.hypot(line[:, 0] - x, line[:, 1] - y).argmin())


def reference_path(task: PlanningTask) -> Path:
    """The path to the goal: centre lines of the shortest way, with room for each lane change, corners eased."""
    start = task.start
    lanelets = way(task, lanelets_under(task, start.x, start.y, start.heading), goal_lanelets(task))
    runs = [[lanelets[0]]]
    for a, b in itertools.pairwise(lanelets):
        if b in task.lanelets[a].successors:
            runs[-1].append(b)
        else:
            runs.append([b])
    line = resampled(run_line(task, runs[0]))
    at = nearest(line, start.x, start.y)
    room = max(15.0, 2.5 * start.speed)
    for run in runs[1:]:
        other = resampled(run_line(task, run))
        leave = min(at + int(2.0 / SPACING), len(line) - 1)
        join = nearest(other, *line[min(leave + int(room / SPACING), len(line) - 1), :2])
        line = np.vstack((line[: leave + 1], other[join:]))
        line = resampled(line)
        at = nearest(line, *other[join, :2])
    return eased(resampled(line))


def eased(line: F64) -> Path:
    """A path of evenly spaced points with half widths (n, 3): corners rounded by a moving average, then eased within the lane."""
    half = int(SMOOTHING / SPACING / 2)
    padded = np.vstack((np.repeat(line[:1], half, 0), line, np.repeat(line[-1:], half, 0)))
    weights = np.ones(2 * half + 1) / (2 * half + 1)
    rounded = np.column_stack([np.convolve(padded[:, k], weights, "valid") for k in (0, 1)])
    off = ((line[:, :2] - rounded) * normals(rounded)).sum(1)
    room = np.maximum(line[:, 2] - KEPT, np.clip(line[:, 2] - BARE, 0.0, LEAST_ROOM))
    first = path_of(relax(rounded, off - room, off + room, SPACING))
    # the nose swings out of a bend by about half its squared length times the curvature: there the axle belongs further inside
    swing = 0.5 * NOSE**2 * np.clip(first.curvature, -MOST_SWUNG, MOST_SWUNG)
    low, high = off - room + np.maximum(swing, 0.0), off + room + np.minimum(swing, 0.0)
    middle = 0.5 * (low + high)
    return path_of(relax(rounded, np.minimum(low, middle), np.maximum(high, middle), SPACING))


def path_of(line: F64) -> Path:
    """Headings and curvature of a line (n, 2)."""
    x, y = np.ascontiguousarray(line.T)
    s = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    heading = np.unwrap(np.arctan2(np.gradient(y), np.gradient(x)))
    curvature = np.gradient(heading, np.maximum(s, 1e-9) if len(s) < 2 else s)
    return Path(x, y, heading, curvature, s)

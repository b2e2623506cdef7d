"""What an observer can see: candidates in reach and field of view, and the share of each that others do not hide.

Sight is tested on RAYS rays through points spread across each object, at right angles to the line of sight. A ray is hidden if the box of
a nearer user stands in it and reaches above the line from the sensor to half the object's height; from a mast of 6 m one sees over
cars, from a car one does not.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.algo.boxes import ray_box
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.map.spatial import column_of, row_of
from cloverleaf.types.state import F64, I32

RAYS = 7
HEIGHT = (0.0, 1.5, 3.5, 3.1, 1.5, 1.6, 1.6, 1.7, 2.6)
"""m, top of a user by Kind."""
CANDIDATES = 512
"""Users considered per observer, in the order of the grid."""

OVERHANG = 10.0
"""m by which a user who hides others may lie with its centre out of reach: half of the longest."""


class Sight(NamedTuple):
    """Scratch of one observer: candidates; shape (CANDIDATES,)."""

    row: I32  # of Actors
    sensor: I32  # row of the sensor table, -1 only hides others
    distance: F64  # m, from the viewpoint to the centre
    near: F64  # m, no part of the box is nearer than this
    x: F64  # m, centre relative to the viewpoint, world axes
    y: F64
    cos: F64  # of the heading
    sin: F64
    half_length: F64  # m
    half_width: F64
    top: F64  # m
    order: I32  # candidates, nearest first
    visible: F64  # 0..1


def empty_sight() -> Sight:
    """Scratch for one observer."""
    columns: dict[str, Any] = {f: np.zeros(CANDIDATES) for f in Sight._fields}
    columns.update({f: np.zeros(CANDIDATES, np.int32) for f in ("row", "sensor", "order")})
    return Sight(**columns)


@kernel
def covering_sensor(sensors, forward, left):
    """First sensor that covers a point of the body frame, -1 none."""
    square = forward * forward + left * left
    for k in range(sensors.reach.shape[0]):
        if square <= sensors.reach[k] * sensors.reach[k]:
            if sensors.half_view[k] >= math.pi:
                return k
            if abs(wrap_angle(math.atan2(left, forward) - sensors.yaw[k])) <= sensors.half_view[k]:
                return k
    return -1


@kernel
def gather(actors, grid, sensors, x, y, heading, own, reach, sight):
    """Fill `sight` with the users within `reach` of (x, y) except row `own`; returns how many.

    Users outside all fields of view are kept too, as they may hide others: they get sensor -1.
    """
    count = 0
    c, s = math.cos(heading), math.sin(heading)
    low, high = column_of(grid, x - reach), column_of(grid, x + reach)
    for r in range(row_of(grid, y - reach), row_of(grid, y + reach) + 1):
        for k in range(grid.start[r * grid.columns + low], grid.start[r * grid.columns + high + 1]):
            dx, dy = grid.x[k] - x, grid.y[k] - y
            square = dx * dx + dy * dy
            row = grid.item[k]
            if square > reach * reach or row == own or count >= sight.row.shape[0]:
                continue
            sight.row[count] = row
            sight.sensor[count] = covering_sensor(sensors, dx * c + dy * s, dy * c - dx * s)
            sight.distance[count] = math.sqrt(square)
            sight.x[count], sight.y[count] = dx, dy
            sight.cos[count], sight.sin[count] = math.cos(actors.heading[row]), math.sin(actors.heading[row])
            sight.half_length[count], sight.half_width[count] = 0.5 * actors.length[row], 0.5 * actors.width[row]
            sight.near[count] = sight.distance[count] - sight.half_length[count] - sight.half_width[count]
            sight.top[count] = HEIGHT[actors.kind[row]]
            sight.order[count] = count
            count += 1
    return count


@kernel
def sort_by_distance(sight, count):
    """Order the candidates by `near` (shell sort; ties by the order found, which is that of the rows in a cell)."""
    order, near = sight.order, sight.near
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap >= 1:
        for i in range(gap, count):
            this = order[i]
            j = i
            while j >= gap and (
                near[order[j - gap]] > near[this] or (near[order[j - gap]] == near[this] and order[j - gap] > this)
            ):
                order[j] = order[j - gap]
                j -= gap
            order[j] = this
        gap //= 3


@kernel
def _hit(sight, k, px, py):
    """Share of the way from the viewpoint to (px, py) at which candidate k's box is met; inf if it is not."""
    return ray_box(
        0.0, 0.0, px, py, sight.x[k], sight.y[k], sight.cos[k], sight.sin[k], sight.half_length[k], sight.half_width[k]
    )


@kernel
def visible_share(sight, place, count, height):
    """Share of the rays to candidate `order[place]` that nobody hides, 0..1; `height` of the viewpoint in m."""
    i = sight.order[place]
    distance = sight.distance[i]
    if distance < 1e-6:
        return 1.0
    ux, uy = sight.x[i] / distance, sight.y[i] / distance
    half = sight.half_length[i] * abs(sight.cos[i] * uy - sight.sin[i] * ux) + sight.half_width[i] * abs(
        sight.cos[i] * ux + sight.sin[i] * uy
    )
    aim = 0.5 * sight.top[i]
    far = distance + sight.half_length[i] + sight.half_width[i]
    open_rays, hidden, shot = 0, 0, 0
    for ray in range(RAYS):
        offset = half * 0.9 * (2.0 * ray / (RAYS - 1) - 1.0)
        if not math.isinf(_hit(sight, i, sight.x[i] - offset * uy, sight.y[i] + offset * ux)):
            shot |= 1 << ray
            open_rays += 1
    if open_rays == 0:
        return 0.0
    for other in range(count):
        j = sight.order[other]
        if sight.near[j] > far or hidden == shot:
            break
        reach = sight.half_length[j] + sight.half_width[j]
        if j == i or sight.x[j] * ux + sight.y[j] * uy < -reach:
            continue
        if abs(sight.y[j] * ux - sight.x[j] * uy) > reach + half:
            continue
        for ray in range(RAYS):
            if (shot >> ray) & 1 == 0 or (hidden >> ray) & 1 == 1:
                continue
            offset = half * 0.9 * (2.0 * ray / (RAYS - 1) - 1.0)
            px, py = sight.x[i] - offset * uy, sight.y[i] + offset * ux
            at, own = _hit(sight, j, px, py), _hit(sight, i, px, py)
            if at < own and height + (aim - height) * at / own < sight.top[j]:
                hidden |= 1 << ray
    blocked = 0
    for ray in range(RAYS):
        blocked += (hidden >> ray) & 1
    return (open_rays - blocked) / open_rays


@kernel
def look(actors, grid, sensors, x, y, heading, own, reach, height, sight):
    """Fill `sight` for one observer at (x, y): candidates, order and visible shares; returns how many candidates."""
    count = gather(actors, grid, sensors, x, y, heading, own, reach + OVERHANG, sight)
    sort_by_distance(sight, count)
    for place in range(count):
        k = sight.order[place]
        sight.visible[k] = visible_share(sight, place, count, height) if sight.sensor[k] >= 0 else 0.0
    return count

"""From what is seen to what is reported: misses, noise, wrong classes and ghosts, as one object list per observer.

Every draw is a function of (seed, world, observer, object, step): neither rows nor the presence of others matter. Misses are drawn
once per RUN frames and pair, so they come in runs as those of real detectors do.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.noise import bell, fold
from cloverleaf.algo.rng import stream, uniform
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.state import F64, I32, I64
from cloverleaf.world.sensing_sight import look
from cloverleaf.world.sensing_suite import RUN

SMALL = (1.0, 1.0, 1.0, 1.0, 0.75, 0.7, 0.7, 0.6, 1.0)
"""Range of detection by Kind, as a share of the sensor's reach."""
CONFUSED = (1, 2, 1, 2, 6, 6, 5, 6, 1)
"""The wrong class by Kind: car and truck, truck and bus, two-wheelers among themselves, a person for a rider."""
MISS, CLASS, GHOST = 0, 1, 2


class Observers(NamedTuple):
    """Who looks, and from where; shape (n,)."""

    identity: I64  # stable key of the random streams: trip of a car, index of a roadside unit
    row: I32  # own row of Actors, -1 a roadside unit
    x: F64  # m
    y: F64
    heading: F64  # rad


def empty_objects(observers: int, capacity: int) -> ObjectFrame:
    """Buffers for this many observers and objects in all."""
    columns: dict[str, Any] = {f: np.zeros(capacity) for f in ObjectFrame._fields}
    columns.update(start=np.zeros(observers + 1, np.int64), kind=np.zeros(capacity, np.int32))
    return ObjectFrame(**columns)


@kernel
def detection_probability(kind, recall, reach, distance, visible, attenuation):
    """Probability that an object is reported: recall x logistic in range x visible share x weather.

    At 0.95 of its range half of the objects are lost; from 60 % visible on nothing more is gained, below 10 % nothing is seen.
    A recall of 1 is an ideal sensor: it reports everything in reach that is not hidden.
    """
    if visible <= 0.1:
        return 0.0
    if recall >= 1.0:
        return 1.0
    shown = min((visible - 0.1) / 0.5, 1.0)
    limit = reach * SMALL[kind]
    return (
        recall
        * shown
        * math.exp(-attenuation * distance)
        / (1.0 + math.exp((distance - 0.95 * limit) / (0.05 * limit)))
    )


@kernel
def _write(out, n, time, forward, left, heading, vx, vy, length, width, kind, sigma, confidence):
    """Store one object in row n."""
    out.time[n] = time
    out.x[n], out.y[n], out.heading[n] = forward, left, heading
    out.vx[n], out.vy[n] = vx, vy
    out.length[n], out.width[n] = length, width
    out.kind[n] = kind
    out.sigma[n], out.confidence[n] = sigma, confidence


@kernel
def _measure(actors, sideways, sensors, sight, k, observers, i, time, step, pair, attenuation, confusion, out, n):
    """Report candidate k of observer i in row n if it is detected; True if it was."""
    sensor, row = sight.sensor[k], sight.row[k]
    distance = sight.distance[k]
    p = detection_probability(
        actors.kind[row], sensors.recall[sensor], sensors.reach[sensor], distance, sight.visible[k], attenuation
    )
    block = (step + np.int64(pair & np.uint64(RUN - 1))) // RUN
    if uniform(fold(pair, MISS), block) >= p:
        return False
    key = fold(pair, step + 16)
    radial = sensors.sigma_range[sensor] + sensors.sigma_per_m[sensor] * distance
    across = sensors.sigma_range[sensor] + sensors.sigma_bearing[sensor] * distance
    c, s = math.cos(observers.heading[i]), math.sin(observers.heading[i])
    ux, uy = 1.0, 0.0
    if distance > 1e-6:
        ux, uy = sight.x[k] / distance, sight.y[k] / distance
    er, et = radial * bell(key, 0), across * bell(key, 1)
    dx, dy = sight.x[k] + er * ux - et * uy, sight.y[k] + er * uy + et * ux
    sigma_v = sensors.sigma_speed[sensor]
    vx = actors.speed[row] * sight.cos[k] - sideways[row] * sight.sin[k] + sigma_v * bell(key, 2)
    vy = actors.speed[row] * sight.sin[k] + sideways[row] * sight.cos[k] + sigma_v * bell(key, 3)
    length, width = actors.length[row], actors.width[row]
    # A box is turned by about the position error of its ends; persons have no visible long side.
    turn = math.sqrt(2.0) * across / max(length, 1.0)
    kind = actors.kind[row]
    if uniform(fold(pair, CLASS), block) < confusion:
        kind = CONFUSED[kind]
    _write(
        out, n, time, dx * c + dy * s, dy * c - dx * s,
        wrap_angle(actors.heading[row] - observers.heading[i] + turn * bell(key, 4)),
        vx * c + vy * s, vy * c - vx * s,
        max(length + across * bell(key, 5), 0.3), max(width + across * bell(key, 6), 0.3),
        kind, math.sqrt(0.5 * (radial * radial + across * across)), p,
    )  # fmt: skip
    return True


@kernel
def _ghost(sensors, own, time, step, ghosts, out, n):
    """Report a false object in row n, rarely; it stays for RUN frames. True if there is one."""
    block = step // RUN
    if ghosts <= 0.0 or uniform(fold(own, GHOST), block) >= ghosts:
        return False
    key = fold(own, block + 64)
    sensor = sensors.reach.shape[0] - 1
    distance = sensors.reach[sensor] * math.sqrt(uniform(key, 0))
    bearing = sensors.yaw[sensor] + sensors.half_view[sensor] * (2.0 * uniform(key, 1) - 1.0)
    person = uniform(key, 2) < 0.5
    _write(
        out, n, time, distance * math.cos(bearing), distance * math.sin(bearing), 2.0 * math.pi * uniform(key, 3) - math.pi,
        0.5 * bell(key, 4), 0.5 * bell(key, 5), 0.5 if person else 4.0, 0.5 if person else 1.8, 7 if person else 1,
        0.5 + 0.01 * distance, 0.3,
    )  # fmt: skip
    return True


@kernel
def detect_objects(actors, sideways, grid, sensors, settings, observers, count, time, step, sight, per_observer, out):
    """Object lists of the first `count` observers at `time` (s), step number `step`, into `out`, nearest first; returns the objects.

    `sideways` (capacity,): speed to the left of the heading, m/s.
    `grid` must be fresh. At most `per_observer` objects each; `out` must hold `count * per_observer`.
    """
    reach = 0.0
    for k in range(sensors.reach.shape[0]):
        reach = max(reach, sensors.reach[k])
    n = 0
    out.start[0] = 0
    for i in range(count):
        limit = n + per_observer
        found = look(
            actors, grid, sensors, observers.x[i], observers.y[i], observers.heading[i], observers.row[i], reach,
            settings.height, sight,
        )  # fmt: skip
        own = stream(settings.seed, settings.world, observers.identity[i], settings.purpose)
        for place in range(found):
            k = sight.order[place]
            if sight.visible[k] > 0.1 and n < limit:
                pair = fold(own, actors.trip[sight.row[k]] + 1024)
                if _measure(
                    actors, sideways, sensors, sight, k, observers, i, time, step, pair, settings.attenuation, settings.confusion,
                    out, n,
                ):  # fmt: skip
                    n += 1
        if n < limit and _ghost(sensors, own, time, step, settings.ghosts, out, n):
            n += 1
        out.start[i + 1] = n
    return n


@kernel
def deliver(old, old_identity, old_count, identity, count, out):
    """Give each of `count` observers its list of an old frame, empty if it was not there; returns the objects."""
    n = 0
    out.start[0] = 0
    j = 0
    for i in range(count):
        # The order of observers hardly changes from step to step, so the search starts where the last one ended.
        tried = 0
        while tried < old_count and old_identity[j if j < old_count else 0] != identity[i]:
            j = j + 1 if j + 1 < old_count else 0
            tried += 1
        if tried < old_count:
            for k in range(old.start[j], old.start[j + 1]):
                _write(
                    out, n, old.time[k], old.x[k], old.y[k], old.heading[k], old.vx[k], old.vy[k], old.length[k],
                    old.width[k], old.kind[k], old.sigma[k], old.confidence[k],
                )  # fmt: skip
                n += 1
            j = j + 1 if j + 1 < old_count else 0
        out.start[i + 1] = n
    return n

"""Lidar by ray casting: one scan of a spinning or flashing sensor against boxes and the ground, then what air and electronics make of it.

Echo power falls with 1/R^2, the cosine of incidence, reflectance and exp(-2 alpha R); alpha is 0.01 rain^0.6 per km for rain and
3.912 / visibility for fog (Koschmieder). An echo is lost with a probability that rises as its power nears that of the sensor's
specification (10 % target at `reach_10`). Fog and rain throw single false echoes back from nearby (Goodin et al. 2019; Bijelic et al.
2018). The scan rolls: each column is taken at its own time, from where the car is then, and reported as if it had
stood still.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I64
from cloverleaf.world.sensors.surroundings import (
    COS,
    HALF_LENGTH,
    HALF_WIDTH,
    REFLECTANCE,
    SIN,
    TOP,
    VX,
    VY,
    X,
    Y,
)  # fmt: skip
from cloverleaf.world.weather import Weather

GROUND = 0.15  # reflectance of asphalt
WET_GROUND = 0.05
SOFT = 0.25  # width, in powers of e, of the passage from detected to lost


class LidarModel(NamedTuple):
    """Data sheet of a lidar; angles in rad."""

    elevations: tuple[float, ...]  # of the beams
    azimuth_step: float
    field: float  # horizontal field of view, 2 pi all around
    reach: float  # m, no echo is reported beyond
    reach_10: float  # m, at which a 10 % target is detected half of the time
    range_sigma: float  # m
    spin: float  # s per scan
    dropout: float = 0.005  # share of echoes lost for no reason


class Scan(NamedTuple):
    """One scan in the sensor's frame (x forward, y left, z up)."""

    points: F64  # (n, 4) x, y, z m and intensity 0..1
    time: F64  # (n,) s after the scan began
    box: I64  # (n,) row of the box that was met, -1 ground, -2 air: the truth, for metrics only


@kernel
def _column_of(angle, first, step):
    """Column whose azimuth is the first not below `angle`."""
    return np.int64(math.ceil((angle - first) / step - 1e-9))


@kernel
def cast(boxes, pose, azimuth, slopes, most, motion, ranges, hits, cosines):
    """Cast columns x beams rays; fills ranges (columns, beams) m along the ray's ground track (inf none), box rows, cosines of incidence.

    boxes: (n, BOX). pose: x, y, z over ground, heading of the sensor. azimuth: first angle, step, s per column. slopes (beams,): rise
    over run. motion: vx, vy, yaw rate of the sensor.
    """
    columns, beams = ranges.shape
    z0 = pose[2]
    for a in range(columns):
        for b in range(beams):
            ranges[a, b], hits[a, b], cosines[a, b] = math.inf, -2, 0.0
            if slopes[b] < 0.0 and -z0 / slopes[b] <= most:
                ranges[a, b], hits[a, b] = -z0 / slopes[b], -1
                cosines[a, b] = -slopes[b] / math.sqrt(1.0 + slopes[b] * slopes[b])
    for k in range(boxes.shape[0]):
        dx, dy = boxes[k, X] - pose[0], boxes[k, Y] - pose[1]
        distance = math.sqrt(dx * dx + dy * dy)
        reach = math.sqrt(boxes[k, HALF_LENGTH] ** 2 + boxes[k, HALF_WIDTH] ** 2) + 3.5  # it may move during the scan
        if distance - reach > most:
            continue
        whole = distance <= reach
        half = math.pi if whole else math.asin(reach / distance)
        middle = math.atan2(dy, dx) - pose[3]
        low = middle - half
        low -= 2.0 * math.pi * math.floor((low - azimuth[0]) / (2.0 * math.pi))
        for turn in range(2):
            first = max(_column_of(low - 2.0 * math.pi * turn, azimuth[0], azimuth[1]), 0)
            last = min(_column_of(low + 2.0 * half - 2.0 * math.pi * turn, azimuth[0], azimuth[1]), columns - 1)
            for a in range(first, last + 1):
                t = a * azimuth[2]
                angle = azimuth[0] + a * azimuth[1] + pose[3] + motion[2] * t
                rx, ry = math.cos(angle), math.sin(angle)
                ex, ey = dx + (boxes[k, VX] - motion[0]) * t, dy + (boxes[k, VY] - motion[1]) * t
                forward, left = ex * boxes[k, COS] + ey * boxes[k, SIN], ey * boxes[k, COS] - ex * boxes[k, SIN]
                along, across = rx * boxes[k, COS] + ry * boxes[k, SIN], ry * boxes[k, COS] - rx * boxes[k, SIN]
                near, far, facing = 0.0, math.inf, 0.0
                for axis in range(2):
                    offset, speed = (forward, along) if axis == 0 else (left, across)
                    extent = boxes[k, HALF_LENGTH] if axis == 0 else boxes[k, HALF_WIDTH]
                    if abs(speed) < 1e-12:
                        if abs(offset) > extent:
                            far = -1.0
                        continue
                    enter, leave = (offset - extent) / speed, (offset + extent) / speed
                    if enter > leave:
                        enter, leave = leave, enter
                    if enter > near:
                        near, facing = enter, abs(speed)
                    far = min(far, leave)
                if far < near or near > most or near <= 0.0:
                    continue
                for b in range(beams):
                    z = z0 + near * slopes[b]
                    at, cosine = near, facing / math.sqrt(1.0 + slopes[b] * slopes[b])
                    if z > boxes[k, TOP]:
                        # Over the side: it may still come down on the roof.
                        if slopes[b] >= 0.0 or z0 + far * slopes[b] > boxes[k, TOP]:
                            continue
                        at = (boxes[k, TOP] - z0) / slopes[b]
                        cosine = -slopes[b] / math.sqrt(1.0 + slopes[b] * slopes[b])
                    if z >= 0.0 and at < ranges[a, b] and at <= most:
                        ranges[a, b], hits[a, b], cosines[a, b] = at, k, cosine


def scan(
    model: LidarModel, boxes: F64, pose: tuple[float, float, float, float], motion: tuple[float, float, float], weather: Weather,
    random: np.random.Generator,
) -> Scan:  # fmt: skip
    """One scan from `pose` (x, y m ENU, z m over ground, heading rad) moving at `motion` (vx, vy m/s ENU, yaw rate rad/s)."""
    columns = max(int(round(model.field / model.azimuth_step)), 1)
    slopes = np.tan(np.array(model.elevations))
    first = -0.5 * model.field
    shape = (columns, len(slopes))
    ranges, hits, cosines = np.empty(shape), np.empty(shape, np.int64), np.empty(shape)
    per_column = model.spin / columns
    cast(
        np.ascontiguousarray(boxes, np.float64), np.array(pose, np.float64), np.array([first, model.azimuth_step, per_column]), slopes,
        float(model.reach), np.array(motion, np.float64), ranges, hits, cosines,
    )  # fmt: skip
    stretch = np.sqrt(1.0 + slopes**2)[None, :]
    slant = ranges * stretch
    wet = weather.rain_mm_h > 0.0
    reflectance = np.where(
        hits >= 0, boxes[np.maximum(hits, 0), REFLECTANCE] if len(boxes) else 0.0, WET_GROUND if wet else GROUND
    )
    alpha = 0.01e-3 * weather.rain_mm_h**0.6 + (3.912 / weather.visibility if weather.visibility < 20_000.0 else 0.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        power = reflectance * np.maximum(cosines, 0.02) * np.exp(-2.0 * alpha * slant) / slant**2
        margin = np.log(power / (0.1 / model.reach_10**2))
        kept = np.isfinite(slant) & (slant <= model.reach)
        kept &= random.random(shape) < 1.0 / (1.0 + np.exp(-np.where(kept, margin, -50.0) / SOFT))
    kept &= random.random(shape) >= model.dropout
    intensity = np.where(
        kept, np.clip(reflectance * cosines * np.exp(-2.0 * alpha * np.where(kept, slant, 0.0)), 0.0, 1.0), 0.0
    )
    slant = np.where(kept, slant + model.range_sigma * random.standard_normal(shape), np.nan)
    # Air echoes: the nearer the likelier, and only in front of what would have been met.
    false = -np.log(1.0 - random.random(shape)) / max(2.0 * alpha, 1e-9) < 1.0 if alpha > 0 else np.zeros(shape, bool)
    where = 1.0 + 9.0 * random.random(shape) ** 2
    false &= (where < np.where(kept, slant, np.inf)) & (random.random(shape) < 0.5)
    slant, intensity = np.where(false, where, slant), np.where(false, 0.02, intensity)
    kept |= false
    angle = (first + model.azimuth_step * np.arange(columns))[:, None]
    flat = slant / stretch
    points = np.stack(np.broadcast_arrays(flat * np.cos(angle), flat * np.sin(angle), flat * slopes, intensity), -1)[
        kept
    ]
    time = np.broadcast_to((per_column * np.arange(columns))[:, None], shape)[kept]
    return Scan(points, time, np.where(false, -2, hits)[kept])

"""Radar detections: range, angle, Doppler and cross-section of scattering points, with fading, multipath and clutter.

Mean power falls with R^4 (radar equation); a target whose mean power at `reach` is that of a 10 dBsm car is detected half of the time
there. Cross-sections fade from look to look with an exponential law (Swerling I). Three kinds of false detections: mirror images of
moving targets behind walls, vehicles hidden behind others seen below these, and clutter everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, I64
from cloverleaf.world.sensors.sight import visible_shares
from cloverleaf.world.sensors.surroundings import COS, HALF_LENGTH, HALF_WIDTH, KIND, RCS, SIN, TOP, VX, VY, X, Y

CAR_DBSM = 10.0
UNDERNEATH_DB = 8.0  # lost on the way below the vehicle in front
MIRROR_DB = 10.0  # lost at a wall
MIRROR_REACH = 30.0  # m, of walls that mirror
CLUTTER, MIRROR, UNDERNEATH = -3, -2, -1


class RadarModel(NamedTuple):
    """Data sheet of a radar; angles in rad."""

    field: float  # horizontal field of view
    reach: float  # m
    range_sigma: float  # m
    azimuth_sigma: float
    speed_sigma: float  # m/s
    clutter: float = 2.0  # false detections per look


class Detections(NamedTuple):
    """Points of one look in the sensor's frame."""

    x: F64  # (n,) m forward
    y: F64  # m left
    doppler: F64  # m/s, relative radial speed, positive away
    rcs: F64  # dBsm
    source: I64  # row of the box, MIRROR, UNDERNEATH or CLUTTER: the truth, for metrics only


def _near_faces(box: F64, px: float, py: float, count: int, random: np.random.Generator) -> F64:
    """Points (count, 2) on the sides of one box that face (px, py)."""
    dx, dy = px - box[X], py - box[Y]
    forward, left = dx * box[COS] + dy * box[SIN], dy * box[COS] - dx * box[SIN]
    ends, sides = abs(forward) > box[HALF_LENGTH], abs(left) > box[HALF_WIDTH]
    width, length = 2 * box[HALF_WIDTH] * ends, 2 * box[HALF_LENGTH] * sides
    on_end = random.random(count) * max(width + length, 1e-9) < width
    u = 2.0 * random.random(count) - 1.0
    a = np.where(on_end, np.copysign(box[HALF_LENGTH], forward), u * box[HALF_LENGTH])
    b = np.where(on_end, u * box[HALF_WIDTH], np.copysign(box[HALF_WIDTH], left))
    return np.column_stack((box[X] + a * box[COS] - b * box[SIN], box[Y] + a * box[SIN] + b * box[COS]))


def look(
    model: RadarModel, boxes: F64, pose: tuple[float, float, float, float], motion: tuple[float, float, float],
    random: np.random.Generator,
) -> Detections:  # fmt: skip
    """One look from `pose` (x, y m ENU, z m over ground, heading rad) moving at `motion` (vx, vy m/s ENU, yaw rate rad/s)."""
    px, py = pose[0], pose[1]
    shown = visible_shares(boxes, pose, model.field, model.reach)
    rows: list[tuple[F64, F64, float, int]] = []  # points, velocity, mean dBsm, source
    off = boxes[:, [X, Y]] - (px, py) if len(boxes) else np.zeros((0, 2))
    distance = np.hypot(*off.T)
    fronts = [k for k in range(len(boxes)) if boxes[k, KIND] == 0 and boxes[k, TOP] > 2.0]
    for k in range(len(boxes)):
        box, mobile = boxes[k], boxes[k, KIND] > 0
        if distance[k] - box[HALF_LENGTH] > model.reach:
            continue
        if shown[k] > 0.0:
            size = 2.0 * box[HALF_LENGTH] if mobile else min(2.0 * box[HALF_LENGTH], 40.0)
            count = 1 + int(random.poisson(0.6 * size if mobile else 0.15 * size))
            rows.append((_near_faces(box, px, py, count, random), box[[VX, VY]], float(box[RCS]), k))
        elif mobile and box[TOP] > 1.0 and random.random() < 0.5:
            rows.append(
                (_near_faces(box, px, py, 1, random), box[[VX, VY]], float(box[RCS]) - UNDERNEATH_DB, UNDERNEATH)
            )
        if not mobile or shown[k] <= 0.0 or np.hypot(box[VX], box[VY]) < 0.5:
            continue
        for w in fronts:
            wall = boxes[w]
            normal = np.array([-wall[SIN], wall[COS]])
            gap = float((box[[X, Y]] - wall[[X, Y]]) @ normal)
            face = np.copysign(wall[HALF_WIDTH], gap)
            along = float((box[[X, Y]] - wall[[X, Y]]) @ (wall[COS], wall[SIN]))
            own = float((np.array([px, py]) - wall[[X, Y]]) @ normal)
            if abs(along) > wall[HALF_LENGTH] or not wall[HALF_WIDTH] < abs(gap) < MIRROR_REACH or own * gap <= 0.0:
                continue
            if random.random() < 0.15:
                image = box[[X, Y]] - 2.0 * (gap - face) * normal
                speed = box[[VX, VY]] - 2.0 * float(box[[VX, VY]] @ normal) * normal
                rows.append((image[None, :], speed, float(box[RCS]) - MIRROR_DB, MIRROR))
    if not rows:
        points, speeds, mean, source = np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0, np.int64)
    else:
        points = np.vstack([r[0] for r in rows])
        counts = [len(r[0]) for r in rows]
        speeds = np.repeat([r[1] for r in rows], counts, axis=0)
        # the points of a body share its cross-section
        mean = np.repeat([r[2] - 10.0 * np.log10(len(r[0])) for r in rows], counts)
        source = np.repeat([r[3] for r in rows], counts)
    away = points - (px, py)
    reach = np.maximum(np.hypot(*away.T), 0.1)
    ray = away / reach[:, None]
    doppler = ((speeds - (motion[0], motion[1])) * ray).sum(1)
    faded = mean + 10.0 * np.log10(np.maximum(random.exponential(1.0, len(reach)), 1e-6))
    bearing = np.arctan2(away[:, 1], away[:, 0]) - pose[3]
    bearing = (bearing + np.pi) % (2.0 * np.pi) - np.pi
    # half of all exponential draws are above ln 2 = -1.6 dB
    heard = faded - CAR_DBSM + 1.6 - 40.0 * np.log10(reach / model.reach) > 0.0
    heard &= (np.abs(bearing) <= 0.5 * model.field) & (reach <= model.reach)
    extra = int(random.poisson(model.clutter))
    reach = np.concatenate((reach[heard], model.reach * np.sqrt(random.random(extra))))
    bearing = np.concatenate((bearing[heard], model.field * (random.random(extra) - 0.5)))
    standing = -(motion[0] * np.cos(bearing + pose[3]) + motion[1] * np.sin(bearing + pose[3]))
    doppler = np.concatenate((doppler[heard], standing[len(standing) - extra :]))
    doppler = doppler + model.speed_sigma * random.standard_normal(len(doppler))
    reach = np.maximum(reach + model.range_sigma * random.standard_normal(len(reach)), 0.1)
    bearing = bearing + model.azimuth_sigma * random.standard_normal(len(bearing))
    noise_rcs = -5.0 + 5.0 * random.standard_normal(extra)
    return Detections(
        reach * np.cos(bearing), reach * np.sin(bearing), doppler, np.concatenate((faded[heard], noise_rcs)),
        np.concatenate((source[heard], np.full(extra, CLUTTER))).astype(np.int64),
    )  # fmt: skip

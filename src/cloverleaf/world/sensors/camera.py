"""Camera with a detector behind it: road users as boxes in the image, with truncation, occlusion, misses, confusion and range error.

Recall is logistic in the height of the box in pixels (half at `half_px`), times what is left by occlusion (KITTI's classes: fully, partly,
largely visible), darkness and weather. Misses come in runs: one draw decides for RUN frames.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.noise import fold
from cloverleaf.algo.rng import SENSOR_MISS, stream, uniform
from cloverleaf.types.state import F64, I64, Kind
from cloverleaf.world.sensing_objects import CONFUSED
from cloverleaf.world.sensing_suite import RUN
from cloverleaf.world.sensors.sight import visible_shares
from cloverleaf.world.sensors.surroundings import COS, HALF_LENGTH, HALF_WIDTH, KIND, SIN, TOP, X, Y
from cloverleaf.world.weather import Weather

NEAREST = 0.3  # m before the lens
OCCLUSION_RECALL = (0.99, 0.85, 0.4)  # fully, partly, largely visible
DARK_RECALL = {Kind.PEDESTRIAN: 0.7, Kind.BICYCLE: 0.75, Kind.EBIKE: 0.8}  # of what has no strong lights; vehicles 0.92
HIDDEN = 0.15  # visible share below which nothing is recognised


class CameraModel(NamedTuple):
    """Data sheet of a camera and its detector."""

    field: float  # rad, horizontal
    width: int  # px
    height: int  # px
    reach: float = 150.0  # m
    half_px: float = 22.0  # px of box height that half of all objects are found at
    spread_px: float = 4.0
    box_sigma: float = 1.5  # px per edge
    range_error: float = 0.07  # share, of a distance estimated from one image
    confusion: float = 0.02

    @property
    def focal(self) -> float:
        """Focal length in px (pinhole, square pixels)."""
        return 0.5 * self.width / math.tan(0.5 * self.field)


class CameraBoxes(NamedTuple):
    """Detections of one picture; m rows."""

    box: F64  # (m, 4) px: left, top, right, bottom, inside the picture
    kind: I64  # Kind as classified
    truncated: F64  # share of the whole box that lies outside the picture
    occluded: I64  # 0 fully, 1 partly, 2 largely hidden, as a labeller would say
    bearing: F64  # rad, left positive
    distance: F64  # m, estimated from one image
    score: F64  # 0..1
    source: I64  # row of the box seen: the truth, for metrics only


def project(
    model: CameraModel, box: F64, pose: tuple[float, float, float, float]
) -> tuple[float, float, float, float] | None:
    """The whole image box (px, may lie outside the picture) of one upright box; None behind the camera."""
    c, s = math.cos(pose[3]), math.sin(pose[3])
    u, v = [], []
    for i in (-1.0, 1.0):
        for j in (-1.0, 1.0):
            a, b = i * box[HALF_LENGTH], j * box[HALF_WIDTH]
            dx, dy = box[X] + a * box[COS] - b * box[SIN] - pose[0], box[Y] + a * box[SIN] + b * box[COS] - pose[1]
            forward, left = dx * c + dy * s, dy * c - dx * s
            if forward < NEAREST:
                # a corner behind the lens: its picture runs out of the side that it is on
                forward = NEAREST
            for z in (0.0, box[TOP]):
                u.append(0.5 * model.width - model.focal * left / forward)
                v.append(0.5 * model.height - model.focal * (z - pose[2]) / forward)
    dx, dy = box[X] - pose[0], box[Y] - pose[1]
    if dx * c + dy * s + box[HALF_LENGTH] < NEAREST:
        return None
    return min(u), min(v), max(u), max(v)


def picture(
    model: CameraModel, boxes: F64, pose: tuple[float, float, float, float], identity: I64, weather: Weather,
    seed: int, own: int, step: int, random: np.random.Generator,
) -> CameraBoxes:  # fmt: skip
    """Detections from `pose` (x, y m ENU, z m over ground, heading rad); identity (n,): who stands in each box, keys of the misses.

    seed, own: of the run and of the car; step: number of the picture.
    """
    shown = visible_shares(boxes, pose, min(model.field, 2.0 * math.pi), model.reach)
    # unsigned on purpose: outside of kernels numba takes a small key for a signed number
    key = np.uint64(stream(seed, 0, own, SENSOR_MISS))
    air = 0.5 * (
        0.01e-3 * weather.rain_mm_h**0.6 + (3.912 / weather.visibility if weather.visibility < 20_000.0 else 0.0)
    )
    rows = []
    for k in np.flatnonzero((boxes[:, KIND] > 0) & (shown > HIDDEN)) if len(boxes) else ():
        whole = project(model, boxes[k], pose)
        if whole is None:
            continue
        left, top, right, bottom = whole
        x1, y1 = max(left, 0.0), max(top, 0.0)
        x2, y2 = min(right, float(model.width)), min(bottom, float(model.height))
        if x2 - x1 < 2.0 or y2 - y1 < 2.0:
            continue
        truncated = 1.0 - (x2 - x1) * (y2 - y1) / ((right - left) * (bottom - top))
        occluded = 0 if shown[k] > 0.8 else 1 if shown[k] > 0.4 else 2
        kind = Kind(int(boxes[k, KIND]))
        distance = math.hypot(boxes[k, X] - pose[0], boxes[k, Y] - pose[1])
        recall = OCCLUSION_RECALL[occluded] / (1.0 + math.exp(-(bottom - top - model.half_px) / model.spread_px))
        recall *= math.exp(-air * distance) * (1.0 - 0.5 * max(truncated - 0.3, 0.0))
        if weather.dark:
            recall *= DARK_RECALL.get(kind, 0.92)
        who = np.uint64(fold(key, int(identity[k])))
        if uniform(who, step // RUN) >= recall:
            continue
        wrong = uniform(who, step // RUN + (1 << 40)) < model.confusion
        e = model.box_sigma * random.standard_normal(4)
        x1, x2 = sorted((min(max(x1 + e[0], 0.0), model.width), min(max(x2 + e[2], 0.0), model.width)))
        y1, y2 = sorted((min(max(y1 + e[1], 0.0), model.height), min(max(y2 + e[3], 0.0), model.height)))
        bearing = math.atan2(0.5 * model.width - 0.5 * (x1 + x2), model.focal)
        seen_at = distance * (1.0 + model.range_error * random.standard_normal())
        score = min(max(recall + 0.05 * random.standard_normal(), 0.05), 1.0)
        rows.append(
            (x1, y1, x2, y2, CONFUSED[kind] if wrong else int(kind), truncated, occluded, bearing, seen_at, score, k)
        )
    t = np.array(rows, float).reshape(-1, 11)
    return CameraBoxes(
        t[:, :4], t[:, 4].astype(np.int64), t[:, 5], t[:, 6].astype(np.int64), t[:, 7], t[:, 8], t[:, 9], t[:, 10].astype(np.int64)
    )  # fmt: skip

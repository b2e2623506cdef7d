"""Ultrasonic ranges: the nearest thing in a cone, up to some metres, with noise and with soft bodies at times unheard."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64, Kind
from cloverleaf.world.sensors.sight import fan
from cloverleaf.world.sensors.surroundings import KIND, TOP


class UltrasonicModel(NamedTuple):
    """Data sheet."""

    field: float  # rad, of the cone
    reach: float = 5.0  # m
    nearest: float = 0.2  # m, blind below
    sigma: float = 0.02  # m
    soft_loss: float = 0.15  # share of echoes of clothed people that are not heard


def ping(
    model: UltrasonicModel, boxes: F64, pose: tuple[float, float, float, float], random: np.random.Generator
) -> float:
    """Distance (m) to the nearest thing in the cone, NaN without an echo; pose: x, y m ENU, z m over ground, heading rad."""
    boxes = boxes[boxes[:, TOP] > 0.5 * pose[2]] if len(boxes) else boxes
    ranges, hits = fan(boxes, pose, model.field, model.reach)
    k = int(ranges.argmin())
    draws = random.random(), random.standard_normal()
    if not np.isfinite(ranges[k]) or (boxes[hits[k], KIND] == Kind.PEDESTRIAN and draws[0] < model.soft_loss):
        return float("nan")
    return max(float(ranges[k]) + model.sigma * draws[1], model.nearest)

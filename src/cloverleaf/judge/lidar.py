"""How well the objects of a lidar scan match labelled ones: KITTI frames with calibration and labels."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from cloverleaf.car.perceive import lidar as L
from cloverleaf.types.errors import InputError
from cloverleaf.types.state import F64

FOUND = 2.0  # m, an object this near to a label's centre is it


class Match(NamedTuple):
    """One labelled object and the object of the scan that is nearest to it."""

    kind: str
    distance: float  # m from the sensor
    points: int  # points within the label
    off: float  # m between the centres, in the plane
    size_off: float  # m, mean of the absolute differences of length and width
    heading_off: float  # rad, modulo a quarter turn


def read_points(path: Path) -> F64:
    """Points (n, 4) of a `.bin` or `.bin.gz` file: x, y, z in m, reflectance; little-endian float32."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    if len(data) % 16:
        raise InputError(f"{len(data)} bytes are no whole number of points", file=path)
    return np.frombuffer(data, "<f4").reshape(-1, 4).astype(np.float64)


def sensor_from_camera(path: Path) -> F64:
    """Transform (4, 4) from the rectified camera frame to the lidar's, of a KITTI calibration file."""
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, values = line.partition(":")
        if values.strip():
            rows[name] = [float(v) for v in values.split()]
    try:
        mount, turn = np.eye(4), np.eye(4)
        mount[:3] = np.reshape(rows["Tr_velo_to_cam"], (3, 4))
        turn[:3, :3] = np.reshape(rows["R0_rect"], (3, 3))
    except (KeyError, ValueError) as error:
        raise InputError("Tr_velo_to_cam and R0_rect are needed", file=path) from error
    return np.asarray(np.linalg.inv(turn @ mount), np.float64)


def match_labels(points: F64, objects: F64, labels: Path, transform: F64) -> list[Match]:
    """The labelled objects of a KITTI label file, each with an object of the scan of its own: the pairs of least total distance.

    `off` is infinite for labels that got none within twice `FOUND`.
    """
    rows = []
    for line in labels.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if len(fields) < 15 or fields[0] == "DontCare":
            continue
        height, width, length, x, y, z, ry = map(float, fields[8:15])
        centre = (transform @ [x, y - 0.5 * height, z, 1.0])[:3]
        rows.append((fields[0], *centre.tolist(), -ry - 0.5 * math.pi, length, width, height))
    where = np.array([row[1:3] for row in rows]).reshape(-1, 2)
    away = np.hypot(where[:, :1] - objects[None, :, L.O_X], where[:, 1:] - objects[None, :, L.O_Y])
    left, right = linear_sum_assignment(np.minimum(away, 2.0 * FOUND))
    own = dict(zip(left.tolist(), right.tolist(), strict=True))
    matches = []
    for k, (kind, x, y, z, heading, length, width, height) in enumerate(rows):
        c, s = math.cos(heading), math.sin(heading)
        dx, dy = points[:, 0] - x, points[:, 1] - y
        inside = (abs(dx * c + dy * s) <= 0.5 * length) & (abs(dy * c - dx * s) <= 0.5 * width)
        count = int((inside & (abs(points[:, 2] - z) <= 0.5 * height)).sum())
        away_k = float(away[k, own[k]]) if k in own else math.inf
        if away_k >= 2.0 * FOUND:
            matches.append(Match(kind, math.hypot(x, y), count, math.inf, math.nan, math.nan))
            continue
        best = objects[own[k]]
        turn = (best[L.O_HEADING] - heading + 0.25 * math.pi) % (0.5 * math.pi) - 0.25 * math.pi
        size = 0.5 * float(abs(best[L.O_LENGTH] - length) + abs(best[L.O_WIDTH] - width))
        matches.append(Match(kind, math.hypot(x, y), count, away_k, size, abs(float(turn))))
    return matches

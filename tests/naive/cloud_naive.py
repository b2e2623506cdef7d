"""Slow twins of the cloud's kernels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def naive_match(graph: Any, x: float, y: float, heading: float, length: float) -> tuple[int, float]:
    """Nearest lane of about the same heading, by trying every segment of every lane."""
    best = (1e9, -1, 0.0)
    for lane in range(len(graph.lane_length)):
        for p in range(graph.lane_point_start[lane], graph.lane_point_start[lane + 1] - 1):
            a = np.array([graph.point_x[p], graph.point_y[p]])
            b = np.array([graph.point_x[p + 1], graph.point_y[p + 1]])
            size = float(np.linalg.norm(b - a))
            u = (b - a) / size
            along = float(np.clip((np.array([x, y]) - a) @ u, 0.0, size))
            gap = float(np.linalg.norm(np.array([x, y]) - a - along * u))
            turn = abs((math.atan2(u[1], u[0]) - heading + math.pi) % (2 * math.pi) - math.pi)
            score = gap + 3.0 * turn
            if gap <= 5.0 and turn <= math.pi / 3 and score < best[0] - 1e-9:
                s = graph.point_s[p] + along / size * (graph.point_s[p + 1] - graph.point_s[p]) + 0.5 * length
                best = (score, lane, s)
    return best[1], best[2]

"""Detections of several sensors of one unit as one list: what lies together is one object, weighted by what each sensor claims."""

from __future__ import annotations

import numpy as np

from cloverleaf.types.frames import ObjectFrame

GATE_M = 1.5
"""m, plus three standard deviations of both, within which two sensors' detections are one object."""


def fuse(frames: list[ObjectFrame]) -> ObjectFrame:
    """One observer's frames of different sensors, in the unit's frame and of about one time, as one frame.

    Position and velocity are means weighted by the inverse variance; size and kind come from the more confident sensor. Each
    detection joins at most one of another sensor's: the nearest within the gate.
    """
    if len(frames) == 1:
        return frames[0]
    total = frames[0]
    for other in frames[1:]:
        total = _pair(total, other)
    return total


def _pair(a: ObjectFrame, b: ObjectFrame) -> ObjectFrame:
    n, m = len(a.x), len(b.x)
    if not n or not m:
        return a if n else b
    gap = np.hypot(a.x[:, None] - b.x[None, :], a.y[:, None] - b.y[None, :])
    gate = GATE_M + 3.0 * np.hypot(a.sigma[:, None], b.sigma[None, :])
    order = np.argsort(np.where(gap <= gate, gap, np.inf), axis=None)
    mine, theirs = np.full(n, -1), np.zeros(m, bool)
    for k in order.tolist():
        i, j = divmod(k, m)
        if gap[i, j] > gate[i, j]:
            break
        if mine[i] < 0 and not theirs[j]:
            mine[i], theirs[j] = j, True
    i = np.flatnonzero(mine >= 0)
    j = mine[i]
    weight_a, weight_b = 1.0 / np.maximum(a.sigma[i], 0.05) ** 2, 1.0 / np.maximum(b.sigma[j], 0.05) ** 2
    share = weight_a / (weight_a + weight_b)
    columns = {name: getattr(a, name).copy() for name in ObjectFrame._fields[1:]}
    for name in ("time", "x", "y", "vx", "vy"):
        columns[name][i] = share * columns[name][i] + (1.0 - share) * getattr(b, name)[j]
    columns["sigma"][i] = np.sqrt(1.0 / (weight_a + weight_b))
    better = b.confidence[j] > a.confidence[i]
    for name in ("heading", "length", "width", "kind", "confidence"):
        columns[name][i[better]] = getattr(b, name)[j[better]]
    alone = np.flatnonzero(~theirs)
    joined = [np.concatenate((columns[name], getattr(b, name)[alone])) for name in ObjectFrame._fields[1:]]
    return ObjectFrame(np.array([0, n + len(alone)], np.int64), *joined)

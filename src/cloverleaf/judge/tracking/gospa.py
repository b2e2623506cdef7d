"""GOSPA, alpha = 2: how far a set of estimates lies from a set of targets, with its three parts.

Rahmathullah, Garcia-Fernandez, Svensson 2017: [sum over matched pairs of d^p + c^p / 2 (missed + false)]^(1/p), the least over matches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from cloverleaf.types.state import F64


class Gospa(NamedTuple):
    """Value in m; matched pairs, targets missed, estimates false; sum of squared distances of the matched, m2."""

    value: float
    matched: int
    missed: int
    false: int
    squares: float


def gospa(truth: F64, estimate: F64, c: float = 2.0, p: float = 2.0) -> Gospa:
    """GOSPA of estimates (m, 2) for targets (n, 2), m."""
    distance = np.linalg.norm(truth[:, None, :] - estimate[None, :, :], axis=2)
    cost = np.minimum(distance, c) ** p
    rows, columns = linear_sum_assignment(cost)
    good = distance[rows, columns] < c
    matched = int(good.sum())
    missed, false = len(truth) - matched, len(estimate) - matched
    value = (cost[rows[good], columns[good]].sum() + 0.5 * c**p * (missed + false)) ** (1.0 / p)
    squares = float((distance[rows[good], columns[good]] ** 2).sum())
    return Gospa(float(value), matched, missed, false, squares)

"""Eases a kinked line: the smoothest line within the room that its lane leaves.

Points move sideways by d. Least is the sum of squared third differences, which stands for the rate of curvature and so of steering
(the smoothness term of piecewise-jerk paths, Zhang et al. 2020, "Optimal vehicle path planning using quadratic optimization for Baidu
Apollo open platform"), plus a little pull to the old line. The bounded quadratic problem is solved by ADMM (Boyd et al. 2011, section 5):
one banded factor, then as many solves as rounds.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded, solveh_banded

from cloverleaf.types.state import F64

REACH = 8.0  # m; kinks are eased over about this length
PENALTY, OVER = 3e-3, 1.6  # of ADMM, beside third differences of weight 1; over-relaxation
ROUNDS = 300


def normals(line: F64) -> F64:
    """Unit vectors to the left of a line (n, 2)."""
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return np.column_stack((-along[:, 1], along[:, 0]))


def banded(left: F64) -> F64:
    """Upper bands (4, n), as scipy's solveh_banded takes them, of the quadratic form of third differences of points that move along
    `left` (n, 2)."""
    n = len(left)
    stencil = (-1.0, 3.0, -3.0, 1.0)
    bands = np.zeros((4, n))
    for a in range(4):
        for b in range(a, 4):
            product = (left[a : n - 3 + a] * left[b : n - 3 + b]).sum(1)
            bands[3 - (b - a), b : n - 3 + b] += stencil[a] * stencil[b] * product
    return bands


def third_difference_pull(line: F64, left: F64) -> F64:
    """Half the gradient (n,) of the squared third differences of `line` (n, 2) as its points begin to move along `left`."""
    third = np.diff(line, 3, axis=0)
    pull = np.zeros_like(line)
    for a, weight in enumerate((-1.0, 3.0, -3.0, 1.0)):
        pull[a : len(line) - 3 + a] += weight * third
    return (pull * left).sum(1)


def relax(line: F64, low: F64, high: F64, spacing: float) -> F64:
    """The eased line (n, 2), m; `low` and `high` (n,): how far each point may move to the left, m; points lie `spacing` m apart."""
    if len(line) < 8:
        return line
    left = normals(line)
    pull = third_difference_pull(line, left)
    bands = banded(left)
    bands[3] += (spacing / REACH) ** 6
    bounded = np.clip(solveh_banded(bands, -pull), low, high)
    bands[3] += PENALTY
    factor = cholesky_banded(bands), False
    price = np.zeros(len(line))
    for _ in range(ROUNDS):
        free = OVER * cho_solve_banded(factor, PENALTY * (bounded - price) - pull) + (1.0 - OVER) * bounded
        bounded = np.clip(free + price, low, high)
        price += free - bounded
    return line + left * bounded[:, None]

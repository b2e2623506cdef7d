"""Connected groups of points in the plane: cells of a grid joined when they are near, with a reach that grows with range (compiled)."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I64

CELL = 0.2  # m
HALF = 400  # cells from the sensor to the border: 80 m
REACH, REACH_GROWTH = 0.3, 0.011  # m, and m per m of range: beams spread
MOST_REACH = 5  # cells


@kernel
def _root(parent, k):
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@kernel
def _cluster(points, used, cell, first, parent, label):
    """Label (n,) of each used point, -1 for others; returns the number of clusters. cell: (2 HALF, 2 HALF) all -1, left so."""
    n = points.shape[0]
    count = 0
    for k in range(n):
        label[k] = -1
        if used[k] == 0:
            continue
        i = np.int64(math.floor(points[k, 0] / CELL)) + HALF
        j = np.int64(math.floor(points[k, 1] / CELL)) + HALF
        if i < 0 or j < 0 or i >= 2 * HALF or j >= 2 * HALF:
            continue
        if cell[i, j] < 0:
            cell[i, j] = count
            first[count, 0], first[count, 1] = i, j
            parent[count] = count
            count += 1
        label[k] = cell[i, j]
    for c in range(count):
        i, j = first[c, 0], first[c, 1]
        x, y = (i - HALF + 0.5) * CELL, (j - HALF + 0.5) * CELL
        reach = (REACH + REACH_GROWTH * math.sqrt(x * x + y * y)) / CELL
        wide = min(np.int64(math.ceil(reach)), np.int64(MOST_REACH))
        for di in range(wide + 1):
            for dj in range(-wide, wide + 1):
                if (di == 0 and dj <= 0) or di * di + dj * dj > reach * reach:
                    continue
                if i + di >= 2 * HALF or j + dj < 0 or j + dj >= 2 * HALF:
                    continue
                other = cell[i + di, j + dj]
                if other >= 0:
                    a, b = _root(parent, np.int64(c)), _root(parent, other)
                    if a != b:
                        parent[max(a, b)] = min(a, b)
    found = 0
    for c in range(count):
        cell[first[c, 0], first[c, 1]] = -1
        if parent[c] == c:
            first[c, 0] = found
            found += 1
    for k in range(n):
        if label[k] >= 0:
            label[k] = first[_root(parent, label[k]), 0]
    return found


def cluster(points: F64, used: I64) -> tuple[I64, int]:
    """Cluster of each point (n, >= 2) with used != 0, -1 for the others and those beyond 80 m; and how many there are."""
    table = np.ascontiguousarray(points, np.float64)
    n = len(table)
    label = np.zeros(n, np.int64)
    cell = np.full((2 * HALF, 2 * HALF), -1, np.int64)
    found = _cluster(table, used, cell, np.zeros((n + 1, 2), np.int64), np.zeros(n + 1, np.int64), label)
    return label, int(found)

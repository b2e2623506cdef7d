"""Gated assignment of rows to columns at the least total cost (compiled)."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel


@kernel
def assign_least(cost, rows, columns, gate, row_to, column_to, work, link):
    """Pairs of least total cost, where a row may stay alone at the cost `gate`; pairs at or above `gate` are never made.

    cost: (>= rows, >= columns) float64, any value >= gate or NaN means impossible. row_to, column_to: int64 outputs, -1 alone.
    work: (3, > rows + columns) float64 and link: (3, > rows + columns) int64, both overwritten. Returns the number of pairs.

    Shortest augmenting paths (Jonker, Volgenant 1987) with one column of its own for every row, which stands for staying alone.
    A row whose best column is free and whom no dearer row contests ends its path at once, so sparse gates cost O(rows * columns).
    """
    total = columns + rows
    # work[0]: potential of columns, work[1]: least reduced cost; row potentials lie behind in work[2]. Column 0 is the root.
    for j in range(total + 1):
        work[0, j] = 0.0
        link[0, j] = 0  # row (1..) that holds column j
    for r in range(rows + 1):
        work[2, r] = 0.0
    for r in range(1, rows + 1):
        link[0, 0] = r
        here = 0
        for j in range(total + 1):
            work[1, j] = math.inf
            link[2, j] = 0  # 1: column is in the tree
        while True:
            link[2, here] = 1
            row = link[0, here]
            delta, nearest = math.inf, 0
            for j in range(1, total + 1):
                if link[2, j] == 1:
                    continue
                if j <= columns:
                    c = cost[row - 1, j - 1]
                    if not c < gate:
                        c = math.inf
                else:
                    c = gate if j - columns == row else math.inf
                reduced = c - work[2, row] - work[0, j]
                if reduced < work[1, j]:
                    work[1, j] = reduced
                    link[1, j] = here
                if work[1, j] < delta:
                    delta, nearest = work[1, j], j
            for j in range(total + 1):
                if link[2, j] == 1:
                    work[2, link[0, j]] += delta
                    work[0, j] -= delta
                else:
                    work[1, j] -= delta
            here = nearest
            if link[0, here] == 0:
                break
        while here != 0:
            before = link[1, here]
            link[0, here] = link[0, before]
            here = before
    pairs = 0
    for r in range(rows):
        row_to[r] = -1
    for c in range(columns):
        r = link[0, c + 1]
        column_to[c] = np.int64(r - 1)
        if r > 0:
            row_to[r - 1] = np.int64(c)
            pairs += 1
    return pairs

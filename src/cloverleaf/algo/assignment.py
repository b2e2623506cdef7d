"""Gated assignment of few rows to few columns: greedy by increasing cost, exact enough when gates are small and fast always."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel


@kernel
def nearest_free(cost, rows, columns, gate, row_to, column_to):
    """Assign rows to columns by globally increasing cost below `gate`.

    cost: (>= rows, >= columns) float64; row_to, column_to: int64 outputs, -1 unassigned. Ties go to the lower row, then the
    lower column. Returns the number of pairs. Stable pairs of mutual nearest neighbours are fixed round by round, which
    gives the same result as sorting all costs.
    """
    for r in range(rows):
        row_to[r] = -1
    for c in range(columns):
        column_to[c] = -1
    pairs = 0
    progress = True
    while progress:
        progress = False
        for r in range(rows):
            if row_to[r] >= 0:
                continue
            best = np.int64(-1)
            for c in range(columns):
                if column_to[c] < 0 and cost[r, c] < gate and (best < 0 or cost[r, c] < cost[r, best]):
                    best = np.int64(c)
            if best < 0:
                continue
            rival = False
            for k in range(rows):
                if (
                    row_to[k] < 0
                    and k != r
                    and (cost[k, best] < cost[r, best] or (cost[k, best] == cost[r, best] and k < r))
                ):
                    rival = True
                    break
            if not rival:
                row_to[r] = best
                column_to[best] = r
                pairs += 1
                progress = True
    return pairs

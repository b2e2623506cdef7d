"""Uniform grid over points that move: who is near, in time proportional to the answer.

The grid is rebuilt each tick by a counting sort (stable: rows ascend within a cell), with sorted copies of the coordinates so that
a query reads memory in order. Points outside the bounds fall into the border cells, and queries are clamped alike: nothing is lost.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.state import F64, I32, I64


class Grid(NamedTuple):
    """Cells in row-major order, x fastest; cell c holds rows `item[start[c]:start[c + 1]]`."""

    low_x: float  # m, lower left corner
    low_y: float
    cell: float  # m, side of a cell
    columns: int  # cells along x
    rows: int  # cells along y
    start: I64  # (cells + 1,)
    item: I32  # (capacity,) rows of the indexed table, by cell
    x: F64  # (capacity,) coordinates in the order of `item`
    y: F64
    cell_of: I32  # (capacity,) cell of each row, -1 if not indexed


def empty_grid(low_x: float, low_y: float, high_x: float, high_y: float, cell: float, capacity: int) -> Grid:
    """A grid over the rectangle with cells of `cell` metres for a table of `capacity` rows."""
    if (
        not (cell > 0.0 and high_x >= low_x and high_y >= low_y)
        or not np.isfinite([low_x, low_y, high_x, high_y]).all()
    ):
        raise CloverleafError(
            f"a grid needs finite bounds and a positive cell, not {(low_x, low_y, high_x, high_y, cell)}"
        )
    columns, rows = (max(1, math.ceil((high - low) / cell)) for high, low in ((high_x, low_x), (high_y, low_y)))
    return Grid(
        float(low_x), float(low_y), float(cell), columns, rows,
        np.zeros(columns * rows + 1, np.int64), np.zeros(capacity, np.int32),
        np.zeros(capacity), np.zeros(capacity), np.full(capacity, -1, np.int32),
    )  # fmt: skip


@kernel
def column_of(grid, x):
    """Column of cells that holds `x`, clamped to the grid."""
    return min(max(np.int64(math.floor((x - grid.low_x) / grid.cell)), np.int64(0)), np.int64(grid.columns - 1))


@kernel
def row_of(grid, y):
    """Row of cells that holds `y`, clamped to the grid."""
    return min(max(np.int64(math.floor((y - grid.low_y) / grid.cell)), np.int64(0)), np.int64(grid.rows - 1))


@kernel
def rebuild(grid, x, y, kind):
    """Index all rows with `kind` > 0 by their (x, y); columns of equal length, at most the grid's capacity."""
    start, item, cell_of, sorted_x, sorted_y = grid.start, grid.item, grid.cell_of, grid.x, grid.y
    cells = start.shape[0] - 1
    for c in range(cells + 1):
        start[c] = 0
    for i in range(x.shape[0]):
        cell_of[i] = -1
        if kind[i] > 0:
            c = row_of(grid, y[i]) * grid.columns + column_of(grid, x[i])
            cell_of[i] = c
            start[c + 1] += 1
    for c in range(cells):
        start[c + 1] += start[c]
    # Filling moves each start to its cell's end; the pass from behind moves them back, so no second array is needed.
    for i in range(x.shape[0]):
        c = cell_of[i]
        if c >= 0:
            k = start[c]
            item[k] = i
            sorted_x[k] = x[i]
            sorted_y[k] = y[i]
            start[c] = k + 1
    for c in range(cells, 0, -1):
        start[c] = start[c - 1]
    start[0] = 0


@kernel
def within(grid, x, y, radius, found):
    """Rows within `radius` of a point, written to `found` (int32) by cell order; returns how many, at most its size."""
    count = 0
    first_column, last_column = column_of(grid, x - radius), column_of(grid, x + radius)
    for r in range(row_of(grid, y - radius), row_of(grid, y + radius) + 1):
        for k in range(grid.start[r * grid.columns + first_column], grid.start[r * grid.columns + last_column + 1]):
            dx, dy = grid.x[k] - x, grid.y[k] - y
            if dx * dx + dy * dy <= radius * radius and count < found.shape[0]:
                found[count] = grid.item[k]
                count += 1
    return count

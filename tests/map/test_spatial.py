"""The grid answers like a search of all points, whatever the bounds."""

from __future__ import annotations

import numpy as np
import pytest

from cloverleaf.map.spatial import empty_grid, rebuild, within
from cloverleaf.types.errors import CloverleafError


@pytest.mark.parametrize("spread", [90.0, 300.0], ids=["inside the bounds", "far outside too"])
def test_within_equals_all_pairs(spread):
    rng = np.random.default_rng(1)
    n = 400
    grid = empty_grid(-100, -100, 100, 100, 7.0, n)
    found = np.zeros(n, np.int32)
    for _ in range(3):
        x, y = rng.uniform(-spread, spread, (2, n))
        kind = rng.integers(0, 3, n).astype(np.int32)
        rebuild(grid, x, y, kind)
        for _ in range(40):
            px, py, radius = *rng.uniform(-spread, spread, 2), rng.uniform(0, 120)
            got = found[: within(grid, px, py, radius, found)]
            assert len(set(got)) == len(got)
            assert set(got) == set(np.flatnonzero((kind > 0) & (np.hypot(x - px, y - py) <= radius)))


def test_rows_ascend_within_a_cell():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 20, (2, 200))
    grid = empty_grid(0, 0, 20, 20, 5.0, 200)
    rebuild(grid, x, y, np.ones(200, np.int32))
    assert grid.start[0] == 0 and grid.start[-1] == 200
    for a, b in zip(grid.start, grid.start[1:]):
        assert (np.diff(grid.item[a:b]) > 0).all()


def test_a_full_answer_is_cut_not_overrun():
    grid = empty_grid(0, 0, 10, 10, 5.0, 50)
    rebuild(grid, np.ones(50), np.ones(50), np.ones(50, np.int32))
    found = np.full(9, -1, np.int32)
    assert within(grid, 1.0, 1.0, 3.0, found[:8]) == 8
    assert found[8] == -1


@pytest.mark.parametrize("bounds", [(0, 0, 10, 10, 0.0), (0, 0, -1, 10, 5.0), (0, 0, float("nan"), 10, 5.0)])
def test_senseless_grids_are_refused(bounds):
    with pytest.raises(CloverleafError):
        empty_grid(*bounds, 10)

"""Boundary search: which cases to run when there is no time for all, and what the runs say about the rest.

Starts with cases spread evenly over the grid, then goes where the nearest runs disagree (between pass and fail) and, a little, where
nothing near was run. Coordinates are grid indices scaled to 0..1 per axis; values that are no numbers are as far apart as the ends
of an axis. The search never claims anything about cases it did not run: it lists them as a region not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cloverleaf.judge.suite import Logical
from cloverleaf.types.state import I64

POOL = 200_000  # cases considered at most
FIRST = 64  # cases run before any guess
NEIGHBOURS = 6
CURIOSITY = 0.03  # weight of mere distance against disagreement
MOST_PAIRS, MOST_HOLES = 200, 10
GOLDEN = 0.6180339887498949
F64 = NDArray[np.float64]


class Pool(NamedTuple):
    """Cases that may be run: their numbers, coordinates (n, axes) and positions on each axis (n, axes)."""

    rows: I64
    at: F64
    steps: I64
    axes: tuple[str, ...]


class Found(NamedTuple):
    """Outcome: positions in the pool that were run, in order, and whether each failed."""

    run: I64
    failed: NDArray[np.bool_]
    out_of_time: bool


def pool_of(entry: Logical) -> Pool:
    """All cases of a logical scenario, or POOL of them spread evenly."""
    count = entry.count
    rows = np.arange(count, dtype=np.int64)
    if count > POOL:
        rows = np.array([int(k) * (count - 1) // (POOL - 1) for k in range(POOL)], np.int64)
    names, index, at = [], [], []
    for name, column in entry.cases(rows).items():
        try:
            values, digit = np.unique(np.asarray(column, np.float64), return_inverse=True)
        except ValueError:
            values, digit = np.unique(np.asarray(column), return_inverse=True)  # type: ignore[assignment]
        if len(values) > 1:
            names.append(name)
            index.append(digit)
            apart = values.dtype.kind == "U"
            at.append(digit.astype(float) if apart else digit / (len(values) - 1))
    if not names:
        return Pool(rows, np.zeros((len(rows), 1)), np.zeros((len(rows), 1), np.int64), ())
    return Pool(rows, np.column_stack(at), np.column_stack(index).astype(np.int64), tuple(names))


def search(pool: Pool, judge: Callable[[I64], NDArray[np.bool_]], time_left: Callable[[], bool], batch: int) -> Found:
    """Run cases in batches until the time is over or all are run. `judge` maps case numbers to whether each failed."""
    total = len(pool.rows)
    order = np.argsort((np.arange(total) * GOLDEN) % 1.0, kind="stable")
    chosen = order[: min(FIRST, total)]
    run, failed = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    waiting = np.ones(total, np.bool_)
    while len(chosen):
        for start in range(0, len(chosen), batch):
            part = chosen[start : start + batch]
            run, failed = np.concatenate([run, part]), np.concatenate([failed, judge(pool.rows[part])])
            waiting[part] = False
            if not time_left():
                return Found(run, failed, bool(waiting.any()))
        chosen = _next(pool, run, failed, np.flatnonzero(waiting), batch)
    return Found(run, failed, False)


def _next(pool: Pool, run: I64, failed: NDArray[np.bool_], left: I64, batch: int) -> I64:
    """The most telling cases among `left`."""
    if len(left) <= batch:
        return left
    count = min(NEIGHBOURS, len(run))
    distance, near = cKDTree(pool.at[run]).query(pool.at[left], k=count)
    distance, near = distance.reshape(len(left), count), near.reshape(len(left), count)
    weight = 1.0 / (distance + 1e-6)
    share = (weight * failed[near]).sum(axis=1) / weight.sum(axis=1)
    worth = distance[:, 0] * (4.0 * share * (1.0 - share) + CURIOSITY)
    # several of the best, but not several at one spot
    best = np.argsort(-worth, kind="stable")[: 8 * batch]
    return left[best[:: max(len(best) // batch, 1)][:batch]]


def report(entry: Logical, pool: Pool, found: Found) -> dict[str, Any]:
    """The failure boundary and the region not looked at, as plain data."""
    ran = pool.steps[found.run]
    shown = entry.cases(pool.rows)
    return {
        "cases_run": len(found.run),
        "cases": entry.count,
        "failed": int(found.failed.sum()),
        "out_of_time": found.out_of_time,
        "boundary": _pairs(pool, found, shown),
        "not_looked_at": {
            "cases": entry.count - len(found.run),
            "share": 1.0 - len(found.run) / entry.count,
            "values_never_run": {
                name: [str(v) for v in _never(shown[name], pool.steps[:, k], ran[:, k])]
                for k, name in enumerate(pool.axes)
                if len(np.unique(ran[:, k])) < len(np.unique(pool.steps[:, k])) and np.max(pool.steps[:, k]) < 1000
            },
            "largest_holes": _holes(pool, found, shown),
        },
    }


def _never(column: NDArray[Any], all_index: I64, ran_index: I64) -> list[Any]:
    missing = np.setdiff1d(np.unique(all_index), np.unique(ran_index))
    first = {int(i): k for k, i in reversed(list(enumerate(all_index)))}
    return [column[first[int(i)]] for i in missing]


def _pairs(pool: Pool, found: Found, shown: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Pairs of runs that differ along one axis alone, the nearest such pair of a pass and a fail on each line."""
    index = pool.steps[found.run]
    pairs = []
    for axis, name in enumerate(pool.axes):
        lines: dict[bytes, list[int]] = {}
        for k, row in enumerate(np.delete(index, axis, axis=1)):
            lines.setdefault(row.tobytes(), []).append(k)
        for members in lines.values():
            here = sorted(members, key=lambda k: index[k, axis])
            for a, b in pairwise(here):
                if found.failed[a] != found.failed[b]:
                    bad, good = (a, b) if found.failed[a] else (b, a)
                    bad_at, good_at = found.run[bad], found.run[good]
                    pairs.append((int(abs(index[a, axis] - index[b, axis])), name, int(bad_at), int(good_at)))
    pairs.sort()
    return [
        {
            "parameter": name, "steps_apart": steps, "fails_at": str(shown[name][bad]), "passes_at": str(shown[name][good]),
            "others": {p: str(shown[p][bad]) for p in pool.axes if p != name},
        }
        for steps, name, bad, good in pairs[:MOST_PAIRS]
    ]  # fmt: skip


def _holes(pool: Pool, found: Found, shown: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Cases farthest from everything that was run, each the centre of a hole."""
    distance, _ = cKDTree(pool.at[found.run]).query(pool.at)
    holes = []
    for _ in range(MOST_HOLES):
        k = int(np.argmax(distance))
        if distance[k] <= 0.0:
            break
        holes.append({"distance": float(distance[k]), "case": {p: str(shown[p][k]) for p in pool.axes}})
        distance = np.minimum(distance, np.linalg.norm(pool.at - pool.at[k], axis=1))
    return holes

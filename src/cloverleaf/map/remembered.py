"""What is worked out from a lane graph alone is worked out once per process: every arm and seed drives on the same map."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from cloverleaf.map.graph import LaneGraph

T = TypeVar("T")
KEPT = 2
"""Maps whose results are kept."""


def once_per_graph(build: Callable[[LaneGraph], T]) -> Callable[[LaneGraph], T]:
    """Remember the results of `build` for the last graphs, told apart by identity. Callers must not write to them."""
    kept: list[tuple[LaneGraph, T]] = []

    @wraps(build)
    def remembered(graph: LaneGraph) -> T:
        for known, result in kept:
            if known is graph:
                return result
        result = build(graph)
        kept.append((graph, result))
        del kept[:-KEPT]
        return result

    return remembered

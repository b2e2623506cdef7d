"""Rooms of paths in two parts: what another path shares with both parts is one room where it meets them the wrong way round.

Two drivers each of whom has reached what the other one comes to later would wait for each other for ever. So whoever is anywhere in
such a room has all of it (compare lock ordering: both take the same locks in opposite orders).
"""

from __future__ import annotations

import numpy as np

from cloverleaf.map.clashes import Clashes
from cloverleaf.map.graph import LaneGraph


def join_opposed(graph: LaneGraph, clashes: Clashes) -> Clashes:
    """`clashes` with the rooms joined of each lane and the two parts of a crossing path of which it meets the second part first."""
    own = np.repeat(np.arange(len(graph.lane_edge)), np.diff(clashes.start))
    row = {pair: k for k, pair in enumerate(zip(own.tolist(), clashes.other.tolist()))}
    internal = graph.edge_internal[graph.lane_edge] > 0
    begin, end = clashes.begin.copy(), clashes.end.copy()
    other_begin, other_end = clashes.other_begin.copy(), clashes.other_end.copy()
    inner = np.flatnonzero(internal[graph.link_from] & (graph.link_via >= 0))
    for first, second in zip(graph.link_from[inner].tolist(), graph.link_via[inner].tolist()):
        for k in range(clashes.start[first], clashes.start[first + 1]):
            lane = int(clashes.other[k])
            late, early = row[lane, first], row.get((lane, second), -1)
            if early < 0 or clashes.along[late] or clashes.along[early] or not internal[lane]:
                continue
            if clashes.begin[early] >= clashes.begin[late]:
                continue
            low, high = clashes.begin[early], max(clashes.end[early], clashes.end[late])
            back = row[second, lane]
            begin[[late, early]] = other_begin[[k, back]] = low
            end[[late, early]] = other_end[[k, back]] = high
            end[k] = other_end[late] = graph.lane_length[first]
            begin[back] = other_begin[early] = 0.0
    return clashes._replace(begin=begin, end=end, other_begin=other_begin, other_end=other_end)

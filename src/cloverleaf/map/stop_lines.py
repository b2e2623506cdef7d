"""Stop lines: where one waits before and inside a junction, clear of the paths of those who go first."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.clashes import CLEARANCE, Clashes, parts_near
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types import traffic as T
from cloverleaf.types.state import I32

FURTHEST_LINE = 8.0  # m before the end of its lane at which a stop line may lie to stand clear of others
CLEAR_OF_PATHS = 0.5  # m kept to the paths of others while waiting
WAITING_LENGTH = 5.0  # m that the one who waits takes up


def stop_lines(graph: LaneGraph, clashes: Clashes, link_i: I32) -> T.F64:
    """How far before the end of its lane the front of a waiting vehicle is clear of the paths it waits for, m; shape (K,).

    Before a junction: of everything that comes from other edges. Inside it: of all paths that cross, and of those that end on the
    same lane where they already come near.
    """
    line = np.zeros(len(graph.link_from))
    internal = graph.edge_internal[graph.lane_edge] > 0
    serves = graph.lane_internal_link
    source_edge = np.where(serves >= 0, graph.lane_edge[graph.link_from[np.maximum(serves, 0)]], graph.lane_edge)
    for link in range(len(line)):
        lane, entry = graph.link_from[link], link_i[link, T.LINK_ENTRY]
        rows = slice(link_i[entry, T.LINK_FOES], link_i[entry, T.LINK_FOES_END]) if entry >= 0 else slice(0, 0)
        span = slice(clashes.start[lane], clashes.start[lane + 1])
        other, begin, end = clashes.other[span], clashes.begin[span], clashes.end[span]
        if internal[lane]:
            if graph.link_via[link] < 0:
                continue
            crosses, own = source_edge[other] != source_edge[lane], graph.foe_own_lane[rows] == lane
            merging = graph.foe_other_lane[rows][~own & (graph.foe_other_lane[rows] >= 0)].astype(np.int32)
            near = parts_near(graph, np.full(len(merging), lane, np.int32), merging, CLEARANCE)
            near = near[near[:, 0] <= near[:, 1]]
            begin = np.concatenate((begin[crosses], graph.foe_own_begin[rows][own], near[:, 0]))
            end = np.concatenate((end[crosses], graph.foe_own_end[rows][own], near[:, 1]))
            least = 0.0
        else:
            ends = graph.edge_to[graph.lane_edge[lane]]
            edge = graph.lane_edge[other]
            near = internal[other] | ((graph.edge_to[edge] == ends) & (edge != graph.lane_edge[lane]))
            begin, end = begin[near], end[near]
            least = max(0.0, graph.lane_length[lane] - FURTHEST_LINE)
        at = graph.lane_length[lane]
        for k in np.argsort(-end):
            if end[k] > at - WAITING_LENGTH and begin[k] <= at:
                at = begin[k] - CLEAR_OF_PATHS
        line[link] = graph.lane_length[lane] - max(at, least)
    return line

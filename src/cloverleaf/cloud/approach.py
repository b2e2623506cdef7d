"""The way from a lane to its next signal and next junction, worked out once per map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneGraph, LaneKind, LinkDirection
from cloverleaf.types.state import F64, I32

RANGE_M = 600.0
_PREFERENCE = {
    LinkDirection.STRAIGHT: 0,
    LinkDirection.PART_RIGHT: 1,
    LinkDirection.PART_LEFT: 1,
    LinkDirection.RIGHT: 2,
}


class Approaches(NamedTuple):
    """Per lane, shape (L,): the next signalled link if one drives straight on, and what lies between."""

    link: I32  # -1 none within RANGE_M
    beyond: F64  # m from the lane's end to the stop line
    limit: F64  # m/s, lowest speed limit on the way


def main_link(graph: LaneGraph, lane: int) -> int:
    """The link a driver most likely takes from `lane`: straight on before turns; -1 none."""
    links = range(int(graph.lane_link_start[lane]), int(graph.lane_link_start[lane + 1]))
    usable = [k for k in links if graph.lane_kind[graph.link_to[k]] not in (LaneKind.CROSSING, LaneKind.WALKING_AREA)]
    return min(usable, key=lambda k: (_PREFERENCE.get(LinkDirection(int(graph.link_direction[k])), 3), k), default=-1)


def approaches(graph: LaneGraph) -> Approaches:
    """Walk downstream from every lane."""
    lanes = len(graph.lane_length)
    out = Approaches(np.full(lanes, -1, np.int32), np.zeros(lanes), graph.lane_speed.copy())
    main = [main_link(graph, lane) for lane in range(lanes)]
    for lane in range(lanes):
        at, beyond, limit = lane, 0.0, float(graph.lane_speed[lane])
        while beyond < RANGE_M:
            link = main[at]
            if link < 0 or graph.edge_internal[graph.lane_edge[at]]:
                break
            if graph.link_signal[link] >= 0:
                out.link[lane], out.beyond[lane], out.limit[lane] = link, beyond, limit
                break
            at = int(graph.link_to[link])
            beyond += float(graph.link_length[link]) + float(graph.lane_length[at])
            limit = min(limit, float(graph.lane_speed[at]))
    return out

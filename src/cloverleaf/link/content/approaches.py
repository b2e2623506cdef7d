"""The part of the lane graph that a roadside unit describes: the junction of its signal group and the lanes that lead to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import BaseMap, LinkDirection
from cloverleaf.types.errors import EncodeError
from cloverleaf.types.messages import RSU_STATION_BASE
from cloverleaf.types.state import I32, I64

MANEUVERS = {LinkDirection.STRAIGHT: 0, LinkDirection.LEFT: 1, LinkDirection.PART_LEFT: 1, LinkDirection.RIGHT: 2,
             LinkDirection.PART_RIGHT: 2, LinkDirection.TURN: 3}  # fmt: skip
"""LinkDirection -> bit of AllowedManeuvers: straight, left, right, U-turn."""


class Approaches(NamedTuple):
    """What one MAP describes."""

    unit: int  # roadside unit
    group: int  # signal group
    junction: int
    edges: list[int]  # edges whose lanes end here


def approaches(base_map: BaseMap, units: I32 | None, station: int) -> Approaches:
    """The approaches of a roadside unit, by its station id; EncodeError if it serves no signal group of the map."""
    g, unit = base_map.graph, station - RSU_STATION_BASE
    group = unit if units is None or not 0 <= unit < len(units) else int(units[unit])
    links = np.flatnonzero(g.link_signal == group)
    if not len(links) or group < 0:
        raise EncodeError(f"station {station} serves no signal group of the map")
    junction = int(g.link_junction[links[0]])
    lanes = g.link_from[np.flatnonzero(g.link_junction == junction)]
    edges = np.unique(g.lane_edge[lanes])
    return Approaches(unit, group, junction, edges[g.edge_internal[edges] == 0].tolist())


def lane_points(base_map: BaseMap, lane: int, most: int) -> tuple[I64, I64]:
    """Centre line of a lane as at most `most` points, shape (k,) each: x and y in cm."""
    g = base_map.graph
    points = np.arange(g.lane_point_start[lane], g.lane_point_start[lane + 1])
    if len(points) > most:
        points = points[np.linspace(0, len(points) - 1, most).round().astype(np.int64)]
    return np.rint(g.point_x[points] * 100).astype(np.int64), np.rint(g.point_y[points] * 100).astype(np.int64)


def maneuvers(base_map: BaseMap, lane: int) -> int:
    """AllowedManeuvers of a lane as 12 bits, the first on the left."""
    g, bits = base_map.graph, 0
    for link in range(int(g.lane_link_start[lane]), int(g.lane_link_start[lane + 1])):
        bits |= 1 << (11 - MANEUVERS[LinkDirection(int(g.link_direction[link]))])
    return bits

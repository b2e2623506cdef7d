"""MAP of CSAE from the base map: one node, its incoming links, their lanes, and where each lane leads.

Node ids are rows of the map's junctions, the region is the roadside unit, lanes count from 1 at the right edge, and phase
ids are positions in the signal's state string, as in SPAT. Connections beyond the standard's limit are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.approaches import Approaches, approaches, lane_points, maneuvers
from cloverleaf.link.content.frame import Frame
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.state import I32

_CONNECTIONS = {"csae_day1": 16, "csae_day2": 8}
_POINTS = 15
_SHORT, _LONG = 1 << 17, 1 << 23


def map_message(base_map: BaseMap, units: I32 | None, station: int, frame: Frame, standard: str) -> bytes:
    """The MAP message of a roadside unit."""
    a, g = approaches(base_map, units, station), base_map.graph
    latitude, longitude, _ = frame.geo(
        g.junction_x[a.junction : a.junction + 1], g.junction_y[a.junction : a.junction + 1]
    )
    place = {"lat": int(latitude[0]), "long": int(longitude[0])}
    links = [_link(base_map, a, edge, frame, place, standard) for edge in a.edges[:32]]
    node: dict[str, Any] = {"id": _node(a.unit, a.junction), "refPos": place}
    if links:
        node["inLinks"] = links
    return codec(standard, "map").encode(["mapFrame", {"msgCnt": 0, "nodes": [node]}])


def _node(unit: int, junction: int) -> dict[str, int]:
    return {"region": unit & 0xFFFF, "id": junction & 0xFFFF}


def _link(
    base_map: BaseMap, a: Approaches, edge: int, frame: Frame, place: dict[str, int], standard: str
) -> dict[str, Any]:
    g = base_map.graph
    lanes = range(int(g.edge_lane_start[edge]), int(g.edge_lane_start[edge + 1]))
    width = int(np.clip(round(100 * float(sum(g.lane_width[lane] for lane in lanes))), 0, 32767))
    limit = int(np.clip(round(float(max(g.lane_speed[lane] for lane in lanes)) / 0.02), 0, 8190))
    return {
        "upstreamNodeId": _node(a.unit, int(g.edge_from[edge])),
        "speedLimits": [{"type": "vehicleMaxSpeed", "speed": limit}],
        "linkWidth": width,
        "lanes": [_lane(base_map, a, lane, frame, place, standard) for lane in list(lanes)[:32]],
    }


def _lane(
    base_map: BaseMap, a: Approaches, lane: int, frame: Frame, place: dict[str, int], standard: str
) -> dict[str, Any]:
    g = base_map.graph
    connections = []
    for link in range(int(g.lane_link_start[lane]), int(g.lane_link_start[lane + 1])):
        target = int(g.link_to[link])
        beyond = int(g.edge_to[g.lane_edge[target]])
        to: dict[str, Any] = {
            "remoteIntersection": _node(a.unit, max(beyond, 0)),
            "connectingLane": {"lane": (int(g.lane_index[target]) + 1) & 255},
        }
        if g.link_signal[link] == a.group:
            to["phaseId"] = int(g.link_signal_index[link]) & 255
        connections.append(to)
    x, y = lane_points(base_map, lane, _POINTS)
    latitude, longitude, _ = frame.geo(x / 100, y / 100)
    points = []
    for north, east in zip((latitude - place["lat"]).tolist(), (longitude - place["long"]).tolist()):
        far = max(abs(north), abs(east))
        form = "position-LL4" if far < _SHORT else "position-LL6" if far < _LONG else "position-LatLon"
        if far >= _LONG:
            north, east = north + place["lat"], east + place["long"]
        points.append({"posOffset": {"offsetLL": [form, {"lon": east, "lat": north}]}})
    made: dict[str, Any] = {
        "laneID": (int(g.lane_index[lane]) + 1) & 255,
        "laneWidth": int(np.clip(round(100 * float(g.lane_width[lane])), 0, 32767)),
        "maneuvers": {"hex": f"{maneuvers(base_map, lane) << 4:04x}", "bits": 12},
    }
    if connections:
        made["connectsTo"] = connections[: _CONNECTIONS[standard]]
    if len(points) > 1:
        made["points"] = points
    return made

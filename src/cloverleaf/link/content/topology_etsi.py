"""MAPEM from the base map: one intersection, its ingress and egress lanes, and their connections.

Lanes are numbered in the order of the map (ingress first, then the lanes they lead to), signal groups are positions in the
state string plus one, as in SPATEM. At most 255 lanes; centre lines of up to 15 points in cm from the junction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.approaches import approaches, lane_points, maneuvers
from cloverleaf.link.content.frame import Frame, station_bits
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.state import I32

_INGRESS, _EGRESS = {"hex": "80", "bits": 2}, {"hex": "40", "bits": 2}
_STEP = 32_000
MAPEM_ID = 5


def map_message(base_map: BaseMap, units: I32 | None, station: int, frame: Frame, standard: str) -> bytes:
    """The MAPEM of a roadside unit."""
    header = {"protocolVersion": 2, "messageID": MAPEM_ID, "stationID": int(station_bits(np.array([station]))[0])}
    return codec("etsi", "mapem").encode({"header": header, "map": map_body(base_map, units, station, frame)})


def map_body(base_map: BaseMap, units: I32 | None, station: int, frame: Frame) -> dict[str, Any]:
    """The MapData of ISO/TS 19091 of a roadside unit."""
    a, g = approaches(base_map, units, station), base_map.graph
    ingress = [
        lane for edge in a.edges for lane in range(int(g.edge_lane_start[edge]), int(g.edge_lane_start[edge + 1]))
    ]
    egress = sorted({int(g.link_to[k]) for lane in ingress for k in _links(base_map, lane)} - set(ingress))
    lanes = [*ingress, *egress][:255]
    number = {lane: i + 1 for i, lane in enumerate(lanes)}
    x, y = float(g.junction_x[a.junction]), float(g.junction_y[a.junction])
    latitude, longitude, _ = frame.geo(np.array([x]), np.array([y]))
    made = []
    for lane in lanes:
        leads = [
            _connection(base_map, k, number, a.group) for k in _links(base_map, lane) if int(g.link_to[k]) in number
        ]
        row: dict[str, Any] = {
            "laneID": number[lane],
            "laneAttributes": {
                "directionalUse": _INGRESS if lane in ingress else _EGRESS,
                "sharedWith": {"hex": "0000", "bits": 10},
                "laneType": ["vehicle", {"hex": "00", "bits": 8}],
            },
            "maneuvers": {"hex": f"{maneuvers(base_map, lane) << 4:04x}", "bits": 12},
            "nodeList": ["nodes", _nodes(base_map, lane, x, y, lane in ingress)],
        }
        if leads and lane in ingress:
            row["connectsTo"] = leads[:16]
        made.append(row)
    intersection = {
        "id": {"region": a.unit & 0xFFFF, "id": a.group & 0xFFFF},
        "revision": 0,
        "refPoint": {"lat": int(latitude[0]), "long": int(longitude[0])},
        "laneSet": made,
    }
    return {"msgIssueRevision": 0, "intersections": [intersection]}


def _links(base_map: BaseMap, lane: int) -> range:
    return range(int(base_map.graph.lane_link_start[lane]), int(base_map.graph.lane_link_start[lane + 1]))


def _connection(base_map: BaseMap, link: int, number: dict[int, int], group: int) -> dict[str, Any]:
    g = base_map.graph
    to: dict[str, Any] = {"connectingLane": {"lane": number[int(g.link_to[link])]}}
    if g.link_signal[link] == group:
        to["signalGroup"] = min(int(g.link_signal_index[link]) + 1, 255)
    return to


def _nodes(base_map: BaseMap, lane: int, x: float, y: float, ingress: bool) -> list[dict[str, Any]]:
    """Offsets in cm along the lane, from the junction outwards; long steps are divided."""
    px, py = lane_points(base_map, lane, 15)
    px, py = px - round(100 * x), py - round(100 * y)
    if ingress:
        px, py = px[::-1], py[::-1]
    nodes, at = [], np.zeros(2, np.int64)
    for point in np.stack([px, py], 1):
        pieces = max(1, int(np.ceil(np.abs(point - at).max() / _STEP)))
        for k in range(pieces):
            step = (point - at) // (pieces - k)
            nodes.append({"delta": ["node-XY6", {"x": int(step[0]), "y": int(step[1])}]})
            at = at + step
    if len(nodes) == 1:
        nodes.append({"delta": ["node-XY1", {"x": 0, "y": 0}]})
    return nodes[:63]

"""Topology: CSAE MAP (links and their lanes), and the MAP of ISO/TS 19091 in ETSI MAPEM and SAE MAP (lanes around one intersection),
as `MapMessage`.

A lane's line runs in the direction of travel here and in CSAE; ISO/TS 19091 counts ingress lanes from the stop line outwards. CSAE numbers
lanes per link, the others per intersection: where numbers repeat, lanes are numbered anew in order.
"""

from __future__ import annotations

from typing import Any

from cloverleaf.link.messages import wire as w
from cloverleaf.link.messages.awareness import offset_ll, offset_place
from cloverleaf.link.messages.records import LaneConnection, MapApproach, MapIntersection, MapLane, MapMessage, Place
from cloverleaf.types.errors import EncodeError

_SPEED, _LENGTH = 0.02, 0.01
_CONNECTIONS = {"csae_day1": 16, "csae_day2": 8}
_XY = (
    (511, "node-XY1"),
    (1023, "node-XY2"),
    (2047, "node-XY3"),
    (4095, "node-XY4"),
    (8191, "node-XY5"),
    (32767, "node-XY6"),
)
_INGRESS, _EGRESS = 0, 1
_TYPES = {"vehicle": 8, "crosswalk": 16, "bikeLane": 16, "sidewalk": 16, "median": 16, "striping": 16, "trackedVehicle": 16,
          "parking": 16}  # fmt: skip


def read_map(value: Any, now: float, standard: str) -> MapMessage:
    """A CSAE MAP (frame value)."""
    body = value[1]
    nodes = []
    for n in body["nodes"]:
        place = w.place_of(n["refPos"]["lat"], n["refPos"]["long"], w.si(n["refPos"].get("elevation"), 0.1, -4096))
        if place is None:
            continue
        approaches = tuple(_read_link(link, place) for link in n.get("inLinks", []))
        nodes.append(MapIntersection(n["id"]["id"], n["id"].get("region"), place, approaches, n.get("name")))
    return MapMessage(tuple(nodes), body["msgCnt"])


def _read_link(link: Any, origin: Place) -> MapApproach:
    return MapApproach(
        tuple(_read_lane(lane, origin) for lane in link["lanes"]),
        (link["upstreamNodeId"].get("region"), link["upstreamNodeId"]["id"]),
        _read_limit(link.get("speedLimits")),
        w.si(link.get("linkWidth"), _LENGTH),
        link.get("name"),
    )


def _read_lane(lane: Any, origin: Place) -> MapLane:
    points = (offset_place(p["posOffset"]["offsetLL"], origin) for p in lane.get("points", []))
    connections = []
    for c in lane.get("connectsTo", []):
        there, node = c.get("connectingLane", {}), c["remoteIntersection"]
        connections.append(
            LaneConnection(
                there.get("lane"), (node.get("region"), node["id"]), c.get("phaseId"), w.set_bits(there.get("maneuver"))
            )
        )
    kind = lane.get("laneAttributes", {}).get("laneType", ["vehicle"])[0]
    return MapLane(
        lane["laneID"],
        tuple(p for p in points if p is not None),
        w.si(lane.get("laneWidth"), _LENGTH),
        w.set_bits(lane.get("maneuvers")),
        tuple(connections),
        _read_limit(lane.get("speedLimits")),
        True,
        kind,
    )


def write_map(m: MapMessage, standard: str) -> Any:
    """The frame value of a CSAE MAP: ingress lanes only, since links lead to a node."""
    nodes = []
    for n in m.intersections[:32]:
        lat, long = w.microdegrees(n.place)
        node: dict[str, Any] = {"id": _node((n.region, n.id)), "refPos": {"lat": lat, "long": long}}
        if n.place.elevation is not None:
            node["refPos"]["elevation"] = w.wire(n.place.elevation, 0.1, -4095, 61439, -4096)
        if n.name:
            node["name"] = n.name[:63]
        links = [link for a in n.approaches if (link := _link(a, n, standard)) is not None][:32]
        if links:
            node["inLinks"] = links
        nodes.append(node)
    return ["mapFrame", {"msgCnt": m.revision & 127, "nodes": nodes}]


def _link(a: MapApproach, n: MapIntersection, standard: str) -> dict[str, Any] | None:
    lanes = [lane for lane in a.lanes if lane.ingress][:32]
    if not lanes:
        return None
    width = a.width if a.width is not None else sum(lane.width or 0.0 for lane in lanes)
    link: dict[str, Any] = {
        "upstreamNodeId": _node(a.upstream or (n.region, 0)),
        "linkWidth": w.wire(width, _LENGTH, 0, 32767, 0),
        "lanes": [_csae_lane(lane, n.place, standard) for lane in lanes],
    }
    if a.name:
        link["name"] = a.name[:63]
    if a.speed_limit is not None:
        link["speedLimits"] = _limit(a.speed_limit)
    return link


def _csae_lane(lane: MapLane, origin: Place, standard: str) -> dict[str, Any]:
    row: dict[str, Any] = {"laneID": lane.id & 255}
    if lane.width is not None:
        row["laneWidth"] = w.wire(lane.width, _LENGTH, 0, 32767, 0)
    if lane.lane_type != "vehicle":
        row["laneAttributes"] = {"laneType": [lane.lane_type, w.bit_string((), _TYPES[lane.lane_type])]}
    if lane.maneuvers is not None:
        row["maneuvers"] = w.bit_string(lane.maneuvers, 12)
    connections = []
    for c in lane.connections[: _CONNECTIONS[standard]]:
        to: dict[str, Any] = {"remoteIntersection": _node(c.node or (None, 0))}
        if c.lane is not None:
            to["connectingLane"] = {"lane": c.lane & 255}
            if c.maneuvers is not None:
                to["connectingLane"]["maneuver"] = w.bit_string(c.maneuvers, 12)
        if c.group is not None:
            to["phaseId"] = c.group & 255
        connections.append(to)
    if connections:
        row["connectsTo"] = connections
    if lane.speed_limit is not None:
        row["speedLimits"] = _limit(lane.speed_limit)
    here, points = w.microdegrees(origin), []
    for p in thinned(lane.points, 31):
        lat, long = w.microdegrees(p)
        form = offset_ll(lat - here[0], long - here[1]) or ["position-LatLon", {"lon": long, "lat": lat}]
        points.append({"posOffset": {"offsetLL": form}})
    if len(points) > 1:
        row["points"] = points
    return row


def read_mapem(value: Any, now: float) -> MapMessage:
    """An ETSI MAPEM."""
    return _read_iso(value["map"], value["header"]["stationID"])


def read_sae_map(value: Any, now: float) -> MapMessage:
    """An SAE MAP (frame value)."""
    return _read_iso(value["value"][1], None)


def write_mapem(m: MapMessage) -> Any:
    """The value of an ETSI MAPEM."""
    header = {"protocolVersion": 2, "messageID": 5, "stationID": (m.station or 0) & 0xFFFFFFFF}
    return {"header": header, "map": _iso(m)}


def write_sae_map(m: MapMessage) -> Any:
    """The frame value of an SAE MAP."""
    return {"messageId": 18, "value": ["MapData", _iso(m)]}


def _read_iso(body: Any, station: int | None) -> MapMessage:
    """MAP of ISO/TS 19091; lanes of one ingress or egress approach stand together."""
    nodes = []
    for n in body.get("intersections", []):
        place = w.place_of(
            n["refPoint"]["lat"], n["refPoint"]["long"], w.si(n["refPoint"].get("elevation"), 0.1, -4096)
        )
        if place is None:
            continue
        width = w.si(n.get("laneWidth"), _LENGTH)
        groups: dict[tuple[bool, int], list[MapLane]] = {}
        for lane in n["laneSet"]:
            ingress = _INGRESS in (w.set_bits(lane["laneAttributes"]["directionalUse"]) or ())
            key = lane.get("ingressApproach" if ingress else "egressApproach", -1)
            groups.setdefault((ingress, key), []).append(_read_iso_lane(lane, place, width, ingress))
        limit = _read_limit(n.get("speedLimits"))
        approaches = tuple(MapApproach(tuple(lanes), None, limit) for lanes in groups.values())
        nodes.append(MapIntersection(n["id"]["id"], n["id"].get("region"), place, approaches, n.get("name")))
    layer = body.get("layerID", 0)
    part = (layer % 10, layer // 10) if 0 < layer % 10 <= layer // 10 <= 9 and layer // 10 > 1 else None
    return MapMessage(tuple(nodes), body["msgIssueRevision"], station, part)


def _read_iso_lane(lane: Any, origin: Place, width: float | None, ingress: bool) -> MapLane:
    form, nodes = lane["nodeList"]
    points, east, north = [], 0.0, 0.0  # in one plane around the intersection, as they were written
    for node in nodes if form == "nodes" else []:
        name, d = node["delta"]
        if name == "node-LatLon":
            there = w.place_of(d["lat"], d["lon"])
            east, north = w.offset(origin, there) if there is not None else (east, north)
        elif name != "regional":
            east, north = east + d["x"] * _LENGTH, north + d["y"] * _LENGTH
        points.append(w.shifted(origin, east, north))
    connections = []
    for c in lane.get("connectsTo", []):
        there, node = c["connectingLane"], c.get("remoteIntersection")
        target = (node.get("region"), node["id"]) if node else None
        connections.append(
            LaneConnection(there["lane"], target, c.get("signalGroup"), w.set_bits(there.get("maneuver")))
        )
    if ingress:
        points.reverse()
    kind = lane["laneAttributes"]["laneType"][0]
    return MapLane(
        lane["laneID"], tuple(points), width, w.set_bits(lane.get("maneuvers")), tuple(connections), None, ingress, kind
    )


def _iso(m: MapMessage) -> dict[str, Any]:
    body: dict[str, Any] = {"msgIssueRevision": m.revision & 127}
    if m.part is not None and m.part[1] <= 9:
        body |= {"layerType": "intersectionData", "layerID": 10 * m.part[1] + m.part[0]}
    rows = [row for n in m.intersections[:32] if (row := _iso_intersection(n)) is not None]
    if m.intersections and not rows:
        raise EncodeError("no intersection has a lane with points", path="intersections")
    return body | ({"intersections": rows} if rows else {})


def _iso_intersection(n: MapIntersection) -> dict[str, Any] | None:
    """An intersection; None if it has no lane with points, which ISO/TS 19091 demands."""
    every = [(k, lane) for k, a in enumerate(n.approaches) for lane in a.lanes]
    numbers = [lane.id for _, lane in every]
    anew = len(set(numbers)) < len(numbers)
    lanes = []
    for i, (k, lane) in enumerate(every[:255]):
        if len(lane.points) > 1:
            lanes.append(_iso_lane(lane, n, i + 1 if anew else lane.id, min(k, 15)))
    if not lanes:
        return None
    lat, long = w.microdegrees(n.place)
    row: dict[str, Any] = {
        "id": _node((n.region, n.id)),
        "revision": 0,
        "refPoint": {"lat": lat, "long": long},
        "laneSet": lanes,
    }
    if n.place.elevation is not None:
        row["refPoint"]["elevation"] = w.wire(n.place.elevation, 0.1, -4095, 61439, -4096)
    widths = {lane.width for _, lane in every if lane.width is not None}
    if widths:
        row["laneWidth"] = w.wire(max(widths), _LENGTH, 0, 32767, 0)
    limits = {a.speed_limit for a in n.approaches if a.speed_limit is not None}
    if limits:
        row["speedLimits"] = _limit(max(limits))
    if n.name:
        row["name"] = n.name[:63]
    return row


def _iso_lane(lane: MapLane, n: MapIntersection, number: int, approach: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "laneID": number & 255,
        "laneAttributes": {
            "directionalUse": w.bit_string([_INGRESS if lane.ingress else _EGRESS], 2),
            "sharedWith": w.bit_string((), 10),
            "laneType": [lane.lane_type, w.bit_string((), _TYPES[lane.lane_type])],
        },
        "nodeList": ["nodes", _nodes(lane, n.place)],
        ("ingressApproach" if lane.ingress else "egressApproach"): approach,
    }
    if lane.maneuvers is not None:
        row["maneuvers"] = w.bit_string(lane.maneuvers, 12)
    connections = []
    for c in lane.connections[:16]:
        if c.lane is None:
            continue
        to: dict[str, Any] = {"connectingLane": {"lane": c.lane & 255}}
        if c.maneuvers is not None:
            to["connectingLane"]["maneuver"] = w.bit_string(c.maneuvers, 12)
        if c.node is not None:
            to["remoteIntersection"] = _node(c.node)
        if c.group is not None:
            to["signalGroup"] = c.group & 255
        connections.append(to)
    if connections:
        row["connectsTo"] = connections
    return row


def _nodes(lane: MapLane, origin: Place) -> list[dict[str, Any]]:
    """Steps in cm along the lane from the stop line outwards (egress: in the direction of travel); a far step is an absolute point."""
    points = thinned(lane.points, 63)
    nodes, x0, y0 = [], 0, 0
    for p in points[::-1] if lane.ingress else points:
        east, north = w.offset(origin, p)
        x, y = round(east / _LENGTH), round(north / _LENGTH)
        far = max(abs(x - x0), abs(y - y0))
        name = next((name for limit, name in _XY if far <= limit), None)
        if name is None:
            lat, long = w.microdegrees(p)
            delta: list[Any] = ["node-LatLon", {"lon": long, "lat": lat}]
        else:
            delta = [name, {"x": x - x0, "y": y - y0}]
        nodes.append({"delta": delta})
        x0, y0 = x, y
    return nodes


def thinned(points: tuple[Place, ...], most: int) -> tuple[Place, ...]:
    """At most `most` points, evenly chosen, ends kept."""
    if len(points) <= most:
        return points
    return tuple(points[round(i * (len(points) - 1) / (most - 1))] for i in range(most))


def _limit(speed: float) -> list[dict[str, Any]]:
    return [{"type": "vehicleMaxSpeed", "speed": w.wire(speed, _SPEED, 0, 8190, 8191)}]


def _read_limit(rows: Any) -> float | None:
    """The maximum speed for vehicles, or the first one given."""
    chosen = next((r for r in rows or [] if r["type"] == "vehicleMaxSpeed"), (rows or [None])[0])
    return w.si(chosen["speed"], _SPEED, 8191) if chosen else None


def _node(node: tuple[int | None, int]) -> dict[str, int]:
    region, number = node
    return ({} if region is None else {"region": region}) | {"id": number}

"""Edges and links of an OpenDRIVE map: sections become edges, connecting roads internal lanes, the rest plain nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from cloverleaf.map.graph import JunctionKind, LaneKind, LinkDirection
from cloverleaf.map.io.opendrive_lanes import (
    NARROW,
    ROLLING,
    GraphEdge,
    GraphLane,
    Sections,
    center_line,
    forward,
    lane_speed,
    lane_use,
    polyline_length,
)
from cloverleaf.map.opendrive.model import OpenDrive
from cloverleaf.map.opendrive.tables import MapTables, map_tables
from cloverleaf.types.state import F64


@dataclass
class GraphLink:
    """One way from a lane to a lane, over at most two internal lanes."""

    source: int
    target: int
    vias: list[int]
    junction: int
    direction: int = 0
    signal: int = -1
    signal_index: int = -1
    request: int = -1
    connecting: int = -1  # road row of the connecting road
    cont: bool = False


@dataclass
class GraphNode:
    """A junction of the graph: one of the map's, or the place where sections or roads meet."""

    id: str
    kind: JunctionKind
    x: float = 0.0
    y: float = 0.0
    points: list[F64] = field(default_factory=list)


@dataclass
class Network:
    """Everything under construction."""

    drive: OpenDrive
    tables: MapTables
    sections: Sections
    lanes: list[GraphLane] = field(default_factory=list)
    edges: list[GraphEdge] = field(default_factory=list)
    links: list[GraphLink] = field(default_factory=list)
    nodes: list[GraphNode] = field(default_factory=list)
    of_row: dict[int, int] = field(default_factory=dict)  # lane row of a normal road -> graph lane
    samples: dict[int, F64] = field(default_factory=dict)

    def add_lane(self, edge: int, rows: tuple[int, ...], kind: LaneKind, allow: int, speed: float) -> int:
        points, width = center_line(self.drive.map, self.tables, self.sections, rows, self.samples)
        number = len(self.edges[edge].lanes)
        lane = GraphLane(rows, kind, allow, speed, width, polyline_length(points), points, edge, number)
        lane.id = f"{self.edges[edge].id}_{number}"
        self.lanes.append(lane)
        self.edges[edge].lanes.append(len(self.lanes) - 1)
        return len(self.lanes) - 1


def build_network(drive: OpenDrive) -> Network:
    """Edges, lanes, nodes and links of the whole map; right of way and signals come later."""
    net = Network(drive, map_tables(drive.map), Sections.of(drive.map))
    net.nodes = [GraphNode(j.id, JunctionKind.PRIORITY) for j in drive.junctions]
    _normal_edges(net)
    _plain_links(net)
    _junction_links(net)
    _close_ends(net)
    for node in net.nodes:
        if node.points:
            node.x, node.y = (float(v) for v in np.mean([p[:2] for p in node.points], axis=0))
    for link in net.links:
        link.direction = int(_direction(net, link))
    return net


def _normal_edges(net: Network) -> None:
    m, circle = net.drive.map, _roundabout_roads(net.drive)
    for section in range(len(m.section_s)):
        road = int(net.sections.road[section])
        if m.road_junction[road] >= 0:
            continue
        number = section - int(m.road_section_start[road])
        for ahead in (True, False):
            rows = [
                r
                for r in range(m.section_lane_start[section], m.section_lane_start[section + 1])
                if m.lane_id[r] != 0 and forward(m, road, int(m.lane_id[r])) == ahead
            ]
            # Rows run from left to right along s: seen from a forward driver the rightmost is the last row.
            rows = rows[::-1] if ahead else rows
            uses = [(r, use) for r in rows if (use := lane_use(net.drive, r, road)) is not None]
            if not any(use[0] in (*ROLLING, LaneKind.SIDEWALK) for _, use in uses):
                continue
            edge = GraphEdge(f"{net.drive.road_ids[road]}{'+' if ahead else '-'}{number}", roundabout=road in circle)
            net.edges.append(edge)
            for row, (kind, allow) in uses:
                speed = lane_speed(net.drive, row, road, kind)
                lane = net.add_lane(len(net.edges) - 1, (row,), kind, allow, speed)
                if net.lanes[lane].width < NARROW:
                    net.lanes.pop()
                    edge.lanes.pop()
                    continue
                net.of_row[row] = lane
            if not edge.lanes:
                net.edges.pop()
    for edge in net.edges:
        for a, b in zip(edge.lanes, edge.lanes[1:]):
            net.lanes[a].left, net.lanes[b].right = b, a


def _roundabout_roads(drive: OpenDrive) -> set[int]:
    """Roads whose two ends lie in junctions of one junction group of type roundabout."""
    found = set()
    for members in drive.roundabouts:
        rows = {i for i, j in enumerate(drive.junctions) if j.id in members}
        link = drive.map.road_link
        for road in range(len(drive.road_ids)):
            if all(link[road, end, 0] == 2 and link[road, end, 1] in rows for end in (0, 1)):
                found.add(road)
    return found


def _end_point(net: Network, lane: int, at_end: bool) -> F64:
    return net.lanes[lane].points[-1 if at_end else 0]


def _touch(net: Network, node: int, lane: int, at_end: bool) -> None:
    """Note that the edge of a lane ends (or starts) at a node."""
    edge = net.edges[net.lanes[lane].edge]
    if at_end:
        edge.end = node
    else:
        edge.start = node
    net.nodes[node].points.append(_end_point(net, lane, at_end))


def _plain_links(net: Network) -> None:
    """Links between sections and between roads that simply continue; each pair of edges meets at a node of its own."""
    m = net.drive.map
    meeting: dict[tuple[int, int], int] = {}
    for row, lane in sorted(net.of_row.items()):
        road = int(net.sections.road[m.lane_section[row]])
        onward = int(m.lane_link[row, 1 if forward(m, road, int(m.lane_id[row])) else 0])
        if onward < 0 or onward not in net.of_row:
            continue
        target = net.of_row[onward]
        if net.lanes[target].edge == net.lanes[lane].edge:
            continue
        key = (net.lanes[lane].edge, net.lanes[target].edge)
        if key not in meeting:
            taken = net.edges[key[0]].end
            if taken < 0:
                taken = net.edges[key[1]].start
            if taken < 0:
                taken = len(net.nodes)
                net.nodes.append(GraphNode(f"{net.edges[key[0]].id}>", JunctionKind.PRIORITY))
            meeting[key] = taken
        _touch(net, meeting[key], lane, True)
        _touch(net, meeting[key], target, False)
        kinds = net.lanes[lane].kind, net.lanes[target].kind
        if all(k in ROLLING for k in kinds) or all(k == LaneKind.SIDEWALK for k in kinds):
            net.links.append(GraphLink(lane, target, [], meeting[key]))


def _junction_links(net: Network) -> None:
    m = net.drive.map
    used: dict[str, int] = {}
    for road in range(len(m.road_length)):
        for end in (0, 1):
            if m.road_link[road, end, 0] != 2 or m.road_junction[road] >= 0:
                continue
            edge_section = m.road_section_start[road] if end == 0 else m.road_section_start[road + 1] - 1
            for row in range(m.section_lane_start[edge_section], m.section_lane_start[edge_section + 1]):
                if row in net.of_row:
                    ahead = forward(m, road, int(m.lane_id[row]))
                    _touch(net, int(m.road_link[road, end, 1]), net.of_row[row], ahead == (end == 1))
    for j in range(len(net.drive.junctions)):
        for c in range(m.junction_connection_start[j], m.junction_connection_start[j + 1]):
            for k in range(m.connection_link_start[c], m.connection_link_start[c + 1]):
                _connect(net, j, c, int(m.connection_link[k, 0]), int(m.connection_link[k, 1]), used)


def _incoming(net: Network, junction: int, road: int, lane_id: int) -> int:
    """Graph lane with that id that enters the junction from `road`; -1 if there is none."""
    m = net.drive.map
    for end in (0, 1):
        if m.road_link[road, end, 0] == 2 and m.road_link[road, end, 1] == junction:
            section = m.road_section_start[road] if end == 0 else m.road_section_start[road + 1] - 1
            row = int(m.section_center[section]) - lane_id
            inside = m.section_lane_start[section] <= row < m.section_lane_start[section + 1]
            if inside and row in net.of_row and forward(m, road, lane_id) == (end == 1):
                return net.of_row[row]
    return -1


def _connect(net: Network, j: int, c: int, from_id: int, to_id: int, used: dict[str, int]) -> None:
    m = net.drive.map
    source = _incoming(net, j, int(m.connection_incoming[c]), from_id)
    if source < 0 or net.lanes[source].kind not in ROLLING:
        return
    road, contact = int(m.connection_road[c]), int(m.connection_contact[c])
    ahead = contact == 0
    section = int(m.road_section_start[road] if ahead else m.road_section_start[road + 1] - 1)
    row = int(m.section_center[section]) - to_id
    if not m.section_lane_start[section] <= row < m.section_lane_start[section + 1]:
        return
    if net.drive.junctions[j].kind == "direct":
        if row in net.of_row:
            net.links.append(GraphLink(source, net.of_row[row], [], j))
        return
    rows, allow, kind = [row], 0, None
    while True:
        use = lane_use(net.drive, rows[-1], road)
        if use is None or use[0] not in ROLLING:
            return
        allow, kind = (use[1], use[0]) if kind is None else (allow & use[1], kind)
        onward = int(m.lane_link[rows[-1], 1 if ahead else 0])
        if onward < 0 or onward in rows:
            return
        if int(net.sections.road[m.lane_section[onward]]) != road:
            break
        rows.append(onward)
    if onward not in net.of_row:
        return
    # Every way through a junction is an edge of its own, so that lanes of an edge stay together.
    name = f":{net.drive.junctions[j].id}_{net.drive.road_ids[road]}"
    number = used.get(name, 0)
    used[name] = number + 1
    net.edges.append(GraphEdge(f"{name}.{number}" if number else name, start=j, end=j, internal=True))
    speed = lane_speed(net.drive, rows[0], road, LaneKind.INTERNAL)
    via = net.add_lane(len(net.edges) - 1, tuple(rows), LaneKind.INTERNAL, allow, speed)
    net.links.append(GraphLink(source, net.of_row[onward], [via], j, connecting=road))


def _close_ends(net: Network) -> None:
    """Give every loose end of an edge a dead-end node."""
    for edge in net.edges:
        for at_end in (False, True):
            if (edge.end if at_end else edge.start) >= 0:
                continue
            node = len(net.nodes)
            net.nodes.append(GraphNode(f"{edge.id}{'>' if at_end else '<'}", JunctionKind.DEAD_END))
            for lane in edge.lanes:
                _touch(net, node, lane, at_end)


def heading(points: F64, at_end: bool) -> float:
    """Heading of the first or last segment, rad."""
    a, b = (points[-2], points[-1]) if at_end else (points[0], points[1])
    return math.atan2(b[1] - a[1], b[0] - a[0])


def _direction(net: Network, link: GraphLink) -> LinkDirection:
    source, target = net.lanes[link.source].points, net.lanes[link.target].points
    turn = math.remainder(heading(target, False) - heading(source, True), 2 * math.pi)
    if abs(turn) > math.radians(160):
        return LinkDirection.TURN
    if abs(turn) < math.radians(25):
        return LinkDirection.STRAIGHT
    if turn > 0:
        return LinkDirection.LEFT if turn > math.radians(45) else LinkDirection.PART_LEFT
    return LinkDirection.RIGHT if turn < -math.radians(45) else LinkDirection.PART_RIGHT

"""Ways on foot on an OpenDRIVE map: crosswalk objects become crossing lanes, corners of junctions walking areas.

At every corner of a junction one walking area joins the sidewalk and the crosswalk of one leg with those of the next. Its line runs
through the ends of all four; who walks there goes straight from one to the other. Links lead as in SUMO: sidewalk that ends - area -
sidewalk that starts, and area - crosswalk both ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cloverleaf.map.conflict import conflict_areas
from cloverleaf.map.graph import JunctionKind, LaneKind, VehicleClass
from cloverleaf.map.io.opendrive_lanes import WALK_SPEED, GraphEdge, GraphLane, polyline_length
from cloverleaf.map.io.opendrive_links import GraphLink, Network
from cloverleaf.map.io.opendrive_signals import Group
from cloverleaf.map.opendrive.geometry import road_pose
from cloverleaf.map.opendrive.model import MapObject
from cloverleaf.map.polyline import polyline_columns
from cloverleaf.types.state import F64

AREA_WIDTH = 3.0  # m
LEG_ANGLE = math.radians(30)
"""Road ends whose directions differ less belong to one leg of a junction."""


@dataclass
class Crosswalk:
    """A crosswalk as a lane, with its junction (-1: on open road) and position of its light."""

    lane: int
    object_id: str
    junction: int
    signal: int = -1
    signal_index: int = -1


@dataclass
class CrossingRow:
    """A crossing lane over a link; interval in m on the link's internal path."""

    walk: Crosswalk
    link: int
    begin: float
    end: float


@dataclass
class _Leg:
    """One leg of a junction; sidewalks and crosswalks by side, clockwise (0) and anticlockwise (1) of its axis."""

    direction: F64  # unit vector away from the junction
    middle: F64
    sidewalks: tuple[list[_End], list[_End]]
    crossings: tuple[list[_End], list[_End]]


class _End(NamedTuple):
    """An end of a footway at a junction."""

    lane: int
    at_end: bool
    point: F64


def add_walks(net: Network, groups: list[Group]) -> list[Crosswalk]:
    """Append crossing and walking-area lanes; returns the crosswalks."""
    walks: list[Crosswalk] = []
    near = _junction_of_end(net)
    for thing in net.drive.objects:
        if thing.type != "crosswalk" and thing.name != "crosswalk":
            continue
        center, depth = _axis(net, thing)
        length = float(net.drive.map.road_length[thing.road])
        end = 1 if thing.s > 0.5 * length else 0
        at_end = abs(thing.s - (length if end else 0.0)) < 12.0
        junction = int(net.drive.map.road_junction[thing.road])
        if junction < 0 and at_end:
            junction = near.get((thing.road, end), -1)
        name = net.nodes[junction].id if junction >= 0 else net.drive.road_ids[thing.road]
        lane = _foot_lane(net, f":{name}_c{len(walks)}", LaneKind.CROSSING, junction, center, depth)
        walk = Crosswalk(lane, thing.id, junction)
        for g, group in enumerate(groups):
            for signal_id, index in group.walks.items():
                stem = signal_id.rsplit(".", 1)[0]
                if group.junction == junction and (signal_id == thing.id or thing.id.rsplit(".", 1)[0] == stem):
                    walk.signal, walk.signal_index = g, index
        walks.append(walk)
    for j, node in enumerate(net.nodes):
        if node.kind != JunctionKind.DEAD_END:
            _corners(net, j, [w for w in walks if w.junction == j])
    return walks


def _junction_of_end(net: Network) -> dict[tuple[int, int], int]:
    link = net.drive.map.road_link
    return {(r, e): int(link[r, e, 1]) for r in range(len(link)) for e in (0, 1) if link[r, e, 0] == 2}


def _axis(net: Network, thing: MapObject) -> tuple[F64, float]:
    """Centre line (2, 3) of a crosswalk across the road, and its depth along the road."""
    x, y, h, _ = road_pose(net.tables, thing.road, thing.s)
    x, y = x - thing.t * math.sin(h), y + thing.t * math.cos(h)
    if thing.outline and thing.outline_local:
        a = h + thing.heading
        corners = np.array(
            [[x + u * math.cos(a) - v * math.sin(a), y + u * math.sin(a) + v * math.cos(a)] for u, v in thing.outline]
        )
    elif thing.outline:
        placed = []
        for s, t in thing.outline:
            px, py, ph, _ = road_pose(net.tables, thing.road, s)
            placed.append([px - t * math.sin(ph), py + t * math.cos(ph)])
        corners = np.array(placed)
    else:
        a = h + thing.heading
        u, v = 0.5 * thing.length, 0.5 * thing.width
        local = [(-u, -v), (u, -v), (u, v), (-u, v)]
        corners = np.array(
            [[x + p * math.cos(a) - q * math.sin(a), y + p * math.sin(a) + q * math.cos(a)] for p, q in local]
        )
    # The walking direction is the axis of the outline that lies across the road, or simply its longer one.
    middle = corners.mean(axis=0)
    _, _, axes = np.linalg.svd(corners - middle)
    along, across = axes[0], axes[1]
    reach, depth = np.abs((corners - middle) @ along).max(), 2 * np.abs((corners - middle) @ across).max()
    ends = np.array([middle - reach * along, middle + reach * along])
    return np.column_stack((ends, np.zeros(2))), float(depth)


def _foot_lane(net: Network, edge_id: str, kind: LaneKind, junction: int, points: F64, width: float) -> int:
    edge = GraphEdge(edge_id, start=junction, end=junction, internal=True)
    net.edges.append(edge)
    length = polyline_length(points)
    lane = GraphLane((), kind, int(VehicleClass.PEDESTRIAN), WALK_SPEED, width, length, points, len(net.edges) - 1, 0)
    lane.id = f"{edge_id}_0"
    net.lanes.append(lane)
    edge.lanes.append(len(net.lanes) - 1)
    return len(net.lanes) - 1


def _corners(net: Network, j: int, walks: list[Crosswalk]) -> None:
    """Walking areas between neighbouring legs of junction j, linked with the footways that end there."""
    legs = _legs(net, j)
    lights = {w.lane: (w.signal, w.signal_index) for w in walks}
    for walk in walks:
        _attach(legs, walk.lane, net.lanes[walk.lane].points)
    count = 0
    for n, leg in enumerate(legs):
        after = legs[(n + 1) % len(legs)]
        ends = [*leg.sidewalks[1], *leg.crossings[1], *after.crossings[0], *after.sidewalks[0]]
        points = [ends[0].point] if ends else []
        for end in ends[1:]:
            if np.hypot(*(end.point - points[-1])[:2]) > 0.01:
                points.append(end.point)
        if len({e.lane for e in ends}) < 2:
            continue
        if len(points) < 2:
            points.append(points[0] + [0.01, 0.0, 0.0])
        area = _foot_lane(net, f":{net.nodes[j].id}_w{count}", LaneKind.WALKING_AREA, j, np.array(points), AREA_WIDTH)
        count += 1
        for end in ends:
            light = lights.get(end.lane, (-1, -1))
            crossing = end.lane in lights
            if crossing or end.at_end:
                net.links.append(GraphLink(end.lane, area, [], j))
            if crossing or not end.at_end:
                net.links.append(GraphLink(area, end.lane, [], j, signal=light[0], signal_index=light[1]))


def _legs(net: Network, j: int) -> list[_Leg]:
    """Legs of junction j anticlockwise, from the edges that start or end there."""
    ends = []
    for edge in net.edges:
        if edge.internal:
            continue
        for at_end, where in ((True, edge.end), (False, edge.start)):
            if where == j:
                ends.append((edge, at_end))
    legs: list[_Leg] = []
    for edge, at_end in ends:
        walk = next((i for i in edge.lanes if net.lanes[i].kind == LaneKind.SIDEWALK), -1)
        inner = net.lanes[edge.lanes[-1]].points
        tip, behind = (inner[-1], inner[-2]) if at_end else (inner[0], inner[1])
        away = (behind - tip)[:2] / max(float(np.hypot(*(behind - tip)[:2])), 1e-9)
        leg = next((other for other in legs if float(other.direction @ away) > math.cos(LEG_ANGLE)), None)
        if leg is None:
            leg = _Leg(away, tip.copy(), ([], []), ([], []))
            legs.append(leg)
        if walk >= 0:
            foot = net.lanes[walk].points[-1 if at_end else 0]
            offset = away[0] * (foot - tip)[1] - away[1] * (foot - tip)[0]
            leg.sidewalks[1 if offset > 0 else 0].append(_End(walk, at_end, foot))
    return sorted(legs, key=lambda leg: math.atan2(leg.direction[1], leg.direction[0]))


def _attach(legs: list[_Leg], lane: int, points: F64) -> None:
    """Give the two ends of a crosswalk to the leg that it crosses."""
    if not legs:
        return
    axis = points[-1, :2] - points[0, :2]
    axis = axis / max(float(np.hypot(*axis)), 1e-9)
    middle = 0.5 * (points[0] + points[-1])

    def misfit(leg: _Leg) -> float:
        return float(np.hypot(*(leg.middle - middle)[:2])) + 200.0 * abs(float(leg.direction @ axis))

    leg = min(legs, key=misfit)
    d = leg.direction
    for at_end, end in ((False, points[0]), (True, points[-1])):
        side = 1 if d[0] * (end[1] - middle[1]) - d[1] * (end[0] - middle[0]) > 0 else 0
        leg.crossings[side].append(_End(lane, at_end, end.copy()))


def crossing_rows(net: Network, walks: list[Crosswalk]) -> list[CrossingRow]:
    """Which links each crosswalk lies on, and where on their internal path."""
    found = []
    for walk in walks:
        for k, link in enumerate(net.links):
            if link.vias and link.junction == walk.junction and not net.edges[net.lanes[link.source].edge].internal:
                found.append((walk, k))
    if not found:
        return []
    xyz = np.concatenate([lane.points for lane in net.lanes])
    start = np.concatenate(([0], np.cumsum([len(lane.points) for lane in net.lanes]))).astype(np.int64)
    length = np.array([lane.length for lane in net.lanes])
    p = polyline_columns(start, xyz[:, 0].copy(), xyz[:, 1].copy(), xyz[:, 2].copy(), length)
    table = [(n, via, part) for n, (_, k) in enumerate(found) for part, via in enumerate(net.links[k].vias)]
    own = np.array([t[1] for t in table], np.int32)
    other = np.array([found[t[0]][0].lane for t in table], np.int32)
    depth = np.array([net.lanes[i].width for i in other])
    area = conflict_areas(p.start, p.x, p.y, p.s, own, other, 0.5 * depth)
    spans: dict[int, list[float]] = {}
    for (n, _, part), (begin, end, _, _) in zip(table, area):
        if begin <= end:
            before = sum(net.lanes[v].length for v in net.links[found[n][1]].vias[:part])
            spans.setdefault(n, []).extend((float(begin + before), float(end + before)))
    return [CrossingRow(found[n][0], found[n][1], min(v), max(v)) for n, v in sorted(spans.items())]

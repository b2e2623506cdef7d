"""Right of way on an OpenDRIVE map: conflict areas from geometry, who yields from signs, priorities and the rules of turning."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cloverleaf.map.conflict import conflict_areas
from cloverleaf.map.graph import JunctionKind, LaneKind, LinkDirection
from cloverleaf.map.io.opendrive_lanes import GraphEdge, GraphLane
from cloverleaf.map.io.opendrive_links import GraphLink, Network, heading
from cloverleaf.map.polyline import polyline_columns

SIDE_MARGIN = 0.5
"""m by which half the two lane widths are lessened: vehicles are narrower than lanes, so lanes side by side do not conflict."""
YIELD_SIGNS, STOP_SIGNS, PRIORITY_SIGNS = ("205",), ("206",), ("301", "306")
_LEFT = (LinkDirection.LEFT, LinkDirection.PART_LEFT, LinkDirection.TURN)
_RIGHT = (LinkDirection.RIGHT, LinkDirection.PART_RIGHT)


@dataclass
class Foe:
    """One conflict of a link: intervals in m on the two internal lanes."""

    link: int
    foe: int
    gives_way: bool
    own_lane: int
    own: tuple[float, float]
    other_lane: int
    other: tuple[float, float]


def link_ranks(net: Network) -> list[int]:
    """2 priority road, 1 nothing said, 0 yield, -1 stop, by link: from the signs on its incoming edge."""
    m = net.drive.map
    posted: dict[tuple[int, bool], int] = {}
    for s in net.drive.signals:
        if s.dynamic or s.reference:
            continue
        kind = s.type.split(".")[0]
        rank = 0 if kind in YIELD_SIGNS else -1 if kind in STOP_SIGNS else 2 if kind in PRIORITY_SIGNS else 1
        if rank == 1:
            continue
        key = (s.road, s.orientation != "-")
        near = s.s > m.road_length[s.road] - 40.0 if key[1] else s.s < 40.0
        if near:
            posted[key] = min(posted.get(key, rank), rank)
    high = {
        net.drive.road_ids.index(a): b for j in net.drive.junctions for a, b in j.priorities if a in net.drive.road_ids
    }
    ranks = []
    for link in net.links:
        row = net.lanes[link.source].rows[-1]
        road = int(net.sections.road[m.lane_section[row]])
        ahead = (m.lane_id[row] < 0) != bool(m.road_left_hand[road])
        rank = posted.get((road, bool(ahead)), 1)
        if net.edges[net.lanes[link.source].edge].roundabout and rank == 1:
            rank = 2
        if link.connecting in high:
            rank = max(rank, 2)
        ranks.append(rank)
    return ranks


def find_foes(net: Network, ranks: list[int]) -> list[Foe]:
    """All conflicts between links of one junction, both ways round, sorted by link."""
    by_node: dict[int, list[int]] = {}
    for k, link in enumerate(net.links):
        if link.vias:
            by_node.setdefault(link.junction, []).append(k)
    pairs = [(a, b) for ks in by_node.values() for a in ks for b in ks if a != b]
    pairs = [(a, b) for a, b in pairs if net.links[a].source != net.links[b].source]
    if not pairs:
        return []
    lanes = net.lanes
    length = np.array([lane.length for lane in lanes])
    start = np.concatenate(([0], np.cumsum([len(lane.points) for lane in lanes]))).astype(np.int64)
    xyz = np.concatenate([lane.points for lane in lanes])
    p = polyline_columns(start, xyz[:, 0].copy(), xyz[:, 1].copy(), xyz[:, 2].copy(), length)
    own = np.array([net.links[a].vias[0] for a, _ in pairs], np.int32)
    other = np.array([net.links[b].vias[0] for _, b in pairs], np.int32)
    width = np.array([lane.width for lane in lanes])
    clearance = np.maximum(0.5 * (width[own] + width[other]) - SIDE_MARGIN, 0.5)
    area = conflict_areas(p.start, p.x, p.y, p.s, own, other, clearance)
    index = {pair: n for n, pair in enumerate(pairs)}
    foes = []
    for n, (a, b) in enumerate(pairs):
        merge = net.links[a].target == net.links[b].target
        back = index[b, a]
        if area[n, 0] > area[n, 1] and not merge:
            continue
        ours, theirs = area[n], area[back]
        if merge:
            ours = np.array([min(ours[0], length[own[n]] - 0.5), length[own[n]], 0.0, 0.0])
            theirs = np.array([min(theirs[0], length[other[n]] - 0.5), length[other[n]], 0.0, 0.0])
        yields = gives_way(net, ranks, a, b)
        spans = (float(ours[0]), float(ours[1])), (float(theirs[0]), float(theirs[1]))
        foes.append(Foe(a, b, yields, int(own[n]), spans[0], int(other[n]), spans[1]))
    return foes


def gives_way(net: Network, ranks: list[int], a: int, b: int) -> bool:
    """True if link a gives way to link b: signs first, then turning, then who comes from the right; exactly one of two does."""
    if ranks[a] != ranks[b]:
        return ranks[a] < ranks[b]
    first, second = _turn_rank(net, a, b), _turn_rank(net, b, a)
    if first != second:
        return first < second
    return a > b


def _turn_rank(net: Network, a: int, b: int) -> int:
    """Standing of a against b by the rules of turning, higher goes first."""
    one, two = net.links[a], net.links[b]
    la, lb = net.lanes[one.source], net.lanes[two.source]
    angle = math.remainder(heading(lb.points, True) - heading(la.points, True), 2 * math.pi)
    left, right = one.direction in _LEFT, one.direction in _RIGHT
    if abs(angle) < math.radians(45):
        # Same approach: whoever turns across the other's way yields; riders going on keep theirs.
        return 0 if left or right else 2
    if abs(angle) > math.radians(135):
        # Oncoming: left yields to all, right to those going on.
        return 0 if left else 1 if right else 2
    if net.nodes[one.junction].kind == JunctionKind.SIGNAL:
        return 0 if left else 1 if right else 2
    # From the side: the one who comes from the right goes first; angle > 0 means the other comes from our right.
    return 0 if angle > 0 else 1


def mark_right_before_left(net: Network, ranks: list[int], foes: list[Foe]) -> None:
    """Junctions without signs whose links yield both ways are right-before-left; roundabouts are named as such."""
    ranks_at: dict[int, set[int]] = {}
    for foe in foes:
        ranks_at.setdefault(net.links[foe.link].junction, set()).update((ranks[foe.link], ranks[foe.foe]))
    for node, found in ranks_at.items():
        if net.nodes[node].kind == JunctionKind.PRIORITY and found == {1}:
            net.nodes[node].kind = JunctionKind.RIGHT_BEFORE_LEFT
        elif net.nodes[node].kind == JunctionKind.PRIORITY and found == {-1}:
            net.nodes[node].kind = JunctionKind.ALLWAY_STOP
        elif net.nodes[node].kind == JunctionKind.PRIORITY and -1 in found:
            net.nodes[node].kind = JunctionKind.PRIORITY_STOP
    for link in net.links:
        around = net.edges[net.lanes[link.source].edge].roundabout or net.edges[net.lanes[link.target].edge].roundabout
        if around and net.nodes[link.junction].kind == JunctionKind.PRIORITY:
            net.nodes[link.junction].kind = JunctionKind.ROUNDABOUT


def split_for_waiting(net: Network, foes: list[Foe], ranks: list[int]) -> None:
    """Cut the internal lane of links that turn left across oncoming traffic, so that one vehicle may wait inside the junction."""
    for k, link in enumerate(net.links):
        if link.direction not in _LEFT or len(link.vias) != 1 or ranks[k] < 1:
            continue
        if net.nodes[link.junction].kind not in (JunctionKind.SIGNAL, JunctionKind.PRIORITY):
            continue
        if net.lanes[link.source].kind == LaneKind.BICYCLE:
            continue
        mine = [f for f in foes if f.link == k]
        waits = [f.own[0] for f in mine if f.gives_way and _oncoming(net, link, net.links[f.foe])]
        lane = link.vias[0]
        cut = min(waits, default=0.0) - 0.3
        if cut < 5.0 or cut > net.lanes[lane].length - 2.0:
            continue
        _split(net, foes, k, lane, cut)


def _oncoming(net: Network, one: GraphLink, two: GraphLink) -> bool:
    a, b = heading(net.lanes[one.source].points, True), heading(net.lanes[two.source].points, True)
    return abs(math.remainder(a - b, 2 * math.pi)) > math.radians(135)


def _split(net: Network, foes: list[Foe], k: int, lane: int, cut: float) -> None:
    """Make the part of `lane` beyond `cut` a lane of its own and move the conflicts that lie there."""
    old = net.lanes[lane]
    step = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(old.points[:, :2], axis=0).T))))
    at = np.array([np.interp(cut, step, old.points[:, i]) for i in range(3)])
    first = np.concatenate((old.points[step < cut - 0.01], at[None]))
    second = np.concatenate((at[None], old.points[step > cut + 0.01]))
    node = net.links[k].junction
    edge = GraphEdge(f"{net.edges[old.edge].id}w{old.index}", start=node, end=node, internal=True)
    net.edges.append(edge)
    new = GraphLane(
        old.rows, old.kind, old.allow, old.speed, old.width, old.length - cut, second, len(net.edges) - 1, 0
    )
    new.id = f"{edge.id}_0"
    old.points, old.length = first, cut
    net.lanes.append(new)
    edge.lanes.append(len(net.lanes) - 1)
    net.links[k].vias.append(len(net.lanes) - 1)
    net.links[k].cont = True
    for f in foes:
        if f.link == k and f.own_lane == lane:
            f.own_lane, f.own = _moved(f.own, cut, lane, len(net.lanes) - 1)
        if f.foe == k and f.other_lane == lane:
            f.other_lane, f.other = _moved(f.other, cut, lane, len(net.lanes) - 1)


def _moved(span: tuple[float, float], cut: float, lane: int, new: int) -> tuple[int, tuple[float, float]]:
    """An interval after the cut: on the part that holds most of it."""
    if span[1] - cut > cut - span[0]:
        return new, (max(span[0] - cut, 0.0), span[1] - cut)
    return lane, (span[0], min(span[1], cut))

"""How lanes and roads hang together: onward lanes at both ends of every lane, and distances between roads."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from cloverleaf.map.opendrive.geometry import road_pose
from cloverleaf.map.opendrive.model import LANE_TYPES, OpenDriveMap
from cloverleaf.map.opendrive.tables import MapTables
from cloverleaf.types.state import F64, I64

N_ROW, N_CONTACT, N_ROAD = range(3)  # columns of `onward`
MOST_ROADS = 3000
"""Beyond this number of roads the table of distances would not fit; the hops between roads then count as unknown."""


class RoadNetwork(NamedTuple):
    """Links of L lanes and R roads. `start` is indexed by 2 * lane row + end (0 where its section begins, 1 where it ends).

    `hop[2 a + i, 2 b + k]` is the length (m) of the roads between leaving road a at its end i and entering b at its end k, both not
    counted; inf where no lane leads there.
    """

    start: I64  # (2 L + 1,)
    onward: I64  # (links, 3) lane row, the end by which it is entered, road row
    turn: F64  # (links,) rad, change of heading from here to the far end of the onward road
    section_end: F64  # (S,) m
    edge: I64  # (S, 2) lane rows at the left and right edge of the road: the outermost lanes of a type other than none
    hop: F64  # (2 R, 2 R)


def road_network(m: OpenDriveMap, tables: MapTables) -> RoadNetwork:
    """Collect the links of a map."""
    lanes, roads = len(m.lane_id), len(m.road_length)
    section_road = np.repeat(np.arange(roads), np.diff(m.road_section_start))
    section_end = np.append(m.section_s[1:], 0.0)
    section_end[m.road_section_start[1:] - 1] = m.road_length
    found: list[list[tuple[int, int]]] = [[] for _ in range(2 * lanes)]
    for row in range(lanes):
        if m.lane_id[row] == 0:
            continue
        section, road = int(m.lane_section[row]), int(section_road[m.lane_section[row]])
        for end in (0, 1):
            target = int(m.lane_link[row, end])
            inside = m.road_section_start[road] <= section + 2 * end - 1 < m.road_section_start[road + 1]
            kind, other, contact = (int(v) for v in m.road_link[road, end])
            if inside:
                target = target if target >= 0 else _same_lane(m, section + 2 * end - 1, int(m.lane_id[row]))
                contact = 1 - end
            elif kind == 2:
                found[2 * row + end] += _through_junction(m, road, other, int(m.lane_id[row]))
                continue
            elif kind == 0:
                continue
            elif target < 0:
                id_there = int(m.lane_id[row]) * (1 if contact != end else -1)
                edge = m.road_section_start[other] if contact == 0 else m.road_section_start[other + 1] - 1
                target = _same_lane(m, int(edge), id_there)
            if target >= 0:
                found[2 * row + end].append((target, contact))
    start = np.concatenate(([0], np.cumsum([len(f) for f in found]))).astype(np.int64)
    flat = [(row, contact, int(section_road[m.lane_section[row]])) for f in found for row, contact in f]
    onward = np.array(flat, np.int64).reshape(-1, 3)
    owner = np.repeat(np.arange(2 * lanes), np.diff(start))
    own_road = section_road[m.lane_section[owner >> 1]] if lanes else np.zeros(0, np.int64)
    turn = np.array(
        [_turn(m, tables, int(own_road[k]), int(owner[k] & 1), flat[k]) for k in range(len(flat))], np.float64
    )
    return RoadNetwork(start, onward, turn, section_end, _edges(m), _hops(m, own_road, owner & 1, onward))


def _edges(m: OpenDriveMap) -> I64:
    out = np.column_stack((m.section_center, m.section_center)).astype(np.int64)
    none = LANE_TYPES.index("none")
    for section in range(len(m.section_s)):
        rows = np.arange(m.section_lane_start[section], m.section_lane_start[section + 1])
        used = rows[(m.lane_type[rows] != none) & (m.lane_id[rows] != 0)]
        if len(used):
            out[section] = min(used[0], m.section_center[section]), max(used[-1], m.section_center[section])
    return out


def _same_lane(m: OpenDriveMap, section: int, lane_id: int) -> int:
    row = int(m.section_center[section]) - lane_id
    return row if m.section_lane_start[section] <= row < m.section_lane_start[section + 1] else -1


def _through_junction(m: OpenDriveMap, road: int, junction: int, lane_id: int) -> list[tuple[int, int]]:
    out = []
    for c in range(m.junction_connection_start[junction], m.junction_connection_start[junction + 1]):
        if m.connection_incoming[c] != road:
            continue
        other, contact = int(m.connection_road[c]), int(m.connection_contact[c])
        edge = m.road_section_start[other] if contact == 0 else m.road_section_start[other + 1] - 1
        for a, b in m.connection_link[m.connection_link_start[c] : m.connection_link_start[c + 1]]:
            row = _same_lane(m, int(edge), int(b)) if int(a) == lane_id else -1
            if row >= 0:
                out.append((row, contact))
    return out


def _turn(m: OpenDriveMap, tables: MapTables, road: int, end: int, link: tuple[int, int, int]) -> float:
    _, contact, other = link
    if other == road:
        return 0.0
    here = road_pose(tables, road, float(m.road_length[road]) if end else 0.0)[2] + (0.0 if end else math.pi)
    far = road_pose(tables, other, 0.0 if contact else float(m.road_length[other]))[2] + (math.pi if contact else 0.0)
    return math.remainder(far - here, 2.0 * math.pi)


def _hops(m: OpenDriveMap, road: I64, end: I64, onward: I64) -> F64:
    nodes = 2 * len(m.road_length)
    if len(m.road_length) > MOST_ROADS:
        return np.full((nodes, nodes), np.inf) if nodes < 1 else np.full((1, 1), np.inf)
    # a node is a road left by one of its ends; entering by end k means to leave by the other
    leave = 2 * onward[:, N_ROAD] + 1 - onward[:, N_CONTACT]
    between = onward[:, N_ROAD] != road if len(onward) else np.zeros(0, bool)
    pairs = {(int(a), int(b)) for a, b in zip((2 * road + end)[between], leave[between])}
    if not pairs:
        return np.full((nodes, nodes), np.inf)
    a, b = np.array(sorted(pairs)).T
    length = np.repeat(m.road_length, 2)
    graph = csr_matrix((np.maximum(length[b], 1e-9), (a, b)), shape=(nodes, nodes))
    through = np.full((nodes, nodes), np.inf)
    through[a, b] = 0.0
    reach = dijkstra(graph)
    np.fill_diagonal(reach, np.inf)
    through = np.minimum(through, reach - length[None, :])
    entered = np.arange(nodes) ^ 1  # left by one end, entered by the other
    return np.ascontiguousarray(through[:, entered])


def empty_network() -> RoadNetwork:
    """The network of a scenario without roads."""
    none = np.zeros((0, 3), np.int64)
    return RoadNetwork(
        np.zeros(1, np.int64), none, np.zeros(0), np.zeros(0), none[:, :2].copy(), np.full((1, 1), np.inf)
    )

"""Shortest ways on foot over sidewalks, walking areas and crossings."""

from __future__ import annotations

import heapq

import numpy as np

from cloverleaf.map.graph import LaneGraph, LaneKind, VehicleClass
from cloverleaf.types.state import I32


class FootGraph:
    """Footways of a map. Nodes are walking areas and the bare ends of footways; people walk both ways on every lane."""

    def __init__(self, graph: LaneGraph) -> None:
        self.graph = graph
        self._node_of_end: dict[tuple[int, int], int] = {}  # (lane, 0 start | 1 end) -> node
        self._ways: dict[int, list[tuple[int, int, float]]] = {}  # node -> (node, lane or -1, m)
        self._paths: dict[tuple[int, int, float, float], I32] = {}
        self.lane_of_edge = self._footways()
        self._connect()

    def path(self, origin: int, goal: int, depart_pos: float, arrival_pos: float) -> I32:
        """Lanes from `origin` edge to `goal` edge, both included; positions in m; empty where no way leads there."""
        key = (origin, goal, depart_pos, arrival_pos)
        if key not in self._paths:
            self._paths[key] = self._search(*key)
        return self._paths[key]

    def _footways(self) -> I32:
        """First lane of each normal edge that people may use; shape (E,), -1 none."""
        g = self.graph
        usable = (g.lane_allow & np.uint32(VehicleClass.PEDESTRIAN)) != 0
        usable &= g.edge_internal[g.lane_edge] == 0
        found = np.full(len(g.edge_internal), -1, np.int32)
        for lane in np.flatnonzero(usable)[::-1]:
            found[g.lane_edge[lane]] = lane
        return found

    def _connect(self) -> None:
        g = self.graph
        foot = {int(lane) for lane in self.lane_of_edge if lane >= 0}
        area, crossing = int(LaneKind.WALKING_AREA), int(LaneKind.CROSSING)
        kinds, bare = g.lane_kind, []
        ends_of_crossing: dict[int, list[int]] = {}
        for a, b in zip(g.link_from.tolist(), g.link_to.tolist()):
            if kinds[a] == area and b in foot:
                self._node_of_end[b, 0] = a
            elif a in foot and kinds[b] == area:
                self._node_of_end[a, 1] = b
            elif kinds[a] == crossing or kinds[b] == crossing:
                lane, node = (a, b) if kinds[a] == crossing else (b, a)
                ends_of_crossing.setdefault(lane, []).append(node)
            elif a in foot and b in foot:
                bare.append((a, b))
        for lane in sorted(foot):
            self._join(self._end(lane, 0), self._end(lane, 1), lane, float(g.lane_length[lane]))
        for lane, nodes in sorted(ends_of_crossing.items()):
            for node in nodes[1:]:
                self._join(nodes[0], node, lane, float(g.lane_length[lane]))
        for a, b in bare:
            self._join(self._end(a, 1), self._end(b, 0), -1, 0.0)

    def _end(self, lane: int, end: int) -> int:
        return self._node_of_end.setdefault((lane, end), -(2 * lane + end) - 1)

    def _join(self, a: int, b: int, lane: int, length: float) -> None:
        self._ways.setdefault(a, []).append((b, lane, length))
        self._ways.setdefault(b, []).append((a, lane, length))

    def _search(self, origin: int, goal: int, depart_pos: float, arrival_pos: float) -> I32:
        start, target = int(self.lane_of_edge[origin]), int(self.lane_of_edge[goal])
        if start < 0 or target < 0:
            return np.zeros(0, np.int32)
        if start == target:
            return np.array([start], np.int32)
        length = self.graph.lane_length
        leave = {0: depart_pos, 1: float(length[start]) - depart_pos}
        reach = {self._end(target, 0): arrival_pos, self._end(target, 1): float(length[target]) - arrival_pos}
        heap = [(cost, self._end(start, end), (start,)) for end, cost in leave.items()]
        heapq.heapify(heap)
        done: set[int] = set()
        best: tuple[float, tuple[int, ...]] = (np.inf, ())
        while heap:
            cost, node, path = heapq.heappop(heap)
            if cost >= best[0]:
                break
            if node in done:
                continue
            done.add(node)
            here = (*path, node) if node >= 0 and path[-1] != node else path
            if node in reach and cost + reach[node] < best[0]:
                best = (cost + reach[node], (*here, target))
            for other, lane, metres in self._ways.get(node, ()):
                if other not in done:
                    heapq.heappush(heap, (cost + metres, other, (*here, lane) if lane >= 0 else here))
        return np.array(best[1], np.int32)

"""Shortest routes over edges: free-flow travel time, lane-level connections, permissions of the vehicle class.

Costs follow SUMO's defaults so that trips take the same way: an edge costs length / min(its limit x speed factor, the
vehicle's top speed), a turn costs the same over its internal lanes plus `MINOR_PENALTY` where it gives way without a signal.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.demand import Routes
from cloverleaf.types.errors import DemandError
from cloverleaf.types.state import F64, I32, I64, U8, U32

MINOR_PENALTY = 1.5
"""s, SUMO's `weights.minor-penalty` default."""

_MAJOR = frozenset(ord(c) for c in "MGO")


class TurnGraph(NamedTuple):
    """Turns from edge to edge, sorted by `from`, one row per link; T turns, E edges."""

    start: I64  # (E + 1,) into turn columns
    target: I32  # (T,) edge reached
    link: I32  # (T,) link of the lane graph
    allow: U32  # (T,) classes that the lanes at both ends permit
    penalty: F64  # (T,) s
    via_start: I64  # (T + 1,) into via
    via: I32  # internal lanes


class Costs(NamedTuple):
    """What a kind of vehicle pays; inf bars the way."""

    edge: F64  # (E,) s
    turn: F64  # (T,) s


class Scratch(NamedTuple):
    """Working arrays of `shortest_tree`, one row per edge; the heap has room for one entry per turn and one more."""

    cost: F64  # best known cost up to the start of the edge
    turn: I32  # turn by which it is reached
    settled: U8
    heap_cost: F64
    heap_edge: I32


def turn_graph(graph: LaneGraph) -> TurnGraph:
    """Turns of normal edges. Links onto crossings and walking areas are no turns."""
    g = graph
    origin, target = g.lane_edge[g.link_from], g.lane_edge[g.link_to]
    keep = (g.edge_internal[origin] == 0) & (g.edge_internal[target] == 0)
    links = np.flatnonzero(keep)
    links = links[np.argsort(origin[links], kind="stable")].astype(np.int32)
    minor = np.array([state not in _MAJOR for state in g.link_state], bool) & (g.link_signal < 0)
    via, via_start, penalty = [], [0], []
    for k in links:
        link, waits = int(k), 0.0
        while g.link_via[link] >= 0:
            # A turn that waits again at an internal junction pays again.
            waits += MINOR_PENALTY if minor[link] else 0.0
            lane = int(g.link_via[link])
            via.append(lane)
            if g.lane_link_start[lane] == g.lane_link_start[lane + 1]:
                break
            link = int(g.lane_link_start[lane])
        via_start.append(len(via))
        penalty.append(waits)
    return TurnGraph(
        start=np.searchsorted(origin[links], np.arange(len(g.edge_internal) + 1)).astype(np.int64),
        target=target[links].astype(np.int32),
        link=links.astype(np.int32),
        allow=(g.lane_allow[g.link_from[links]] & g.lane_allow[g.link_to[links]]).astype(np.uint32),
        penalty=np.array(penalty, float),
        via_start=np.array(via_start, np.int64),
        via=np.array(via, np.int32),
    )


@kernel
def _before(cost_a, edge_a, cost_b, edge_b):
    """Order of the heap: by cost, then by edge, so that ties do not depend on the order of insertion."""
    return cost_a < cost_b or (cost_a == cost_b and edge_a < edge_b)


@kernel
def _push(s, size, cost, edge):
    i = size
    while i > 0:
        up = (i - 1) // 2
        if not _before(cost, edge, s.heap_cost[up], s.heap_edge[up]):
            break
        s.heap_cost[i] = s.heap_cost[up]
        s.heap_edge[i] = s.heap_edge[up]
        i = up
    s.heap_cost[i] = cost
    s.heap_edge[i] = edge
    return size + 1


@kernel
def _pop(s, size):
    """Remove the first entry; returns the new size. The caller has read entry 0."""
    size -= 1
    cost, edge = s.heap_cost[size], s.heap_edge[size]
    i = 0
    while 2 * i + 1 < size:
        c = 2 * i + 1
        if c + 1 < size and _before(s.heap_cost[c + 1], s.heap_edge[c + 1], s.heap_cost[c], s.heap_edge[c]):
            c += 1
        if not _before(s.heap_cost[c], s.heap_edge[c], cost, edge):
            break
        s.heap_cost[i] = s.heap_cost[c]
        s.heap_edge[i] = s.heap_edge[c]
        i = c
    s.heap_cost[i] = cost
    s.heap_edge[i] = edge
    return size


@kernel
def shortest_tree(turns, costs, source, goal, s):
    """Dijkstra from the start of edge `source`; stops when `goal` (-1: never) is settled. Fills s.cost and s.turn."""
    for e in range(s.cost.shape[0]):
        s.cost[e] = np.inf
        s.turn[e] = -1
        s.settled[e] = 0
    if costs.edge[source] == np.inf:
        return
    s.cost[source] = 0.0
    size = _push(s, 0, 0.0, source)
    while size > 0:
        edge = s.heap_edge[0]
        size = _pop(s, size)
        if s.settled[edge]:
            continue
        s.settled[edge] = 1
        if edge == goal:
            return
        leave = s.cost[edge] + costs.edge[edge]
        for t in range(turns.start[edge], turns.start[edge + 1]):
            to = turns.target[t]
            arrive = leave + costs.turn[t]
            if s.settled[to] == 0 and costs.edge[to] < np.inf and arrive < s.cost[to]:
                s.cost[to] = arrive
                s.turn[to] = t
                size = _push(s, size, arrive, to)


class Router:
    """Routes over one lane graph. Deterministic: ties go to the lower edge and the lower link."""

    def __init__(self, graph: LaneGraph) -> None:
        self.graph = graph
        self.turns = turn_graph(graph)
        edges, turns = len(graph.edge_internal), len(self.turns.target)
        owner = np.repeat(np.arange(edges, dtype=np.int32), np.diff(self.turns.start))
        self._owner = owner
        self._scratch = Scratch(
            np.zeros(edges),
            np.zeros(edges, np.int32),
            np.zeros(edges, np.uint8),
            np.zeros(turns + 1),
            np.zeros(turns + 1, np.int32),
        )
        first = graph.edge_lane_start[:-1]
        self._edge_length = graph.lane_length[first]
        self._edge_speed = graph.lane_speed[first]
        self._edge_allow = np.bitwise_or.reduceat(graph.lane_allow, first)
        self._edge_allow[graph.edge_internal == 1] = 0

    def costs(self, vclass: int, max_speed: float = np.inf, speed_factor: float = 1.0) -> Costs:
        """Free-flow costs of a vehicle class (bits of VehicleClass); speeds m/s."""
        allowed = (self._edge_allow & np.uint32(vclass)) != 0
        edge = self._edge_length / np.minimum(self._edge_speed * speed_factor, max_speed)
        return self.turn_costs(np.where(allowed, edge, np.inf), vclass, max_speed, speed_factor)

    def turn_costs(self, edge: F64, vclass: int, max_speed: float = np.inf, speed_factor: float = 1.0) -> Costs:
        """Costs with given times (E,) s of the edges, for rerouting in traffic; turns at free flow."""
        g, t = self.graph, self.turns
        time = g.lane_length[t.via] / np.minimum(g.lane_speed[t.via] * speed_factor, max_speed)
        total = np.concatenate(([0.0], np.cumsum(time)))
        turn = total[t.via_start[1:]] - total[t.via_start[:-1]] + t.penalty
        return Costs(np.asarray(edge, float), np.where((t.allow & np.uint32(vclass)) != 0, turn, np.inf))

    def route(self, origin: int, goal: int, costs: Costs) -> I32:
        """Edges from `origin` to `goal`, both included; empty where no way leads there."""
        shortest_tree(self.turns, costs, np.int32(origin), np.int32(goal), self._scratch)
        return self._trace(origin, goal)

    def routes(self, origin: I32, goal: I32, costs: Costs) -> Routes:
        """One route per pair, shapes (n,); pairs without a way get an empty row. One search per distinct origin."""
        found: list[I32] = [np.zeros(0, np.int32)] * len(origin)
        order = np.argsort(origin, kind="stable")
        last = -1
        for i in order:
            if origin[i] != last:
                last = int(origin[i])
                shortest_tree(self.turns, costs, np.int32(last), np.int32(-1), self._scratch)
            found[i] = self._trace(last, int(goal[i]))
        start = np.concatenate(([0], np.cumsum([len(r) for r in found]))).astype(np.int64)
        edge = np.concatenate(found) if found else np.zeros(0, np.int32)
        return Routes(start, edge.astype(np.int32))

    def through(self, stations: list[int], costs: Costs) -> I32:
        """Edges over all `stations` (origin, via edges, goal) in order; empty where a leg has no way."""
        legs = [self.route(a, b, costs) for a, b in pairwise(stations)]
        if any(len(leg) == 0 for leg in legs):
            return np.zeros(0, np.int32)
        return np.concatenate([legs[0], *(leg[1:] for leg in legs[1:])])

    def connected(self, edges: I32, vclass: int) -> int:
        """Index of the first edge of the sequence that a vehicle of the class cannot go on to; -1 if it can go all the way."""
        for i in range(len(edges)):
            if not self._edge_allow[edges[i]] & vclass:
                return i
            if i > 0:
                rows = slice(self.turns.start[edges[i - 1]], self.turns.start[edges[i - 1] + 1])
                if not (
                    (self.turns.target[rows] == edges[i]) & ((self.turns.allow[rows] & np.uint32(vclass)) != 0)
                ).any():
                    return i
        return -1

    def length(self, edges: I32) -> float:
        """Length of a route in m: its edges and the shortest internal way between each two."""
        total = float(self._edge_length[edges].sum())
        for a, b in pairwise(edges):
            rows = range(int(self.turns.start[a]), int(self.turns.start[a + 1]))
            total += min(
                (self.graph.link_length[self.turns.link[t]] for t in rows if self.turns.target[t] == b), default=0.0
            )
        return total

    def _trace(self, origin: int, goal: int) -> I32:
        if not np.isfinite(self._scratch.cost[goal]):
            return np.zeros(0, np.int32)
        path = [goal]
        while path[-1] != origin:
            path.append(int(self._owner[self._scratch.turn[path[-1]]]))
            if len(path) > len(self._owner) + 1:
                raise DemandError("the search left a circle in its tree")
        return np.array(path[::-1], np.int32)

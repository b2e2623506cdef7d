"""The busiest corridor of a study, and the trajectories along it for a time-space diagram."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np

from cloverleaf.map.graph import BaseMap, LaneGraph, LaneKind
from cloverleaf.study.arms import Strip
from cloverleaf.types.demand import Demand
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import Actors, Control, Kind

PERIOD = 1.0  # s between samples
MAX_SAMPLES = 120_000
MAX_LENGTH = 2500.0  # m
SIGNAL_INTEREST = 5.0  # an edge before a signal is worth so many without
FOLLOW_SHARE = 0.25  # the corridor goes on while this share of its busiest edge's trips does


def busiest_corridor(graph: LaneGraph, demand: Demand) -> list[int]:
    """Edges of the corridor, in driving order: from a busy edge before a signal, forwards and backwards along most trips."""
    start, edge = demand.routes.start, demand.routes.edge
    weight = np.bincount(demand.trips.route, minlength=len(start) - 1)
    load: Counter[int] = Counter()
    turns: Counter[tuple[int, int]] = Counter()
    for r in np.flatnonzero(weight):
        row = edge[start[r] : start[r + 1]].tolist()
        for e in row:
            load[e] += int(weight[r])
        for pair in itertools.pairwise(row):
            turns[pair] += int(weight[r])
    if not load:
        return []
    length = graph.lane_length[graph.edge_lane_start[:-1]]
    signalled = set(graph.lane_edge[graph.link_from[graph.link_signal >= 0]].tolist())

    def interest(e: int) -> float:
        """Traffic, on a long edge rather than a stub, before a signal rather than on open road."""
        return load[e] * min(float(length[e]), 300.0) * (SIGNAL_INTEREST if e in signalled else 1.0)

    seed = max(sorted(load), key=interest)
    chain, total = [seed], float(length[seed])
    for forwards in (True, False):
        while total < MAX_LENGTH:
            end = chain[-1] if forwards else chain[0]
            steps = {(b if forwards else a): n for (a, b), n in turns.items() if (a if forwards else b) == end}
            steps = {e: n for e, n in steps.items() if e not in chain}
            if not steps:
                break
            best = max(sorted(steps), key=lambda e: steps[e])
            if steps[best] < FOLLOW_SHARE * load[seed]:
                break
            chain = [*chain, best] if forwards else [best, *chain]
            total += float(length[best])
    return chain


class ArterialRecorder:
    """Samples positions along the corridor once a second, and when its signals show red."""

    def __init__(self, base_map: BaseMap, demand: Demand) -> None:
        graph = base_map.graph
        chain = busiest_corridor(graph, demand)
        self._offset = np.full(len(graph.lane_length), np.nan)
        self._heads: list[tuple[float, int, int]] = []  # m, group, index
        place = 0.0
        for edge, following in zip(chain, [*chain[1:], -1], strict=True):
            lanes = slice(int(graph.edge_lane_start[edge]), int(graph.edge_lane_start[edge + 1]))
            self._offset[lanes] = place
            place += float(graph.lane_length[lanes].max())
            place += self._cross(graph, edge, following, place)
        self.length, self.edges = place, tuple(chain)
        name = base_map.edge_ids[chain[0]] if chain else ""
        self.title = f"{len(chain)} edges from {name}" if chain else "no traffic"
        self._samples: list[np.ndarray] = []
        self._count = 0
        self._next = -np.inf
        self._red_since = [np.nan] * len(self._heads)
        self._red: list[tuple[float, float, float]] = []

    def _cross(self, graph: LaneGraph, edge: int, following: int, place: float) -> float:
        """Book the internal lanes between two edges and the signal at the stop line; returns the metres across."""
        across, seen = 0.0, False
        for lane in range(graph.edge_lane_start[edge], graph.edge_lane_start[edge + 1]):
            for k in range(graph.lane_link_start[lane], graph.lane_link_start[lane + 1]):
                if graph.lane_edge[graph.link_to[k]] != following:
                    continue
                across = max(across, float(graph.link_length[k]))
                if graph.link_signal[k] >= 0 and not seen:
                    seen = True
                    self._heads.append((place, int(graph.link_signal[k]), int(graph.link_signal_index[k])))
                via, at = int(graph.link_via[k]), place
                while via >= 0 and graph.lane_kind[via] == LaneKind.INTERNAL:
                    self._offset[via] = at
                    at += float(graph.lane_length[via])
                    out = graph.lane_link_start[via]
                    via = int(graph.link_via[out]) if out < graph.lane_link_start[via + 1] else -1
        return across

    def see(self, time: float, actors: Actors, signals: SignalState) -> None:
        """Sample one tick if a second has passed."""
        if time + 1e-9 < self._next:
            return
        self._next = time + PERIOD
        for i, (place, group, index) in enumerate(self._heads):
            red = chr(signals.light[signals.start[group] + index]) in "ru"
            if red and np.isnan(self._red_since[i]):
                self._red_since[i] = time
            elif not red and not np.isnan(self._red_since[i]):
                self._red.append((place, self._red_since[i], time))
                self._red_since[i] = np.nan
        if self._count >= MAX_SAMPLES:
            return
        rows = np.flatnonzero((actors.trip >= 0) & (actors.lane >= 0) & (actors.kind != Kind.PEDESTRIAN))
        position = self._offset[actors.lane[rows]] + actors.s[rows]
        keep = np.isfinite(position)
        rows, position = rows[keep], position[keep]
        smart = actors.control[rows] == Control.SMART
        self._samples.append(
            np.stack([actors.trip[rows].astype(float), np.full(len(rows), time), position, smart.astype(float)])
        )
        self._count += len(rows)

    def strip(self, end: float) -> Strip:
        """What was sampled up to `end` s."""
        table = np.concatenate(self._samples, axis=1) if self._samples else np.zeros((4, 0))
        red = [
            *self._red,
            *((p[0], since, end) for p, since in zip(self._heads, self._red_since, strict=True) if not np.isnan(since)),
        ]
        trip = table[0].astype(np.int64)
        stops = tuple(h[0] for h in self._heads)
        return Strip(self.title, self.length, trip, table[1], table[2], table[3] > 0, stops, tuple(red), self.edges)

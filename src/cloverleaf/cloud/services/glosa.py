"""Speed advice for every connected car that approaches a signal whose timing is known, behind the queue that waits there."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.apps.glosa import advise
from cloverleaf.cloud.approach import Approaches
from cloverleaf.cloud.services import Answer
from cloverleaf.cloud.twin import Tracks, Twin
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import CLOUD_STATION, AdviceBatch
from cloverleaf.types.state import Kind

RANGE_M = 500.0
SMOOTHING = 0.35
"""Share of a new target speed that enters the advice per run, so that a car is not asked to hunt."""
SPAT_LIFE = 1.5
"""s after which a heard signal state is not trusted any more."""
VALID_S = 2.0


@kernel
def place(approach: Approaches, lane_length, lane, s, usable, link, distance):
    """Next signalled link and distance to its stop line of every track; link -1 where none. Shape (n,)."""
    for i in range(len(lane)):
        link[i] = -1
        distance[i] = 0.0
        if usable[i] != 0 and lane[i] >= 0:
            link[i] = approach.link[lane[i]]
            distance[i] = lane_length[lane[i]] - s[i] + approach.beyond[lane[i]]


@kernel
def count_queue(order, link_from, link, distance, speed, ahead):
    """Vehicles slower than 3 m/s between each track and its stop line, on the same approach lane. `order`: by lane, distance."""
    queued = 0.0
    last = -1
    for q in range(len(order)):
        i = order[q]
        if link[i] < 0:
            ahead[i] = 0.0
            continue
        lane = link_from[link[i]]
        if lane != last:
            queued = 0.0
            last = lane
        ahead[i] = queued
        if speed[i] < 3.0 and distance[i] > -5.0:
            queued += 1.0


@kernel
def advise_all(t, link, distance, ahead, limit, head, light, heard, likely_end, next_light, next_end, out):
    """Target speed of every track in m/s, -1 none; `head` is the signal head of a track's link, shape (n,)."""
    for i in range(len(link)):
        out[i] = -1.0
        h = head[i]
        if link[i] < 0 or h < 0 or distance[i] < 5.0 or distance[i] > 500.0:
            continue
        if not (t - heard[h] <= 1.5) or not (likely_end[h] >= t - 1.0):
            continue
        green = 1 if 4 <= light[h] <= 6 else 0
        after = 4 <= next_light[h] <= 6
        begin = likely_end[h] if green == 0 and after else np.nan
        close = next_end[h] if green == 0 and after else np.nan
        if green == 0 and after and not (close > begin):
            close = begin + 8.0  # a green of unknown length lasts at least so long
        out[i] = advise(distance[i], limit[i], t, green, likely_end[h], begin, close, ahead[i])


class Glosa:
    """Green light optimal speed advisory from the cloud."""

    name = "glosa"
    deadline = 0.5
    interval = 0.5

    def __init__(self, base_map: BaseMap) -> None:
        self.graph = base_map.graph
        self._advised: dict[int, float] = {}

    def step(self, twin: Twin, t: float) -> Answer:
        """Advice to connected cars within 500 m of a signal."""
        tracks, graph, lights = twin.tracks, self.graph, twin.signals
        n = len(tracks.x)
        link, distance = np.zeros(n, np.int32), np.zeros(n)
        motor = (tracks.kind != Kind.PEDESTRIAN) & (tracks.kind != Kind.BICYCLE) & (tracks.kind != Kind.EBIKE)
        usable = ((tracks.shadow == 0) & motor).astype(np.uint8)
        place(twin.approaches, graph.lane_length, tracks.lane, tracks.s, usable, link, distance)
        from_lane = np.where(link >= 0, graph.link_from[link], -1)
        ahead, target = np.zeros(n), np.zeros(n)
        order = np.lexsort((distance, from_lane))
        count_queue(order, graph.link_from, link, distance, tracks.speed, ahead)
        limit = np.where(link >= 0, twin.approaches.limit[np.maximum(tracks.lane, 0)], 0.0)
        group = graph.link_signal[link]
        head = np.where(link >= 0, lights.start[group] + graph.link_signal_index[link], -1)
        advise_all(
            np.float64(t), link, distance, ahead, limit, head, lights.light, lights.time, lights.likely_end,
            lights.next_light, lights.next_end, target,
        )  # fmt: skip
        rows = np.flatnonzero((tracks.station >= 0) & (target > 0.0))
        return Answer(advice=self._smooth(tracks, rows, target, link, t))

    def _smooth(self, tracks: Tracks, rows: np.ndarray, target: np.ndarray, link: np.ndarray, t: float) -> AdviceBatch:
        stations = tracks.station[rows].tolist()
        fresh: dict[int, float] = {}
        for station, wish, speed in zip(stations, target[rows].tolist(), tracks.speed[rows].tolist()):
            before = self._advised.get(station, max(speed, wish) if wish > speed else wish)
            fresh[station] = before + SMOOTHING * (wish - before)
        self._advised = fresh
        graph, n = self.graph, len(rows)
        at = graph.lane_point_start[graph.link_from[link[rows]] + 1] - 1
        return AdviceBatch(
            np.full(n, CLOUD_STATION, np.int64),
            np.full(n, t),
            tracks.station[rows],
            np.array([fresh[s] for s in stations]),
            graph.point_x[at],
            graph.point_y[at],
            np.full(n, t + VALID_S),
        )

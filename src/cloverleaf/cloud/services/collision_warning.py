"""Intersection collision warning: conflicts between road users, connected or perceived, at the crossings of their paths.

The foes of the base map say where paths cross and who gives way. A warning goes to connected cars only: to the one that must give way
when it does not brake for it, and to the one with priority when the other can no longer stop.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.apps.codes import Warn
from cloverleaf.apps.crossing_conflict import needed_deceleration, time_to_cover, warning_time
from cloverleaf.cloud.services import Answer
from cloverleaf.cloud.twin import Tracks, Twin
from cloverleaf.map.graph import BaseMap, LaneGraph
from cloverleaf.types.messages import CLOUD_STATION, EventBatch
from cloverleaf.types.state import F64, I32, I64, Kind

RANGE_M = 120.0
BRAKES = 2.0
"""m/s2: one who needs more than this to stop before the conflict, and does not do it, is warned."""
TOO_LATE = 4.0
"""m/s2: one who would need more cannot be expected to stop; then the other is warned too."""
TURN_SPEED = 9.0
"""m/s above which nobody turns."""
MARGIN = 1.0
"""s between leaving and entering a conflict area that still count as a conflict."""


@kernel
def candidates(tracks: Tracks, lane_link_start, lane_length, owner, owner_before, direction, link_to_kind, usable, entry_track,
               entry_link, entry_distance):  # fmt: skip
    """Links that each road user may take: writes (track, link, m to the link's start; negative inside); returns how many.

    Above TURN_SPEED a turn counts only where the lane does not lead straight on.
    """
    n = 0
    for i in range(len(tracks.lane)):
        lane = tracks.lane[i]
        if lane < 0 or usable[i] == 0:
            continue
        if owner[lane] >= 0:
            if n < len(entry_track):
                entry_track[n] = i
                entry_link[n] = owner[lane]
                entry_distance[n] = -(owner_before[lane] + tracks.s[i])
                n += 1
            continue
        gap = lane_length[lane] - tracks.s[i]
        if gap > 120.0:
            continue
        straight = 0
        for k in range(lane_link_start[lane], lane_link_start[lane + 1]):
            if direction[k] == 0:
                straight = 1
        for k in range(lane_link_start[lane], lane_link_start[lane + 1]):
            if direction[k] != 0 and straight == 1 and tracks.speed[i] > 9.0:
                continue
            if link_to_kind[k] == 2 or link_to_kind[k] == 3 or n >= len(entry_track):
                continue
            entry_track[n] = i
            entry_link[n] = k
            entry_distance[n] = gap
            n += 1
    return n


@kernel
def conflicts(tracks: Tracks, order, by_link, entry_track, entry_link, entry_distance, foe_start, foe_link, foe_yield, own_begin,
              own_end, other_begin, other_end, right, out_yield, out_other, out_foe, out_time):  # fmt: skip
    """Pairs in which the first must give way, does not brake for it, and meets the second; returns how many.

    `order`: entries sorted by link; `by_link`: (K + 1,) offsets into it. `right[k]`: 0 red, 1 no signal known, 2 permissive,
    3 protected. Writes tracks, the foe row and the s until the first of them is there.
    """
    n = 0
    for e in range(len(entry_track)):
        i, link = entry_track[e], entry_link[e]
        for f in range(foe_start[link], foe_start[link + 1]):
            other = foe_link[f]
            if right[link] == 3 or (right[link] != 0 and foe_yield[f] == 0) or (right[link] > 1 and right[other] == 0):
                continue
            if right[link] == 0 and right[other] == 0:
                continue
            reach_i = entry_distance[e] + own_begin[f]
            leave_i = entry_distance[e] + own_end[f] + tracks.length[i]
            if reach_i < 0.0 or leave_i < 0.0:
                continue
            need = needed_deceleration(max(entry_distance[e], reach_i - 2.0), tracks.speed[i])
            if need < 2.0 or -tracks.accel[i] > 0.8 * need:
                continue
            t_i = time_to_cover(reach_i, tracks.speed[i], tracks.accel[i])
            clear_i = time_to_cover(leave_i, tracks.speed[i], tracks.accel[i])
            for q in range(by_link[other], by_link[other + 1]):
                w = order[q]
                j = entry_track[w]
                if j == i or n >= len(out_time):
                    continue
                reach_j = entry_distance[w] + other_begin[f]
                leave_j = entry_distance[w] + other_end[f] + tracks.length[j]
                if leave_j < 0.0:
                    continue
                t_j = time_to_cover(reach_j, tracks.speed[j], tracks.accel[j])
                if t_i > warning_time(math.hypot(tracks.speed[i], tracks.speed[j])) or t_j > 8.0:
                    continue
                if t_i > time_to_cover(leave_j, tracks.speed[j], tracks.accel[j]) + 1.0 or t_j > clear_i + 1.0:
                    continue
                out_yield[n] = i
                out_other[n] = j
                out_foe[n] = f
                out_time[n] = max(min(t_i, t_j), 0.0)
                n += 1
    return n


class CollisionWarning:
    """Warns connected cars of crossing conflicts at junctions."""

    name = "collision_warning"
    deadline = 0.4
    interval = 0.1

    def __init__(self, base_map: BaseMap) -> None:
        self.graph = graph = base_map.graph
        self.owner, self.owner_before = _owners(graph)
        self.own_begin, self.own_end, self.other_begin, self.other_end = _conflict_places(graph, self.owner_before)
        # one axis for all lanes: arc length behind the lanes before, so that one search finds points on many lanes
        self._lane_offset = np.concatenate(([0.0], np.cumsum(graph.lane_length + 1.0)))[:-1]
        self._axis = graph.point_s + np.repeat(self._lane_offset, np.diff(graph.lane_point_start))
        self._own_link = np.repeat(np.arange(len(graph.link_from)), np.diff(graph.link_foe_start))

    def step(self, twin: Twin, t: float) -> Answer:
        """Events to the cars concerned."""
        tracks, graph = twin.tracks, self.graph
        usable = ((tracks.shadow == 0) & (tracks.kind != Kind.PEDESTRIAN) & (tracks.kind != Kind.NONE)).astype(np.uint8)
        room = 8 * len(tracks.x) + 8
        track, link, distance = np.zeros(room, np.int32), np.zeros(room, np.int32), np.zeros(room)
        n = candidates(
            tracks, graph.lane_link_start, graph.lane_length, self.owner, self.owner_before, graph.link_direction,
            graph.lane_kind[graph.link_to], usable, track, link, distance,
        )  # fmt: skip
        track, link, distance = track[:n], link[:n], distance[:n]
        small = len(graph.link_from) <= 1 << 16  # what fits into 16 bits is sorted by its digits, many times as fast
        order = np.argsort(link.astype(np.uint16) if small else link, kind="stable")
        by_link = np.searchsorted(link[order], np.arange(len(graph.link_from) + 1)).astype(np.int64)
        most = max(256, n)
        must, other, foe = (np.zeros(most, np.int32) for _ in range(3))
        when = np.zeros(most)
        found = conflicts(
            tracks, order, by_link, track, link, distance, graph.link_foe_start, graph.foe_link, graph.foe_yield,
            self.own_begin, self.own_end, self.other_begin, self.other_end, self._rights(twin, t), must, other, foe, when,
        )  # fmt: skip
        return Answer(event=self._events(tracks, must[:found], other[:found], foe[:found], when[:found], t))

    def _rights(self, twin: Twin, t: float) -> I32:
        """Right of every link by its light, shape (K,): see `conflicts`."""
        graph, lights = self.graph, twin.signals
        right = np.ones(len(graph.link_from), np.int32)
        lit = np.flatnonzero(graph.link_signal >= 0)
        head = lights.start[graph.link_signal[lit]] + graph.link_signal_index[lit]
        known = t - lights.time[head] <= 1.5
        by_light = np.array([1, 1, 0, 0, 2, 2, 3, 0, 1], np.int32)
        right[lit] = np.where(known, by_light[np.minimum(lights.light[head], 8)], 1)
        return right

    def _events(self, tracks: Tracks, must: I32, other: I32, foe: I32, when: F64, t: float) -> EventBatch:
        graph = self.graph
        lane = graph.foe_own_lane[foe]
        link = self._own_link[foe]
        lane = np.where(lane >= 0, lane, graph.link_to[link])
        middle = np.where(graph.foe_own_lane[foe] >= 0, 0.5 * (graph.foe_own_begin[foe] + graph.foe_own_end[foe]), 0.0)
        x, y = self._place(lane, middle)
        gap = np.hypot(tracks.x[must] - x, tracks.y[must] - y) - 0.5 * tracks.length[must]
        late = tracks.speed[must] ** 2 > 2.0 * TOO_LATE * np.maximum(gap, 0.1)
        station = np.concatenate((tracks.station[must], tracks.station[other[late]]))
        row = np.concatenate((np.arange(len(must)), np.flatnonzero(late)))
        known = station >= 0
        station, row = station[known], row[known]
        order = np.lexsort((when[row], station))  # of several conflicts of a station the first in time
        station, row = station[order], row[order]
        first = np.append(True, station[1:] != station[:-1]) if len(station) else np.zeros(0, bool)
        station, row = station[first], row[first]
        n = len(station)
        return EventBatch(
            np.full(n, CLOUD_STATION, np.int64), np.full(n, t), np.full(n, Warn.INTERSECTION_COLLISION, np.int32), x[row], y[row],
            np.full(n, 20.0), station, x[row], y[row], when[row],
        )  # fmt: skip

    def _place(self, lane: I32 | I64, s: F64) -> tuple[F64, F64]:
        """Points at arc length s (m) on lanes, shape (n,)."""
        graph = self.graph
        at = np.searchsorted(self._axis, self._lane_offset[lane] + s, side="right") - 1
        at = np.clip(at, graph.lane_point_start[lane], graph.lane_point_start[lane + 1] - 2)
        share = (s - graph.point_s[at]) / np.maximum(graph.point_s[at + 1] - graph.point_s[at], 1e-9)
        share = np.clip(share, 0.0, 1.0)
        x = graph.point_x[at] + share * (graph.point_x[at + 1] - graph.point_x[at])
        y = graph.point_y[at] + share * (graph.point_y[at + 1] - graph.point_y[at])
        return x, y


def _owners(graph: LaneGraph) -> tuple[I32, F64]:
    """For internal lanes: the link they belong to (-1 others) and the m of that link's path before them; shape (L,)."""
    owner = np.full(len(graph.lane_length), -1, np.int32)
    before = np.zeros(len(graph.lane_length))
    for k in np.flatnonzero(graph.link_via >= 0):
        if graph.edge_internal[graph.lane_edge[graph.link_from[k]]]:
            continue
        lane, way = int(graph.link_via[k]), 0.0
        for _ in range(8):
            owner[lane], before[lane] = k, way
            way += float(graph.lane_length[lane])
            onward = int(graph.lane_link_start[lane])
            if onward >= graph.lane_link_start[lane + 1] or graph.link_via[onward] < 0:
                break
            lane = int(graph.link_via[onward])
    return owner, before


def _conflict_places(graph: LaneGraph, before: F64) -> tuple[F64, F64, F64, F64]:
    """Conflict areas in m from the start of both links' paths; merges lie at their ends. Shape (F,) each."""
    own_link = np.repeat(np.arange(len(graph.link_from)), np.diff(graph.link_foe_start))

    def side(lane: I32, begin: F64, end: F64, link: I32 | I64) -> tuple[F64, F64]:
        merge = lane < 0
        offset = np.where(merge, graph.link_length[link], before[np.maximum(lane, 0)])
        return offset + np.where(merge, 0.0, begin), offset + np.where(merge, 5.0, end)

    own = side(graph.foe_own_lane, graph.foe_own_begin, graph.foe_own_end, own_link)
    other = side(graph.foe_other_lane, graph.foe_other_begin, graph.foe_other_end, graph.foe_link)
    return own[0], own[1], other[0], other[1]

"""Roadside perception: tracks of every unit, told apart from those who announce themselves, shared as perception messages."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.road.tracker import CONFIRM, ON_FOOT, empty_tracks, recognise, track
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import RSU_STATION_BASE, MessageKind, PerceptionBatch, Received
from cloverleaf.types.state import F64, I32, I64

REACH = 120.0
"""m from a unit within which vehicles count for its signals."""
_AWARENESS = int(MessageKind.AWARENESS)
_CONFIRM = int(CONFIRM)


@kernel
def _hear(tracks, receivers, start, kind, message, awareness, base, known):
    """Mark the tracks of announced stations; `known` (awareness messages,) gets 1 where some unit sees the sender."""
    units = tracks.next_id.shape[0]
    for r in range(receivers.shape[0]):
        u = receivers[r] - base
        if u < 0 or u >= units:
            continue
        for pair in range(start[r], start[r + 1]):
            if kind[pair] != _AWARENESS:
                continue
            m = message[pair]
            vx = awareness.speed[m] * math.cos(awareness.heading[m])
            vy = awareness.speed[m] * math.sin(awareness.heading[m])
            k = recognise(tracks, u, awareness.station[m], awareness.x[m], awareness.y[m], vx, vy, awareness.time[m])
            if k >= 0:
                known[m] = 1


@kernel
def _collect(tracks, unit, slot):
    """Rows of confirmed tracks by unit; returns their number."""
    n = 0
    for u in range(tracks.id.shape[0]):
        for k in range(tracks.high[u]):
            if tracks.id[u, k] != 0 and tracks.hits[u, k] >= _CONFIRM:
                unit[n] = u
                slot[n] = k
                n += 1
    return n


@kernel
def _on_lane(x, y, heading, lanes, first, end, point_start, point_x, point_y, lane_width):
    """Lane among lanes[first:end] on which a vehicle stands: nearest centre line within half a width, heading alike; -1 none."""
    best, found = 1e18, -1
    for n in range(first, end):
        lane = lanes[n]
        half = 0.5 * lane_width[lane]
        for i in range(point_start[lane], point_start[lane + 1] - 1):
            ux, uy = point_x[i + 1] - point_x[i], point_y[i + 1] - point_y[i]
            norm = math.hypot(ux, uy)
            if norm <= 0.0:
                continue
            along = ((x - point_x[i]) * ux + (y - point_y[i]) * uy) / norm
            if along < 0.0 or along > norm:
                continue
            across = abs(((y - point_y[i]) * ux - (x - point_x[i]) * uy) / norm)
            alike = (ux * math.cos(heading) + uy * math.sin(heading)) / norm
            if across <= half and across < best and alike > 0.7:
                best, found = across, lane
    return found


@kernel
def count_vehicles(tracks, unit_x, unit_y, lane_start, lanes, point_start, point_x, point_y, lane_width, count):
    """Vehicles per lane of each unit's approaches and exits within REACH, from confirmed tracks; adds to count (L,)."""
    for u in range(unit_x.shape[0]):
        for k in range(tracks.high[u]):
            if tracks.id[u, k] == 0 or tracks.hits[u, k] < _CONFIRM or tracks.kind[u, k] == ON_FOOT:
                continue
            x, y = tracks.x[u, k], tracks.y[u, k]
            if math.hypot(x - unit_x[u], y - unit_y[u]) > REACH:
                continue
            lane = _on_lane(
                x,
                y,
                tracks.heading[u, k],
                lanes,
                lane_start[u],
                lane_start[u + 1],
                point_start,
                point_x,
                point_y,
                lane_width,
            )
            if lane >= 0:
                count[lane] += 1.0


class RoadPerception:
    """Tracks of all units at (unit_x, unit_y), m ENU, whose approaches and exits are `lanes[lane_start[u]:lane_start[u + 1]]`."""

    def __init__(self, graph: LaneGraph, unit_x: F64, unit_y: F64, lane_start: I64, lanes: I32) -> None:
        self.graph, self.unit_x, self.unit_y, self.lane_start, self.lanes = graph, unit_x, unit_y, lane_start, lanes
        self.tracks = empty_tracks(len(unit_x))
        size = self.tracks.id.size
        self._unit, self._slot = np.zeros(size, np.int32), np.zeros(size, np.int32)

    def step(self, frame: ObjectFrame, inbox: Received, t: float) -> None:
        """Take one tick's detections and announcements."""
        track(self.tracks, frame, self.unit_x, self.unit_y, float(t))
        known = np.zeros(len(inbox.awareness.station), np.int32)
        _hear(
            self.tracks, inbox.receivers, inbox.start, inbox.kind, inbox.message, inbox.awareness, RSU_STATION_BASE, known
        )  # fmt: skip

    def lane_counts(self) -> F64:
        """Vehicles seen per lane of the map; shape (L,), zero where no unit looks."""
        g = self.graph
        count = np.zeros(len(g.lane_length))
        count_vehicles(
            self.tracks, self.unit_x, self.unit_y, self.lane_start, self.lanes, g.lane_point_start, g.point_x, g.point_y,
            g.lane_width, count,
        )  # fmt: skip
        return count

    def share(self, station: I64, t: float) -> PerceptionBatch:
        """One message per unit with its confirmed tracks, at the time of their last detection; those recognised carry the
        station id of the object, so that receivers do not count it twice."""
        n = _collect(self.tracks, self._unit, self._slot)
        at = (self._unit[:n], self._slot[:n])
        k = self.tracks
        start = np.searchsorted(at[0], np.arange(len(station) + 1)).astype(np.int64)
        return PerceptionBatch(
            station=station,
            time=np.full(len(station), float(t)),
            object_start=start,
            object_id=k.id[at],
            object_station=k.station[at],
            object_time=k.at[at],
            x=k.x[at],
            y=k.y[at],
            heading=k.heading[at],
            speed=np.hypot(k.vx[at], k.vy[at]),
            length=k.length[at],
            width=k.width[at],
            kind=k.kind[at],
            sigma=k.sigma[at],
        )

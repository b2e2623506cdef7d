"""Buses at their stops: headways, arrivals expected, and adherence to a timetable."""

from __future__ import annotations

import itertools

import numpy as np

from cloverleaf.cloud.twin import Tracks
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import Kind

REMEMBER = 12
LEAST_SPEED = 4.0
"""m/s assumed of a bus that is slower now, for its arrival."""


class BusStops:
    """Watches the stops of a map; `see` at least once a second."""

    def __init__(self, graph: LaneGraph) -> None:
        self.graph = graph
        self.passages: list[list[tuple[float, int]]] = [[] for _ in range(len(graph.stop_lane))]
        """Per stop the last passages: (s, station), oldest first."""
        self._inside: set[tuple[int, int]] = set()

    def see(self, tracks: Tracks, t: float) -> None:
        """Note buses that have come to a stop's place since."""
        bus = np.flatnonzero((tracks.kind == Kind.BUS) & (tracks.shadow == 0))
        g = self.graph
        now: set[tuple[int, int]] = set()
        for stop, (lane, begin, end) in enumerate(
            zip(g.stop_lane.tolist(), g.stop_begin.tolist(), g.stop_end.tolist())
        ):
            at = bus[(tracks.lane[bus] == lane) & (tracks.s[bus] >= begin) & (tracks.s[bus] <= end + 5.0)]
            now.update((stop, int(s)) for s in tracks.station[at].tolist())
        for stop, station in sorted(now - self._inside):
            self.passages[stop].append((t, station))
            del self.passages[stop][:-REMEMBER]
        self._inside = now

    def headways(self, stop: int) -> list[float]:
        """s between the last passages, oldest first."""
        times = [t for t, _ in self.passages[stop]]
        return [b - a for a, b in itertools.pairwise(times)]

    def arrivals(self, tracks: Tracks, stop: int, t: float) -> list[tuple[int, float]]:
        """(station, s since epoch) of buses on the stop's lane or on lanes that lead straight into it, soonest first."""
        g = self.graph
        lane, place = int(g.stop_lane[stop]), float(g.stop_begin[stop])
        before = {lane: 0.0}
        for link in np.flatnonzero(g.link_to == lane).tolist():
            before[int(g.link_from[link])] = float(g.lane_length[g.link_from[link]] + g.link_length[link])
        out = []
        for i in np.flatnonzero((tracks.kind == Kind.BUS) & (tracks.shadow == 0)).tolist():
            here = int(tracks.lane[i])
            if here in before:
                left = place + before[here] - float(tracks.s[i])
                if left >= 0.0:
                    out.append((int(tracks.station[i]), t + left / max(float(tracks.speed[i]), LEAST_SPEED)))
        return sorted(out, key=lambda a: a[1])

    def adherence(self, stop: int, timetable: list[float]) -> list[float]:
        """s of delay of each passage against the departure nearest to it; early is negative."""
        planned = np.sort(np.array(timetable, float))
        if not len(planned):
            return []
        return [t - float(planned[np.argmin(np.abs(planned - t))]) for t, _ in self.passages[stop]]

"""Which signal head each smart car sees: that of the next signalled link on its way, within sight of its camera."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.road_tables import next_internal, signal_starts
from cloverleaf.types.demand import Demand
from cloverleaf.types.frames import LightFrame
from cloverleaf.types.state import I32, U8, Actors

SIGHT = 100.0
"""m, range at which a camera reads a light."""
OVER_LINE = 3.0
"""m, a car that stands a little over the line still sees its light."""


@kernel
def _onward(graph, routes, lane, onward, edge_at):
    """The link from `lane` towards the edge after position `edge_at` of the routes; a link of its edge if the lane has none."""
    if onward >= 0:
        return np.int64(onward)
    target = routes.edge[edge_at + 1]
    for link in range(graph.lane_link_start[lane], graph.lane_link_start[lane + 1]):
        if graph.lane_edge[graph.link_to[link]] == target:
            return np.int64(link)
    edge = graph.lane_edge[lane]
    for other in range(graph.edge_lane_start[edge], graph.edge_lane_start[edge + 1]):
        for link in range(graph.lane_link_start[other], graph.lane_link_start[other + 1]):
            if graph.lane_edge[graph.link_to[link]] == target:
                return np.int64(link)
    return np.int64(-1)


@kernel
def see_lights(graph, routes, trip_route, onward, starts, light, actors, slots, sight, frame):
    """Fill `frame` for the cars in rows `slots` of Actors; `starts` as SignalState.start, `onward` as `next_internal`."""
    links, lights, distances = frame.link, frame.light, frame.distance
    for i in range(slots.shape[0]):
        row = slots[i]
        links[i] = -1
        lights[i] = 0
        distances[i] = np.inf
        lane = actors.lane[row]
        if lane < 0 or actors.trip[row] < 0:
            continue
        route = trip_route[actors.trip[row]]
        at = routes.start[route] + actors.route_pos[row]
        end = routes.start[route + 1]
        entry = graph.lane_internal_link[lane]
        if entry >= 0 and actors.s[row] < OVER_LINE and graph.link_signal[entry] >= 0 and graph.link_via[entry] == lane:
            links[i] = entry
            lights[i] = light[starts[graph.link_signal[entry]] + graph.link_signal_index[entry]]
            distances[i] = -actors.s[row]
            continue
        distance = -actors.s[row]
        for _ in range(12):
            distance += graph.lane_length[lane]
            if distance > sight or (onward[lane] < 0 and at + 1 >= end):
                break
            link = _onward(graph, routes, lane, onward[lane], at)
            if link < 0:
                break
            if graph.link_signal[link] >= 0 and onward[lane] < 0:
                links[i] = link
                lights[i] = light[starts[graph.link_signal[link]] + graph.link_signal_index[link]]
                distances[i] = distance
                break
            if graph.link_via[link] >= 0:
                lane = graph.link_via[link]
            else:
                lane = graph.link_to[link]
                at += 1
            if graph.link_via[link] < 0 and graph.lane_edge[lane] != routes.edge[min(at, end - 1)]:
                break


class Cameras:
    """Signal heads as seen by the fleet; holds what does not change during a run."""

    def __init__(self, graph: LaneGraph, demand: Demand, sight: float = SIGHT) -> None:
        self.graph, self.routes, self.sight = graph, demand.routes, float(sight)
        self._trip_route = demand.trips.route
        self._onward = next_internal(graph)
        self._starts = signal_starts(graph)

    def see(self, actors: Actors, slots: I32, light: U8, time: float) -> LightFrame:
        """Lights ahead of the cars in rows `slots` (int32) of Actors at `time` s, in that order; `light` as in SignalState."""
        n = len(slots)
        frame = LightFrame(np.empty(n, np.int32), np.empty(n, np.uint8), np.empty(n), np.full(n, float(time)))
        see_lights(
            self.graph, self.routes, self._trip_route, self._onward, self._starts, light, actors, slots, self.sight, frame
        )  # fmt: skip
        return frame

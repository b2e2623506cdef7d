"""A larger map from a small one: copies of it side by side, for load and scale tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.map.graph import BaseMap, LaneGraph

_LANE = (
    "lane_left",
    "lane_right",
    "link_from",
    "link_to",
    "link_via",
    "crossing_lane",
    "stop_lane",
    "foe_own_lane",
    "foe_other_lane",
)
_LINK = ("lane_internal_link", "foe_link", "crossing_link")
_JUNCTION = ("edge_from", "edge_to", "link_junction")
_SIGNAL = ("link_signal", "crossing_signal")
_EDGE = ("lane_edge",)
_STARTS = (
    "lane_link_start",
    "lane_point_start",
    "edge_lane_start",
    "link_foe_start",
    "signal_phase_start",
    "phase_state_start",
)


def tiled(base_map: BaseMap, columns: int, rows: int, gap: float = 50.0) -> BaseMap:
    """`columns` x `rows` copies of a map, `gap` m apart and not connected; copy (i, j) has "i.j/" before its names."""
    g = base_map.graph
    sizes = {
        _LANE: len(g.lane_edge), _LINK: len(g.link_from), _JUNCTION: len(g.junction_x), _SIGNAL: len(g.signal_links),
        _EDGE: len(g.edge_from),
    }  # fmt: skip
    width, height = np.ptp(g.point_x) + gap, np.ptp(g.point_y) + gap
    parts: dict[str, list[Any]] = {name: [] for name in LaneGraph._fields}
    names: list[list[str]] = [[], [], [], [], []]
    for k in range(columns * rows):
        i, j = k % columns, k // columns
        for name in LaneGraph._fields:
            column: Any = getattr(g, name)
            shift = next((size * k for group, size in sizes.items() if name in group), 0)
            if name in ("point_x", "junction_x"):
                column = column + i * width
            elif name in ("point_y", "junction_y"):
                column = column + j * height
            elif name in _STARTS:
                column = (column if k == 0 else column[1:]) + k * column[-1]
            elif shift:
                column = np.where(column >= 0, column + shift, column).astype(column.dtype)
            parts[name].append(column)
        for out, own in zip(names, base_map[1:6]):
            out += [f"{i}.{j}/{n}" for n in own]
    graph = LaneGraph._make(np.concatenate(parts[name]) for name in LaneGraph._fields)
    lanes, edges, junctions, signals, stops = (tuple(n) for n in names)
    return base_map._replace(
        graph=graph, lane_ids=lanes, edge_ids=edges, junction_ids=junctions, signal_ids=signals, stop_ids=stops
    )

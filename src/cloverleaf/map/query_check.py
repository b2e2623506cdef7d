"""Checks of a lane graph, whatever it was read from: links that jump, ways that end, lights without a plan."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.graph import BaseMap, LaneKind, VehicleClass
from cloverleaf.map.opendrive.check import Finding

JUMP = 3.0  # m; SUMO nets and lane openings leave small ones


def check_graph(base_map: BaseMap) -> list[Finding]:
    """Findings about links, dead ends inside the map and signals."""
    g = base_map.graph
    found = []
    feet = (LaneKind.CROSSING, LaneKind.WALKING_AREA, LaneKind.SIDEWALK)
    for k in range(len(g.link_from)):
        onward = int(g.link_via[k]) if g.link_via[k] >= 0 else int(g.link_to[k])
        lane = int(g.link_from[k])
        if g.lane_kind[lane] in feet:
            continue
        a, b = int(g.lane_point_start[lane + 1]) - 1, int(g.lane_point_start[onward])
        gap = float(np.hypot(g.point_x[a] - g.point_x[b], g.point_y[a] - g.point_y[b]))
        if gap > JUMP:
            message = f"lane '{base_map.lane_ids[lane]}' ends {gap:.1f} m from '{base_map.lane_ids[onward]}', to which it leads"
            found.append(Finding("warning", 0, "link", message))
        if not g.lane_allow[lane] & g.lane_allow[int(g.link_to[k])]:
            message = f"lane '{base_map.lane_ids[lane]}' leads to '{base_map.lane_ids[int(g.link_to[k])]}', which nobody on it may use"
            found.append(Finding("warning", 0, "link", message))
        if g.link_signal[k] >= 0 and not 0 <= g.link_signal_index[k] < g.signal_links[g.link_signal[k]]:
            found.append(
                Finding("error", 0, "signal", f"lane '{base_map.lane_ids[lane]}' has a light that no plan switches")
            )
    motor = (g.lane_allow & np.uint32(VehicleClass.PASSENGER)) > 0
    leads = np.diff(g.lane_link_start) > 0
    for edge in np.flatnonzero(g.edge_internal == 0):
        lanes = np.arange(g.edge_lane_start[edge], g.edge_lane_start[edge + 1])
        inside = g.edge_to[edge] >= 0 and np.any(g.edge_from[g.edge_internal == 0] == g.edge_to[edge])
        if motor[lanes].any() and not leads[lanes[motor[lanes]]].any() and inside:
            found.append(Finding("warning", 0, "edge", f"edge '{base_map.edge_ids[edge]}' leads nowhere"))
    for group, name in enumerate(base_map.signal_ids):
        if not np.any(g.link_signal == group):
            found.append(Finding("warning", 0, "signal", f"signal '{name}' governs no link"))
    return found

"""Lane queries on a lane graph (SUMO nets): the same questions as `MapQuery`, with edge ids as roads and lane indices as lanes."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import MapError, nearest
from cloverleaf.types.state import F64, I64


class GraphQuery:
    """Queries on centre lines; simple rather than fast."""

    def __init__(self, base_map: BaseMap) -> None:
        self.base_map = base_map
        self.edge_row = {name: i for i, name in enumerate(base_map.edge_ids)}
        g = base_map.graph
        owner = np.repeat(np.arange(len(g.lane_edge)), np.diff(g.lane_point_start))
        inner = np.append(owner[1:] == owner[:-1], False)
        self._from = np.flatnonzero(inner)
        self._lane = owner[self._from]

    def lane_to_xyz(self, road: list[str], lane: I64, s: F64, offset: F64) -> F64:
        """x, y, z, heading, shape (n, 4), of lane `lane` of edge `road`, `s` m along it and `offset` m to its left; NaN off the lane."""
        g = self.base_map.graph
        out = np.full((len(s), 4), np.nan)
        for n, name in enumerate(road):
            if name not in self.edge_row:
                raise MapError(f"unknown edge '{name}'", file=self.base_map.source, hint=nearest(name, self.edge_row))
            edge = self.edge_row[name]
            row = int(g.edge_lane_start[edge]) + int(lane[n])
            if lane[n] < 0 or row >= g.edge_lane_start[edge + 1] or not -1e-3 <= s[n] <= g.lane_length[row] + 1e-3:
                continue
            a, b = int(g.lane_point_start[row]), int(g.lane_point_start[row + 1])
            i = min(max(int(np.searchsorted(g.point_s[a:b], s[n], side="right")) - 1, 0), b - a - 2) + a
            f = (s[n] - g.point_s[i]) / max(g.point_s[i + 1] - g.point_s[i], 1e-9)
            x, y, z = (c[i] + f * (c[i + 1] - c[i]) for c in (g.point_x, g.point_y, g.point_z))
            h = g.point_heading[i]
            out[n] = (x - offset[n] * np.sin(h), y + offset[n] * np.cos(h), z, h)
        return out

    def why_nowhere(self, road: str, lane: int, s: float) -> tuple[str, str]:
        """Why a lane position does not exist: message and hint."""
        g, edge = self.base_map.graph, self.edge_row[road]
        first, count = int(g.edge_lane_start[edge]), int(g.edge_lane_start[edge + 1] - g.edge_lane_start[edge])
        if not 0 <= lane < count:
            return f"edge '{road}' has no lane {lane}", f"lanes 0 to {count - 1}"
        return f"s = {s:g} is off lane {lane} of edge '{road}'", f"it is {g.lane_length[first + lane]:g} m long"

    def xy_to_lane(self, x: F64, y: F64, heading: F64) -> tuple[list[str], I64, F64]:
        """Edge ids, lane indices, and (s, offset) of shape (n, 2), of the nearest lane of each point."""
        g = self.base_map.graph
        i = self._from
        ax, ay = g.point_x[i], g.point_y[i]
        dx, dy = g.point_x[i + 1] - ax, g.point_y[i + 1] - ay
        norm = np.maximum(dx * dx + dy * dy, 1e-12)
        ids: list[str] = []
        lanes = np.zeros(len(x), np.int64)
        out = np.zeros((len(x), 2))
        for n in range(len(x)):
            f = np.clip(((x[n] - ax) * dx + (y[n] - ay) * dy) / norm, 0.0, 1.0)
            gap = np.hypot(ax + f * dx - x[n], ay + f * dy - y[n])
            if np.isfinite(heading[n]):
                gap = gap + 2.0 * (1.0 - np.cos(g.point_heading[i] - heading[n]))
            k = int(np.argmin(gap))
            row = int(self._lane[k])
            side = (dx[k] * (y[n] - ay[k]) - dy[k] * (x[n] - ax[k])) / np.sqrt(norm[k])
            ids.append(self.base_map.edge_ids[g.lane_edge[row]])
            lanes[n] = g.lane_index[row]
            out[n] = (g.point_s[i[k]] + f[k] * (g.point_s[i[k] + 1] - g.point_s[i[k]]), side)
        return ids, lanes, out

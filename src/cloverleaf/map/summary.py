"""Facts about a base map for `cloverleaf map info`: counts, lengths, extent."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.algo.geo import degrees, projection
from cloverleaf.map.graph import BaseMap, JunctionKind, LaneKind
from cloverleaf.types.errors import MapError


def summarize(base_map: BaseMap) -> dict[str, Any]:
    """Counts, lane length per kind (km), bounding box (m, ENU), georeference and census rows that are not plain support."""
    g = base_map.graph
    kinds = {LaneKind(k).name.lower(): g.lane_kind == k for k in np.unique(g.lane_kind)}
    junctions = {JunctionKind(k).name.lower(): int((g.junction_kind == k).sum()) for k in np.unique(g.junction_kind)}
    status: dict[str, int] = {}
    for row in base_map.census:
        status[row.status] = status.get(row.status, 0) + 1
    normal = g.edge_internal == 0
    return {
        "source": base_map.source,
        "edges": int(normal.sum()),
        "internal_edges": int((~normal).sum()),
        "lanes": {name: int(mask.sum()) for name, mask in kinds.items()},
        "lane_km": {name: round(float(g.lane_length[mask].sum()) / 1000.0, 3) for name, mask in kinds.items()},
        "links": len(g.link_from),
        "foe_pairs": len(g.foe_link),
        "crossings": int((g.lane_kind == LaneKind.CROSSING).sum()),
        "junctions": junctions,
        "signals": len(base_map.signal_ids),
        "actuated_signals": int(g.signal_actuated.sum()),
        "stops": len(base_map.stop_ids),
        "roundabout_edges": int(g.edge_roundabout.sum()),
        "bounding_box_m": [
            round(float(v), 2) for v in (g.point_x.min(), g.point_y.min(), g.point_x.max(), g.point_y.max())
        ],
        "projection": base_map.geo.proj,
        "origin_deg": _origin(base_map),
        "census": status,
    }


def _origin(base_map: BaseMap) -> list[float] | None:
    """Latitude and longitude (deg) of ENU (0, 0); None where the map has no georeference that we know."""
    geo = base_map.geo
    if geo.proj in ("!", "-", ""):
        return None
    try:
        p = projection(geo.proj, geo.offset_x, geo.offset_y, geo.origin_lat_deg, geo.origin_lon_deg)
    except MapError:
        return None
    latitude, longitude, _ = degrees(p, np.zeros(1), np.zeros(1))
    return [round(float(latitude[0]), 7), round(float(longitude[0]), 7)]

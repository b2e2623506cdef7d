"""Lanes of a base map as GeoJSON."""

from __future__ import annotations

import json

import numpy as np

from cloverleaf.algo.geo import degrees, projection
from cloverleaf.map.graph import BaseMap, LaneKind
from cloverleaf.types.errors import MapError


def lanes_geojson(base_map: BaseMap) -> str:
    """A FeatureCollection with one LineString per lane; WGS 84 degrees where the projection is known, else metres."""
    g = base_map.graph
    x, y, degree = g.point_x, g.point_y, False
    geo = base_map.geo
    if geo.proj not in ("!", "-", ""):
        try:
            p = projection(geo.proj, geo.offset_x, geo.offset_y, geo.origin_lat_deg, geo.origin_lon_deg)
            latitude, longitude, _ = degrees(p, x, y)
            x, y, degree = longitude, latitude, True
        except MapError:
            degree = False
    xy = np.round(np.column_stack((x, y)), 8 if degree else 3).tolist()
    features = []
    for lane, name in enumerate(base_map.lane_ids):
        a, b = int(g.lane_point_start[lane]), int(g.lane_point_start[lane + 1])
        properties = {
            "lane": name,
            "edge": base_map.edge_ids[g.lane_edge[lane]],
            "kind": LaneKind(int(g.lane_kind[lane])).name.lower(),
            "width_m": round(float(g.lane_width[lane]), 3),
            "speed_mps": round(float(g.lane_speed[lane]), 3),
        }
        line = {"type": "LineString", "coordinates": xy[a:b]}
        features.append({"type": "Feature", "properties": properties, "geometry": line})
    head = {"type": "FeatureCollection", "coordinates": "WGS 84" if degree else "metres", "features": features}
    return json.dumps(head)

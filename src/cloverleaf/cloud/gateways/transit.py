"""Public transport: GTFS-Realtime vehicle positions in and out, SIRI-like GeoJSON out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError as ProtobufError
from google.transit import gtfs_realtime_pb2 as pb

from cloverleaf.algo.geo import degrees, projection
from cloverleaf.cloud.gateways import Report
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.state import Kind


def read_positions(data: bytes) -> list[Report]:
    """Reports in a FeedMessage; entities without vehicle or position are left out.

    Raises:
        DecodeError: not a FeedMessage.
    """
    feed = pb.FeedMessage()
    try:
        feed.ParseFromString(data)
    except ProtobufError as error:
        raise DecodeError(f"not GTFS-Realtime: {error}") from error
    out = []
    for entity in feed.entity:
        v = entity.vehicle
        if not entity.HasField("vehicle") or not v.HasField("position"):
            continue
        p = v.position
        if not (abs(p.latitude) <= 90.0 and abs(p.longitude) <= 180.0):
            continue
        time = float(v.timestamp or feed.header.timestamp)
        bearing = float(p.bearing) if p.HasField("bearing") and math.isfinite(p.bearing) else math.nan
        speed = float(p.speed) if math.isfinite(p.speed) else 0.0
        out.append(Report(v.vehicle.id or entity.id, time, p.latitude, p.longitude, speed, bearing % 360.0))
    return out


def buses(rows: np.ndarray) -> np.ndarray:
    """The buses among the twin's rows."""
    return rows[rows["kind"] == int(Kind.BUS)]


def _places(rows: np.ndarray, base_map: BaseMap) -> tuple[Any, Any, Any]:
    geo = base_map.geo
    p = projection(geo.proj, geo.offset_x, geo.offset_y, geo.origin_lat_deg, geo.origin_lon_deg)
    latitude, longitude, convergence = degrees(p, rows["x"].astype(float), rows["y"].astype(float))
    return latitude, longitude, np.remainder(90.0 + np.degrees(convergence - rows["heading"]), 360.0)


def positions(rows: np.ndarray, base_map: BaseMap, now: float) -> bytes:
    """A FeedMessage with the buses of the twin, named by their handles."""
    feed = pb.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.incrementality = pb.FeedHeader.FULL_DATASET
    feed.header.timestamp = int(now)
    for row, latitude, longitude, bearing in zip(rows, *_places(rows, base_map)):
        entity = feed.entity.add()
        entity.id = str(int(row["handle"]))
        entity.vehicle.vehicle.id = entity.id
        entity.vehicle.timestamp = max(int(now - float(row["age"])), 0)
        place = entity.vehicle.position
        place.latitude, place.longitude, place.bearing, place.speed = latitude, longitude, bearing, float(row["speed"])
    return bytes(feed.SerializeToString())


def siri(rows: np.ndarray, base_map: BaseMap, now: float) -> dict[str, Any]:
    """The same as GeoJSON with the words of SIRI's vehicle monitoring."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(float(lo), 7), round(float(la), 7)]},
            "properties": {
                "VehicleRef": str(int(row["handle"])), "Bearing": round(float(b), 1), "Velocity": round(float(row["speed"]), 2),
                "RecordedAtTime": round(now - float(row["age"]), 2), "Monitored": True,
            },
        }
        for row, la, lo, b in zip(rows, *_places(rows, base_map))
    ]  # fmt: skip
    return {"type": "FeatureCollection", "ResponseTimestamp": now, "features": features}

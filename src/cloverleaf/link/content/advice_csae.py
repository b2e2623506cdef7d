"""AdviceBatch <-> CSAE RSC (T/CSAE 157): one vehicle coordination per message; also used beside ETSI, which has no such message.

refPos is the point up to which the speed holds; it is the only point of the path guidance and carries the speed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.dicts import decode_all, encode_all, octets, station_of
from cloverleaf.link.content.frame import Frame, available, limited
from cloverleaf.types.messages import AdviceBatch
from cloverleaf.types.state import I64, U8

_HERE = ["position-LL1", {"lon": 0, "lat": 0}]


def encode(batch: AdviceBatch, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch."""
    latitude, longitude, _ = frame.geo(batch.speed_until_x, batch.speed_until_y)
    mark = frame.phase(batch.time, 1e-3, 60_000).tolist()
    life = limited((batch.valid_until - batch.time) * 100, 1, 65534, 65535).tolist()
    speed = limited(batch.speed / 0.02, 0, 8190, 8191).tolist()
    places = [{"lat": a, "long": b} for a, b in zip(latitude.tolist(), longitude.tolist())]
    values = []
    for i, (sender, target) in enumerate(zip(batch.station.tolist(), batch.target.tolist())):
        point: dict[str, Any] = {"pos": {"offsetLL": _HERE}}
        if speed[i] != 8191:
            point["speed"] = speed[i]
        suggestion = {"suggestion": {"hex": "0000", "bits": 14}, "lifeTime": life[i]}
        vehicle = {"vehId": octets(target), "driveSuggestion": suggestion, "pathGuidance": [point]}
        body = {
            "msgCnt": i & 127,
            "id": octets(sender),
            "secMark": mark[i],
            "refPos": places[i],
            "coordinates": [vehicle],
        }
        values.append(["msgFrameExt", {"messageId": 11, "value": ["RoadsideCoordination", body]}])
    return encode_all(codec("csae_day2", "rsc"), values)


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[AdviceBatch, U8]:
    """(batch, error): the first vehicle coordination of each message."""
    bodies, error = decode_all(codec("csae_day2", "rsc"), buffer, start)
    rows = [_row(body) for body in bodies]
    error[[row is None for row in rows]] = np.maximum(error[[row is None for row in rows]], 1)
    table = np.array([row or (0,) * 7 for row in rows], dtype=np.int64).reshape(-1, 7)
    x, y, _ = frame.enu(table[:, 3], table[:, 4])
    time = frame.unphase(table[:, 1], 1e-3, 60_000)
    return AdviceBatch(
        station=table[:, 0],
        time=time,
        target=table[:, 2],
        speed=available(table[:, 5], 8191, 0.02),
        speed_until_x=x,
        speed_until_y=y,
        valid_until=time + available(table[:, 6], 65535, 0.01),
    ), error


def _row(body: Any) -> tuple[int, ...] | None:
    """(station, mark, target, lat, long, speed, life) of a decoded RSC."""
    if not body or not body.get("coordinates"):
        return None
    vehicle, place = body["coordinates"][0], body["refPos"]
    point = (vehicle.get("pathGuidance") or [{}])[0]
    life = vehicle.get("driveSuggestion", {}).get("lifeTime", 65535)
    ends = (place["lat"], place["long"])
    return (
        station_of(body["id"]),
        body["secMark"],
        station_of(vehicle["vehId"]),
        *ends,
        point.get("speed", 8191),
        life,
    )

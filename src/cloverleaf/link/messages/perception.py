"""Shared perception: CSAE RSM and SSM, ETSI CPM <-> `PerceptionMessage`.

CSAE accuracy classes hold the truth in 95 % of cases and are rounded up. A CPM does not say which objects announced themselves;
an RSM has no time of its own, its time is that of its newest participant.
"""

from __future__ import annotations

import math
from typing import Any

from cloverleaf.link.messages import wire as w
from cloverleaf.link.messages.awareness import offset_ll, offset_place, reference_position
from cloverleaf.link.messages.records import PerceivedObject, PerceptionMessage, Place
from cloverleaf.types.state import Kind

RSM_LIMIT, SSM_LIMIT, CPM_LIMIT = 16, 512, 255
_RADII = {"a500m": 500.0, "a200m": 200.0, "a100m": 100.0, "a50m": 50.0, "a20m": 20.0, "a10m": 10.0, "a5m": 5.0, "a2m": 2.0,
          "a1m": 1.0, "a50cm": 0.5, "a20cm": 0.2, "a10cm": 0.1, "a5cm": 0.05, "a2cm": 0.02, "a1cm": 0.01}  # fmt: skip
_SOURCE = {"selfinfo": "self", "v2x": "v2x", "video": "video", "microwaveRadar": "radar", "loop": "loop", "lidar": "lidar",
           "integrated": "fused"}  # fmt: skip
_SOURCE_NAME = {v: k for k, v in _SOURCE.items()}
_TYPE = {Kind.CAR: "motor", Kind.TRUCK: "motor", Kind.BUS: "motor", Kind.MOTORCYCLE: "motor", Kind.EMERGENCY: "motor",
         Kind.EBIKE: "non-motor", Kind.BICYCLE: "non-motor", Kind.PEDESTRIAN: "pedestrian"}  # fmt: skip
_KIND = {"motor": Kind.CAR, "non-motor": Kind.BICYCLE, "pedestrian": Kind.PEDESTRIAN}
_VEHICLE = {Kind.CAR: 5, Kind.BUS: 6, Kind.TRUCK: 8, Kind.EMERGENCY: 10}
_OF_VEHICLE = {5: Kind.CAR, 6: Kind.BUS, 7: Kind.TRUCK, 8: Kind.TRUCK, 9: Kind.TRUCK, 10: Kind.EMERGENCY, 11: Kind.BUS}
_VRU: dict[Kind, list[Any]] = {
    Kind.PEDESTRIAN: ["pedestrian", 1], Kind.BICYCLE: ["bicyclistAndLightVruVehicle", 1],
    Kind.EBIKE: ["bicyclistAndLightVruVehicle", 7], Kind.MOTORCYCLE: ["motorcyclist", 2],
}  # fmt: skip
_OF_VRU = {"pedestrian": Kind.PEDESTRIAN, "bicyclistAndLightVruVehicle": Kind.BICYCLE, "motorcyclist": Kind.MOTORCYCLE}
_SPEED, _HEADING = 0.02, 0.0125
_CONTAINER = 5


def read_rsm(value: Any, now: float, standard: str) -> PerceptionMessage:
    """A CSAE RSM (frame value)."""
    body = value[1]
    return _read(body, body["refPos"], body["participants"], None, now)


def read_ssm(value: Any, now: float, standard: str) -> PerceptionMessage:
    """A CSAE SSM (frame value): its participants."""
    body = value[1]["value"][1]
    time = w.nearest_time(body["secMark"], 1e-3, w.MINUTE_MS, now)
    return _read(body, body["sensorPos"], [p["ptc"] for p in body.get("participants", [])], time, now)


def _read(body: Any, position: Any, participants: list[Any], time: float | None, now: float) -> PerceptionMessage:
    place = w.place_of(position["lat"], position["long"], w.si(position.get("elevation"), 0.1, -4096))
    seen = tuple(
        _read_participant(p, place, now) for p in participants if not (p["ptcType"] == "rsu" and p["ptcId"] == 0)
    )
    if time is None:
        time = max((o.time for o in seen if o.time is not None), default=None)
    return PerceptionMessage(w.station_int(body["id"]), time, place, seen)


def _read_participant(p: Any, origin: Place | None, now: float) -> PerceivedObject:
    kind = w.kind_of_class(p["vehicleClass"]["classification"]) if "vehicleClass" in p else None
    size = p["size"]
    return PerceivedObject(
        id=p["ptcId"],
        kind=kind or _KIND.get(p["ptcType"]),
        station=w.station_int(p["id"]) if "id" in p else None,
        time=w.nearest_time(p["secMark"], 1e-3, w.MINUTE_MS, now),
        place=offset_place(p["pos"]["offsetLL"], origin),
        spread=_RADII.get(p["posConfidence"]["pos"]),
        speed=w.si(p["speed"], _SPEED, 8191),
        heading=w.heading_of(w.si(p["heading"], _HEADING, 28800)),
        length=w.si(size["length"], 0.01, 0),
        width=w.si(size["width"], 0.01, 0),
        height=w.si(size.get("height"), 0.05, 0),
        source=_SOURCE.get(p["source"]),
    )


def write_rsm(m: PerceptionMessage, standard: str) -> list[Any]:
    """Frame values of CSAE RSM messages of up to 16 participants each; an empty one carries the roadside unit itself."""
    rows = [_participant(o, m.place, m.time) for o in m.objects] or [_self(m)]
    common = {
        "msgCnt": w.count_of(m.time, 0.1, 128, 0),
        "id": w.station_hex(m.station, 8),
        "refPos": _position(m.place),
    }
    return [["rsmFrame", common | {"participants": rows[i : i + RSM_LIMIT]}] for i in range(0, len(rows), RSM_LIMIT)]


def write_ssm(m: PerceptionMessage, standard: str) -> list[Any]:
    """Frame values of CSAE SSM messages of up to 512 participants each."""
    out = []
    for i in range(0, max(len(m.objects), 1), SSM_LIMIT):
        body: dict[str, Any] = {
            "msgCnt": w.count_of(m.time, 0.1, 128, 0),
            "id": w.station_hex(m.station, 8),
            "equipmentType": "rsu",
            "secMark": w.count_of(m.time, 1e-3, w.MINUTE_MS, 65535),
            "sensorPos": _position(m.place),
        }
        seen = [{"ptc": _participant(o, m.place, m.time)} for o in m.objects[i : i + SSM_LIMIT]]
        if seen:
            body["participants"] = seen
        out.append(["msgFrameExt", {"messageId": 12, "value": ["SensorSharingMsg", body]}])
    return out


def _participant(o: PerceivedObject, origin: Place | None, time: float | None) -> dict[str, Any]:
    lat, long = w.microdegrees(o.place)
    here = w.microdegrees(origin)
    form = offset_ll(lat - here[0], long - here[1]) if origin and o.place else None
    spread = next(
        (name for name, r in reversed(_RADII.items()) if o.spread is not None and o.spread <= r * (1 + 1e-9)),
        "unavailable",
    )
    row: dict[str, Any] = {
        "ptcType": _TYPE.get(o.kind, "unknown") if o.kind is not None else "unknown",
        "ptcId": o.id & 0xFFFF,
        "source": _SOURCE_NAME.get(o.source or "", "unknown"),
        "secMark": w.count_of(o.time if o.time is not None else time, 1e-3, w.MINUTE_MS, 65535),
        "pos": {"offsetLL": form or ["position-LatLon", {"lon": long, "lat": lat}]},
        "posConfidence": {"pos": spread},
        "speed": w.wire(o.speed, _SPEED, 0, 8190, 8191),
        "heading": w.bearing_wire(o.heading, _HEADING, 28800, 28800),
        "size": {"width": w.wire(o.width, 0.01, 1, 1023, 0), "length": w.wire(o.length, 0.01, 1, 4095, 0)},
    }
    if o.station is not None:
        row["id"] = w.station_hex(o.station, 8)
    if o.height is not None:
        row["size"]["height"] = w.wire(o.height, 0.05, 1, 127, 0)
    if o.kind is not None:
        row["vehicleClass"] = {"classification": w.class_of(o.kind)}
    return row


def _self(m: PerceptionMessage) -> dict[str, Any]:
    row = _participant(PerceivedObject(0, None, m.station, m.time, m.place, source="self"), m.place, m.time)
    return row | {"ptcType": "rsu"}


def _position(place: Place | None) -> dict[str, int]:
    lat, long = w.microdegrees(place)
    row = {"lat": lat, "long": long}
    if place is not None and place.elevation is not None:
        row["elevation"] = w.wire(place.elevation, 0.1, -4095, 61439, -4096)
    return row


def read_cpm(value: Any, now: float) -> PerceptionMessage:
    """An ETSI CPM: objects of all its containers of perceived objects."""
    manage = value["payload"]["managementContainer"]
    position = manage["referencePosition"]
    place = w.place_of(
        position["latitude"], position["longitude"], w.si(position["altitude"]["altitudeValue"], 0.01, 800001)
    )
    time = w.from_its_ms(manage["referenceTime"])
    seen: list[PerceivedObject] = []
    for container in value["payload"]["cpmContainers"]:
        name, content = container["containerData"]
        if name == "PerceivedObjectContainer":
            seen += [_read_object(o, place, time) for o in content["perceivedObjects"]]
    return PerceptionMessage(value["header"]["stationId"], time, place, tuple(seen))


def _read_object(o: Any, origin: Place | None, time: float) -> PerceivedObject:
    x, y = o["position"]["xCoordinate"], o["position"]["yCoordinate"]
    spread = max(x["confidence"], y["confidence"])
    speed, course = _read_velocity(o.get("velocity"))
    turned = w.si(o["angles"]["zAngle"]["value"], 0.1, 3601) if "angles" in o else None
    angle = turned if turned is not None else course
    return PerceivedObject(
        id=o.get("objectId", 0),
        kind=_read_class(o.get("classification")),
        time=time + o["measurementDeltaTime"] * 1e-3,
        place=w.shifted(origin, x["value"] * 0.01, y["value"] * 0.01) if origin else None,
        spread=None if spread >= 4095 else spread * 0.01,
        speed=speed,
        heading=None if angle is None else math.pi - (math.pi - math.radians(angle)) % (2 * math.pi),
        length=_read_size(o.get("objectDimensionX")),
        width=_read_size(o.get("objectDimensionY")),
        height=_read_size(o.get("objectDimensionZ")),
    )


def _read_velocity(velocity: Any) -> tuple[float | None, float | None]:
    """(m/s, degrees anticlockwise from east)."""
    if velocity is None:
        return None, None
    form, v = velocity
    if form == "polarVelocity":
        return w.si(v["velocityMagnitude"]["speedValue"], 0.01, 16383), w.si(v["velocityDirection"]["value"], 0.1, 3601)
    x, y = w.si(v["xVelocity"]["value"], 0.01, 16383), w.si(v["yVelocity"]["value"], 0.01, 16383)
    if x is None or y is None:
        return None, None
    return math.hypot(x, y), math.degrees(math.atan2(y, x)) % 360.0


def _read_size(dimension: Any) -> float | None:
    return w.si(dimension["value"], 0.1, 256) if dimension else None


def _read_class(description: Any) -> Kind | None:
    if not description:
        return None
    form, value = description[0]["objectClass"]
    if form == "vehicleSubClass":
        return _OF_VEHICLE.get(value)
    if form == "vruSubClass":
        return Kind.EBIKE if value == _VRU[Kind.EBIKE] else _OF_VRU.get(value[0])
    return None


def write_cpm(m: PerceptionMessage) -> list[Any]:
    """Values of ETSI CPMs of up to 255 objects each; EncodeError without time or place."""
    from cloverleaf.types.errors import EncodeError

    if m.time is None or m.place is None:
        raise EncodeError("a CPM needs a time and a place", path="payload/managementContainer")
    out = []
    for i in range(0, max(len(m.objects), 1), CPM_LIMIT):
        part = [o for o in m.objects[i : i + CPM_LIMIT] if o.place is not None]
        content = {
            "numberOfPerceivedObjects": len(part),
            "perceivedObjects": [_object(o, m.place, m.time) for o in part],
        }
        container = {"containerId": _CONTAINER, "containerData": ["PerceivedObjectContainer", content]}
        manage = {"referenceTime": w.its_ms(m.time), "referencePosition": reference_position(m.place, None)}
        header = {"protocolVersion": 2, "messageId": 14, "stationId": (m.station or 0) & 0xFFFFFFFF}
        out.append({"header": header, "payload": {"managementContainer": manage, "cpmContainers": [container]}})
    return out


def _object(o: PerceivedObject, origin: Place, time: float) -> dict[str, Any]:
    assert o.place is not None
    east, north = w.offset(origin, o.place)
    spread = w.wire(o.spread, 0.01, 1, 4094, 4096)
    row: dict[str, Any] = {
        "objectId": o.id & 0xFFFF,
        "measurementDeltaTime": w.wire((o.time if o.time is not None else time) - time, 1e-3, -2048, 2047, 0),
        "position": {
            "xCoordinate": {"value": w.wire(east, 0.01, -131072, 131071, 0), "confidence": spread},
            "yCoordinate": {"value": w.wire(north, 0.01, -131072, 131071, 0), "confidence": spread},
        },
    }
    angle = 3601 if o.heading is None else round(math.degrees(o.heading) % 360.0 * 10) % 3600
    direction = {"value": angle, "confidence": 127}
    if o.speed is not None:
        magnitude = {"speedValue": w.wire(o.speed, 0.01, 0, 16382, 16383), "speedConfidence": 127}
        row["velocity"] = ["polarVelocity", {"velocityMagnitude": magnitude, "velocityDirection": direction}]
    if o.heading is not None:
        row["angles"] = {"zAngle": direction}
    for name, value in (("Z", o.height), ("Y", o.width), ("X", o.length)):
        if value is not None:
            row[f"objectDimension{name}"] = {"value": w.wire(value, 0.1, 1, 255, 256), "confidence": 32}
    if o.kind in _VEHICLE:
        row["classification"] = [{"objectClass": ["vehicleSubClass", _VEHICLE[o.kind]], "confidence": 101}]
    elif o.kind in _VRU:
        row["classification"] = [{"objectClass": ["vruSubClass", _VRU[o.kind]], "confidence": 101}]
    return row

"""Awareness: CSAE BSM, SAE BSM (part I), ETSI CAM (release 1) <-> `BasicSafetyMessage` and `CooperativeAwarenessMessage`."""

from __future__ import annotations

import math
from typing import Any

from cloverleaf.link.messages import wire as w
from cloverleaf.link.messages.records import (
    EVENTS,
    LIGHTS,
    Accuracy,
    Awareness,
    BasicSafetyMessage,
    CooperativeAwarenessMessage,
    PathPoint,
    Place,
)
from cloverleaf.types.state import Kind

_SPEED, _HEADING, _ACCEL, _RATE, _AXIS = 0.02, 0.0125, 0.01, math.radians(0.01), 0.05
_WHEEL, _ORIENTATION = math.radians(1.5), 360.0 / 65535.0
_ETSI_LIGHTS = ("low_beam", "high_beam", "left_turn", "right_turn", "daytime", "reverse", "fog", "parking")
_LL = ((11, "position-LL1"), (13, "position-LL2"), (15, "position-LL3"), (17, "position-LL4"), (21, "position-LL5"),
       (23, "position-LL6"))  # fmt: skip
_SIREN = {"inUse": True, "notInUse": False}


def read_bsm(value: Any, now: float, standard: str) -> BasicSafetyMessage:
    """A CSAE BSM (frame value)."""
    body = value[1]
    place = w.place_of(body["pos"]["lat"], body["pos"]["long"], _elevation(body["pos"].get("elevation")))
    safety, emergency = body.get("safetyExt", {}), body.get("emergencyExt", {})
    accel, size = body["accelSet"], body["size"]
    time = w.nearest_time(body["secMark"], 1e-3, w.MINUTE_MS, now)
    speed = w.si(body["speed"], _SPEED, 8191)
    if speed is not None and body["transmission"] == "reverseGears":
        speed = -speed
    bar = emergency.get("lightsUse")
    return BasicSafetyMessage(
        station=w.station_int(body["id"]),
        time=time,
        place=place,
        accuracy=_read_accuracy(body.get("posAccuracy")),
        speed=speed,
        heading=w.heading_of(w.si(body["heading"], _HEADING, 28800)),
        accel=w.si(accel["long"], _ACCEL, 2001),
        lateral_accel=_negative(w.si(accel["lat"], _ACCEL, 2001)),
        yaw_rate=-accel["yaw"] * _RATE,
        steering_wheel=_negative(w.si(body.get("angle"), _WHEEL, 127)),
        length=w.si(size["length"], 0.01, 0),
        width=w.si(size["width"], 0.01, 0),
        height=w.si(size.get("height"), 0.05, 0),
        kind=w.kind_of_class(body["vehicleClass"]["classification"]),
        events=w.named_bits(safety.get("events"), EVENTS),
        lights=w.named_bits(safety["lights"], LIGHTS) if "lights" in safety else None,
        siren=_SIREN.get(emergency.get("sirenUse", "")),
        light_bar=None if bar in (None, "unavailable") else bar != "notInUse",
        path=_read_csae_path(safety.get("pathHistory", {}), place),
    )


def write_bsm(m: Awareness, standard: str) -> Any:
    """The frame value of a CSAE BSM."""
    lat, long = w.microdegrees(m.place)
    pos: dict[str, Any] = {"lat": lat, "long": long}
    if m.place is not None and m.place.elevation is not None:
        pos["elevation"] = w.wire(m.place.elevation, 0.1, -4095, 61439, -4096)
    body: dict[str, Any] = {
        "msgCnt": w.count_of(m.time, 0.1, 128, 0),
        "id": w.station_hex(m.station, 8),
        "secMark": w.count_of(m.time, 1e-3, w.MINUTE_MS, 65535),
        "pos": pos,
        "transmission": _gear(m.speed),
        "speed": w.wire(_size(m.speed), _SPEED, 0, 8190, 8191),
        "heading": w.bearing_wire(m.heading, _HEADING, 28800, 28800),
        "accelSet": _acceleration(m),
        "brakes": {},
        "size": {"width": w.wire(m.width, 0.01, 1, 1023, 0), "length": w.wire(m.length, 0.01, 1, 4095, 0)},
        "vehicleClass": {"classification": w.class_of(m.kind)},
    }
    if m.accuracy is not None:
        body["posAccuracy"] = _accuracy(m.accuracy)
    if m.steering_wheel is not None:
        body["angle"] = w.wire(-m.steering_wheel, _WHEEL, -126, 126, 127)
    if m.height is not None:
        body["size"]["height"] = w.wire(m.height, 0.05, 1, 127, 0)
    safety: dict[str, Any] = {}
    if m.events:
        safety["events"] = w.bit_string([EVENTS.index(e) for e in m.events], len(EVENTS))
    if (points := _csae_path(m)) is not None:
        safety["pathHistory"] = {"crumbData": points}
    if m.lights is not None:
        safety["lights"] = w.bit_string([LIGHTS.index(name) for name in m.lights if name in LIGHTS], len(LIGHTS))
    if safety:
        body["safetyExt"] = safety
    if m.siren is not None or m.light_bar is not None:
        siren = {True: "inUse", False: "notInUse", None: "unavailable"}
        body["emergencyExt"] = {"sirenUse": siren[m.siren], "lightsUse": siren[m.light_bar]}
    return ["bsmFrame", body]


def read_sae_bsm(value: Any, now: float) -> BasicSafetyMessage:
    """An SAE BSM, part I (frame value)."""
    core = value["value"][1]["coreData"]
    accel, size = core["accelSet"], core["size"]
    speed = w.si(core["speed"], _SPEED, 8191)
    if speed is not None and core["transmission"] == "reverseGears":
        speed = -speed
    return BasicSafetyMessage(
        station=w.station_int(core["id"]),
        time=w.nearest_time(core["secMark"], 1e-3, w.MINUTE_MS, now),
        place=w.place_of(core["lat"], core["long"], _elevation(core["elev"])),
        accuracy=_read_accuracy(core["accuracy"]),
        speed=speed,
        heading=w.heading_of(w.si(core["heading"], _HEADING, 28800)),
        accel=w.si(accel["long"], _ACCEL, 2001),
        lateral_accel=_negative(w.si(accel["lat"], _ACCEL, 2001)),
        yaw_rate=-accel["yaw"] * _RATE,
        steering_wheel=_negative(w.si(core["angle"], _WHEEL, 127)),
        length=w.si(size["length"], 0.01, 0),
        width=w.si(size["width"], 0.01, 0),
    )


def write_sae_bsm(m: Awareness) -> Any:
    """The frame value of an SAE BSM, part I."""
    lat, long = w.microdegrees(m.place)
    core = {
        "msgCnt": w.count_of(m.time, 0.1, 128, 0),
        "id": w.station_hex(m.station, 4),
        "secMark": w.count_of(m.time, 1e-3, w.MINUTE_MS, 65535),
        "lat": lat,
        "long": long,
        "elev": w.wire(m.place.elevation if m.place else None, 0.1, -4095, 61439, -4096),
        "accuracy": _accuracy(m.accuracy),
        "transmission": _gear(m.speed),
        "speed": w.wire(_size(m.speed), _SPEED, 0, 8190, 8191),
        "heading": w.bearing_wire(m.heading, _HEADING, 28800, 28800),
        "angle": w.wire(_negative(m.steering_wheel), _WHEEL, -126, 126, 127),
        "accelSet": _acceleration(m),
        "brakes": {
            "wheelBrakes": w.bit_string([0], 5), "traction": "unavailable", "abs": "unavailable", "scs": "unavailable",
            "brakeBoost": "unavailable", "auxBrakes": "unavailable",
        },
        "size": {"width": w.wire(m.width, 0.01, 1, 1023, 0), "length": w.wire(m.length, 0.01, 1, 4095, 0)},
    }  # fmt: skip
    return {"messageId": 20, "value": ["BasicSafetyMessage", {"coreData": core}]}


def read_cam(value: Any, now: float) -> CooperativeAwarenessMessage:
    """An ETSI CAM of release 1."""
    parameters = value["cam"]["camParameters"]
    basic, (form, high) = parameters["basicContainer"], parameters["highFrequencyContainer"]
    reference = basic["referencePosition"]
    altitude = w.si(reference["altitude"]["altitudeValue"], 0.01, 800001)
    place = w.place_of(reference["latitude"], reference["longitude"], altitude)
    ms = w.nearest_time(value["cam"]["generationDeltaTime"], 1e-3, w.DELTA_MS, now - w.ITS_EPOCH)
    known: dict[str, Any] = {
        "station": value["header"]["stationID"],
        "time": None if ms is None else ms + w.ITS_EPOCH,
        "place": place,
        "accuracy": _read_ellipse(reference["positionConfidenceEllipse"]),
        "kind": w.kind_of_station(basic["stationType"]),
    }
    if form != "basicVehicleContainerHighFrequency":
        return CooperativeAwarenessMessage(**known, roadside=True)
    speed = w.si(high["speed"]["speedValue"], 0.01, 16383)
    if speed is not None and high["driveDirection"] == "backward":
        speed = -speed
    low = parameters.get("lowFrequencyContainer", (None, {}))[1]
    siren, bar = _read_siren(parameters.get("specialVehicleContainer"))
    length = high["vehicleLength"]["vehicleLengthValue"]
    return CooperativeAwarenessMessage(
        **known,
        speed=speed,
        heading=w.heading_of(w.si(high["heading"]["headingValue"], 0.1, 3601)),
        accel=w.si(high["longitudinalAcceleration"]["longitudinalAccelerationValue"], 0.1, 161),
        lateral_accel=w.si(high.get("lateralAcceleration", {}).get("lateralAccelerationValue"), 0.1, 161),
        yaw_rate=w.si(high["yawRate"]["yawRateValue"], _RATE, 32767),
        steering_wheel=w.si(high.get("steeringWheelAngle", {}).get("steeringWheelAngleValue"), _WHEEL, 512),
        length=w.si(length, 0.1, 1023),
        width=w.si(high["vehicleWidth"], 0.1, 62),
        lights=_read_etsi_lights(low.get("exteriorLights")),
        siren=siren,
        light_bar=bar,
        path=_read_etsi_path(low.get("pathHistory", []), place),
    )


def write_cam(m: Awareness) -> Any:
    """The value of an ETSI CAM of release 1."""
    basic = {
        "stationType": 15 if m.roadside else w.station_type_of(m.kind),
        "referencePosition": reference_position(m.place, m.accuracy),
    }
    high: list[Any] = (
        ["rsuContainerHighFrequency", {}] if m.roadside else ["basicVehicleContainerHighFrequency", _high(m)]
    )
    parameters: dict[str, Any] = {"basicContainer": basic, "highFrequencyContainer": high}
    if not m.roadside and (m.lights is not None or m.path):
        lights = [_ETSI_LIGHTS.index(n) for n in _with_hazard(m.lights or frozenset()) if n in _ETSI_LIGHTS]
        role = "emergency" if m.kind == Kind.EMERGENCY else "default"
        parameters["lowFrequencyContainer"] = [
            "basicVehicleContainerLowFrequency",
            {"vehicleRole": role, "exteriorLights": w.bit_string(lights, 8), "pathHistory": _etsi_path(m)},
        ]
    if not m.roadside and (m.siren is not None or m.light_bar is not None):
        use = w.bit_string([i for i, on in enumerate((m.light_bar, m.siren)) if on], 2)
        parameters["specialVehicleContainer"] = ["emergencyContainer", {"lightBarSirenInUse": use}]
    stamp = w.its_ms(m.time) % w.DELTA_MS if m.time is not None else 0
    return {
        "header": {"protocolVersion": 2, "messageID": 2, "stationID": (m.station or 0) & 0xFFFFFFFF},
        "cam": {"generationDeltaTime": stamp, "camParameters": parameters},
    }


def reference_position(place: Place | None, accuracy: Accuracy | None) -> dict[str, Any]:
    """ReferencePosition of release 1."""
    lat, long = w.microdegrees(place)
    altitude = w.wire(place.elevation if place else None, 0.01, -100000, 800000, 800001)
    ellipse = {
        "semiMajorConfidence": w.wire(accuracy.semi_major if accuracy else None, 0.01, 1, 4093, 4095),
        "semiMinorConfidence": w.wire(accuracy.semi_minor if accuracy else None, 0.01, 1, 4093, 4095),
        "semiMajorOrientation": w.bearing_wire(accuracy.orientation if accuracy else None, 0.1, 3600, 3601),
    }
    return {
        "latitude": lat, "longitude": long, "positionConfidenceEllipse": ellipse,
        "altitude": {"altitudeValue": altitude, "altitudeConfidence": "unavailable"},
    }  # fmt: skip


def _high(m: Awareness) -> dict[str, Any]:
    direction = "unavailable" if m.speed is None else "backward" if m.speed < 0 else "forward"
    high: dict[str, Any] = {
        "heading": {"headingValue": w.bearing_wire(m.heading, 0.1, 3600, 3601), "headingConfidence": 127},
        "speed": {"speedValue": w.wire(_size(m.speed), 0.01, 0, 16382, 16383), "speedConfidence": 127},
        "driveDirection": direction,
        "vehicleLength": {
            "vehicleLengthValue": w.wire(m.length, 0.1, 1, 1022, 1023),
            "vehicleLengthConfidenceIndication": "unavailable",
        },
        "vehicleWidth": w.wire(m.width, 0.1, 1, 61, 62),
        "longitudinalAcceleration": {
            "longitudinalAccelerationValue": w.wire(m.accel, 0.1, -160, 160, 161),
            "longitudinalAccelerationConfidence": 102,
        },
        "curvature": {"curvatureValue": 1023, "curvatureConfidence": "unavailable"},
        "curvatureCalculationMode": "unavailable",
        "yawRate": {
            "yawRateValue": w.wire(m.yaw_rate, _RATE, -32766, 32766, 32767),
            "yawRateConfidence": "unavailable",
        },
    }
    if m.lateral_accel is not None:
        value = w.wire(m.lateral_accel, 0.1, -160, 160, 161)
        high["lateralAcceleration"] = {"lateralAccelerationValue": value, "lateralAccelerationConfidence": 102}
    if m.steering_wheel is not None:
        value = w.wire(m.steering_wheel, _WHEEL, -511, 511, 512)
        high["steeringWheelAngle"] = {"steeringWheelAngleValue": value, "steeringWheelAngleConfidence": 127}
    return high


def _acceleration(m: Awareness) -> dict[str, int]:
    return {
        "long": w.wire(m.accel, _ACCEL, -2000, 2000, 2001),
        "lat": w.wire(_negative(m.lateral_accel), _ACCEL, -2000, 2000, 2001),
        "vert": -127,
        "yaw": w.wire(_negative(m.yaw_rate), _RATE, -32767, 32767, 0),
    }


def _accuracy(a: Accuracy | None) -> dict[str, int]:
    orientation = w.bearing_of(a.orientation) if a and a.orientation is not None else None
    return {
        "semiMajor": w.wire(a.semi_major if a else None, _AXIS, 0, 254, 255),
        "semiMinor": w.wire(a.semi_minor if a else None, _AXIS, 0, 254, 255),
        "orientation": w.wire(orientation, _ORIENTATION, 0, 65534, 65535),
    }


def _read_accuracy(value: Any) -> Accuracy | None:
    if not isinstance(value, dict) or "semiMajor" not in value:
        return None
    major, minor = w.si(value["semiMajor"], _AXIS, 255), w.si(value["semiMinor"], _AXIS, 255)
    if major is None or minor is None:
        return None
    return Accuracy(major, minor, w.heading_of(w.si(value["orientation"], _ORIENTATION, 65535)))


def _read_ellipse(value: Any) -> Accuracy | None:
    major, minor = value["semiMajorConfidence"], value["semiMinorConfidence"]
    if major >= 4094 or minor >= 4094:
        return None
    return Accuracy(major * 0.01, minor * 0.01, w.heading_of(w.si(value["semiMajorOrientation"], 0.1, 3601)))


def _elevation(value: int | None) -> float | None:
    return w.si(value, 0.1, -4096)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _size(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _gear(speed: float | None) -> str:
    return "unavailable" if speed is None else "reverseGears" if speed < 0 else "forwardGears"


def offset_ll(lat: int, long: int) -> list[Any] | None:
    """The shortest PositionOffsetLL that holds an offset in 0.1 microdegrees; None if none does."""
    far = max(lat if lat >= 0 else ~lat, long if long >= 0 else ~long)
    return next(([name, {"lon": long, "lat": lat}] for bits, name in _LL if far < 1 << bits), None)


def _csae_path(m: Awareness) -> list[Any] | None:
    if not m.path or m.place is None:
        return None
    here, points = w.microdegrees(m.place), []
    for p in m.path[:23]:
        lat, long = w.microdegrees(p.place)
        form = offset_ll(lat - here[0], long - here[1])
        if form is not None:
            points.append({"llvOffset": {"offsetLL": form}, "timeOffset": w.wire(p.age, 0.01, 1, 65534, 65535)})
    return points or None


def _read_csae_path(history: Any, place: Place | None) -> tuple[PathPoint, ...]:
    points: list[PathPoint] = []
    for p in history.get("crumbData", []):
        there = offset_place(p["llvOffset"]["offsetLL"], place)
        if there is not None:
            points.append(PathPoint(there, w.si(p["timeOffset"], 0.01, 65535)))
    return tuple(points)


def offset_place(form: Any, origin: Place | None) -> Place | None:
    """The place of a PositionOffsetLL value; None without an origin, or if it is unavailable."""
    name, value = form
    if name == "position-LatLon":
        return w.place_of(value["lat"], value["lon"])
    if origin is None:
        return None
    lat, long = w.microdegrees(origin)
    return w.place_of(lat + value["lat"], long + value["lon"])


def _etsi_path(m: Awareness) -> list[Any]:
    """Each point relative to the one before, the first to the reference position; a step too large ends the path."""
    if m.place is None:
        return []
    at, age, points = w.microdegrees(m.place), 0.0, []
    for p in m.path[:40]:
        lat, long = w.microdegrees(p.place)
        north, east = lat - at[0], long - at[1]
        if max(abs(north), abs(east)) > 131071:
            break
        point: dict[str, Any] = {
            "pathPosition": {"deltaLatitude": north, "deltaLongitude": east, "deltaAltitude": 12800}
        }
        if p.age is not None and p.age > age:
            point["pathDeltaTime"] = w.wire(p.age - age, 0.01, 1, 65535, 1)
            age = p.age
        points.append(point)
        at = (lat, long)
    return points


def _read_etsi_path(points: Any, place: Place | None) -> tuple[PathPoint, ...]:
    if place is None:
        return ()
    (lat, long), age, out = w.microdegrees(place), 0.0, []
    for p in points:
        step = p["pathPosition"]
        if step["deltaLatitude"] == 131072 or step["deltaLongitude"] == 131072:
            break
        lat, long = lat + step["deltaLatitude"], long + step["deltaLongitude"]
        passed = p.get("pathDeltaTime")
        age += (passed or 0) * 0.01
        there = w.place_of(lat, long)
        if there is None:
            break
        out.append(PathPoint(there, age if passed is not None else None))
    return tuple(out)


def _with_hazard(lights: frozenset[str]) -> frozenset[str]:
    return lights | {"left_turn", "right_turn"} if "hazard" in lights else lights


def _read_etsi_lights(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    on = w.named_bits(value, _ETSI_LIGHTS) - {"reverse"}
    return on - {"left_turn", "right_turn"} | {"hazard"} if {"left_turn", "right_turn"} <= on else on


def _read_siren(container: Any) -> tuple[bool | None, bool | None]:
    """(siren, light bar) of a special vehicle."""
    if container is None or "lightBarSirenInUse" not in container[1]:
        return None, None
    bits = w.set_bits(container[1]["lightBarSirenInUse"]) or frozenset()
    return 1 in bits, 0 in bits

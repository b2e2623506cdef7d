"""Events and signs: CSAE RSI and ETSI DENM (release 1) <-> `RoadInformation`. A DENM carries one event, so a message may become several.

RSI knows minutes of the year, a DENM a validity in s; the radius becomes the next larger relevance distance.
"""

from __future__ import annotations

import math
from typing import Any

from cloverleaf.link.messages import wire as w
from cloverleaf.link.messages.awareness import offset_ll, offset_place, reference_position
from cloverleaf.link.messages.event_codes import cause_of, code_of
from cloverleaf.link.messages.records import Place, RoadEvent, RoadInformation, RoadSign, Termination
from cloverleaf.types.errors import EncodeError

_SOURCES = ("unknown", "police", "government", "meteorological", "internet", "detection")
_DISTANCES = {"lessThan50m": 50.0, "lessThan100m": 100.0, "lessThan200m": 200.0, "lessThan500m": 500.0,
              "lessThan1000m": 1000.0, "lessThan5km": 5000.0, "lessThan10km": 10_000.0, "over10km": math.inf}  # fmt: skip
_TERMINATION = {"isCancellation": Termination.CANCELLED, "isNegation": Termination.NEGATED}
_VALIDITY = 600
"""s that a DENM holds unless it says otherwise."""
_TEXT = 512
_UNKNOWN_STEP = 131072


def read_rsi(value: Any, now: float, standard: str) -> RoadInformation:
    """A CSAE RSI (frame value)."""
    body = value[1]
    place = w.place_of(body["refPos"]["lat"], body["refPos"]["long"], w.si(body["refPos"].get("elevation"), 0.1, -4096))
    events = tuple(_read_rte(e, place, now) for e in body.get("rtes", []))
    signs = tuple(_read_rts(s, place) for s in body.get("rtss", []))
    return RoadInformation(w.station_int(body["id"]), w.from_minute_of_year(body.get("moy"), now), place, events, signs)


def _read_rte(e: Any, origin: Place | None, now: float) -> RoadEvent:
    times = e.get("timeDetails", {})
    path, path_radius = _read_path(e.get("referencePaths"), origin)
    return RoadEvent(
        id=e["rteId"],
        code=e["eventType"],
        source=None if e["eventSource"] == "unknown" else e["eventSource"],
        place=offset_place(e["eventPos"]["offsetLL"], origin) if "eventPos" in e else None,
        radius=w.si(e.get("eventRadius"), 0.1),
        start=w.from_minute_of_year(times.get("startTime"), now),
        end=w.from_minute_of_year(times.get("endTime"), now),
        text=_read_text(e.get("description")),
        priority=int(e["priority"]["hex"], 16) >> 5 if "priority" in e else None,
        confidence=w.si(e.get("eventConfidence"), 0.005),
        path=path,
        path_radius=path_radius,
    )


def _read_rts(s: Any, origin: Place | None) -> RoadSign:
    path, path_radius = _read_path(s.get("referencePaths"), origin)
    place = offset_place(s["signPos"]["offsetLL"], origin) if "signPos" in s else None
    return RoadSign(s["rtsId"], s["signType"], place, _read_text(s.get("description")), path, path_radius)


def write_rsi(m: RoadInformation, standard: str) -> Any:
    """The frame value of a CSAE RSI: at most 8 events and 16 signs."""
    origin = m.place or next((e.place for e in m.events if e.place is not None), None)
    lat, long = w.microdegrees(origin)
    body: dict[str, Any] = {
        "msgCnt": w.count_of(m.time, 1.0, 128, 0),
        "id": w.station_hex(m.station, 8),
        "refPos": {"lat": lat, "long": long},
    }
    if origin is not None and origin.elevation is not None:
        body["refPos"]["elevation"] = w.wire(origin.elevation, 0.1, -4095, 61439, -4096)
    if m.time is not None:
        body["moy"] = w.minute_of_year(m.time)
    if m.events:
        body["rtes"] = [_rte(e, origin, standard) for e in m.events[:8]]
    if m.signs:
        body["rtss"] = [_rts(s, origin, standard) for s in m.signs[:16]]
    return ["rsiFrame", body]


def _rte(e: RoadEvent, origin: Place | None, standard: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rteId": e.id & 255,
        "eventType": code_of(e.code, e.cause) & 0xFFFF,
        "eventSource": e.source if e.source in _SOURCES else "unknown",
    }
    if (place := _offset(e.place, origin)) is not None:
        row["eventPos"] = place
    if e.radius is not None:
        row["eventRadius"] = w.wire(e.radius, 0.1, 0, 65535, 0)
    if e.text:
        row["description"] = _description(e.text)
    times = {key: w.minute_of_year(t) for key, t in (("startTime", e.start), ("endTime", e.end)) if t is not None}
    if times:
        row["timeDetails"] = times
    if e.priority is not None:
        row["priority"] = {"hex": f"{(e.priority & 7) << 5:02x}"}
    if (paths := _paths(e.path, e.path_radius, origin, standard)) is not None:
        row["referencePaths"] = paths
    if e.confidence is not None:
        row["eventConfidence"] = w.wire(e.confidence, 0.005, 0, 200, 0)
    return row


def _rts(s: RoadSign, origin: Place | None, standard: str) -> dict[str, Any]:
    row: dict[str, Any] = {"rtsId": s.id & 255, "signType": s.code & 0xFFFF}
    if (place := _offset(s.place, origin)) is not None:
        row["signPos"] = place
    if s.text:
        row["description"] = _description(s.text)
    if (paths := _paths(s.path, s.path_radius, origin, standard)) is not None:
        row["referencePaths"] = paths
    return row


def read_denm(value: Any, now: float) -> RoadInformation:
    """An ETSI DENM of release 1: one event."""
    body = value["denm"]
    manage, situation, location = body["management"], body.get("situation"), body.get("location")
    reference = manage["eventPosition"]
    place = w.place_of(
        reference["latitude"], reference["longitude"], w.si(reference["altitude"]["altitudeValue"], 0.01, 800001)
    )
    start = w.from_its_ms(manage["detectionTime"])
    cause = situation["eventType"] if situation else None
    quality = situation["informationQuality"] if situation else 0
    limit = _DISTANCES.get(manage.get("relevanceDistance", ""))
    station, originator = value["header"]["stationID"], manage["actionID"]["originatingStationID"]
    event = RoadEvent(
        id=manage["actionID"]["sequenceNumber"],
        cause=(cause["causeCode"], cause["subCauseCode"]) if cause else None,
        place=place,
        radius=limit if limit is not None and math.isfinite(limit) else None,
        start=start,
        end=start + manage.get("validityDuration", _VALIDITY),
        confidence=quality / 7 if quality else None,
        path=_read_trace(location["traces"][0], place) if location else (),
        termination=_TERMINATION.get(manage.get("termination", "")),
        originator=None if originator == station else originator,
    )
    return RoadInformation(station, w.from_its_ms(manage["referenceTime"]), None, (event,))


def write_denm(m: RoadInformation) -> list[Any]:
    """The values of one ETSI DENM per event; signs do not travel (IVIM carries those)."""
    return [_denm(m, e) for e in m.events]


def _denm(m: RoadInformation, e: RoadEvent) -> dict[str, Any]:
    start = e.start if e.start is not None else m.time
    reference = m.time if m.time is not None else start
    if start is None or reference is None:
        raise EncodeError("an event without any time cannot become a DENM", path="management/detectionTime")
    station = (m.station or 0) & 0xFFFFFFFF
    originator = station if e.originator is None else e.originator & 0xFFFFFFFF
    place = e.place or m.place
    manage: dict[str, Any] = {
        "actionID": {"originatingStationID": originator, "sequenceNumber": e.id & 0xFFFF},
        "detectionTime": w.its_ms(start),
        "referenceTime": w.its_ms(reference),
        "eventPosition": reference_position(place, None),
        "stationType": 15,
    }
    if e.termination is not None:
        manage["termination"] = next(name for name, t in _TERMINATION.items() if t is e.termination)
    if e.radius is not None:
        manage["relevanceDistance"] = next(name for name, limit in _DISTANCES.items() if e.radius <= limit)
    validity = _VALIDITY if e.end is None else min(max(math.ceil(e.end - start - 1e-6), 0), 86_400)
    if validity != _VALIDITY:
        manage["validityDuration"] = validity
    denm: dict[str, Any] = {"management": manage}
    if e.termination is None:
        cause, sub = cause_of(e.code, e.cause)
        quality = 0 if e.confidence is None else min(max(round(e.confidence * 7), 1), 7)
        denm["situation"] = {"informationQuality": quality, "eventType": {"causeCode": cause, "subCauseCode": sub}}
        trace = _trace(e.path, place)
        if trace:
            denm["location"] = {"traces": [trace]}
    return {"header": {"protocolVersion": 2, "messageID": 1, "stationID": station}, "denm": denm}


def _trace(path: tuple[Place, ...], place: Place | None) -> list[Any]:
    """A path as steps away from the event: the last point of a relevance path is nearest to it."""
    if place is None:
        return []
    at, points = w.microdegrees(place), []
    for p in path[::-1][:40]:
        lat, long = w.microdegrees(p)
        if max(abs(lat - at[0]), abs(long - at[1])) >= _UNKNOWN_STEP:
            break
        step = {"deltaLatitude": lat - at[0], "deltaLongitude": long - at[1], "deltaAltitude": 12800}
        points.append({"pathPosition": step})
        at = (lat, long)
    return points


def _read_trace(points: Any, place: Place | None) -> tuple[Place, ...]:
    if place is None:
        return ()
    (lat, long), out = w.microdegrees(place), []
    for p in points:
        step = p["pathPosition"]
        if _UNKNOWN_STEP in (step["deltaLatitude"], step["deltaLongitude"]):
            break
        lat, long = lat + step["deltaLatitude"], long + step["deltaLongitude"]
        there = w.place_of(lat, long)
        if there is not None:
            out.append(there)
    return tuple(out[::-1])


def _offset(place: Place | None, origin: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    lat, long = w.microdegrees(place)
    here = w.microdegrees(origin)
    form = offset_ll(lat - here[0], long - here[1]) if origin is not None else None
    return {"offsetLL": form or ["position-LatLon", {"lon": long, "lat": lat}]}


def _paths(path: tuple[Place, ...], radius: float | None, origin: Place | None, standard: str) -> list[Any] | None:
    points = [_offset(p, origin) for p in path[:32]]
    if len(points) < (2 if standard == "csae_day2" else 1):
        return None
    return [{"activePath": points, "pathRadius": w.wire(radius, 0.1, 0, 65535, 0)}]


def _read_path(paths: Any, origin: Place | None) -> tuple[tuple[Place, ...], float | None]:
    if not paths:
        return (), None
    points = (offset_place(p["offsetLL"], origin) for p in paths[0]["activePath"])
    return tuple(p for p in points if p is not None), w.si(paths[0]["pathRadius"], 0.1, 0)


def _description(text: str) -> list[Any]:
    if text.isascii():
        return ["textString", text[:_TEXT]]
    raw = text.encode("gb2312", "replace")[:_TEXT]
    return ["textGB2312", {"hex": raw.hex()}]


def _read_text(value: Any) -> str | None:
    if value is None:
        return None
    form, content = value
    return str(content) if form == "textString" else bytes.fromhex(content["hex"]).decode("gb2312", "replace")

"""LivingEvents <-> ETSI DENM (release 1).

The application's event code travels as the sub-cause of collision risk (97); the predicted place of the conflict is the one
event point of the history. Lost: the addressee (a DENM is for everyone), the time to the conflict (NaN), and the exact radius,
which becomes the next larger relevance distance. The end of an event's life travels in whole seconds from its start, rounded up. A DENM
that ends an event says nothing else of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.dicts import decode_all, encode_all
from cloverleaf.link.content.frame import Frame, limited, station_bits, station_from
from cloverleaf.link.life.living import CANCELLED, GOES_ON, NEGATED, LivingEvents
from cloverleaf.types.state import I64, U8

DENM_ID, COLLISION_RISK = 1, 97
DISTANCES = {"lessThan50m": 50.0, "lessThan100m": 100.0, "lessThan200m": 200.0, "lessThan500m": 500.0,
             "lessThan1000m": 1000.0, "lessThan5km": 5000.0, "lessThan10km": 10000.0, "over10km": np.inf}  # fmt: skip
_NO_ALTITUDE = {"altitudeValue": 800001, "altitudeConfidence": "unavailable"}
_NO_ELLIPSE = {"semiMajorConfidence": 4095, "semiMinorConfidence": 4095, "semiMajorOrientation": 3601}
_UNKNOWN_DELTA = 131072
_NOWHERE = 2_000_000_000
_DAY = 86_400
_VALIDITY = 600
"""s that a DENM holds unless it says otherwise."""
_TERMINATION = {CANCELLED: "isCancellation", NEGATED: "isNegation"}


def encode(batch: LivingEvents, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch."""
    latitude, longitude, _ = frame.geo(batch.x, batch.y)
    near_lat, near_lon, _ = frame.geo(batch.conflict_x, batch.conflict_y)
    known = ~(np.isnan(batch.conflict_x) | np.isnan(batch.conflict_y))
    north = np.where(known, np.clip(near_lat - latitude, -131071, 131071), _UNKNOWN_DELTA).tolist()
    east = np.where(known, np.clip(near_lon - longitude, -131071, 131071), _UNKNOWN_DELTA).tolist()
    stamp, first = frame.its_time(batch.time).tolist(), frame.its_time(batch.start).tolist()
    sender, originator = station_bits(batch.station).tolist(), station_bits(batch.originator).tolist()
    lasts = np.clip(np.ceil(batch.end - batch.start - 1e-6), 0, _DAY).astype(np.int64).tolist()
    number, over = (batch.number & 0xFFFF).tolist(), batch.termination.tolist()
    limits = np.array(list(DISTANCES.values()))
    names = [list(DISTANCES)[k] for k in np.searchsorted(limits, batch.radius)]
    code = limited(batch.event.astype(float), 0, 255, 0).tolist()
    values = []
    for i in range(len(sender)):
        place = {"latitude": int(latitude[i]), "longitude": int(longitude[i])}
        management = {
            "actionID": {"originatingStationID": originator[i], "sequenceNumber": number[i]},
            "detectionTime": first[i],
            "referenceTime": stamp[i],
            "eventPosition": place | {"positionConfidenceEllipse": _NO_ELLIPSE, "altitude": _NO_ALTITUDE},
            "relevanceDistance": names[i],
            "stationType": 15,
        }
        if lasts[i] != _VALIDITY:
            management["validityDuration"] = lasts[i]
        if over[i]:
            management["termination"] = _TERMINATION[over[i]]
        point = {"deltaLatitude": north[i], "deltaLongitude": east[i], "deltaAltitude": 12800}
        situation = {
            "informationQuality": 3,
            "eventType": {"causeCode": COLLISION_RISK, "subCauseCode": code[i]},
            "eventHistory": [{"eventPosition": point, "informationQuality": 3}],
        }
        header = {"protocolVersion": 2, "messageID": DENM_ID, "stationID": sender[i]}
        told = {"management": management} if over[i] else {"management": management, "situation": situation}
        values.append({"header": header, "denm": told})
    return encode_all(codec("etsi", "denm"), values)


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[LivingEvents, U8]:
    """(batch, error); a DENM of another cause has event -1 minus its cause code."""
    bodies, error = decode_all(codec("etsi", "denm"), buffer, start)
    table = np.zeros((len(bodies), 12), np.int64)
    radius = np.zeros(len(bodies))
    for i, body in enumerate(bodies):
        if body is not None:
            table[i] = _row(body)
            radius[i] = DISTANCES.get(body["denm"]["management"].get("relevanceDistance", ""), np.nan)
    x, y, _ = frame.enu(table[:, 3], table[:, 4])
    near_x, near_y, _ = frame.enu(table[:, 5], table[:, 6])
    detected = frame.from_its(table[:, 9])
    return LivingEvents(
        station=station_from(table[:, 0]),
        time=frame.from_its(table[:, 1]),
        event=table[:, 2].astype(np.int32),
        x=x,
        y=y,
        radius=radius,
        target=np.full(len(bodies), -1, np.int64),
        conflict_x=near_x,
        conflict_y=near_y,
        time_to_conflict=np.full(len(bodies), np.nan),
        originator=station_from(table[:, 7]),
        number=table[:, 8],
        start=detected,
        end=detected + table[:, 10],
        termination=table[:, 11].astype(np.uint8),
    ), error


def _row(body: dict[str, Any]) -> tuple[int, ...]:
    """(station, reference time, event, latitude, longitude, conflict latitude and longitude, originator, number, detection time, s of
    validity, termination)."""
    management, situation = body["denm"]["management"], body["denm"].get("situation", {})
    cause = situation.get("eventType", {"causeCode": 0, "subCauseCode": 0})
    event = cause["subCauseCode"] if cause["causeCode"] == COLLISION_RISK else -1 - cause["causeCode"]
    place = management["eventPosition"]
    ends = (_NOWHERE, _NOWHERE)
    history = situation.get("eventHistory") or []
    if history and history[0]["eventPosition"]["deltaLatitude"] != _UNKNOWN_DELTA:
        point = history[0]["eventPosition"]
        ends = (place["latitude"] + point["deltaLatitude"], place["longitude"] + point["deltaLongitude"])
    ended = {name: k for k, name in _TERMINATION.items()}.get(management.get("termination", ""), GOES_ON)
    action = management["actionID"]
    return (
        body["header"]["stationID"], management["referenceTime"], event, place["latitude"], place["longitude"], *ends,
        action["originatingStationID"], action["sequenceNumber"], management["detectionTime"],
        management.get("validityDuration", _VALIDITY), ended,
    )  # fmt: skip

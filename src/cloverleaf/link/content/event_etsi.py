"""EventBatch <-> ETSI DENM (release 1).

The application's event code travels as the sub-cause of collision risk (97); the predicted place of the conflict is the one
event point of the history. Lost: the addressee (a DENM is for everyone), the time to the conflict (NaN), and the exact radius,
which becomes the next larger relevance distance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.dicts import decode_all, encode_all
from cloverleaf.link.content.frame import Frame, limited, station_bits, station_from
from cloverleaf.types.messages import EventBatch
from cloverleaf.types.state import I64, U8

DENM_ID, COLLISION_RISK = 1, 97
DISTANCES = {"lessThan50m": 50.0, "lessThan100m": 100.0, "lessThan200m": 200.0, "lessThan500m": 500.0,
             "lessThan1000m": 1000.0, "lessThan5km": 5000.0, "lessThan10km": 10000.0, "over10km": np.inf}  # fmt: skip
_NO_ALTITUDE = {"altitudeValue": 800001, "altitudeConfidence": "unavailable"}
_NO_ELLIPSE = {"semiMajorConfidence": 4095, "semiMinorConfidence": 4095, "semiMajorOrientation": 3601}
_UNKNOWN_DELTA = 131072
_NOWHERE = 2_000_000_000


def encode(batch: EventBatch, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch."""
    latitude, longitude, _ = frame.geo(batch.x, batch.y)
    near_lat, near_lon, _ = frame.geo(batch.conflict_x, batch.conflict_y)
    known = ~(np.isnan(batch.conflict_x) | np.isnan(batch.conflict_y))
    north = np.where(known, np.clip(near_lat - latitude, -131071, 131071), _UNKNOWN_DELTA).tolist()
    east = np.where(known, np.clip(near_lon - longitude, -131071, 131071), _UNKNOWN_DELTA).tolist()
    stamp, sender = frame.its_time(batch.time).tolist(), station_bits(batch.station).tolist()
    limits = np.array(list(DISTANCES.values()))
    names = [list(DISTANCES)[k] for k in np.searchsorted(limits, batch.radius)]
    code = limited(batch.event.astype(float), 0, 255, 0).tolist()
    values = []
    for i in range(len(sender)):
        place = {"latitude": int(latitude[i]), "longitude": int(longitude[i])}
        management = {
            "actionID": {"originatingStationID": sender[i], "sequenceNumber": i & 0xFFFF},
            "detectionTime": stamp[i],
            "referenceTime": stamp[i],
            "eventPosition": place | {"positionConfidenceEllipse": _NO_ELLIPSE, "altitude": _NO_ALTITUDE},
            "relevanceDistance": names[i],
            "stationType": 15,
        }
        point = {"deltaLatitude": north[i], "deltaLongitude": east[i], "deltaAltitude": 12800}
        situation = {
            "informationQuality": 3,
            "eventType": {"causeCode": COLLISION_RISK, "subCauseCode": code[i]},
            "eventHistory": [{"eventPosition": point, "informationQuality": 3}],
        }
        header = {"protocolVersion": 2, "messageID": DENM_ID, "stationID": sender[i]}
        values.append({"header": header, "denm": {"management": management, "situation": situation}})
    return encode_all(codec("etsi", "denm"), values)


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[EventBatch, U8]:
    """(batch, error); a DENM of another cause has event -1 minus its cause code."""
    bodies, error = decode_all(codec("etsi", "denm"), buffer, start)
    table = np.zeros((len(bodies), 7), np.int64)
    radius = np.zeros(len(bodies))
    for i, body in enumerate(bodies):
        if body is not None:
            table[i] = _row(body)
            radius[i] = DISTANCES.get(body["denm"]["management"].get("relevanceDistance", ""), np.nan)
    x, y, _ = frame.enu(table[:, 3], table[:, 4])
    near_x, near_y, _ = frame.enu(table[:, 5], table[:, 6])
    return EventBatch(
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
    ), error


def _row(body: dict[str, Any]) -> tuple[int, ...]:
    """(station, reference time, event, latitude, longitude, conflict latitude, conflict longitude)."""
    management, situation = body["denm"]["management"], body["denm"].get("situation", {})
    cause = situation.get("eventType", {"causeCode": 0, "subCauseCode": 0})
    event = cause["subCauseCode"] if cause["causeCode"] == COLLISION_RISK else -1 - cause["causeCode"]
    place = management["eventPosition"]
    ends = (_NOWHERE, _NOWHERE)
    history = situation.get("eventHistory") or []
    if history and history[0]["eventPosition"]["deltaLatitude"] != _UNKNOWN_DELTA:
        point = history[0]["eventPosition"]
        ends = (place["latitude"] + point["deltaLatitude"], place["longitude"] + point["deltaLongitude"])
    return (
        management["actionID"]["originatingStationID"], management["referenceTime"], event, place["latitude"],
        place["longitude"], *ends,
    )  # fmt: skip

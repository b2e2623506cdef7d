"""LivingEvents <-> CSAE RSI: one traffic event per message, bound to a place.

RSI has minutes only, and no addressee and no predicted conflict: these go as a short text into the event's description,
`to=<station> at=<ms of the minute> in=<s> near=<latitude>,<longitude>`; an event from elsewhere has none and reads as
broadcast, without a conflict and without a time (NaN). Of an event's life its number travels in eight bits, and the minutes around it.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.dicts import decode_all, encode_all, octets, station_of
from cloverleaf.link.content.frame import Frame, limited
from cloverleaf.link.life.living import LivingEvents
from cloverleaf.link.messages import wire as w
from cloverleaf.types.state import I64, U8

_HERE = {"offsetLL": ["position-LL1", {"lon": 0, "lat": 0}]}
_TEXT = re.compile(r"to=(-?\d+) at=(\d+) in=(-?[\d.]+|nan) near=(-?\d+),(-?\d+)")
_NOWHERE = 2_000_000_000
_MINUTE, _TINY = 60.0, 1e-3


def encode(batch: LivingEvents, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch."""
    latitude, longitude, _ = frame.geo(batch.x, batch.y)
    near_lat, near_lon, _ = frame.geo(batch.conflict_x, batch.conflict_y)
    known = ~(np.isnan(batch.conflict_x) | np.isnan(batch.conflict_y))
    near_lat, near_lon = np.where(known, near_lat, _NOWHERE), np.where(known, near_lon, _NOWHERE)
    mark = frame.phase(batch.time, 1e-3, 60_000).tolist()
    radius = limited(batch.radius * 10, 0, 65535, 0).tolist()
    number = batch.number.tolist()
    starts = [w.minute_of_year(frame.clock + t) for t in batch.start.tolist()]
    ends = [w.minute_of_year(frame.clock + t + _MINUTE - _TINY) for t in batch.end.tolist()]
    values = []
    for i, station in enumerate(batch.station.tolist()):
        place = {"lat": int(latitude[i]), "long": int(longitude[i])}
        near = f"{near_lat[i]},{near_lon[i]}"
        text = f"to={batch.target[i]} at={mark[i]} in={batch.time_to_conflict[i]:.2f} near={near}"
        event: dict[str, Any] = {
            "rteId": number[i] & 255,
            "eventType": int(batch.event[i]) & 0xFFFF,
            "eventSource": "detection",
            "eventPos": _HERE,
            "eventRadius": radius[i],
            "description": ["textString", text],
            "timeDetails": {"startTime": starts[i], "endTime": ends[i]},
        }
        values.append(["rsiFrame", {"msgCnt": i & 127, "id": octets(station), "refPos": place, "rtes": [event]}])
    return encode_all(codec(standard, "rsi"), values)


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[LivingEvents, U8]:
    """(batch, error): the first event of each message; positions by any offset form are read."""
    bodies, error = decode_all(codec(standard, "rsi"), buffer, start)
    n = len(bodies)
    table, mark = np.zeros((n, 8), np.int64), np.full(n, -1)
    delay, begin, end = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.inf)
    number, here = np.zeros(n, np.int64), frame.clock + frame.now
    table[:, 4], table[:, 5:7] = -1, _NOWHERE
    for i, body in enumerate(bodies):
        if not body or not body.get("rtes"):
            error[i] = error[i] or 1
            continue
        event = body["rtes"][0]
        place = position(body["refPos"], event.get("eventPos", _HERE))
        table[i, :4] = (station_of(body["id"]), event["eventType"], *place)
        table[i, 7] = event.get("eventRadius", 0)
        number[i] = event["rteId"]
        times = event.get("timeDetails", {})
        for column, key in ((begin, "startTime"), (end, "endTime")):
            moment = w.from_minute_of_year(times.get(key), here)
            if moment is not None:
                column[i] = moment - frame.clock
        text = _TEXT.fullmatch(event.get("description", ("", ""))[1] if "description" in event else "")
        if text:
            table[i, 4] = max(min(int(text[1]), (1 << 63) - 1), -(1 << 63))
            mark[i] = int(text[2]) % 60_000
            delay[i] = float(text[3])
            table[i, 5:7] = [max(min(int(text[k]), _NOWHERE), -_NOWHERE) for k in (4, 5)]
    x, y, _ = frame.enu(table[:, 2], table[:, 3])
    near_x, near_y, _ = frame.enu(table[:, 5], table[:, 6])
    return LivingEvents(
        station=table[:, 0],
        time=np.where(mark < 0, np.nan, frame.unphase(mark, 1e-3, 60_000)),
        event=table[:, 1].astype(np.int32),
        x=x,
        y=y,
        radius=table[:, 7].astype(float) * 0.1,
        target=table[:, 4],
        conflict_x=near_x,
        conflict_y=near_y,
        time_to_conflict=delay,
        originator=table[:, 0],
        number=number,
        start=begin,
        end=end,
        termination=np.zeros(n, np.uint8),
    ), error


def position(reference: dict[str, int], offset: dict[str, Any]) -> tuple[int, int]:
    """(latitude, longitude) in 1e-7 deg of an offset from a reference point."""
    form, value = offset["offsetLL"]
    if form == "position-LatLon":
        return value["lat"], value["lon"]
    return reference["lat"] + value["lat"], reference["long"] + value["lon"]

"""SAE TIM <-> `RoadInformation`: one frame per event, its text as the advisory, its place as a circle, its path as nodes.

Of the ITIS phrase codes only 513 (accident) is used, since the list is not openly available; the text says the rest.
"""

from __future__ import annotations

import calendar
import math
import time as clock
from typing import Any

from cloverleaf.link.messages import wire as w
from cloverleaf.link.messages.event_codes import cause_of
from cloverleaf.link.messages.records import Place, RoadEvent, RoadInformation
from cloverleaf.types.errors import EncodeError

_ACCIDENT, _ACCIDENT_CAUSE = 513, (2, 0)
_FOR_EVER = 32_000
_LL = ((11, "node-LL1"), (13, "node-LL2"), (15, "node-LL3"), (17, "node-LL4"), (21, "node-LL5"), (23, "node-LL6"))
_UNITS = {"centimeter": 0.01, "cm2-5": 0.025, "decimeter": 0.1, "meter": 1.0, "kilometer": 1000.0, "foot": 0.3048, "yard": 0.9144,
          "mile": 1609.344}  # fmt: skip
_EVERYWHERE = {"hex": "ffff", "bits": 16}
_RADIUS = 4095
_WORDS = {1: "traffic", 2: "accident", 3: "road works", 6: "slippery road", 7: "water on road", 9: "bad surface", 10: "obstacle",
          11: "animals on road", 12: "people on road", 14: "wrong-way driver", 17: "extreme weather", 18: "poor visibility",
          19: "precipitation", 26: "slow vehicle", 27: "queue end", 91: "breakdown", 94: "stationary vehicle",
          95: "emergency vehicle", 97: "collision risk", 98: "signal violation", 99: "danger"}  # fmt: skip
"""ETSI cause -> the text that goes out where an event has none of its own."""


def read_tim(value: Any, now: float) -> RoadInformation:
    """An SAE TIM (frame value)."""
    body = value["value"][1]
    stamp = body.get("timeStamp")
    sent = w.from_minute_of_year(stamp, now)
    events = tuple(_read_frame(i, f, now) for i, f in enumerate(body["dataFrames"]))
    return RoadInformation(None, sent, None, events)


def _read_frame(number: int, f: Any, now: float) -> RoadEvent:
    start = w.from_minute_of_year(f["startTime"], now)
    if start is not None and f.get("startYear"):
        start = _year(f["startYear"]) + 60.0 * f["startTime"]
    end = None if start is None or f["durationTime"] >= _FOR_EVER else start + 60.0 * f["durationTime"]
    place: Place | None = None
    radius: float | None = None
    path: tuple[Place, ...] = ()
    for region in f["regions"]:
        here, around, along = _read_region(region)
        place, radius, path = place or here, radius if radius is not None else around, path or along
    items = [item["item"] for item in f["content"][1]]
    accident = ["itis", _ACCIDENT] in items
    text = " ".join(str(content) for form, content in items if form == "text") or None
    return RoadEvent(
        id=number, cause=_ACCIDENT_CAUSE if accident else None, place=place, radius=radius, start=start, end=end, text=text,
        priority=f["priority"], path=path,
    )  # fmt: skip


def _read_region(region: Any) -> tuple[Place | None, float | None, tuple[Place, ...]]:
    """(place, radius, path) of a geographical path."""
    anchor = region.get("anchor")
    here = _place(anchor) if anchor else None
    form, content = region.get("description", ("", None))
    if form == "geometry":
        circle = content["circle"]
        return _place(circle["center"]), circle["radius"] * _UNITS[circle["units"]], ()
    if form != "path" or content["offset"][0] != "ll" or content["offset"][1][0] != "nodes" or here is None:
        return here, None, ()
    (lat, long), points = w.microdegrees(here), []
    for node in content["offset"][1][1]:
        name, d = node["delta"]
        if name == "node-LatLon":
            lat, long = d["lat"], d["lon"]
        elif name != "regional":
            lat, long = lat + d["lat"], long + d["lon"]
        there = w.place_of(lat, long)
        if there is not None:
            points.append(there)
    return None, None, tuple(points)


def write_tim(m: RoadInformation) -> Any:
    """The frame value of an SAE TIM: at most 8 events."""
    if not m.events:
        raise EncodeError("a TIM needs an event", path="dataFrames")
    body: dict[str, Any] = {
        "msgCnt": w.count_of(m.time, 1.0, 128, 0),
        "dataFrames": [_frame(e, m) for e in m.events[:8]],
    }
    if m.time is not None:
        body["timeStamp"] = w.minute_of_year(m.time)
    return {"messageId": 31, "value": ["TravelerInformation", body]}


def _frame(e: RoadEvent, m: RoadInformation) -> dict[str, Any]:
    start = e.start if e.start is not None else m.time
    cause = cause_of(e.code, e.cause)
    text = e.text or _WORDS.get(cause[0], "danger")
    items: list[list[Any]] = [["itis", _ACCIDENT]] if cause[0] == _ACCIDENT_CAUSE[0] else []
    items.append(["text", text.encode("ascii", "replace").decode()[:500]])
    row: dict[str, Any] = {
        "notUsed": 0,
        "frameType": "advisory",
        "msgId": ["furtherInfoID", {"hex": "0000"}],
        "startTime": 527_040 if start is None else w.minute_of_year(start),
        "durationTime": _FOR_EVER
        if e.end is None or start is None
        else min(max(math.ceil((e.end - start) / 60), 0), _FOR_EVER),
        "priority": (e.priority or 0) & 7,
        "notUsed1": 0,
        "regions": _regions(e, m.place),
        "notUsed2": 0,
        "notUsed3": 0,
        "content": ["advisory", [{"item": item} for item in items]],
    }
    if start is not None:
        row["startYear"] = clock.gmtime(start).tm_year
    return row


def _regions(e: RoadEvent, origin: Place | None) -> list[dict[str, Any]]:
    place = e.place or origin
    if place is None:
        raise EncodeError("an event without any place cannot become a TIM", path="regions")
    common = {"directionality": "both", "closedPath": False, "direction": _EVERYWHERE}
    radius = e.radius or 0.0
    units = "decimeter" if radius <= 0.1 * _RADIUS else "meter"
    circle = {"center": _position(place), "radius": min(round(radius / _UNITS[units]), _RADIUS), "units": units}
    regions: list[dict[str, Any]] = [
        common | {"description": ["geometry", {"direction": _EVERYWHERE, "circle": circle}]}
    ]
    if len(e.path) > 1:
        nodes, at = [], w.microdegrees(place)
        for p in e.path[:63]:
            lat, long = w.microdegrees(p)
            north, east = lat - at[0], long - at[1]
            far = max(north if north >= 0 else ~north, east if east >= 0 else ~east)
            name = next((name for bits, name in _LL if far < 1 << bits), None)
            delta = [name, {"lon": east, "lat": north}] if name else ["node-LatLon", {"lon": long, "lat": lat}]
            nodes.append({"delta": delta})
            at = (lat, long)
        path = ["path", {"offset": ["ll", ["nodes", nodes]]}]
        regions.append(common | {"anchor": _position(place), "description": path})
    return regions


def _position(place: Place) -> dict[str, int]:
    lat, long = w.microdegrees(place)
    row = {"lat": lat, "long": long}
    return row if place.elevation is None else row | {"elevation": w.wire(place.elevation, 0.1, -4095, 61439, -4096)}


def _place(value: Any) -> Place | None:
    return w.place_of(value["lat"], value["long"], w.si(value.get("elevation"), 0.1, -4096))


def _year(year: int) -> float:
    return float(calendar.timegm((min(max(year, 1), 4095), 1, 1, 0, 0, 0)))

"""Places to stop (bus stops, parking, charging) of SUMO's additional files."""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.map.io.sumo_lanes import LaneTable
from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.types.errors import nearest

STOP_TAGS = ("busStop", "trainStop", "containerStop", "chargingStation", "parkingArea")


class StopRow(NamedTuple):
    """One place; positions in m along the lane."""

    lane: int
    begin: float
    end: float


def read_stops(source: XmlSource, root: Element, lanes: LaneTable, stops: dict[str, StopRow]) -> None:
    """Add the places below `root`; negative positions count from the end of the lane, `friendlyPos` pulls them onto it."""
    for tag in STOP_TAGS:
        for element in root.iterfind(tag):
            name = source.text(element, "id")
            if name in stops:
                source.fail(element, "this stop is defined twice")
            lane_id = source.text(element, "lane")
            lane = lanes.row.get(lane_id)
            if lane is None:
                source.fail(element, f"lane '{lane_id}' does not exist", nearest(lane_id, lanes.row))
            length = float(lanes.length[lane])
            begin = _position(source, element, "startPos", 0.0, length)
            end = _position(source, element, "endPos", length, length)
            if end - begin < 0.1:
                if not source.flag(element, "friendlyPos"):
                    source.fail(element, f"the stop from {begin:g} to {end:g} m is shorter than 0.1 m")
                begin = max(0.0, end - 0.1)
                end = min(length, begin + 0.1)
            stops[name] = StopRow(lane, begin, end)


def _position(source: XmlSource, element: Element, name: str, default: float, length: float) -> float:
    value = source.number(element, name, default)
    if value < 0.0:
        value += length
    # SUMO cuts positions up to its rounding of lane lengths without complaint.
    if not -0.1 <= value <= length + 0.1 and not source.flag(element, "friendlyPos"):
        source.fail(
            element, f"{name}='{element.get(name)}' is off its lane of {length:g} m", "friendlyPos='1' pulls it back"
        )
    return min(max(value, 0.0), length)

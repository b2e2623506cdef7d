"""SUMO's attributes of departure and arrival: times, and symbolic lanes, positions and speeds."""

from __future__ import annotations

import math
from typing import NamedTuple

from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.types.demand import Depart
from cloverleaf.types.errors import nearest

LANES = {
    "first": Depart.FIRST, "best": Depart.BEST, "free": Depart.FREE, "random": Depart.RANDOM, "allowed": Depart.FREE,
    "best_prob": Depart.BEST,
}  # fmt: skip
POSITIONS = {
    "base": Depart.BASE, "last": Depart.LAST, "free": Depart.FREE, "random": Depart.RANDOM, "random_free": Depart.RANDOM,
    "stop": Depart.BASE,
}  # fmt: skip
SPEEDS = {
    "max": Depart.MAX, "desired": Depart.DESIRED, "random": Depart.RANDOM, "speedLimit": Depart.SPEED_LIMIT,
    "last": Depart.LAST, "avg": Depart.AVERAGE,
}  # fmt: skip


class DepartureAttributes(NamedTuple):
    """The fields of `Mover` with the same names."""

    depart_lane: int
    depart_pos: float
    depart_back: float
    depart_speed: float
    arrival_pos: float


def seconds(source: XmlSource, element: Element, name: str, default: float | None = None) -> float:
    """A time in s: a number, or 'hours:minutes:seconds' with days in front where there are four parts."""
    text = element.get(name)
    if text is None or ":" not in text:
        return source.number(element, name, default)
    try:
        parts = [float(p) for p in text.split(":")]
        if not 3 <= len(parts) <= 4 or not all(math.isfinite(p) for p in parts):
            raise ValueError
    except ValueError:
        source.fail(element, f"{name}='{text}' is not a time", "seconds or hours:minutes:seconds")
    days, hours, minutes, rest = [0.0, *parts][-4:]
    return ((days * 24.0 + hours) * 60.0 + minutes) * 60.0 + rest


def departure_attributes(source: XmlSource, element: Element) -> DepartureAttributes:
    """Lane, position, speed and arrival of a vehicle, trip or flow; SUMO's defaults where absent."""
    lane = _symbol_or_number(source, element, "departLane", LANES, float(Depart.FIRST))
    if lane >= 0.0 and lane != int(lane):
        source.fail(element, f"departLane='{element.get('departLane')}' is not a whole number")
    position = _symbol_or_number(source, element, "departPos", POSITIONS, float(Depart.BASE), negative=True)
    back = -1.0
    if element.get("departPos") not in (None, *POSITIONS) and position < 0.0:
        back, position = -position, float(Depart.BASE)
    speed = _symbol_or_number(source, element, "departSpeed", SPEEDS, 0.0)
    arrival = math.inf
    if element.get("arrivalPos") not in (None, "max", "random", "center"):
        arrival = source.number(element, "arrivalPos")
    return DepartureAttributes(int(lane), position, back, speed, arrival)


def _symbol_or_number(
    source: XmlSource, element: Element, name: str, symbols: dict[str, Depart], default: float, negative: bool = False
) -> float:
    text = element.get(name)
    if text is None:
        return default
    if text in symbols:
        return float(symbols[text])
    try:
        value = float(text)
    except ValueError:
        source.fail(element, f"{name}='{text}' is not supported", nearest(text, symbols))
    if not math.isfinite(value) or (value < 0.0 and not negative):
        source.fail(element, f"{name}='{text}' is impossible")
    return value

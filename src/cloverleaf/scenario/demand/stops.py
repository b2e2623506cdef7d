"""Scheduled halts: `stop` elements of SUMO's routes and vehicles."""

from __future__ import annotations

from cloverleaf.map.graph import BaseMap
from cloverleaf.map.io.sumo_stops import STOP_TAGS
from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.scenario.demand.departures import seconds
from cloverleaf.scenario.demand.plan import Stop
from cloverleaf.types.errors import nearest


class StopPlaces:
    """Lanes and stops of a map by name."""

    def __init__(self, base_map: BaseMap) -> None:
        self.graph = base_map.graph
        self.stop_row = {name: i for i, name in enumerate(base_map.stop_ids)}
        self.lane_row = {name: i for i, name in enumerate(base_map.lane_ids)}

    def read(self, source: XmlSource, parent: Element) -> tuple[Stop, ...]:
        """The stops below `parent` in order. `duration` or `until` must say how long."""
        return tuple(self._read_stop(source, element) for element in parent.iterfind("stop"))

    def _read_stop(self, source: XmlSource, element: Element) -> Stop:
        lane, begin, end = self._place(source, element)
        duration = seconds(source, element, "duration", 0.0)
        until = seconds(source, element, "until", -1.0)
        if "duration" not in element.attrib and "until" not in element.attrib:
            if element.get("triggered") is None:
                source.fail(element, "a stop needs 'duration' or 'until'")
        if duration < 0.0:
            source.fail(element, f"duration='{element.get('duration')}' is negative")
        parking = element.get("parking", "0") not in ("0", "false", "False")
        return Stop(lane, begin, end, duration, until, int(parking))

    def _place(self, source: XmlSource, element: Element) -> tuple[int, float, float]:
        for tag in STOP_TAGS:
            name = element.get(tag)
            if name is not None:
                row = self.stop_row.get(name)
                if row is None:
                    source.fail(element, f"{tag} '{name}' does not exist", nearest(name, self.stop_row))
                return (
                    int(self.graph.stop_lane[row]),
                    float(self.graph.stop_begin[row]),
                    float(self.graph.stop_end[row]),
                )
        name = source.text(element, "lane")
        lane = self.lane_row.get(name)
        if lane is None:
            source.fail(element, f"lane '{name}' does not exist", nearest(name, self.lane_row))
        length = float(self.graph.lane_length[lane])
        end = self._position(source, element, "endPos", length, length)
        begin = self._position(source, element, "startPos", max(0.0, end - 0.2), length)
        if begin > end:
            source.fail(element, f"the stop begins at {begin:g} m and ends at {end:g} m")
        return lane, begin, end

    def _position(self, source: XmlSource, element: Element, name: str, default: float, length: float) -> float:
        value = source.number(element, name, default)
        if value < 0.0:
            value += length
        if not -0.1 <= value <= length + 0.1 and not source.flag(element, "friendlyPos"):
            source.fail(element, f"{name}='{element.get(name)}' is off its lane of {length:g} m")
        return min(max(value, 0.0), length)

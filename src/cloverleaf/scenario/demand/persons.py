"""People on foot: `person` and `personFlow` elements of SUMO route files."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.graph import BaseMap
from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.scenario.demand.footpaths import FootGraph
from cloverleaf.scenario.demand.plan import Walk
from cloverleaf.scenario.demand.vehicle_types import TypeBook
from cloverleaf.types.errors import nearest
from cloverleaf.types.state import I32


class PersonReader:
    """Reads people one by one; the footways of the map are prepared when the first person needs them."""

    def __init__(self, base_map: BaseMap, edge_row: dict[str, int], types: TypeBook) -> None:
        self.base_map, self.edge_row, self.types = base_map, edge_row, types
        self.walks: list[Walk] = []
        self._feet: FootGraph | None = None

    def read(self, source: XmlSource, element: Element, depart: float) -> Walk:
        """The walks of one person (or the pattern of a flow) joined into one path; halts between them are left out."""
        if self._feet is None:
            self._feet = FootGraph(self.base_map.graph)
        types = self.types.find(source, element, element.get("type", "DEFAULT_PEDTYPE"))
        lanes: list[int] = []
        here, position, first = -1, source.number(element, "departPos", 0.0), 0.0
        walks = element.findall("walk")
        if not walks:
            source.fail(element, "a person needs a walk", "rides are not supported")
        for number, walk in enumerate(walks):
            edges = self._edges(source, walk, here)
            position = self._offset(source, walk, "departPos", edges[0], position)
            if number == 0:
                first = position
            arrival = self._arrival(source, walk, edges[-1])
            for a, b in zip(edges, edges[1:] or edges):
                end = arrival if b == edges[-1] else 0.5 * self._length(b)
                path = self._feet.path(a, b, position, end)
                if len(path) == 0:
                    names = self.base_map.edge_ids
                    source.fail(walk, f"no footway leads from '{names[a]}' to '{names[b]}'")
                lanes.extend(path[1:] if lanes and lanes[-1] == path[0] else path)
                position = end
            here = edges[-1]
        return Walk(source.text(element, "id"), depart, types, np.array(lanes, np.int32), first, position)

    def _edges(self, source: XmlSource, walk: Element, here: int) -> list[int]:
        if walk.get("edges"):
            return [self._edge(source, walk, name) for name in walk.get("edges").split()]
        origin = self._edge(source, walk, walk.get("from")) if walk.get("from") else here
        if origin < 0:
            source.fail(walk, "attribute 'from' is missing")
        stop = walk.get("busStop")
        if stop is not None:
            return [origin, int(self.base_map.graph.lane_edge[self._stop_lane(source, walk, stop)])]
        return [origin, self._edge(source, walk, source.text(walk, "to"))]

    def _edge(self, source: XmlSource, walk: Element, name: str) -> int:
        row = self.edge_row.get(name)
        if row is None:
            source.fail(walk, f"edge '{name}' does not exist", nearest(name, self.edge_row))
        if self._feet is not None and self._feet.lane_of_edge[row] < 0:
            source.fail(walk, f"edge '{name}' has no lane for people on foot")
        return row

    def _stop_lane(self, source: XmlSource, walk: Element, name: str) -> int:
        stops = {stop: i for i, stop in enumerate(self.base_map.stop_ids)}
        if name not in stops:
            source.fail(walk, f"busStop '{name}' does not exist", nearest(name, stops))
        return int(self.base_map.graph.stop_lane[stops[name]])

    def _arrival(self, source: XmlSource, walk: Element, edge: int) -> float:
        stop = walk.get("busStop")
        if stop is not None and "arrivalPos" not in walk.attrib:
            row = self.base_map.stop_ids.index(stop)
            return float(0.5 * (self.base_map.graph.stop_begin[row] + self.base_map.graph.stop_end[row]))
        return self._offset(source, walk, "arrivalPos", edge, self._length(edge))

    def _offset(self, source: XmlSource, walk: Element, name: str, edge: int, default: float) -> float:
        if walk.get(name) in ("random", "max", "base"):
            return default
        value = source.number(walk, name, default)
        length = self._length(edge)
        return min(max(value + length if value < 0.0 else value, 0.0), length)

    def _length(self, edge: int) -> float:
        assert self._feet is not None
        return float(self.base_map.graph.lane_length[self._feet.lane_of_edge[edge]])


def path_table(paths: list[I32]) -> tuple[np.ndarray, np.ndarray]:
    """Paths in compressed form: offsets (n + 1,) and lanes."""
    start = np.concatenate(([0], np.cumsum([len(p) for p in paths]))).astype(np.int64)
    return start, np.concatenate(paths).astype(np.int32) if paths else np.zeros(0, np.int32)

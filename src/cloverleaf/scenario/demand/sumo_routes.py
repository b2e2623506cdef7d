"""SUMO route files (.rou.xml, .rou.xml.gz) as a `DemandPlan`.

Format: sumo.dlr.de/docs/Definition_of_Vehicles,_Vehicle_Types,_and_Routes.html.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cloverleaf.map.census import APPROXIMATED, take_census
from cloverleaf.map.graph import BaseMap, Feature
from cloverleaf.map.io.sumo_notes import DEMAND_TAGS
from cloverleaf.map.io.sumo_xml import Element, XmlSource, load_xml
from cloverleaf.scenario.demand.departures import departure_attributes, seconds
from cloverleaf.scenario.demand.notes import DEMAND_NOTES
from cloverleaf.scenario.demand.persons import PersonReader
from cloverleaf.scenario.demand.plan import DemandPlan, Flow, Mover, RouteSpec, Stop, Timing
from cloverleaf.scenario.demand.stops import StopPlaces
from cloverleaf.scenario.demand.vehicle_types import EXACT_MODELS, Choice, TypeBook, single, weighted
from cloverleaf.types.errors import DemandError, nearest

ROUTE_ROOTS = ("routes", "additional", "add", "a", "vTypes", "trips")
_RATES = ("vehsPerHour", "perHour", "personsPerHour")


def read_sumo_routes(
    base_map: BaseMap, route_files: Iterable[str | Path], additional: Iterable[str | Path] = ()
) -> DemandPlan:
    """Read route files and the vehicle types, routes and vehicles of additional files.

    Raises DemandError with file:line:element for broken XML and for edges, types, routes or stops that do not exist.
    """
    reader = _Reader(base_map)
    files = [(*load_xml(file, DemandError, ROUTE_ROOTS), True) for file in additional]
    files += [(*load_xml(file, DemandError, ROUTE_ROOTS), False) for file in route_files]
    for source, root, _ in files:
        reader.types.read(source, root)
    for source, root, is_additional in files:
        reader.read(source, root, is_additional)
    return reader.plan()


class _Reader:
    """Names of the map and what has been read so far."""

    def __init__(self, base_map: BaseMap) -> None:
        graph = base_map.graph
        self.edge_row = {name: i for i, name in enumerate(base_map.edge_ids) if not graph.edge_internal[i]}
        self.types = TypeBook()
        self.places = StopPlaces(base_map)
        self.persons = PersonReader(base_map, self.edge_row, self.types)
        self.routes: list[np.ndarray] = []
        self.route_stops: dict[int, tuple[Stop, ...]] = {}
        self.route_of_edges: dict[str, int] = {}
        self.choices: dict[str, Choice] = {}
        self.movers: list[Mover] = []
        self.flows: list[Flow] = []
        self.names: set[str] = set()
        self.census: list[Feature] = []

    def plan(self) -> DemandPlan:
        return DemandPlan(
            self.types, self.routes, self.route_stops, self.movers, self.persons.walks, self.flows, tuple(self.census)
        )

    def read(self, source: XmlSource, root: Element, additional: bool) -> None:
        self.census.extend(_census(source.path, root, additional))
        for element in root.iterfind("route"):
            name = source.text(element, "id")
            if name in self.choices:
                source.fail(element, "this route is defined twice")
            self.choices[name] = single(self._route(source, element, share=False))
        for element in root.iterfind("routeDistribution"):
            self.choices[source.text(element, "id")] = self._distribution(source, element)
        for element in root:
            self._read_child(source, element)

    def _read_child(self, source: XmlSource, element: Element) -> None:
        tag = element.tag
        if tag == "interval":
            for child in element:
                self._read_child(source, child)
        elif tag in ("vehicle", "trip"):
            name = self._name(source, element)
            depart = self._depart(source, element)
            self.movers.append(self._mover(source, element, name, depart))
        elif tag == "flow":
            name = self._name(source, element)
            timing = self._timing(source, element)
            self.flows.append(Flow(self._mover(source, element, name, timing.begin), timing))
        elif tag == "person":
            self._name(source, element)
            self.persons.walks.append(self.persons.read(source, element, self._depart(source, element)))
        elif tag == "personFlow":
            self._name(source, element)
            timing = self._timing(source, element)
            self.flows.append(Flow(self.persons.read(source, element, timing.begin), timing))

    def _name(self, source: XmlSource, element: Element) -> str:
        name = source.text(element, "id")
        if name in self.names:
            source.fail(element, "this id is used twice")
        self.names.add(name)
        return name

    def _depart(self, source: XmlSource, element: Element) -> float:
        if element.get("depart") in ("triggered", "containerTriggered", "split", "now"):
            source.fail(element, f"depart='{element.get('depart')}' is not supported", "a time in seconds")
        if element.get("depart") == "begin":
            return 0.0
        depart = seconds(source, element, "depart")
        if depart < 0.0:
            source.fail(element, f"depart='{element.get('depart')}' is negative")
        return depart

    def _timing(self, source: XmlSource, element: Element) -> Timing:
        parent = element.getparent()
        interval = parent if parent is not None and parent.tag == "interval" else element
        begin = seconds(source, element, "begin", seconds(source, interval, "begin", 0.0))
        end = seconds(
            source, element, "end", seconds(source, interval, "end", math.inf) if "end" in interval.attrib else math.inf
        )
        number = source.integer(element, "number", -1)
        if end < begin or begin < 0.0:
            source.fail(element, f"a flow from {begin:g} s to {end:g} s is impossible")
        if "probability" in element.attrib:
            probability = source.number(element, "probability")
            if not 0.0 <= probability <= 1.0:
                source.fail(element, f"probability='{probability:g}' is not between 0 and 1")
            return Timing(begin, end, probability=probability, number=number)
        text = element.get("period", "")
        if text.startswith("exp("):
            try:
                rate = float(text[4:].rstrip(") "))
            except ValueError:
                rate = math.nan
            if not (math.isfinite(rate) and rate > 0.0):
                source.fail(element, f"period='{text}' is not exp(rate) with a rate per second > 0")
            return Timing(begin, end, rate=rate, number=number)
        period = math.nan
        if text:
            period = source.number(element, "period")
        for name in _RATES:
            if name in element.attrib:
                rate = source.number(element, name)
                if rate < 0.0:
                    source.fail(element, f"{name}='{rate:g}' is negative")
                period = 3600.0 / rate if rate > 0.0 else math.inf
        if math.isnan(period):
            if number < 0 or (number > 0 and not math.isfinite(end)):
                source.fail(element, "a flow needs period, vehsPerHour, probability, or number with end")
            period = (end - begin) / number if number > 0 else math.inf
        if period <= 0.0:
            source.fail(element, f"a flow with {period:g} s between vehicles is impossible")
        return Timing(begin, end, period=period, number=number)

    def _mover(self, source: XmlSource, element: Element, name: str, depart: float) -> Mover:
        types = self.types.find(source, element, element.get("type", "DEFAULT_VEHTYPE"))
        attributes = departure_attributes(source, element)
        route = self._way(source, element)
        stops = self.places.read(source, element)
        return Mover(
            name,
            depart,
            types,
            route,
            stops=stops,
            file=source.path,
            line=element.sourceline or 0,
            **attributes._asdict(),
        )

    def _way(self, source: XmlSource, element: Element) -> RouteSpec:
        name = element.get("route")
        if name is not None:
            choice = self.choices.get(name)
            if choice is None:
                source.fail(element, f"route '{name}' does not exist", nearest(name, self.choices))
            return RouteSpec(choice)
        child = element.find("route")
        if child is not None:
            return RouteSpec(single(self._route(source, child, share=True)))
        child = element.find("routeDistribution")
        if child is not None:
            return RouteSpec(self._distribution(source, child))
        if element.tag == "vehicle":
            source.fail(element, "a vehicle needs a route")
        for key in ("fromTaz", "toTaz", "fromJunction", "toJunction"):
            if key in element.attrib:
                source.fail(element, f"{key} is not supported", "use from and to with edges")
        via = element.get("via", "").split()
        stations = [source.text(element, "from"), *via, source.text(element, "to")]
        return RouteSpec(None, tuple(self._edge(source, element, edge) for edge in stations))

    def _edge(self, source: XmlSource, element: Element, name: str) -> int:
        row = self.edge_row.get(name)
        if row is None:
            source.fail(element, f"edge '{name}' does not exist", nearest(name, self.edge_row))
        return row

    def _route(self, source: XmlSource, element: Element, share: bool) -> int:
        """Row of the route; anonymous routes with equal edges and no stops of their own share a row."""
        edges = source.text(element, "edges")
        stops = self.places.read(source, element)
        share = share and not stops
        if share and edges in self.route_of_edges:
            return self.route_of_edges[edges]
        names = edges.split()
        if not names:
            source.fail(element, "a route needs edges")
        row = len(self.routes)
        self.routes.append(np.array([self._edge(source, element, name) for name in names], np.int32))
        if stops:
            self.route_stops[row] = stops
        elif share:
            self.route_of_edges[edges] = row
        return row

    def _distribution(self, source: XmlSource, element: Element) -> Choice:
        rows, weights = [], []
        for child in element.iterfind("route"):
            named = child.get("refId")
            if named is not None and named not in self.choices:
                source.fail(child, f"route '{named}' does not exist", nearest(named, self.choices))
            rows.append(int(self.choices[named].rows[0]) if named else self._route(source, child, share=False))
            weights.append(source.number(child, "probability", 1.0))
        names = element.get("routes", "").split()
        given = element.get("probabilities", "").split() or ["1"] * len(names)
        for name, weight in zip(names, given):
            if name not in self.choices:
                source.fail(element, f"route '{name}' does not exist", nearest(name, self.choices))
            rows.append(int(self.choices[name].rows[0]))
            weights.append(float(weight))
        if not rows or min(weights) < 0.0 or sum(weights) <= 0.0:
            source.fail(element, "a distribution needs routes with probabilities >= 0 and a positive sum")
        return weighted(rows, weights)


def _census(file: str, root: Element, additional: bool) -> list[Feature]:
    """Census of a route file, or of the demand elements of an additional file, with rows for approximated models."""
    skip = {e.tag for e in root if isinstance(e.tag, str) and e.tag not in DEMAND_TAGS} if additional else ()
    rows = list(take_census(file, root, DEMAND_NOTES, skip))
    models: dict[str, int] = {}
    for element in root.iter("vType"):
        model = element.get("carFollowModel", "Krauss")
        models[model] = models.get(model, 0) + 1
    for model in sorted(models):
        if model not in EXACT_MODELS:
            rows.append(Feature(file, f"vType@carFollowModel={model}", models[model], APPROXIMATED, "nearest relative"))
    return rows

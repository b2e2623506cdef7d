"""Our own demand: a table of flows from edge to edge, as CSV or YAML.

Columns: `from`, `to` (edges), `begin`, `end` (s), `veh_per_h`, `types`: one type or shares such as `car:0.8 truck:0.1 ebike:0.1`
(in YAML a mapping); optional `via` (edges) and `stops` (ids of the map's stops, 20 s at each).
Vehicles come with exponential gaps. `pedestrian` rows walk.
"""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cloverleaf.map.census import SUPPORTED
from cloverleaf.map.graph import BaseMap, Feature, VehicleClass
from cloverleaf.scenario.demand.footpaths import FootGraph
from cloverleaf.scenario.demand.plan import DemandPlan, Flow, Mover, RouteSpec, Stop, Timing, Walk
from cloverleaf.scenario.demand.vehicle_types import Choice, TypeBook, TypeRow, class_row, weighted
from cloverleaf.types.demand import Depart, EmissionClass, FollowModel
from cloverleaf.types.errors import DemandError, nearest
from cloverleaf.types.state import Kind

REQUIRED = ("from", "to", "begin", "end", "veh_per_h", "types")
OPTIONAL = ("via", "stops")
HALT = 20.0  # s at each stop of a row


def _human(vclass: str, **changes: Any) -> TypeRow:
    """A class under IDM with city values (models.md, section 1: T 1.0-1.6 s, s0 2 m, a 1.0-1.5, b 1.5-2.0 m/s2)."""
    row = class_row(vclass)._replace(model=int(FollowModel.IDM), tau=1.2)
    if row.kind in (Kind.CAR, Kind.TRUCK, Kind.BUS):
        row = row._replace(min_gap=2.0, accel=min(row.accel, 1.5), decel=2.0)
    return row._replace(**changes)


TYPES: dict[str, TypeRow] = {
    "car": _human("passenger"),
    "ev": _human("passenger", emission=int(EmissionClass.ELECTRIC_CAR)),
    "taxi": _human("taxi"),
    "van": _human("delivery"),
    "truck": _human("truck", accel=0.7),
    "trailer": _human("trailer", accel=0.5),
    "bus": _human("bus", accel=1.0),
    "coach": _human("coach", accel=1.0),
    "motorcycle": _human("motorcycle"),
    "bicycle": _human("bicycle", max_speed=5.0, accel=1.0),
    # GB 17761: 25 km/h, motor up to 400 W; uses the lanes of bicycles.
    "ebike": _human(
        "bicycle",
        kind=int(Kind.EBIKE),
        emission=int(EmissionClass.EBIKE),
        length=1.8,
        width=0.7,
        max_speed=25.0 / 3.6,
        accel=1.4,
    ),
    "pedestrian": _human("pedestrian"),
}
"""Types by the names that a table may use."""


def read_flow_table(base_map: BaseMap, path: str | Path) -> DemandPlan:
    """Read a table (.csv, .yaml, .yml). Raises DemandError with file and line or row for unknown edges, types and values."""
    file = Path(path)
    if not file.is_file():
        raise DemandError("no such file", file=path, hint="check the path")
    rows = _yaml_rows(file) if file.suffix in (".yaml", ".yml") else _csv_rows(file)
    reader = _Rows(base_map, str(path))
    flows = [reader.flow(number, line, row) for number, (line, row) in enumerate(rows)]
    census = (Feature(str(path), "flow", len(flows), SUPPORTED, ""),)
    return DemandPlan(reader.types, [], {}, [], [], flows, census)


def _csv_rows(file: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            header = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as exc:
        raise DemandError(f"not a CSV table: {exc}", file=file) from exc
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise DemandError(f"column '{missing[0]}' is missing", file=file, line=1, hint="columns: " + ",".join(REQUIRED))
    return rows


def _yaml_rows(file: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        mark = getattr(exc, "problem_mark", None)
        raise DemandError("not valid YAML", file=file, line=mark.line + 1 if mark else 0) from exc
    if isinstance(data, dict):
        data = data.get("flows")
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise DemandError("expected a list of flows", file=file, hint="each with " + ", ".join(REQUIRED))
    return [(0, row) for row in data]


class _Rows:
    """Turns rows into flows; keeps the types that came up."""

    def __init__(self, base_map: BaseMap, path: str) -> None:
        self.base_map, self.path = base_map, path
        inside = base_map.graph.edge_internal
        self.edge_row = {name: i for i, name in enumerate(base_map.edge_ids) if not inside[i]}
        self.types = TypeBook()
        self.feet: FootGraph | None = None

    def flow(self, number: int, line: int, row: dict[str, Any]) -> Flow:
        element = f"row {number + 1}"

        def fail(message: str, hint: str = "") -> DemandError:
            return DemandError(message, file=self.path, line=line, element=element, hint=hint)

        for key in row:
            if key not in REQUIRED + OPTIONAL:
                raise fail(f"column '{key}' is unknown", nearest(str(key), REQUIRED + OPTIONAL))
        numbers = {}
        for key in ("begin", "end", "veh_per_h"):
            try:
                numbers[key] = float(row.get(key))  # type: ignore[arg-type]
            except (TypeError, ValueError):
                raise fail(f"{key}='{row.get(key)}' is not a number") from None
            if not math.isfinite(numbers[key]) or numbers[key] < 0.0:
                raise fail(f"{key}='{row.get(key)}' is impossible", "a finite number, not negative")
        if numbers["end"] < numbers["begin"]:
            raise fail(f"the flow ends at {numbers['end']:g} s, before it begins")
        stations = []
        via = row.get("via") or []
        for name in [row.get("from"), *(via.split() if isinstance(via, str) else via), row.get("to")]:
            edge = self.edge_row.get(str(name))
            if edge is None:
                raise fail(f"edge '{name}' does not exist", nearest(str(name), self.edge_row))
            stations.append(edge)
        choice, walking = self._choice(row.get("types"), fail)
        rate = numbers["veh_per_h"] / 3600.0
        timing = (
            Timing(numbers["begin"], numbers["end"], rate=rate) if rate > 0.0 else Timing(0.0, 0.0, period=math.inf)
        )
        name = f"flow{number + 1}"
        if walking:
            return Flow(self._walk(name, numbers["begin"], choice, stations, fail), timing)
        mover = Mover(
            name, numbers["begin"], choice, RouteSpec(None, tuple(stations)), int(Depart.BEST), float(Depart.BASE),
            float(Depart.DESIRED), stops=self._stops(row.get("stops"), fail), file=self.path, line=line,
        )  # fmt: skip
        return Flow(mover, timing)

    def _stops(self, given: Any, fail: Any) -> tuple[Stop, ...]:
        g, names = self.base_map.graph, given.split() if isinstance(given, str) else list(given or ())
        rows = {name: i for i, name in enumerate(self.base_map.stop_ids)}
        stops = []
        for name in names:
            if name not in rows:
                raise fail(f"stop '{name}' does not exist", nearest(str(name), rows))
            i = rows[name]
            stops.append(Stop(int(g.stop_lane[i]), float(g.stop_begin[i]), float(g.stop_end[i]), HALT, -1.0, 0))
        return tuple(stops)

    def _choice(self, given: Any, fail: Any) -> tuple[Choice, bool]:
        try:
            if isinstance(given, dict):
                shares = {str(k): float(v) for k, v in given.items()}
            else:
                parts = [p.partition(":") for p in str(given or "").split()]
                shares = {name: float(share or 1.0) for name, _, share in parts}
        except (TypeError, ValueError):
            raise fail(f"types='{given}' is not understood", "such as car:0.8 truck:0.2") from None
        if not shares or min(shares.values()) < 0.0 or not 0.0 < sum(shares.values()) < math.inf:
            raise fail(f"types='{given}' needs shares >= 0 with a positive sum", "such as car:0.8 truck:0.2")
        for name in shares:
            if name not in TYPES:
                raise fail(f"type '{name}' does not exist", nearest(name, TYPES))
        walking = [TYPES[name].vclass == VehicleClass.PEDESTRIAN for name in shares]
        if any(walking) != all(walking):
            raise fail("people on foot need rows of their own")
        rows = [
            int(self.types.choices[n].rows[0]) if n in self.types.choices else self.types.add(n, TYPES[n])
            for n in shares
        ]
        return weighted(rows, list(shares.values())), all(walking)

    def _walk(self, name: str, begin: float, choice: Choice, stations: list[int], fail: Any) -> Walk:
        if self.feet is None:
            self.feet = FootGraph(self.base_map.graph)
        lanes: list[int] = []
        length = self.base_map.graph.lane_length
        for a, b in pairwise(stations):
            path = self.feet.path(
                a, b, 0.5 * float(length[self.feet.lane_of_edge[a]]), 0.5 * float(length[self.feet.lane_of_edge[b]])
            )
            if len(path) == 0:
                names = self.base_map.edge_ids
                raise fail(f"no footway leads from '{names[a]}' to '{names[b]}'")
            lanes.extend(path[1:] if lanes else path)
        return Walk(
            name,
            begin,
            choice,
            np.array(lanes, np.int32),
            0.5 * float(length[lanes[0]]),
            0.5 * float(length[lanes[-1]]),
        )

"""Edges, lanes and junctions of a SUMO net as columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import JunctionKind, VehicleClass
from cloverleaf.map.io.sumo_classes import lane_kind, permission_bits
from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.map.polyline import PolylineColumns, polyline_columns
from cloverleaf.types.errors import nearest
from cloverleaf.types.state import F64, I32, I64, U8, U32

DEFAULT_WIDTH = 3.2
"""m, SUMO's lane width where the net gives none."""
MOST_STRETCH = 1.25
"""Declared over drawn length up to which the declared one counts: queues then still fit on the drawing."""
SHORTEST_DRAWN = 1.0
"""m, below which a drawing says nothing about the length."""

JUNCTION_KINDS = {
    "priority": JunctionKind.PRIORITY,
    "right_before_left": JunctionKind.RIGHT_BEFORE_LEFT,
    "left_before_right": JunctionKind.RIGHT_BEFORE_LEFT,
    "allway_stop": JunctionKind.ALLWAY_STOP,
    "priority_stop": JunctionKind.PRIORITY_STOP,
    "traffic_light": JunctionKind.SIGNAL,
    "traffic_light_right_on_red": JunctionKind.SIGNAL,
    "traffic_light_unregulated": JunctionKind.SIGNAL_UNREGULATED,
    "unregulated": JunctionKind.UNREGULATED,
    "dead_end": JunctionKind.DEAD_END,
    "dead_end_discrete": JunctionKind.DEAD_END,
    "district": JunctionKind.DEAD_END,
    "unknown": JunctionKind.PRIORITY,
    "zipper": JunctionKind.ZIPPER,
    "rail_crossing": JunctionKind.PRIORITY,
    "rail_signal": JunctionKind.PRIORITY,
}


class LaneTable(NamedTuple):
    """Lanes and edges; names of columns as in `LaneGraph`."""

    row: dict[str, int]  # lane id -> lane
    edge_row: dict[str, int]
    lane_ids: list[str]
    edge_ids: list[str]
    edge: I32
    number: I32  # lane_index
    kind: I32
    length: F64
    width: F64
    speed: F64
    allow: U32
    left: I32
    right: I32
    points: PolylineColumns
    edge_lane_start: I64
    edge_from: I32
    edge_to: I32
    edge_internal: U8
    edge_priority: I32
    edge_roundabout: U8


class JunctionTable(NamedTuple):
    """Junctions without SUMO's internal ones; `elements` keeps the XML for the right-of-way reader."""

    row: dict[str, int]
    ids: list[str]
    elements: list[Element]
    kind: I32
    x: F64
    y: F64


def read_junctions(source: XmlSource, root: Element) -> JunctionTable:
    """All junctions except `type="internal"`. Roundabout nodes under priority become ROUNDABOUT."""
    circle: set[str] = set()
    for element in root.iterfind("roundabout"):
        circle.update(element.get("nodes", "").split())
    row: dict[str, int] = {}
    elements: list[Element] = []
    kinds: list[int] = []
    xs: list[float] = []
    ys: list[float] = []
    for element in root.iterfind("junction"):
        kind = source.text(element, "type")
        if kind == "internal":
            continue
        if kind not in JUNCTION_KINDS:
            source.fail(element, f"junction type '{kind}' is unknown", nearest(kind, JUNCTION_KINDS))
        name = source.text(element, "id")
        if name in row:
            source.fail(element, "this junction is defined twice")
        row[name] = len(elements)
        elements.append(element)
        code = JUNCTION_KINDS[kind]
        kinds.append(JunctionKind.ROUNDABOUT if name in circle and code == JunctionKind.PRIORITY else code)
        xs.append(source.number(element, "x"))
        ys.append(source.number(element, "y"))
    return JunctionTable(row, list(row), elements, np.array(kinds, np.int32), np.array(xs, float), np.array(ys, float))


def read_lanes(source: XmlSource, root: Element, junctions: JunctionTable) -> LaneTable:
    """All edges with a lane, internal ones first as in the file; lanes of an edge by index."""
    circle: set[str] = set()
    for element in root.iterfind("roundabout"):
        circle.update(element.get("edges", "").split())
    edge_row: dict[str, int] = {}
    row: dict[str, int] = {}
    columns: dict[str, list] = {k: [] for k in ("edge", "index", "kind", "length", "width", "speed", "allow")}
    ends: dict[str, list] = {k: [] for k in ("from", "to", "internal", "priority", "circle", "start")}
    shapes: list[str] = []
    lane_elements: list[Element] = []
    for element in root.iterfind("edge"):
        function = element.get("function", "normal")
        if function == "connector":
            continue
        name = source.text(element, "id")
        if name in edge_row:
            source.fail(element, "this edge is defined twice")
        internal = function in ("internal", "crossing", "walkingarea")
        edge = edge_row[name] = len(edge_row)
        ends["start"].append(len(row))
        for key in ("from", "to"):
            node = element.get(key)
            if node is None and not internal:
                source.fail(element, f"attribute '{key}' is missing")
            if node is not None and node not in junctions.row:
                source.fail(element, f"junction '{node}' does not exist", nearest(node, junctions.row))
            ends[key].append(-1 if node is None else junctions.row[node])
        ends["internal"].append(internal)
        ends["priority"].append(source.integer(element, "priority", -1))
        ends["circle"].append(name in circle)
        lanes = element.findall("lane")
        if not lanes:
            source.fail(element, "an edge needs a lane")
        for index, lane in enumerate(lanes):
            # SUMO counts lanes by their order; old nets number split internal lanes all 0.
            if not internal and source.integer(lane, "index") != index:
                source.fail(lane, f"lane indices of edge '{name}' are not 0, 1, 2, ...")
            _read_lane(source, lane, function, edge, index, row, columns)
            shapes.append(source.text(lane, "shape"))
            lane_elements.append(lane)
    if not row:
        source.fail(root, "the net has no lanes")
    start, points = _shapes(source, shapes, lane_elements)
    length = _fitting_lengths(np.array(columns["length"], float), start, points)
    edge_of = np.array(columns["edge"], np.int32)
    same = np.concatenate((edge_of[1:] == edge_of[:-1], [False]))
    own = np.arange(len(row), dtype=np.int32)
    left = np.where(same, own + 1, -1).astype(np.int32)
    right = np.where(np.concatenate(([False], same[:-1])), own - 1, -1).astype(np.int32)
    return LaneTable(
        row=row,
        edge_row=edge_row,
        lane_ids=list(row),
        edge_ids=list(edge_row),
        edge=edge_of,
        number=np.array(columns["index"], np.int32),
        kind=np.array(columns["kind"], np.int32),
        length=length,
        width=np.array(columns["width"], float),
        speed=np.array(columns["speed"], float),
        allow=np.array(columns["allow"], np.uint32),
        left=left,
        right=right,
        points=polyline_columns(start, points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy(), length),
        edge_lane_start=np.array([*ends["start"], len(row)], np.int64),
        edge_from=np.array(ends["from"], np.int32),
        edge_to=np.array(ends["to"], np.int32),
        edge_internal=np.array(ends["internal"], np.uint8),
        edge_priority=np.array(ends["priority"], np.int32),
        edge_roundabout=np.array(ends["circle"], np.uint8),
    )


def _read_lane(
    source: XmlSource,
    lane: Element,
    function: str,
    edge: int,
    index: int,
    row: dict[str, int],
    columns: dict[str, list],
) -> None:
    name = source.text(lane, "id")
    if name in row:
        source.fail(lane, "this lane is defined twice")
    row[name] = len(row)
    try:
        allow = permission_bits(lane.get("allow"), lane.get("disallow"))
    except KeyError as exc:
        source.fail(lane, f"vehicle class {exc} is unknown", "see SUMO's list of abstract vehicle classes")
    length, speed = source.number(lane, "length"), source.number(lane, "speed")
    width = source.number(lane, "width", DEFAULT_WIDTH)
    if width < 0.0:
        width = DEFAULT_WIDTH
    if length <= 0.0 or speed <= 0.0:
        source.fail(lane, f"length {length} and speed {speed} must be greater than 0")
    values = (edge, index, lane_kind(function, allow), length, width, speed, allow & int(VehicleClass.ALL))
    for column, value in zip(columns.values(), values):
        column.append(value)


def _fitting_lengths(declared: F64, start: I64, points: F64) -> F64:
    """Lane lengths (m): the declared ones, but the drawn one where vehicles would have to lie over each other to fit."""
    step = np.append(np.hypot(np.diff(points[:, 0]), np.diff(points[:, 1])), 0.0)
    step[start[1:] - 1] = 0.0
    drawn = np.add.reduceat(step, start[:-1])
    return np.where((drawn > SHORTEST_DRAWN) & (declared > MOST_STRETCH * drawn), drawn, declared)


def _shapes(source: XmlSource, shapes: list[str], elements: list[Element]) -> tuple[I64, F64]:
    """Offsets (lanes + 1,) and points (n, 3) of shape strings 'x,y[,z] x,y[,z] ...'."""
    counts = np.array([len(s.split()) for s in shapes], np.int64)
    flat = " ".join(shapes)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    if counts.min() >= 2 and flat.count(",") == start[-1]:
        try:
            values = np.array(flat.replace(",", " ").split(), float).reshape(-1, 2)
            if np.isfinite(values).all():
                return start, np.column_stack((values, np.zeros(len(values))))
        except ValueError:
            pass
    rows = []
    for shape, element in zip(shapes, elements):
        points = shape.split()
        if len(points) < 2:
            source.fail(element, f"shape '{shape[:40]}' has fewer than two points")
        for point in points:
            try:
                xyz = [float(v) for v in point.split(",")]
            except ValueError:
                xyz = []
            if len(xyz) not in (2, 3) or not np.isfinite(xyz).all():
                source.fail(element, f"shape point '{point}' is not x,y or x,y,z")
            rows.append((xyz + [0.0])[:3])
    return start, np.array(rows, float)

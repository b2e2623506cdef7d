"""Positions, trajectories and routes: where something is, evaluated when the engine asks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from lxml import etree

from cloverleaf.algo.geo import metres, projection
from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.builder import Builder, only_child, unsupported
from cloverleaf.scenario.storyboard.numbers import Number, number
from cloverleaf.scenario.storyboard.scope import Scope, fail

MOST_SAMPLES = 1000
SAMPLES_A_SPAN = 150


def position(b: Builder, holder: etree._Element, scope: Scope) -> int:
    """Row of the position inside `holder` (a Position element, or one that extends it)."""
    element = only_child(holder)
    name = name_of(element)
    if name not in _KINDS:
        raise unsupported(element, name)
    kind, compile_kind = _KINDS[name]
    row = [kind, -1, -1, T.NO_ORIENTATION, -1, -1, 0]
    coordinates = compile_kind(b, element, scope, row)
    orientation = element.find("Orientation")
    angles = b.numbers_of(orientation, scope, h=math.nan, p=math.nan, r=math.nan)
    if kind == T.AT_WORLD and orientation is None:
        angles = b.numbers_of(element, scope, h=math.nan, p=math.nan, r=math.nan)
        if "h" in element.attrib:
            row[T.P_ORIENT] = T.ABSOLUTE_ANGLES
    if orientation is not None:
        relative = scope.text(orientation, "type", "absolute") == "relative"
        row[T.P_ORIENT] = T.RELATIVE_ANGLES if relative else T.ABSOLUTE_ANGLES
    row[T.P_SLOT] = b.slots(*coordinates, *angles)
    b.positions.append(row)
    return len(b.positions) - 1


def _world(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    return b.numbers_of(e, scope, x=0.0, y=0.0, z=math.nan)


def _relative_world(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    row[T.P_ENTITY] = b.entity(e, scope)
    return b.numbers_of(e, scope, dx=0.0, dy=0.0, dz=0.0)


def _road(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    row[T.P_ROAD] = b.road(e, scope)
    return [*b.numbers_of(e, scope, s=0.0, t=0.0), Number(0.0)]


def _relative_road(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    row[T.P_ENTITY] = b.entity(e, scope)
    return [*b.numbers_of(e, scope, ds=0.0, dt=0.0), Number(0.0)]


def _lane(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    row[T.P_ROAD] = b.road(e, scope)
    found = b.numbers_of(e, scope, laneId=0.0, s=0.0, offset=0.0)
    if not math.isfinite(found[0].value) or found[0].value % 1.0 != 0.0:
        raise fail(e, f"attribute 'laneId': '{e.get('laneId')}' is not a whole number")
    if b.map is not None:
        length = float(b.map.tables.road_length[row[T.P_ROAD]])
        if found[1].scope is None and not -1e-3 <= found[1].value <= length + 1e-3:
            raise fail(e, f"s = {found[1].value:g} is off road '{e.get('roadId')}', which is {length:g} m long")
        if found[0].scope is None and found[1].scope is None:
            _known_lane(b, e, row[T.P_ROAD], int(found[0].value), min(max(found[1].value, 0.0), length))
    return found


def _known_lane(b: Builder, e: etree._Element, road: int, lane: int, s: float) -> None:
    if b.map is None or not np.isnan(b.map.lane_to_xyz(road, lane, s, 0.0)[0, 0]):
        return
    raise fail(e, *b.map.why_nowhere(road, lane, s))


def _relative_lane(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    row[T.P_ENTITY] = b.entity(e, scope)
    row[T.P_MODE] = 1 if "dsLane" in e.attrib else 0
    along = "dsLane" if "dsLane" in e.attrib else "ds"
    return b.numbers_of(e, scope, dLane=0.0, **{along: 0.0}, offset=0.0)


def _geo(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    drive = b.map.drive if b.map is not None else None
    if drive is None or not drive.geo_reference:
        raise fail(e, "the road network has no geoReference")
    latitude, longitude, altitude = b.numbers_of(
        e, scope, latitudeDeg=math.nan, longitudeDeg=math.nan, altitude=math.nan
    )
    lat, lon = math.radians(latitude.value), math.radians(longitude.value)
    if math.isnan(lat):
        lat, lon = (n.value for n in b.numbers_of(e, scope, latitude=0.0, longitude=0.0))
    if latitude.scope is not None or longitude.scope is not None:
        raise unsupported(e, "a geographic position that varies")
    p = projection(drive.geo_reference, -drive.offset[0], -drive.offset[1], math.degrees(lat), math.degrees(lon))
    x, y = metres(p, np.array([lat]), np.array([lon]))
    return [Number(float(x[0])), Number(float(y[0])), altitude]


def _route(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    reference, inside = e.find("RouteRef"), e.find("InRoutePosition")
    if reference is None or inside is None:
        raise fail(e, "RouteRef and InRoutePosition are needed")
    found = b.inline_or_catalog(reference, scope, "Route")
    if found is None:
        raise fail(reference, "names no route")
    row[T.P_REF] = route(b, *found)
    where = only_child(inside)
    if name_of(where) == "FromCurrentEntity":
        row[T.P_ENTITY], row[T.P_MODE] = b.entity(where, scope), 0
        return [Number(0.0), Number(0.0), Number(0.0)]
    if name_of(where) == "FromRoadCoordinates":
        row[T.P_MODE] = 1
        return [*b.numbers_of(where, scope, pathS=0.0, t=0.0), Number(0.0)]
    row[T.P_MODE] = 2
    path_s, lane, offset = b.numbers_of(where, scope, pathS=0.0, laneId=0.0, laneOffset=0.0)
    return [path_s, lane, offset]


def _trajectory(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> list[Number]:
    reference = e.find("TrajectoryRef")
    if reference is None:
        raise fail(e, "TrajectoryRef is missing")
    found = b.inline_or_catalog(reference, scope, "Trajectory")
    if found is None:
        raise fail(reference, "names no trajectory")
    row[T.P_REF] = trajectory(b, *found)
    return [*b.numbers_of(e, scope, s=0.0, t=0.0), Number(0.0)]


_Compile = Callable[[Builder, etree._Element, Scope, list[int]], list[Number]]
_KINDS: dict[str, tuple[int, _Compile]] = {
    "WorldPosition": (T.AT_WORLD, _world),
    "GeoPosition": (T.AT_WORLD, _geo),
    "RelativeWorldPosition": (T.AT_RELATIVE_WORLD, _relative_world),
    "RelativeObjectPosition": (T.AT_RELATIVE_OBJECT, _relative_world),
    "RoadPosition": (T.AT_ROAD, _road),
    "RelativeRoadPosition": (T.AT_RELATIVE_ROAD, _relative_road),
    "LanePosition": (T.AT_LANE, _lane),
    "RelativeLanePosition": (T.AT_RELATIVE_LANE, _relative_lane),
    "RoutePosition": (T.AT_ROUTE, _route),
    "TrajectoryPosition": (T.AT_TRAJECTORY, _trajectory),
}


def trajectory(b: Builder, element: etree._Element, scope: Scope) -> int:
    """Row of a trajectory; its points are laid out when an action starts, because positions may be relative."""
    inner = len(b.trajectories)
    shape = element.find("Shape")
    if shape is None:
        raise fail(element, "Shape is missing")
    body = only_child(shape)
    kind = name_of(body)
    name = scope.text(element, "name", "")
    if name not in b.trajectory_names:
        b.trajectory_names.append(name)
    order, slot = 0, -1
    vertices: list[list[int]] = []
    if kind == "Polyline":
        code = T.POLYLINE
        for vertex in children(body):
            vertices.append([_child_position(b, vertex, scope), b.slots(number(vertex, "time", scope))])
        rows = len(vertices)
    elif kind == "Clothoid":
        code = T.CLOTHOID
        prime = "curvaturePrime" if "curvaturePrime" in body.attrib else "curvatureDot"
        values = b.numbers_of(
            body, scope, startTime=math.nan, curvature=0.0, **{prime: 0.0}, length=0.0, stopTime=math.nan
        )
        vertices.append([_child_position(b, body, scope), b.slots(*values)])
        rows = 2
    elif kind == "ClothoidSpline":
        code = T.CLOTHOID_SPLINE
        for segment in children(body):
            values = b.numbers_of(
                segment, scope, timeStart=math.nan, curvatureStart=0.0, curvatureEnd=0.0, length=0.0, hOffset=0.0
            )
            start = segment.find("PositionStart")
            at = position(b, start, scope) if start is not None else -1
            vertices.append([at, b.slots(*values)])
        slot = b.slots(number(body, "timeEnd", scope))
        rows = len(vertices) + 1
    elif kind == "Nurbs":
        code = T.NURBS
        order = int(float(scope.text(body, "order")))
        points = [e for e in children(body) if name_of(e) == "ControlPoint"]
        knots = [e for e in children(body) if name_of(e) == "Knot"]
        if not 2 <= order <= 8:
            raise unsupported(body, f"a NURBS of order {order}", "orders 2 to 8")
        if len(knots) != len(points) + order:
            raise fail(
                body,
                f"{len(points)} control points of order {order} need {len(points) + order} knots, not {len(knots)}",
            )
        for point in points:
            at = _child_position(b, point, scope)
            vertices.append([at, b.slots(*b.numbers_of(point, scope, time=math.nan, weight=1.0))])
        slot = b.slots(*(number(k, "value", scope) for k in knots))
        rows = min(MOST_SAMPLES, SAMPLES_A_SPAN * (len(points) - order + 2)) + 1
    else:
        raise unsupported(body, f"a trajectory of shape {kind}")
    if len(vertices) < (2 if code in (T.POLYLINE, T.NURBS) else 1):
        raise fail(body, "has too few points")
    first = len(b.vertices)
    b.vertices += vertices
    closed = int(scope.flag(element, "closed"))
    extra = 1 if closed and code == T.POLYLINE else 0
    b.trajectories.append(
        [
            code,
            first,
            len(b.vertices),
            b.path_rows,
            rows + extra,
            closed,
            slot,
            order,
            b.trajectory_names.index(name),
            inner,
        ]
    )
    b.path_rows += rows + extra
    return len(b.trajectories) - 1


def _child_position(b: Builder, element: etree._Element, scope: Scope) -> int:
    holder = element.find("Position")
    if holder is None:
        raise fail(element, "Position is missing")
    return position(b, holder, scope)


def route(b: Builder, element: etree._Element, scope: Scope) -> int:
    """Row of a route; its waypoints are rows of positions in `members`."""
    points = [_child_position(b, w, scope) for w in children(element) if name_of(w) == "Waypoint"]
    if len(points) < 2:
        raise fail(element, "a route needs two waypoints")
    first = len(b.members)
    b.members += points
    b.routes.append([first, len(b.members), 0])
    return len(b.routes) - 1

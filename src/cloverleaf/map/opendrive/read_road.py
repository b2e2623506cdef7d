"""Reading one <road>: links, plan view, elevation and lateral profile."""

from __future__ import annotations

import math

from cloverleaf.map.opendrive.model import Piece, Profile
from cloverleaf.map.opendrive.rows import Link, RoadRow, Rows
from cloverleaf.map.opendrive.xml import Element, XmlSource

SPEED_UNITS = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mph": 0.44704}
_CONTACT = {"start": 0, "end": 1}
_POLY3 = ("a", "b", "c", "d")
_PARAM_POLY3 = ("aU", "bU", "cU", "dU", "aV", "bV", "cV", "dV")


def read_speed(source: XmlSource, element: Element) -> float:
    """A <speed> in m/s; NaN for 'undefined' and 'no limit'."""
    raw = source.text(element, "max")
    if raw in ("undefined", "no limit"):
        return math.nan
    unit = source.choice(element, "unit", SPEED_UNITS, "m/s") or "m/s"
    return source.number(element, "max") * SPEED_UNITS[unit]


def read_road(source: XmlSource, element: Element, rows: Rows) -> RoadRow:
    """Append the road, its pieces and profiles to `rows` (lanes come later)."""
    length = source.number(element, "length")
    if length < 0:
        raise source.fail(element, f"length is negative: {length}")
    kind = element.find("type")
    speed = kind.find("speed") if kind is not None else None
    junction = source.text(element, "junction", "-1")
    road = RoadRow(
        id=source.text(element, "id"),
        name=source.text(element, "name", ""),
        length=length,
        left_hand=source.choice(element, "rule", ("RHT", "LHT"), "RHT") == "LHT",
        junction="" if junction == "-1" else junction,
        line=element.sourceline or 0,
        type=kind.get("type", "") if kind is not None else "",
        speed=read_speed(source, speed) if speed is not None else math.nan,
        links=_read_links(source, element),
    )
    _read_plan_view(source, element, rows, road)
    lateral = element.find("lateralProfile")
    if lateral is not None and lateral.find("shape") is not None:
        raise source.fail(lateral.find("shape"), "lateral shape profiles are not supported", "use superelevation")
    empty = (len(rows.cubic), len(rows.cubic))
    road.profile = [empty] * len(Profile)
    elevation = element.find("elevationProfile")
    if elevation is not None:
        road.profile[Profile.ELEVATION] = read_cubics(source, elevation.findall("elevation"), rows)
    if lateral is not None:
        road.profile[Profile.SUPERELEVATION] = read_cubics(source, lateral.findall("superelevation"), rows)
        falls = lateral.findall("crossfall")
        for side, profile in (("left", Profile.CROSSFALL_LEFT), ("right", Profile.CROSSFALL_RIGHT)):
            mine = [c for c in falls if source.choice(c, "side", ("left", "right", "both"), "both") in (side, "both")]
            road.profile[profile] = read_cubics(source, mine, rows)
    rows.roads.append(road)
    return road


def read_cubics(source: XmlSource, elements: list[Element], rows: Rows, key: str = "s") -> tuple[int, int]:
    """Append cubic records, ascending in s; returns their rows [begin, end)."""
    begin, last = len(rows.cubic), -math.inf
    for e in elements:
        s = source.number(e, key)
        if s < last:
            raise source.fail(e, f"'{key}' runs backwards: {s:g} after {last:g}")
        last = s
        row = (s, source.number(e, "a"), source.number(e, "b"), source.number(e, "c"), source.number(e, "d"))
        rows.cubic.append(row)
    if elements:
        rows.count(elements[0].tag, len(elements))
    return begin, len(rows.cubic)


def _read_links(source: XmlSource, element: Element) -> tuple[Link, Link]:
    link = element.find("link")
    ends: list[Link] = []
    for name in ("predecessor", "successor"):
        e = link.find(name) if link is not None else None
        if e is None:
            ends.append((0, "", 0))
            continue
        kind = source.choice(e, "elementType", ("road", "junction"))
        if e.get("elementS") is not None:
            raise source.fail(e, "a link into a virtual junction (elementS) is not supported")
        contact = source.choice(e, "contactPoint", _CONTACT, "start") if kind == "road" else "start"
        ends.append((1 if kind == "road" else 2, source.text(e, "elementId"), _CONTACT[contact]))
    return ends[0], ends[1]


def _read_plan_view(source: XmlSource, element: Element, rows: Rows, road: RoadRow) -> None:
    plan = element.find("planView")
    geometries = plan.findall("geometry") if plan is not None else []
    if not geometries:
        raise source.fail(element, f"road '{road.id}' has no geometry", "a <planView> needs at least one <geometry>")
    last = -math.inf
    for e in geometries:
        s, length = source.number(e, "s"), source.number(e, "length")
        if s < last:
            raise source.fail(e, f"'s' runs backwards: {s:g} after {last:g}")
        if length < 0:
            raise source.fail(e, f"length is negative: {length:g}")
        last = s
        shape = next(iter(e), None)
        if shape is None:
            raise source.fail(e, "geometry without line, arc, spiral, poly3 or paramPoly3")
        kind, coef, end = _read_shape(source, shape, length)
        rows.pieces.append((kind, s, source.number(e, "x"), source.number(e, "y"), source.number(e, "hdg"), length))
        rows.coefs.append(coef + (0.0,) * (8 - len(coef)))
        rows.parameter_end.append(end)
        rows.count(shape.tag)
    rows.piece_start.append(len(rows.pieces))


def _read_shape(source: XmlSource, e: Element, length: float) -> tuple[int, tuple[float, ...], float]:
    if e.tag == "line":
        return Piece.LINE, (), 0.0
    if e.tag == "arc":
        return Piece.ARC, (source.number(e, "curvature"),), 0.0
    if e.tag == "spiral":
        start, end = source.number(e, "curvStart"), source.number(e, "curvEnd")
        return Piece.SPIRAL, (start, (end - start) / length if length > 0 else 0.0), 0.0
    if e.tag == "poly3":
        return Piece.POLY, (0.0, 1.0, 0.0, 0.0, *(source.number(e, n) for n in _POLY3)), 0.0
    if e.tag == "paramPoly3":
        normalized = source.choice(e, "pRange", ("arcLength", "normalized"), "normalized") == "normalized"
        return Piece.POLY, tuple(source.number(e, n) for n in _PARAM_POLY3), 1.0 if normalized else length
    raise source.fail(e, f"unknown geometry '{e.tag}'", "supported: line, arc, spiral, poly3, paramPoly3")

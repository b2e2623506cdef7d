"""Reading <lanes>: sections, lanes, widths or borders, heights, marks, speeds, access."""

from __future__ import annotations

import math

from cloverleaf.map.opendrive.model import LANE_TYPES, Profile
from cloverleaf.map.opendrive.read_road import read_cubics, read_speed
from cloverleaf.map.opendrive.rows import LaneRow, RoadRow, Rows
from cloverleaf.map.opendrive.xml import Element, XmlSource

_TYPE_ROW = {name: i for i, name in enumerate(LANE_TYPES)}
_UNKNOWN_TYPES = {"sliplane": "slipLane", "roadworks": "roadWorks"}


def read_lanes(source: XmlSource, element: Element, rows: Rows, road: RoadRow) -> None:
    """Append the lane sections of a <road> to `rows`."""
    lanes = element.find("lanes")
    sections = lanes.findall("laneSection") if lanes is not None else []
    if lanes is None or not sections:
        raise source.fail(element, f"road '{road.id}' has no lane section")
    road.profile[Profile.LANE_OFFSET] = read_cubics(source, lanes.findall("laneOffset"), rows)
    last = -math.inf
    for section in sections:
        s = source.number(section, "s")
        if s < last:
            raise source.fail(section, f"'s' runs backwards: {s:g} after {last:g}")
        last = s
        rows.section_s.append(s)
        _read_section(source, section, rows, road)
    rows.section_start.append(len(rows.section_s))


def _read_section(source: XmlSource, section: Element, rows: Rows, road: RoadRow) -> None:
    found: list[tuple[int, Element]] = []
    for side, sign in (("left", 1), ("center", 0), ("right", -1)):
        group = section.find(side)
        for e in group.findall("lane") if group is not None else ():
            lane_id = source.integer(e, "id")
            if (lane_id > 0) - (lane_id < 0) != sign:
                raise source.fail(e, f"lane id {lane_id} does not belong on the {side} side")
            found.append((lane_id, e))
    if 0 not in (i for i, _ in found):
        found.append((0, section))
    found.sort(key=lambda pair: -pair[0])
    top = found[0][0]
    for n, (lane_id, e) in enumerate(found):
        if lane_id != top - n:
            raise source.fail(
                e, f"lane ids are not consecutive: {lane_id} follows {found[n - 1][0]}", "no gaps, no doubles"
            )
    rows.section_center.append(len(rows.lanes) + top)
    for lane_id, e in found:
        if e is section:
            rows.lanes.append(_bare_center(rows, section))
        else:
            rows.lanes.append(_read_lane(source, e, rows, road, lane_id))
    rows.section_lane_start.append(len(rows.lanes))


def _bare_center(rows: Rows, section: Element) -> LaneRow:
    at, high = len(rows.cubic), len(rows.height)
    number = len(rows.section_s) - 1
    return LaneRow(0, 0, number, False, False, (at, at), (high, high), None, None, math.nan, section.sourceline or 0)


def _read_lane(source: XmlSource, e: Element, rows: Rows, road: RoadRow, lane_id: int) -> LaneRow:
    row = len(rows.lanes)
    name = source.text(e, "type", "none")
    name = _UNKNOWN_TYPES.get(name.lower(), name)
    if name not in _TYPE_ROW:
        raise source.fail(e, f"unknown lane type '{name}'", "see e_laneType of OpenDRIVE 1.8")
    widths, borders = e.findall("width"), e.findall("border")
    if lane_id == 0:
        widths, borders = [], []
    elif not widths and not borders:
        raise source.fail(e, f"lane {lane_id} of road '{road.id}' has neither width nor border")
    cubic = read_cubics(source, widths or borders, rows, "sOffset")
    high = len(rows.height)
    for h in e.findall("height"):
        rows.height.append((source.number(h, "sOffset"), source.number(h, "inner"), source.number(h, "outer")))
    link = e.find("link")
    speeds = e.findall("speed")
    _read_extras(source, e, rows, row)
    return LaneRow(
        id=lane_id,
        type=_TYPE_ROW[name],
        section=len(rows.section_s) - 1,
        level=source.text(e, "level", "false").lower() in ("true", "1"),
        border=bool(borders) and not widths,
        cubic=cubic,
        height=(high, len(rows.height)),
        predecessor=_link_id(source, link, "predecessor"),
        successor=_link_id(source, link, "successor"),
        speed=read_speed(source, speeds[0]) if speeds else road.speed,
        line=e.sourceline or 0,
    )


def _link_id(source: XmlSource, link: Element | None, name: str) -> int | None:
    e = link.find(name) if link is not None else None
    return None if e is None else source.integer(e, "id")


def _read_extras(source: XmlSource, e: Element, rows: Rows, row: int) -> None:
    for m in e.findall("roadMark"):
        change = m.get("laneChange", "both")
        mark = (row, source.number(m, "sOffset", 0.0), source.number(m, "width", 0.12), m.get("type", "none"))
        rows.marks.append((*mark, m.get("color", "standard"), change))
    data = {u.get("code", ""): u.get("value", "") for u in e.findall("userData") if u.get("code")}
    if data:
        rows.lane_user_data[row] = data
    access = []
    for a in e.findall("access"):
        rule = source.choice(a, "rule", ("allow", "deny"), "allow")
        if a.get("restriction") is not None:
            access.append((rule, a.get("restriction")))
        access.extend((rule, source.text(r, "type")) for r in a.findall("restriction"))
    if access:
        rows.lane_access[row] = tuple(access)

"""Reading what stands beside and above the road: signals, controllers, objects, junctions."""

from __future__ import annotations

import math

from cloverleaf.map.opendrive.model import Controller, Junction, MapObject, Signal
from cloverleaf.map.opendrive.rows import ConnectionRow, Rows
from cloverleaf.map.opendrive.xml import Element, XmlSource

_ORIENTATIONS = ("+", "-", "none")
_JUNCTION_KINDS = ("default", "direct", "virtual", "crossing")


def read_signals(source: XmlSource, element: Element, rows: Rows, road: int) -> None:
    """Signals and signal references of one <road>."""
    group = element.find("signals")
    for e in group if group is not None else ():
        if e.tag not in ("signal", "signalReference"):
            continue
        reference = e.tag == "signalReference"
        rows.signals.append(
            Signal(
                id=source.text(e, "id"),
                road=road,
                s=source.number(e, "s"),
                t=source.number(e, "t"),
                orientation=source.choice(e, "orientation", _ORIENTATIONS, "none"),
                dynamic=e.get("dynamic", "no") == "yes",
                type=e.get("type", ""),
                subtype=e.get("subtype", ""),
                value=_value(source, e),
                unit=e.get("unit", ""),
                country=e.get("country", ""),
                lanes=_validity(source, e),
                reference=reference,
                line=e.sourceline or 0,
            )
        )
        rows.count(e.tag)


def _value(source: XmlSource, e: Element) -> float:
    """A sign's value; authors also write '' or -1 for none, and text for signs that carry text."""
    try:
        return float(e.get("value", "nan"))
    except ValueError:
        return math.nan


def _validity(source: XmlSource, e: Element) -> tuple[tuple[int, int], ...]:
    return tuple((source.integer(v, "fromLane"), source.integer(v, "toLane")) for v in e.findall("validity"))


def read_objects(source: XmlSource, element: Element, rows: Rows, road: int) -> None:
    """Objects of one <road>: crosswalks, parking spaces, islands, poles..."""
    group = element.find("objects")
    for e in group.findall("object") if group is not None else ():
        outline, local = _outline(source, e)
        rows.objects.append(
            MapObject(
                id=e.get("id", ""),
                road=road,
                type=e.get("type", ""),
                subtype=e.get("subtype", ""),
                name=e.get("name", ""),
                s=source.number(e, "s"),
                t=source.number(e, "t"),
                heading=source.number(e, "hdg", 0.0),
                length=source.number(e, "length", 0.0),
                width=source.number(e, "width", 0.0),
                height=source.number(e, "height", 0.0),
                orientation=e.get("orientation", "none"),
                outline=outline,
                outline_local=local,
                lanes=_validity(source, e),
                user_data={u.get("code", ""): u.get("value", "") for u in e.findall("userData") if u.get("code")},
                line=e.sourceline or 0,
            )
        )
        rows.count("object")


def _outline(source: XmlSource, e: Element) -> tuple[tuple[tuple[float, float], ...], bool]:
    shape = e.find("outline")
    if shape is None:
        group = e.find("outlines")
        shape = group.find("outline") if group is not None else None
    if shape is None:
        return (), True
    corners = shape.findall("cornerRoad")
    if corners:
        return tuple((source.number(c, "s"), source.number(c, "t")) for c in corners), False
    return tuple((source.number(c, "u"), source.number(c, "v")) for c in shape.findall("cornerLocal")), True


def read_controller(source: XmlSource, e: Element, rows: Rows) -> None:
    """A top-level <controller>."""
    controls = tuple((source.text(c, "signalId"), c.get("type", "")) for c in e.findall("control"))
    rows.controllers.append(Controller(source.text(e, "id"), e.get("name", ""), controls))
    rows.count("controller")


def read_junction(source: XmlSource, e: Element, rows: Rows) -> None:
    """A <junction> with its connections; virtual ones are refused."""
    kind = source.choice(e, "type", _JUNCTION_KINDS, "default")
    if kind in ("virtual", "crossing"):
        raise source.fail(e, f"junctions of type '{kind}' are not supported", "use a default or direct junction")
    row = len(rows.junctions)
    priorities = tuple((p.get("high", ""), p.get("low", "")) for p in e.findall("priority"))
    controllers = tuple(source.text(c, "id") for c in e.findall("controller"))
    rows.junctions.append(Junction(source.text(e, "id"), e.get("name", ""), kind, controllers, priorities))
    for c in e.findall("connection"):
        target = "linkedRoad" if kind == "direct" else "connectingRoad"
        links = [(source.integer(k, "from"), source.integer(k, "to")) for k in c.findall("laneLink")]
        contact = 0 if source.choice(c, "contactPoint", ("start", "end"), "start") == "start" else 1
        incoming, road = source.text(c, "incomingRoad"), source.text(c, target)
        rows.connections.append(ConnectionRow(row, incoming, road, contact, links, c.sourceline or 0))
    rows.count("junction")

"""Entities: boxes, performance, controllers, selections, trailers."""

from __future__ import annotations

import math

from lxml import etree

from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.builder import Builder, unsupported
from cloverleaf.scenario.storyboard.numbers import number
from cloverleaf.scenario.storyboard.scope import Scope, fail

KINDS = {"Vehicle": T.VEHICLE, "Pedestrian": T.PEDESTRIAN, "MiscObject": T.OBJECT}
CATEGORIES = {
    name: i
    for i, name in enumerate(
        ("car", "van", "truck", "semitrailer", "bus", "motorbike", "bicycle", "train", "tram", "trailer",
         "pedestrian", "animal", "wheelchair", "misc")
    )
}  # fmt: skip
CONTROLLERS = {
    "ACCController": T.ACC,
    "SloppyDriverController": T.SLOPPY,
    "InteractiveController": T.AWAITED,
    "ExternalController": T.AWAITED,
    "UDPDriverController": T.AWAITED,
}
"""Controllers with a meaning of their own; every other name stands for a driver under test."""


def compile_entities(b: Builder, block: etree._Element) -> None:
    """All entities of the scenario, then its selections."""
    objects = [e for e in children(block) if name_of(e) == "ScenarioObject"]
    pending = []
    for element in objects:
        name = b.scope.text(element, "name")
        if name in b.entity_row:
            raise fail(element, f"entity '{name}' is declared twice")
        pending.append((_entity(b, element, name), element))
    for row, element in pending:
        _trailer(b, row, element, b.scope)
    for element in children(block):
        if name_of(element) == "EntitySelection":
            _selection(b, element)


def _entity(b: Builder, element: etree._Element, name: str, scope: Scope | None = None) -> int:
    if element.find("ExternalObjectReference") is not None:
        raise unsupported(element, "an external object", "describe the object in the scenario or a catalog")
    found = b.inline_or_catalog(element, scope or b.scope, *KINDS)
    if found is None:
        raise fail(element, f"entity '{name}' has no object")
    kind, category, slot = body_of(b, element, *found)
    row = len(b.entities)
    b.entity_row[name] = row
    b.entities.append([kind, category, slot, -1, 1, -1, -1])
    last = -1
    for holder in [e for e in children(element) if name_of(e) == "ObjectController"]:
        last = controller(b, row, holder, b.scope)
    b.entities[row][T.N_CONTROLLER] = last
    return row


def body_of(b: Builder, element: etree._Element, body: etree._Element, scope: Scope) -> tuple[int, int, int]:
    """Kind and category of an object, and the slots of its box and performance (B_*). `element`: what names the object."""
    kind = KINDS.get(name_of(body))
    if kind is None:
        raise fail(element, f"a {name_of(body)} cannot be an entity")
    center, size, limits = (
        body.find("BoundingBox/Center"),
        body.find("BoundingBox/Dimensions"),
        body.find("Performance"),
    )
    if center is None or size is None:
        raise fail(body, "the bounding box is missing")
    front, rear = body.find("Axles/FrontAxle"), body.find("Axles/RearAxle")
    hitch, coupler = body.find("TrailerHitch"), body.find("TrailerCoupler")
    category = "misc"
    if kind != T.OBJECT:
        category = scope.text(body, "vehicleCategory" if kind == T.VEHICLE else "pedestrianCategory")
    inf = math.inf
    slot = b.slots(
        *b.numbers_of(size, scope, length=0.0, width=0.0, height=0.0),
        *b.numbers_of(center, scope, x=0.0, y=0.0, z=0.0),
        *b.numbers_of(limits, scope, maxSpeed=inf, maxAcceleration=inf, maxDeceleration=inf),
        number(front if front is not None else rear, "positionX", scope, 0.0),
        number(hitch, "dx", scope),
        number(coupler, "dx", scope),
    )
    return kind, CATEGORIES.get(category, CATEGORIES["misc"]), slot


def controller(b: Builder, entity: int, holder: etree._Element, scope: Scope) -> int:
    """Row of the controller that `holder` (ObjectController, AssignControllerAction) gives to an entity; -1: the default one."""
    found = b.inline_or_catalog(holder, scope, "Controller")
    if found is None:
        inner = holder.find("ObjectController")
        return -1 if inner is None else controller(b, entity, inner, scope)
    body, inside = found
    name = inside.text(body, "name", "controller")
    properties = {inside.text(p, "name"): inside.text(p, "value") for p in body.iterfind("Properties/Property")}
    kind = CONTROLLERS.get(properties.get("esminiController", name), T.DRIVEN)

    def setting(key: str, default: float) -> float:
        for p in body.iterfind("Properties/Property"):
            if p.get("name") == key:
                try:
                    return float(properties[key])
                except ValueError:
                    raise fail(p, f"'{properties[key]}' is not a number") from None
        return default

    slot = b.slots(
        setting("timeGap", 1.5), setting("setSpeed", math.nan), setting("lateralDist", 5.0), setting("sloppiness", 0.5)
    )
    row = len(b.controllers)
    b.controllers.append([kind, entity, 0, 0, slot])
    holder_name = holder.get("name") or name
    b.controller_row[entity, name] = row
    b.controller_row[entity, holder_name] = row
    return row


def _trailer(b: Builder, row: int, element: etree._Element, scope: Scope) -> None:
    """The trailer that a vehicle brings along: an entity of the scenario, or one of its own with a `+` after its name."""
    found = b.inline_or_catalog(element, scope, *KINDS)
    body = found[0] if found else None
    holder = body.find("Trailer") if body is not None else None
    if holder is None or found is None:
        return
    reference = holder.find("TrailerRef")
    inner = holder.find("Trailer")
    if reference is not None and found[1].text(reference, "entityRef"):
        b.entities[row][T.N_TRAILER] = b.entity(reference, found[1])
    elif inner is not None:
        own = next(name for name, r in b.entity_row.items() if r == row)
        b.entities[row][T.N_TRAILER] = _entity(b, inner, f"{own}+", found[1])
        _trailer(b, b.entities[row][T.N_TRAILER], inner, found[1])


def _selection(b: Builder, element: etree._Element) -> None:
    rows: list[int] = []
    for member in children(element.find("Members") if element.find("Members") is not None else element):
        if name_of(member) == "EntityRef":
            rows += b.entities_of(member, b.scope)
        else:
            wanted = b.scope.text(member, "objectType")
            kinds = {"vehicle": T.VEHICLE, "pedestrian": T.PEDESTRIAN, "miscellaneous": T.OBJECT}
            if wanted not in kinds:
                raise unsupported(member, f"objects of type '{wanted}'")
            rows += [i for i, e in enumerate(b.entities) if e[T.N_KIND] == kinds[wanted]]
    b.selections[b.scope.text(element, "name")] = rows

"""Traffic actions: sources, sinks, swarms and areas, with the vehicles they may bring (clause 6.10 "Traffic simulation").

The vehicles are entity rows like all others, added behind the scenario's own: a bounded pool for each action.
"""

from __future__ import annotations

import math

from lxml import etree

from cloverleaf.scenario.demand.vehicle_classes import CLASS_DEFAULTS
from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.builder import Builder, only_child, unsupported
from cloverleaf.scenario.storyboard.entities import CATEGORIES, KINDS, body_of
from cloverleaf.scenario.storyboard.numbers import Number, number
from cloverleaf.scenario.storyboard.positions import position
from cloverleaf.scenario.storyboard.scope import Scope, fail
from cloverleaf.scenario.storyboard.stretches import stretches

MOST = 1000
"""Vehicles that all traffic actions of a scenario may have on the road at once."""
OF_A_SOURCE = 100
"""Vehicles of one source at once; it waits until some have left the map or gone into a sink."""
CLASSES = {
    "car": "passenger", "van": "delivery", "truck": "truck", "semitrailer": "trailer", "trailer": "trailer", "bus": "bus",
    "motorbike": "motorcycle", "bicycle": "bicycle",
}  # fmt: skip
"""Class of `vehicle_classes.py` that gives a category of TrafficDefinition its size and performance: the standard gives none."""
REAR_OVERHANG = 0.2  # share of the length behind the rear axle, the usual place


def traffic_action(b: Builder, element: etree._Element, scope: Scope) -> tuple[int, int]:
    """Kind of action and its reference: a row of `traffic`, or for a stop the code of the name it stops (-1: all)."""
    inner = only_child(element)
    name = scope.text(element, "trafficName", "")
    if name_of(inner) == "TrafficStopAction":
        code = _name_code(b, name) if name else -1
        b.traffic_stops.append((element, code))
        return T.TRAFFIC_STOP, code
    if b.map is None:
        raise fail(inner, "traffic needs a road network", "name it in RoadNetwork/LogicFile")
    row = [-1] * 13
    row[T.D_NAME], row[T.D_CONTINUOUS], row[T.D_SHAPE] = _name_code(b, name) if name else -1, 1, T.POLYGON
    row[T.D_POINT] = row[T.D_POINT_END] = row[T.D_BODY] = row[T.D_BODY_END] = 0
    row[T.D_KIND], most = _KINDS[name_of(inner)](b, inner, scope, row)
    b.traffic_pools.append((name or name_of(inner).removesuffix("Action"), most))
    if sum(count for _, count in b.traffic_pools) > MOST:
        raise unsupported(inner, f"traffic of more than {MOST} vehicles at once")
    b.traffic.append(row)
    return T.TRAFFIC, len(b.traffic) - 1


def _name_code(b: Builder, name: str) -> int:
    if name not in b.traffic_names:
        b.traffic_names.append(name)
    return b.traffic_names.index(name)


def _source(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> tuple[int, int]:
    speed = number(e, "speed" if "speed" in e.attrib else "velocity", scope)
    row[T.D_SLOT] = b.slots(*_positive(b, e, scope, radius=0.0, rate=0.0), speed)
    _points(b, [e], scope, row)
    _bodies(b, e, scope, row)
    return T.SOURCE, OF_A_SOURCE


def _sink(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> tuple[int, int]:
    row[T.D_SLOT] = b.slots(*_positive(b, e, scope, radius=0.0, rate=math.inf))
    _points(b, [e], scope, row)
    entries = [x for x in e.iterfind("TrafficDefinition/VehicleCategoryDistribution/VehicleCategoryDistributionEntry")]
    row[T.D_BODY] = len(b.members)
    b.members += [CATEGORIES[scope.text(x, "category")] for x in entries]
    row[T.D_BODY_END] = len(b.members)
    return T.SINK, 0


def _swarm(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> tuple[int, int]:
    central, speeds, ways = (
        e.find("CentralObject"),
        e.find("InitialSpeedRange"),
        e.find("DirectionOfTravelDistribution"),
    )
    if central is None:
        raise fail(e, "CentralObject is missing")
    row[T.D_REF] = b.entity(central, scope)
    low = number(speeds, "lowerLimit", scope) if speeds is not None else number(e, "velocity", scope)
    high = number(speeds, "upperLimit", scope) if speeds is not None else low
    if low.value > high.value:
        raise fail(speeds if speeds is not None else e, f"lowerLimit {low.value:g} is above upperLimit {high.value:g}")
    shares = [Number(1.0), Number(1.0)] if ways is None else b.numbers_of(ways, scope, same=0.0, opposite=0.0)
    _weighed(ways if ways is not None else e, shares)
    sizes = _positive(b, e, scope, innerRadius=0.0, semiMajorAxis=0.0, semiMinorAxis=0.0)
    row[T.D_SLOT] = b.slots(sizes[0], number(e, "offset", scope, 0.0), *sizes[1:], low, high, *shares)
    _bodies(b, e, scope, row)
    return T.SWARM, _count(e, "numberOfVehicles", scope)


def _area(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> tuple[int, int]:
    area = e.find("TrafficArea")
    if area is None:
        raise fail(e, "TrafficArea is missing")
    row[T.D_CONTINUOUS] = int(scope.flag(e, "continuous"))
    polygon = area.find("Polygon")
    if polygon is not None:
        _points(b, children(polygon), scope, row)
    else:
        row[T.D_SHAPE] = T.STRETCHES
        found = [s for r in children(area) for s in stretches(b, r, scope)]
        row[T.D_POINT] = len(b.members)
        b.members += [value for stretch in found for value in stretch]
        row[T.D_POINT_END] = len(b.members)
    _bodies(b, e, scope, row)
    return T.AREA, _count(e, "numberOfEntities", scope)


_KINDS = {
    "TrafficSourceAction": _source,
    "TrafficSinkAction": _sink,
    "TrafficSwarmAction": _swarm,
    "TrafficAreaAction": _area,
}


def _count(e: etree._Element, name: str, scope: Scope) -> int:
    """A number that shapes the program: how many rows a pool has."""
    text = scope.text(e, name)
    try:
        return int(float(text))
    except ValueError:
        raise fail(e, f"attribute '{name}': '{text}' is not a number") from None


def _positive(b: Builder, e: etree._Element, scope: Scope, **defaults: float) -> list[Number]:
    numbers = b.numbers_of(e, scope, **defaults)
    for name, n in zip(defaults, numbers):
        if n.value < 0.0:
            raise fail(e, f"attribute '{name}': {n.value:g} is negative")
    return numbers


def _weighed(e: etree._Element, weights: list[Number]) -> None:
    """Weights that nothing can be drawn by are an error."""
    if any(w.value < 0.0 for w in weights) or not sum(w.value for w in weights) > 0.0:
        raise fail(e, "weights must not be negative, and one must be above 0")


def _points(b: Builder, holders: list[etree._Element], scope: Scope, row: list[int]) -> None:
    """Positions that are worked out once, when the action starts; each has a row of the path buffer."""
    found = []
    for holder in holders:
        part = holder.find("Position") if name_of(holder) != "Position" else holder
        if part is None:
            raise fail(holder, "Position is missing")
        found.append(position(b, part, scope))
    row[T.D_POINT] = len(b.members)
    b.members += found
    row[T.D_POINT_END] = len(b.members)
    row[T.D_ROW] = b.path_rows
    b.path_rows += len(found)


def _bodies(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    """What kinds of vehicles come: of TrafficDistribution, of the older TrafficDefinition, else cars."""
    distribution, definition = e.find("TrafficDistribution"), e.find("TrafficDefinition")
    if distribution is not None:
        found = _distribution(b, distribution, scope)
        _weighed(distribution, [weight for _, _, weight in found])
    elif definition is not None:
        found = _definition(b, definition, scope)
        _weighed(definition, [weight for _, _, weight in found])
    else:
        found = [(*_nominal(b, e, "car"), Number(1.0))]
    rows = [(slot, category, b.slots(weight)) for slot, category, weight in found]
    row[T.D_BODY] = len(b.members)
    b.members += [value for body in rows for value in body]
    row[T.D_BODY_END] = len(b.members)


def _distribution(b: Builder, block: etree._Element, scope: Scope) -> list[tuple[int, int, Number]]:
    found = []
    for entry in children(block):
        share = number(entry, "weight", scope)
        inside = [x for x in entry.iterfind("EntityDistribution/EntityDistributionEntry")]
        parts = [number(x, "weight", scope) for x in inside]
        _weighed(entry, parts)
        total = sum(part.value for part in parts)
        for x, part in zip(inside, parts):
            template = only_child(x)
            body = b.inline_or_catalog(template, scope, *KINDS)
            if body is None:
                raise unsupported(template, f"a {name_of(only_child(template))} as traffic")
            kind, category, slot = body_of(b, template, *body)
            if kind != T.VEHICLE:
                raise unsupported(template, "traffic other than vehicles")
            for holder in template.iterfind("ObjectController"):
                b.inline_or_catalog(holder, scope, "Controller")
            found.append((slot, category, share if len(inside) == 1 else Number(share.value * part.value / total)))
    return found


def _definition(b: Builder, block: etree._Element, scope: Scope) -> list[tuple[int, int, Number]]:
    for entry in block.iterfind("ControllerDistribution/ControllerDistributionEntry"):
        b.inline_or_catalog(entry, scope, "Controller")
    entries = block.iterfind("VehicleCategoryDistribution/VehicleCategoryDistributionEntry")
    return [(*_nominal(b, x, scope.text(x, "category")), number(x, "weight", scope)) for x in entries]


def _nominal(b: Builder, element: etree._Element, category: str) -> tuple[int, int]:
    """Slots of a usual vehicle of a category, and the category's code."""
    if category not in CLASSES:
        raise unsupported(element, f"traffic of category '{category}'", ", ".join(CLASSES))
    c = CLASS_DEFAULTS[CLASSES[category]]
    box = (c.length, c.width, 1.5, (0.5 - REAR_OVERHANG) * c.length, 0.0, 0.75)
    slot = b.slots(*box, c.max_speed, c.accel, c.emergency_decel, 0.6 * c.length, math.nan, math.nan)
    return slot, CATEGORIES[category]


def add_pools(b: Builder) -> None:
    """Entity rows for the vehicles of all traffic actions, and a look at the names that are to be stopped."""
    for element, code in b.traffic_stops:
        if code >= 0 and all(row[T.D_NAME] != code for row in b.traffic):
            known = [b.traffic_names[row[T.D_NAME]] for row in b.traffic if row[T.D_NAME] >= 0]
            hint = "named traffic: " + ", ".join(known) if known else "no traffic action has a trafficName"
            raise fail(element, f"traffic '{b.traffic_names[code]}' does not exist", hint)
    for row, (name, most) in zip(b.traffic, b.traffic_pools):
        row[T.D_POOL] = len(b.entities)
        number_of = 1
        for _ in range(most):
            while f"{name} {number_of}" in b.entity_row:
                number_of += 1
            b.entity_row[f"{name} {number_of}"] = len(b.entities)
            slot, category = b.members[row[T.D_BODY]], b.members[row[T.D_BODY] + 1]
            b.entities.append([T.VEHICLE, category, slot, -1, 0, -1, -1])
        row[T.D_POOL_END] = len(b.entities)

"""Triggers: groups of conditions, by value and by entity."""

from __future__ import annotations

import math
from collections.abc import Callable

from lxml import etree

from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.openscenario.values import seconds
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.actions import SYSTEMS, text_slot, value_slot
from cloverleaf.scenario.storyboard.builder import Builder, only_child, unsupported
from cloverleaf.scenario.storyboard.numbers import number
from cloverleaf.scenario.storyboard.positions import position
from cloverleaf.scenario.storyboard.scope import Scope, fail

EDGES = {"none": T.EDGE_NONE, "rising": T.EDGE_RISING, "falling": T.EDGE_FALLING, "risingOrFalling": T.EDGE_BOTH}
RULES = {
    "equalTo": T.EQUAL, "greaterThan": T.GREATER, "lessThan": T.LESS, "greaterOrEqual": T.GREATER_EQUAL, "lessOrEqual": T.LESS_EQUAL,
    "notEqualTo": T.NOT_EQUAL,
}  # fmt: skip
STATES = {
    "standbyState": T.STANDBY_STATE, "runningState": T.RUNNING_STATE, "completeState": T.COMPLETE_STATE, "startTransition": T.START,
    "stopTransition": T.STOP, "skipTransition": T.SKIPPED, "endTransition": T.FINISH,
}  # fmt: skip
DIRECTIONS = {"": T.DIRECTION_ANY, "longitudinal": T.LONGITUDINAL, "lateral": T.LATERAL, "vertical": T.VERTICAL}
DISTANCES = {
    "longitudinal": T.ALONG, "lateral": T.ACROSS, "cartesianDistance": T.STRAIGHT, "euclidianDistance": T.STRAIGHT
}  # fmt: skip
ANGLES = {"heading": 0, "pitch": 1, "roll": 2}


def trigger(b: Builder, element: etree._Element | None, scope: Scope, empty: bool) -> int:
    """Row of a trigger, -1 if there is none; `empty`: what a trigger without condition groups says."""
    if element is None:
        return -1
    groups = []
    for group in children(element):
        rows = [_condition(b, c, scope) for c in children(group)]
        groups.append([len(b.conditions), 0])
        b.conditions += rows
        groups[-1][1] = len(b.conditions)
    first = len(b.groups)
    b.groups += groups
    b.triggers.append([first, len(b.groups), int(empty)])
    return len(b.triggers) - 1


def triggering_entities(b: Builder, row: int) -> list[int]:
    """All entities that can fire a trigger, in document order."""
    found: list[int] = []
    if row >= 0:
        for group in b.groups[b.triggers[row][T.T_BEGIN] : b.triggers[row][T.T_END]]:
            for c in b.conditions[group[0] : group[1]]:
                found += [m for m in b.members[c[T.C_BEGIN] : c[T.C_END]] if m not in found]
    return found


def _condition(b: Builder, element: etree._Element, scope: Scope) -> list[int]:
    row = [-1] * 14
    row[T.C_MODE] = row[T.C_SYSTEM] = row[T.C_FREE] = row[T.C_ALL] = 0
    row[T.C_BEGIN] = row[T.C_END] = 0
    row[T.C_EDGE] = scope.choice(element, "conditionEdge", EDGES)
    delay = number(element, "delay", scope, 0.0)
    row[T.C_DELAY] = b.slots(delay)
    if delay.scope is not None or delay.value > 0.0:
        row[T.C_HISTORY] = b.histories
        b.histories += 1
    kind = only_child(element)
    if name_of(kind) == "ByEntityCondition":
        entities, inner = kind.find("TriggeringEntities"), kind.find("EntityCondition")
        if entities is None or inner is None:
            raise fail(kind, "TriggeringEntities and EntityCondition are needed")
        members = [m for e in children(entities) for m in b.entities_of(e, scope)]
        row[T.C_BEGIN] = len(b.members)
        b.members += members
        row[T.C_END] = len(b.members)
        row[T.C_ALL] = int(scope.text(entities, "triggeringEntitiesRule") == "all")
        inner = only_child(inner)
    else:
        inner = only_child(kind)
    name = name_of(inner)
    if name not in _KINDS:
        raise unsupported(inner, name)
    row[T.C_KIND], compile_kind = _KINDS[name]
    if "rule" in inner.attrib:
        row[T.C_RULE] = scope.choice(inner, "rule", RULES)
    compile_kind(b, inner, scope, row)
    b.condition_names.append(scope.text(element, "name", ""))
    return row


def _value(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    row[T.C_SLOT] = b.slots(number(e, "value", scope))


def _duration(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    row[T.C_SLOT] = b.slots(number(e, "duration", scope, 0.0))


def _time_of_day(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    row[T.C_SLOT] = b.slots(seconds(scope.text(e, "dateTime")))


def _state(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    row[T.C_MODE] = scope.choice(e, "state", STATES)
    row[T.C_REF] = len(b.pending_states)  # elements are numbered later
    b.pending_states.append((row[T.C_MODE], e, scope))


def _variable(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    name = e.get("variableRef", e.get("parameterRef", "")).lstrip("$")
    if name not in b.variables:
        raise fail(e, f"'{name}' is not declared")
    row[T.C_REF], kind = b.variables[name]
    row[T.C_SLOT] = value_slot(b, e, scope, kind)


def _signal(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    row[T.C_REF] = b.signal(scope.text(e, "name"))
    row[T.C_SLOT] = text_slot(b, scope.text(e, "state"))


def _phase(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    name, phase = scope.text(e, "trafficSignalControllerRef"), scope.text(e, "phase")
    if name not in b.signal_controllers:
        raise fail(e, f"traffic signal controller '{name}' does not exist")
    row[T.C_REF] = b.signal_controllers[name]
    names = b.phase_names[row[T.C_REF]]
    if phase not in names:
        raise fail(e, f"traffic signal controller '{name}' has no phase '{phase}'")
    row[T.C_SLOT] = b.slots(float(names.index(phase)))


def _directed(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    _value(b, e, scope, row)
    row[T.C_MODE] = scope.choice(e, "direction", DIRECTIONS, "")
    if "entityRef" in e.attrib:
        row[T.C_REF] = b.entity(e, scope)


def _collision(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    target = only_child(e)
    if name_of(target) == "EntityRef":
        members = b.entities_of(target, scope)
        if len(members) != 1:
            raise unsupported(target, "a collision with a selection")
        row[T.C_REF] = members[0]
    else:
        kinds = {"pedestrian": T.PEDESTRIAN, "vehicle": T.VEHICLE, "miscellaneous": T.OBJECT}
        row[T.C_MODE] = 1 + scope.choice(target, "type", kinds)


def _metric(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    """Coordinate system, kind of distance, and whether boxes count; `alongRoute` is the 1.0 form."""
    along = scope.flag(e, "alongRoute")
    row[T.C_SYSTEM] = scope.choice(e, "coordinateSystem", SYSTEMS, "road" if along else "entity")
    default = "longitudinal" if along else "euclidianDistance"
    row[T.C_MODE] = scope.choice(e, "relativeDistanceType", DISTANCES, default)
    row[T.C_FREE] = int(scope.flag(e, "freespace"))


def _between(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    _value(b, e, scope, row)
    _metric(b, e, scope, row)
    row[T.C_REF] = b.entity(e, scope)


def _collision_time(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    _value(b, e, scope, row)
    _metric(b, e, scope, row)
    holder = e.find("TimeToCollisionConditionTarget")
    if holder is None:
        raise fail(e, "TimeToCollisionConditionTarget is missing")
    target = only_child(holder)
    if name_of(target) == "EntityRef":
        row[T.C_REF] = b.entity(target, scope)
    else:
        row[T.C_POSITION] = position(b, target, scope)


def _to_position(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    holder = e.find("Position")
    if holder is None:
        raise fail(e, "Position is missing")
    row[T.C_POSITION] = position(b, holder, scope)
    if name_of(e) == "DistanceCondition":
        _value(b, e, scope, row)
        _metric(b, e, scope, row)
    else:
        row[T.C_SLOT] = b.slots(number(e, "tolerance", scope, 0.0))


def _clearance(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    lanes = [r for r in children(e) if name_of(r) == "RelativeLaneRange"]
    if len(lanes) > 1:
        raise unsupported(lanes[1], "more than one lane range")
    ranges = b.numbers_of(lanes[0] if lanes else None, scope, **{"from": -math.inf, "to": math.inf})
    row[T.C_SLOT] = b.slots(*b.numbers_of(e, scope, distanceForward=0.0, distanceBackward=0.0), *ranges)
    row[T.C_FREE], row[T.C_MODE] = int(scope.flag(e, "freeSpace")), int(scope.flag(e, "oppositeLanes"))
    others = [m for r in children(e) if name_of(r) == "EntityRef" for m in b.entities_of(r, scope)]
    row[T.C_REF] = len(b.members) if others else -1
    if others:
        b.members += [len(others), *others]


def _angle(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    row[T.C_SLOT] = b.slots(*b.numbers_of(e, scope, angle=0.0, angleTolerance=0.0))
    row[T.C_MODE] = scope.choice(e, "angleType", ANGLES)
    row[T.C_SYSTEM] = scope.choice(e, "coordinateSystem", SYSTEMS, "entity" if "entityRef" in e.attrib else "world")
    if "entityRef" in e.attrib:
        row[T.C_REF] = b.entity(e, scope)


def _never(b: Builder, e: etree._Element, scope: Scope, row: list[int]) -> None:
    """A user-defined value: nobody sets it from outside, so it never holds."""


_Compile = Callable[[Builder, etree._Element, Scope, list[int]], None]
_KINDS: dict[str, tuple[int, _Compile]] = {
    "SimulationTimeCondition": (T.TIME, _value),
    "TimeOfDayCondition": (T.TIME_OF_DAY, _time_of_day),
    "StoryboardElementStateCondition": (T.ELEMENT_STATE, _state),
    "ParameterCondition": (T.VARIABLE, _variable),
    "VariableCondition": (T.VARIABLE, _variable),
    "TrafficSignalCondition": (T.SIGNAL, _signal),
    "TrafficSignalControllerCondition": (T.SIGNAL_PHASE, _phase),
    "UserDefinedValueCondition": (T.NEVER, _never),
    "SpeedCondition": (T.SPEED, _directed),
    "RelativeSpeedCondition": (T.RELATIVE_SPEED, _directed),
    "AccelerationCondition": (T.ACCELERATION, _directed),
    "StandStillCondition": (T.STAND_STILL, _duration),
    "TraveledDistanceCondition": (T.TRAVELED, _value),
    "EndOfRoadCondition": (T.END_OF_ROAD, _duration),
    "OffroadCondition": (T.OFFROAD, _duration),
    "CollisionCondition": (T.COLLISION, _collision),
    "TimeHeadwayCondition": (T.HEADWAY, _between),
    "TimeToCollisionCondition": (T.COLLISION_TIME, _collision_time),
    "ReachPositionCondition": (T.REACH, _to_position),
    "DistanceCondition": (T.DISTANCE, _to_position),
    "RelativeDistanceCondition": (T.RELATIVE_DISTANCE, _between),
    "RelativeClearanceCondition": (T.CLEARANCE, _clearance),
    "AngleCondition": (T.ANGLE, _angle),
    "RelativeAngleCondition": (T.RELATIVE_ANGLE, _angle),
}

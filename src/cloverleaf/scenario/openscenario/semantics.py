"""What the types of OpenSCENARIO cannot say: superseded attributes beside their successors, variables, entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from cloverleaf.scenario.openscenario.document import OWNER, Problem, children, name_of, walk
from cloverleaf.scenario.openscenario.expression import Value, evaluate
from cloverleaf.scenario.openscenario.values import TYPES, parse_value
from cloverleaf.types.errors import ScenarioError, nearest


class Superseded(NamedTuple):
    """An old attribute that must not stand beside its successors (attributes, or child elements with a capital)."""

    element: str
    old: str
    successors: tuple[str, ...]


SUPERSEDED = (
    Superseded("GeoPosition", "height", ("altitude",)),
    Superseded("GeoPosition", "latitude", ("latitudeDeg",)),
    Superseded("GeoPosition", "longitude", ("longitudeDeg",)),
    Superseded("Brake", "value", ("BrakePercent", "BrakeForce")),
    Superseded("ParkingBrake", "value", ("BrakePercent", "BrakeForce")),
    Superseded("Sun", "intensity", ("illuminance",)),
    Superseded("Weather", "cloudState", ("fractionalCloudCover",)),
    Superseded("Precipitation", "intensity", ("precipitationIntensity",)),
    Superseded("TrafficSourceAction", "velocity", ("speed",)),
    Superseded("TrafficSwarmAction", "velocity", ("InitialSpeedRange",)),
    Superseded("Clothoid", "curvatureDot", ("curvaturePrime",)),
    Superseded("DistanceCondition", "alongRoute", ("coordinateSystem", "relativeDistanceType")),
    Superseded("RelativeDistanceCondition", "alongRoute", ("coordinateSystem",)),
    Superseded("TimeHeadwayCondition", "alongRoute", ("coordinateSystem", "relativeDistanceType")),
    Superseded("TimeToCollisionCondition", "alongRoute", ("coordinateSystem", "relativeDistanceType")),
)
"""After the class reference of ASAM OpenSCENARIO XML 1.3 ("deprecated, must not be used with")."""

NUMERIC = ("double", "int", "integer", "unsignedint", "unsignedshort")
_BY_ELEMENT: dict[str, list[Superseded]] = {}
for _rule in SUPERSEDED:
    _BY_ELEMENT.setdefault(_rule.element, []).append(_rule)


def superseded(element: etree._Element) -> list[Problem]:
    """Old attributes of one element beside their successors."""
    problems = []
    for rule in _BY_ELEMENT.get(name_of(element), ()):
        if rule.old not in element.attrib:
            continue
        # 1.0 used a `value` for the brakes without the later child elements: the type demands one or the other
        present = [s for s in rule.successors if s in element.attrib or element.find(s) is not None]
        if present:
            problems.append(
                Problem(
                    element.sourceline,
                    rule.element,
                    f"attribute '{rule.old}' is superseded by '{present[0]}': use only one",
                )
            )
    return problems


def declared_variables(
    root: etree._Element, parameters: Mapping[str, Value], problems: list[Problem]
) -> dict[str, str]:
    """Name -> type of the variables of a scenario; wrong initial values are added to `problems`."""
    block = root.find("VariableDeclarations")
    variables: dict[str, str] = {}
    for declaration in children(block) if block is not None else []:
        name, kind = declaration.get("name", ""), declaration.get("variableType", "string")
        variables[name] = kind
        try:
            if kind not in TYPES:
                raise ScenarioError(f"unknown variable type '{kind}'", hint=nearest(kind, TYPES))
            parse_value(evaluate(declaration.get("value", ""), parameters), kind)
        except ScenarioError as error:
            problems.append(
                Problem(
                    declaration.sourceline, "VariableDeclaration", f"variable '{name}': {error.message}", error.hint
                )
            )
    return variables


def _variable_use(
    element: etree._Element, variables: Mapping[str, str], parameters: Mapping[str, Value]
) -> Problem | None:
    name = element.get("variableRef", "").lstrip("$")
    if name not in variables:
        hint = nearest(name, variables) if variables else "there is no VariableDeclarations element"
        return Problem(element.sourceline, name_of(element), f"variable '{name}' is not declared", hint)
    kind = variables[name]
    if element.find("ModifyAction") is not None and kind.lower() not in NUMERIC:
        return Problem(
            element.sourceline, name_of(element), f"variable '{name}' of type {kind} cannot be modified by arithmetic"
        )
    holder = element.find("SetAction") if name_of(element) != "VariableCondition" else element
    if holder is not None and holder.get("value") is not None:
        try:
            parse_value(evaluate(holder.get("value", ""), parameters), kind)
        except ScenarioError as error:
            return Problem(holder.sourceline, name_of(holder), f"variable '{name}': {error.message}", error.hint)
    return None


def semantic_problems(root: etree._Element, parameters: Mapping[str, Value]) -> list[Problem]:
    """All problems of this kind in one scenario file, in document order. parameters: the global ones."""
    problems: list[Problem] = []
    variables = declared_variables(root, parameters, problems)
    entities = {e.get("name", "") for e in root.iterfind("Entities/*")}
    for element in walk(root):
        problems += superseded(element)
        if "variableRef" in element.attrib and root.find("Storyboard") is not None:
            found = _variable_use(element, variables, parameters)
            problems += [found] if found else []
        reference = element.get("entityRef")
        if reference is None or reference.startswith("$") or reference == OWNER or root.find("Storyboard") is None:
            continue
        if reference not in entities:
            hint = nearest(reference, entities) if entities else "the scenario declares no entity"
            problems.append(Problem(element.sourceline, name_of(element), f"entity '{reference}' does not exist", hint))
    return sorted(problems, key=lambda p: p.line)


def wrong_injections(root: etree._Element, injected: Mapping[str, str]) -> list[Problem]:
    """Injected values that do not fit the declared type, and names that no parameter has; at the declaration's line."""
    block = root.find("ParameterDeclarations")
    declared = {d.get("name", ""): d for d in (children(block) if block is not None else [])}
    problems = []
    for name, text in injected.items():
        if name not in declared:
            hint = nearest(name, declared) if declared else "the scenario declares no parameter"
            problems.append(Problem(root.sourceline, "ParameterDeclarations", f"no parameter '{name}' to set", hint))
            continue
        kind = declared[name].get("parameterType", "string")
        try:
            parse_value(evaluate(text, {}, as_text=kind == "string"), kind)
        except ScenarioError as error:
            problems.append(
                Problem(
                    declared[name].sourceline,
                    "ParameterDeclaration",
                    f"parameter '{name}': {error.message}",
                    error.hint,
                )
            )
    return problems

"""A scenario file compiled: `compile_scenario(path) -> CompiledScenario`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lxml import etree
from numpy.typing import ArrayLike, NDArray

from cloverleaf.map.query import MapQuery
from cloverleaf.scenario.openscenario.catalogs import catalogs_of
from cloverleaf.scenario.openscenario.document import Problem, check, children, name_of, read
from cloverleaf.scenario.openscenario.expression import Value
from cloverleaf.scenario.openscenario.semantics import semantic_problems, wrong_injections
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.actions import text_slot
from cloverleaf.scenario.storyboard.builder import Builder
from cloverleaf.scenario.storyboard.entities import compile_entities
from cloverleaf.scenario.storyboard.numbers import Columns, Number, Numbers, number
from cloverleaf.scenario.storyboard.scope import NUMERIC, Scope, fail
from cloverleaf.scenario.storyboard.traffic import add_pools
from cloverleaf.scenario.storyboard.tree import compile_storyboard
from cloverleaf.types.errors import ScenarioError, nearest
from cloverleaf.types.state import F64


class Parameter(NamedTuple):
    """A parameter of the scenario; a structural one is fixed when compiled."""

    kind: str
    value: Value
    structural: bool


class Names(NamedTuple):
    """Names of the rows: entities, storyboard elements with their paths, conditions, variables, texts, signals."""

    entities: tuple[str, ...]
    elements: tuple[str, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]
    signals: tuple[str, ...]


class CompiledScenario(NamedTuple):
    """A program, the numbers it needs, its map and its names."""

    path: Path
    program: T.Program
    numbers: Numbers
    scope: Scope
    map: MapQuery | None
    names: Names
    initial: tuple[int, int, int]  # slots: first variable, first signal state, time of day (s)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The scenario's own parameters by name."""
        return {
            name: Parameter(
                d.kind, self.scope.values[name], name in self.scope.structural or d.kind.lower() not in NUMERIC
            )
            for name, d in self.scope.declarations.items()
        }

    @property
    def structural(self) -> tuple[str, ...]:
        """Names of the parameters that shape the program."""
        return tuple(name for name, p in self.parameters.items() if p.structural)

    @property
    def entity_row(self) -> dict[str, int]:
        """Row of each entity by name."""
        return {name: i for i, name in enumerate(self.names.entities)}

    def columns(self, parameters: Mapping[str, ArrayLike] | None = None, count: int = 1) -> Columns:
        """The numbers of `count` worlds; parameters not named keep their value. Raises ScenarioError for unknown or structural ones."""
        given = dict(parameters or {})
        known = self.parameters
        for name in given:
            if name not in known:
                raise ScenarioError(f"no parameter '{name}'", file=self.path, hint=nearest(name, known))
            if known[name].structural:
                hint = "give it to compile_scenario"
                raise ScenarioError(f"parameter '{name}' shapes the program", file=self.path, hint=hint)
        filled = self.numbers.fill(given, count)
        return _constrained(self.scope, filled, given, count)


def _constrained(scope: Scope, filled: Columns, given: Mapping[str, ArrayLike], count: int) -> Columns:
    """Mark the worlds whose parameters violate a constraint: of the groups of a parameter one must hold."""
    columns = {k: np.broadcast_to(np.asarray(v, np.float64), (count,)) for k, v in given.items()}
    touched = set(columns)
    for name, declared in scope.declarations.items():
        groups = [g for g in children(declared.element) if name_of(g) == "ConstraintGroup"]
        if not groups or not scope.roots[name] & touched or declared.kind.lower() not in NUMERIC:
            continue
        values = np.broadcast_to(np.asarray(scope.column(f"${name}", columns), np.float64), (count,))
        good = np.zeros(count, bool)
        for group in groups:
            good |= np.logical_and.reduce([_holds(values, c, scope, columns) for c in children(group)])
        for world in np.flatnonzero(~good):
            message = str(fail(declared.element, f"parameter '{name}' = {values[world]:g} violates its constraints"))
            filled.reasons.setdefault(int(world), message)
            filled.broken[world] = True
    return filled


_RULES = {
    "equalTo": np.equal, "notEqualTo": np.not_equal, "greaterThan": np.greater, "lessThan": np.less,
    "greaterOrEqual": np.greater_equal, "lessOrEqual": np.less_equal,
}  # fmt: skip


def _holds(values: F64, constraint: etree._Element, scope: Scope, columns: dict[str, F64]) -> NDArray[np.bool_]:
    """One constraint for every world; it may name other parameters."""
    try:
        bound = np.asarray(scope.column(constraint.get("value", ""), columns), np.float64)
    except (ScenarioError, ValueError):
        return np.zeros(len(values), bool)
    found: NDArray[np.bool_] = _RULES[constraint.get("rule", "equalTo")](values, bound) & ~np.isnan(values)
    return found


def compile_scenario(
    path: str | os.PathLike[str], parameters: Mapping[str, str | float] | None = None
) -> CompiledScenario:
    """Read, check and compile a scenario; `parameters` replace declared values.

    Raises ScenarioError or MapError with file:line:element for what is wrong, missing or not supported.
    """
    file = Path(path)
    injected = {k: v if isinstance(v, str) else repr(v) for k, v in (parameters or {}).items()}
    root = read(file)
    problems = wrong_injections(root, injected) or check(root, injected)
    _raise_first(problems, file)
    board = root.find("Storyboard")
    if board is None:
        raise ScenarioError("holds no storyboard", file=file, hint="a catalog or a variation cannot be run by itself")
    _raise_first([p for p in (unknown_version(root),) if p], file)
    scope = Scope(None, set())
    block = root.find("ParameterDeclarations")
    for d in children(block) if block is not None else []:
        name = d.get("name", "")
        scope.declare(name, d.get("parameterType", "string"), injected.get(name, d.get("value", "")), None, d)
    _raise_first(semantic_problems(root, scope.values), file)
    missing: list[Problem] = []
    catalogs = catalogs_of(root, file.parent, scope.values, missing)
    b = Builder(root, file, _read_map(root, file, scope), scope)
    b.catalogs = catalogs
    used = {str(scope.values.get(n[1:], n)) if n.startswith("$") else n for n in _catalog_names(root)}
    if missing and used - catalogs.keys():
        _raise_first(missing, file)
    _declare_variables(b, root)
    entities = root.find("Entities")
    compile_entities(b, entities if entities is not None else root)
    _traffic_signals(b, root)
    init = compile_storyboard(b, board, scope)
    return _assemble(b, init, root)


def unknown_version(root: etree._Element) -> Problem | None:
    """What is wrong with the version that a file states, if no run supports it."""
    header = root.find("FileHeader")
    if header is None:
        return None
    major, minor = header.get("revMajor", ""), header.get("revMinor", "")
    if (major, minor) in {("1", str(i)) for i in range(4)}:
        return None
    return Problem(header.sourceline or 0, "FileHeader", f"OpenSCENARIO {major}.{minor} is not known", "1.0 to 1.3")


def _raise_first(problems: list[Problem], file: Path) -> None:
    for p in problems:
        raise ScenarioError(p.message, file=file, line=p.line, element=p.element, hint=p.hint)


def _catalog_names(root: etree._Element) -> set[str]:
    return {r.get("catalogName", "") for r in root.iter("CatalogReference")}


def _read_map(root: etree._Element, file: Path, scope: Scope) -> MapQuery | None:
    logic = root.find("RoadNetwork/LogicFile")
    if logic is None:
        return None
    name = scope.text(logic, "filepath")
    if not name:
        return None
    target = file.parent / name
    if not target.is_file():
        hint = "a map is named by its file" if "." not in Path(name).name else "paths are relative to the scenario"
        raise fail(logic, f"road network '{name}' does not exist", hint)
    return MapQuery.read(target)


def _declare_variables(b: Builder, root: etree._Element) -> None:
    """Variables, and the parameters that conditions and actions of 1.0 to 1.1 treat as such."""
    block = root.find("VariableDeclarations")
    for d in children(block) if block is not None else []:
        b.variables[d.get("name", "")] = (len(b.variables), d.get("variableType", "string"))
    used = [e.get("parameterRef", "").lstrip("$") for e in root.iter("ParameterCondition", "ParameterAction")]
    for name, declared in b.scope.declarations.items():
        if name in used and name not in b.variables:
            b.variables[name] = (len(b.variables), declared.kind)


def _initial_variable(b: Builder, root: etree._Element, name: str, kind: str) -> float | Number:
    block = root.find("VariableDeclarations")
    for d in children(block) if block is not None else []:
        if d.get("name") == name:
            if kind.lower() == "boolean":
                return float(b.scope.flag(d, "value"))
            if kind.lower() in ("string", "datetime"):
                text = b.scope.text(d, "value")
                b.text_code(text)
                return Number(0.0, text, "text")
            return number(d, "value", b.scope)
    value = b.scope.values[name]
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        b.text_code(value)
        return Number(0.0, value, "text")
    return Number(float(value), f"${name}", "value", b.scope, b.scope.declarations[name].element)


def _traffic_signals(b: Builder, root: etree._Element) -> None:
    """Controllers of traffic signals: phases in a cycle, from a delay after the start (or after the start of another controller) on."""
    block = root.find("RoadNetwork/TrafficSignals")
    delays: dict[str, float] = {}
    for element in children(block) if block is not None else []:
        name, first = b.scope.text(element, "name"), len(b.phases)
        for phase in element.iterfind("Phase"):
            pairs: list[int] = []
            together = phase.find("TrafficSignalGroupState")
            if together is not None:
                state = b.scope.text(together, "state")
                for signal in _signal_group(b, element, name, together):
                    pairs += [b.signal(signal), text_slot(b, state)]
            for s in phase.iterfind("TrafficSignalState"):
                pairs += [b.signal(b.scope.text(s, "trafficSignalId")), text_slot(b, b.scope.text(s, "state"))]
            begin = len(b.members)
            b.members += pairs
            b.phases.append([b.slots(number(phase, "duration", b.scope)), begin, len(b.members)])
        reference = b.scope.text(element, "reference", "")
        if reference and reference not in delays:
            raise fail(element, f"traffic signal controller '{reference}' does not stand before this one")
        delays[name] = number(element, "delay", b.scope, 0.0).value + delays.get(reference, 0.0)
        b.signal_controllers[name] = len(b.signal_rows)
        b.signal_rows.append([first, len(b.phases), b.slots(delays[name])])
        b.phase_names.append([b.scope.text(p, "name") for p in element.iterfind("Phase")])


def _signal_group(b: Builder, controller: etree._Element, name: str, together: etree._Element) -> list[str]:
    """Ids of all signals of a controller: those that the road network gives to the controller of this id or name, and those that its
    phases name (clause "TrafficSignalGroupState")."""
    known = b.map.drive.controllers if b.map is not None else ()
    found = [signal for c in known if name in (c.id, c.name) for signal, _ in c.controls]
    found += [b.scope.text(s, "trafficSignalId") for s in controller.iterfind("Phase/TrafficSignalState")]
    if not found:
        hint = nearest(name, [c.id for c in known]) if known else "the road network has no controllers"
        raise fail(together, f"no signals are known of the controller '{name}'", hint)
    return list(dict.fromkeys(found))


def _assemble(b: Builder, init: int, root: etree._Element) -> CompiledScenario:
    own = len(b.entities)
    add_pools(b)
    first = b.slots(*(_initial_variable(b, root, name, kind) for name, (_, kind) in b.variables.items()))
    signals = b.slots(
        *([0.0] * len(b.signals)), *([-1.0] * 2 * len(b.signal_rows)), *([-1.0, 0.0, 0.0, 0.0] * len(b.traffic))
    )
    day = b.slots(0.0)
    texts = sorted(b.texts)
    code = {text: float(i) for i, text in enumerate(texts)}
    for i, n in enumerate(b.numbers.rows):
        if n.name == "text" and n.scope is None:
            b.numbers.rows[i] = Number(code[n.text])
    program = b.program(init, own)
    names = Names(
        tuple(b.entity_row), tuple(b.element_names), tuple(b.element_paths), tuple(b.condition_names),
        tuple((name, kind) for name, (_, kind) in b.variables.items()), tuple(texts), tuple(b.signals),
    )  # fmt: skip
    return CompiledScenario(b.path, program, b.numbers, b.scope, b.map, names, (first, signals, day))

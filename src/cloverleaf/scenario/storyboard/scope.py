"""Parameters visible at a place of a scenario, and which of the scenario's own parameters each of them depends on.

A parameter that shapes the program (text, truth values, names, enumerations) is structural: it is fixed when the program is compiled. All
others are numbers and may differ from world to world.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from lxml import etree

from cloverleaf.scenario.openscenario.document import PARAMETER, children, name_of
from cloverleaf.scenario.openscenario.expression import Value, evaluate, evaluate_column
from cloverleaf.scenario.openscenario.values import parse_value
from cloverleaf.types.errors import ScenarioError, nearest

NUMERIC = ("double", "integer", "int", "unsignedint", "unsignedshort")


class Declaration(NamedTuple):
    """One parameter: its type, and the text that gives its value in the scope `outer` (its own scope for defaults)."""

    kind: str
    text: str
    outer: Scope | None
    element: etree._Element


def fail(element: etree._Element, message: str, hint: str = "") -> ScenarioError:
    """An error at an element, with its file and line."""
    file = (element.getroottree().docinfo.URL or "").removeprefix("file://")
    return ScenarioError(message, file=file, line=element.sourceline or 0, element=name_of(element), hint=hint)


class Scope:
    """The parameters of one element and of all around it; `values` are those the program is compiled with."""

    def __init__(self, outer: Scope | None, structural: set[str]) -> None:
        self.outer = outer
        self.declarations: dict[str, Declaration] = {}
        self.values: dict[str, Value] = dict(outer.values) if outer else {}
        self.roots: dict[str, frozenset[str]] = dict(outer.roots) if outer else {}
        self.structural = structural

    def roots_of(self, text: str) -> frozenset[str]:
        """The scenario's own parameters that a text depends on."""
        return frozenset().union(*(self.roots.get(n, frozenset()) for n in PARAMETER.findall(text)))

    def declare(self, name: str, kind: str, text: str, outer: Scope | None, element: etree._Element) -> None:
        """Add a parameter; `outer` None: its default, evaluated among the parameters declared so far."""
        source = outer or self
        try:
            value = parse_value(evaluate(text, source.values, as_text=kind == "string"), kind)
        except ScenarioError as error:
            raise fail(element, f"parameter '{name}': {error.message}", error.hint) from None
        self.declarations[name] = Declaration(kind, text, outer, element)
        own = frozenset((name,)) if self.outer is None else frozenset()
        self.values[name], self.roots[name] = value, source.roots_of(text) | own

    def child(self, element: etree._Element, reference: etree._Element | None = None) -> Scope:
        """The scope inside `element`; a catalog reference to it may assign its parameters (values of this scope)."""
        block = element.find("ParameterDeclarations")
        if block is None and reference is None:
            return self
        inner = Scope(self, self.structural)
        given = {} if reference is None else _assignments(reference)
        for declaration in children(block) if block is not None else []:
            name, kind = declaration.get("name", ""), declaration.get("parameterType", "string")
            assigned = given.pop(name, None)
            if assigned is not None:
                inner.declare(name, kind, assigned.get("value", ""), self, assigned)
            else:
                inner.declare(name, kind, declaration.get("value", ""), None, declaration)
        for name, assigned in given.items():
            raise fail(assigned, f"'{element.get('name')}' has no parameter '{name}'", "see its ParameterDeclarations")
        return inner

    def text(self, element: etree._Element, name: str, default: str | None = None) -> str:
        """An attribute as text; what it depends on becomes structural."""
        raw = element.get(name)
        if raw is None:
            if default is None:
                raise fail(element, f"attribute '{name}' is missing")
            return default
        if not raw.startswith("$"):
            return raw
        self.structural.update(self.roots_of(raw))
        try:
            value = evaluate(raw, self.values, as_text=True)
        except ScenarioError as error:
            raise fail(element, f"attribute '{name}': {error.message}", error.hint) from None
        return str(parse_value(value, "string"))

    def flag(self, element: etree._Element, name: str, default: bool = False) -> bool:
        """An attribute as a truth value; what it depends on becomes structural."""
        text = self.text(element, name, str(default).lower())
        return text.lower() in ("true", "1")

    def choice(self, element: etree._Element, name: str, codes: Mapping[str, int], default: str | None = None) -> int:
        """The code of an attribute that names one of several; an error where the name is not supported."""
        text = self.text(element, name, default)
        if text not in codes:
            raise fail(element, f"attribute '{name}': '{text}' is not supported", nearest(text, codes))
        return codes[text]

    def value(self, element: etree._Element, name: str, text: str) -> Value:
        """The value of a text, as compiled."""
        try:
            return evaluate(text, self.values)
        except ScenarioError as error:
            raise fail(element, f"attribute '{name}': {error.message}", error.hint) from None

    def column(self, text: str, columns: Mapping[str, Any]) -> Any:
        """A numeric text as a float or an array over worlds, the scenario's own parameters being `columns`."""
        return evaluate_column(text, {n: self._named(n, columns) for n in PARAMETER.findall(text)})

    def _named(self, name: str, columns: Mapping[str, Any]) -> Any:
        scope: Scope | None = self
        while scope is not None and name not in scope.declarations:
            scope = scope.outer
        if scope is None:
            raise ScenarioError(f"parameter '${name}' is not declared")
        if scope.outer is None and name in columns:
            return columns[name]
        declared = scope.declarations[name]
        if declared.kind.lower() not in NUMERIC or not scope.roots[name] & columns.keys():
            return scope.values[name]
        found = (declared.outer or scope).column(declared.text, columns)
        if declared.kind.lower() != "double":
            found = np.where(np.equal(found, np.floor(found)), found, np.nan)
        if scope.outer is None:
            columns[name] = found  # type: ignore[index]
        return found


def _assignments(reference: etree._Element) -> dict[str, etree._Element]:
    block = reference.find("ParameterAssignments")
    return {a.get("parameterRef", "").lstrip("$"): a for a in (children(block) if block is not None else [])}

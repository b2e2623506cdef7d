"""One OpenSCENARIO file: read with positions, and held against the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from cloverleaf.scenario.openscenario.expression import Value, evaluate
from cloverleaf.scenario.openscenario.schema import ElementType, Schema, schema
from cloverleaf.scenario.openscenario.values import TYPES, compare, parse_value
from cloverleaf.types.errors import ScenarioError, nearest

MOST_PROBLEMS = 200
LARGEST_FILE = 256 * 1024 * 1024
OWNER = "$owner"
"""Stands for the acting entity in maneuvers written for 1.0."""
REFERENCES = ("parameterRef", "variableRef", "parameterName")
"""Attributes that name a declaration, often of another file, with or without a leading `$`."""
PARAMETER = re.compile(r"\$([A-Za-z_][\w.]*)")
"""A parameter inside a value."""
ROOTS = ("OpenSCENARIO", "OpenScenario")


class Problem(NamedTuple):
    """One thing that is wrong or not supported in a file."""

    line: int
    element: str
    message: str
    hint: str = ""


def read(path: Path) -> etree._Element:
    """Root element of the file. Raises ScenarioError naming the line where the XML breaks."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ScenarioError(f"larger than {LARGEST_FILE // 2**20} MiB", file=path)
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, huge_tree=False
        )
        root = etree.parse(str(path), parser).getroot()
    except OSError as error:
        if path.is_dir():
            raise ScenarioError("is a folder", file=path, hint="name one .xosc file in it") from error
        if isinstance(error, FileNotFoundError) or not path.is_file():
            raise ScenarioError("no such file", file=path, hint="check the path") from error
        raise ScenarioError(f"cannot be read: {error}", file=path) from error
    except etree.XMLSyntaxError as error:
        raise ScenarioError(f"not well-formed XML: {error.msg}", file=path, line=error.lineno or 1) from error
    if etree.QName(root).localname not in ROOTS:
        raise ScenarioError(
            "not an OpenSCENARIO file", file=path, line=root.sourceline, element=str(etree.QName(root).localname)
        )
    for declaration in root.iter("ParameterDeclaration", "VariableDeclaration"):
        if declaration.get("name", "").startswith("$"):  # files of 1.0 declare as they use: "$a"
            declaration.set("name", declaration.get("name", "")[1:])
    return root


def children(element: etree._Element) -> list[etree._Element]:
    """Child elements without comments and processing instructions."""
    return [c for c in element if isinstance(c.tag, str)]


def name_of(element: etree._Element) -> str:
    """Tag without namespace."""
    return str(etree.QName(element).localname)


def declared_parameters(
    element: etree._Element,
    outer: Mapping[str, Value],
    injected: Mapping[str, str],
    problems: list[Problem],
    strict: bool = True,
) -> dict[str, Value]:
    """Parameters visible inside `element`: the outer ones and its own declarations, injected values first.

    Declarations are evaluated in document order and may refer to earlier ones. Constraint groups are checked (`strict`).
    """
    scope = dict(outer)
    block = element.find("ParameterDeclarations")
    if block is None:
        return scope
    for declaration in children(block):
        name, kind = declaration.get("name", ""), declaration.get("parameterType", "string")
        text = injected.get(name, declaration.get("value", ""))
        try:
            if kind not in TYPES:
                raise ScenarioError(f"unknown parameter type '{kind}'", hint=nearest(kind, TYPES))
            scope[name] = parse_value(evaluate(text, scope, as_text=kind == "string"), kind)
        except ScenarioError as error:
            message, hint = _order_problem(block, name, text, scope) or (error.message, error.hint)
            problems.append(
                Problem(declaration.sourceline, "ParameterDeclaration", f"parameter '{name}': {message}", hint)
            )
            continue
        if strict and not _constraints_hold(declaration, scope[name], kind, scope):
            problems.append(
                Problem(declaration.sourceline, "ParameterDeclaration", f"parameter '{name}' violates its constraints")
            )
    return scope


def _order_problem(block: etree._Element, name: str, text: str, known: Mapping[str, Value]) -> tuple[str, str] | None:
    """Message and hint if a parameter's value needs itself, or one that is declared after it."""
    texts = {d.get("name", ""): d.get("value", "") for d in children(block)} | {name: text}
    seen: list[str] = []
    open_ends = [n for n in PARAMETER.findall(text) if n in texts and n not in known]
    if not open_ends:
        return None
    first = open_ends[0]
    while open_ends:
        at = open_ends.pop()
        if at == name:
            return f"'{text}' leads back to '{name}': parameters must not depend on themselves", ""
        if at not in seen:
            seen.append(at)
            open_ends += [n for n in PARAMETER.findall(texts[at]) if n in texts and n not in known]
    return f"'${first}' is declared after it", "a value may name the parameters declared before"


def _constraints_hold(declaration: etree._Element, value: Value, kind: str, scope: Mapping[str, Value]) -> bool:
    """All constraints of at least one group hold, or there is no group."""
    groups = [g for g in children(declaration) if name_of(g) == "ConstraintGroup"]
    verdicts = []
    for group in groups:
        try:
            verdicts.append(
                all(
                    compare(value, c.get("rule", ""), evaluate(c.get("value", ""), scope), kind)
                    for c in children(group)
                )
            )
        except ScenarioError:
            verdicts.append(False)
    return not groups or any(verdicts)


class _Checker:
    """Walks one file and collects its problems in document order."""

    def __init__(self, injected: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.injected = injected
        self.schema: Schema = schema()

    def add(self, element: etree._Element, message: str, hint: str = "") -> None:
        self.problems.append(Problem(element.sourceline, name_of(element), message, hint))

    def element(self, element: etree._Element, kind: ElementType, scope: Mapping[str, Value]) -> None:
        """Check one element of type `kind` and all below it."""
        if len(self.problems) >= MOST_PROBLEMS:
            return
        scope = declared_parameters(element, scope, self.injected if kind.name == "OpenScenario" else {}, self.problems)
        for name, text in element.attrib.items():
            self.attribute(element, kind, str(name), str(text), scope)
        for attribute in kind.attributes.values():
            if attribute.required and attribute.name not in element.attrib:
                self.add(element, f"attribute '{attribute.name}' is missing")
        self.content(element, kind)
        for child in children(element):
            type_name = kind.children.get(name_of(child))
            if type_name is not None and name_of(child) != "ParameterDeclarations":
                self.element(child, self.schema.types[type_name], scope)

    def attribute(
        self, element: etree._Element, kind: ElementType, name: str, text: str, scope: Mapping[str, Value]
    ) -> None:
        if name.startswith("{"):
            return
        if name not in kind.attributes:
            self.add(element, f"unknown attribute '{name}'", nearest(name, kind.attributes) if kind.attributes else "")
            return
        wanted = kind.attributes[name]
        if name in REFERENCES or text == OWNER:
            return
        try:
            value = evaluate(text, scope, as_text=wanted.type == "String")
            literals = self.schema.enums.get(wanted.type)
            if literals is not None:
                if str(value) not in literals:
                    raise ScenarioError(f"'{value}' is not one of its values", hint=nearest(str(value), literals))
                return
            number = parse_value(value, wanted.type)
        except ScenarioError as error:
            self.add(element, f"attribute '{name}': {error.message}", error.hint)
            return
        below = isinstance(number, float) and (number < wanted.low or (wanted.open_low and number == wanted.low))
        if below or (isinstance(number, float) and number > wanted.high):
            self.add(
                element,
                f"attribute '{name}': {number:g} is outside its range",
                _range_text(wanted.low, wanted.high, wanted.open_low),
            )

    def content(self, element: etree._Element, kind: ElementType) -> None:
        names = [name_of(c) for c in children(element)]
        for child in children(element):
            if name_of(child) not in kind.children:
                self.add(
                    child,
                    f"is not allowed in {name_of(element)}",
                    nearest(name_of(child), kind.children) if kind.children else "",
                )
        known = [n for n in names if n in kind.children]
        if kind.any_order:
            for name in kind.once:
                if name not in known:
                    self.add(element, f"element {name} is missing")
            for name in sorted({n for n in known if known.count(n) > 1}):
                self.add(element, f"element {name} stands more than once")
        elif kind.pattern is not None and not kind.pattern.fullmatch("".join(f"{n} " for n in known)):
            self.add(
                element,
                f"its elements are incomplete or out of order: {', '.join(known) or 'none'}",
                f"of {', '.join(kind.children)}",
            )


def _range_text(low: float, high: float, open_low: bool) -> str:
    return f"{'more than' if open_low else 'at least'} {low:g}" + (f", at most {high:g}" if high < float("inf") else "")


def check(root: etree._Element, injected: Mapping[str, str] | None = None) -> list[Problem]:
    """Problems of one file by itself (its catalogs, map and entity references are not opened), in document order."""
    checker = _Checker(injected or {})
    checker.element(root, checker.schema.types["OpenScenario"], {})
    return sorted(checker.problems, key=lambda p: p.line)


def walk(element: etree._Element) -> Iterator[etree._Element]:
    """`element` and all elements below it in document order."""
    yield element
    for child in children(element):
        yield from walk(child)

"""Deterministic distributions: sets, ranges and value sets, each an axis of the grid of concrete cases.

A range steps in decimal arithmetic: 0.1, 0.2, 0.3 and not 0.30000000000000004, and its number of values is
floor((upper - lower) / step) + 1. ASAM OpenSCENARIO XML 1.3, clause "Parameter value distributions".
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.openscenario.expression import Value, evaluate
from cloverleaf.types.errors import ScenarioError

MOST_VALUES = 10_000_000
"""Values of one range beyond which a step is taken for a mistake."""


class Axis(NamedTuple):
    """Parameters that vary together: `values[k]` holds the k-th text of each of `names`."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    line: int


def user_defined(element: etree._Element, parameter: str, file: Path) -> ScenarioError:
    """The complaint about a distribution whose meaning only its author's tool knows."""
    return ScenarioError(
        f"the user-defined distribution '{element.get('type', '')}' of parameter '{parameter}' has no meaning in the standard",
        file=file, line=element.sourceline, element=name_of(element),
        hint="use a set, a range or a distribution of the standard, or name the cases with --cases FILE.csv",
    )  # fmt: skip


def text_of(element: etree._Element, name: str, scope: dict[str, Value], file: Path) -> str:
    """An attribute as text, expressions evaluated."""
    try:
        value = evaluate(element.get(name, ""), scope)
    except ScenarioError as error:
        raise ScenarioError(
            f"attribute '{name}': {error.message}", file=file, line=element.sourceline, element=name_of(element),
            hint=error.hint,
        ) from error  # fmt: skip
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else value


def decimal_of(element: etree._Element, name: str, scope: dict[str, Value], file: Path) -> Decimal:
    """An attribute as a finite decimal number."""
    text = text_of(element, name, scope, file)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ScenarioError(
            f"attribute '{name}': '{text}' is not a finite number", file=file, line=element.sourceline,
            element=name_of(element),
        )  # fmt: skip
    return number


def range_of(element: etree._Element, scope: dict[str, Value], file: Path) -> tuple[Decimal, Decimal]:
    """Lower and upper limit of a Range element."""
    low, high = decimal_of(element, "lowerLimit", scope, file), decimal_of(element, "upperLimit", scope, file)
    if low > high:
        raise ScenarioError(f"the lower limit {low} is above the upper limit {high}", file=file,
                            line=element.sourceline, element=name_of(element))  # fmt: skip
    return low, high


def _range_values(element: etree._Element, scope: dict[str, Value], file: Path) -> tuple[tuple[str, ...], ...]:
    low, high = range_of(element.find("Range"), scope, file)
    step = decimal_of(element, "stepWidth", scope, file)
    if step <= 0:
        raise ScenarioError(
            "stepWidth is not more than 0", file=file, line=element.sourceline, element=name_of(element)
        )
    count = int((high - low) / step) + 1
    if count > MOST_VALUES:
        raise ScenarioError(f"the range has {count:,} values", file=file, line=element.sourceline,
                            element=name_of(element), hint=f"a larger stepWidth (at most {MOST_VALUES:,} values)")  # fmt: skip
    return tuple((f"{low + k * step:f}",) for k in range(count))


def _single(element: etree._Element, scope: dict[str, Value], file: Path) -> Axis:
    name, body = element.get("parameterName", ""), children(element)[0]
    kind = name_of(body)
    values: tuple[tuple[str, ...], ...]
    if kind == "DistributionSet":
        values = tuple((text_of(e, "value", scope, file),) for e in children(body))
    elif kind == "DistributionRange":
        values = _range_values(body, scope, file)
    else:
        raise user_defined(body, name, file)
    return Axis((name,), values, element.sourceline)


def _several(element: etree._Element, scope: dict[str, Value], defaults: dict[str, str], file: Path) -> Axis:
    """A parameter that a set does not assign keeps the scenario's own value there."""
    sets = [
        {a.get("parameterRef", "").lstrip("$"): text_of(a, "value", scope, file) for a in children(one)}
        for one in children(children(element)[0])
    ]
    names = tuple(dict.fromkeys(name for one in sets for name in one))
    values = tuple(tuple(one.get(name, defaults.get(name, "")) for name in names) for one in sets)
    return Axis(names, values, element.sourceline)


def read_axes(block: etree._Element, scope: dict[str, Value], defaults: dict[str, str], file: Path) -> tuple[Axis, ...]:
    """The axes of a Deterministic element in document order. `defaults`: the scenario's own values. Raises ScenarioError."""
    return tuple(
        _single(e, scope, file)
        if name_of(e) == "DeterministicSingleParameterDistribution"
        else _several(e, scope, defaults, file)
        for e in children(block)
    )

"""Every number of a program, one column (slot) each, and the columns filled for many worlds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from lxml import etree
from numpy.typing import ArrayLike, NDArray

from cloverleaf.scenario.storyboard.scope import Scope, fail
from cloverleaf.types.errors import ScenarioError
from cloverleaf.types.state import F64


class Number(NamedTuple):
    """A number where it stands: a constant (`scope` None), or a text with parameters."""

    value: float
    text: str = ""
    name: str = ""
    scope: Scope | None = None
    element: etree._Element | None = None


class Columns(NamedTuple):
    """The numbers of W worlds. `broken` worlds have a number that is not defined, or violate a constraint of a parameter."""

    value: F64  # (W, V)
    broken: NDArray[np.bool_]  # (W,)
    reasons: dict[int, str]  # world -> why it is broken

    def reason(self, world: int) -> str:
        """Why a world is broken, with file:line:element; empty if it is not."""
        return self.reasons.get(world, "")


def number(element: etree._Element | None, name: str, scope: Scope, default: float = math.nan) -> Number:
    """The numeric attribute `name`; `default` where it is absent."""
    text = element.get(name) if element is not None else None
    if text is None or element is None:
        return Number(default)
    value = scope.value(element, name, text)
    try:
        found = float(value)
    except ValueError:
        raise fail(element, f"attribute '{name}': '{value}' is not a number") from None
    if math.isnan(found):  # stands for "not given" in the columns
        raise fail(element, f"attribute '{name}': '{text}' is not a number")
    roots = scope.roots_of(text)
    return Number(found, text, name, scope, element) if roots else Number(found)


class Numbers:
    """Hands out slots, and fills them."""

    def __init__(self) -> None:
        self.rows: list[Number] = []

    def add(self, *numbers: Number | float) -> int:
        """Slots for numbers, one after the other; the first of them."""
        first = len(self.rows)
        self.rows += [n if isinstance(n, Number) else Number(float(n)) for n in numbers]
        return first

    def fill(self, parameters: Mapping[str, ArrayLike], count: int) -> Columns:
        """The value table for `count` worlds; `parameters` name numeric parameters of the scenario. Raises ScenarioError."""
        value = np.empty((count, len(self.rows)))
        value[:] = [n.value for n in self.rows]
        columns = {k: np.broadcast_to(np.asarray(v, np.float64), (count,)) for k, v in parameters.items()}
        reasons: dict[int, str] = {}
        for slot, n in enumerate(self.rows):
            if n.scope is None or n.element is None or not n.scope.roots_of(n.text) & columns.keys():
                continue
            try:
                found = n.scope.column(n.text, columns)
            except ScenarioError as error:
                raise fail(n.element, f"attribute '{n.name}': {error.message}", error.hint) from None
            value[:, slot] = found
            for world in np.flatnonzero(~np.isfinite(value[:, slot])):
                message = f"attribute '{n.name}': '{n.text}' is not defined for these parameters"
                reasons.setdefault(int(world), str(fail(n.element, message)))
        broken = np.zeros(count, bool)
        broken[list(reasons)] = True
        return Columns(value, broken, reasons)

"""The types of OpenSCENARIO XML as data: reads `elements.schema` into content models that can be checked."""

from __future__ import annotations

import math
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Attribute(NamedTuple):
    """One attribute of a type; `low`..`high` is the standard's range (`open_low`: the lower bound itself is excluded)."""

    name: str
    type: str
    required: bool
    deprecated: bool
    low: float
    high: float
    open_low: bool


class ElementType(NamedTuple):
    """One type: its attributes, the types of its children, and a pattern over the sequence of child names.

    `pattern` matches the children's names, each followed by a blank. In an `any_order` type `once` are the names needed.
    """

    name: str
    attributes: dict[str, Attribute]
    children: dict[str, str]
    pattern: re.Pattern[str] | None
    any_order: bool
    once: tuple[str, ...]
    text: str


class Schema(NamedTuple):
    """All element types and enumerations by name."""

    types: dict[str, ElementType]
    enums: dict[str, tuple[str, ...]]


_RANGE = re.compile(r"(>=0|>0|0\.\.pi|0\.\.2pi|-pi\.\.pi)$")
_BOUNDS = {
    ">=0": (0.0, math.inf, False),
    ">0": (0.0, math.inf, True),
    "0..pi": (0.0, math.pi, False),
    "0..2pi": (0.0, 2 * math.pi, False),
    "-pi..pi": (-math.pi, math.pi, False),
}


def _attribute(line: str) -> Attribute:
    rule = _RANGE.search(line)
    low, high, open_low = _BOUNDS[rule.group(1)] if rule else (-math.inf, math.inf, False)
    name, kind, *marks = line.split()
    return Attribute(name[1:], kind, "?" not in marks, "deprecated" in marks, low, high, open_low)


def _content(model: str, children: dict[str, str]) -> tuple[re.Pattern[str] | None, bool, tuple[str, ...]]:
    """Compile a content model; fills `children` with name -> type."""
    for name, kind in re.findall(r"(\w+)(?::(\w+))?", re.sub(r"\{[\d,]*\}", "", model)):
        children[name] = kind or name
    if "&" in model:
        items = re.findall(r"(\w+)(?::\w+)?(\??)", model)
        return None, True, tuple(name for name, optional in items if not optional)
    pattern = re.sub(r"\{(\d+),(\d*)\}", r"<\1;\2>", model)
    pattern = re.sub(r"(\w+):\w+", r"\1", pattern)
    pattern = re.sub(r"(?<![<;\w])([A-Za-z]\w*)", r"(?:\1\\ )", pattern)
    pattern = pattern.replace(" ", "").replace("\\", " ").replace("  ", " ")
    pattern = re.sub(r"<(\d+);(\d*)>", r"{\1,\2}", pattern)
    return re.compile(pattern.replace("( ", "(")), False, ()


@cache
def schema() -> Schema:
    """The schema, read once per process."""
    text = files(__package__).joinpath("elements.schema").read_text(encoding="utf-8")
    types: dict[str, ElementType] = {}
    enums: dict[str, tuple[str, ...]] = {}
    for block in re.split(r"\n\s*\n", "\n".join(line for line in text.splitlines() if not line.startswith("#"))):
        lines = [line for line in block.splitlines() if line.strip()]
        for line in [line for line in lines if line.startswith("enum ")]:
            name, _, literals = line[5:].partition(": ")
            enums[name] = tuple(literals.split())
        lines = [line for line in lines if not line.startswith("enum ")]
        if not lines:
            continue
        head, _, held = lines[0].partition(" text ")
        attributes = {a.name: a for a in (_attribute(line.strip()) for line in lines[1:] if line.startswith("  @"))}
        children: dict[str, str] = {}
        models = [line.strip()[2:] for line in lines[1:] if line.startswith("  = ")]
        compiled = _content(" ".join(models), children)
        types[head] = ElementType(head, attributes, children, *compiled, held)
    return Schema(types, enums)

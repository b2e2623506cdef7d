"""What there is to judge: scenario files, their variations, and folders of them, each as a logical scenario with its rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from lxml import etree

from cloverleaf.judge.cases import rows
from cloverleaf.judge.exposure import Frequencies, weigh
from cloverleaf.judge.rules.scenario import rule_set
from cloverleaf.judge.rules.table import RuleSet
from cloverleaf.scenario.distribution.read import Column, Distribution, is_distribution, read_distribution
from cloverleaf.scenario.openscenario.document import read
from cloverleaf.types.errors import InputError, ScenarioError, StudyError, nearest
from cloverleaf.types.state import F64, I64

MOST_CASES = 1_000_000
"""A distribution with at least so many cases runs only on an explicit --cases."""
_SYSTEM = re.compile(r"^(ego|hero|vut|vehicle_under_test|host.*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Logical:
    """One scenario with its concrete cases. `problem` is set where its file cannot be read: then it stands for one broken case."""

    name: str
    scenario: Path
    distribution: Distribution | None
    rules: RuleSet
    system: str
    problem: str = ""
    frequencies: Frequencies | None = None

    @property
    def count(self) -> int:
        """Number of concrete cases."""
        return self.distribution.count if self.distribution is not None else 1

    def cases(self, rows: I64) -> dict[str, Column]:
        """Parameter columns of the cases numbered `rows`."""
        return self.distribution.cases(rows) if self.distribution is not None else {}

    def exposure(self, rows: I64, cases: dict[str, Column]) -> F64:
        """Probability weights of the cases, NaN where no frequency is stated. Raises ScenarioError."""
        if self.frequencies is not None and cases:
            return weigh(
                self.name, self.distribution.axes if self.distribution is not None else (), self.frequencies, cases
            )
        return self.distribution.exposure(rows) if self.distribution is not None else np.full(len(rows), np.nan)


def system_under_test(root: etree._Element, file: Path, asked: str = "") -> str:
    """Name of the entity under test: the one asked for, else Ego (or hero, VUT, host...), else the first vehicle with a controller."""
    entities = [e for e in root.iterfind("Entities/ScenarioObject")]
    names = [e.get("name", "") for e in entities]
    if asked:
        if asked not in names:
            raise ScenarioError(f"no entity '{asked}'", file=file, element="Entities", hint=nearest(asked, names))
        return asked
    for name in names:
        if _SYSTEM.match(name):
            return name
    controlled = [e.get("name", "") for e in entities if e.find("ObjectController") is not None]
    found = controlled or names
    if not found:
        raise ScenarioError("declares no entity to judge", file=file, element="Entities")
    return found[0]


def logical(file: Path, rules: str = "auto", system: str = "") -> Logical:
    """The logical scenario of a scenario or distribution file. Raises ScenarioError."""
    root = read(file)
    distribution = read_distribution(file, root) if is_distribution(root) else None
    scenario = distribution.scenario if distribution is not None else file
    content = read(scenario) if distribution is not None else root
    if content.find("Storyboard") is None:
        raise ScenarioError("holds no storyboard", file=scenario, line=content.sourceline,
                            hint="a scenario or a parameter value distribution can be judged, a catalog cannot")  # fmt: skip
    chosen = rule_set(root if distribution is not None else content, file, rules)
    if chosen.name == "plain" and distribution is not None:
        chosen = rule_set(content, scenario, rules)
    return Logical(file.stem, scenario, distribution, chosen, system_under_test(content, scenario, system))


def discover(paths: list[Path], rules: str = "auto", system: str = "") -> list[Logical]:
    """Logical scenarios of files and folders, in the order given, folders sorted.

    In a folder, catalogs are left out and so is a scenario that a variation of the same folder already varies. A file that cannot
    be read is an error where it was named; in a folder it becomes a logical scenario with a `problem`.
    """
    found: list[Logical] = []
    for path in paths:
        if path.is_dir():
            found += _folder(path, rules, system)
        elif path.is_file():
            found.append(logical(path, rules, system))
        else:
            raise StudyError("no such file or folder", file=path)
    names: dict[str, int] = {}
    unique = []
    for entry in found:
        names[entry.name] = names.get(entry.name, 0) + 1
        number = names[entry.name]
        unique.append(entry if number == 1 else _renamed(entry, f"{entry.name}#{number}"))
    return unique


def _renamed(entry: Logical, name: str) -> Logical:
    return replace(entry, name=name)


def _folder(folder: Path, rules: str, system: str) -> list[Logical]:
    found: list[Logical] = []
    for file in sorted(folder.rglob("*.xosc")):
        try:
            root = read(file)
            if root.find("Catalog") is not None:
                continue
            found.append(logical(file, rules, system))
        except (InputError, OSError) as error:
            if isinstance(error, StudyError):
                raise
            found.append(Logical(file.stem, file, None, rule_set(etree.Element("OpenSCENARIO"), file), "", str(error)))
    varied = {f.scenario.resolve() for f in found if f.distribution is not None}
    kept = [f for f in found if f.distribution is not None or f.scenario.resolve() not in varied]
    if not kept:
        raise StudyError("no scenario in this folder", file=folder, hint="files named *.xosc are looked for")
    return kept


def rows_of(entry: Logical, choice: str | None) -> I64:
    """Case numbers that `--cases` picks of a logical scenario; None: all, unless there are too many. Raises StudyError."""
    total = entry.count
    if choice is None and total >= MOST_CASES:
        d = entry.distribution
        line = d.axes[0].line if d is not None and d.axes else 0
        raise StudyError(f"stands for {total:,} cases", file=d.file if d is not None else "", line=line,
                         element="Deterministic" if line else "",
                         hint="--cases N takes N of them evenly, --cases all takes all, --budget 30m searches the boundary")  # fmt: skip
    return rows("all" if choice is None else choice, total)


def declared(entry: Logical) -> list[str]:
    """Names of the parameters that the scenario declares."""
    block = read(entry.scenario).find("ParameterDeclarations")
    return [e.get("name", "") for e in block] if block is not None else []

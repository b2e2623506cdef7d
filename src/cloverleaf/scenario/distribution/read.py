"""Reads a parameter value distribution file: which scenario it varies, and which concrete cases it stands for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from cloverleaf.scenario.distribution.deterministic import Axis, read_axes
from cloverleaf.scenario.distribution.stochastic import Marginal, draws, read_marginals
from cloverleaf.scenario.openscenario.document import check, declared_parameters, read
from cloverleaf.scenario.openscenario.expression import evaluate
from cloverleaf.types.errors import ScenarioError, nearest
from cloverleaf.types.state import I64

Column = NDArray[np.float64] | NDArray[np.str_]


@dataclass(frozen=True)
class Distribution:
    """A logical scenario: the file it varies and either axes (a grid) or marginals with a number of runs."""

    file: Path
    scenario: Path
    axes: tuple[Axis, ...]
    marginals: tuple[Marginal, ...]
    runs: int
    seed: int

    @property
    def stochastic(self) -> bool:
        """True if the cases are draws, each as likely as the distribution makes it."""
        return bool(self.marginals)

    @property
    def count(self) -> int:
        """Number of concrete cases."""
        return self.runs if self.stochastic else math.prod(len(a.values) for a in self.axes)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the varied parameters in document order."""
        return tuple(m.name for m in self.marginals) + tuple(n for a in self.axes for n in a.names)

    def cases(self, rows: I64) -> dict[str, Column]:
        """Parameter columns of shape (n,) of the cases numbered `rows`: texts as written, numbers where they are drawn.

        Grid cases are numbered in document order, the last distribution varying fastest.
        """
        if self.stochastic:
            return {m.name: m.quantile(draws(self.seed, k, rows)) for k, m in enumerate(self.marginals)}
        rest = np.asarray(rows, np.int64)
        columns: dict[str, Column] = {}
        for axis in reversed(self.axes):
            rest, digit = np.divmod(rest, len(axis.values))
            for k, name in enumerate(axis.names):
                columns[name] = np.array([v[k] for v in axis.values])[digit]
        return {name: columns[name] for name in self.parameters}

    def exposure(self, rows: I64) -> NDArray[np.float64]:
        """Probability weight of each case of shape (n,): equal shares of draws; NaN for a grid, which states no frequency."""
        return np.full(len(rows), 1.0 / len(rows) if self.stochastic and len(rows) else np.nan)


def is_distribution(root: etree._Element) -> bool:
    """True for the root of a file that varies another one."""
    return root.find("ParameterValueDistribution") is not None


def read_distribution(file: Path, root: etree._Element | None = None) -> Distribution:
    """Read one file with a ParameterValueDistribution. Raises ScenarioError with file, line and element."""
    root = read(file) if root is None else root
    problems = check(root)
    if problems:
        p = problems[0]
        raise ScenarioError(p.message, file=file, line=p.line, element=p.element, hint=p.hint)
    block = root.find("ParameterValueDistribution")
    if block is None:
        raise ScenarioError("holds no ParameterValueDistribution", file=file, line=root.sourceline)
    scope = declared_parameters(root, {}, {}, [])
    named = block.find("ScenarioFile")
    target = file.parent / str(evaluate(named.get("filepath", ""), scope, as_text=True))
    if not target.is_file():
        raise ScenarioError(f"the scenario '{named.get('filepath')}' does not exist", file=file, line=named.sourceline,
                            element="ScenarioFile", hint="the path is relative to the distribution's folder")  # fmt: skip
    declarations = read(target).find("ParameterDeclarations")
    defaults = {d.get("name", ""): d.get("value", "") for d in (declarations if declarations is not None else [])}
    deterministic, stochastic = block.find("Deterministic"), block.find("Stochastic")
    axes: tuple[Axis, ...] = ()
    marginals: tuple[Marginal, ...] = ()
    runs, seed = 0, 0
    if stochastic is not None:
        marginals = read_marginals(stochastic, scope, file)
        runs = int(float(str(evaluate(stochastic.get("numberOfTestRuns", "0"), scope))))
        seed = int(float(str(evaluate(stochastic.get("randomSeed", "0"), scope))))
    else:
        axes = read_axes(deterministic, scope, defaults, file)
    found = Distribution(file, target, axes, marginals, runs, seed)
    _check_names(found, defaults)
    return found


def _check_names(found: Distribution, declared: dict[str, str]) -> None:
    """Every parameter is declared by the scenario and varied once."""
    lines = [(m.name, m.line) for m in found.marginals] + [(n, a.line) for a in found.axes for n in a.names]
    seen: set[str] = set()
    for name, line in lines:
        if name not in declared:
            raise ScenarioError(f"'{found.scenario.name}' declares no parameter '{name}'", file=found.file, line=line,
                                hint=nearest(name, declared) if declared else "")  # fmt: skip
        if name in seen:
            raise ScenarioError(f"parameter '{name}' is varied twice", file=found.file, line=line)
        seen.add(name)
    if found.count == 0:
        raise ScenarioError("stands for no case", file=found.file, line=1, hint="numberOfTestRuns is 0")
    if found.count > 2**62:
        raise ScenarioError("stands for too many cases to number", file=found.file, line=1)

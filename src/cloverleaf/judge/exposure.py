"""How often the cases of a grid occur: the weight of each under a distribution of its parameters that somebody knows.

A grid says which cases are looked at, not how often they happen. With a stochastic parameter value distribution (`--exposure`), a
case weighs the probability that a draw lies nearest to its values, parameter by parameter, so that a pass rate means something.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from cloverleaf.scenario.distribution.deterministic import Axis
from cloverleaf.scenario.distribution.read import Column, read_distribution
from cloverleaf.scenario.distribution.stochastic import Marginal
from cloverleaf.types.errors import ScenarioError, nearest
from cloverleaf.types.state import F64

DRAWS = 200_000
"""Points at which a distribution is inverted: shares are good to 5e-6."""


class Frequencies(NamedTuple):
    """What a stochastic distribution file says of its parameters."""

    file: Path
    marginals: tuple[Marginal, ...]


def read_exposure(file: Path) -> Frequencies:
    """The content of a stochastic parameter value distribution. Raises ScenarioError."""
    found = read_distribution(file)
    if not found.stochastic:
        raise ScenarioError("states no frequencies", file=file, line=1, element="ParameterValueDistribution",
                            hint="exposure needs a Stochastic distribution, not a Deterministic one")  # fmt: skip
    return Frequencies(file, found.marginals)


def shares(marginal: Marginal, values: Column) -> F64:
    """Probability that a draw lies nearest to each of the distinct `values`, shape (k,); for texts, that it is the value."""
    drawn = marginal.quantile((np.arange(DRAWS) + 0.5) / DRAWS)
    try:
        numbers, points = np.asarray(values, np.float64), np.asarray(drawn, np.float64)
    except ValueError:
        return np.array([np.mean(drawn == v) for v in values])
    order = np.argsort(numbers)
    middles = 0.5 * (numbers[order][1:] + numbers[order][:-1])
    counts = np.bincount(np.searchsorted(middles, points, side="right"), minlength=len(numbers))
    found = np.empty(len(numbers))
    found[order] = counts / len(points)
    return found


def weigh(name: str, axes: tuple[Axis, ...], known: Frequencies, cases: dict[str, Column]) -> F64:
    """Weight of each case of scenario `name`, shape (n,): the product over its parameters; those that the distribution leaves out
    count alike. The cells are those of the whole grid, so that a case weighs the same whether few or all cases run.
    Raises ScenarioError for a distribution of something that is not varied."""
    grid = {n: np.array([v[k] for v in a.values]) for a in axes for k, n in enumerate(a.names)}
    laws = {m.name: m for m in known.marginals}
    for parameter, marginal in laws.items():
        if parameter not in cases:
            raise ScenarioError(f"'{name}' varies no parameter '{parameter}'", file=known.file, line=marginal.line,
                                element="StochasticDistribution", hint=nearest(parameter, cases))  # fmt: skip
    weight = np.ones(len(next(iter(cases.values()))))
    for parameter, column in cases.items():
        values = np.unique(grid.get(parameter, column))
        share = shares(laws[parameter], values) if parameter in laws else np.full(len(values), 1.0 / len(values))
        weight *= share[np.searchsorted(values, column)]
    return weight

"""Stochastic distributions: each parameter a marginal that is drawn by inverting its distribution function.

Draw k of a parameter is a pure function of (seed, position of the parameter, k), so a larger number of runs repeats the smaller one
and the order of evaluation cannot matter. A Range truncates exactly: the mass outside is redistributed, nothing is clipped.
`expectedValue` and `variance` are those of the parameter itself before truncation, for the log-normal distribution as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from cloverleaf.algo import rng
from cloverleaf.algo.jit import kernel
from cloverleaf.scenario.distribution.deterministic import decimal_of, range_of, text_of, user_defined
from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.openscenario.expression import Value
from cloverleaf.types.errors import ScenarioError
from cloverleaf.types.state import F64


class Marginal(NamedTuple):
    """One random parameter: `quantile` maps uniform draws (n,) to values (n,), numbers or texts."""

    name: str
    kind: str
    quantile: Callable[[F64], NDArray[np.float64] | NDArray[np.str_]]
    line: int


@kernel
def fill_draws(seed, parameter, runs, out):
    """Uniform numbers in [0, 1) of one parameter for run numbers of shape (n,)."""
    key = rng.stream(seed, 0, parameter, rng.PARAMETER_VALUE)
    for i in range(len(runs)):
        out[i] = rng.uniform(key, runs[i])


def draws(seed: int, parameter: int, runs: NDArray[np.int64]) -> F64:
    """`fill_draws` into a new array."""
    out = np.empty(len(runs))
    fill_draws(seed, parameter, np.ascontiguousarray(runs, np.int64), out)
    return out


def _discrete(element: etree._Element, scope: dict[str, Value], file: Path) -> Callable[[F64], NDArray[np.str_]]:
    texts = np.array([text_of(e, "value", scope, file) for e in children(element)])
    steps = _steps(element, scope, file)

    def quantile(u: F64) -> NDArray[np.str_]:
        return texts[np.minimum(np.searchsorted(steps, u, side="right"), len(texts) - 1)]

    return quantile


def _steps(element: etree._Element, scope: dict[str, Value], file: Path) -> F64:
    """Cumulative weights of the children, ending at 1."""
    weights = np.array([float(decimal_of(e, "weight", scope, file)) for e in children(element)])
    if (weights < 0).any() or weights.sum() <= 0:
        raise ScenarioError("the weights are negative or all zero", file=file, line=element.sourceline,
                            element=name_of(element))  # fmt: skip
    return np.cumsum(weights) / weights.sum()


def _histogram(element: etree._Element, scope: dict[str, Value], file: Path) -> Callable[[F64], F64]:
    """Uniform within each bin."""
    limits = [range_of(e.find("Range"), scope, file) for e in children(element)]
    low, high = (np.array([float(pair[side]) for pair in limits]) for side in (0, 1))
    steps = _steps(element, scope, file)
    before = np.concatenate(([0.0], steps[:-1]))

    def quantile(u: F64) -> F64:
        row = np.minimum(np.searchsorted(steps, u, side="right"), len(steps) - 1)
        share = (u - before[row]) / np.maximum(steps[row] - before[row], 1e-300)
        return low[row] + (high[row] - low[row]) * np.clip(share, 0.0, 1.0)

    return quantile


def _truncated(element: etree._Element, scope: dict[str, Value], file: Path, law: object) -> Callable[[F64], F64]:
    """Inverse of a scipy distribution `law`, restricted to the element's Range if it has one (limits included)."""
    low, high = -math.inf, math.inf
    if element.find("Range") is not None:
        low, high = (float(x) for x in range_of(element.find("Range"), scope, file))
    discrete = not hasattr(law, "pdf")
    below = law.cdf(math.ceil(low) - 1 if discrete and math.isfinite(low) else low)  # type: ignore[attr-defined]
    mass = law.cdf(high) - below  # type: ignore[attr-defined]
    if mass < 1e-12:
        raise ScenarioError(f"the range [{low:g}, {high:g}] holds none of the distribution", file=file,
                            line=element.sourceline, element=name_of(element))  # fmt: skip

    def quantile(u: F64) -> F64:
        return np.clip(law.ppf(below + u * mass), low, high)  # type: ignore[attr-defined]

    return quantile


def _law(element: etree._Element, scope: dict[str, Value], file: Path) -> Callable[[F64], F64]:
    from scipy import stats  # takes half a second, so only where it is needed

    kind, mean = name_of(element), float(decimal_of(element, "expectedValue", scope, file))
    variance = 1.0 if kind == "PoissonDistribution" else float(decimal_of(element, "variance", scope, file))
    positive = kind != "NormalDistribution"
    if variance <= 0 or (positive and mean <= 0):
        wrong = "variance" if variance <= 0 else "expectedValue"
        raise ScenarioError(f"{wrong} of a {kind} is not more than 0", file=file, line=element.sourceline, element=kind)
    if kind == "NormalDistribution":
        law: object = stats.norm(mean, math.sqrt(variance))
    elif kind == "LogNormalDistribution":
        spread = math.log1p(variance / mean**2)
        law = stats.lognorm(math.sqrt(spread), scale=mean * math.exp(-spread / 2))
    else:
        law = stats.poisson(mean)
    return _truncated(element, scope, file, law)


def _uniform(element: etree._Element, scope: dict[str, Value], file: Path) -> Callable[[F64], F64]:
    low, high = (float(x) for x in range_of(element.find("Range"), scope, file))
    return lambda u: low + (high - low) * u


def read_marginals(block: etree._Element, scope: dict[str, Value], file: Path) -> tuple[Marginal, ...]:
    """The random parameters of a Stochastic element in document order. Raises ScenarioError."""
    readers: dict[str, Callable[..., Callable[[F64], NDArray[np.float64] | NDArray[np.str_]]]] = {
        "ProbabilityDistributionSet": _discrete, "Histogram": _histogram, "UniformDistribution": _uniform,
        "NormalDistribution": _law, "LogNormalDistribution": _law, "PoissonDistribution": _law,
    }  # fmt: skip
    found = []
    for element in children(block):
        name, body = element.get("parameterName", ""), children(element)[0]
        if name_of(body) not in readers:
            raise user_defined(body, name, file)
        found.append(Marginal(name, name_of(body), readers[name_of(body)](body, scope, file), element.sourceline))
    return tuple(found)

"""A rule set is a table: each row names a measure, a relation and a limit; one function turns measures into verdicts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.verdict import Criterion, Verdict

RELATIONS: dict[str, Callable[[Any, float], Any]] = {
    "<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq,
}  # fmt: skip

AVOIDABLE = "avoidable"
"""Column of a case: 0 where the reference driver collides."""


class Rule(NamedTuple):
    """`measure` (a column of a case's measures) must stand in `relation` to `limit`.

    `applies`: a 0/1 column; where it is 0 the rule is not applicable. A rule whose measure nobody took, or which is NaN for a case,
    is not verified. `since`: a note on how the demand was made measurable, where the text leaves it open.
    """

    criterion: Criterion
    measure: str
    relation: str
    limit: float
    applies: str = ""
    since: str = ""


class RuleSet(NamedTuple):
    """Rules judged together, and what of their source they do not cover."""

    name: str
    rules: tuple[Rule, ...]
    limits: tuple[str, ...]
    reference: str = ""  # built-in driver whose collisions excuse those of the driver under test


def verdict_of(rule: Rule, measures: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.int8]:
    """Verdicts of one rule on all cases, shape (count,)."""
    if rule.measure not in measures:
        return np.full(count, Verdict.NOT_VERIFIED, np.int8)
    values = np.asarray(measures[rule.measure], np.float64)
    passed = RELATIONS[rule.relation](values, rule.limit)
    verdict = np.where(passed, np.int8(Verdict.PASS), np.int8(Verdict.FAIL))
    verdict[np.isnan(values)] = Verdict.NOT_VERIFIED
    if rule.applies and rule.applies in measures:
        verdict[np.asarray(measures[rule.applies], np.float64) == 0] = Verdict.NOT_APPLICABLE
    return verdict


def excusable(rules: RuleSet, measures: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.bool_]:
    """Cases (count,) that fail a rule which does not apply where the reference driver collides."""
    failed = np.zeros(count, bool)
    for rule in rules.rules:
        if rule.applies == AVOIDABLE:
            failed |= verdict_of(rule._replace(applies=""), measures, count) == Verdict.FAIL
    return failed


def judge_cases(
    rules: RuleSet, measures: Mapping[str, NDArray[Any]], broken: NDArray[np.int8]
) -> dict[str, NDArray[np.int8]]:
    """Criterion name -> verdicts. `broken` (n,): 1 where the case could not be run, 2 where its values are outside the
    scenario's own constraints, so that it stands for no case."""
    verdicts = {}
    for rule in rules.rules:
        verdict = verdict_of(rule, measures, len(broken))
        verdict[broken == 1] = Verdict.ERROR
        verdict[broken == 2] = Verdict.NOT_APPLICABLE
        verdicts[rule.criterion.name] = verdict
    return verdicts

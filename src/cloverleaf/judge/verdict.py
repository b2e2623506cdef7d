"""Verdicts: what a rule says about one concrete case, and what a suite's cases say together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Verdict(IntEnum):
    """Outcome of one criterion on one case. NOT_VERIFIED never counts as a pass."""

    PASS = 0
    FAIL = 1
    NOT_APPLICABLE = 2
    NOT_VERIFIED = 3
    ERROR = 4


NAMES = {v: v.name.lower() for v in Verdict}


class Criterion(NamedTuple):
    """A rule as data: what is demanded, where it is written and in which edition."""

    name: str
    demand: str
    clause: str
    edition: str


class SuiteResult(NamedTuple):
    """All cases of one suite: parameters and measures as columns of shape (cases,), one verdict column per criterion."""

    suite: str
    driver: str
    parameters: Mapping[str, NDArray[Any]]
    measures: Mapping[str, NDArray[Any]]
    criteria: tuple[Criterion, ...]
    verdicts: Mapping[str, NDArray[np.int8]]
    limits: tuple[str, ...]
    numbers: NDArray[np.int64] | None = None  # case numbers within the suite; None: 0, 1, 2...

    def overall(self) -> NDArray[np.int8]:
        """Worst verdict of each case: error, then fail, then not verified, then pass, then not applicable."""
        order = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.NOT_VERIFIED, Verdict.FAIL, Verdict.ERROR)
        rank = np.zeros(len(Verdict), np.int8)
        rank[list(order)] = np.arange(len(order))
        stacked = np.stack([rank[v] for v in self.verdicts.values()])
        return np.array(order, np.int8)[stacked.max(axis=0)]

    def counts(self) -> dict[str, int]:
        """Number of cases per overall verdict, every verdict named."""
        overall = self.overall()
        return {NAMES[v]: int((overall == v).sum()) for v in Verdict}


def exit_code(results: list[SuiteResult]) -> int:
    """0 all pass, 1 some fail, 2 some case broke, 3 something was not verified, or no rule applied to any case (and nothing failed)."""
    total = {name: sum(r.counts()[name] for r in results) for name in NAMES.values()}
    if total["error"]:
        return 2
    if total["fail"]:
        return 1
    return 3 if total["not_verified"] or not total["pass"] else 0

"""What the page of a suite is drawn from: parameter columns and verdicts packed small, and the cases worth a look."""

from __future__ import annotations

import base64
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.verdict import NAMES, SuiteResult, Verdict

MOST_VALUES = 400  # distinct values of a parameter beyond which the map shows bins
MOST_WORST = 12
MOST_REASONS = 8
MEASURES = {
    "impact_speed_kmh": ("impact speed", "km/h"), "min_ttc_s": ("least time to collision", "s"), "crash_time_s": ("collision at", "s"),
    "self_assessment_score": ("self-assessment", "points"),
}  # fmt: skip
"""What is said of a worst case: column, words, unit."""


_FOLDER, _VALUE = re.compile(r"^.*[/\\](?=[^/\\]+:\d+:)"), re.compile(r" = \S+(?= violates)")


def packed(values: NDArray[Any], kind: str) -> str:
    """A column as base64 of little-endian integers."""
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def axis(column: NDArray[Any]) -> dict[str, Any]:
    """One parameter: its values in order as texts, and the value number of each case. Many numbers are put into bins."""
    values, code = np.unique(column, return_inverse=True)
    numeric = values.dtype.kind == "f"
    if numeric and len(values) > MOST_VALUES:
        edges = np.linspace(values[0], values[-1], 41)
        code = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, 39)
        return {"values": [f"{a:.4g}…{b:.4g}" for a, b in pairwise(edges)], "code": packed(code, "<u2")}
    texts = [f"{v:.6g}" if numeric else str(v) for v in values]
    return {"values": texts, "code": packed(code, "<u2")}


def worst(result: SuiteResult) -> list[int]:
    """Rows of the failed cases to look at first: hardest collisions, then smallest times to collision, then the rest."""
    overall = result.overall()
    rows = np.flatnonzero(overall == Verdict.FAIL)
    if not len(rows):
        return []
    zero = np.zeros(len(overall))
    impact = np.nan_to_num(np.asarray(result.measures.get("impact_speed_kmh", zero), float))
    ttc = np.nan_to_num(np.asarray(result.measures.get("min_ttc_s", zero), float), nan=99.0)
    order = np.lexsort((rows, ttc[rows], -impact[rows]))
    return [int(r) for r in rows[order][:MOST_WORST]]


def suite_data(result: SuiteResult) -> dict[str, Any]:
    """One suite for the page's script."""
    axes = {n: axis(np.asarray(c)) for n, c in result.parameters.items()}
    codes = {n: np.frombuffer(base64.b64decode(a["code"]), "<u2") for n, a in axes.items()}
    overall = result.overall()
    rows = worst(result)
    numbers = result.numbers if result.numbers is not None else np.arange(len(overall))
    return {
        "suite": result.suite,
        "driver": result.driver,
        "count": len(overall),
        "axes": {n: a for n, a in axes.items() if len(a["values"]) > 1},
        "fixed": {n: a["values"][0] for n, a in axes.items() if len(a["values"]) == 1},
        "overall": packed(overall, "<u1"),
        "criteria": [
            {**c._asdict(), "verdicts": packed(result.verdicts[c.name], "<u1")} for c in result.criteria
        ],
        "limits": list(result.limits),
        "counts": result.counts(),
        "worst": [
            {
                "case": int(numbers[r]),
                "values": {n: a["values"][int(codes[n][r])] for n, a in axes.items() if len(a["values"]) > 1},
                "failed": [c.name for c in result.criteria if result.verdicts[c.name][r] == Verdict.FAIL],
                "measures": [text for m in MEASURES if (text := _measure(result, m, r))],
            }
            for r in rows
        ],
        "names": [NAMES[v] for v in Verdict],
        "reasons": {NAMES[v]: reasons(result, v) for v in (Verdict.ERROR, Verdict.NOT_APPLICABLE)},
    }  # fmt: skip


def reasons(result: SuiteResult, verdict: Verdict) -> list[tuple[str, int]]:
    """Why cases with a verdict were not run, the most frequent first, without folders and single values: (text, cases)."""
    told = result.measures.get("reason")
    if told is None:
        return []
    found = Counter(_FOLDER.sub("", _VALUE.sub("", str(t))) for t in told[result.overall() == verdict] if t)
    return found.most_common(MOST_REASONS)


def _measure(result: SuiteResult, name: str, row: int) -> str:
    """One measure of a case in words, with its unit; empty if it was not measured."""
    value = float(result.measures[name][row]) if name in result.measures else np.nan
    words, unit = MEASURES[name]
    return f"{words} {value:.3g} {unit}" if np.isfinite(value) else ""

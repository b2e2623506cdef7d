"""Results on disk: `results.json`, `results.parquet` and JUnit XML, each written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cloverleaf import __version__
from cloverleaf.judge.verdict import NAMES, SuiteResult, Verdict

MOST_FAILURES_IN_JUNIT = 1000


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` beside `path` and rename it there, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def table(result: SuiteResult) -> pa.Table:
    """One row per concrete case: suite, driver, case number, parameters, measures, one column per criterion, `verdict`."""
    overall = result.overall()
    names = np.array([NAMES[v] for v in Verdict])
    columns: dict[str, object] = {
        "suite": pa.array([result.suite] * len(overall)).dictionary_encode(),
        "driver": pa.array([result.driver] * len(overall)).dictionary_encode(),
        "case": result.numbers if result.numbers is not None else np.arange(len(overall)),
        **result.parameters,
        **result.measures,
    }
    columns |= {f"criterion.{name}": names[v] for name, v in result.verdicts.items()}
    columns["verdict"] = names[overall]
    return pa.table(columns)


def exposure_rate(result: SuiteResult) -> float | None:
    """Share of the exposure that passes, among the cases that rules apply to: what broke or was not verified did not pass.

    None where no distribution states how often cases occur.
    """
    weight = result.measures.get("exposure")
    if weight is None or np.isnan(weight).any():
        return None
    overall = result.overall()
    judged = overall != Verdict.NOT_APPLICABLE
    total = float(weight[judged].sum())
    return float(weight[overall == Verdict.PASS].sum() / total) if total > 0 else None


def summary(results: list[SuiteResult]) -> dict[str, object]:
    """The content of results.json."""
    return {
        "cloverleaf": __version__,
        "suites": [
            {
                "suite": r.suite,
                "driver": r.driver,
                "cases": len(r.overall()),
                "counts": r.counts(),
                "pass_rate_by_exposure": exposure_rate(r),
                "criteria": [
                    c._asdict() | {"counts": {NAMES[v]: int((r.verdicts[c.name] == v).sum()) for v in Verdict}}
                    for c in r.criteria
                ],
                "limits": list(r.limits),
            }
            for r in results
        ],
    }


def label(result: SuiteResult, row: int) -> str:
    """The parameters of a case as text."""
    values = {k: v[row] for k, v in result.parameters.items()}
    return " ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items())


def junit(results: list[SuiteResult]) -> bytes:
    """JUnit XML: one test suite per suite, one test case per concrete case that did not pass, and the counts of all."""
    root = ET.Element("testsuites")
    for r in results:
        counts, overall = r.counts(), r.overall()
        skipped = counts["not_applicable"] + counts["not_verified"]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=f"{r.suite} ({r.driver})",
            tests=str(len(overall)),
            failures=str(counts["fail"]),
            errors=str(counts["error"]),
            skipped=str(skipped),
        )
        for row in np.flatnonzero(overall != Verdict.PASS)[:MOST_FAILURES_IN_JUNIT]:
            number = row if r.numbers is None else r.numbers[row]
            case = ET.SubElement(suite, "testcase", classname=r.suite, name=f"case {number}: {label(r, int(row))}")
            tag = {Verdict.FAIL: "failure", Verdict.ERROR: "error"}.get(Verdict(overall[row]), "skipped")
            broken = ", ".join(c.name for c in r.criteria if r.verdicts[c.name][row] == overall[row])
            reason = str(r.measures["reason"][row]) if "reason" in r.measures else ""
            message = f"{NAMES[Verdict(overall[row])]}: {reason or broken}"
            ET.SubElement(case, tag, message=message)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def store(results: list[SuiteResult], out: Path, search: Mapping[str, object] | None = None) -> None:
    """Write results.parquet and results.json to the folder `out`; `search`: what a boundary search found, by suite."""
    sink = pa.BufferOutputStream()
    tables = [table(r) for r in results]
    pq.write_table(pa.concat_tables(tables, promote_options="permissive"), sink)
    write_atomically(out / "results.parquet", sink.getvalue().to_pybytes())
    content = summary(results) | ({"search": search} if search else {})
    write_atomically(out / "results.json", (json.dumps(content, indent=2) + "\n").encode())

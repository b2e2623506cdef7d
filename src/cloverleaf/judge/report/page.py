"""Writes the report page: summary, rules with clause and edition, pass/fail map over two parameters, worst cases with replay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from cloverleaf import __version__
from cloverleaf.judge.report.data import suite_data
from cloverleaf.judge.results import exposure_rate, write_atomically
from cloverleaf.judge.verdict import SuiteResult

VERDICTS = ("pass", "fail", "not_applicable", "not_verified", "error")


def report(results: list[SuiteResult], search: Mapping[str, Any], replays: Mapping[str, Any]) -> str:
    """The HTML text. `search`: findings of a boundary search by suite; `replays`: recorded worst cases by suite."""
    data = [suite_data(r) | {"replays": replays.get(r.suite, [])} for r in results]
    title = results[0].suite if len(results) == 1 else f"{len(results)} suites"
    text = files("cloverleaf.judge.report").joinpath("page.html").read_text(encoding="utf-8")
    # "<" never ends a script element inside JSON once it is escaped
    content = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "TITLE": escape(title),
        "LEAD": escape(f"Driver {results[0].driver}, {sum(d['count'] for d in data):,} concrete cases"),
        "SUMMARY": _summary(results),
        "SEARCH": _search(search),
        "DATA": content,
        "VERSION": __version__,
    }
    for name, value in parts.items():
        text = text.replace(f"@@{name}@@", value)
    return text


def _summary(results: list[SuiteResult]) -> str:
    rows = []
    for k, r in enumerate(results):
        counts, rate = r.counts(), exposure_rate(r)
        cells = "".join(f"<td class='n {v}{' zero' if not counts[v] else ''}'>{counts[v]:,}</td>" for v in VERDICTS)
        share = "–" if rate is None else f"{100 * rate:.1f} %"
        rows.append(
            f"<tr><td><a href='#s{k}'>{escape(r.suite)}</a></td><td class=n>{len(r.overall()):,}</td>{cells}<td class=n>{share}</td></tr>"
        )
    head = "".join(f"<th class=n>{v.replace('_', ' ')}</th>" for v in VERDICTS)
    return f"<table><tr><th>suite</th><th class=n>cases</th>{head}<th class=n>pass by exposure</th></tr>{''.join(rows)}</table>"


def _search(search: Mapping[str, Any]) -> str:
    parts = []
    for suite, told in search.items():
        left = told["not_looked_at"]
        pairs = "".join(
            f"<tr><td>{escape(p['parameter'])}</td><td class=n>{escape(p['fails_at'])}</td><td class=n>{escape(p['passes_at'])}</td>"
            f"<td class=n>{p['steps_apart']}</td><td>{escape(' '.join(f'{k}={v}' for k, v in p['others'].items()))}</td></tr>"
            for p in told["boundary"][:40]
        )
        holes = "".join(
            f"<li>{escape(' '.join(f'{k}={v}' for k, v in h['case'].items()))}</li>" for h in left["largest_holes"]
        )
        parts.append(
            f"<h3>{escape(suite)}</h3><p>{told['cases_run']:,} of {told['cases']:,} cases were run. <b>{left['cases']:,} cases "
            f"({100 * left['share']:.1f} %) were not looked at</b>; nothing is claimed about them.</p>"
            "<table><tr><th>along</th><th class=n>fails at</th><th class=n>passes at</th><th class=n>steps apart</th><th>with</th></tr>"
            f"{pairs}</table>"
            + (f"<p>Centres of the largest regions not looked at:</p><ul>{holes}</ul>" if holes else "")
        )
    return f"<section><h2>Failure boundary</h2>{''.join(parts)}</section>" if parts else ""


def write_report(
    results: list[SuiteResult],
    path: Path,
    search: Mapping[str, Any] | None = None,
    replays: Mapping[str, Any] | None = None,
) -> None:
    """Write `report.html`."""
    write_atomically(path, report(results, search or {}, replays or {}).encode())

"""The whole report as one HTML text."""

from __future__ import annotations

from html import escape
from pathlib import Path

from cloverleaf import __version__
from cloverleaf.study.report import sections
from cloverleaf.study.report.forest import draw_forest
from cloverleaf.study.report.leaves import draw_leaves
from cloverleaf.study.report.map_drawing import draw_map
from cloverleaf.study.report.style import CSS
from cloverleaf.study.report.time_space import draw_time_space
from cloverleaf.study.results import Results, write_atomically


def _figure(drawing: str, caption: str) -> str:
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>" if drawing else ""


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _time_space(results: Results) -> str:
    """The first and the last arm, same seed, same corridor."""
    arms = results.study.arms
    chosen = [arms[0]] if len(arms) == 1 else [arms[0], arms[-1]]
    strips = [(r.arm.value, r.strip) for arm in chosen for r in results.runs if r.arm == arm and r.strip is not None]
    drawings = [d for d in (draw_time_space(strip, arm) for arm, strip in strips) if d]
    if not drawings:
        return ""
    title = strips[0][1].title
    caption = f"Corridor: {escape(title)}, seed {results.study.seeds[0]}. Each line is a vehicle; steeper is faster, flat is standing."
    return "".join(f"<figure>{d}</figure>" for d in drawings[:-1]) + _figure(drawings[-1], caption)


def report(results: Results) -> str:
    """The HTML of `report.html`: no scripts, no references to anything outside."""
    study = results.study
    digest = results.digest()
    corridor = next((list(r.strip.edges) for r in results.runs if r.strip is not None), [])
    comparison = len(study.arms) > 1
    parts = [
        "<header><p class=kind>Human · car · road · cloud</p>"
        f"<h1>{escape(study.name)}</h1><p class=lead>{sections.intro(study)}</p></header>",
        sections.headline(results),
        sections.warnings(results),
        _section("Results", sections.main_table(results)),
    ]
    if comparison:
        caption = (
            "Paired differences as a share of the first arm’s mean. "
            "A filled dot: the 95 % interval excludes zero. Left is less, right is more."
        )
        parts.append(_section(f"Differences to {study.arms[0]}", _figure(draw_forest(results), caption)))
        caption = "The first bar is the level of the first arm; each further bar is what that arm changed, with its paired 95 % interval."
        parts.append(_section("What each leaf added", _figure(draw_leaves(results), caption)))
    parts += [
        _section("Where", _figure(draw_map(results.base_map, corridor), "Lanes to scale; circles are signals.")),
        _section("Along the busiest corridor", _time_space(results)),
        _section("Link", sections.link_table(results) if comparison else ""),
        _section("Input", sections.census_table(results)),
        _section("What the metrics mean", sections.definitions_list()),
        _section("Reproduce", sections.reproduce(results, digest)),
        _section("Limits", sections.limits()),
        f"<footer>cloverleaf {__version__} · {len(results.runs) + len(results.beside)} runs · {results.wall_s:.0f} s of computing</footer>",
    ]
    head = (
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>{escape(study.name)} – Cloverleaf</title><style>{CSS}</style></head>"
    )
    return f"{head}<body><main>{''.join(p for p in parts if p)}</main></body></html>\n"


def write_report(results: Results, path: Path) -> None:
    """Write `report.html`."""
    write_atomically(path, report(results))

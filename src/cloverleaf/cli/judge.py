"""`cloverleaf judge`: every concrete case of a suite, a verdict for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cloverleaf.judge.drivers.registry import Driver
    from cloverleaf.judge.evaluate import Chosen
    from cloverleaf.judge.sweep import Setting
    from cloverleaf.judge.verdict import SuiteResult

app = typer.Typer(add_completion=False)


@app.command()
def judge(
    paths: Annotated[list[str], typer.Argument(help="scenarios, parameter value distributions or folders of them (.xosc); built-in: "
                                                    "r157:cut_in_high_speed, r157:cut_in_low_speed, r157:cut_out, r157:car_following",
                                               metavar="PATH...")],
    driver: Annotated[str, typer.Option(help="cc_human, fsm, rss, reg157, idm, acc_aeb, cloverleaf; module:Class, file.py:Class, "
                                             "model.fmu, osi://host:port")],
    cases: Annotated[str | None, typer.Option(help="first, all, a number (spread over the grid) or a CSV file")] = None,
    budget: Annotated[str | None, typer.Option(help="time for a boundary search instead of all cases: 90s, 30m, 2h")] = None,
    workers: Annotated[str, typer.Option(help="processes; 0: one per core; or ray://host:port")] = "0",
    out: Annotated[Path | None, typer.Option(help="folder for results and report.html; a second run goes on from it")] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML file")] = None,
    rules: Annotated[str, typer.Option(help="auto (by the scenario's own words), r157, ncap, ncap_fcw or plain")] = "auto",
    exposure: Annotated[Path | None, typer.Option(help="stochastic distribution of the parameters (.xosc): how often each case of a grid "
                                                       "occurs")] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda where a GPU is")] = "cpu",
    system: Annotated[str, typer.Option(help="entity under test; default: Ego, else the first with a controller")] = "",
    dt: Annotated[float, typer.Option(help="step, s")] = 0.01,
    until: Annotated[float, typer.Option(help="longest time of a case, s")] = 120.0,
) -> int:  # fmt: skip
    """Judge DRIVER on suites. Exit 0: all pass, 1: some fail, 2: bad input or broken cases, 3: something not verified."""
    from cloverleaf.judge import results as store
    from cloverleaf.judge.device import choose_device
    from cloverleaf.judge.drivers.registry import find_driver
    from cloverleaf.judge.verdict import exit_code
    from cloverleaf.types.errors import StudyError

    asked = find_driver(driver)
    if not 0.0 < dt <= 1.0 or not until > 0.0:
        raise StudyError("--dt must be in (0, 1] s and --until positive")
    built_in = [p for p in paths if p.startswith("r157:")]
    files = [Path(p) for p in paths if not p.startswith("r157:")]
    if choose_device(device) != "cpu" and (built_in or asked.form != "compiled"):
        raise StudyError(
            "a CUDA device runs scenario files with compiled drivers alone", element="--device", hint="--device cpu"
        )
    done = _published(built_in, asked, cases)
    search: dict[str, Any] = {}
    films: dict[str, object] = {}
    if files:
        from cloverleaf.judge.sweep import Setting

        setting = Setting(driver, dt, until, device)
        chosen, found, search = _scenarios(files, setting, rules, system, cases, budget, workers, out, exposure)
        done += found
        if out is not None:
            from cloverleaf.judge.report.replay import films as record

            films = record(found, chosen, asked, setting)
    _print_table(done)
    _print_search(search)
    if out is not None:
        from cloverleaf.judge.report.page import write_report

        store.store(done, out, search)
        write_report(done, out / "report.html", search, films)
        typer.echo(f"results: {out}/results.json, results.parquet, report.html", err=True)
    if junit is not None:
        store.write_atomically(junit, store.junit(done))
    code = exit_code(done)
    return 3 if code == 0 and any(s["not_looked_at"]["cases"] for s in search.values()) else code


def _published(paths: list[str], driver: Driver, cases: str | None) -> list[SuiteResult]:
    """The built-in R157 families."""
    from cloverleaf.judge.cases import select
    from cloverleaf.judge.r157.rules import judge as judge_r157
    from cloverleaf.judge.r157.suite import FAMILIES
    from cloverleaf.types.errors import StudyError, nearest

    families = [p.partition(":")[2] for p in paths]
    for family, path in zip(families, paths):
        if family not in FAMILIES:
            raise StudyError(f"no suite '{path}'", hint=nearest(path, [f"r157:{f}" for f in FAMILIES]))
    return [judge_r157(f, driver, select(cases or "all", FAMILIES[f].grid())) for f in families]


def _scenarios(
    files: list[Path], setting: Setting, rules: str, system: str, cases: str | None, budget: str | None, workers: str,
    out: Path | None, exposure: Path | None,
) -> tuple[list[Chosen], list[SuiteResult], dict[str, Any]]:  # fmt: skip
    """Scenario files: all chosen cases, or a boundary search."""
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cloverleaf.judge.campaign import choose, judge_all, judge_within, seconds, worker_count
    from cloverleaf.judge.exposure import read_exposure
    from cloverleaf.judge.suite import discover

    known = read_exposure(exposure) if exposure is not None else None
    entries = [replace(e, frequencies=known) for e in discover(files, rules, system)]
    spare = seconds(budget) if budget is not None else 0.0
    chosen = choose(entries, cases) if budget is None else []
    total = sum(len(c.rows) for c in chosen) if chosen else sum(e.count for e in entries)
    count = worker_count(workers, total) if setting.device == "cpu" else 1  # one process keeps a device busy
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cases"), TimeRemainingColumn(),
    )  # fmt: skip
    # without a refreshing thread of its own: worker processes start while the bar stands
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(f"{len(entries)} scenario(s)", total=total)

        def done(cases_done: int) -> None:
            bar.update(task, advance=cases_done, refresh=True)

        if budget is None:
            return chosen, judge_all(chosen, setting, count, out, done), {}
        return judge_within(entries, setting, spare, count, out, done)


def _print_table(done: list[SuiteResult]) -> None:
    """One line per suite: cases by verdict, collisions, smallest time to collision."""
    import numpy as np

    width = max((len(r.suite) for r in done), default=5) + 2
    head = f"{'suite':<{width}}{'driver':<12}{'cases':>8}{'pass':>8}{'fail':>7}{'n/a':>7}{'not ver.':>9}{'error':>7}"
    typer.echo(f"{head}{'crashes':>9}{'min TTC s':>11}")
    for r in done:
        count = r.counts()
        ttc = r.measures.get("min_ttc_s")
        worst = f"{np.nanmin(ttc):.2f}" if ttc is not None and not np.isnan(ttc).all() else "-"
        crashes = int(np.nansum(r.measures["crash"])) if "crash" in r.measures else 0
        typer.echo(
            f"{r.suite:<{width}}{r.driver[-11:]:<12}{len(r.overall()):>8}{count['pass']:>8}{count['fail']:>7}"
            f"{count['not_applicable']:>7}{count['not_verified']:>9}{count['error']:>7}{crashes:>9}{worst:>11}"
        )
        reasons = r.measures.get("reason")
        if count["error"] and reasons is not None:
            first = next(str(reason) for reason, v in zip(reasons, r.overall()) if v == 4)
            typer.echo(f"  error: {first}", err=True)


def _print_search(search: dict[str, Any]) -> None:
    """What a boundary search found in each suite, and what it did not look at."""
    for suite, told in search.items():
        left = told["not_looked_at"]
        typer.echo(
            f"{suite}: {told['cases_run']:,} of {told['cases']:,} cases run, {len(told['boundary'])} pairs on the failure boundary; "
            f"{left['cases']:,} cases ({100 * left['share']:.1f} %) not looked at"
        )
        for hole in left["largest_holes"][:3]:
            typer.echo("  nothing known around " + " ".join(f"{name}={value}" for name, value in hole["case"].items()))

"""`cloverleaf judge`: every concrete case of a suite, a verdict for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def judge(
    paths: Annotated[list[str], typer.Argument(help="built-in suites: r157:cut_in_high_speed, r157:cut_in_low_speed, r157:cut_out, "
                                                    "r157:car_following", metavar="PATH...")],
    driver: Annotated[str, typer.Option(help="cc_human, fsm, rss or reg157")],
    cases: Annotated[str, typer.Option(help="first, all, a number (spread over the grid) or a CSV file")] = "all",
    out: Annotated[Path | None, typer.Option(help="folder for results.json and results.parquet")] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML file")] = None,
) -> int:  # fmt: skip
    """Judge DRIVER on suites. Exit 0: all pass, 1: some fail, 2: bad input, 3: something not verified."""
    from cloverleaf.judge import results as store
    from cloverleaf.judge.cases import select
    from cloverleaf.judge.r157.drivers import ReferenceDriver
    from cloverleaf.judge.r157.rules import judge as judge_r157
    from cloverleaf.judge.r157.suite import FAMILIES
    from cloverleaf.judge.verdict import exit_code
    from cloverleaf.types.errors import StudyError, nearest

    known = {d.name.lower(): d for d in ReferenceDriver}
    if driver not in known:
        raise StudyError(f"unknown driver '{driver}'", hint=nearest(driver, known))
    families = []
    for path in paths:
        kind, _, family = path.partition(":")
        if kind != "r157" or family not in FAMILIES:
            raise StudyError(f"no suite '{path}'", hint=nearest(path, [f"r157:{f}" for f in FAMILIES]))
        families.append(family)
    done = [judge_r157(f, known[driver], select(cases, FAMILIES[f].grid())) for f in families]
    typer.echo(
        f"{'suite':<24}{'driver':<10}{'cases':>8}{'pass':>8}{'fail':>7}{'n/a':>7}{'crashes':>9}{'min TTC s':>11}"
    )
    for r in done:
        count = r.counts()
        ttc = r.measures.get("min_ttc_s")
        worst = f"{ttc.min():.2f}" if ttc is not None else "-"
        typer.echo(
            f"{r.suite:<24}{r.driver:<10}{len(r.overall()):>8}{count['pass']:>8}{count['fail']:>7}{count['not_applicable']:>7}"
            f"{int(r.measures['crash'].sum()):>9}{worst:>11}"
        )
    if out is not None:
        store.store(done, out)
        typer.echo(f"results: {out}/results.json, results.parquet", err=True)
    if junit is not None:
        store.write_atomically(junit, store.junit(done))
    return exit_code(done)

"""`cloverleaf scenario`: what of an OpenSCENARIO file is supported, with reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def scenario() -> None:
    """OpenSCENARIO XML files."""


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="files, or folders to search for .xosc", metavar="PATH...")],
    as_json: Annotated[
        bool, typer.Option("--json", help="a JSON list of {file, supported, problems, missing}")
    ] = False,
    param: Annotated[list[str] | None, typer.Option(help="set a parameter, name=value; repeatable")] = None,
) -> int:
    """Say what is wrong or not supported. Exit 0: all supported, 1: some not, 2: broken input."""
    from cloverleaf.scenario.openscenario.check import check_file, scenario_files
    from cloverleaf.types.errors import StudyError

    injected = dict(pair.partition("=")[::2] for pair in param or [])
    reports = [check_file(path, injected) for path in scenario_files(paths)]
    if not reports:
        raise StudyError("no .xosc file found", file=paths[0])
    if as_json:
        rows = [
            {
                "file": str(r.file),
                "supported": r.supported,
                "problems": [p._asdict() for p in r.problems],
                "missing": [p._asdict() for p in r.missing],
            }
            for r in reports
        ]
        typer.echo(json.dumps(rows, indent=2))
    else:
        for r in reports:
            if r.supported:
                typer.echo(f"{r.file}: supported" + (", but it does not run as it is" if r.missing else ""))
            for p in r.problems:
                place = f"{r.file}:{p.line}:{p.element}" if p.element else f"{r.file}:{p.line}"
                typer.echo(f"{place}: {p.message}" + (f" ({p.hint})" if p.hint else ""))
            for p in r.missing:
                typer.echo(f"{r.file}:{p.line}:{p.element}: note: {p.message}" + (f" ({p.hint})" if p.hint else ""))
    if any(r.broken for r in reports):
        return 2
    return 0 if all(r.supported for r in reports) else 1

"""`cloverleaf bench`: reproduces one row of the performance table, side by side with the peer it names."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

ROWS: dict[str, tuple[str, str]] = {
    "r157": (
        "cloverleaf.cli.bench_r157:run",
        "verdicts of R157 reference drivers per second, against the published tool's rate",
    ),
    "link": ("cloverleaf.cli.bench_link:run", "the link's cost per tick, verification beside OpenSSL, the radio against real time"),
}
"""Name -> (module:function, what it measures). The function prints its row and takes no argument."""


@app.command()
def bench(name: Annotated[str, typer.Argument(help="a row, 'all', or 'list'", metavar="NAME")] = "list") -> None:
    """Measure one row of the performance table on this machine."""
    from cloverleaf.types.errors import StudyError, nearest

    if name == "list":
        for row, (_, what) in ROWS.items():
            typer.echo(f"{row:<16}{what}")
        return
    if name != "all" and name not in ROWS:
        raise StudyError(f"no benchmark '{name}'", hint=nearest(name, ROWS))
    for row in ROWS if name == "all" else [name]:
        module, _, function = ROWS[row][0].partition(":")
        getattr(import_module(module), function)()

"""`cloverleaf trace`: one run of an OpenSCENARIO file, as tidy rows and events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def trace(
    file: Annotated[Path, typer.Argument(help="an OpenSCENARIO scenario (.xosc)", metavar="FILE")],
    csv: Annotated[Path | None, typer.Option(help="where the rows go; standard output if absent")] = None,
    events: Annotated[
        Path | None, typer.Option(help="JSON file for storyboard transitions, conditions, collisions")
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="set a parameter, name=value; repeatable")] = None,
    until: Annotated[float, typer.Option(help="time limit, s")] = 120.0,
    dt: Annotated[float, typer.Option(help="step, s")] = 0.01,
    every: Annotated[float, typer.Option(help="seconds between rows")] = 0.05,
    seed: Annotated[int, typer.Option(help="of what is random: traffic actions, random routes, sloppy drivers")] = 0,
) -> int:
    """Run a scenario once; rows time,entity,x,y,z,heading,speed,road_id,lane_id,s,offset in m, rad, m/s."""
    import json
    import math

    from numba.core import event
    from rich.console import Console

    from cloverleaf.loop.storyboard.episode import COLUMNS, Episode
    from cloverleaf.study.warm import CompileCount
    from cloverleaf.types.errors import StudyError

    for name, value, low, high in (
        ("--until", until, 0.0, 86_400.0),
        ("--dt", dt, 1e-4, 1.0),
        ("--every", every, dt, 3600.0),
    ):
        if not (math.isfinite(value) and low <= value <= high):
            raise StudyError(f"{value:g} s is out of range", element=name, hint=f"{low:g} to {high:g} s")
    if not 0 <= seed < 2**53:
        raise StudyError(f"{seed} is out of range", element="--seed", hint="0 to 2^53 - 1")
    parameters = {}
    for pair in param or []:
        key, equals, value_text = pair.partition("=")
        if not equals:
            raise StudyError(f"'{pair}' is not name=value", element="--param")
        parameters[key] = value_text
    console = Console(stderr=True)
    count = CompileCount(console)
    with event.install_listener("numba:compile", count):
        try:
            episode = Episode(file, parameters, dt=dt, every=every, until=until, seed=seed).run()
        finally:
            count.status.stop()
    lines = [",".join(COLUMNS)]
    for t, name, x, y, z, heading, speed, road, lane, s, offset in episode.rows():
        head = f"{t:.2f}" if abs(t * 100 - round(t * 100)) < 1e-6 else f"{t:.4f}"
        lines.append(
            f"{head},{name},{x:.5f},{y:.5f},{z:.5f},{heading % (2 * math.pi):.6f},{speed:.5f},{road},{lane},{s:.5f},{offset:.5f}"
        )
    try:
        if csv is None:
            sys.stdout.write("\n".join(lines) + "\n")
        else:
            csv.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if events is not None:
            events.write_text(json.dumps(episode.events(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StudyError(f"cannot write: {error.strerror}", file=error.filename) from None
    console.print(f"{file.name}: {episode.time:.2f} s, {episode.ended_by}", highlight=False)
    return 0

"""`cloverleaf run`: the main job. Human, car, road and cloud side by side on one road network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cloverleaf.study.config import Study

app = typer.Typer(add_completion=False)


@app.command()
def run(
    source: Annotated[Path | None, typer.Argument(help="a study (.yaml) or a SUMO configuration (.sumocfg); none: the built-in district",
                                                  metavar="[STUDY.yaml|X.sumocfg]")] = None,
    map_: Annotated[str | None, typer.Option("--map", help="builtin:district, .xodr, .net.xml or .net.xml.gz")] = None,
    demand: Annotated[str | None, typer.Option(help="route files (comma-separated) or a flow table")] = None,
    duration: Annotated[float | None, typer.Option(help="simulated seconds")] = None,
    seeds: Annotated[int | None, typer.Option(help="number of seeds")] = None,
    arms: Annotated[str | None, typer.Option(help="comma-separated: human,car,road,cloud")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="run although this unsupported element changes the result; repeatable")] = None,
    workers: Annotated[int, typer.Option(min=0, help="processes; 0: as many as useful")] = 0,
    out: Annotated[Path, typer.Option(help="folder for summary.json, report.html and log.mcap")] = Path("cloverleaf-out"),
    live: Annotated[bool, typer.Option("--live", help="only the last arm, at the pace of real time, in the console")] = False,
    broker: Annotated[str | None, typer.Option(help="with --live: nats://... of a running platform; none: one is started")] = None,
    port: Annotated[int, typer.Option(help="with --live: port of the started platform's console")] = 8080,
    pcap: Annotated[str | None, typer.Option(help="capture file of every V2X message that the last arm's first seed sends")] = None,
    trace_tick: Annotated[int | None, typer.Option(help="show every stage of this tick instead of running the study")] = None,
    actor: Annotated[str, typer.Option("--actor", help="with --trace-tick: trip id, or 'ego' for the first smart car")] = "ego",
) -> int:  # fmt: skip
    """Run a study and compare its arms: table on stdout, files in OUT."""
    study = _study(source, map=map_, demand=demand, duration_s=duration, seeds=seeds, arms=arms, allow=allow)
    if pcap is not None:
        study = _captured(study, pcap)
    if trace_tick is not None:
        from cloverleaf.study.trace import trace

        trace(study, trace_tick, actor, typer.echo)
        return 0
    if live or broker:
        return _live(study, out, broker, port)
    return _run(study, out, workers)


def _study(source: Path | None, **options: object) -> Study:
    from cloverleaf.study.reading import read_source, with_changes
    from cloverleaf.types.errors import StudyError

    changes = {k: v for k, v in options.items() if v is not None}
    for key in ("arms", "demand"):
        if isinstance(changes.get(key), str):
            parts = [p.strip() for p in str(changes[key]).split(",")]
            changes[key] = parts if key == "arms" or len(parts) > 1 else parts[0]
    study = read_source(source)
    if "map" in changes and study.sumo is None and "demand" not in changes and changes["map"] != study.map:
        raise StudyError("--map needs --demand", hint="the built-in demand fits the built-in district only")
    return with_changes(study, **changes) if changes else study


def _captured(study: Study, file: str) -> Study:
    from cloverleaf.study.reading import with_changes
    from cloverleaf.types.errors import StudyError

    if not Path(file).resolve().parent.is_dir():
        raise StudyError("no such folder", file=Path(file), element="--pcap")
    return with_changes(study, link=study.link.model_dump() | {"pcap": file})


def _run(study: Study, out: Path, workers: int) -> int:
    import os

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cloverleaf.study.build import FACTORY
    from cloverleaf.study.inputs import read_inputs
    from cloverleaf.study.report.page import write_report
    from cloverleaf.study.results import write_summary
    from cloverleaf.study.run import jobs_of, run_study
    from cloverleaf.study.table import print_table
    from cloverleaf.study.warm import warm_kernels

    screen = Console(stderr=True)
    base_map = read_inputs(study).base_map
    warm_kernels(screen)
    out.mkdir(parents=True, exist_ok=True)
    jobs = jobs_of(study, base_map, None)
    count = workers or max(1, min(os.cpu_count() or 1, len(jobs)))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("ticks"),
        TimeRemainingColumn(),
    )
    # without a refreshing thread of its own: worker processes are forked while the bar stands
    with Progress(*columns, console=screen, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(
            f"{study.name}: {len(study.arms)} arms x {len(study.seeds)} seeds", total=len(jobs) * study.steps
        )
        results = run_study(
            study,
            base_map,
            FACTORY,
            workers=count,
            out=out,
            progress=lambda done, total: bar.update(task, completed=done, total=total, refresh=True),
        )
    write_summary(results, out / "summary.json")
    write_report(results, out / "report.html")
    print_table(results, Console())
    screen.print(f"report: {out / 'report.html'}   summary: {out / 'summary.json'}   log: {out / 'log.mcap'}")
    return 0


def _live(study: Study, out: Path, broker: str | None, port: int) -> int:
    import contextlib
    import signal

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from cloverleaf.study.inputs import read_inputs
    from cloverleaf.study.live import platform, run_live
    from cloverleaf.study.warm import warm_kernels

    screen = Console(stderr=True)
    read_inputs(study)
    warm_kernels(screen)
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        with platform(study, out / "platform", port) if broker is None else contextlib.nullcontext(broker) as url:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("ticks"))
            with Progress(*columns, console=screen, transient=True) as bar:
                task = bar.add_task(f"{study.name}, live", total=study.steps)
                done = run_live(study, url, tell=lambda k: bar.update(task, completed=k), stopped=lambda: bool(asked))
    finally:
        signal.signal(signal.SIGINT, before)
    uplink = done.uplink
    screen.print(f"frames: {uplink.sent} sent, {uplink.acknowledged} acknowledged, {uplink.failed} failed")
    return 0

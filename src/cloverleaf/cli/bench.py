"""`cloverleaf bench`: reproduces one row of the performance table, side by side with the peer it names."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False)


def _traffic(data: Path | None, nets: list[str] | None = None, steps: list[float] | None = None) -> None:
    bench = import_module("cloverleaf.cli.bench_traffic")
    for net in nets or bench.NETS:
        for step in steps or (1.0, 0.1):
            _print(bench.run_bench(f"traffic:{net}", data or Path("."), step))


def _crowd(data: Path | None, steps: list[float] | None = None) -> None:
    for row in import_module("cloverleaf.cli.bench_crowd").run_bench(steps or (1.0,)):
        _print(row)


def _fidelity(
    data: Path | None,
    nets: list[str] | None = None,
    steps: list[float] | None = None,
    seeds: list[int] | None = None,
) -> None:
    bench = import_module("cloverleaf.cli.bench_traffic")
    for net in nets or bench.NETS:
        for step in steps or (0.1,):
            for row in bench.run_fidelity(net, data or Path("."), step, seeds or bench.SEEDS):
                _print(row)


def _collisions(
    data: Path | None,
    nets: list[str] | None = None,
    steps: list[float] | None = None,
    seeds: list[int] | None = None,
) -> None:
    bench = import_module("cloverleaf.cli.bench_collisions")
    for net in nets or bench.CASES:
        for step in steps or (0.1,):
            for seed in seeds or (1,):
                _print(bench.run_bench(net, data, step, seed))


def _micro(data: Path | None) -> None:
    if data is None or not (data / "nets" / "micro").is_dir():
        _print({"name": "micro", "skipped": "needs --data with nets/micro and oracle/sumo/micro"})
        return
    for row in import_module("cloverleaf.cli.bench_micro").run_bench(data):
        _print(row)


def _map(data: Path | None) -> None:
    town = data / "maps" / "carla" / "Town03.xodr" if data else None
    _print(import_module("cloverleaf.cli.bench_map").run_bench(town if town and town.is_file() else None))


def _r157(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_r157").run()


def _alks(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_judge").run("alks", data)


def _ncap(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_judge").run("ncap", data)


def _scenario(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_scenario").run(data)


def _engine(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_scenario").run_engine(data)


def _link(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_link").run()


def _inspect(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_inspect").run_bench(data):
        _print(row)


def _radio(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_link").run_radio(data)


def _codec(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_codec").codec(only=None, data=data / "v2x" / "bench" if data else None)


def _fuzz(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_codec").codec_fuzz(count=10_000_000, standard="all", kind="all", seed=1)


def _loop(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_loop").run()


def _fault(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_fault").run(data, typer.echo):
        _print(row)


def _planning(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_planning").run(data, typer.echo):
        _print(row)


def _prediction(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_prediction").run():
        _print(row)


def _track_loop(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_track_loop").run():
        _print(row)


def _console(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_console").run(typer.echo):
        _print(row)


def _own(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_own").run(data, typer.echo):
        _print(row)


def _closed(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_closed").run(data, typer.echo):
        _print(row)


def _fusion(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_fusion").run():
        _print(row)


def _degrade(data: Path | None) -> None:
    for row in import_module("cloverleaf.cli.bench_degrade").run(typer.echo):
        _print(row)


def _cloud(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_cloud").run_ingest()


def _cloud_durable(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_cloud").run_durable()


def _cloud_kills(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_cloud_kills").run()


def _cloud_lake(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_cloud").run_lake()


def _cloud_day(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_cloud_day").run_day()


def _cloud_scale(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_cloud_day").run_scale()


def _compile(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_loop").run_compile()


def _track(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_track").run(data)


def _rss(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_rss").run()


def _control(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_control").run()


def _lidar(data: Path | None) -> None:
    import_module("cloverleaf.cli.bench_lidar").run(data)


ROWS: dict[str, tuple[Callable[..., None], str]] = {
    "traffic": (
        _traffic,
        "human traffic, vehicle-steps per second beside plain SUMO on real nets (bar: 25x; needs --data)",
    ),
    "crowd": (_crowd, "human traffic with 10,000 vehicles on a grid of signals, beside plain SUMO (bars: 15 M, 25x)"),
    "fidelity": (
        _fidelity,
        "arrived, time loss, stops and CO2 beside recorded SUMO runs (bars: 3 % and 10 %; needs --data)",
    ),
    "micro": (
        _micro,
        "queue discharge, gap acceptance, junction types beside recorded SUMO runs (bar: 5 % on queue discharge; needs --data)",
    ),
    "collisions": (
        _collisions,
        "pairs of vehicles that touch although nobody errs, and how many arrive (bar: 0 pairs; nets need --data)",
    ),
    "loop": (_loop, "the full loop, 100 smart cars among 500 road users, against real time (bar: 1x)"),
    "fault": (
        _fault,
        "smart cars among people who err: collisions at fault and red lights, with 95 % bounds (bar: none; Hamburg needs --data)",
    ),
    "degrade": (
        _degrade,
        "each sensor lost, frozen, delayed, biased or broken in all smart cars (bars: no fault of theirs, degraded in 2 periods)",
    ),
    "planning": (
        _planning,
        "CommonRoad tasks in closed loop beside FISS+ and the reactive planner (bars: success 70 %, collisions 3 %, p95 20 ms, "
        "60 % no dearer than stored; needs --data)",
    ),
    "own": (
        _own,
        "our own driver in ALKS and NCAP beside R157's competent driver (bars: passes all that it passes, 90 % of points; needs --data)",
    ),
    "closed": (
        _closed,
        "10,000 km of smart cars on district, Hamburg, Bologna (bars: no fault, no red light, comfort 98 %; nets need --data; hours)",
    ),
    "fusion": (
        _fusion,
        "what messages add to own sensors: recall of hidden road users, seconds by which they are known earlier",
    ),
    "prediction": (
        _prediction,
        "predicted motions of others: minADE, minFDE, misses, calibration (bar: no worse than constant velocity)",
    ),
    "compile": (_compile, "all kernels compiled cold, in seconds (bar: 60)"),
    "map": (_map, "OpenDRIVE loading and queries (bars: 0.3 s, 10 M and 2 M per second)"),
    "alks": (_alks, "all concrete ALKS cases judged with a compiled driver on 2 cores (bar: 180 s; needs --data)"),
    "ncap": (_ncap, "all concrete NCAP 2023 cases judged with a compiled driver on 2 cores (bar: 10 s; needs --data)"),
    "r157": (_r157, "verdicts of R157 reference drivers (bars: 500,000 and 100,000 per second)"),
    "track": (
        _track,
        "tracking of recorded detections and in clutter beside Stone Soup (bars: AB3DMOT's figures, 500 frames/s, 20x)",
    ),
    "track-loop": (
        _track_loop,
        "tracks of the smart cars in the loop beside the truth: errors when others turn, brake, change lane; continuity",
    ),
    "rss": (_rss, "safe distances beside ad-rss on 100,000 random states (bar: 1e-6 m)"),
    "control": (
        _control,
        "predictive control: solve time and tracking on foreign car models (bars: p95 1 ms, RMSE 0.15 m)",
    ),
    "lidar": (_lidar, "objects from real lidar scans: recall, errors, milliseconds per frame (needs --data)"),
    "scenario": (
        _scenario,
        "scenarios beside recorded runs: own end, 5 cm and 0.05 m/s, events within a step (bars: all ALKS and NCAP, 95 %; needs --data)",
    ),
    "engine": (
        _engine,
        "scenario engine, actor-steps per second and core with 3, 20, 50 actors (bars: 10 M, 5 M, 2 M)",
    ),
    "codec": (_codec, "V2X messages per second beside asn1c, asn1tools and pycrate (bars: 15x decode, 10x encode)"),
    "radio": (
        _radio,
        "packet-level LTE-V2X: 1,000 stations, delivery beside published curves (bars: real time, 0.03; needs --data)",
    ),
    "inspect": (
        _inspect,
        "how often link inspect names messages rightly without a hint, and how sure it is; needs --data",
    ),
    "link": (_link, "the link's cost per tick, verification beside OpenSSL, the radio against real time"),
    "cloud": (
        _cloud,
        "the platform's ingest: edge-verified frames, all verified, single messages (bars: p99 20 ms, 0.85, 50 ms)",
    ),
    "cloud-durable": (_cloud_durable, "records into a stream of three replicas (bar: 100,000 per second)"),
    "cloud-lake": (
        _cloud_lake,
        "the lake: rows written, four questions over 10 million rows (bars: 1 M rows/s a core, 1 s each)",
    ),
    "cloud-kills": (
        _cloud_kills,
        "50 kills of stream leaders, gateways, keepers and twin shards under load: sent, acked, stored, duplicates; 6 min",
    ),
    "cloud-scale": (_cloud_scale, "verifying every message on one core and on all of them, side by side"),
    "cloud-day": (
        _cloud_day,
        "24 simulated hours of 1,000 vehicles in fast time: memory and errors (bar: flat, none); 10 min",
    ),
    "console": (
        _console,
        "the console in headless Chromium with 10,000 objects (bars: 20 pictures/s, 2 MB/s, first view in 2 s)",
    ),
    "codec-fuzz": (_fuzz, "10 million damaged inputs for every decoder; hours"),
}
"""Name -> (measurement, what it measures)."""
CHOICES = {
    "traffic": ("nets", "steps"),
    "crowd": ("steps",),
    "fidelity": ("nets", "steps", "seeds"),
    "collisions": ("nets", "steps", "seeds"),
}
"""Rows of several runs -> the options that pick some of them; all other rows run as they are."""
NOT_IN_ALL = ("codec-fuzz", "cloud-kills", "cloud-day", "closed")


def _print(row: dict[str, Any]) -> None:
    """One row as `key value` pairs."""
    shown = (f"{k} {v:,.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
    typer.echo("   ".join(shown))


def _check_choices(given: dict[str, Any]) -> None:
    """Refuse nets that no row knows and steps that cannot be driven."""
    from cloverleaf.types.errors import StudyError, nearest

    known = import_module("cloverleaf.cli.bench_collisions").CASES if "nets" in given else {}
    for net in given.get("nets", ()):
        if net not in known:
            raise StudyError(f"no net '{net}'", element="--net", hint=nearest(net, known))
    for step in given.get("steps", ()):
        if not 0.0 < step <= 1.0:
            raise StudyError(f"{step:g} s is not above 0 and at most 1", element="--step", hint="0.1 or 1.0")


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="a row, 'all', or 'list'", metavar="NAME")] = "list",
    data: Annotated[
        Path | None, typer.Option(help="folder with reference nets, maps and recorded results, where a row needs them")
    ] = None,
    net: Annotated[
        list[str] | None, typer.Option(help="only this net; may be given again (traffic, fidelity, collisions)")
    ] = None,
    step: Annotated[
        list[float] | None, typer.Option(help="step, s; may be given again (traffic, crowd, fidelity, collisions)")
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="seed; may be given again (fidelity, collisions)")] = None,
) -> None:
    """Measure one row of the performance table on this machine."""
    from cloverleaf.types.errors import StudyError, nearest

    if name == "list":
        for row, (_, what) in ROWS.items():
            typer.echo(f"{row:<15}{what}")
        return
    if name != "all" and name not in ROWS:
        raise StudyError(f"no benchmark '{name}'", hint=nearest(name, ROWS))
    if data is not None and not data.is_dir():
        raise StudyError("no such folder", file=data, element="--data")
    given = {k: v for k, v in (("nets", net), ("steps", step), ("seeds", seed)) if v}
    for option in given:
        if option not in CHOICES.get(name, ()):
            rows = [row for row, options in CHOICES.items() if option in options]
            raise StudyError(
                f"row '{name}' has no choice of it", element=f"--{option[:-1]}", hint=f"for: {', '.join(rows)}"
            )
    _check_choices(given)
    for row in [r for r in ROWS if r not in NOT_IN_ALL] if name == "all" else [name]:
        typer.echo(f"[{row}] {ROWS[row][1]}")
        ROWS[row][0](data, **given)

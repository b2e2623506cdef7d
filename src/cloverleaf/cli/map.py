"""`cloverleaf map`: facts, checks, batch queries and conversion of a map (.xodr, .net.xml, builtin:district)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cloverleaf.map.graph import BaseMap

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Facts, checks, queries and conversion of a map.")
File = Annotated[str, typer.Argument(help=".xodr, .net.xml, .net.xml.gz or builtin:district", metavar="FILE")]


def is_opendrive(path: Path) -> bool:
    """True for OpenDRIVE files, by name or else by their first bytes."""
    if path.suffix.lower() in (".xodr", ".opendrive"):
        return True
    if path.name.endswith((".net.xml", ".gz")) or not path.is_file():
        return False
    return b"<OpenDRIVE" in path.open("rb").read(4096)


def resolve(file: str) -> Path:
    """The path of a map argument; built-in names become the files in the package."""
    from cloverleaf.map.district import DISTRICT_MAP
    from cloverleaf.types.errors import MapError

    if file.startswith("builtin:"):
        if file != "builtin:district":
            raise MapError(f"no built-in map '{file}'", hint="builtin:district")
        return DISTRICT_MAP
    path = Path(file)
    if not path.is_file():
        raise MapError("no such file", file=file, hint="check the path")
    return path


def load(path: Path) -> BaseMap:
    """A lane graph from either format."""
    from cloverleaf.map.io.opendrive import read_opendrive_map
    from cloverleaf.map.io.sumo_net import read_sumo_net

    return read_opendrive_map(path) if is_opendrive(path) else read_sumo_net(path)


@app.command()
def info(file: File, as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> int:
    """Counts, lengths, extent and what of the file is supported."""
    import json

    from cloverleaf.map.summary import summarize

    base_map = load(resolve(file))
    facts = summarize(base_map)
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return 0
    for key, value in facts.items():
        typer.echo(f"{key:<18}{value}")
    for row in base_map.census:
        if row.status != "supported":
            typer.echo(f"{row.status:<18}{row.element} x{row.count}{': ' + row.note if row.note else ''}")
    return 0


@app.command()
def check(file: File, as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> int:
    """Gaps, broken links, wrong directions, overlapping lanes. Exit 0: no error, 1: errors found, 2: the file is broken."""
    import json

    from cloverleaf.map.opendrive.check import Finding, check_map
    from cloverleaf.map.opendrive.quality import quality_checker
    from cloverleaf.map.opendrive.read import read_opendrive
    from cloverleaf.map.query_check import check_graph

    path = resolve(file)
    findings: list[Finding] = []
    if is_opendrive(path):
        findings += check_map(read_opendrive(path))
        findings += quality_checker(path)
    findings += check_graph(load(path))
    if as_json:
        typer.echo(json.dumps([f._asdict() for f in findings], indent=1))
    else:
        for f in findings:
            typer.echo(
                f"{path}:{f.line}:{f.element}: {f.severity}: {f.message}"
                if f.line
                else f"{path}: {f.severity}: {f.message}"
            )
        errors = sum(f.severity == "error" for f in findings)
        typer.echo(f"{errors} errors, {len(findings) - errors} warnings", err=True)
    return 1 if any(f.severity == "error" for f in findings) else 0


@app.command()
def query(
    file: File,
    from_lane: Annotated[Path | None, typer.Option(help="CSV with road_id,lane_id,s,offset")] = None,
    from_xy: Annotated[Path | None, typer.Option(help="CSV with x,y and if known heading")] = None,
) -> int:
    """Lane positions to points (x,y,z,heading) or points to lane positions, one row per row, on standard output."""
    from cloverleaf.map.query import MapQuery
    from cloverleaf.map.query_graph import GraphQuery
    from cloverleaf.map.query_table import lanes_to_points, points_to_lanes
    from cloverleaf.types.errors import MapError

    if (from_lane is None) == (from_xy is None):
        raise MapError("one table is needed", hint="--from-lane F.csv or --from-xy F.csv")
    path = resolve(file)
    asked: MapQuery | GraphQuery = MapQuery.read(path) if is_opendrive(path) else GraphQuery(load(path))
    lines = lanes_to_points(asked, from_lane) if from_lane is not None else points_to_lanes(asked, from_xy or Path())
    typer.echo("\n".join(lines))
    return 0


@app.command()
def convert(file: File, out: Annotated[Path, typer.Option(help="a .geojson file")]) -> int:
    """Write the lanes as GeoJSON: longitude and latitude where the map is georeferenced, else its own metres."""
    from cloverleaf.map.query_geojson import lanes_geojson
    from cloverleaf.types.errors import MapError

    if out.suffix.lower() not in (".geojson", ".json"):
        raise MapError(f"cannot write '{out.suffix}' files", file=out, hint="--out lanes.geojson")
    text = lanes_geojson(load(resolve(file)))
    part = out.with_name(out.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise MapError("cannot write the file", file=out) from error
    typer.echo(f"written: {out}", err=True)
    return 0

"""`cloverleaf link report`: what a sender's and a receiver's capture say about the radio between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cloverleaf.cli.link.lines import examples
from cloverleaf.cli.link.security import pair
from cloverleaf.types.errors import InputError


def report(
    tx: Annotated[Path, typer.Argument(help="capture at the sender (pcap or pcapng)")],
    rx: Annotated[Path, typer.Argument(help="capture at the receiver")],
    receiver: Annotated[str, typer.Option(help="LATITUDE,LONGITUDE of a receiver that stands")] = "",
    track: Annotated[Path | None, typer.Option(help="CSV of a moving receiver: time, latitude, longitude")] = None,
    station: Annotated[
        str, typer.Option(help="id in the receiver's own messages, from which its places are taken")
    ] = "",
    radio: Annotated[str, typer.Option(help="radio model to fit: lte-v2x or nr-v2x")] = "lte-v2x",
    width: Annotated[float, typer.Option(min=1.0, help="m per distance bin")] = 25.0,
    out: Annotated[Path, typer.Option(help="folder for report.html and report.json")] = Path("link-report"),
) -> None:
    """Delivery against distance, gaps, age of information, latency, and the radio model that fits; a page with pictures and JSON."""
    from cloverleaf.cli.link.report_page import page
    from cloverleaf.link.field.logs import read_log
    from cloverleaf.link.field.summary import summarise

    if radio not in ("lte-v2x", "nr-v2x"):
        raise InputError(f"no radio model '{radio}' to fit", element="--radio", hint="lte-v2x or nr-v2x")
    (sent, cut_tx), (heard, cut_rx) = read_log(tx), read_log(rx)
    found = summarise(sent, heard, _receiver(receiver, track, station, sent, heard), radio=radio, width=width)
    broken = [
        f"{file.name} is broken: {problem}; what comes before counts"
        for file, problem in ((tx, cut_tx), (rx, cut_rx))
        if problem
    ]
    data: dict[str, Any] = {"tx": tx.name, "rx": rx.name, **found, "notes": broken + found["notes"]}
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        (out / "report.html").write_text(page(data), encoding="utf-8")
    except OSError as error:
        raise InputError(str(error.strerror or error), file=out) from None
    for line in _lines(data):
        typer.echo(line)
    typer.echo(f"{out / 'report.html'}  {out / 'report.json'}")


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command(
        epilog=examples("report tx.pcap rx.pcap --receiver 31.23,121.47", "report tx.pcap rx.pcap --track gnss.csv")
    )(report)


def _receiver(place: str, track: Path | None, station: str, tx: list[Any], rx: list[Any]) -> Any:
    """Where the receiver was, by whichever option says it; without one, its own messages if only one station can be the receiver."""
    from cloverleaf.link.field.logs import Track, track_of

    if sum(map(bool, (place, track, station))) > 1:
        raise InputError("one of --receiver, --track and --station is enough")
    if place:
        here = pair(place, "--receiver")
        assert here is not None
        return Track([0.0], [here])
    if track:
        return track_of(track)
    own = [e for e in (*rx, *tx) if e.place is not None and e.station and e.station == station]
    if station and not own:
        known = sorted({e.station for e in (*tx, *rx) if e.station and e.place is not None})
        raise InputError(
            f"no messages with a place from station '{station}'",
            element="--station",
            hint=f"stations in there: {', '.join(known[:8])}",
        )
    return Track([e.time for e in own], [e.place for e in own]) if own else None


def _lines(data: dict[str, Any]) -> list[str]:
    """The figures in a few lines."""
    lines = [f"sent {data['sent']}, received {data['received']}, PDR {data['pdr']:.3f}"]
    for key, name in (("gap_s", "gap between packets"), ("age_s", "age of information"), ("latency_s", "latency")):
        if data[key]:
            row = data[key]
            lines.append(
                f"{name}: mean {1e3 * row['mean']:.1f} ms, p95 {1e3 * row['p95']:.1f} ms, p99 {1e3 * row['p99']:.1f} ms"
            )
    if data["fit"]:
        fit = data["fit"]
        low, high = fit["power_dbm_95"]
        lines.append(
            f"{fit['radio']} fits with {fit['power_dbm']:g} dBm ({low:g}..{high:g}) at a channel busy "
            f"ratio of {fit['channel_busy']:g}, rmse {fit['rmse']:.3f}"
        )
    return lines + [f"note: {note}" for note in data["notes"]]

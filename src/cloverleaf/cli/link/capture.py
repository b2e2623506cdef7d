"""`cloverleaf link capture` and `replay`: messages into pcap files that Wireshark dissects, and out of them again."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cloverleaf.cli.link.lines import Source, bytes_of, examples, json_of, lines
from cloverleaf.cli.link.security import moment, pair
from cloverleaf.link.its_time import ITS_EPOCH
from cloverleaf.types.errors import DecodeError, InputError

Standard = Annotated[str, typer.Option(help="csae_day1, csae_day2, etsi or sae")]


def capture(
    out: Annotated[Path, typer.Argument(help="capture file to write (pcap)")],
    file: Source = "-",
    standard: Standard = "",
    name: Annotated[str, typer.Option("--type", help="message name; without it each message is recognised")] = "",
    source: Annotated[
        str, typer.Option("--from", help="udp://HOST:PORT or mqtt://HOST:PORT/TOPIC instead of lines")
    ] = "",
    duration: Annotated[float, typer.Option(help="s to listen with --from")] = 10.0,
    at: Annotated[str, typer.Option("--at", help="time of the first line, ISO 8601; now unless given")] = "",
    interval: Annotated[float, typer.Option(help="s between lines that give no time")] = 0.1,
    place: Annotated[str, typer.Option(help="LATITUDE,LONGITUDE of the sender, for lines that give none")] = "0,0",
    keys: Annotated[Path | None, typer.Option("--keys", help="sign with this folder of `link keys`")] = None,
) -> None:
    """Write messages to a capture: lines of hex or {"hex", "time", "place", "station"}, or what arrives at an address."""
    from cloverleaf.link.io.framing import framed, link_type_of
    from cloverleaf.link.io.geonetworking import Position
    from cloverleaf.link.io.pcap import Recorder

    here = pair(place) or (0.0, 0.0)
    arrivals = _listen(source, duration) if source else _rows(file, moment(at) + ITS_EPOCH, interval)
    recorder: Any = None
    written = skipped = 0
    try:
        for when, data, row in arrivals:
            kind = (standard, name) if name else _recognise(data, standard)
            if kind is None:
                skipped += 1
                sys.stderr.write(f"warning: message {written + skipped} is none that is known, left out\n")
                continue
            if recorder is None:
                recorder, link_type = Recorder(out, link_type_of(kind[0])), link_type_of(kind[0])
            if link_type_of(kind[0]) != link_type:
                skipped += 1
                sys.stderr.write(
                    f"warning: message {written + skipped} needs another link type than this capture, left out\n"
                )
                continue
            latitude, longitude = _place_of(row, here)
            vector = Position(
                int(row.get("station", 1)),
                round((when - ITS_EPOCH) * 1000),
                round(latitude * 1e7),
                round(longitude * 1e7),
            )
            recorder.add(when, framed(data, kind[0], kind[1], vector, _seal(keys, *kind, when) if keys else None))
            written += 1
    finally:
        if recorder is not None:
            recorder.__exit__()
    sys.stderr.write(f"{written} messages written to {out}\n" if written else "no messages, no capture\n")


def replay(
    file: Annotated[Path, typer.Argument(help="capture to send")],
    to: Annotated[str, typer.Option("--to", help="udp://HOST:PORT or mqtt://HOST:PORT/TOPIC")],
    speed: Annotated[float, typer.Option(min=0.0, help="times real time; 0 sends without waiting")] = 1.0,
) -> None:
    """Send the messages of a capture to an address, with the pauses that they had."""
    from cloverleaf.link.io.address import open_door
    from cloverleaf.link.io.pcap import messages

    door, sent, begin, first = open_door(to, listen=False), 0, time.monotonic(), None
    try:
        for message in messages(file):
            if isinstance(message, DecodeError):
                continue
            first = message.time if first is None else first
            if speed:
                wait = (message.time - first) / speed - (time.monotonic() - begin)
                time.sleep(max(wait, 0.0))
            door.send(message.payload)
            sent += 1
    except FileNotFoundError:
        raise InputError("no such file", file=file) from None
    finally:
        door.close()
    sys.stderr.write(f"{sent} messages sent to {to}\n")


def register(app: typer.Typer) -> None:
    """Add the sub-commands."""
    app.command(
        epilog=examples(
            "capture out.pcap messages.jsonl",
            "capture out.pcap --from udp://0.0.0.0:5000 --duration 60",
        )
    )(capture)
    app.command(epilog=examples("replay out.pcap --to udp://127.0.0.1:5000"))(replay)


def _rows(file: str, start: float, interval: float) -> Iterator[tuple[float, bytes, dict[str, Any]]]:
    """(s since 1970, bytes, row) of each line; a line that is no message ends the command."""
    for number, line in enumerate(lines(file)):
        if not line:
            continue
        try:
            row = json_of(line) if line[:1] == "{" else {"hex": line}
            data = bytes_of(line)
        except ValueError as error:
            raise InputError(str(error), file=file, line=number + 1) from None
        when = _number(row, "time", start + number * interval, ITS_EPOCH, 2.0**32 - 1.0, file, number)
        _number(row, "station", 1, 0.0, 2.0**32 - 1.0, file, number)
        yield when, data, row


def _number(row: dict[str, Any], key: str, usual: float, low: float, high: float, file: str, number: int) -> float:
    """A number of a row within its limits."""
    try:
        value = float(row.get(key, usual))
    except (ValueError, TypeError, OverflowError):
        value = math.nan
    if not low <= value <= high:
        raise InputError(f'"{key}" is no number from {low:.0f} to {high:.0f}', file=file, line=number + 1)
    return value


def _listen(address: str, duration: float) -> Iterator[tuple[float, bytes, dict[str, Any]]]:
    from cloverleaf.link.io.address import open_door

    door, end = open_door(address, listen=True), time.monotonic() + duration
    try:
        while time.monotonic() < end:
            for data in door.receive():
                yield time.time(), data, {}
            time.sleep(0.005)
    finally:
        door.close()


def _recognise(data: bytes, standard: str) -> tuple[str, str] | None:
    """(standard, name) of a bare message, the given standard preferred; None if it is none."""
    from cloverleaf.link.inspection.guess import guess

    for reading in guess(data):
        if reading.standard != "ieee1609dot2" and (not standard or reading.standard[:4] == standard[:4]):
            return standard or reading.standard, reading.name
    return None


def _place_of(row: dict[str, Any], here: tuple[float, float]) -> tuple[float, float]:
    value = row.get("place", here)
    try:
        latitude, longitude = float(value[0]), float(value[1])
        if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0):
            raise ValueError
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise InputError(f"{str(value)[:60]} is no [latitude, longitude] in degrees", element="place") from None
    return latitude, longitude


def _seal(folder: Path, standard: str, name: str, when: float) -> Any:
    """Signs with the ticket of a folder."""
    from cloverleaf.link.security.applications import application_of
    from cloverleaf.link.security.envelope import Header, seal, to_be_signed
    from cloverleaf.link.security.key_store import load_ticket

    algorithm, ticket = load_ticket(folder)
    psid = application_of(standard, name)

    def signed(data: bytes) -> bytes:
        body = to_be_signed(data, Header(psid, round((when - ITS_EPOCH) * 1e6)))
        return seal(body, ticket.certificate, algorithm.sign(ticket.key, body, ticket.certificate.coer), attach=True)

    return signed

"""`cloverleaf link`: messages between JSON lines and hex, and what unknown bytes are."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from cloverleaf.types.errors import DecodeError, EncodeError, InputError

app = typer.Typer(help="Encode, decode and inspect V2X messages.", no_args_is_help=True, add_completion=False)

Standard = Annotated[str, typer.Option(help="csae_day1, csae_day2, etsi, ieee1609dot2 or sae")]
Name = Annotated[str, typer.Option("--type", help="message name, e.g. bsm, cam, signed")]
Source = Annotated[str, typer.Argument(help="file of lines, or - for standard input")]


@app.command()
def encode(standard: Standard, name: Name, file: Source = "-") -> None:
    """One JSON value a line (or {"value": ...}) to {"hex": ...} or {"error": ...}."""
    from cloverleaf.link.codec.single import codec

    made = codec(standard, name)

    def convert(line: str) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError as error:
            return {"error": f"not JSON: {error}"}
        value = row["value"] if isinstance(row, dict) and "value" in row else row
        try:
            return {"hex": made.encode(value).hex()}
        except EncodeError as error:
            return {"error": str(error)}

    _convert(file, convert)


@app.command()
def decode(standard: Standard, name: Name, file: Source = "-") -> None:
    """One message a line, as hex or {"hex": ...}, to {"value": ...} or {"error": ...}."""
    from cloverleaf.link.codec.single import codec

    made = codec(standard, name)

    def convert(line: str) -> dict[str, Any]:
        try:
            text = line if line[:1] not in '{["' else json.loads(line)
            text = text["hex"] if isinstance(text, dict) else text
            data = bytes.fromhex(text)
        except (ValueError, KeyError, TypeError):
            return {"error": 'not hex, nor JSON with "hex"'}
        try:
            return {"value": made.decode(data)}
        except DecodeError as error:
            return {"error": str(error)}

    _convert(file, convert)


def _convert(file: str, convert: Any) -> None:
    """Apply `convert` to every line that is not blank."""
    for line in _lines(file):
        if line.strip():
            sys.stdout.write(json.dumps(convert(line.strip()), separators=(",", ":"), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _lines(file: str) -> Iterator[str]:
    if file == "-":
        yield from sys.stdin
        return
    try:
        with open(file, encoding="utf-8") as source:
            yield from source
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(getattr(error, "strerror", None) or error), file=file) from None


@app.command()
def inspect(
    what: Annotated[str, typer.Argument(help="hex digits, or a file: .pcap, lines of hex, or raw bytes")],
    full: Annotated[bool, typer.Option("--values", help="print the decoded values too")] = False,
) -> None:
    """Find out what messages these are: standard, edition, type, signature, and how sure that is."""
    for number, data in enumerate(_messages(what)):
        _describe(number, data, full)


def _messages(what: str) -> list[bytes]:
    """The messages of a hex string or file."""
    try:
        raw = Path(what).read_bytes()
    except OSError:
        try:
            return [bytes.fromhex("".join(what.split()))]
        except ValueError:
            raise InputError(
                f"'{what[:40]}' is neither a file nor hex",
                hint="give hex digits, or a file: .pcap, lines of hex, or raw bytes",
            ) from None
    from cloverleaf.link.codec.packets import packets

    found = packets(raw)
    if found is not None:
        return found
    try:
        return [bytes.fromhex(line) for line in raw.decode("ascii").split("\n") if line.strip()]
    except ValueError:
        return [raw]


def _describe(number: int, data: bytes, full: bool) -> None:
    from cloverleaf.link.codec.guess import search, signature

    found = search(data)
    if not found:
        typer.echo(f"{number}: {len(data)} bytes, no message of any known standard")
        return
    for rank, reading in enumerate(found[:3]):
        if rank and reading.sure < 0.05:
            break
        words = [f"{reading.standard} {reading.name}", f"{reading.sure:.0%} sure"]
        if reading.offset:
            words.append(f"behind {reading.offset} bytes of headers")
        if signed := signature(reading.value):
            words.append(signed)
        lead = f"{number}: " if not rank else " " * len(f"{number}: ") + "or "
        typer.echo(lead + ", ".join(words))
        for inner in reading.inside[:1]:
            typer.echo(f"   payload: {inner.standard} {inner.name}, {inner.sure:.0%} sure")
        if full:
            typer.echo("   " + json.dumps(reading.value, ensure_ascii=False))


def _extend() -> None:
    """Further sub-commands live in files of their own, each with a `register(app)`."""
    for name in ("link_security", "link_capture", "link_report"):
        module = f"cloverleaf.cli.{name}"
        if find_spec(module) is not None:
            import_module(module).register(app)


_extend()

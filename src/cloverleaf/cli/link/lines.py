"""JSON lines and hex between the commands: read line by line, one JSON object out for every line in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from cloverleaf.types.errors import InputError

Standard = Annotated[str, typer.Option(help="csae_day1, csae_day2, etsi, ieee1609dot2 or sae")]
Name = Annotated[str, typer.Option("--type", help="message name, e.g. bsm, cam, signed")]
Source = Annotated[str, typer.Argument(help="file of lines, or - for standard input")]
Row = dict[str, Any]
LONGEST = 400
"""Characters of an error: some repeat what they complain about, and that may be megabytes."""


def lines(file: str) -> Iterator[str]:
    """Lines of a file or of standard input ("-"), blank ones included; bytes that are no text become replacement characters."""
    try:
        source = sys.stdin.buffer if file == "-" else open(file, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputError(str(error.strerror or error), file=file) from None
    try:
        for raw in source:
            yield raw.decode("utf-8", "replace").strip()
    except OSError as error:
        raise InputError(str(error.strerror or error), file=file) from None
    finally:
        if file != "-":
            source.close()


def convert(file: str, one: Callable[[str], Row]) -> None:
    """Write `one(line)` as a JSON line for every line, so that line N of the output belongs to line N of the input."""
    for line in lines(file):
        row = one(line)
        if len(row.get("error", "")) > LONGEST:
            row["error"] = row["error"][:LONGEST] + " ..."
        put(row)
    sys.stdout.flush()


def examples(*commands: str) -> str:
    """The last lines of a command's help."""
    return "\n\n".join(["Examples:", *(f"cloverleaf link {c}" for c in commands)])


def put(row: Row) -> None:
    """Write one JSON line to standard output."""
    sys.stdout.write(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")


def json_of(line: str) -> Any:
    """The JSON value of a line; ValueError with a short reason for anything else, too deep nesting included."""
    if not line:
        raise ValueError("blank line")
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("not JSON: nested too deep") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def bytes_of(line: str) -> bytes:
    """The bytes of a line: hex digits, or JSON with "hex"; ValueError with a short reason for anything else."""
    text: Any = line
    if not line:
        raise ValueError("blank line")
    if line[:1] in '{["':
        row = json_of(line)
        text = row.get("hex", row.get("coer")) if isinstance(row, dict) else row
    if not isinstance(text, str):
        raise ValueError('not hex, nor JSON with "hex"')
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise ValueError('not hex, nor JSON with "hex"') from None

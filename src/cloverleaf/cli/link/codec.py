"""`cloverleaf link encode`, `decode` and `types`: values to bytes and back, line by line."""

from __future__ import annotations

import sys

import typer

from cloverleaf.cli.link.lines import Name, Row, Source, Standard, bytes_of, convert, json_of
from cloverleaf.types.errors import DecodeError, EncodeError


def encode(standard: Standard, name: Name, file: Source = "-") -> None:
    """One JSON value a line (or {"value": ...}) to {"hex": ...} or {"error": ...}."""
    from cloverleaf.link.codec.single import codec

    made = codec(standard, name)

    def one(line: str) -> Row:
        try:
            row = json_of(line)
        except ValueError as error:
            return {"error": f"not JSON: {error}"}
        value = row["value"] if isinstance(row, dict) and "value" in row else row
        try:
            return {"hex": made.encode(value).hex()}
        except EncodeError as error:
            return {"error": str(error)}

    convert(file, one)


def decode(standard: Standard, name: Name, file: Source = "-") -> None:
    """One message a line, as hex or {"hex": ...}, to {"value": ...} or {"error": ...}."""
    from cloverleaf.link.codec.single import codec

    made = codec(standard, name)

    def one(line: str) -> Row:
        try:
            return {"value": made.decode(bytes_of(line))}
        except (ValueError, DecodeError) as error:
            return {"error": str(error)}

    convert(file, one)


def types() -> None:
    """List the standards and message names that encode and decode take."""
    from cloverleaf.link.schemas.catalog import MESSAGES

    for standard, messages in MESSAGES.items():
        sys.stdout.write(f"{standard}: {' '.join(messages)}\n")


def register(app: typer.Typer) -> None:
    """Add the sub-commands."""
    for command in (encode, decode, types):
        app.command()(command)

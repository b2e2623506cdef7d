"""`cloverleaf link encode`, `decode` and `types`: values to bytes and back, line by line."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cloverleaf.cli.link.lines import Name, Row, Source, Standard, bytes_of, convert, examples, json_of
from cloverleaf.types.errors import DecodeError, EncodeError, InputError

_ROW = {"value", "hex", "case", "checked", "note"}
"""Keys of a row that holds a value; a message value of its own may have a field of that name, beside others."""
Asn1 = Annotated[
    str,
    typer.Option(
        "--asn1", help="folder of your own ASN.1 modules (UPER), instead of --standard; --type is a type's name"
    ),
]


def encode(name: Name, standard: Standard = "", file: Source = "-", asn1: Asn1 = "") -> None:
    """One JSON value a line (or {"value": ...}) to {"hex": ...} or {"error": ...}."""
    made = _codec(standard, name, asn1)

    def one(line: str) -> Row:
        try:
            row = json_of(line)
        except ValueError as error:
            return {"error": str(error)}
        wrapped = isinstance(row, dict) and "value" in row and set(row) <= _ROW
        value = row["value"] if wrapped else row
        try:
            return {"hex": made.encode(value).hex()}
        except EncodeError as error:
            return {"error": str(error)}

    convert(file, one)


def decode(name: Name, standard: Standard = "", file: Source = "-", asn1: Asn1 = "") -> None:
    """One message a line, as hex or {"hex": ...}, to {"value": ...} or {"error": ...}."""
    made = _codec(standard, name, asn1)

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
    app.command(
        epilog=examples(
            "encode --standard csae_day2 --type bsm values.jsonl > messages.jsonl",
            "decode --standard csae_day2 --type bsm m.hex | cloverleaf link encode --standard csae_day2 --type bsm",
        )
    )(encode)
    app.command(
        epilog=examples(
            "decode --standard etsi --type cam messages.hex",
            "decode --asn1 my_modules --type BasicSafetyMessage messages.hex",
        )
    )(decode)
    app.command()(types)


def _codec(standard: str, name: str, asn1: str) -> Any:
    """The codec that the options name."""
    if bool(standard) == bool(asn1):
        raise InputError(
            "one of --standard and --asn1 is needed", hint="csae_day1, csae_day2, etsi, ieee1609dot2 or sae"
        )
    if asn1:
        from cloverleaf.link.schemas.asn1_modules import codec_of_modules

        return codec_of_modules(asn1, name)
    from cloverleaf.link.codec.single import codec

    return codec(standard, name)

"""`cloverleaf link`: messages between JSON lines and hex, what unknown bytes are, signatures, captures, translation."""

from __future__ import annotations

import typer

from cloverleaf.cli.link import capture, codec, inspect, report, security, translate

app = typer.Typer(
    help="Encode, decode, inspect, sign, verify and capture V2X messages.", no_args_is_help=True, add_completion=False
)
for module in (codec, inspect, security, capture, report, translate):
    module.register(app)

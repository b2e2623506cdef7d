"""`cloverleaf link translate`: messages of one standard as those of another, and the table of what is lost."""

from __future__ import annotations

from typing import Annotated

import typer

from cloverleaf.cli.link.lines import Row, Source, bytes_of, convert, examples
from cloverleaf.types.errors import DecodeError, EncodeError, InputError, nearest


def translate(
    file: Source = "-",
    source: Annotated[
        str, typer.Option("--from", help="standard of the messages: csae_day1, csae_day2, etsi, sae")
    ] = "",
    name: Annotated[str, typer.Option("--type", help="message name, e.g. bsm, cam, spat, denm")] = "",
    target: Annotated[str, typer.Option("--to", help="standard to translate to")] = "",
    at: Annotated[
        str,
        typer.Option("--at", help="about when the messages were sent (ISO 8601), for short clocks; now unless given"),
    ] = "",
    phase_offset: Annotated[int, typer.Option(help="added to phase numbers (signal groups)")] = 0,
    table: Annotated[
        bool, typer.Option("--table", help="print what the translation loses, instead of translating")
    ] = False,
) -> None:
    """One message a line to {"messages": [{"type", "hex"}], "unread": [...], "lost": [...]} or {"error": ...}."""
    from cloverleaf.link.messages.convert import READABLE

    if table:
        _table(source, target)
        return
    for option, value in (("--from", source), ("--to", target)):
        if value not in READABLE:
            raise InputError(f"no standard '{value}'", element=option, hint=nearest(value, READABLE))
    if name.removesuffix("_d2") not in READABLE[source]:
        raise InputError(f"no translation of {source} '{name}'", element="--type", hint=nearest(name, READABLE[source]))
    from cloverleaf.cli.link.security import moment
    from cloverleaf.link.its_time import ITS_EPOCH
    from cloverleaf.link.life.map_parts import Assembly
    from cloverleaf.link.translate.translate import translate as one_message

    now, assembly = moment(at) + ITS_EPOCH, Assembly()

    def one(line: str) -> Row:
        try:
            found = one_message(
                source, name, bytes_of(line), target, now=now, phase_offset=phase_offset, assembly=assembly
            )
        except (DecodeError, EncodeError) as error:
            return {"error": str(error)} | ({"hint": error.hint} if error.hint else {})
        except (ValueError, OverflowError) as error:
            return {"error": str(error)}
        made = [{"type": kind, "hex": data.hex()} for kind, data in found.messages]
        return {"messages": made, "unread": found.unread, "lost": found.lost}

    convert(file, one)


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command(
        epilog=examples(
            "translate messages.hex --from csae_day2 --type bsm --to etsi",
            "translate --table --from csae_day2 --to etsi",
        )
    )(translate)


def _table(source: str, target: str) -> None:
    """The rows of one pair of families, or of all of them."""
    from cloverleaf.link.translate.capability import CAPABILITY, FAMILIES, lost

    chosen = [s.partition("_")[0] for s in (source, target)]
    for option, family in zip(("--from", "--to"), chosen):
        if family and family not in FAMILIES:
            raise InputError(f"no standard '{family}'", element=option, hint=nearest(family, FAMILIES))
    if all(chosen):
        rows = [(f"{r.record}.{r.field}", r.effect, r.note) for r in lost(*chosen)]
        head = ("field", f"{chosen[0]} to {chosen[1]}", "note")
    else:
        rows = [(f"{c.record}.{c.field}", " ".join(_step(getattr(c, f)) for f in FAMILIES), c.note) for c in CAPABILITY]
        head = ("field", f"{FAMILIES[0]:>9} {FAMILIES[1]:>9} {FAMILIES[2]:>9}", "note")
    widths = [max(len(r[k]) for r in [head, *rows]) for k in range(2)]
    for row in [head, *rows]:
        typer.echo(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip())


def _step(value: float | None) -> str:
    return f"{'-' if value is None else 'exact' if value == 0 else 'classes' if value == float('inf') else f'{value:.3g}':>9}"

"""`cloverleaf link inspect`: what unknown bytes are, without any flags."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cloverleaf.cli.link.lines import bytes_of, examples, put
from cloverleaf.types.errors import InputError


def inspect(
    what: Annotated[
        str, typer.Argument(help="hex digits, or a file: pcap, pcapng, lines of hex, raw bytes; - reads standard input")
    ],
    values: Annotated[bool, typer.Option("--values", help="print the decoded values too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per message")] = False,
) -> None:
    """Find out what messages these are: standard, edition, type, signature, and how sure that is."""
    from cloverleaf.link.inspection.packets import Inspector

    inspector, number = Inspector(), 0
    show = _json if as_json else _text
    for link_type, data, time, missing in _packets(what):
        number += 1
        found = inspector.bare(data) if link_type is None else inspector.frame(link_type, data, missing)
        for finding in found:
            show(number, time, finding, values)
    if not number:
        sys.stderr.write("no messages in there\n")


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command(epilog=examples("inspect drive.pcap", "inspect 0202412e5734fd...", "inspect --json - < messages.hex"))(
        inspect
    )


def _packets(what: str):  # type: ignore[no-untyped-def]
    """(link type or None, bytes, time or None, bytes missing) of everything in an argument."""
    from cloverleaf.link.io.captures import read_capture

    raw = _read(what)
    if isinstance(raw, bytes):
        capture = read_capture(raw)
        if capture is not None:
            for packet in capture.packets:
                yield packet.link_type, packet.data, packet.time, max(packet.length - len(packet.data), 0)
            if capture.problem:
                raise InputError(
                    capture.problem,
                    file="standard input" if what == "-" else what,
                    hint=f"the {capture.form} file is broken; what comes before that is shown",
                )
            return
        raw = _split(raw)
    for data in raw:
        yield None, data, None, 0


def _read(what: str) -> bytes | list[bytes]:
    """The content of a file or of standard input, or the bytes of a hex string."""
    if what == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(what).read_bytes()
    except (OSError, ValueError):
        try:
            return [bytes.fromhex("".join(what.split()).removeprefix("0x"))]
        except ValueError:
            raise InputError(
                f"'{what[:40]}' is neither a file nor hex",
                hint="give hex digits, or a file: pcap, pcapng, lines of hex, or raw bytes",
            ) from None


def _split(raw: bytes) -> list[bytes]:
    """Messages of a file that is no capture: lines of hex or JSON, records behind 16-bit lengths, or one message."""
    rows = _text_lines(raw)
    if rows is not None:
        return rows
    records, at = [], 0
    while at + 2 <= len(raw):
        size = int.from_bytes(raw[at : at + 2], "little")
        records.append(raw[at + 2 : at + 2 + size])
        at += 2 + size
    if at == len(raw) and len(records) > 1 and all(records):
        return records
    return [raw] if raw else []


def _text_lines(raw: bytes) -> list[bytes] | None:
    """Messages of lines of hex or JSON; a line that is neither is named and left out. None where no line is either."""
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None
    found, other = [], []
    for number, line in enumerate(map(str.strip, lines), 1):
        try:
            if line:
                found.append(bytes_of(line if line[:1] in '{["' else "".join(line.split())))
        except ValueError as error:
            other.append(f"warning: line {number}: {error}\n")
    if found:
        sys.stderr.writelines(other)
    return found if found or not other else None


def _text(number: int, time: float | None, finding: Any, values: bool) -> None:
    """One line per message, another for a second type worth naming."""
    import json

    lead = f"{number}: "
    where = f"in {' > '.join(finding.layers)}" if finding.layers else ""
    if not finding.readings:
        words = [f"{finding.size} bytes", finding.problem, finding.security.words(), where]
        typer.echo(lead + ", ".join(w for w in words if w))
        return
    for rank, kind in enumerate(finding.kinds()[:3]):
        if rank and kind.sure < 0.05:
            break
        best = kind.readings[0]
        words = [f"{_family(best.standard)} {best.name} ({_editions(kind)})", f"{kind.sure:.0%} sure"]
        words += ["cut short"] if best.cut else []
        words += ["body not openly specified"] if best.opaque else []
        if not rank:
            words += [finding.security.words(), where, finding.problem if not best.cut else ""]
        typer.echo((lead if not rank else " " * (len(lead) - 3) + "or ") + ", ".join(w for w in words if w))
        if values:
            typer.echo("   " + json.dumps(best.value, ensure_ascii=False))


def _json(number: int, time: float | None, finding: Any, values: bool) -> None:
    """One JSON object per message."""
    row: dict[str, Any] = {"packet": number}
    if time is not None:
        row["time"] = datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat()
    row["layers"] = list(finding.layers)
    row["bytes"] = finding.size
    kinds = [_kind(kind, values) for kind in finding.kinds()[:3]]
    row |= kinds[0] if kinds else {"standard": None, "edition": None, "type": None, "sure": 0.0}
    s = finding.security
    row["security"] = {"form": s.form, "signed": s.form == "signed"}
    if s.form == "signed":
        row["security"] |= {
            "signer": s.signer, "algorithm": s.algorithm, "psid": s.psid, "signer_id": s.signer_id, "signature": s.verdict,
        }  # fmt: skip
    if finding.problem:
        row["problem"] = finding.problem
    if len(kinds) > 1:
        row["or"] = kinds[1:]
    put(row)


def _kind(kind: Any, values: bool) -> dict[str, Any]:
    best = kind.readings[0]
    row: dict[str, Any] = {
        "standard": best.standard, "edition": _editions(kind), "type": best.name, "sure": round(kind.sure, 4),
    }  # fmt: skip
    if best.cut:
        row["cut"] = True
    if best.opaque:
        row["opaque"] = True
    return row | ({"value": best.value} if values else {})


def _editions(kind: Any) -> str:
    """Editions that fit: those that read the same as the best, and others nearly as likely."""
    close = [g for g in kind.readings if g.sure > 0.1 * kind.readings[0].sure]
    return " or ".join(" and ".join(g.editions) for g in close)


def _family(standard: str) -> str:
    return standard.partition("_")[0]

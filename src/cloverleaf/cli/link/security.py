"""`cloverleaf link keys`, `sign` and `verify`: IEEE 1609.2 envelopes around messages, line by line."""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cloverleaf.cli.link.lines import Row, Source, bytes_of, convert, examples
from cloverleaf.link.its_time import ITS_EPOCH
from cloverleaf.types.errors import DecodeError, InputError, SecurityError, nearest

Psids = Annotated[str, typer.Option("--psid", help="application identifiers (PSID, ITS-AID, AID), comma-separated")]
Kind = Annotated[str, typer.Option("--type", help="message name; gives the application identifier of --standard")]
Standard = Annotated[str, typer.Option(help="csae_day1, csae_day2, etsi or sae")]
Envelope = Annotated[str, typer.Option(help="ieee1609dot2, or chinese: YD/T 3957, always with SM2")]
ENVELOPES = ("ieee1609dot2", "chinese")


GREATEST_PSID = 0x1020_407F
"""The largest identifier of four octets (IEEE 1609.12)."""


def keys(
    folder: Annotated[Path, typer.Argument(help="folder to write to")],
    psid: Psids = "",
    standard: Standard = "etsi",
    kind: Kind = "",
    algorithm: Annotated[str, typer.Option(help="p256 or sm2")] = "p256",
    envelope: Envelope = "ieee1609dot2",
    start: Annotated[str, typer.Option(help="first moment of validity, ISO 8601; now unless given")] = "",
    hours: Annotated[int, typer.Option(min=1, max=65535, help="hours of validity")] = 168,
    region: Annotated[
        str, typer.Option(help="LATITUDE,LONGITUDE,RADIUS_M in which the ticket holds; everywhere unless given")
    ] = "",
) -> None:
    """Make a PKI for tests: root, authority, and a ticket that may sign the given messages."""
    from cloverleaf.link.security.certificate import Circle
    from cloverleaf.link.security.key_store import create_keys

    permissions = {p: b"" for p in _psids(psid, standard, kind)}
    if not permissions:
        raise InputError(
            "the ticket needs permissions", element="--psid", hint="e.g. --standard etsi --type cam, or --psid 36,37"
        )
    regions: tuple[Circle, ...] = ()
    if region:
        latitude, longitude, radius = _numbers(region, 3, "--region")
        regions = (Circle(*_on_globe(latitude, longitude, "--region"), _within(radius, 0.0, 65535.0, "--region")),)
    first = int(_within(moment(start), 0.0, 2.0**32 - 1.0, "--start", "s since 2004-01-01"))
    if _is_chinese(envelope):
        from cloverleaf.link.security import chinese_keys

        circle = (regions[0].latitude, regions[0].longitude, regions[0].radius) if regions else None
        digest = chinese_keys.create_keys(folder, tuple(sorted(permissions)), first, hours, circle).hashed_id
    else:
        digest = create_keys(folder, algorithm, permissions, first, hours, regions).certificate.hashed_id
    typer.echo(f"{folder}: root, authority and ticket {digest.hex()} for {sorted(permissions)}")


def sign(
    file: Source = "-",
    psid: Psids = "",
    standard: Standard = "etsi",
    kind: Kind = "",
    key_folder: Annotated[Path | None, typer.Option("--keys", help="folder made by `cloverleaf link keys`")] = None,
    at: Annotated[str, typer.Option("--at", help="generation time, ISO 8601; now unless given")] = "",
    digest: Annotated[bool, typer.Option("--digest", help="name the certificate by digest in every message")] = False,
    envelope: Envelope = "ieee1609dot2",
) -> None:
    """One message a line, as hex or {"hex": ...}, to the signed {"hex": ...} or {"error": ...}."""
    from cloverleaf.link.security.envelope import Header, seal, to_be_signed
    from cloverleaf.link.security.key_store import load_ticket

    if key_folder is None:
        raise InputError("keys are needed", element="--keys", hint="make some: cloverleaf link keys DIR --type cam")
    numbers = _psids(psid, standard, kind)
    if len(numbers) != 1:
        raise InputError(
            "one application identifier is needed",
            element="--psid",
            hint="e.g. --standard etsi --type cam, or --psid 36",
        )
    now = _within(moment(at), 0.0, 2.0**43, "--at", "s since 2004-01-01")
    if _is_chinese(envelope):
        from cloverleaf.link.security import chinese, chinese_keys

        certificate, key = chinese_keys.load_ticket(key_folder)

        def sealed(line: str) -> Row:
            try:
                payload = bytes_of(line)
            except ValueError as error:
                return {"error": str(error)}
            return {"hex": chinese.seal(payload, numbers[0], certificate, key, now, attach=not digest).hex()}

        convert(file, sealed)
        return
    chosen, ticket = load_ticket(key_folder)

    def one(line: str) -> Row:
        try:
            signed = to_be_signed(bytes_of(line), Header(numbers[0], round(now * 1e6)))
        except ValueError as error:
            return {"error": str(error)}
        signature = chosen.sign(ticket.key, signed, ticket.certificate.coer)
        return {"hex": seal(signed, ticket.certificate, signature, attach=not digest).hex()}

    convert(file, one)


def verify(
    file: Source = "-",
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", help="certificates: folder of `link keys`, COER, hex or JSON; repeatable"),
    ] = None,
    psid: Psids = "",
    standard: Standard = "etsi",
    kind: Kind = "",
    at: Annotated[
        str, typer.Option("--at", help="ISO 8601 time of judgement; else each message's own time")
    ] = "message",
    place: Annotated[
        str, typer.Option(help="LATITUDE,LONGITUDE where the certificate must hold; not checked unless given")
    ] = "",
    revoked: Annotated[Path | None, typer.Option("--revoked", help="file with HashedId8 in hex, one a line")] = None,
    signature_only: Annotated[bool, typer.Option("--signature-only", help="judge the signature alone")] = False,
    envelope: Envelope = "ieee1609dot2",
) -> None:
    """One signed message a line to {"value": {"payload": ..., ...}}, or {"error": ..., "reason": ...}; counts on standard error."""
    from cloverleaf.link.security.judge import Judge

    numbers, now, where = tuple(_psids(psid, standard, kind)), None if at == "message" else moment(at), pair(place)
    if _is_chinese(envelope):
        if signature_only or not trust:
            raise InputError("Chinese messages are judged whole, by what --trust names", element="--envelope")
        check = _chinese_check(trust, numbers, now, where, _revoked(revoked))
    else:
        judge = Judge(
            _certificates(trust, signature_only), psids=numbers, now=now, place=where, revoked=_revoked(revoked),
            signature_only=signature_only,
        )  # fmt: skip

        def check(data: bytes) -> Row:
            return _accepted(judge.check(data))

    counts: Counter[str] = Counter()

    def one(line: str) -> Row:
        try:
            row = check(bytes_of(line))
        except (ValueError, DecodeError) as error:
            row = {"error": str(error), "reason": "malformed"}
        except SecurityError as error:
            row = {"error": error.message, "reason": error.reason}
        counts[row.get("reason", "accepted")] += 1
        return row

    convert(file, one)
    sys.stderr.write(" ".join(f"{name}={n}" for name, n in sorted(counts.items())) + "\n")


def register(app: typer.Typer) -> None:
    """Add the sub-commands."""
    app.command(epilog=examples("keys pki --standard etsi --type cam", "keys pki --psid 111,112 --algorithm sm2"))(keys)
    app.command(epilog=examples("sign messages.hex --keys pki --standard etsi --type cam > signed.jsonl"))(sign)
    app.command(
        epilog=examples(
            "verify signed.jsonl --trust pki --standard etsi --type cam",
            "verify signed.jsonl --trust pki --revoked crl.txt --psid 36",
            "verify signed.jsonl --trust pki --envelope chinese --psid 111",
        )
    )(verify)


def _accepted(envelope: Any) -> Row:
    header = envelope.header
    value: Row = {"payload": {"hex": envelope.payload.hex()}, "psid": header.psid}
    if header.generated:
        value["generated"] = _iso(header.generated * 1e-6)
    if header.expires:
        value["expires"] = _iso(header.expires * 1e-6)
    if header.latitude is not None:
        value["place"] = [header.latitude * 1e-7, header.longitude * 1e-7]
    value |= {"signer": envelope.signer.hex(), "algorithm": envelope.algorithm}
    value["signer_form"] = "certificate" if envelope.certificate is not None else "digest"
    return {"value": value}


def _is_chinese(envelope: str) -> bool:
    from cloverleaf.link.security.algorithms import algorithm

    if envelope not in ENVELOPES:
        raise InputError(f"'{envelope}' is not known", element="--envelope", hint=nearest(envelope, ENVELOPES))
    if envelope == "chinese":
        algorithm("sm2")  # says what is missing
    return envelope == "chinese"


def _chinese_check(
    trust: list[Path], aids: tuple[int, ...], at: float | None, place: tuple[float, float] | None, revoked: set[bytes]
) -> Callable[[bytes], Row]:
    """How Chinese messages are judged; arguments as for `Judge`."""
    from cloverleaf.link.security.chinese import open_secured
    from cloverleaf.link.security.chinese_keys import verifier_of

    verifier = verifier_of(trust)
    verifier.revoked |= revoked

    def check(data: bytes) -> Row:
        told = open_secured(data)
        now = at if at is not None else told.generated
        if now is None:
            raise SecurityError("the message does not say when it was made", reason="malformed")
        verifier.check(data, aids or (told.aid,), now, place)
        value: Row = {"payload": {"hex": told.payload.hex()}, "psid": told.aid}
        if told.generated is not None:
            value["generated"] = _iso(told.generated)
        if told.expires is not None:
            value["expires"] = _iso(told.expires)
        form = "digest" if told.signer[0] == "certificateDigest" else "certificate"
        return {"value": value | {"algorithm": "sm2", "signer_form": form}}

    return check


def _iso(its: float) -> str:
    return datetime.datetime.fromtimestamp(its + ITS_EPOCH, datetime.UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> float:
    """s since 2004-01-01 TAI of an ISO 8601 time, UTC unless it says otherwise; now for an empty string."""
    if not text:
        return datetime.datetime.now(datetime.UTC).timestamp() - ITS_EPOCH
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"'{text}' is no ISO 8601 time", hint="e.g. 2026-01-01T12:00:00Z") from None
    return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp() - ITS_EPOCH


def _psids(text: str, standard: str, kind: str) -> list[int]:
    """Application identifiers of the options."""
    out = []
    for part in filter(None, text.split(",")):
        try:
            number = int(part, 0)
        except ValueError:
            raise InputError(f"'{part}' is no number", element="--psid") from None
        if not 0 <= number <= GREATEST_PSID:
            raise InputError(f"{part} is no application identifier", element="--psid", hint=f"0 to {GREATEST_PSID}")
        out.append(number)
    if kind:
        from cloverleaf.link.security.applications import application_of

        out.append(application_of(standard, kind))
    return out


def _numbers(text: str, count: int, option: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise InputError(f"'{text}' is not {count} numbers", element=option, hint="comma-separated, degrees and metres")
    return values


def pair(text: str, option: str = "--place") -> tuple[float, float] | None:
    if not text:
        return None
    latitude, longitude = _numbers(text, 2, option)
    return _on_globe(latitude, longitude, option)


def _on_globe(latitude: float, longitude: float, option: str) -> tuple[float, float]:
    return _within(latitude, -90.0, 90.0, option, "degrees"), _within(longitude, -180.0, 180.0, option, "degrees")


def _within(value: float, low: float, high: float, option: str, unit: str = "m") -> float:
    """A number within its limits; NaN is in none."""
    if not low <= value <= high:
        raise InputError(f"{value:.9g} is not within {low:.0f} to {high:.0f} {unit}", element=option)
    return value


def _certificates(trust: list[Path] | None, signature_only: bool) -> list[Any]:
    from cloverleaf.link.security.key_store import read_certificates

    if not trust and not signature_only:
        raise InputError(
            "trusted certificates are needed",
            element="--trust",
            hint="name a root's file, or the folder of `link keys`",
        )
    return [c for path in trust or [] for c in read_certificates(path)]


def _revoked(file: Path | None) -> set[bytes]:
    if file is None:
        return set()
    try:
        return {bytes.fromhex(line.strip())[-8:] for line in file.read_text().splitlines() if line.strip()}
    except (OSError, ValueError) as error:
        raise InputError(f"no list of HashedId8: {error}", file=file) from None

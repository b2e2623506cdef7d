"""A folder with a small PKI for tests: root, authority and tickets as COER files, their private keys as hex beside them.

| file | content |
|---|---|
| `root.coer`, `authority.coer`, `ticket.coer` | certificates (IEEE 1609.2, explicit) |
| `root.key`, `authority.key`, `ticket.key` | private keys, 64 hex digits; whoever reads them can sign |
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cloverleaf.link.security.algorithms import Algorithm, algorithm
from cloverleaf.link.security.certificate import Certificate, Circle, Rectangle, decode_certificate, issue
from cloverleaf.link.security.oer import Reader
from cloverleaf.link.security.signer import Ticket
from cloverleaf.types.errors import DecodeError, InputError

_SMALLEST_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""Of the two curves' group orders (SM2 and P-256)."""


def create_keys(
    folder: Path,
    name: str,
    permissions: dict[int, bytes],
    start: int,
    hours: int,
    regions: tuple[Circle | Rectangle, ...] = (),
) -> Ticket:
    """Write a fresh PKI of algorithm `name` into `folder`, valid from `start` s since 2004-01-01 TAI; returns the ticket.

    Raises:
        InputError: the folder holds keys already, or cannot be written.
    """
    chosen = algorithm(name)
    scalars = fresh_scalars()
    keys = [chosen.generate(s) for s in scalars]
    root = issue(chosen, None, keys[0], keys[0], name="root", start=start, hours=hours, permissions={}, issues=True)
    authority = issue(
        chosen, root, keys[0], keys[1], name="authority", start=start, hours=hours, permissions={}, issues=True
    )
    ticket = issue(
        chosen, authority, keys[1], keys[2], name="", start=start, hours=hours, permissions=permissions, regions=regions,
    )  # fmt: skip
    write_pki(folder, [c.coer for c in (root, authority, ticket)], scalars)
    return Ticket(ticket, keys[2])


def fresh_scalars() -> list[int]:
    """Secrets of a root, an authority and a ticket, good on both curves."""
    return [1 + secrets.randbelow(_SMALLEST_ORDER - 1) for _ in range(3)]


def write_pki(folder: Path, certificates: list[bytes], scalars: list[int]) -> None:
    """Write the COER of root, authority and ticket and their secrets; InputError where there are keys already, or no folder can be."""
    if (folder / "root.key").exists():
        raise InputError("there are keys already", file=folder, hint="name another folder, or delete this one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stem, coer, scalar in zip(("root", "authority", "ticket"), certificates, scalars):
            (folder / f"{stem}.coer").write_bytes(coer)
            file = os.open(folder / f"{stem}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(file, "w") as out:
                out.write(f"{scalar:064x}\n")
    except OSError as error:
        raise InputError(str(error.strerror or error), file=folder) from None


def read_scalar(file: Path) -> int:
    """The secret in a key file; InputError where there is none."""
    try:
        return int(file.read_text().strip(), 16)
    except (OSError, ValueError) as error:
        raise InputError(f"no private key: {error}", file=file) from None


def load_ticket(folder: Path) -> tuple[Algorithm, Ticket]:
    """The ticket of a folder and its algorithm; InputError where a file is missing or broken."""
    certificate = read_certificates(folder / "ticket.coer")[0]
    chosen = algorithm(certificate.algorithm)
    file = folder / "ticket.key"
    private = chosen.generate(read_scalar(file))
    if chosen.public(private) != certificate.point:
        raise InputError("this private key is not the one of ticket.coer", file=file)
    return chosen, Ticket(certificate, private)


def read_certificates(path: Path) -> list[Certificate]:
    """Certificates of a file or folder: COER bytes, lines of hex, or JSON with "coer" or "hex" fields, wherever they stand.

    Raises:
        InputError: nothing there that is a certificate.
    """
    if path.is_dir():
        found = [c for file in sorted(path.glob("*.coer")) for c in read_certificates(file)]
        if not found:
            raise InputError("no *.coer certificates in this folder", file=path)
        return found
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(str(error.strerror or error), file=path) from None
    found = []
    for blob in _blobs(raw):
        try:
            found.append(decode_certificate(Reader(blob)))
        except DecodeError as error:
            problem = error.message
    if not found:
        raise InputError(
            f"no certificate: {problem}", file=path, hint="Chinese certificates go with --envelope chinese"
        )
    return found


def _blobs(raw: bytes) -> list[bytes]:
    """What may be certificates in a file."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return [raw]
    try:
        return list(_from_json(json.loads(text))) or [raw]
    except ValueError:
        pass
    out = []
    for line in text.split():
        try:
            out.append(bytes.fromhex(line))
        except ValueError:
            return [raw]
    return out or [raw]


def _from_json(value: Any) -> list[bytes]:
    """All byte strings under "coer" or "hex" keys, in order."""
    if isinstance(value, list):
        return [b for item in value for b in _from_json(item)]
    if not isinstance(value, dict):
        return []
    text = value.get("coer", value.get("hex"))
    if isinstance(text, str):
        try:
            return [bytes.fromhex(text)]
        except ValueError:
            return []
    return [b for item in value.values() for b in _from_json(item)]

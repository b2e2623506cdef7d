"""A folder with a small PKI of Chinese certificates (YD/T 3957) for tests, in the files of `key_store`; always SM2."""

from __future__ import annotations

from pathlib import Path

from cloverleaf.link.security import sm2
from cloverleaf.link.security.chinese import ChineseCertificate, ChineseVerifier, certificate_of, issue
from cloverleaf.link.security.key_store import fresh_scalars, read_scalar, write_pki
from cloverleaf.types.errors import DecodeError, InputError, SecurityError

TICKET = "pseudonymTicket"


def create_keys(
    folder: Path, aids: tuple[int, ...], start: int, hours: int, region: tuple[float, float, float] | None = None
) -> ChineseCertificate:
    """Write a fresh PKI into `folder`, valid from `start` s since 2004-01-01; returns the ticket.

    Args:
        region: latitude, longitude in degrees, radius in m in which the ticket holds; None: everywhere.

    Raises:
        InputError: the folder holds keys already, or cannot be written.
    """
    scalars = fresh_scalars()
    top, middle, own = (sm2.PrivateKey(s) for s in scalars)
    end = start + 3600 * hours
    root = issue(None, top, top, name=b"root", start=start, end=end, kind="rootCa")
    authority = issue(root, top, middle, name=b"authority", start=start, end=end, kind="pseudonymAuthority")
    ticket = issue(authority, middle, own, name=b"", start=start, end=end, aids=aids, kind=TICKET, region=region)
    write_pki(folder, [c.coer for c in (root, authority, ticket)], scalars)
    return ticket


def load_ticket(folder: Path) -> tuple[ChineseCertificate, sm2.PrivateKey]:
    """The ticket of a folder and its key; InputError where a file is missing or broken."""
    certificate = _read(folder / "ticket.coer")
    file = folder / "ticket.key"
    key = sm2.PrivateKey(read_scalar(file))
    if key.point != certificate.point:
        raise InputError("this private key is not the one of ticket.coer", file=file)
    return certificate, key


def verifier_of(paths: list[Path]) -> ChineseVerifier:
    """A verifier that trusts the roots among the certificates of these files and folders (*.coer), and knows the others."""
    files = [file for path in paths for file in (sorted(path.glob("*.coer")) if path.is_dir() else [path])]
    if not files:
        raise InputError("no *.coer certificates in this folder", file=paths[0])
    found = [_read(file) for file in files]
    verifier = ChineseVerifier([c for c in found if not c.issuer])
    waiting = [c for c in found if c.issuer]
    while waiting:  # issuers before those they issued, whatever their order
        left = [c for c in waiting if not _learn(verifier, c)]
        if len(left) == len(waiting):
            break
        waiting = left
    return verifier


def _learn(verifier: ChineseVerifier, certificate: ChineseCertificate) -> bool:
    try:
        verifier.learn(certificate, issues=certificate.kind != TICKET)
    except SecurityError:
        return False
    return True


def _read(file: Path) -> ChineseCertificate:
    try:
        return certificate_of(file.read_bytes())
    except OSError as error:
        raise InputError(str(error.strerror or error), file=file) from None
    except DecodeError as error:
        raise InputError(
            f"no Chinese certificate: {error.message}",
            file=file,
            hint="cloverleaf link keys --envelope chinese makes some",
        ) from None

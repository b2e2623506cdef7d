"""What the platform and roadside units say is signed: each has a root of its own and, for each process, a ticket for what it may say.

The root's certificate lies in DATA/keys/OWNER-root.coer, for others to trust; its key never leaves the folder.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.bus_security import ITS_EPOCH, PSID
from cloverleaf.link.security.certificate import Certificate, decode_certificate, issue
from cloverleaf.link.security.oer import Reader
from cloverleaf.link.security.signer import Signer, Ticket
from cloverleaf.types.errors import CloverleafError, InputError
from cloverleaf.types.messages import MessageKind

ROOT_HOURS, TICKET_HOURS = 5 * 365 * 24, 72
PLATFORM = (MessageKind.EVENT, MessageKind.ADVICE)
UNIT = (MessageKind.SIGNAL, MessageKind.TOPOLOGY, MessageKind.PERCEPTION, MessageKind.EVENT)
"""What a ticket of the platform's, and of a unit's, permits to say."""
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ORDER_SM2 = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def _secret() -> int:
    return 1 + secrets.randbelow(min(ORDER_P256, ORDER_SM2) - 1)


def make_root(folder: Path, name: str, owner: str = "platform") -> None:
    """Make the owner's root for an algorithm in `folder`, unless it is there."""
    key, certificate = folder / f"{name}.key", folder / f"{owner}-root.coer"
    if key.exists() and certificate.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    number, found = _secret(), algorithm(name)
    private = found.generate(number)
    start = int(time.time() - ITS_EPOCH) - 3600
    root = issue(found, None, private, private, name=owner, start=start, hours=ROOT_HOURS, permissions={}, issues=True)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(f"{number:064x}\n")
    certificate.write_bytes(root.coer)


class OwnRoot:
    """Signs messages of some kinds with tickets of the root in `folder`.

    attach: every message carries the ticket's certificate, because each may be the only one that its addressee hears; otherwise one
    message a second does.

    Raises:
        InputError: the folder holds no such root.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        owner: str = "platform",
        kinds: tuple[MessageKind, ...] = PLATFORM,
        *,
        attach: bool = True,
    ) -> None:
        self.kinds, self.attach = kinds, attach
        self.algorithm = algorithm(name)
        try:
            self._root_key: Any = self.algorithm.generate(int((folder / f"{name}.key").read_text(), 16))
            self.root: Certificate = decode_certificate(Reader((folder / f"{owner}-root.coer").read_bytes()))
        except (OSError, ValueError, CloverleafError) as error:
            raise InputError(
                f"no root of the {owner}: {error}", file=folder, hint="remove the folder to make a new one"
            ) from error
        self._renew(time.time())

    def _renew(self, now: float) -> None:
        key = self.algorithm.generate(_secret())
        permissions = {PSID[family][kind]: b"" for family in PSID for kind in self.kinds if kind in PSID[family]}
        start = int(now - ITS_EPOCH) - 60
        ticket = issue(
            self.algorithm,
            self.root,
            self._root_key,
            key,
            name="",
            start=start,
            hours=TICKET_HOURS,
            permissions=permissions,
        )
        self._signer = Signer(self.algorithm, [Ticket(ticket, key)])
        self._until = now + 3600.0 * (TICKET_HOURS - 1)

    def sign(self, message: bytes, kind: int, standard: str, now: float) -> bytes:
        """The signed message; `now` s since 1970."""
        if now > self._until:
            self._renew(now)
        psid = PSID["etsi" if standard.startswith("etsi") else "csae"][kind]
        return self._signer.sign(message, psid, now - ITS_EPOCH, attach=self.attach)


def signer_of(name: str, folder: Path) -> OwnRoot | None:
    """The signer of a platform's security setting; None for "none"."""
    return None if name == "none" else OwnRoot(folder, name)

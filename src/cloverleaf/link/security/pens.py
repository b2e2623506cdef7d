"""What stations write around their payloads: the signed messages of a tick are laid out at once, then signed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.link.batches import pack
from cloverleaf.link.security.algorithms import SIGN, Algorithm
from cloverleaf.link.security.certificate import encode_signature
from cloverleaf.link.security.signatures import raw_signatures
from cloverleaf.link.security.signer import ATTACH_EVERY, Ticket
from cloverleaf.types.state import I64, U8

SIGNATURE = 64
_FRAME = 80
"""Bytes of a message at most beside its payload, header and signer."""


@kernel
def lay_out(
    buffer, start, header, headers, header_start, pen, always, now, until, hash_id, signers, signer_at, attach_at,
    out, out_start, signed_end,
):  # fmt: skip
    """Write n messages without their signatures, for each of which 64 bytes are left free at its end.

    Args:
        buffer, start: payloads.
        header: number of each message's header, shape (n,), in `headers` with offsets `header_start`.
        pen: number of each message's pen, shape (n,).
        always: 1 where the certificate goes along in any case.
        now, until: s; a pen whose `attach_at` is not later than `now` sends its certificate along, then not before `until`.
        hash_id: the octet that names the hash.
        signers, signer_at: the signer by digest in the bytes from `signer_at[pen, 0]`, by certificate in those from `signer_at[pen, 1]`
            up to `signer_at[pen, 2]`; both with the head of the signature.
        out, out_start: the messages, offsets of shape (n + 1,).
        signed_end: end of the signed part of each, which begins 3 bytes behind the message.
    """
    n = 0
    for i in range(len(start) - 1):
        out_start[i] = n
        size = start[i + 1] - start[i]
        out[n], out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5] = 3, 0x81, hash_id, 0x40, 3, 0x80
        n += 6
        if size >= 128:
            octets = 1
            while size >> (8 * octets):
                octets += 1
            out[n] = 0x80 | octets
            n += 1
            for k in range(octets - 1, 0, -1):
                out[n] = (size >> (8 * k)) & 255
                n += 1
        out[n] = size & 255
        n += 1
        for k in range(start[i], start[i + 1]):
            out[n] = buffer[k]
            n += 1
        for k in range(header_start[header[i]], header_start[header[i] + 1]):
            out[n] = headers[k]
            n += 1
        signed_end[i] = n
        p = pen[i]
        attach = 1 if always[i] != 0 or now >= attach_at[p] else 0
        if attach:
            attach_at[p] = until
        for k in range(signer_at[p, attach], signer_at[p, attach + 1]):
            out[n] = signers[k]
            n += 1
        n += 64
    out_start[len(start) - 1] = n


class Pens:
    """The ticket that each station signs with, and when its certificate goes along next."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self._pen: dict[int, int] = {}  # station -> number
        self._ticket: list[Ticket] = []
        self._digest: list[bytes] = []  # of the certificate
        self._sign: list[Callable[..., bytes]] = []  # of the key, with P-256
        self._place: dict[bytes, tuple[int, int, int]] = {}  # HashedId8 -> where its bytes stand
        self._signers = np.zeros(0, np.uint8)
        self._used = 0
        self._signer_at = np.zeros((64, 3), np.int64)
        self._attach_at = np.zeros(64)

    def use(self, station: int, ticket: Ticket) -> None:
        """A station signs with `ticket` from now on; its next message carries the certificate."""
        p = self._pen.setdefault(station, len(self._pen))
        if p == len(self._ticket):
            self._ticket.append(ticket)
            self._digest.append(b"")
            self._sign.append(bytes)
            if p == len(self._attach_at):
                self._attach_at = np.concatenate([self._attach_at, self._attach_at])
                self._signer_at = np.concatenate([self._signer_at, self._signer_at])
        certificate = ticket.certificate
        self._ticket[p], self._digest[p] = ticket, self.algorithm.hash(certificate.coer)
        if self.algorithm.name == "p256":
            self._sign[p] = ticket.key.sign
        self._signer_at[p] = self._place.get(certificate.hashed_id) or self._write(ticket)
        self._attach_at[p] = -np.inf

    def attach(self, station: int) -> None:
        """The certificate goes along with the next message of a station."""
        self._attach_at[self._pen[station]] = -np.inf

    def of(self, stations: list[int]) -> I64:
        """The pens of stations; KeyError where one has none."""
        pen = self._pen
        return np.array([pen[s] for s in stations], np.int64)

    def sign(
        self, buffer: U8, start: I64, pen: I64, header: I64, headers: list[bytes], always: U8, now: float
    ) -> tuple[U8, I64]:
        """The signed messages; arguments as for `lay_out`."""
        n = len(pen)
        joined, header_start = pack(headers)
        place = self._signer_at[pen]
        room = len(buffer) + int((np.diff(header_start)[header] + place[:, 2] - place[:, 1]).sum()) + _FRAME * n
        out, out_start, signed_end = np.zeros(room, np.uint8), np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
        lay_out(
            buffer, start, header, joined, header_start, pen, always, now, now + ATTACH_EVERY - 1e-6,
            2 if self.algorithm.name == "sm2" else 0, self._signers, self._signer_at, self._attach_at, out, out_start, signed_end,
        )  # fmt: skip
        out = out[: out_start[-1]]
        raw, at, pens = out.tobytes(), out_start[1:] - SIGNATURE, pen.tolist()
        signed = [raw[a:b] for a, b in zip((out_start[:-1] + 3).tolist(), signed_end.tolist())]
        if self.algorithm.name == "p256":
            digest, sign = self._digest, self._sign
            tags = [sha256(sha256(each).digest() + digest[p]).digest() for p, each in zip(pens, signed)]
            # nothing but signatures at once, so that their code and tables stay in the cache
            raw_signatures(*pack([sign[p](tag, SIGN) for p, tag in zip(pens, tags)]), out, at)
        else:
            ticket = self._ticket
            made = [
                self.algorithm.sign(ticket[p].key, each, ticket[p].certificate.coer) for p, each in zip(pens, signed)
            ]
            out[at[:, None] + np.arange(SIGNATURE)] = np.frombuffer(b"".join(made), np.uint8).reshape(n, SIGNATURE)
        return out, out_start

    def _write(self, ticket: Ticket) -> tuple[int, int, int]:
        """Add the bytes that name a ticket's signer."""
        certificate = ticket.certificate
        head = encode_signature(self.algorithm.name, bytes(SIGNATURE))[:-SIGNATURE]
        short = b"\x80" + certificate.hashed_id + head
        both = short + b"\x81\x01\x01" + certificate.coer + head
        begin, end = self._used, self._used + len(both)
        if end > len(self._signers):
            self._signers = np.concatenate([self._signers, np.zeros(end + len(self._signers), np.uint8)])
        self._signers[begin:end] = np.frombuffer(both, np.uint8)
        self._used = end
        place = self._place[certificate.hashed_id] = begin, begin + len(short), end
        return place

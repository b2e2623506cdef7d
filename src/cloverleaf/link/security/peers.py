"""Who knows whose certificate: a message that names its signer by digest is lost on a receiver that has not heard the certificate yet.

Such a receiver asks for it in its next message (IEEE 1609.2, 8: peer-to-peer certificate distribution), and the signer attaches it to its
own next one. Every message is verified once for the whole world; what is kept here is only who could have verified it.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.link.overload import Pairs
from cloverleaf.types.state import I64, U8

MOST_REQUESTS = 6
"""Certificates asked for in one message."""
_BLOCKS = np.int64(1 << 18)
_ODD = np.int64(0x1E3779B97F4A7C15)


@kernel
def _place(table, key):
    """Where `key` is in an open hash table, or the free place where it belongs: eight keys in a row share a line of the cache."""
    mask = len(table) - 1
    at = ((((key >> np.int64(3)) * _ODD) >> np.int64(20) << np.int64(3)) | (key & np.int64(7))) & mask
    while table[at] != 0 and table[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def keep_known(
    start,
    message,
    delay,
    receiver,
    ticket,
    attached,
    table,
    bits,
    out_start,
    out_message,
    out_delay,
    missing_receiver,
    missing,
):
    """Keep the pairs whose receiver knows the message's ticket or is told it; a ticket of -1 needs no certificate.

    What receivers know is a hash table of receiver and block of 64 tickets (`table`), with a bit for each (`bits`). Writes the number of
    kept pairs to `out_start[-1]`, that of new blocks to `missing[-2]` and of lost pairs to `missing[-1]`; `missing*` have room for all
    pairs and two more.
    """
    kept, learnt, lost = 0, 0, 0
    for r in range(len(receiver)):
        out_start[r] = kept
        for p in range(start[r], start[r + 1]):
            m = message[p]
            if ticket[m] >= 0:
                key = receiver[r] * _BLOCKS + (ticket[m] >> 6) + np.int64(1)
                bit = np.uint64(1) << np.uint64(ticket[m] & 63)
                at = _place(table, key)
                if table[at] == 0 or bits[at] & bit == 0:
                    if attached[m] == 0:
                        missing_receiver[lost] = r
                        missing[lost] = m
                        lost += 1
                        continue
                    if table[at] == 0:
                        table[at] = key
                        learnt += 1
                    bits[at] |= bit
            out_message[kept] = m
            out_delay[kept] = delay[p]
            kept += 1
    out_start[len(receiver)] = kept
    missing[len(missing) - 2] = learnt
    missing[len(missing) - 1] = lost


@kernel
def move(table, bits, new_table, new_bits):
    """Enter every block of a hash table into another, empty one."""
    for i in range(len(table)):
        if table[i] != 0:
            at = _place(new_table, table[i])
            new_table[at] = table[i]
            new_bits[at] = bits[i]


class Peers:
    """Certificates known to each receiver of a world."""

    def __init__(self, room: int = 1 << 16) -> None:
        self._table, self._bits = np.zeros(room, np.int64), np.zeros(room, np.uint64)
        self._filled = 0

    def hear(self, pairs: Pairs, receiver: I64, ticket: I64, attached: U8) -> tuple[Pairs, I64, I64]:
        """What receivers can check, and rows (receiver, message) of what they cannot.

        Args:
            pairs: deliveries of a tick.
            receiver: station ids, shape (r,), 0 <= id < 2**38.
            ticket: number of the ticket that signed each message, -1 to leave it alone; shape (messages,).
            attached: 1 where the certificate came along.
        """
        total = len(pairs.message)
        self._make_room(total)
        kept = Pairs(np.empty_like(pairs.start), np.empty(total, np.int32), np.empty(total))
        lost, missing = np.empty(total + 2, np.int64), np.empty(total + 2, np.int64)
        keep_known(*pairs, receiver, ticket, attached, self._table, self._bits, *kept, lost, missing)
        self._filled += int(missing[-2])
        n, count = int(missing[-1]), int(kept.start[-1])
        return Pairs(kept.start, kept.message[:count], kept.delay[:count]), lost[:n], missing[:n]

    def _make_room(self, more: int) -> None:
        """At most half of the table is in use, also after `more` further entries."""
        if 2 * (self._filled + more) <= len(self._table):
            return
        room = len(self._table)
        while 2 * (self._filled + more) > room:
            room *= 4
        old = self._table, self._bits
        self._table, self._bits = np.zeros(room, np.int64), np.zeros(room, np.uint64)
        move(*old, self._table, self._bits)

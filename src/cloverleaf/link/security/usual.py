"""The usual form of signed messages, found in a whole batch at one look: nearly every message of a busy channel has it.

A payload of less than 64 KiB, a header of a short PSID and the generation time alone, the signer named by digest or by its certificate,
a P-256 signature.
"""

from __future__ import annotations

from cloverleaf.algo.jit import kernel

DIGEST, WHOLE = 9, 3
"""Bytes of `80 digest`, and of `81 01 01` before a single certificate."""
TAIL = 66  # 80 80 r s
_SHORTEST = 94


@kernel
def find_usual(buffer, start, psid, earliest, latest, begin, end, stop):
    """Find the messages of this form.

    Args:
        buffer, start: n messages, offsets of shape (n + 1,).
        psid: the PSID that each must have.
        earliest, latest: us since 2004-01-01 TAI between which it must have been made; `earliest` may be less than 0.
        begin, end, stop: written: begin and end of the payload and end of the signed part in `buffer`; 0 where a message is of
            another form.
    """
    for i in range(len(psid)):
        begin[i] = end[i] = stop[i] = 0
        at, tail = start[i], start[i + 1] - TAIL
        if start[i + 1] - at < _SHORTEST or buffer[at] != 3 or buffer[at + 1] != 0x81 or buffer[at + 2] != 0:
            continue
        if buffer[at + 3] != 0x40 or buffer[at + 4] != 3 or buffer[at + 5] != 0x80:
            continue
        size, first = int(buffer[at + 6]), at + 7
        if size >= 128:
            if size == 0x81:
                size, first = int(buffer[at + 7]), at + 8
            elif size == 0x82:
                size, first = int(buffer[at + 7]) * 256 + int(buffer[at + 8]), at + 9
            else:
                continue
        last = first + size
        if last > tail - 20 or buffer[last] != 0x40:
            continue
        short, given = int(buffer[last + 1]), int(buffer[last + 2])  # bytes of the PSID, and what they say
        if short == 2:
            given = given * 256 + int(buffer[last + 3])
        elif short != 1:
            continue
        if given != psid[i] or buffer[last + 2 + short] >= 128:
            continue
        behind, time = last + 10 + short, 0
        for k in range(behind - 8, behind):
            time = time * 256 + int(buffer[k])
        if time < earliest or time > latest or buffer[tail] != 0x80 or buffer[tail + 1] != 0x80:
            continue
        if buffer[behind] == 0x80:
            if tail - behind != DIGEST:
                continue
        elif buffer[behind] != 0x81 or buffer[behind + 1] != 1 or buffer[behind + 2] != 1 or tail - behind <= DIGEST:
            continue
        begin[i], end[i], stop[i] = first, last, behind

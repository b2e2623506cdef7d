"""The usual form of signed messages, found in a whole batch at one look: nearly every message of a busy channel has it.

A payload of less than 64 KiB, a header of a short PSID and the generation time alone, the signer named by digest or by its certificate,
a P-256 signature.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.types.state import I64, U8

_HEAD = np.array([3, 0x81, 0, 0x40, 3, 0x80], np.uint8)  # signed data, SHA-256, unsecured data inside
DIGEST, WHOLE = 9, 3
"""Bytes of `80 digest`, and of `81 01 01` before a single certificate."""
TAIL = 66  # 80 80 r s
_SHORTEST = 94


def find_usual(buffer: U8, start: I64, psid: I64, earliest: int, latest: int) -> tuple[list[int], list[int], list[int]]:
    """Begin and end of the payload and end of the signed part in `buffer`, of each of n messages; 0 where one is not of this form,
    where its PSID is not `psid` (n,), or where it was generated before `earliest` or after `latest` (us since 2004-01-01 TAI).
    """
    first, last = start[:-1], start[1:]
    row = np.flatnonzero(last - first >= _SHORTEST)
    at, tail = first[row], last[row] - TAIL
    head = buffer[at[:, None] + np.arange(9)]
    mark = head[:, 6]
    wide = np.where(mark < 128, 0, mark - np.int64(128))  # bytes of the length behind its mark
    size = np.select([mark < 128, mark == 0x81], [mark, head[:, 7]], head[:, 7] * np.int64(256) + head[:, 8])
    begin = at + 7 + wide
    end = begin + size
    good = (head[:, :6] == _HEAD).all(1) & (mark != 0x80) & (wide <= 2) & (end <= tail - 20)
    row, begin, end, tail = row[good], begin[good], end[good], tail[good]
    short = buffer[end + 1].astype(np.int64)  # bytes of the PSID
    given = buffer[end + 2].astype(np.int64)
    given = np.where(short == 1, given, given * 256 + buffer[end + 3])
    good = (buffer[end] == 0x40) & ((short == 1) | (short == 2)) & (given == psid[row])
    row, begin, end, tail = row[good], begin[good], end[good], tail[good]
    stop = end + 10 + short[good]
    time = np.ascontiguousarray(buffer[(stop - 8)[:, None] + np.arange(8)]).view(">u8")[:, 0]
    good = (time >= earliest) & (time <= latest) & (buffer[tail] == 0x80) & (buffer[tail + 1] == 0x80)
    digest = (buffer[stop] == 0x80) & (tail - stop == DIGEST)
    good &= digest | (
        (buffer[stop] == 0x81) & (buffer[stop + 1] == 1) & (buffer[stop + 2] == 1) & (tail - stop > DIGEST)
    )
    out = np.zeros((3, len(psid)), np.int64)
    out[:, row[good]] = begin[good], end[good], stop[good]
    payload_begin, payload_end, signed_end = out.tolist()
    return payload_begin, payload_end, signed_end

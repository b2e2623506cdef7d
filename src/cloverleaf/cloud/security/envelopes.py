"""Many signed messages taken apart at once: those of the common form, signed by digest over P-256; the others are left to the link.

The common form is what `link/security/envelope.py` writes without an attached certificate: protocol version 3, signed data, a payload,
a header of PSID, generation time and optional expiry, the signer's HashedId8, an ECDSA signature whose r is given as x or compressed.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel

COMMON, SIGNED_BEGIN, SIGNED_END, PAYLOAD_BEGIN, PAYLOAD_END, PSID, GENERATED, EXPIRES, SIGNER, SIGNATURE = range(10)
"""Columns of `parse`: whether it is of the common form, positions in the buffer, PSID, times in microseconds since 2004."""
DER_BYTES = 72


@kernel
def _length(b, p, end):
    """(bytes of the length field, length) of an OER length at `p`; (0, 0) where it is none we know."""
    if p >= end:
        return np.int64(0), np.int64(0)
    if b[p] < 128:
        return np.int64(1), np.int64(b[p])
    if b[p] == 0x81 and p + 1 < end:
        return np.int64(2), np.int64(b[p + 1])
    if b[p] == 0x82 and p + 2 < end:
        return np.int64(3), (np.int64(b[p + 1]) << 8) | np.int64(b[p + 2])
    return np.int64(0), np.int64(0)


@kernel
def _number(b, p, size):
    """Big-endian integer of `size` bytes."""
    v = np.int64(0)
    for k in range(size):
        v = (v << 8) | np.int64(b[p + k])
    return v


@kernel
def _der_integer(b, p, der, at):
    """Write 32 bytes at `p` as an ASN.1 INTEGER; returns where it ends, or -1 for zero."""
    skip = 0
    while skip < 32 and b[p + skip] == 0:
        skip += 1
    if skip == 32:
        return -1
    pad = 1 if b[p + skip] >= 128 else 0
    der[at] = 2
    der[at + 1] = 32 - skip + pad
    at += 2
    if pad == 1:
        der[at] = 0
        at += 1
    for k in range(skip, 32):
        der[at] = b[p + k]
        at += 1
    return at


@kernel
def parse(b, start, out, der, der_size):
    """Parts of the messages `b[start[i]:start[i + 1]]`.

    out: (n, 10) int64 written as named above; der: (n, 72) uint8 and der_size: (n,) int64, the signature as ASN.1 has it.
    """
    for i in range(len(start) - 1):
        out[i, 0] = 0
        p, end = start[i], start[i + 1]
        if end - p < 90 or b[p] != 3 or b[p + 1] != 0x81 or b[p + 3] != 0x40 or b[p + 4] != 3 or b[p + 5] != 0x80:
            continue
        out[i, 1] = p + 3
        p += 6
        field, size = _length(b, p, end)
        if field == 0 or p + field + size + 84 > end:
            continue
        out[i, 3], out[i, 4] = p + field, p + field + size
        p += field + size
        flags = np.int64(b[p])
        if flags & 0xDF != 0x40:  # a generation time, perhaps an expiry, nothing else
            continue
        field, size = _length(b, p + 1, end)
        if field != 1 or size < 1 or size > 4:
            continue
        out[i, 5] = _number(b, p + 2, size)
        p += 2 + size
        rest = 8 + (8 if flags & 0x20 else 0) + 75
        if p + rest != end:
            continue
        out[i, 6] = _number(b, p, 8)
        p += 8
        out[i, 7] = 0
        if flags & 0x20:
            out[i, 7] = _number(b, p, 8)
            p += 8
        out[i, 2] = p
        if b[p] != 0x80 or b[p + 9] != 0x80 or (b[p + 10] != 0x80 and b[p + 10] != 0x82 and b[p + 10] != 0x83):
            continue
        out[i, 8], out[i, 9] = p + 1, p + 11
        at = _der_integer(b, p + 11, der[i], 2)
        if at > 0:
            at = _der_integer(b, p + 43, der[i], at)
        if at < 0:
            continue
        der[i, 0], der[i, 1] = 0x30, at - 2
        der_size[i] = at
        out[i, 0] = 1

"""ECDSA signatures over P-256 by the thousand: r || s, as messages carry them, to and from DER, as OpenSSL wants them."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel

DER_MOST = 72
"""Bytes of the longest signature in DER."""


@kernel
def raw_signatures(der, start, out, at):
    """Write r || s of each signature that OpenSSL made.

    Args:
        der, start: DER of n signatures, offsets of shape (n + 1,).
        out, at: signature i goes to the 64 bytes from `out[at[i]]`.
    """
    for i in range(len(at)):
        p = start[i] + 3  # the length of r
        for half in range(2):
            size = der[p]
            end = p + 1 + size
            for k in range(32):
                out[at[i] + 32 * half + 31 - k] = der[end - 1 - k] if k < size else 0
            p = end + 1  # the length of s


@kernel
def der_signatures(buffer, at, out, size):
    """Write the DER of the r || s in the 64 bytes from `buffer[at[i]]`: `size[i]` bytes of row i of `out`, shape (n, DER_MOST).

    None where `at[i]` is less than 0.
    """
    for i in range(len(at)):
        size[i] = 0
        if at[i] < 0:
            continue
        n = 2
        for half in range(2):
            begin, end = at[i] + 32 * half, at[i] + 32 * half + 32
            while begin < end - 1 and buffer[begin] == 0:
                begin += 1
            pad = buffer[begin] >> 7
            out[i, n] = 2
            out[i, n + 1] = end - begin + pad
            n += 2
            if pad:
                out[i, n] = 0
                n += 1
            for k in range(begin, end):
                out[i, n] = buffer[k]
                n += 1
        out[i, 0] = 0x30
        out[i, 1] = n - 2
        size[i] = n

"""Bit windows on a byte buffer, as kernels. Buffers must be padded by at least 16 bytes behind the last bit that is read."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.link.codec.words import address, head, octet, set_octet, wide


@kernel
def window(buffer, position):  # type: ignore[no-untyped-def]
    """64 bits that begin at bit `position` of an array, left-aligned, as uint64."""
    return np.uint64(wide(address(buffer), position))


@kernel
def read_bits(buffer, position, width):  # type: ignore[no-untyped-def]
    """`width` (0..64) bits at `position` as uint64, right-aligned."""
    return window(buffer, position) >> np.uint64(64 - width) if width else np.uint64(0)


@kernel
def write_bits(buffer, position, value, width):  # type: ignore[no-untyped-def]
    """Write the low `width` (0..64) bits of `value` at `position`; bits behind are cleared. Returns the new position."""
    i = position >> 3
    k = position & 7
    w = np.uint64(width)
    if width > 56:
        high = np.uint64(value) >> np.uint64(32)
        position = write_bits_small(buffer, i, k, high, w - np.uint64(32))
        low = np.uint64(value) & np.uint64(0xFFFFFFFF)
        return write_bits_small(buffer, position >> 3, position & 7, low, np.uint64(32))
    return write_bits_small(buffer, i, k, np.uint64(value), w)


@kernel
def write_bits_small(buffer, i, k, value, width):  # type: ignore[no-untyped-def]
    """Write up to 56 bits at byte `i`, bit `k`, with one 8-byte store; the new position."""
    head = (
        np.uint64(buffer[i]) >> (np.uint64(8) - np.uint64(k)) << (np.uint64(64) - np.uint64(k)) if k else np.uint64(0)
    )
    placed = (value << np.uint64(1) << (np.uint64(63) - width)) >> np.uint64(k) if width else np.uint64(0)
    w = head | placed
    buffer[i] = np.uint8(w >> np.uint64(56))
    buffer[i + 1] = np.uint8((w >> np.uint64(48)) & np.uint64(255))
    buffer[i + 2] = np.uint8((w >> np.uint64(40)) & np.uint64(255))
    buffer[i + 3] = np.uint8((w >> np.uint64(32)) & np.uint64(255))
    buffer[i + 4] = np.uint8((w >> np.uint64(24)) & np.uint64(255))
    buffer[i + 5] = np.uint8((w >> np.uint64(16)) & np.uint64(255))
    buffer[i + 6] = np.uint8((w >> np.uint64(8)) & np.uint64(255))
    buffer[i + 7] = np.uint8(w & np.uint64(255))
    return (i << 3) + k + np.int64(width)


@kernel
def text_valid(buffer, position, unit, count, alphabet):  # type: ignore[no-untyped-def]
    """Characters of a string whose codes are checked: 4-bit digits (alphabet 1) or UTF-8 (2); -1 if one is not valid."""
    if alphabet == 1:
        for i in range(count):
            if read_bits(buffer, position + 4 * i, 4) > np.uint64(10):
                return np.int64(-1)
        return np.int64(count)
    characters = np.int64(0)
    i = np.int64(0)
    while i < count:
        lead = np.int64(read_bits(buffer, position + 8 * i, 8))
        follow = np.int64(0)
        least = np.int64(0)
        if lead >= 0xF0 and lead <= 0xF4:
            follow, least = np.int64(3), np.int64(0x10000)
        elif lead >= 0xE0 and lead < 0xF0:
            follow, least = np.int64(2), np.int64(0x800)
        elif lead >= 0xC2 and lead < 0xE0:
            follow, least = np.int64(1), np.int64(0x80)
        elif lead >= 0x80:
            return np.int64(-1)
        if i + follow >= count:
            return np.int64(-1)
        code = lead & (0x7F >> (follow + (follow > 0)))
        for j in range(follow):
            byte = np.int64(read_bits(buffer, position + 8 * (i + 1 + j), 8))
            if byte & 0xC0 != 0x80:
                return np.int64(-1)
            code = code << 6 | byte & 0x3F
        if code < least or code > 0x10FFFF or (code >= 0xD800 and code <= 0xDFFF):
            return np.int64(-1)
        characters += 1
        i += follow + 1
    return characters


@kernel
def enclose(base, begin, octets):  # type: ignore[no-untyped-def]
    """Write the length of `octets` octets that lie 16 bits behind `begin`, moved up where 8 bits hold it; the position behind them."""
    k = begin & 7
    at = base + (begin >> 3)
    length = octets << 8 if octets < 128 else 0x8000 | octets
    first = octet(at + 2) & (255 >> k)
    set_octet(at, head(base, begin) >> 56 & 255 | length >> 8 + k)
    set_octet(at + 1, length >> k)
    if octets < 128:
        set_octet(at + 1, length >> k | first)
        for j in range(2, octets + 2):
            set_octet(at + j, octet(at + j + 1))
        return begin + 8 + 8 * octets
    set_octet(at + 2, length << 8 - k | first)
    return begin + 16 + 8 * octets

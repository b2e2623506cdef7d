"""Identifiers of one to four bytes (PSID of IEEE 1609.3, ITS-AID, AID): the first bits say how many bytes there are."""

from __future__ import annotations

from cloverleaf.types.errors import DecodeError

_FIRST = (0, 0x80, 0x4080, 0x204080)
"""Smallest identifier that needs 1, 2, 3, 4 bytes."""
LARGEST = 0x1020407F


def encode_identifier(value: int) -> bytes:
    """The shortest form of an identifier 0..LARGEST; ValueError beyond."""
    if not 0 <= value <= LARGEST:
        raise ValueError(f"identifier {value} is outside 0..{LARGEST}")
    size = sum(value >= first for first in _FIRST)
    prefix = (0, 0x80, 0xC0, 0xE0)[size - 1] << 8 * (size - 1)
    return (prefix | value - _FIRST[size - 1]).to_bytes(size, "big")


def read_identifier(data: bytes, at: int) -> tuple[int, int]:
    """(identifier, position behind it); DecodeError where there is none."""
    if at >= len(data):
        raise DecodeError("the identifier is cut short", offset_bits=8 * at)
    lead = data[at]
    size = 1 if lead < 0x80 else 2 if lead < 0xC0 else 3 if lead < 0xE0 else 4 if lead < 0xF0 else 0
    if not size or at + size > len(data):
        raise DecodeError("not an identifier, or cut short", offset_bits=8 * at)
    mask = (1 << 7 * size) - 1
    return (int.from_bytes(data[at : at + size], "big") & mask) + _FIRST[size - 1], at + size

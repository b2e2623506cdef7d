"""Monitor-mode captures of IEEE 802.11p / 802.11bd: radio header, MAC header and LLC taken off a data frame."""

from __future__ import annotations

import struct

from cloverleaf.types.errors import DecodeError

_DATA = 2
_SNAP = b"\xaa\xaa\x03"
_DIRECT = (0x8947, 0x88DC)
"""EtherTypes that 802.11 outside the context of a basic service set may carry without LLC (EtherType protocol discrimination)."""


def strip_radiotap(data: bytes) -> bytes:
    """The MAC frame behind a radiotap header, without its check sequence if the header announces one."""
    if len(data) < 8 or data[0] != 0:
        raise DecodeError("not a radiotap header")
    size, present = struct.unpack_from("<HI", data, 2)
    if not 8 <= size <= len(data):
        raise DecodeError("the radiotap header is cut short")
    at, more = 8, present
    while more & 1 << 31 and at + 4 <= size:
        more, at = struct.unpack_from("<I", data, at)[0], at + 4
    if present & 1:
        at = (at + 7 & ~7) + 8
    checked = bool(present & 2) and at < size and bool(data[at] & 0x10)
    return data[size : len(data) - 4] if checked else data[size:]


def strip_ppi(data: bytes) -> tuple[int, bytes]:
    """(link type, frame) behind a per-packet information header."""
    if len(data) < 8:
        raise DecodeError("the per-packet information is cut short")
    size, link_type = struct.unpack_from("<xxHI", data)
    if not 8 <= size <= len(data):
        raise DecodeError("the per-packet information is cut short")
    return link_type, data[size:]


def strip_mac(data: bytes) -> tuple[int, bytes]:
    """(EtherType, payload) of an 802.11 data frame; DecodeError for other frames and encrypted ones."""
    if len(data) < 24:
        raise DecodeError("the 802.11 frame is cut short")
    kind, subtype, flags = data[0] >> 2 & 3, data[0] >> 4, data[1]
    if kind != _DATA:
        raise DecodeError(f"an 802.11 {('management', 'control', 'data', 'extension')[kind]} frame")
    if subtype & 4:
        raise DecodeError("an 802.11 data frame without data")
    if flags & 0x40:
        raise DecodeError("an encrypted 802.11 frame")
    at = 24 + (6 if flags & 3 == 3 else 0)
    if subtype & 8:
        at += 2 + (4 if flags & 0x80 else 0)
    return strip_llc(data[at:])


def strip_llc(data: bytes) -> tuple[int, bytes]:
    """(EtherType, payload) behind LLC and SNAP, or behind a bare EtherType."""
    if data[:3] == _SNAP and len(data) >= 8:
        return int.from_bytes(data[6:8], "big"), data[8:]
    if len(data) >= 2 and int.from_bytes(data[:2], "big") in _DIRECT:
        return int.from_bytes(data[:2], "big"), data[2:]
    raise DecodeError("neither an LLC header nor a known EtherType")

"""Frames of a capture file in the classic pcap or the pcapng format, for `link inspect`; no protocol is interpreted here."""

from __future__ import annotations

import struct

_MAGIC = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}
_SECTION, _PACKET, _SIMPLE = 0x0A0D0D0A, 6, 3


def packets(raw: bytes) -> list[bytes] | None:
    """The captured frames, or None if `raw` is not a capture file. A damaged tail is left out."""
    if raw[:4] in _MAGIC:
        return _classic(raw, _MAGIC[raw[:4]])
    if raw[:4] == b"\x0a\x0d\x0d\x0a" and len(raw) >= 12:
        return _blocks(raw, "<" if raw[8:12] == b"\x4d\x3c\x2b\x1a" else ">")
    return None


def _classic(raw: bytes, order: str) -> list[bytes]:
    found, at = [], 24
    while at + 16 <= len(raw):
        (size,) = struct.unpack_from(f"{order}I", raw, at + 8)
        if at + 16 + size > len(raw):
            break
        found.append(raw[at + 16 : at + 16 + size])
        at += 16 + size
    return found


def _blocks(raw: bytes, order: str) -> list[bytes]:
    found, at = [], 0
    while at + 12 <= len(raw):
        kind, length = struct.unpack_from(f"{order}II", raw, at)
        if length < 12 or at + length > len(raw):
            break
        if kind == _PACKET and length >= 32:
            (size,) = struct.unpack_from(f"{order}I", raw, at + 20)
            found.append(raw[at + 28 : at + 28 + min(size, length - 32)])
        elif kind == _SIMPLE:
            found.append(raw[at + 12 : at + length - 4])
        at += (length + 3) & ~3
    return found

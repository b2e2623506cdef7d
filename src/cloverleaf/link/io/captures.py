"""Frames of a capture file, classic pcap or pcapng, with their times and link types; no protocol is interpreted here."""

from __future__ import annotations

import struct
from typing import NamedTuple

_MAGIC = {b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\xc3\xd4": (">", 1e-6), b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
          b"\xa1\xb2\x3c\x4d": (">", 1e-9)}  # fmt: skip
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_TIME_RESOLUTION = 9
LARGEST = 1 << 18


class Packet(NamedTuple):
    """One captured frame."""

    time: float  # s since 1970
    data: bytes
    link_type: int
    length: int  # bytes that were on the air; more than len(data) where the capture cut the frame short


class Capture(NamedTuple):
    """A capture file taken apart."""

    packets: list[Packet]
    problem: str  # what is wrong behind the last packet; empty if nothing is
    form: str  # pcap or pcapng


def read_capture(raw: bytes) -> Capture | None:
    """The frames of a capture, as far as they go; None if `raw` is no capture file at all."""
    if raw[:4] in _MAGIC:
        return _classic(raw, *_MAGIC[raw[:4]])
    if raw[:4] == b"\x0a\x0d\x0d\x0a":
        return _blocks(raw)
    return None


def _classic(raw: bytes, order: str, unit: float) -> Capture:
    packets: list[Packet] = []
    if len(raw) < 24:
        return Capture(packets, "the file header is cut short", "pcap")
    link_type = struct.unpack_from(f"{order}I", raw, 20)[0] & 0xFFFF
    at = 24
    while at < len(raw):
        if at + 16 > len(raw):
            return Capture(packets, f"the record of packet {len(packets) + 1} is cut short", "pcap")
        seconds, fraction, size, length = struct.unpack_from(f"{order}IIII", raw, at)
        at += 16
        if size > LARGEST or at + size > len(raw):
            return Capture(packets, f"packet {len(packets) + 1} is cut short or of impossible size", "pcap")
        packets.append(Packet(seconds + fraction * unit, raw[at : at + size], link_type, length))
        at += size
    return Capture(packets, "", "pcap")


def _blocks(raw: bytes) -> Capture:
    """Sections of pcapng: interface descriptions give link type and time resolution, packets refer to them."""
    packets: list[Packet] = []
    interfaces: list[tuple[int, float]] = []
    order, at = "<", 0
    while at < len(raw):
        if at + 12 > len(raw):
            return Capture(packets, "the last block is cut short", "pcapng")
        if raw[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = ">" if raw[at + 8 : at + 12] == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces = []
        kind, length = struct.unpack_from(f"{order}II", raw, at)
        if length < 12 or length % 4 or at + length > len(raw):
            return Capture(packets, f"a block behind packet {len(packets)} is cut short or broken", "pcapng")
        body = raw[at + 8 : at + length - 4]
        if kind == _INTERFACE and len(body) >= 8:
            interfaces.append((struct.unpack_from(f"{order}H", body)[0], _resolution(body[8:], order)))
        elif kind in (_PACKET, _OLD_PACKET) and len(body) >= 20:
            number, high, low, size, full = struct.unpack_from(f"{order}IIIII", body)
            number = number if kind == _PACKET else struct.unpack_from(f"{order}H", body)[0]
            link_type, unit = interfaces[number] if number < len(interfaces) else (1, 1e-6)
            data = body[20 : 20 + size]
            packets.append(Packet((high << 32 | low) * unit, data, link_type, full))
        elif kind == _SIMPLE and len(body) >= 4:
            full = struct.unpack_from(f"{order}I", body)[0]
            link_type, _ = interfaces[0] if interfaces else (1, 1e-6)
            packets.append(Packet(0.0, body[4 : 4 + full], link_type, full))
        at += length
    return Capture(packets, "", "pcapng")


def _resolution(options: bytes, order: str) -> float:
    """Seconds per tick of an interface, from its options; microseconds unless told."""
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(f"{order}HH", options, at)
        if code == 0:
            break
        if code == _TIME_RESOLUTION and size == 1 and at + 4 < len(options):
            value = options[at + 4]
            return float(2.0 ** -(value & 0x7F) if value & 0x80 else 10.0**-value)
        at += 4 + (size + 3 & ~3)
    return 1e-6

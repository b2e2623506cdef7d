"""Builds capture files and frames of every kind that `link inspect` reads."""

from __future__ import annotations

import struct

MAC = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x01"


def classic(frames: list[bytes], link_type: int, order: str = "<", nano: bool = False) -> bytes:
    """A pcap file."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    for i, f in enumerate(frames):
        out += struct.pack(f"{order}IIII", 1_700_000_000 + i, 500, len(f), len(f)) + f
    return out


def block(kind: int, body: bytes, order: str) -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    return struct.pack(f"{order}II", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)


def pcapng(frames: list[bytes], link_type: int, order: str = "<") -> bytes:
    """A pcapng file with nanosecond times."""
    out = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    options = struct.pack(f"{order}HHB3x", 9, 1, 9) + bytes(4)
    out += block(1, struct.pack(f"{order}HHI", link_type, 0, 65535) + options, order)
    for i, f in enumerate(frames):
        tick = (1_700_000_000 + i) * 10**9
        out += block(6, struct.pack(f"{order}IIIII", 0, tick >> 32, tick & 0xFFFFFFFF, len(f), len(f)) + f, order)
    return out


def ethernet(payload: bytes, ethertype: int, vlan: bool = False) -> bytes:
    """An Ethernet frame."""
    return MAC + (b"\x81\x00\x00\x05" if vlan else b"") + ethertype.to_bytes(2, "big") + payload


def ieee80211(payload: bytes, ethertype: int, qos: bool = True, snap: bool = True) -> bytes:
    """An 802.11 data frame outside the context of a basic service set."""
    head = bytes([0x88 if qos else 0x08, 0, 0, 0]) + b"\xff" * 6 + b"\x02" + bytes(5) + b"\xff" * 6 + bytes(2)
    llc = (b"\xaa\xaa\x03\x00\x00\x00" if snap else b"") + ethertype.to_bytes(2, "big")
    return head + (b"\x03\x00" if qos else b"") + llc + payload


def radiotap(frame: bytes, checked: bool = True) -> bytes:
    """A radiotap header with time stamp and flags, and the frame's check sequence."""
    body = struct.pack("<QB", 12345, 0x10 if checked else 0)
    return struct.pack("<BBHI", 0, 0, 8 + len(body), 3) + body + frame + (b"\x01\x02\x03\x04" if checked else b"")

"""GeoNetworking single-hop broadcast with BTP-B (EN 302 636-4-1, -5-1) around an ETSI message, inside an Ethernet frame.

Unsecured packets are written and read. Of a secured packet the reader takes the 1609.2 envelope's payload apart but judges nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.link.security.envelope import open_envelope
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.messages import MessageKind

ETHERTYPE = 0x8947
PORT = {
    MessageKind.AWARENESS: 2001,
    MessageKind.EVENT: 2002,
    MessageKind.TOPOLOGY: 2003,
    MessageKind.SIGNAL: 2004,
    MessageKind.ADVICE: 2006,
    MessageKind.PERCEPTION: 2009,
}
"""BTP-B destination ports of TS 103 248."""
_ETHERNET = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x00" + ETHERTYPE.to_bytes(2, "big")


class Position(NamedTuple):
    """Source position vector in wire units of the standard."""

    station: int  # low 48 bits go into the GN address
    milliseconds: int  # since 2004-01-01 TAI, modulo 2**32
    latitude: int  # 0.1 microdegree
    longitude: int
    speed: int = 0  # 0.01 m/s
    heading: int = 0  # 0.1 degree clockwise from north


def frame(payload: bytes, port: int, source: Position) -> bytes:
    """The Ethernet frame of one message to BTP port `port`."""
    basic = bytes([0x11, 0, 0x50, 1])  # version 1, common header next; lifetime 20 x 50 ms, one hop
    body = port.to_bytes(2, "big") + b"\x00\x00" + payload
    common = bytes([0x20, 0x50, 0x02, 0x80]) + len(body).to_bytes(2, "big") + b"\x01\x00"
    address = b"\x14\x00" + (source.station & (1 << 48) - 1).to_bytes(6, "big")
    vector = address + (source.milliseconds & 0xFFFFFFFF).to_bytes(4, "big")
    vector += source.latitude.to_bytes(4, "big", signed=True) + source.longitude.to_bytes(4, "big", signed=True)
    vector += (0x8000 | source.speed & 0x7FFF).to_bytes(2, "big") + (source.heading % 3600).to_bytes(2, "big")
    return _ETHERNET + basic + common + vector + bytes(4) + body


def parse(data: bytes) -> tuple[int, bytes, Position]:
    """(BTP port, message, source) of an Ethernet frame.

    Raises:
        DecodeError: not GeoNetworking over Ethernet, a form other than single-hop or topologically scoped broadcast, or cut short.
    """
    if len(data) < 18 or data[12:14] != ETHERTYPE.to_bytes(2, "big"):
        raise DecodeError("not a GeoNetworking frame")
    at = 14
    following = data[at] & 0x0F
    rest = data[at + 4 :]
    if following == 2:
        rest = open_envelope(rest).payload
    elif following != 1:
        raise DecodeError("a GeoNetworking packet without common header", offset_bits=8 * at)
    if len(rest) < 8:
        raise DecodeError("the common header is cut short", offset_bits=8 * (at + 4))
    kind, size = rest[1] >> 4, int.from_bytes(rest[4:6], "big")
    vector_at = {5: 0, 4: 4}.get(kind, -1)
    if vector_at < 0 or rest[0] >> 4 != 2:
        raise DecodeError("only broadcasts with BTP-B are read", offset_bits=8 * (at + 4))
    vector_at += 8
    header = vector_at + 24 + (4 if kind == 5 and rest[1] & 15 == 0 else 0)
    if kind == 4:
        header = vector_at + 24 + 4 * 4
    body = rest[header : header + size]
    if len(body) < 4 or len(body) < size:
        raise DecodeError("the packet is cut short", offset_bits=8 * len(data))
    v = rest[vector_at : vector_at + 24]
    source = Position(
        int.from_bytes(v[2:8], "big"),
        int.from_bytes(v[8:12], "big"),
        int.from_bytes(v[12:16], "big", signed=True),
        int.from_bytes(v[16:20], "big", signed=True),
        int.from_bytes(v[20:22], "big") & 0x7FFF,
        int.from_bytes(v[22:24], "big"),
    )
    return int.from_bytes(body[:2], "big"), body[4:], source

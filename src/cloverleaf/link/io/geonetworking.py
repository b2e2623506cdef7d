"""GeoNetworking (EN 302 636-4-1) with BTP (EN 302 636-5-1) around an ETSI message, inside an Ethernet frame.

Written: single-hop broadcast with BTP-B, unsecured or signed. Read: every header form, BTP-A and BTP-B, unsecured, signed (IEEE 1609.2
envelopes of TS 103 097 from version 1.3.1 on, and the older binary form up to 1.2.1). Reading judges no signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloverleaf.link.io.security_v1 import OldSecurity, open_old_envelope
from cloverleaf.link.security.payload import payload_of
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.messages import MessageKind

ETHERTYPE = 0x8947
PORT = {
    MessageKind.AWARENESS: 2001,
    MessageKind.EVENT: 2002,
    MessageKind.TOPOLOGY: 2003,
    MessageKind.SIGNAL: 2004,
    MessageKind.PERCEPTION: 2009,
}
"""BTP destination ports of message kinds; speed advice is no ETSI message and has none."""
PORT_OF_TYPE = {"cam": 2001, "denm": 2002, "mapem": 2003, "spatem": 2004, "ivim": 2006, "srem": 2007, "ssem": 2008,
                "cpm": 2009, "rtcmem": 2013, "vam": 2018}  # fmt: skip
"""Message of the catalog -> BTP destination port (TS 103 248)."""
_ETHERNET = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x00" + ETHERTYPE.to_bytes(2, "big")
_TRANSPORT = {1: "btp-a", 2: "btp-b", 3: "ipv6"}
_FORMS = {1: "beacon", 2: "geounicast", 3: "geoanycast", 4: "geobroadcast", 5: "topobroadcast", 6: "location service"}
_EXTENDED = {1: 24, 2: 48, 3: 44, 4: 44, 5: 28, 6: 48}
"""Bytes of the extended header per header type; a location service request has 36."""
_SEQUENCED = (2, 3, 4)
"""Header types whose source position stands behind a sequence number; multi-hop broadcast and location service too."""


class Position(NamedTuple):
    """Source position vector in wire units of the standard."""

    station: int  # low 48 bits go into the GN address
    milliseconds: int  # since 2004-01-01 TAI, modulo 2**32
    latitude: int  # 0.1 microdegree
    longitude: int
    speed: int = 0  # 0.01 m/s
    heading: int = 0  # 0.1 degree clockwise from north


class GeoPacket(NamedTuple):
    """A GeoNetworking packet taken apart."""

    form: str  # of the header
    transport: str  # btp-a, btp-b, ipv6 or empty
    port: int  # BTP destination port, 0 without BTP
    payload: bytes  # behind the transport header
    source: Position
    secured: bytes  # the 1609.2 envelope around the packet, empty without
    old_security: OldSecurity | None  # the envelope of TS 103 097 up to 1.2.1, if that is how it is secured
    cut: bool  # fewer bytes than the header announces


def packet(payload: bytes, port: int, source: Position, seal: Callable[[bytes], bytes] | None = None) -> bytes:
    """The GeoNetworking packet of one message to BTP port `port`; `seal` signs common header to payload."""
    body = port.to_bytes(2, "big") + b"\x00\x00" + payload
    common = bytes([0x20, 0x50, 0x02, 0x80]) + len(body).to_bytes(2, "big") + b"\x01\x00"
    address = b"\x14\x00" + (source.station & (1 << 48) - 1).to_bytes(6, "big")
    vector = address + (source.milliseconds & 0xFFFFFFFF).to_bytes(4, "big")
    vector += source.latitude.to_bytes(4, "big", signed=True) + source.longitude.to_bytes(4, "big", signed=True)
    vector += (0x8000 | source.speed & 0x7FFF).to_bytes(2, "big") + (source.heading % 3600).to_bytes(2, "big")
    rest = common + vector + bytes(4) + body
    following = 2 if seal else 1
    basic = bytes([0x10 | following, 0, 0x50, 1])  # version 1, what follows; lifetime 20 x 50 ms, one hop
    return basic + (seal(rest) if seal else rest)


def frame(payload: bytes, port: int, source: Position, seal: Callable[[bytes], bytes] | None = None) -> bytes:
    """The Ethernet frame of one message; see `packet`."""
    return _ETHERNET + packet(payload, port, source, seal)


def parse(data: bytes) -> tuple[int, bytes, Position]:
    """(BTP port, message, source) of an Ethernet frame.

    Raises:
        DecodeError: not GeoNetworking over Ethernet, without BTP, or cut short.
    """
    if len(data) < 18 or data[12:14] != ETHERTYPE.to_bytes(2, "big"):
        raise DecodeError("not a GeoNetworking frame")
    found = dissect(data[14:])
    if found.cut:
        raise DecodeError("the packet is cut short", offset_bits=8 * len(data))
    if not found.transport.startswith("btp"):
        raise DecodeError(f"a {found.form} packet without BTP")
    return found.port, found.payload, found.source


def dissect(data: bytes) -> GeoPacket:
    """Take a packet apart from its basic header on; DecodeError for what is none."""
    if len(data) < 8 or data[0] >> 4 > 1 or (data[2] == 0 and data[3] == 0):
        raise DecodeError("not a GeoNetworking basic header")
    following, rest = data[0] & 0x0F, data[4:]
    if following == 1:
        return _common(rest, b"", None)
    if following != 2:
        raise DecodeError("a GeoNetworking packet without common header")
    if rest[:1] == b"\x03":
        return _common(payload_of(rest), rest, None)
    old = open_old_envelope(rest)
    return _common(old.payload, b"", old)


def _common(rest: bytes, secured: bytes, old: OldSecurity | None) -> GeoPacket:
    if len(rest) < 8:
        raise DecodeError("the common header is cut short")
    kind, subtype, size = rest[1] >> 4, rest[1] & 15, int.from_bytes(rest[4:6], "big")
    if kind not in _EXTENDED or rest[0] >> 4 > 3:
        raise DecodeError("a GeoNetworking header type that is not known")
    length = 36 if (kind, subtype) == (6, 0) else _EXTENDED[kind]
    sequenced = kind in _SEQUENCED or kind == 6 or (kind == 5 and subtype == 1)
    vector = rest[12 if sequenced else 8 :][:24]
    if len(vector) < 24 or len(rest) < 8 + length:
        raise DecodeError("the extended header is cut short", offset_bits=8 * len(rest))
    source = Position(
        int.from_bytes(vector[2:8], "big"),
        int.from_bytes(vector[8:12], "big"),
        int.from_bytes(vector[12:16], "big", signed=True),
        int.from_bytes(vector[16:20], "big", signed=True),
        int.from_bytes(vector[20:22], "big") & 0x7FFF,
        int.from_bytes(vector[22:24], "big"),
    )
    body = rest[8 + length :][:size]
    transport = _TRANSPORT.get(rest[0] >> 4, "")
    port = 0
    cut = len(body) < size
    if transport.startswith("btp"):
        if len(body) < 4:
            raise DecodeError("the BTP header is cut short", offset_bits=8 * len(rest))
        port, body = int.from_bytes(body[:2], "big"), body[4:]
    form = _FORMS[kind] if kind != 5 or subtype else "single-hop broadcast"
    return GeoPacket(form, transport, port, body, source, secured, old, cut)

"""From a captured frame to (EtherType, payload): Ethernet, Linux cooked captures, 802.11, IP with UDP."""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.link.io import ieee80211
from cloverleaf.types.errors import DecodeError

ETHERNET, IEEE80211, RADIOTAP, PPI, SLL, SLL2, USER0 = 1, 105, 127, 192, 113, 276, 147
_NULL, _LOOP, _RAW, _IPV4, _IPV6 = 0, 108, 101, 228, 229
_RAW_TWINS = (12, 14)
_VLAN = (0x8100, 0x88A8)
_UDP = 17


class Carried(NamedTuple):
    """What a frame carries."""

    ethertype: int  # -1: unknown, no link header
    payload: bytes
    layers: tuple[str, ...]
    port: int = 0  # UDP destination port


def unframe(link_type: int, data: bytes) -> Carried:
    """Take the link header off.

    Raises:
        DecodeError: a frame without data, cut short, or of a kind that carries no messages.
    """
    if link_type == ETHERNET:
        return _ethernet(data)
    if link_type == RADIOTAP:
        return Carried(*ieee80211.strip_mac(ieee80211.strip_radiotap(data)), ("radiotap", "802.11"))
    if link_type == IEEE80211:
        return Carried(*ieee80211.strip_mac(data), ("802.11",))
    if link_type == PPI:
        inner, rest = ieee80211.strip_ppi(data)
        carried = unframe(inner if inner != PPI else USER0, rest)
        return carried._replace(layers=("ppi", *carried.layers))
    if link_type == SLL:
        return _following(int.from_bytes(data[14:16], "big"), data[16:], ("cooked",))
    if link_type == SLL2:
        return _following(int.from_bytes(data[:2], "big"), data[20:], ("cooked",))
    if link_type in (_NULL, _LOOP):
        return _ip(data[4:], ("loopback",))
    if link_type in (_RAW, _IPV4, _IPV6, *_RAW_TWINS):
        return _ip(data, ())
    return Carried(-1, data, ())


def _ethernet(data: bytes) -> Carried:
    if len(data) < 14:
        raise DecodeError("the Ethernet header is cut short")
    at = 12
    while int.from_bytes(data[at : at + 2], "big") in _VLAN:
        at += 4
    kind = int.from_bytes(data[at : at + 2], "big")
    if kind < 0x600:
        return Carried(*ieee80211.strip_llc(data[at + 2 : at + 2 + kind]), ("ethernet",))
    return _following(kind, data[at + 2 :], ("ethernet",))


def _following(kind: int, payload: bytes, layers: tuple[str, ...]) -> Carried:
    return _ip(payload, layers) if kind in (0x0800, 0x86DD) else Carried(kind, payload, layers)


def _ip(data: bytes, layers: tuple[str, ...]) -> Carried:
    """The datagram in an IP packet; what is not UDP carries no message."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        protocol, at, end = data[9], (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
        if int.from_bytes(data[6:8], "big") & 0x1FFF:
            raise DecodeError("a later fragment of an IP packet")
    elif version == 6 and len(data) >= 40:
        protocol, at, end = data[6], 40, 40 + int.from_bytes(data[4:6], "big")
    else:
        raise DecodeError("neither IPv4 nor IPv6")
    if protocol != _UDP or at + 8 > len(data):
        raise DecodeError(f"an IP packet of protocol {protocol}, not UDP")
    return Carried(-1, data[at + 8 : max(end, at + 8)], (*layers, f"ipv{version}", "udp"),
                   int.from_bytes(data[at + 2 : at + 4], "big"))  # fmt: skip


def datagram(payload: bytes, port: int) -> bytes:
    """An Ethernet frame with the payload as UDP over IPv4, from and to documentation addresses (RFC 5737)."""
    total = 28 + len(payload)
    head = bytes([0x45, 0]) + total.to_bytes(2, "big") + bytes([0, 0, 0x40, 0, 64, _UDP, 0, 0])
    head += bytes([192, 0, 2, 1, 192, 0, 2, 2])
    check = sum(int.from_bytes(head[i : i + 2], "big") for i in range(0, 20, 2))
    check = ~(check % 0xFFFF or 0xFFFF) & 0xFFFF
    head = head[:10] + check.to_bytes(2, "big") + head[12:]
    ports = port.to_bytes(2, "big") * 2
    return bytes(12) + b"\x08\x00" + head + ports + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload

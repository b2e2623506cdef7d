"""The capture frame of one message by its standard: ETSI over GeoNetworking, SAE over WSMP, CSAE over DSMP, all inside Ethernet or bare."""

from __future__ import annotations

from collections.abc import Callable

from cloverleaf.link.io import dsmp, geonetworking, wsmp
from cloverleaf.link.io.link_layer import ETHERNET, USER0
from cloverleaf.link.security.applications import application_of
from cloverleaf.types.errors import InputError, nearest

_WAVE_HEADER = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x00" + wsmp.ETHERTYPE.to_bytes(2, "big")


def link_type_of(standard: str) -> int:
    """Link type of a capture of this standard; Chinese short messages have no registered one."""
    return USER0 if standard.startswith("csae") else ETHERNET


def framed(
    payload: bytes,
    standard: str,
    name: str,
    source: geonetworking.Position,
    seal: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """The frame of a message, signed by `seal` where the standard signs: the ETSI packet, or the message itself.

    Raises:
        InputError: the message has no port or application identifier.
    """
    if standard == "etsi":
        short = name.removesuffix("_r2")
        ports = geonetworking.PORT_OF_TYPE
        if short not in ports:
            raise InputError(f"no BTP port of '{name}'", element="--type", hint=nearest(name, ports))
        return geonetworking.frame(payload, ports[short], source, seal)
    identifier = application_of(standard, name)
    data = seal(payload) if seal else payload
    return short_message(data, standard, identifier)


def short_message(data: bytes, standard: str, identifier: int) -> bytes:
    """The frame of a CSAE or SAE message under its application identifier."""
    return dsmp.frame(data, identifier) if standard.startswith("csae") else _WAVE_HEADER + wsmp.frame(data, identifier)

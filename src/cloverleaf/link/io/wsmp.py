"""WAVE short messages (IEEE 1609.3): version 3 (2016 and later) written and read, versions 1 and 2 (2010) read.

Version 3: subtype (4 bits), option bit, version (3 bits); extension elements if the option bit is set; TPID; for TPID 0 and 1 the PSID,
with 1 further extension elements; length in one or two bytes; the message. Version 2: version, PSID, elements until the
WSMP element (128 to 130), two bytes of length, the message.
"""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.link.io.dsmp import skip_elements
from cloverleaf.link.io.p_encoding import encode_identifier, read_identifier
from cloverleaf.types.errors import DecodeError

ETHERTYPE = 0x88DC
PSID = {0x20: "bsm", 0x27: "psm", 0x80: "rtcm", 0x82: "spat map", 0x83: "tim", 0x87: "wsa",
        0x4080: "ssm", 0x204095: "ssm", 0x204096: "srm", 0x8F: "tim"}  # fmt: skip
"""What PSIDs of North American deployments usually carry (catalog names, blank-separated)."""
_VERSION, _OPTION = 3, 0x08
_MESSAGE_ELEMENTS = (128, 129, 130)


class ShortMessage(NamedTuple):
    """A WAVE short message taken apart."""

    version: int
    psid: int
    payload: bytes
    cut: bool  # fewer bytes than the header announces


def frame(payload: bytes, psid: int) -> bytes:
    """A version 3 short message of a PSID, without extensions."""
    size = len(payload)
    length = bytes([size]) if size < 0x80 else (0x8000 | size).to_bytes(2, "big")
    return bytes([_VERSION, 0]) + encode_identifier(psid) + length + payload


def parse(data: bytes) -> ShortMessage:
    """Take a short message apart; DecodeError for what is none."""
    if len(data) < 4:
        raise DecodeError("a WAVE short message is longer")
    version = data[0] & 0x07
    if version == _VERSION:
        return _parse3(data)
    if data[0] in (1, 2):
        return _parse2(data)
    raise DecodeError(f"WAVE short messages of version {version} are not known")


def _parse3(data: bytes) -> ShortMessage:
    at = 1
    if data[0] & _OPTION:
        at = skip_elements(data, at)
    if at >= len(data) or data[at] > 1:
        raise DecodeError("a WAVE transport form that carries no PSID", offset_bits=8 * at)
    more, at = data[at], at + 1
    psid, at = read_identifier(data, at)
    if more:
        at = skip_elements(data, at)
    if at >= len(data):
        raise DecodeError("the length is cut short", offset_bits=8 * at)
    if data[at] < 0x80:
        size, at = data[at], at + 1
    else:
        size, at = int.from_bytes(data[at : at + 2], "big") & 0x3FFF, at + 2
    payload = data[at : at + size]
    return ShortMessage(3, psid, payload, len(payload) < size)


def _parse2(data: bytes) -> ShortMessage:
    psid, at = read_identifier(data, 1)
    while at + 2 <= len(data) and data[at] not in _MESSAGE_ELEMENTS:
        at += 2 + data[at + 1]
    if at + 3 > len(data):
        raise DecodeError("no WSMP element", offset_bits=8 * at)
    size = int.from_bytes(data[at + 1 : at + 3], "big")
    payload = data[at + 3 : at + 3 + size]
    return ShortMessage(data[0], psid, payload, len(payload) < size)

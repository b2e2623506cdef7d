"""JT/T 808-style terminals: location reports (0x0200) in, general acknowledgements (0x8001) out.

Frame: 7E, header, body, XOR checksum, 7E; inside, 7D 02 stands for 7E and 7D 01 for 7D. Both header forms are read: of 2013 (phone of
6 BCD bytes) and, by bit 14 of the properties, of 2019 (version byte, phone of 10). Times are Beijing time. Written from memory of the
standard; split messages are not put together.
"""

from __future__ import annotations

import calendar
import struct

from cloverleaf.cloud.gateways import Report
from cloverleaf.types.errors import DecodeError

MARK, ESCAPE = 0x7E, 0x7D
LOCATION, ACKNOWLEDGE = 0x0200, 0x8001
BEIJING = 8 * 3600
MOST = 4096


def checksum(data: bytes) -> int:
    """XOR over all bytes."""
    value = 0
    for byte in data:
        value ^= byte
    return value


def pack(message: int, phone: str, serial: int, body: bytes, *, edition: int = 2019) -> bytes:
    """A frame."""
    if edition == 2019:
        head = struct.pack(">HHB", message, 0x4000 | len(body), 1) + bytes.fromhex(phone.rjust(20, "0"))
    else:
        head = struct.pack(">HH", message, len(body)) + bytes.fromhex(phone.rjust(12, "0"))
    raw = head + struct.pack(">H", serial) + body
    raw += bytes([checksum(raw)])
    return b"\x7e" + raw.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def read(inner: bytes) -> tuple[int, str, int, bytes, int]:
    """(message, phone, serial, body, edition) of what stands between two marks.

    Raises:
        DecodeError: anything else.
    """
    raw = bytearray()
    at = 0
    while at < len(inner):
        byte = inner[at]
        if byte == ESCAPE:
            at += 1
            if at >= len(inner) or inner[at] not in (1, 2):
                raise DecodeError("an escape of nothing", offset_bits=8 * at)
            byte = 0x7D if inner[at] == 1 else 0x7E
        raw.append(byte)
        at += 1
    if len(raw) < 13 or checksum(bytes(raw[:-1])) != raw[-1]:
        raise DecodeError("too short, or the checksum does not fit")
    message, properties = struct.unpack_from(">HH", raw)
    edition = 2019 if properties & 0x4000 else 2013
    first, digits = (5, 10) if edition == 2019 else (4, 6)
    body = bytes(raw[first + digits + 2 : -1])
    if properties & 0x2000 or len(body) != properties & 0x3FF:
        raise DecodeError("a split message, or a body of the wrong length")
    phone = bytes(raw[first : first + digits]).hex().lstrip("0") or "0"
    (serial,) = struct.unpack_from(">H", raw, first + digits)
    return message, phone, serial, body, edition


def location(phone: str, body: bytes) -> Report:
    """The report in the body of a location message; DecodeError where it is none."""
    if len(body) < 28:
        raise DecodeError("a location report cut short")
    _, status, latitude, longitude, _, speed, bearing = struct.unpack_from(">IIIIHHH", body)
    text = body[22:28].hex()
    if not text.isdigit() or not status & 2:
        raise DecodeError("no position fix, or a time that is none")
    year, month, day, hour, minute, second = (int(text[i : i + 2]) for i in range(0, 12, 2))
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        raise DecodeError("a time that is none")
    time = calendar.timegm((2000 + year, month, day, hour, minute, second)) - BEIJING
    if latitude > 90_000_000 or longitude > 180_000_000 or bearing >= 360:
        raise DecodeError("a place that is none")
    south, west = (-1.0 if status & 4 else 1.0), (-1.0 if status & 8 else 1.0)
    return Report(phone, float(time), south * latitude * 1e-6, west * longitude * 1e-6, speed / 36.0, float(bearing))


class Jt808:
    """One terminal's connection."""

    name = "jt808"

    def __init__(self) -> None:
        self.broken = 0
        self._buffer = b""

    def feed(self, data: bytes) -> tuple[list[Report], bytes]:
        """Bytes in; reports, and acknowledgements to send."""
        self._buffer += data
        *whole, self._buffer = self._buffer.split(b"\x7e")
        if len(self._buffer) > MOST:
            self._buffer = b""
            self.broken += 1
        reports, answer = [], b""
        for inner in whole:
            if not inner:
                continue
            try:
                message, phone, serial, body, edition = read(inner)
            except DecodeError:
                self.broken += 1
                continue
            result = 0
            if message == LOCATION:
                try:
                    reports.append(location(phone, body))
                except DecodeError:
                    self.broken += 1
                    result = 2
            answer += pack(ACKNOWLEDGE, phone, 0, struct.pack(">HHB", serial, message, result), edition=edition)
        return reports, answer

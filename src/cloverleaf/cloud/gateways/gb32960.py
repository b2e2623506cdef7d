"""GB/T 32960-style vehicle reports: real-time data (0x02, 0x03) with position and speed in, acknowledgements out.

Frame: "##", command, answer flag, VIN of 17, encryption, length u2, data, XOR. Data: six bytes of Beijing time, then units of a type
byte and fixed length. Written from memory of the 2016 edition; a unit of unknown length ends the reading of its report.
"""

from __future__ import annotations

import calendar
import math
import struct

from cloverleaf.cloud.gateways import Report
from cloverleaf.cloud.gateways.jt808 import BEIJING, checksum
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.state import Kind

HEAD = 24
VEHICLE, ENGINE, POSITION, EXTREMES = 0x01, 0x04, 0x05, 0x06
_LENGTH = {VEHICLE: 20, ENGINE: 5, POSITION: 9, EXTREMES: 14}
SUCCESS, FAILURE, COMMAND = 0x01, 0x02, 0xFE


def pack(command: int, vin: str, data: bytes, answer: int = COMMAND) -> bytes:
    """A frame."""
    body = (
        bytes([command, answer])
        + vin.encode("ascii").ljust(17, b"0")[:17]
        + b"\x01"
        + struct.pack(">H", len(data))
        + data
    )
    return b"##" + body + bytes([checksum(body)])


def report(vin: str, data: bytes, before: Report | None = None) -> Report:
    """The report in real-time data; the bearing is that from the report `before`. DecodeError where there is no position."""
    if len(data) < 6:
        raise DecodeError("data cut short")
    year, month, day, hour, minute, second = data[:6]
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        raise DecodeError("a time that is none")
    time = float(calendar.timegm((2000 + year, month, day, hour, minute, second)) - BEIJING)
    at, speed, place = 6, math.nan, None
    while at < len(data):
        size = _LENGTH.get(data[at])
        if data[at] == 0x02 and at + 1 < len(data):
            size = 1 + 12 * data[at + 1]  # drive motors
        if size is None or at + 1 + size > len(data):
            break
        unit = data[at + 1 : at + 1 + size]
        if data[at] == VEHICLE:
            (raw,) = struct.unpack_from(">H", unit, 3)
            speed = raw / 36.0 if raw <= 2200 else math.nan
        elif data[at] == POSITION:
            state, longitude, latitude = struct.unpack(">BII", unit)
            if not state & 1 and latitude <= 90_000_000 and longitude <= 180_000_000:
                place = (-1e-6 if state & 2 else 1e-6) * latitude, (-1e-6 if state & 4 else 1e-6) * longitude
        at += 1 + size
    if place is None:
        raise DecodeError("no valid position")
    bearing = math.nan
    if before is not None:
        north = place[0] - before.latitude
        east = (place[1] - before.longitude) * math.cos(math.radians(place[0]))
        bearing = math.degrees(math.atan2(east, north)) % 360.0 if math.hypot(north, east) > 1e-5 else before.bearing
    return Report(vin, time, *place, 0.0 if math.isnan(speed) else speed, bearing, int(Kind.CAR))


class Gb32960:
    """One vehicle's or fleet server's connection."""

    name = "gb32960"

    def __init__(self) -> None:
        self.broken = 0
        self._buffer = b""
        self._last: dict[str, Report] = {}

    def feed(self, data: bytes) -> tuple[list[Report], bytes]:
        """Bytes in; reports, and acknowledgements to send."""
        self._buffer += data
        reports: list[Report] = []
        answer = b""
        while True:
            begin = self._buffer.find(b"##")
            if begin < 0:
                self.broken += len(self._buffer) > 1
                self._buffer = self._buffer[-1:]
                return reports, answer
            self.broken += begin > 0
            self._buffer = self._buffer[begin:]
            if len(self._buffer) < HEAD + 1:
                return reports, answer
            (size,) = struct.unpack_from(">H", self._buffer, 22)
            if len(self._buffer) < HEAD + size + 1:
                return reports, answer
            body = self._buffer[2 : HEAD + size]
            if checksum(body) != self._buffer[HEAD + size] or body[19] != 1:
                self.broken += 1  # damaged, or encrypted: look for the next start
                self._buffer = self._buffer[2:]
                continue
            self._buffer = self._buffer[HEAD + size + 1 :]
            vin = body[2:19].decode("ascii", "replace").rstrip("0")
            result = SUCCESS
            if body[0] in (0x02, 0x03):
                try:
                    found = report(vin, body[22:], self._last.get(vin))
                    self._last[vin] = found
                    reports.append(found)
                except DecodeError:
                    self.broken += 1
                    result = FAILURE
            answer += pack(body[0], vin, body[22:28], result)

"""A controller behind byte frames in the manner of GB/T 20999: query and set, with sequence number and checksum.

Frame: 7E, content, 7D; inside, 7E 7D 5C are escaped by a 5C in front. Content: version, controller u2, sequence u1, type u1, object
u1, length u1, data, CRC-16 (X.25) over all before it; big endian. Field numbers are our own: the standard's tables were not at hand.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple

from cloverleaf.road.controller import Controller, ControllerStatus
from cloverleaf.types.errors import DecodeError

START, END, ESCAPE = 0x7E, 0x7D, 0x5C
VERSION = 1
QUERY, SET, ANSWER, REFUSED = 0x10, 0x20, 0x11, 0x12
STATUS, STAGE = 0x01, 0x02
_LETTERS = "rygGusoO"
_UNKNOWN = 0xFFFF


class Frame(NamedTuple):
    """One frame's content."""

    controller: int
    sequence: int
    kind: int
    item: int
    data: bytes


def crc16(data: bytes) -> int:
    """CRC-16/X.25."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xFFFF


def pack(frame: Frame) -> bytes:
    """A frame as bytes on the line."""
    body = (
        struct.pack(">BHBBBB", VERSION, frame.controller, frame.sequence, frame.kind, frame.item, len(frame.data))
        + frame.data
    )
    body += struct.pack(">H", crc16(body))
    escaped = bytearray()
    for byte in body:
        if byte in (START, END, ESCAPE):
            escaped.append(ESCAPE)
        escaped.append(byte)
    return bytes((START, *escaped, END))


def read(data: bytes) -> Frame:
    """The frame in bytes from start to end mark.

    Raises:
        DecodeError: anything else.
    """
    if len(data) < 4 or data[0] != START or data[-1] != END:
        raise DecodeError("not a frame from start to end mark", offset_bits=0)
    body, escaped = bytearray(), False
    for at, byte in enumerate(data[1:-1], 1):
        if not escaped and byte == ESCAPE:
            escaped = True
        elif not escaped and byte in (START, END):
            raise DecodeError("a mark inside a frame", offset_bits=8 * at)
        else:
            body.append(byte)
            escaped = False
    if escaped or len(body) < 9 or body[0] != VERSION or len(body) != 9 + body[6]:
        raise DecodeError("a frame of the wrong length or version", offset_bits=8)
    if crc16(bytes(body[:-2])) != int.from_bytes(body[-2:], "big"):
        raise DecodeError("the checksum does not fit", offset_bits=8 * len(data) - 24)
    _, controller, sequence, kind, item, _ = struct.unpack_from(">BHBBBB", body)
    return Frame(controller, sequence, kind, item, bytes(body[7:-2]))


class GbController:
    """The client's side: `Controller` over `exchange(bytes) -> bytes`."""

    def __init__(self, exchange: Callable[[bytes], bytes], controller: int) -> None:
        self.exchange, self.controller, self._sequence = exchange, controller, 0

    def _ask(self, kind: int, item: int, data: bytes = b"") -> bytes:
        self._sequence = (self._sequence + 1) & 0xFF
        answer = read(self.exchange(pack(Frame(self.controller, self._sequence, kind, item, data))))
        if (answer.controller, answer.sequence, answer.item) != (self.controller, self._sequence, item):
            raise DecodeError("an answer to another question")
        if answer.kind != ANSWER:
            raise DecodeError("the controller refuses")
        return answer.data

    def status(self, t: float) -> ControllerStatus:
        """Query what it shows; DecodeError where the answer cannot be."""
        data = self._ask(QUERY, STATUS)
        if len(data) < 9 or len(data) != 9 + data[8] or any(b >= len(_LETTERS) for b in data[9:]):
            raise DecodeError("a status that is none")
        phase, following, *left = struct.unpack_from(">BBHHH", data)
        least, likely, most = (math.nan if v == _UNKNOWN else t + 0.1 * v for v in left)
        letters = "".join(_LETTERS[b] for b in data[9:]).encode()
        return ControllerStatus(letters, phase, least, likely, most, -1 if following == 0xFF else following)

    def ask(self, phase: int, t: float) -> None:
        """Set the stage wanted."""
        self._ask(SET, STAGE, bytes([phase]))


class GbAgent:
    """The cabinet's side over a controller; `time` is set by whoever runs it."""

    def __init__(self, controller: Controller, number: int) -> None:
        self.controller, self.number, self.time = controller, number, 0.0

    def answer(self, data: bytes) -> bytes:
        """The answer to one frame; broken ones get none (empty)."""
        try:
            q = read(data)
        except DecodeError:
            return b""
        if q.controller != self.number:
            return b""
        if (q.kind, q.item) == (QUERY, STATUS):
            return pack(Frame(q.controller, q.sequence, ANSWER, q.item, self._status()))
        if (q.kind, q.item) == (SET, STAGE) and len(q.data) == 1:
            self.controller.ask(q.data[0], self.time)
            return pack(Frame(q.controller, q.sequence, ANSWER, q.item, b""))
        return pack(Frame(q.controller, q.sequence, REFUSED, q.item, b""))

    def _status(self) -> bytes:
        s = self.controller.status(self.time)
        ends = [e - self.time for e in (s.min_end, s.likely_end, s.max_end)]
        left = [_UNKNOWN if math.isnan(e) else min(max(round(e * 10), 0), 0xFFFE) for e in ends]
        head = struct.pack(">BBHHHB", s.phase, s.next_phase & 0xFF, *left, len(s.letters))
        return head + bytes(_LETTERS.index(c) for c in s.letters.decode())

"""Frames: some milliseconds' worth of wire messages of one source and one tile, as one binary message of the broker.

Layout, little endian: 40 bytes of header (`HEADER`), then per message its kind (u1), its trust (u1) and its size (u2), then the
bytes of all messages. A frame is known by (source, epoch, sequence): a second copy is recognised wherever it turns up.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from cloverleaf.types.errors import DecodeError
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import I64, U8

HEADER = struct.Struct("<4sBBBBqIQdI")
"""magic, version, standard, flags, reserved, tile, epoch, sequence, time, count."""
MAGIC, VERSION = b"CLVF", 1
STANDARDS = ("csae_day1", "csae_day2", "etsi")
MAX_MESSAGES = 65_536
MAX_MESSAGE_BYTES = 8_192
"""A longer message is none of the supported sets; with its signature a full SSM has less."""
ADDRESSED = 2
"""Flag: behind the sizes stands the station (i8) that each message is for."""
SIMULATED = 1
"""Flag: the source's clock is a simulation's; times count relative to the frame's own."""


class Trust(IntEnum):
    """What is known about a message's signature."""

    UNSIGNED = 0
    SIGNED = 1  # the bytes are a signed envelope that nobody has checked yet
    VERIFIED = 2  # checked by the sender of the frame, who took the envelope off


class Frame(NamedTuple):
    """Messages of one source; message i is `buffer[start[i]:start[i + 1]]`."""

    standard: str
    tile: int  # geo cell that all senders in it are in, -1 unknown; of the platform's own: first sequence that it answers, -1 none
    epoch: int  # s since 1970 at which the source started
    sequence: int
    time: float  # s since 1970, the source's clock at sending
    kind: U8  # (n,) MessageKind
    trust: U8  # (n,) Trust
    buffer: U8
    start: I64  # (n + 1,)
    flags: int = 0
    station: I64 | None = None  # (n,) addressees, with ADDRESSED


def pack_frame(frame: Frame) -> bytes:
    """The frame as bytes. Sizes beyond `MAX_MESSAGE_BYTES` raise ValueError: cut them off before."""
    size = np.diff(frame.start)
    if len(size) > MAX_MESSAGES or (len(size) and int(size.max()) > MAX_MESSAGE_BYTES):
        raise ValueError("a frame of too many or too long messages")
    flags = frame.flags | (0 if frame.station is None else ADDRESSED)
    head = HEADER.pack(
        MAGIC, VERSION, STANDARDS.index(frame.standard), flags, 0, frame.tile, frame.epoch, frame.sequence, frame.time, len(size)
    )  # fmt: skip
    return b"".join(
        (
            head,
            frame.kind.astype(np.uint8).tobytes(),
            frame.trust.astype(np.uint8).tobytes(),
            size.astype("<u2").tobytes(),
            b"" if frame.station is None else frame.station.astype("<i8").tobytes(),
            frame.buffer[frame.start[0] : frame.start[-1]].tobytes(),
        )
    )


def read_frame(data: bytes) -> Frame:
    """Take a frame apart; arrays are views of `data`.

    Raises:
        DecodeError: anything that is not exactly one frame.
    """
    if len(data) < HEADER.size:
        raise DecodeError("a frame shorter than its header", offset_bits=8 * len(data))
    magic, version, standard, flags, _, tile, epoch, sequence, time, count = HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION:
        raise DecodeError("not a frame of this version", offset_bits=0)
    if standard >= len(STANDARDS):
        raise DecodeError(f"no message set has number {standard}", offset_bits=40)
    if not 0.0 < time < 1e11:
        raise DecodeError("a time that is none", offset_bits=224)
    lists = HEADER.size + 4 * count
    body = lists + (8 * count if flags & ADDRESSED else 0)
    if count > MAX_MESSAGES or len(data) < body:
        raise DecodeError("a frame cut short", offset_bits=8 * len(data))
    kind = np.frombuffer(data, np.uint8, count, HEADER.size)
    trust = np.frombuffer(data, np.uint8, count, HEADER.size + count)
    size = np.frombuffer(data, "<u2", count, HEADER.size + 2 * count)
    if count and (int(kind.max()) >= len(MessageKind) or int(trust.max()) >= len(Trust)):
        raise DecodeError("a kind or trust that does not exist", offset_bits=8 * HEADER.size)
    if count and int(size.max()) > MAX_MESSAGE_BYTES:
        raise DecodeError("an oversized message", offset_bits=8 * (HEADER.size + 2 * count))
    start = np.zeros(count + 1, np.int64)
    np.cumsum(size, out=start[1:])
    if len(data) != body + int(start[-1]):
        raise DecodeError("a frame whose length is not the sum of its messages", offset_bits=8 * len(data))
    buffer = np.frombuffer(data, np.uint8, int(start[-1]), body)
    station = np.frombuffer(data, "<i8", count, lists) if flags & ADDRESSED else None
    return Frame(STANDARDS[standard], tile, epoch, sequence, time, kind, trust, buffer, start, flags, station)


def identity(source: str, frame: Frame) -> str:
    """The name under which the broker and the lake recognise a second copy of a frame."""
    return f"{source}:{frame.epoch}:{frame.sequence}"

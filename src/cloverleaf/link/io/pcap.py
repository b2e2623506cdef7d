"""Packet captures (classic pcap): write what was on the air so that Wireshark dissects it, read captures of others."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from cloverleaf.link.io import dsmp, geonetworking
from cloverleaf.types.errors import DecodeError, InputError
from cloverleaf.types.messages import MessageKind, WireBatch

ETHERNET, USER0 = 1, 147
"""Link types: ETSI frames are Ethernet, Chinese short messages have no registered type."""
_MAGIC = {b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\xc3\xd4": (">", 1e-6), b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
          b"\xa1\xb2\x3c\x4d": (">", 1e-9)}  # fmt: skip
_LARGEST = 1 << 18


class Packet(NamedTuple):
    """One captured frame."""

    time: float  # s since 1970
    data: bytes
    link_type: int


class Message(NamedTuple):
    """One V2X message out of a capture."""

    time: float  # s since 1970
    application: int  # BTP port (ETSI) or application identifier (CSAE)
    payload: bytes
    link_type: int


class Writer:
    """Writes a capture; use as a context manager. `standard` names starting with "etsi" get GeoNetworking, others the short header.

    `place(x, y)` turns ENU metres into (latitude, longitude) in degrees; it fills the source position of ETSI packets. Messages that
    the bus signed are written as they are: it signs messages, not packets.
    """

    def __init__(
        self,
        path: str | Path,
        standard: str,
        clock: float,
        place: Callable[[float, float], tuple[float, float]] | None = None,
    ) -> None:
        self.etsi, self.clock, self.place = standard.startswith("etsi"), clock, place
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 - closed by __exit__
        link = ETHERNET if self.etsi else USER0
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _LARGEST, link))

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, wire: WireBatch) -> None:
        """Append all messages of a batch at their generation time."""
        for i in range(len(wire.kind)):
            payload = wire.buffer[wire.start[i] : wire.start[i + 1]].tobytes()
            kind, when = MessageKind(int(wire.kind[i])), self.clock + float(wire.time[i])
            if self.etsi:
                latitude, longitude = self.place(float(wire.x[i]), float(wire.y[i])) if self.place else (0.0, 0.0)
                milliseconds = round((when - 1_072_915_195.0) * 1000)
                source = geonetworking.Position(
                    int(wire.station[i]), milliseconds, round(latitude * 1e7), round(longitude * 1e7)
                )
                data = geonetworking.frame(payload, geonetworking.PORT[kind], source)
            else:
                data = dsmp.frame(payload, dsmp.AID[kind])
            micro = round(when * 1e6)
            self._file.write(struct.pack("<IIII", micro // 1_000_000, micro % 1_000_000, len(data), len(data)) + data)


def packets(path: str | Path) -> Iterator[Packet]:
    """Frames of a capture in file order.

    Raises:
        InputError: not a classic pcap file, or cut short.
    """
    raw = Path(path).read_bytes()
    if raw[:4] not in _MAGIC:
        hint = "convert pcapng with `editcap -F pcap in out`" if raw[:4] == b"\x0a\x0d\x0d\x0a" else ""
        raise InputError("not a pcap file", file=path, hint=hint)
    order, unit = _MAGIC[raw[:4]]
    if len(raw) < 24:
        raise InputError("the file header is cut short", file=path)
    link_type = struct.unpack(order + "I", raw[20:24])[0] & 0xFFFF
    at, number = 24, 0
    while at < len(raw):
        number += 1
        if at + 16 > len(raw):
            raise InputError("a record is cut short", file=path, element=f"packet {number}")
        seconds, fraction, size, _ = struct.unpack(order + "IIII", raw[at : at + 16])
        at += 16
        if size > _LARGEST or at + size > len(raw):
            raise InputError("a record is cut short or of impossible size", file=path, element=f"packet {number}")
        yield Packet(seconds + fraction * unit, raw[at : at + size], link_type)
        at += size


def messages(path: str | Path) -> Iterator[Message | DecodeError]:
    """V2X messages of a capture; for a frame that is none, the reason instead."""
    for packet in packets(path):
        try:
            if packet.link_type == ETHERNET:
                application, payload, _ = geonetworking.parse(packet.data)
            else:
                application, payload = dsmp.parse(packet.data)
        except DecodeError as error:
            yield error
            continue
        yield Message(packet.time, application, payload, packet.link_type)

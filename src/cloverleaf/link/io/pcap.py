"""Packet captures (classic pcap): write what was on the air so that Wireshark dissects it, read captures of others."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from cloverleaf.link.io import dsmp, geonetworking, wsmp
from cloverleaf.link.io.captures import LARGEST, Packet, read_capture
from cloverleaf.link.io.framing import link_type_of, short_message
from cloverleaf.link.io.link_layer import datagram
from cloverleaf.link.its_time import ITS_EPOCH
from cloverleaf.link.security.applications import PSID
from cloverleaf.types.errors import DecodeError, InputError
from cloverleaf.types.messages import MessageKind, WireBatch

NETWORK_PORT = 46_000
"""UDP port of messages that are not for the air."""
Seal = Callable[[int, int, bytes, float], bytes]
"""(kind, station, bytes, s since 1970) -> the same bytes signed."""


class Message(NamedTuple):
    """One V2X message out of a capture."""

    time: float  # s since 1970
    application: int  # BTP port (ETSI), application identifier (CSAE) or PSID (SAE)
    payload: bytes
    link_type: int


class Recorder:
    """Writes frames to a capture file; use as a context manager. InputError where the file cannot be written."""

    def __init__(self, path: str | Path, link_type: int) -> None:
        try:
            self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise InputError(str(error.strerror or error), file=path) from None
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, LARGEST, link_type))

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, time: float, data: bytes) -> None:
        """Append one frame captured at `time` s since 1970."""
        micro = round(time * 1e6)
        self._file.write(struct.pack("<IIII", micro // 1_000_000, micro % 1_000_000, len(data), len(data)) + data)


class Writer(Recorder):
    """Writes the link's messages: ETSI's in GeoNetworking, SAE's in WAVE short messages, others with the Chinese short-message header.

    `place(x, y)` turns ENU metres into (latitude, longitude) in degrees; it fills the source position of ETSI packets. With `seal`,
    packets are signed as the standards ask: ETSI signs the packet from its common header on, CSAE the message. Messages that the bus
    has signed already are taken as they are.
    """

    def __init__(
        self,
        path: str | Path,
        standard: str,
        clock: float,
        place: Callable[[float, float], tuple[float, float]] | None = None,
        seal: Seal | None = None,
    ) -> None:
        self.family, self.clock, self.place, self.seal = standard.partition("_")[0], clock, place, seal
        super().__init__(path, link_type_of(standard))

    def __enter__(self) -> Writer:
        return self

    def write(self, wire: WireBatch) -> None:
        """Append all messages of a batch at their generation time."""
        for i in range(len(wire.kind)):
            payload = wire.buffer[wire.start[i] : wire.start[i + 1]].tobytes()
            when, station = self.clock + float(wire.time[i]), int(wire.station[i])
            self.add(when, self._frame(i, wire, payload, MessageKind(int(wire.kind[i])), station, when))
        self._file.flush()

    def _frame(self, i: int, wire: WireBatch, payload: bytes, kind: MessageKind, station: int, when: float) -> bytes:
        def sealed(data: bytes) -> bytes:
            assert self.seal is not None
            return self.seal(int(kind), station, data, when)

        if self.family != "etsi":
            data = sealed(payload) if self.seal else payload
            return short_message(data, self.family, PSID[self.family][kind])
        if kind not in geonetworking.PORT:
            return datagram(payload, NETWORK_PORT)
        latitude, longitude = self.place(float(wire.x[i]), float(wire.y[i])) if self.place else (0.0, 0.0)
        milliseconds = round((when - ITS_EPOCH) * 1000)
        source = geonetworking.Position(station, milliseconds, round(latitude * 1e7), round(longitude * 1e7))
        return geonetworking.frame(payload, geonetworking.PORT[kind], source, sealed if self.seal else None)


def packets(path: str | Path) -> Iterator[Packet]:
    """Frames of a capture in file order.

    Raises:
        InputError: no capture file, or cut short.
    """
    found = read_capture(Path(path).read_bytes())
    if found is None:
        raise InputError("not a capture file", file=path, hint="pcap and pcapng are read")
    yield from found.packets
    if found.problem:
        raise InputError(found.problem, file=path)


def messages(path: str | Path) -> Iterator[Message | DecodeError]:
    """V2X messages of a capture; for a frame that is none, the reason instead."""
    for packet in packets(path):
        try:
            yield Message(packet.time, *unpack(packet), packet.link_type)
        except DecodeError as error:
            yield error


def unpack(packet: Packet) -> tuple[int, bytes]:
    """(BTP port, AID or PSID; message) of a frame with any of the known headers; DecodeError for other frames."""
    from cloverleaf.link.io.link_layer import unframe

    carried = unframe(packet.link_type, packet.data)
    if carried.ethertype == geonetworking.ETHERTYPE:
        found = geonetworking.dissect(carried.payload)
        if found.cut or not found.transport.startswith("btp"):
            raise DecodeError("cut short" if found.cut else f"a {found.form} packet without BTP")
        return found.port, found.payload
    if carried.ethertype == wsmp.ETHERTYPE:
        short = wsmp.parse(carried.payload)
        if short.cut:
            raise DecodeError("the short message is cut short")
        return short.psid, short.payload
    if carried.ethertype < 0 and not carried.port:
        return dsmp.parse(carried.payload)
    if carried.port == NETWORK_PORT:
        return 0, carried.payload
    raise DecodeError(f"EtherType 0x{max(carried.ethertype, 0):04x} carries no V2X message")

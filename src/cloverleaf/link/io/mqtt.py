"""MQTT 3.1.1 at quality of service 0: connect, publish, subscribe, receive. A thin client without threads.

Packets are built and read by pure functions; `MqttDoor` moves them over a TCP socket and never blocks after connecting.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import NamedTuple

from cloverleaf.types.errors import CloverleafError, DecodeError

CONNACK, PUBLISH, SUBACK, PINGRESP = 2, 3, 9, 13


class Published(NamedTuple):
    """A message that came in."""

    topic: str
    payload: bytes


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(first: int, body: bytes) -> bytes:
    """A control packet: its first byte, the length in groups of seven bits, the body."""
    size, n = b"", len(body)
    while True:
        n, group = n >> 7, n & 0x7F
        size += bytes([group | 0x80 if n else group])
        if not n:
            return bytes([first]) + size + body


def connect(client: str, keep_alive: int = 60) -> bytes:
    """CONNECT with a clean session."""
    return packet(0x10, _text("MQTT") + b"\x04\x02" + struct.pack(">H", keep_alive) + _text(client))


def publish(topic: str, payload: bytes) -> bytes:
    """PUBLISH at quality of service 0."""
    return packet(0x30, _text(topic) + payload)


def subscribe(topic: str, number: int = 1) -> bytes:
    """SUBSCRIBE to a topic filter at quality of service 0."""
    return packet(0x82, struct.pack(">H", number) + _text(topic) + b"\x00")


def split(data: bytes) -> tuple[int, bytes, int] | None:
    """(first byte, body, bytes used) of the packet at the start of `data`; None while it is incomplete.

    Raises:
        DecodeError: a length of more than four bytes.
    """
    size = shift = 0
    for at in range(1, min(len(data), 5)):
        size |= (data[at] & 0x7F) << shift
        shift += 7
        if not data[at] & 0x80:
            end = at + 1 + size
            return (data[0], data[at + 1 : end], end) if len(data) >= end else None
    if len(data) >= 5:
        raise DecodeError("an MQTT length of more than four bytes")
    return None


def published(first: int, body: bytes) -> Published:
    """Topic and payload of a PUBLISH packet."""
    if len(body) < 2 or len(body) < 2 + int.from_bytes(body[:2], "big"):
        raise DecodeError("an MQTT topic that is cut short")
    end = 2 + int.from_bytes(body[:2], "big")
    skip = 2 if first & 0x06 else 0
    return Published(body[2:end].decode("utf-8", "replace"), body[end + skip :])


class MqttDoor:
    """A connection to a broker.

    Raises:
        CloverleafError: no broker answers, or it refuses.
    """

    def __init__(self, host: str, port: int = 1883, client: str = "cloverleaf", timeout: float = 5.0) -> None:
        self._buffer, self._patience = b"", timeout
        try:
            self._socket = socket.create_connection((host, port), timeout)
            try:
                self._socket.sendall(connect(client))
                answer = self._wait(CONNACK)
            except OSError:
                self._socket.close()
                raise
        except OSError as error:
            raise CloverleafError(
                f"no MQTT broker at {host}:{port}", hint="start one, or check host and port"
            ) from error
        if len(answer) < 2 or answer[1]:
            self._socket.close()
            raise CloverleafError(f"the MQTT broker at {host}:{port} refuses the connection")
        self._socket.setblocking(False)

    def _wait(self, kind: int) -> bytes:
        while True:
            found = split(self._buffer)
            if found:
                self._buffer = self._buffer[found[2] :]
                if found[0] >> 4 == kind:
                    return found[1]
                continue
            data = self._socket.recv(4096)
            if not data:
                raise ConnectionError("closed")
            self._buffer += data

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message; waits until the system has taken it. Raises OSError where it does not in time."""
        self._send(publish(topic, payload))

    def subscribe(self, topic: str) -> None:
        """Ask for all messages of a topic filter."""
        self._send(subscribe(topic))

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self._patience)
        self._socket.sendall(data)
        self._socket.setblocking(False)

    def receive(self) -> list[Published]:
        """Messages that have arrived."""
        while True:
            try:
                data = self._socket.recv(65_536)
            except BlockingIOError:
                break
            if not data:
                break
            self._buffer += data
        out = []
        while (found := split(self._buffer)) is not None:
            self._buffer = self._buffer[found[2] :]
            if found[0] >> 4 == PUBLISH:
                out.append(published(found[0], found[1]))
        return out

    def close(self) -> None:
        """Say goodbye and give the socket back."""
        with contextlib.suppress(OSError):  # it may be gone already
            self._send(packet(0xE0, b""))
        self._socket.close()

"""Where messages come from and go to: `udp://HOST:PORT` and `mqtt://HOST:PORT/TOPIC` as doors with `receive` and `send`."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from cloverleaf.link.io.mqtt import MqttDoor
from cloverleaf.link.io.udp import UdpDoor
from cloverleaf.types.errors import InputError

MQTT_PORT = 1883


class Door(Protocol):
    """A source and sink of messages."""

    def receive(self) -> list[bytes]:
        """Messages that have arrived."""

    def send(self, payload: bytes) -> None:
        """Send one message."""

    def close(self) -> None:
        """Give it back."""


class _Udp:
    def __init__(self, host: str, port: int, listen: bool) -> None:
        try:
            self._door = UdpDoor(listen=(host, port)) if listen else UdpDoor(peer=(host, port))
        except OSError as error:
            raise InputError(f"udp://{host}:{port}: {error.strerror or error}") from None

    def receive(self) -> list[bytes]:
        return self._door.receive()

    def send(self, payload: bytes) -> None:
        self._door.send_one(payload)

    def close(self) -> None:
        self._door.close()


class _Mqtt:
    def __init__(self, host: str, port: int, topic: str, listen: bool) -> None:
        self._door, self._topic = MqttDoor(host, port), topic
        if listen:
            self._door.subscribe(topic)

    def receive(self) -> list[bytes]:
        return [message.payload for message in self._door.receive()]

    def send(self, payload: bytes) -> None:
        self._door.publish(self._topic, payload)

    def close(self) -> None:
        self._door.close()


def open_door(address: str, *, listen: bool) -> Door:
    """The door at an address; `listen` receives there, otherwise it sends there.

    Raises:
        InputError: not an address of these forms, or it cannot be opened.
        CloverleafError: no broker answers.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"'{address}' is no address", hint="udp://HOST:PORT or mqtt://HOST:PORT/TOPIC") from None
    topic = parts.path.lstrip("/") + (f"#{parts.fragment}" if "#" in address else "")
    if parts.scheme == "udp" and host and port is not None:
        return _Udp(host, port, listen)
    if parts.scheme == "mqtt" and host and topic:
        return _Mqtt(host, port or MQTT_PORT, topic, listen)
    raise InputError(f"'{address}' is no address", hint="udp://HOST:PORT or mqtt://HOST:PORT/TOPIC")

"""A driver in a process of its own, behind a TCP socket that carries OSI messages: `--driver osi://host:port`.

One connection per case. Each message is preceded by its length, four bytes, little endian. We send an osi3.SensorView with the ground
truth of the step, the process answers with an osi3.TrafficUpdate for the vehicle under test.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

from cloverleaf.judge.drivers.external import Scene
from cloverleaf.judge.drivers.osi_scene import accel_of, fill_ground_truth, osi_modules
from cloverleaf.types.errors import PluginError

TIMEOUT = 30.0  # s without an answer
LARGEST = 64 * 1024 * 1024


def socket_driver(address: str) -> type:
    """A planner class whose objects each hold one connection. Raises PluginError for an address that is none."""
    host, _, port = address.removeprefix("osi://").rpartition(":")
    if not host or not port.isdigit():
        raise PluginError(f"'{address}' is no address", element="--driver", hint="osi://localhost:48198")
    osi_modules()

    class SocketDriver:
        """The process behind the socket, for one case."""

        def __init__(self, case: Mapping[str, Any]) -> None:
            _, self._view, self._update = osi_modules()
            try:
                self._socket = socket.create_connection((host, int(port)), timeout=TIMEOUT)
            except OSError as error:
                raise PluginError(
                    f"nobody answers at {host}:{port}: {error}", hint="start the driver's process first"
                ) from error
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drive(self, scene: Scene) -> float:
            """Send the step, wait for the answer."""
            view = self._view.SensorView()
            fill_ground_truth(view.global_ground_truth, scene)
            view.timestamp.CopyFrom(view.global_ground_truth.timestamp)
            view.host_vehicle_id.value = scene.entity + 1
            try:
                send(self._socket, view.SerializeToString())
                answer = receive(self._socket)
            except OSError as error:
                raise PluginError(f"the driver's process went away: {error}") from error
            update = self._update.TrafficUpdate()
            try:
                update.ParseFromString(answer)
            except Exception as error:
                raise PluginError("the answer is no osi3.TrafficUpdate") from error
            return accel_of(update, scene)

        def close(self) -> None:
            """Hang up: the case is over."""
            self._socket.close()

    return SocketDriver


def send(connection: socket.socket, data: bytes) -> None:
    """One message with its length before it."""
    connection.sendall(struct.pack("<I", len(data)) + data)


def receive(connection: socket.socket) -> bytes:
    """One message. Raises OSError where the other side hangs up or sends nonsense."""
    (size,) = struct.unpack("<I", _exactly(connection, 4))
    if size > LARGEST:
        raise OSError(f"a message of {size} bytes is announced")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise OSError("it hung up")
        data += part
    return bytes(data)

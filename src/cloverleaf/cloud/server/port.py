"""Is a port free? Asked before anything is started, so that the answer is one line."""

from __future__ import annotations

import socket

from cloverleaf.types.errors import StudyError


def claim(port: int, option: str = "--port") -> None:
    """Raise StudyError if another program listens on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StudyError(
                f"port {port} is taken", element=option, hint=f"choose another one with {option}"
            ) from error

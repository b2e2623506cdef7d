"""UDP: one message per datagram, out and in."""

from __future__ import annotations

import itertools
import socket

from cloverleaf.types.messages import WireBatch


class UdpDoor:
    """Sends to `peer` (host, port) and listens on `listen`; either may be None. Never blocks."""

    def __init__(self, peer: tuple[str, int] | None = None, listen: tuple[str, int] | None = None) -> None:
        self._peer = peer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        if listen is not None:
            self._socket.bind(listen)
        self.dropped = 0  # datagrams that the system would not take

    @property
    def address(self) -> tuple[str, int]:
        """Host and port on which this door listens."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def send(self, wire: WireBatch) -> None:
        """Every message of a batch as one datagram to the peer."""
        raw, start = wire.buffer.tobytes(), wire.start.tolist()
        for begin, end in itertools.pairwise(start):
            self.send_one(raw[begin:end])

    def send_one(self, payload: bytes) -> None:
        """One message as a datagram to the peer, if there is a peer."""
        if self._peer is None:
            return
        try:
            self._socket.sendto(payload, self._peer)
        except (BlockingIOError, ConnectionRefusedError):
            self.dropped += 1

    def receive(self, limit: int = 10_000) -> list[bytes]:
        """Datagrams that have arrived, at most `limit`."""
        out: list[bytes] = []
        while len(out) < limit:
            try:
                out.append(self._socket.recv(65_535))
            except (BlockingIOError, ConnectionRefusedError):
                break
        return out

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

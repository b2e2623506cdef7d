"""A capture file of what a simulated link put on the air and the network, in the frames that Wireshark dissects."""

from __future__ import annotations

import weakref

import numpy as np

from cloverleaf.algo.geo import degrees
from cloverleaf.link.bus import Link
from cloverleaf.link.content.content import Content
from cloverleaf.link.io.pcap import Seal, Writer
from cloverleaf.link.security.bus_security import ITS_EPOCH, BusSecurity
from cloverleaf.link.silence import Silence
from cloverleaf.types.errors import StudyError


class BusCapture:
    """Writes each tick of a link.

    In ETSI's stack the network packet is signed, not the message: it is signed once more for the file.
    """

    def __init__(self, path: str, link: Link, content: Content) -> None:
        frame = content.frame
        security = link.security if isinstance(link.security, BusSecurity) else None
        self._packets = content.standard == "etsi"

        def place(x: float, y: float) -> tuple[float, float]:
            latitude, longitude, _ = degrees(frame.projection, np.array([x]), np.array([y]))
            return float(latitude[0]), float(longitude[0])

        seal = _seal(security) if security is not None and self._packets else None
        self._writer = Writer(path, content.standard, frame.clock, place, seal)
        weakref.finalize(self, self._writer.__exit__)  # the run that owns it has no end of its own

    def write(self, link: Link | Silence) -> None:
        """Append what was sent in the last tick."""
        assert isinstance(link, Link)
        wire = link.plain if self._packets else link.wire
        if wire is not None:
            self._writer.write(wire)


def _seal(security: BusSecurity) -> Seal:
    def seal(kind: int, station: int, data: bytes, when: float) -> bytes:
        return security.signer(station).sign(data, security.psid[kind], when - ITS_EPOCH, attach=kind == 5)

    return seal


def capture_of(link: Link | Silence, path: str) -> BusCapture:
    """The capture of a link.

    Raises:
        StudyError: nothing is sent in this arm.
        InputError: the file cannot be written.
    """
    if not isinstance(link, Link) or not isinstance(link.content, Content):
        raise StudyError("nothing is sent in the last arm", element="link.pcap", hint="arms with `road` have V2X")
    return BusCapture(path, link, link.content)

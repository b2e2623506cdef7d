"""Gateways for fleets that speak something else. A plug-in of the group `cloverleaf.gateways` is a class with a `name` and a method

    feed(data: bytes) -> tuple[list[Report], bytes]

made anew for every connection: bytes as they arrive, in any pieces; the reports they complete, and what is to be answered. Input that
is broken is skipped and counted in `broken`; it never raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol

import numpy as np

from cloverleaf.link.content.frame import Frame, enu_heading
from cloverleaf.types.errors import PluginError, nearest
from cloverleaf.types.messages import AwarenessBatch
from cloverleaf.types.state import Kind

BUILT_IN = {
    "jt808": "cloverleaf.cloud.gateways.jt808:Jt808",
    "gb32960": "cloverleaf.cloud.gateways.gb32960:Gb32960",
}


CLOCK_AHEAD, OLDEST = 30.0, 120.0
"""s that a fleet's clock may be ahead, and that a report may be old: those systems report every 10 to 30 s and buffer in tunnels."""


class Report(NamedTuple):
    """Where a fleet's vehicle says it is."""

    vehicle: str  # phone number, VIN, fleet number
    time: float  # s since 1970
    latitude: float  # degrees, WGS 84
    longitude: float
    speed: float  # m/s
    bearing: float  # degrees clockwise from north, NaN unknown
    kind: int = int(Kind.BUS)


class Gateway(Protocol):
    """One connection of a fleet's vehicle or server."""

    name: str
    broken: int

    def feed(self, data: bytes) -> tuple[list[Report], bytes]:
        """See the module's first lines."""


def gateway_class(name: str) -> Any:
    """The class of a gateway; PluginError if there is none or it is there twice."""
    found = [e for e in entry_points(group="cloverleaf.gateways") if e.name == name]
    if len(found) + (name in BUILT_IN) > 1:
        raise PluginError(f"gateway '{name}' is registered more than once", hint="uninstall one of the packages")
    if found:
        return found[0].load()
    if name not in BUILT_IN:
        known = [*BUILT_IN, *(e.name for e in entry_points(group="cloverleaf.gateways"))]
        raise PluginError(f"unknown gateway '{name}'", element="--gateways", hint=nearest(name, known))
    module, _, attribute = BUILT_IN[name].partition(":")
    return getattr(import_module(module), attribute)


def doubts(report: Report, now: float) -> str:
    """Why a report cannot be about now, as a reason of refusal; empty where it can."""
    if report.time > now + CLOCK_AHEAD:
        return "clock"
    return "stale" if report.time < now - OLDEST else ""


def station_of(vehicle: str) -> int:
    """A station id for a fleet's vehicle: 62 bits of a hash, so that it meets no other's."""
    return int.from_bytes(hashlib.blake2b(vehicle.encode(), digest_size=8).digest(), "big") >> 2


def awareness(reports: Sequence[Report], frame: Frame) -> AwarenessBatch:
    """Reports as own-state content on the map of `frame`."""
    latitude = np.array([round(r.latitude * 1e7) for r in reports], np.int64)
    longitude = np.array([round(r.longitude * 1e7) for r in reports], np.int64)
    x, y, convergence = frame.enu(latitude, longitude)
    n = len(reports)
    heading = enu_heading(np.array([r.bearing for r in reports], float), convergence)
    long = np.array([12.0 if r.kind == Kind.BUS else 4.6 for r in reports])
    return AwarenessBatch(
        np.array([station_of(r.vehicle) for r in reports], np.int64), np.array([r.time for r in reports], float), x, y, heading,
        np.array([r.speed for r in reports], float), np.zeros(n), np.zeros(n), long, np.full(n, 2.5),
        np.array([r.kind for r in reports], np.int32), np.zeros(n, np.int32),
    )  # fmt: skip

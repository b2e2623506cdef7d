"""The doors of this package: values and bytes to records, records to values and bytes, records to the world frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.frame import Frame
from cloverleaf.link.messages import awareness, events, perception, signals, tim, topology
from cloverleaf.link.messages.records import (
    Awareness,
    MapMessage,
    PerceptionMessage,
    Place,
    RoadInformation,
    SignalPhaseAndTiming,
)
from cloverleaf.types.errors import DecodeError, EncodeError, InputError, nearest

Record = Awareness | SignalPhaseAndTiming | MapMessage | RoadInformation | PerceptionMessage

_CSAE: dict[str, Any] = {
    "bsm": awareness.read_bsm, "spat": signals.read_spat, "map": topology.read_map, "rsi": events.read_rsi,
    "rsm": perception.read_rsm, "ssm": perception.read_ssm,
}  # fmt: skip
_ETSI: dict[str, Any] = {
    "cam": awareness.read_cam, "spatem": signals.read_spatem, "mapem": topology.read_mapem, "denm": events.read_denm,
    "cpm": perception.read_cpm,
}  # fmt: skip
_SAE: dict[str, Any] = {
    "bsm": awareness.read_sae_bsm,
    "spat": signals.read_sae_spat,
    "map": topology.read_sae_map,
    "tim": tim.read_tim,
}
READABLE = {"csae_day1": {k: v for k, v in _CSAE.items() if k != "ssm"}, "csae_day2": _CSAE, "etsi": _ETSI, "sae": _SAE}
"""Standard -> message -> reader of its value."""


def read(standard: str, name: str, value: Any, now: float = 0.0) -> Record:
    """The record of a message value.

    Raises:
        InputError: no such standard, or a message that has no record.
        DecodeError: a value of another message of the same frame.
    """
    if standard not in READABLE:
        raise InputError(f"no records for standard '{standard}'", hint=nearest(standard, READABLE))
    short = name.removesuffix("_d2")
    if short not in READABLE[standard]:
        raise InputError(f"no record for {standard} '{name}'", hint=nearest(short, READABLE[standard]))
    if codec(standard, name).branch(value) is None:
        raise DecodeError(f"the value is no {standard} {name}")
    reader = READABLE[standard][short]
    record: Record = reader(value, now, standard) if standard.startswith("csae") else reader(value, now)
    return record


def decode(standard: str, name: str, data: bytes, now: float = 0.0) -> Record:
    """The record of a message's bytes; DecodeError for anything that is not this message."""
    return read(standard, name, codec(standard, name).decode(data), now)


def write(record: Record, standard: str) -> list[tuple[str, Any]]:
    """(message name, value) of the messages that carry a record in a standard; several where one cannot hold it.

    Raises:
        EncodeError: the standard has no message for it, or it lacks what that message needs.
        InputError: no such standard.
    """
    if standard not in READABLE:
        raise InputError(f"no records for standard '{standard}'", hint=nearest(standard, READABLE))
    writer = {"etsi": _write_etsi, "sae": _write_sae}.get(standard)
    return writer(record) if writer else _write_csae(record, standard)


def encode(record: Record, standard: str) -> list[tuple[str, bytes]]:
    """(message name, bytes) of a record; see `write`."""
    return [(name, codec(standard, name).encode(value)) for name, value in write(record, standard)]


def _write_csae(record: Record, standard: str) -> list[tuple[str, Any]]:
    if isinstance(record, Awareness):
        return [("bsm", awareness.write_bsm(record, standard))]
    if isinstance(record, SignalPhaseAndTiming):
        return [("spat", signals.write_spat(record, standard))]
    if isinstance(record, MapMessage):
        return [("map", topology.write_map(record, standard))]
    if isinstance(record, RoadInformation):
        return [("rsi", events.write_rsi(record, standard))]
    if standard == "csae_day2" and len(record.objects) > perception.RSM_LIMIT:
        return [("ssm", value) for value in perception.write_ssm(record, standard)]
    return [("rsm", value) for value in perception.write_rsm(record, standard)]


def _write_etsi(record: Record) -> list[tuple[str, Any]]:
    if isinstance(record, Awareness):
        return [("cam", awareness.write_cam(record))]
    if isinstance(record, SignalPhaseAndTiming):
        return [("spatem", signals.write_spatem(record))]
    if isinstance(record, MapMessage):
        return [("mapem", topology.write_mapem(record))]
    if isinstance(record, RoadInformation):
        return [("denm", value) for value in events.write_denm(record)]
    return [("cpm", value) for value in perception.write_cpm(record)]


def _write_sae(record: Record) -> list[tuple[str, Any]]:
    if isinstance(record, Awareness):
        return [("bsm", awareness.write_sae_bsm(record))]
    if isinstance(record, SignalPhaseAndTiming):
        return [("spat", signals.write_sae_spat(record))]
    if isinstance(record, MapMessage):
        return [("map", topology.write_sae_map(record))]
    if isinstance(record, RoadInformation):
        return [("tim", tim.write_tim(record))]
    raise EncodeError("the SAE message for shared perception (SDSM) is not openly specified")


def to_world(frame: Frame, place: Place, heading: float | None = None) -> tuple[float, float, float | None]:
    """(x, y, heading) of a place in the map's frame: ENU m, and rad anticlockwise from the map's x axis."""
    latitude = np.array([round(place.latitude_deg * 1e7)])
    longitude = np.array([round(place.longitude_deg * 1e7)])
    x, y, convergence = frame.enu(latitude, longitude)
    turned = None if heading is None else math.pi - (math.pi - heading - float(convergence[0])) % (2 * math.pi)
    return float(x[0]), float(y[0]), turned


def from_world(frame: Frame, x: float, y: float, heading: float | None = None) -> tuple[Place, float | None]:
    """A place and true heading from the map's frame; inverse of `to_world` up to 0.1 microdegrees."""
    latitude, longitude, convergence = frame.geo(np.array([x]), np.array([y]))
    turned = None if heading is None else math.pi - (math.pi - heading + float(convergence[0])) % (2 * math.pi)
    return Place(float(latitude[0]) * 1e-7, float(longitude[0]) * 1e-7), turned

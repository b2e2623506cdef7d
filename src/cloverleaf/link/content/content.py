"""The one object that the bus calls: batches of any kind to bytes of one standard and back."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np

from cloverleaf.link.batches import pack
from cloverleaf.link.content.frame import DEFAULT_CLOCK, Frame, frame_of
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import EncodeError, InputError, nearest
from cloverleaf.types.messages import MessageKind
from cloverleaf.types.state import I32, I64, U8

_CSAE = {
    MessageKind.AWARENESS: "awareness_csae",
    MessageKind.SIGNAL: "signal_csae",
    MessageKind.TOPOLOGY: "topology_csae",
    MessageKind.PERCEPTION: "perception_csae",
    MessageKind.ADVICE: "advice_csae",
    MessageKind.EVENT: "event_csae",
}
_ETSI = {
    MessageKind.AWARENESS: "awareness_etsi",
    MessageKind.SIGNAL: "signal_etsi",
    MessageKind.TOPOLOGY: "topology_etsi",
    MessageKind.PERCEPTION: "perception_etsi",
    MessageKind.ADVICE: "advice_csae",
    MessageKind.EVENT: "event_etsi",
}
_SAE = _CSAE | {
    MessageKind.AWARENESS: "awareness_sae",
    MessageKind.SIGNAL: "signal_sae",
    MessageKind.TOPOLOGY: "topology_sae",
}
_MODULES = {"csae_day1": _CSAE, "csae_day2": _CSAE, "etsi": _ETSI, "sae": _SAE}
_BORROWED = {"sae": "csae_day2"}
"""Standard -> the one whose messages stand in where its own are not openly specified."""


class Content:
    """Encoder and decoder of one standard on one base map.

    Args:
        base_map: gives the georeference, and the topology of MAP messages.
        standard: csae_day1, csae_day2, etsi or sae.
        clock: UTC of simulation time 0, s since 1970.
        units: signal group that each roadside unit serves, shape (units,); by default unit u serves group u.
    """

    def __init__(
        self, base_map: BaseMap, standard: str, clock: float = DEFAULT_CLOCK, units: I32 | None = None
    ) -> None:
        if standard not in _MODULES:
            raise InputError(f"no message content for standard '{standard}'", hint=nearest(standard, _MODULES))
        self.base_map, self.standard, self.units = base_map, standard, units
        self.frame: Frame = frame_of(base_map.geo, clock)
        self._topology: dict[int, list[bytes]] = {}

    def _module(self, kind: int) -> Any:
        return import_module(f"cloverleaf.link.content.{_MODULES[self.standard][MessageKind(kind)]}")

    def _edition(self, kind: int) -> str:
        """The standard whose messages carry this kind."""
        name = _MODULES[self.standard][MessageKind(kind)]
        return _BORROWED.get(self.standard, self.standard) if name.endswith("_csae") else self.standard

    def encode(self, kind: int, batch: Any) -> tuple[U8, I64]:
        """Bytes of a batch; a message that the standard cannot express raises EncodeError."""
        module = self._module(kind)
        if kind == MessageKind.TOPOLOGY:
            return self._maps(np.asarray(batch, np.int64))
        if len(batch.time):
            self.frame.now = float(batch.time.max())
        if hasattr(module, "encode"):
            buffer, start = module.encode(batch, self.frame, self._edition(kind))
            return buffer, start
        codec, records = module.to_records(batch, self.frame, self._edition(kind))
        return encoded(codec, records, self._edition(kind), kind)

    def decode(self, kind: int, buffer: U8, start: I64) -> tuple[Any, U8]:
        """(batch, error): content of the messages and 0 where it is good."""
        module = self._module(kind)
        if hasattr(module, "decode"):
            batch, error = module.decode(buffer, start, self.frame, self._edition(kind))
            return batch, error
        codec = module.codec_of(self._edition(kind))
        records = codec.decode(buffer, start)
        return module.from_records(records, self.frame, self._edition(kind)), records.error

    def segments(self, stations: I64) -> I64:
        """Number of messages that the map of each station is divided into, shape (n,)."""
        return np.array([len(self._map(s)) for s in np.asarray(stations, np.int64).tolist()], np.int64)

    def _maps(self, stations: I64) -> tuple[U8, I64]:
        """The MAP messages of stations; one that is named k times in a row gets its first k segments."""
        parts: list[bytes] = []
        taken: Counter[int] = Counter()
        for station in stations.tolist():
            segments = self._map(station)
            parts.append(segments[taken[station] % len(segments)])
            taken[station] += 1
        return pack(parts)

    def _map(self, station: int) -> list[bytes]:
        """The segments of a station's map, made once: one message, or several where it is larger than a packet."""
        if station not in self._topology:
            module = self._module(MessageKind.TOPOLOGY)
            whole = module.map_message(self.base_map, self.units, station, self.frame, self.standard)
            self._topology[station] = divided(whole, self._edition(MessageKind.TOPOLOGY), self.frame.clock)
        return self._topology[station]


def divided(whole: bytes, standard: str, now: float) -> list[bytes]:
    """A MAP in messages that fit a packet each; whole where it fits, or where one approach alone is larger. `now` s since 1970."""
    from cloverleaf.link.life.map_parts import PACKET, divide
    from cloverleaf.link.messages import MapMessage
    from cloverleaf.link.messages import decode as read
    from cloverleaf.link.messages import encode as write

    if len(whole) <= PACKET:
        return [whole]
    record = read(standard, "mapem" if standard == "etsi" else "map", whole, now)
    assert isinstance(record, MapMessage)
    try:
        return [data for part in divide(record, standard) for _, data in write(part, standard)]
    except EncodeError:
        return [whole]


def encoded(codec: Any, records: Any, standard: str, kind: int) -> tuple[U8, I64]:
    """Bytes of records, all of them valid or EncodeError."""
    from cloverleaf.link.codec.program import REASONS

    buffer, start, error = codec.encode(records)
    if error.any():
        i = int(np.flatnonzero(error)[0])
        raise EncodeError(f"{standard} {MessageKind(kind).name.lower()} message {i}: {REASONS[int(error[i])]}")
    return buffer, start

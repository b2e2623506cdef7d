"""Typed messages: the standards' values and bytes <-> records in SI with "unavailable" as None.

    record = decode("csae_day1", "bsm", data, now)            # BasicSafetyMessage(speed=13.8, heading=None, ...)
    data = encode(record, "etsi")                              # [("cam", b"...")]
    x, y, heading = to_world(frame, record.place, record.heading)

| record | CSAE | ETSI | SAE |
|---|---|---|---|
| BasicSafetyMessage, CooperativeAwarenessMessage | bsm | cam | bsm |
| SignalPhaseAndTiming | spat | spatem | spat |
| MapMessage | map | mapem | map |
| RoadInformation | rsi | denm (one per event) | tim |
| PerceptionMessage | rsm (16 each), ssm | cpm | - |

`now` (s since 1970) resolves the short clocks of the wire: ms of the minute, tenths of the hour, minutes of the year.
"""

from cloverleaf.link.messages.convert import Record, decode, encode, from_world, read, to_world, write
from cloverleaf.link.messages.records import (
    BasicSafetyMessage,
    CooperativeAwarenessMessage,
    MapMessage,
    PerceptionMessage,
    Place,
    RoadInformation,
    SignalPhaseAndTiming,
)

__all__ = [
    "BasicSafetyMessage",
    "CooperativeAwarenessMessage",
    "MapMessage",
    "PerceptionMessage",
    "Place",
    "Record",
    "RoadInformation",
    "SignalPhaseAndTiming",
    "decode",
    "encode",
    "from_world",
    "read",
    "to_world",
    "write",
]

"""V2X content in SI units: what applications read and write. Wire units exist only inside the codecs.

Positions are ENU metres of the base map; times are simulation seconds; headings anticlockwise from east.
Each batch holds many messages as columns; lists inside a message are compressed rows.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from cloverleaf.types.state import F64, I32, I64, U8


class MessageKind(IntEnum):
    """What a wire message carries, whatever the standard calls it."""

    AWARENESS = 0  # BSM, CAM
    SIGNAL = 1  # SPAT, SPATEM
    TOPOLOGY = 2  # MAP, MAPEM
    PERCEPTION = 3  # RSM, CPM, SSM
    ADVICE = 4  # RSC, speed advice
    EVENT = 5  # RSI, DENM


class LightState(IntEnum):
    """Light states as in T/CSAE 53."""

    UNAVAILABLE = 0
    DARK = 1
    FLASHING_RED = 2
    RED = 3
    FLASHING_GREEN = 4
    PERMISSIVE_GREEN = 5
    PROTECTED_GREEN = 6
    YELLOW = 7
    FLASHING_YELLOW = 8


class AwarenessBatch(NamedTuple):
    """Own state of stations; shape (n,)."""

    station: I64
    time: F64
    x: F64
    y: F64
    heading: F64
    speed: F64
    accel: F64
    yaw_rate: F64
    length: F64
    width: F64
    kind: I32  # state.Kind
    events: I32  # bit 0 hazard lights, bit 7 hard braking (13 event flags of the standard)


class SignalBatch(NamedTuple):
    """Signal states and timing of intersections; group g of message i at `phase_start[i]..`."""

    station: I64  # (n,)
    time: F64
    intersection: I32  # signal group of the base map
    phase_start: I64  # (n + 1,)
    link_index: I32  # position in the group's state string; shape (phases,)
    light: U8  # LightState
    min_end: F64  # s, simulation time; NaN unknown
    likely_end: F64
    max_end: F64
    next_light: U8
    next_end: F64


class PerceptionBatch(NamedTuple):
    """Objects that a station perceives and shares."""

    station: I64  # (n,)
    time: F64
    object_start: I64  # (n + 1,)
    object_id: I32  # (objects,) local to the sender, stable over an object's life
    object_station: I64  # V2X station id if the object announced itself, else -1
    object_time: F64
    x: F64
    y: F64
    heading: F64
    speed: F64
    length: F64
    width: F64
    kind: I32
    sigma: F64  # m


class AdviceBatch(NamedTuple):
    """Advice of road or cloud to one station; shape (n,)."""

    station: I64  # sender
    time: F64
    target: I64  # station id addressed
    speed: F64  # m/s, NaN none
    speed_until_x: F64  # ENU point up to which the speed advice holds
    speed_until_y: F64
    valid_until: F64


class EventBatch(NamedTuple):
    """Warnings bound to a place; shape (n,)."""

    station: I64
    time: F64
    event: I32  # application's event code
    x: F64
    y: F64
    radius: F64  # m
    target: I64  # station id addressed, -1 everyone
    conflict_x: F64  # where and when the conflict is predicted
    conflict_y: F64
    time_to_conflict: F64


class WireBatch(NamedTuple):
    """Messages as bytes on their way; message i is `buffer[start[i]:start[i + 1]]`."""

    buffer: U8
    start: I64  # (n + 1,)
    kind: I32  # (n,) MessageKind
    station: I64  # (n,) sender
    x: F64  # (n,) sender's position
    y: F64
    time: F64  # (n,) generation time
    uu: U8  # (n,) 1: over the network (Uu) to or from the cloud, 0: direct (PC5)
    target: I64  # (n,) addressed station, -1 broadcast


class Received(NamedTuple):
    """Who received what: receiver r holds messages `message[start[r]:start[r + 1]]` of `content`, decoded once for all."""

    receivers: I64  # (r,) station ids, in the order the caller gave
    start: I64  # (r + 1,)
    kind: I32  # (pairs,) MessageKind
    message: I32  # (pairs,) row in the batch of that kind
    delay: F64  # (pairs,) s from generation to delivery
    awareness: AwarenessBatch
    signal: SignalBatch
    perception: PerceptionBatch
    advice: AdviceBatch
    event: EventBatch


CLOUD_STATION = -2
"""Station id of the cloud platform."""

RSU_STATION_BASE = 1_000_000_000
"""Roadside unit u has station id RSU_STATION_BASE + u; a car's station id is its trip row."""

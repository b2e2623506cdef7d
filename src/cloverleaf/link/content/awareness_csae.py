"""AwarenessBatch <-> CSAE BSM (T/CSAE 53, 4.2.1)."""

from __future__ import annotations

from functools import cache

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.columns import Columns, allocate, mask_of
from cloverleaf.link.content.frame import (
    KIND_OF_CLASS,
    VEHICLE_CLASS,
    Frame,
    available,
    bearing,
    enu_heading,
    limited,
)
from cloverleaf.types.messages import AwarenessBatch
from cloverleaf.types.state import I32

FORWARD_GEARS = 2
SPEED, HEADING, ACCELERATION, YAW_RATE = 0.02, 0.0125, 0.01, 0.01
EVENT_BITS = 13


@cache
def _masks(standard: str) -> tuple[int, int]:
    codec = batch_codec(standard, "bsm")
    return mask_of(codec, "", "safetyExt"), mask_of(codec, "safetyExt", "events")


def codec_of(standard: str) -> BatchCodec:
    """The codec of these messages."""
    return batch_codec(standard, "bsm")


def to_records(batch: AwarenessBatch, frame: Frame, standard: str) -> tuple[BatchCodec, Records]:
    """BSM records of a batch. Event flags travel in safetyExt, present where there is one."""
    codec = codec_of(standard)
    n = len(batch.station)
    flagged = np.flatnonzero(batch.events)
    records = allocate(codec, {"": n, "safetyExt": len(flagged)})
    c = Columns(records)
    latitude, longitude, convergence = frame.geo(batch.x, batch.y)
    c["msgCnt"] = np.remainder(np.rint(batch.time * 10).astype(np.int64), 128)
    c["id"] = batch.station
    c["secMark"] = frame.phase(batch.time, 1e-3, 60_000)
    c["pos.lat"] = latitude
    c["pos.long"] = longitude
    c["transmission"] = FORWARD_GEARS
    c["speed"] = limited(np.abs(batch.speed) / SPEED, 0, 8190, 8191)
    c["heading"] = limited(bearing(batch.heading, convergence) / HEADING, 0, 28799, 28800)
    c["accelSet.long"] = limited(batch.accel / ACCELERATION, -2000, 2000, 2001)
    c["accelSet.lat"] = limited(-batch.speed * batch.yaw_rate / ACCELERATION, -2000, 2000, 2001)
    c["accelSet.vert"] = -127
    c["accelSet.yaw"] = limited(-np.degrees(batch.yaw_rate) / YAW_RATE, -32767, 32767, 0)
    c["size.width"] = limited(batch.width * 100, 1, 1023, 0)
    c["size.length"] = limited(batch.length * 100, 1, 4095, 0)
    c["vehicleClass.classification"] = VEHICLE_CLASS[batch.kind]
    if len(flagged):
        extension, events = _masks(standard)
        c["?"][flagged] = extension
        c["safetyExt@"][flagged] = np.arange(len(flagged))
        c["safetyExt?"] = events
        c["safetyExt.events"] = swap_bits(batch.events[flagged], EVENT_BITS)
        c.second("safetyExt.events")[:] = EVENT_BITS
    return codec, records


def from_records(records: Records, frame: Frame, standard: str) -> AwarenessBatch:
    """The batch in BSM records; rows of messages with an error are zero."""
    c = Columns(records)
    x, y, convergence = frame.enu(c["pos.lat"], c["pos.long"])
    events = np.zeros(len(x), np.int32)
    extension, flag = _masks(standard)
    extended = np.flatnonzero(c["?"] & extension)
    if len(extended):
        row = c["safetyExt@"][extended]
        known = (c["safetyExt?"][row] & flag != 0) & (c.second("safetyExt.events")[row] == EVENT_BITS)
        events[extended[known]] = swap_bits(c["safetyExt.events"][row[known]], EVENT_BITS)
    return AwarenessBatch(
        station=c["id"].copy(),
        time=frame.unphase(c["secMark"], 1e-3, 60_000),
        x=x,
        y=y,
        heading=enu_heading(available(c["heading"], 28800, HEADING), convergence),
        speed=available(c["speed"], 8191, SPEED),
        accel=available(c["accelSet.long"], 2001, ACCELERATION),
        yaw_rate=-np.radians(c["accelSet.yaw"] * YAW_RATE),
        length=c["size.length"].astype(float) * 0.01,
        width=c["size.width"].astype(float) * 0.01,
        kind=KIND_OF_CLASS[c["vehicleClass.classification"]].astype(np.int32),
        events=events,
    )


def swap_bits(values: I32, width: int) -> I32:
    """Bit k of our flags is bit k of the standard's list, which is sent first: reverse the order of `width` bits."""
    swapped = np.zeros(len(values), np.int32)
    for k in range(width):
        swapped |= ((values >> k & 1) << (width - 1 - k)).astype(np.int32)
    return swapped

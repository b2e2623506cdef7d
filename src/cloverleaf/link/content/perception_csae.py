"""PerceptionBatch <-> CSAE RSM (up to 16 participants) and, in day 2, SSM (up to 512).

Lost: objects beyond the limit (day 1: 16 a message, day 2: 512), e-bikes become bicycles, sigma becomes the next coarser class
of PositionConfidence (read as a 95 % radius of two sigma). An RSM has no time of its own: its time is that of its newest
participant. An empty RSM carries the roadside unit itself (ptcId 0), since the list may not be empty.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cloverleaf.link.batches import join, take
from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.program import OTHER
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.columns import Columns, allocate, chosen, mask_of
from cloverleaf.link.content.content import encoded
from cloverleaf.link.content.frame import KIND_OF_CLASS, VEHICLE_CLASS, Frame, available, bearing, enu_heading, limited
from cloverleaf.types.messages import MessageKind, PerceptionBatch
from cloverleaf.types.state import F64, I64, U8, Kind

RSM_LIMIT, SSM_LIMIT = 16, 512
MOTOR, NON_MOTOR, PEDESTRIAN, UNIT = 1, 2, 3, 4
SOURCE_V2X, SOURCE_INTEGRATED = 2, 7
EQUIPMENT_RSU = 1
RADII = np.array([np.inf, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01])
"""PositionConfidence -> 95 % radius, m."""

_TYPE = np.zeros(16, np.int64)
_TYPE[[Kind.CAR, Kind.TRUCK, Kind.BUS, Kind.MOTORCYCLE, Kind.EMERGENCY]] = MOTOR
_TYPE[[Kind.EBIKE, Kind.BICYCLE]] = NON_MOTOR
_TYPE[Kind.PEDESTRIAN] = PEDESTRIAN
_KIND = np.array([Kind.NONE, Kind.CAR, Kind.BICYCLE, Kind.PEDESTRIAN, Kind.NONE] + [Kind.NONE] * 16)


@cache
def _shape(standard: str, name: str) -> tuple[BatchCodec, str, str, int, int, int, int]:
    """Codec, list, participant prefix, masks of id and vehicleClass, alternatives LL4 and LL6."""
    codec = batch_codec(standard, name)
    items, inner = "participants[]", "participants[]" if name == "rsm" else "participants[].ptc"
    place = f"{inner}.pos.offsetLL"
    return (
        codec, items, inner, mask_of(codec, inner, "id"), mask_of(codec, inner, "vehicleClass"),
        chosen(codec, place, "position-LL4"), chosen(codec, place, "position-LL6"),
    )  # fmt: skip


def encode(batch: PerceptionBatch, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch; the choice between RSM and SSM is made per message."""
    large = np.diff(batch.object_start) > RSM_LIMIT
    if standard == "csae_day1" or not large.any():
        return _encode(batch, frame, standard, "rsm")
    n = len(large)
    parts: list[bytes] = [b""] * n
    for name, rows in (("rsm", np.flatnonzero(~large)), ("ssm", np.flatnonzero(large))):
        if len(rows):
            buffer, start = _encode(take(batch, rows), frame, standard, name)
            for k, row in enumerate(rows.tolist()):
                parts[row] = buffer[start[k] : start[k + 1]].tobytes()
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts]))).astype(np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), start


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[PerceptionBatch, U8]:
    """(batch, error) of RSM and, in day 2, SSM messages."""
    records = batch_codec(standard, "rsm").decode(buffer, start)
    batch = from_records(records, frame, standard, "rsm")
    other = np.flatnonzero(records.error == OTHER)
    if standard == "csae_day1" or not len(other):
        return batch, records.error
    sizes = np.diff(start)[other]
    part = np.concatenate([buffer[start[i] : start[i + 1]] for i in other.tolist()])
    shared = batch_codec(standard, "ssm").decode(part, np.concatenate(([0], np.cumsum(sizes))).astype(np.int64))
    order = np.arange(len(start) - 1)
    order[other] = len(order) + np.arange(len(other))
    records.error[other] = shared.error
    return take(join([batch, from_records(shared, frame, standard, "ssm")]), order), records.error


def _encode(batch: PerceptionBatch, frame: Frame, standard: str, name: str) -> tuple[U8, I64]:
    codec, records = to_records(batch, frame, standard, name)
    return encoded(codec, records, standard, MessageKind.PERCEPTION)


def to_records(batch: PerceptionBatch, frame: Frame, standard: str, name: str) -> tuple[BatchCodec, Records]:
    """RSM or SSM records of a batch."""
    codec, items, inner, with_id, with_class, near, far = _shape(standard, name)
    n = len(batch.station)
    have = np.diff(batch.object_start)
    sent = np.minimum(have, RSM_LIMIT if name == "rsm" else SSM_LIMIT)
    count = np.maximum(sent, 1)
    start = np.cumsum(count) - count
    rows = int(count.sum())
    records = allocate(codec, {"": n, items: rows})
    c, p = Columns(records), Columns(records, f"{inner}.")
    message = np.repeat(np.arange(n), count)
    offset = np.arange(rows) - start[message]
    real = offset < sent[message]
    source = np.where(real, batch.object_start[message] + offset, 0)

    def column(values: np.ndarray, default: float) -> np.ndarray:
        """A column of the objects, row by row of the list; `default` for the unit itself."""
        return np.where(real, values[source], default) if len(values) else np.full(rows, default)

    latitude, longitude, convergence = frame.geo(column(batch.x, 0.0), column(batch.y, 0.0))
    c["msgCnt"] = np.remainder(np.rint(batch.time * 10).astype(np.int64), 128)
    c["id"] = batch.station
    place = "refPos" if name == "rsm" else "sensorPos"
    c[f"{place}.lat"] = latitude[start]
    c[f"{place}.long"] = longitude[start]
    c.set_list("participants", start, count)
    if name == "ssm":
        c["?"] = mask_of(codec, "", "participants")
        c["secMark"] = frame.phase(batch.time, 1e-3, 60_000)
        c["equipmentType"] = EQUIPMENT_RSU
    announced = column(batch.object_station, -1).astype(np.int64)
    kind = column(batch.kind, 0).astype(np.int64)
    time = column(batch.object_time, 0.0)
    time = np.where(real, time, batch.time[message])
    p["ptcType"] = np.where(real, _TYPE[kind], UNIT)
    p["ptcId"] = np.where(real, column(batch.object_id, -1).astype(np.int64) % 65535 + 1, 0)
    p["source"] = np.where(announced >= 0, SOURCE_V2X, SOURCE_INTEGRATED)
    p["id"] = announced
    Columns(records, inner)["?"] = np.where(announced >= 0, with_id, 0) | np.where(_TYPE[kind] == MOTOR, with_class, 0)
    p["vehicleClass.classification"] = VEHICLE_CLASS[kind]
    p["secMark"] = frame.phase(time, 1e-3, 60_000)
    north, east = latitude - latitude[start][message], longitude - longitude[start][message]
    p["pos.offsetLL:"] = np.where(np.maximum(np.abs(north), np.abs(east)) < 1 << 17, near, far)
    p["pos.offsetLL.position-LL4.lat"] = north
    p["pos.offsetLL.position-LL4.lon"] = east
    p["posConfidence.pos"] = confidence(column(batch.sigma, np.nan))
    p["speed"] = limited(np.abs(column(batch.speed, 0.0)) / 0.02, 0, 8190, 8191)
    p["heading"] = limited(bearing(column(batch.heading, np.nan), convergence) / 0.0125, 0, 28799, 28800)
    p["size.width"] = limited(column(batch.width, np.nan) * 100, 1, 1023, 0)
    p["size.length"] = limited(column(batch.length, np.nan) * 100, 1, 4095, 0)
    return codec, records


def from_records(records: Records, frame: Frame, standard: str, name: str) -> PerceptionBatch:
    """The batch in RSM or SSM records; the unit itself is not an object."""
    codec, _, inner, with_id, with_class, _, far = _shape(standard, name)
    c, p = Columns(records), Columns(records, f"{inner}.")
    n = len(records.error)
    count = np.where(records.error == 0, c.second("participants"), 0)
    if name == "ssm":
        count = np.where(c["?"] & mask_of(codec, "", "participants"), count, 0)
    message = np.repeat(np.arange(n), count)
    keep = p["ptcType"] != UNIT
    per_message = np.bincount(message[keep], minlength=n)
    start = np.concatenate(([0], np.cumsum(per_message)))
    place = "refPos" if name == "rsm" else "sensorPos"
    form = p["pos.offsetLL:"]
    north, east = p["pos.offsetLL.position-LL4.lat"], p["pos.offsetLL.position-LL4.lon"]
    whole = form > far
    latitude = np.where(whole, 0, c[f"{place}.lat"][message]) + north
    longitude = np.where(whole, 0, c[f"{place}.long"][message]) + east
    x, y, convergence = frame.enu(latitude, longitude)
    time = frame.unphase(p["secMark"], 1e-3, 60_000)
    newest = np.full(n, frame.now if not len(time) else -np.inf)
    np.maximum.at(newest, message, time)
    mask = Columns(records, inner)["?"]
    kind = np.where(mask & with_class, KIND_OF_CLASS[p["vehicleClass.classification"] & 255], _KIND[p["ptcType"]])
    kind = np.where((p["ptcType"] == MOTOR) | (mask & with_class == 0), kind, _KIND[p["ptcType"]])
    sent = frame.unphase(c["secMark"], 1e-3, 60_000) if name == "ssm" else np.where(np.isinf(newest), frame.now, newest)
    return PerceptionBatch(
        station=c["id"].copy(),
        time=sent,
        object_start=start,
        object_id=(p["ptcId"][keep] - 1).astype(np.int32),
        object_station=np.where(mask & with_id, p["id"], -1)[keep],
        object_time=time[keep],
        x=x[keep],
        y=y[keep],
        heading=enu_heading(available(p["heading"], 28800, 0.0125), convergence)[keep],
        speed=available(p["speed"], 8191, 0.02)[keep],
        length=(p["size.length"] * 0.01)[keep],
        width=(p["size.width"] * 0.01)[keep],
        kind=kind[keep].astype(np.int32),
        sigma=np.where(p["posConfidence.pos"] == 0, np.nan, RADII[p["posConfidence.pos"] & 15] / 2)[keep],
    )


def confidence(sigma: F64) -> I64:
    """The finest PositionConfidence whose radius is not below two sigma; NaN is unavailable."""
    finest = len(RADII) - np.searchsorted(RADII[::-1], 2 * sigma * (1 - 1e-9)) - 1
    return np.where(np.isnan(sigma), 0, np.clip(finest, 0, 15))

"""SignalBatch <-> ETSI SPATEM, and the SPAT inside SAE's frame: signal group = position in the state string plus one, the next light
is the second event.

Light states differ: a flashing green is sent as permissive clearance, red-and-yellow reads as red. Times are TimeMarks, tenths of
a second in the hour. At most 255 lights an intersection; the region of the intersection id carries the roadside unit.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.awareness_etsi import header
from cloverleaf.link.content.columns import Columns, allocate, mask_of
from cloverleaf.link.content.frame import Frame, station_from
from cloverleaf.link.content.sae_frame import body_codec
from cloverleaf.types.messages import RSU_STATION_BASE, SignalBatch
from cloverleaf.types.state import F64, I64

SPATEM_ID = 4
HOUR = 36_000
UNKNOWN = 36_001
_OF = {"etsi": "spat.", "sae": ""}
"""Path of the SPAT inside the encoded type, per standard."""


class _Paths(NamedTuple):
    """Paths of the lists in a SPAT."""

    i: str  # intersections
    s: str  # signal groups
    e: str  # events
    t: str  # timing of an event


@cache
def _paths(standard: str) -> _Paths:
    i = f"{_OF[standard]}intersections[]"
    return _Paths(i, f"{i}.states[]", f"{i}.states[].state-time-speed[]", f"{i}.states[].state-time-speed[].timing")


EVENT_OF_LIGHT = np.array([0, 1, 2, 3, 7, 5, 6, 8, 9])
"""LightState -> MovementPhaseState."""
LIGHT_OF_EVENT = np.array([0, 1, 2, 3, 3, 5, 6, 4, 7, 8])


def codec_of(standard: str) -> BatchCodec:
    """The codec of these messages."""
    return batch_codec("etsi", "spatem") if standard == "etsi" else body_codec("spat")


@cache
def _masks(standard: str) -> tuple[int, int, int, int, int, int, int]:
    codec, (inter, _, event_path, timing_path) = codec_of(standard), _paths(standard)
    return (
        mask_of(codec, f"{inter}.id", "region"), mask_of(codec, inter, "moy"), mask_of(codec, inter, "timeStamp"),
        mask_of(codec, event_path, "timing"), mask_of(codec, timing_path, "startTime"), mask_of(codec, timing_path, "maxEndTime"),
        mask_of(codec, timing_path, "likelyTime"),
    )  # fmt: skip


def to_records(batch: SignalBatch, frame: Frame, standard: str) -> tuple[BatchCodec, Records]:
    """SPATEM records of a batch."""
    codec = codec_of(standard)
    region, _, stamp, timing, begin, most, likely = _masks(standard)
    inter, group, event_path, timing_path = _paths(standard)
    count = np.diff(batch.phase_start)
    n, phases = len(count), len(batch.link_index)
    follows = (batch.next_light != 0) | ~np.isnan(batch.next_end)
    events = 1 + follows.astype(np.int64)
    first = np.cumsum(events) - events
    total = int(events.sum())
    records = allocate(codec, {"": n, inter: n, group: phases, event_path: total, timing_path: total})
    c, i, s, e, t = Columns(records), *(Columns(records, f"{x}.") for x in (inter, group, event_path, timing_path))
    if standard == "etsi":
        header(c, 2, SPATEM_ID, batch.station)
    c.set_list(f"{_OF[standard]}intersections", np.arange(n), 1)
    Columns(records, inter)["?"] = stamp
    i["timeStamp"] = frame.phase(batch.time, 1e-3, 60_000)
    i["id?"] = region
    i["id.region"] = (batch.station - RSU_STATION_BASE) & 0xFFFF
    i["id.id"] = batch.intersection
    i.set_list("states", batch.phase_start[:-1], count)
    s["signalGroup"] = batch.link_index + 1
    s.set_list("state-time-speed", first, events)
    Columns(records, event_path)["?"] = timing
    e["timing@"] = np.arange(total)
    e["eventState"][first] = EVENT_OF_LIGHT[batch.light]
    mask = np.where(np.isnan(batch.max_end), 0, most) | np.where(np.isnan(batch.likely_end), 0, likely)
    Columns(records, timing_path)["?"][first] = mask
    t["minEndTime"][first] = _mark(batch.min_end, frame)
    t["maxEndTime"][first] = _mark(batch.max_end, frame)
    t["likelyTime"][first] = _mark(batch.likely_end, frame)
    second = first[follows] + 1
    e["eventState"][second] = EVENT_OF_LIGHT[batch.next_light[follows]]
    t["startTime"][second] = _mark(batch.likely_end[follows], frame)
    t["minEndTime"][second] = _mark(batch.next_end[follows], frame)
    Columns(records, timing_path)["?"][second] = np.where(np.isnan(batch.likely_end[follows]), 0, begin)
    return codec, records


def from_records(records: Records, frame: Frame, standard: str) -> SignalBatch:
    """The batch in SPATEM records: the first intersection of each message."""
    _, _, stamp, timing, _, most, likely = _masks(standard)
    inter, group, event_path, timing_path = _paths(standard)
    c, i, s, e, t = Columns(records), *(Columns(records, f"{x}.") for x in (inter, group, event_path, timing_path))
    good = records.error == 0
    lead = np.where(good, c[f"{_OF[standard]}intersections"], 0)
    good &= len(i["id.id"]) > 0

    def of_lead(column: I64) -> I64:
        """A column of the first intersection of each message."""
        return np.where(good, column[lead], 0) if len(column) else np.zeros(len(lead), np.int64)

    count = of_lead(i.second("states"))
    start = np.concatenate(([0], np.cumsum(count)))
    row = np.repeat(of_lead(i["states"]) - start[:-1], count) + np.arange(start[-1])
    known = of_lead(Columns(records, inter)["?"]) & stamp != 0
    time = np.where(known, frame.unphase(of_lead(i["timeStamp"]), 1e-3, 60_000), frame.now)
    event = s["state-time-speed"][row]
    after = np.minimum(event + 1, max(len(e["eventState"]) - 1, 0))
    follows = s.second("state-time-speed")[row] > 1

    def seconds(path: str, rows: I64, bit: int) -> F64:
        """A TimeMark of the events `rows` as simulation time."""
        if not len(t[path]):
            return np.full(len(rows), np.nan)
        there = Columns(records, event_path)["?"][rows] & timing != 0
        inner = np.where(there, e["timing@"][rows], 0)
        there &= (bit == 0) | (Columns(records, timing_path)["?"][inner] & bit != 0)
        mark = t[path][inner]
        return np.where(there & (mark < HOUR), frame.unphase(mark, 0.1, HOUR), np.nan)

    return SignalBatch(
        station=station_from(c["header.stationID"])
        if standard == "etsi"
        else RSU_STATION_BASE + of_lead(i["id.region"]),
        time=time,
        intersection=of_lead(i["id.id"]).astype(np.int32),
        phase_start=start,
        link_index=(s["signalGroup"][row] - 1).astype(np.int32),
        light=LIGHT_OF_EVENT[e["eventState"][event]].astype(np.uint8),
        min_end=seconds("minEndTime", event, 0),
        likely_end=seconds("likelyTime", event, likely),
        max_end=seconds("maxEndTime", event, most),
        next_light=np.where(follows, LIGHT_OF_EVENT[e["eventState"][after]], 0).astype(np.uint8),
        next_end=np.where(follows, seconds("minEndTime", after, 0), np.nan),
    )


def _mark(time: F64, frame: Frame) -> I64:
    """Simulation times as TimeMark; NaN is unknown."""
    return np.where(np.isnan(time), UNKNOWN, frame.phase(np.nan_to_num(time), 0.1, HOUR))

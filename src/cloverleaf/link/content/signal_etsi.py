"""SignalBatch <-> ETSI SPATEM: signal group = position in the state string plus one, the next light is the second event.

Light states differ: a flashing green is sent as permissive clearance, red-and-yellow reads as red. Times are TimeMarks, tenths of
a second in the hour. At most 255 lights an intersection; the region of the intersection id carries the roadside unit.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.awareness_etsi import header
from cloverleaf.link.content.columns import Columns, allocate, mask_of
from cloverleaf.link.content.frame import Frame, station_from
from cloverleaf.types.messages import RSU_STATION_BASE, SignalBatch
from cloverleaf.types.state import F64, I64

SPATEM_ID = 4
HOUR = 36_000
UNKNOWN = 36_001
_I = "spat.intersections[]"
_S = f"{_I}.states[]"
_E = f"{_S}.state-time-speed[]"
_T = f"{_E}.timing"
EVENT_OF_LIGHT = np.array([0, 1, 2, 3, 7, 5, 6, 8, 9])
"""LightState -> MovementPhaseState."""
LIGHT_OF_EVENT = np.array([0, 1, 2, 3, 3, 5, 6, 4, 7, 8])


def codec_of(standard: str) -> BatchCodec:
    """The codec of these messages."""
    return batch_codec("etsi", "spatem")


@cache
def _masks() -> tuple[int, int, int, int, int, int, int]:
    codec = codec_of("etsi")
    return (
        mask_of(codec, f"{_I}.id", "region"), mask_of(codec, _I, "moy"), mask_of(codec, _I, "timeStamp"),
        mask_of(codec, _E, "timing"), mask_of(codec, _T, "startTime"), mask_of(codec, _T, "maxEndTime"),
        mask_of(codec, _T, "likelyTime"),
    )  # fmt: skip


def to_records(batch: SignalBatch, frame: Frame, standard: str) -> tuple[BatchCodec, Records]:
    """SPATEM records of a batch."""
    codec = codec_of(standard)
    region, _, stamp, timing, begin, most, likely = _masks()
    count = np.diff(batch.phase_start)
    n, phases = len(count), len(batch.link_index)
    follows = (batch.next_light != 0) | ~np.isnan(batch.next_end)
    events = 1 + follows.astype(np.int64)
    first = np.cumsum(events) - events
    total = int(events.sum())
    records = allocate(codec, {"": n, _I: n, _S: phases, _E: total, _T: total})
    c, i, s, e, t = Columns(records), *(Columns(records, f"{x}.") for x in (_I, _S, _E, _T))
    header(c, 2, SPATEM_ID, batch.station)
    c.set_list("spat.intersections", np.arange(n), 1)
    Columns(records, _I)["?"] = stamp
    i["timeStamp"] = frame.phase(batch.time, 1e-3, 60_000)
    i["id?"] = region
    i["id.region"] = (batch.station - RSU_STATION_BASE) & 0xFFFF
    i["id.id"] = batch.intersection
    i.set_list("states", batch.phase_start[:-1], count)
    s["signalGroup"] = batch.link_index + 1
    s.set_list("state-time-speed", first, events)
    Columns(records, _E)["?"] = timing
    e["timing@"] = np.arange(total)
    e["eventState"][first] = EVENT_OF_LIGHT[batch.light]
    mask = np.where(np.isnan(batch.max_end), 0, most) | np.where(np.isnan(batch.likely_end), 0, likely)
    Columns(records, _T)["?"][first] = mask
    t["minEndTime"][first] = _mark(batch.min_end, frame)
    t["maxEndTime"][first] = _mark(batch.max_end, frame)
    t["likelyTime"][first] = _mark(batch.likely_end, frame)
    second = first[follows] + 1
    e["eventState"][second] = EVENT_OF_LIGHT[batch.next_light[follows]]
    t["startTime"][second] = _mark(batch.likely_end[follows], frame)
    t["minEndTime"][second] = _mark(batch.next_end[follows], frame)
    Columns(records, _T)["?"][second] = np.where(np.isnan(batch.likely_end[follows]), 0, begin)
    return codec, records


def from_records(records: Records, frame: Frame, standard: str) -> SignalBatch:
    """The batch in SPATEM records: the first intersection of each message."""
    _, _, stamp, timing, _, most, likely = _masks()
    c, i, s, e, t = Columns(records), *(Columns(records, f"{x}.") for x in (_I, _S, _E, _T))
    good = records.error == 0
    lead = np.where(good, c["spat.intersections"], 0)
    good &= len(i["id.id"]) > 0

    def of_lead(column: I64) -> I64:
        """A column of the first intersection of each message."""
        return np.where(good, column[lead], 0) if len(column) else np.zeros(len(lead), np.int64)

    count = of_lead(i.second("states"))
    start = np.concatenate(([0], np.cumsum(count)))
    row = np.repeat(of_lead(i["states"]) - start[:-1], count) + np.arange(start[-1])
    known = of_lead(Columns(records, _I)["?"]) & stamp != 0
    time = np.where(known, frame.unphase(of_lead(i["timeStamp"]), 1e-3, 60_000), frame.now)
    event = s["state-time-speed"][row]
    after = np.minimum(event + 1, max(len(e["eventState"]) - 1, 0))
    follows = s.second("state-time-speed")[row] > 1

    def seconds(path: str, rows: I64, bit: int) -> F64:
        """A TimeMark of the events `rows` as simulation time."""
        if not len(t[path]):
            return np.full(len(rows), np.nan)
        there = Columns(records, _E)["?"][rows] & timing != 0
        inner = np.where(there, e["timing@"][rows], 0)
        there &= (bit == 0) | (Columns(records, _T)["?"][inner] & bit != 0)
        mark = t[path][inner]
        return np.where(there & (mark < HOUR), frame.unphase(mark, 0.1, HOUR), np.nan)

    return SignalBatch(
        station=station_from(c["header.stationID"]),
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

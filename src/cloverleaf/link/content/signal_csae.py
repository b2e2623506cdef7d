"""SignalBatch <-> CSAE SPAT. A light of the controller is a phase whose id is its position in the state string.

A controller of more than 16 lights is sent as several intersection states of the same id. The region of the intersection
id carries the roadside unit. Times are countdowns in 0.1 s; the next light is the second state of a phase.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.columns import Columns, allocate, mask_of
from cloverleaf.link.content.frame import Frame, available, limited
from cloverleaf.types.messages import RSU_STATION_BASE, LightState, SignalBatch
from cloverleaf.types.state import F64, I64

PHASES = 16
UNKNOWN = 36001
_I = "intersections[]"
_P = f"{_I}.phases[]"
_S = f"{_P}.phaseStates[]"
_T = f"{_S}.timing"
_C = f"{_T}.counting"


def codec_of(standard: str) -> BatchCodec:
    """The codec of these messages."""
    return batch_codec(standard, "spat")


@cache
def _masks(standard: str) -> tuple[int, int, int, int, int]:
    codec = codec_of(standard)
    return (
        mask_of(codec, "", "timeStamp"),
        mask_of(codec, f"{_I}.intersectionId", "region"),
        mask_of(codec, _S, "timing"),
        mask_of(codec, _C, "minEndTime"),
        mask_of(codec, _C, "maxEndTime"),
    )


def tenths(seconds: F64) -> I64:
    """Durations as TimeMark; NaN is unknown."""
    return limited(seconds * 10, 0, 36000, UNKNOWN)


def to_records(batch: SignalBatch, frame: Frame, standard: str) -> tuple[BatchCodec, Records]:
    """SPAT records of a batch."""
    codec = codec_of(standard)
    stamp, region, timing, least, most = _masks(standard)
    count = np.diff(batch.phase_start)
    parts = np.maximum((count + PHASES - 1) // PHASES, 1)
    n, phases = len(count), len(batch.link_index)
    message = np.repeat(np.arange(n), parts)
    piece = np.arange(len(message)) - np.repeat(np.cumsum(parts) - parts, parts)
    follows = (batch.next_light != LightState.UNAVAILABLE) | ~np.isnan(batch.next_end)
    states = 1 + follows.astype(np.int64)
    first = np.cumsum(states) - states
    total = int(states.sum())
    records = allocate(codec, {"": n, _I: len(message), _P: phases, _S: total, _T: total, _C: total})
    c, i, p, s, t = Columns(records), *(Columns(records, f"{x}.") for x in (_I, _P, _S, _C))
    c["msgCnt"] = np.remainder(np.rint(batch.time * 10).astype(np.int64), 128)
    c["?"] = stamp
    c["timeStamp"] = frame.phase(batch.time, 1e-3, 60_000)
    c.set_list("intersections", np.cumsum(parts) - parts, parts)
    i["intersectionId?"] = region
    i["intersectionId.region"] = (batch.station[message] - RSU_STATION_BASE) & 0xFFFF
    i["intersectionId.id"] = batch.intersection[message]
    i.set_list(
        "phases", batch.phase_start[message] + PHASES * piece, np.minimum(count[message] - PHASES * piece, PHASES)
    )
    p["id"] = batch.link_index
    p.set_list("phaseStates", first, states)
    Columns(records, _S)["?"] = timing
    s["timing@"] = np.arange(total)
    Columns(records, _T)[".counting@"] = np.arange(total)
    time = np.repeat(batch.time, count)
    likely = tenths(batch.likely_end - time)
    s["light"][first] = batch.light
    t["likelyEndTime"][first] = likely
    t["minEndTime"][first] = tenths(batch.min_end - time)
    t["maxEndTime"][first] = tenths(batch.max_end - time)
    mask = np.where(np.isnan(batch.min_end), 0, least) | np.where(np.isnan(batch.max_end), 0, most)
    Columns(records, _C)["?"][first] = mask
    second = first[follows] + 1
    s["light"][second] = batch.next_light[follows]
    t["startTime"][second] = likely[follows]
    t["likelyEndTime"][second] = tenths(batch.next_end - time)[follows]
    return codec, records


def from_records(records: Records, frame: Frame, standard: str) -> SignalBatch:
    """The batch in SPAT records: the countdown form; phases with UTC times have NaN ends."""
    stamp, _, timing, least, most = _masks(standard)
    c, i, p, s, t = Columns(records), *(Columns(records, f"{x}.") for x in (_I, _P, _S, _C))
    time = np.where(c["?"] & stamp, frame.unphase(c["timeStamp"], 1e-3, 60_000), frame.now)
    n = len(time)
    good = records.error == 0
    pieces = np.where(good, c.second("intersections"), 0)
    count = np.zeros(n, np.int64)
    inside = i.second("phases")
    message = np.repeat(np.arange(n), pieces)
    np.add.at(count, message, inside[: len(message)])
    start = np.concatenate(([0], np.cumsum(count)))
    leading = np.where(good & (pieces > 0), c["intersections"], 0)
    known = len(i["intersectionId.id"]) > 0
    total = len(p["id"])
    row, states = p["phaseStates"], p.second("phaseStates")
    at = np.repeat(time, count)
    zero = np.zeros(n, np.int64)

    def seconds(path: str, rows: I64, bit: int) -> F64:
        """A countdown of the states `rows` as simulation time."""
        if not len(t[path]):
            return np.full(len(rows), np.nan)
        box = np.minimum(s["timing@"][rows], len(Columns(records, _T)[":"]) - 1)
        there = (Columns(records, _S)["?"][rows] & timing != 0) & (Columns(records, _T)[":"][box] == 0)
        inner = np.where(there, Columns(records, _T)[".counting@"][box], 0)
        there &= (bit == 0) | (Columns(records, _C)["?"][inner] & bit != 0)
        return np.where(there, available(t[path][inner], UNKNOWN, 0.1), np.nan)

    after = np.minimum(row + 1, max(len(s["light"]) - 1, 0))
    follows = states > 1
    return SignalBatch(
        station=RSU_STATION_BASE + (i["intersectionId.region"][leading] if known else zero),
        time=time,
        intersection=(i["intersectionId.id"][leading] if known else zero).astype(np.int32),
        phase_start=start,
        link_index=p["id"].astype(np.int32),
        light=s["light"][row].astype(np.uint8) if total else np.zeros(0, np.uint8),
        min_end=at + seconds("minEndTime", row, least),
        likely_end=at + seconds("likelyEndTime", row, 0),
        max_end=at + seconds("maxEndTime", row, most),
        next_light=np.where(follows, s["light"][after], 0).astype(np.uint8) if total else np.zeros(0, np.uint8),
        next_end=at + np.where(follows, seconds("likelyEndTime", after, 0), np.nan),
    )

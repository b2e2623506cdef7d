"""PerceptionBatch <-> ETSI CPM (TS 103 324): one container of perceived objects, relative to the first object's position.

x is true east and y true north of the reference position, angles count anticlockwise from x. Lost: `object_station` (a CPM does
not say who announced itself); sigma becomes a 95 % confidence of two sigma. At most 255 objects are counted, more are carried.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.columns import Columns, allocate, chosen, mask_of
from cloverleaf.link.content.frame import Frame, available, limited, station_bits, station_from
from cloverleaf.types.messages import PerceptionBatch
from cloverleaf.types.state import F64, I64, Kind

CPM_ID, CONTAINER = 14, 5
_L = "payload.cpmContainers[]"
_C = f"{_L}.containerData.PerceivedObjectContainer"
_O = f"{_C}.perceivedObjects[]"
_V = f"{_O}.velocity"
_P = f"{_V}.polarVelocity"
_A = f"{_O}.angles"
_K = f"{_O}.classification[]"
_OPTIONAL = ("objectId", "velocity", "angles", "objectDimensionX", "objectDimensionY", "classification")
VEHICLE, VRU = 0, 1
_CLASS = np.zeros((16, 3), np.int64)
for _kind, _row in {
    Kind.CAR: (VEHICLE, 5, 0), Kind.TRUCK: (VEHICLE, 8, 0), Kind.BUS: (VEHICLE, 6, 0), Kind.EMERGENCY: (VEHICLE, 10, 0),
    Kind.PEDESTRIAN: (VRU, 0, 1), Kind.BICYCLE: (VRU, 1, 1), Kind.EBIKE: (VRU, 1, 7), Kind.MOTORCYCLE: (VRU, 2, 2),
}.items():  # fmt: skip
    _CLASS[_kind] = _row
"""Kind -> (alternative, vehicle class or VRU profile, sub-profile)."""
_OF_VEHICLE = np.array(
    [Kind.NONE] * 5
    + [Kind.CAR, Kind.BUS, Kind.TRUCK, Kind.TRUCK, Kind.TRUCK, Kind.EMERGENCY, Kind.BUS]
    + [Kind.CAR] * 4
)
_OF_VRU = np.array([Kind.PEDESTRIAN, Kind.BICYCLE, Kind.MOTORCYCLE, Kind.NONE])


def codec_of(standard: str) -> BatchCodec:
    """The codec of these messages."""
    return batch_codec("etsi", "cpm")


@cache
def _shape() -> tuple[dict[str, int], int]:
    codec = codec_of("etsi")
    return {name: mask_of(codec, _O, name) for name in _OPTIONAL}, chosen(codec, _V, "polarVelocity")


def to_records(batch: PerceptionBatch, frame: Frame, standard: str) -> tuple[BatchCodec, Records]:
    """CPM records of a batch."""
    codec, (masks, polar) = codec_of(standard), _shape()
    n, m = len(batch.station), len(batch.x)
    count = np.diff(batch.object_start)
    rows = {"": n, _L: n, _O: m, _V: m, _P: m, _A: m, _K: m}
    if _C in codec.layout.tables:
        rows[_C] = n
    records = allocate(codec, rows)
    c, o = Columns(records), Columns(records, f"{_O}.")
    first = np.minimum(batch.object_start[:-1], max(m - 1, 0))
    have = count > 0
    rx, ry = (np.where(have, v[first], 0.0) if m else np.zeros(n) for v in (batch.x, batch.y))
    latitude, longitude, convergence = frame.geo(rx, ry)
    rx, ry, _ = frame.enu(latitude, longitude)
    message = np.repeat(np.arange(n), count)
    turn = convergence[message]
    dx, dy = batch.x - rx[message], batch.y - ry[message]
    c["header.protocolVersion"] = 2
    c["header.messageId"] = CPM_ID
    c["header.stationId"] = station_bits(batch.station)
    stamp = frame.its_time(batch.time)
    manage = c.under("payload.managementContainer.")
    manage["referenceTime"] = stamp
    place = manage.under("referencePosition.")
    place["latitude"] = latitude
    place["longitude"] = longitude
    place["positionConfidenceEllipse.semiMajorConfidence"] = 4095
    place["positionConfidenceEllipse.semiMinorConfidence"] = 4095
    place["positionConfidenceEllipse.semiMajorOrientation"] = 3601
    place["altitude.altitudeValue"] = 800001
    place["altitude.altitudeConfidence"] = 15
    c.set_list("payload.cpmContainers", np.arange(n), 1)
    Columns(records, _L)[".containerId"] = CONTAINER
    Columns(records, _L)[".containerData:"] = CONTAINER - 1
    if _C in codec.layout.tables:
        Columns(records, _L)[".containerData.PerceivedObjectContainer@"] = np.arange(n)
    Columns(records, _C)[".numberOfPerceivedObjects"] = np.minimum(count, 255)
    Columns(records, _C).set_list(".perceivedObjects", batch.object_start[:-1], count)
    Columns(records, _O)["?"] = sum(masks.values())
    o["objectId"] = batch.object_id & 0xFFFF
    o["measurementDeltaTime"] = np.clip(frame.its_time(batch.object_time) - stamp[message], -2048, 2047)
    o["position.xCoordinate.value"] = _centimetres(dx * np.cos(turn) + dy * np.sin(turn))
    o["position.yCoordinate.value"] = _centimetres(dy * np.cos(turn) - dx * np.sin(turn))
    spread = limited(batch.sigma * 200, 1, 4094, 4096)
    o["position.xCoordinate.confidence"] = spread
    o["position.yCoordinate.confidence"] = spread
    for path, away in (("velocity", 0), ("angles", 0)):
        o[f"{path}@"] = np.arange(m) + away
    Columns(records, _V)[":"] = polar
    Columns(records, _V)[".polarVelocity@"] = np.arange(m)
    angle = limited(np.remainder(np.degrees(batch.heading - turn), 360.0) * 10, 0, 3600, 3601)
    angle = np.where(angle == 3600, 0, angle)
    polar_columns = Columns(records, f"{_P}.")
    polar_columns["velocityMagnitude.speedValue"] = limited(np.abs(batch.speed) * 100, 0, 16382, 16383)
    polar_columns["velocityMagnitude.speedConfidence"] = 127
    polar_columns["velocityDirection.value"] = angle
    polar_columns["velocityDirection.confidence"] = 127
    Columns(records, _A)[".zAngle.value"] = angle
    Columns(records, _A)[".zAngle.confidence"] = 127
    for axis, values in (("X", batch.length), ("Y", batch.width)):
        o[f"objectDimension{axis}.value"] = limited(values * 10, 1, 255, 256)
        o[f"objectDimension{axis}.confidence"] = 32
    o.set_list("classification", np.arange(m), 1)
    k = Columns(records, f"{_K}.")
    row = _CLASS[batch.kind]
    k["objectClass:"] = row[:, 0]
    k["objectClass.vehicleSubClass"] = row[:, 1]  # or the VRU profile: the alternatives share the slot
    k["objectClass.vruSubClass.pedestrian"] = row[:, 2]
    k["confidence"] = 101
    return codec, records


def from_records(records: Records, frame: Frame, standard: str) -> PerceptionBatch:
    """The batch in CPM records: the objects of the first container that has any."""
    masks, polar = _shape()
    c, o, k = Columns(records), Columns(records, f"{_O}."), Columns(records, f"{_K}.")
    n, m = len(records.error), len(o["objectId"])
    good = records.error == 0
    boxes = np.where(good, c.second("payload.cpmContainers"), 0)
    owner = np.repeat(np.arange(n), boxes)
    box = np.repeat(np.where(good, c["payload.cpmContainers"], 0) - (np.cumsum(boxes) - boxes), boxes) + np.arange(
        boxes.sum()
    )
    objects = Columns(records, _L)[".containerData:"][box] == CONTAINER - 1
    owner, box = owner[objects], box[objects]
    lead, first = np.unique(owner, return_index=True)
    box = box[first]
    away = _C in records.layout.tables
    inner = Columns(records, _L)[".containerData.PerceivedObjectContainer@"][box] if away else box
    begin, count = np.zeros(n, np.int64), np.zeros(n, np.int64)
    begin[lead] = Columns(records, _C)[".perceivedObjects"][inner]
    count[lead] = Columns(records, _C).second(".perceivedObjects")[inner]
    start = np.concatenate(([0], np.cumsum(count)))
    row = np.repeat(begin - start[:-1], count) + np.arange(start[-1])
    message = np.repeat(np.arange(n), count)
    manage = c.under("payload.managementContainer.")
    rx, ry, convergence = frame.enu(manage["referencePosition.latitude"], manage["referencePosition.longitude"])
    turn = convergence[message]
    dx, dy = o["position.xCoordinate.value"][row] * 0.01, o["position.yCoordinate.value"][row] * 0.01
    mask = Columns(records, _O)["?"][row]

    def optional(name: str, table: str, path: str, unavailable: int, resolution: float) -> F64:
        """A field of an optional part in a table of its own, NaN where it is absent."""
        column = Columns(records, table)[path]
        if not len(column):
            return np.full(len(row), np.nan)
        there = mask & masks[name] != 0
        at = np.where(there, o[f"{name}@"][row], 0)
        if name == "velocity":
            there &= Columns(records, _V)[":"][at] == polar
            at = np.where(there, Columns(records, _V)[".polarVelocity@"][at], 0)
        return np.where(there, available(column[at], unavailable, resolution), np.nan)

    time = frame.from_its(np.where(good, manage["referenceTime"], frame.its_time(np.array([frame.now]))[0]))
    turned = optional("angles", f"{_A}.", "zAngle.value", 3601, 0.1)
    course = optional("velocity", f"{_P}.", "velocityDirection.value", 3601, 0.1)
    angle = np.radians(np.where(np.isnan(turned), course, turned)) + turn
    box_of = {
        a: np.where(
            mask & masks[f"objectDimension{a}"], available(o[f"objectDimension{a}.value"][row], 256, 0.1), np.nan
        )
        for a in "XY"
    }
    classified = (mask & masks["classification"] != 0) & (o.second("classification")[row] > 0)
    spread = o["position.xCoordinate.confidence"][row]
    return PerceptionBatch(
        station=station_from(c["header.stationId"]),
        time=time,
        object_start=start,
        object_id=np.where(mask & masks["objectId"], o["objectId"][row], -1).astype(np.int32),
        object_station=np.full(len(row), -1, np.int64),
        object_time=time[message] + o["measurementDeltaTime"][row] * 1e-3,
        x=rx[message] + dx * np.cos(turn) - dy * np.sin(turn),
        y=ry[message] + dx * np.sin(turn) + dy * np.cos(turn),
        heading=np.pi - np.remainder(np.pi - angle, 2 * np.pi),
        speed=optional("velocity", f"{_P}.", "velocityMagnitude.speedValue", 16383, 0.01),
        length=box_of["X"],
        width=box_of["Y"],
        kind=_kinds(k, np.where(classified, o["classification"][row], -1)) if m else np.zeros(0, np.int32),
        sigma=np.where(spread >= 4095, np.nan, spread / 200),
    )


def _kinds(k: Columns, row: I64) -> np.ndarray:
    """Kinds of the classifications `row` (-1 none)."""
    form = np.where(row >= 0, k["objectClass:"][row], -1)
    first, second = k["objectClass.vehicleSubClass"][row], k["objectClass.vruSubClass.pedestrian"][row]
    kind = np.where(form == VEHICLE, _OF_VEHICLE[first & 15], np.where(form == VRU, _OF_VRU[first & 3], Kind.NONE))
    electric = (form == VRU) & (first == 1) & (second == 7)
    return np.where(electric, Kind.EBIKE, kind).astype(np.int32)


def _centimetres(metres: F64) -> I64:
    return np.clip(np.rint(metres * 100).astype(np.int64), -131072, 131071)

"""AwarenessBatch <-> SAE BSM, part I. Lost: the road-user class and the event flags, which are part II and not openly specified."""

from __future__ import annotations

import numpy as np

from cloverleaf.link.content.columns import Columns, allocate
from cloverleaf.link.content.content import encoded
from cloverleaf.link.content.frame import Frame, available, bearing, enu_heading, limited, station_bits, station_from
from cloverleaf.link.content.sae_frame import body_codec, unwrap, wrap
from cloverleaf.types.messages import AwarenessBatch, MessageKind
from cloverleaf.types.state import I64, U8, Kind

_SPEED, _HEADING, _ACCELERATION, _YAW_RATE = 0.02, 0.0125, 0.01, 0.01
_FORWARD, _NO_ELEVATION, _NO_AXIS, _NO_ANGLE, _NO_VERTICAL = 2, -4096, 255, 127, -127


def encode(batch: AwarenessBatch, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch."""
    codec = body_codec("bsm")
    records = allocate(codec, {"": len(batch.station)})
    c = Columns(records, "coreData.")
    latitude, longitude, convergence = frame.geo(batch.x, batch.y)
    c["msgCnt"] = np.remainder(np.rint(batch.time * 10).astype(np.int64), 128)
    c["id"] = station_bits(batch.station)
    c["secMark"] = frame.phase(batch.time, 1e-3, 60_000)
    c["lat"] = latitude
    c["long"] = longitude
    c["elev"] = _NO_ELEVATION
    c["accuracy.semiMajor"] = _NO_AXIS
    c["accuracy.semiMinor"] = _NO_AXIS
    c["accuracy.orientation"] = 65535
    c["transmission"] = _FORWARD
    c["speed"] = limited(np.abs(batch.speed) / _SPEED, 0, 8190, 8191)
    c["heading"] = limited(bearing(batch.heading, convergence) / _HEADING, 0, 28799, 28800)
    c["angle"] = _NO_ANGLE
    c["accelSet.long"] = limited(batch.accel / _ACCELERATION, -2000, 2000, 2001)
    c["accelSet.lat"] = limited(-batch.speed * batch.yaw_rate / _ACCELERATION, -2000, 2000, 2001)
    c["accelSet.vert"] = _NO_VERTICAL
    c["accelSet.yaw"] = limited(-np.degrees(batch.yaw_rate) / _YAW_RATE, -32767, 32767, 0)
    c["brakes.wheelBrakes"] = 1 << 4  # unavailable
    c["size.width"] = limited(batch.width * 100, 1, 1023, 0)
    c["size.length"] = limited(batch.length * 100, 1, 4095, 0)
    return wrap(*encoded(codec, records, standard, MessageKind.AWARENESS), "bsm")


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[AwarenessBatch, U8]:
    """(batch, error) of SAE basic safety messages."""
    bodies, offsets, error = unwrap(buffer, start, "bsm")
    records = body_codec("bsm").decode(bodies, offsets)
    c = Columns(records, "coreData.")
    x, y, convergence = frame.enu(c["lat"], c["long"])
    return AwarenessBatch(
        station=station_from(c["id"].copy()),
        time=frame.unphase(c["secMark"], 1e-3, 60_000),
        x=x,
        y=y,
        heading=enu_heading(available(c["heading"], 28800, _HEADING), convergence),
        speed=available(c["speed"], 8191, _SPEED),
        accel=available(c["accelSet.long"], 2001, _ACCELERATION),
        yaw_rate=-np.radians(c["accelSet.yaw"] * _YAW_RATE),
        length=c["size.length"].astype(float) * 0.01,
        width=c["size.width"].astype(float) * 0.01,
        kind=np.full(len(x), Kind.CAR, np.int32),
        events=np.zeros(len(x), np.int32),
    ), np.maximum(error, records.error)

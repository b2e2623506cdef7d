"""AwarenessBatch <-> ETSI CAM (EN 302 637-2): high-frequency container only; event flags do not travel in a CAM."""

from __future__ import annotations

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.records import Records
from cloverleaf.link.content.columns import Columns, allocate
from cloverleaf.link.content.frame import (
    KIND_OF_STATION,
    STATION_TYPE,
    Frame,
    available,
    bearing,
    enu_heading,
    limited,
    station_bits,
    station_from,
)
from cloverleaf.types.messages import AwarenessBatch

_BASIC = "cam.camParameters.basicContainer."
_FAST = "cam.camParameters.highFrequencyContainer.basicVehicleContainerHighFrequency"
CAM_ID = 2


def header(c: Columns, version: int, message_id: int, station: np.ndarray) -> None:
    """The ITS PDU header of release 1."""
    c["header.protocolVersion"] = version
    c["header.messageID"] = message_id
    c["header.stationID"] = station_bits(station)


def reference_position(c: Columns, latitude: np.ndarray, longitude: np.ndarray) -> None:
    """A reference position of release 1 whose accuracy and altitude are unavailable."""
    c["latitude"] = latitude
    c["longitude"] = longitude
    c["positionConfidenceEllipse.semiMajorConfidence"] = 4095
    c["positionConfidenceEllipse.semiMinorConfidence"] = 4095
    c["positionConfidenceEllipse.semiMajorOrientation"] = 3601
    c["altitude.altitudeValue"] = 800001
    c["altitude.altitudeConfidence"] = 15


def codec_of(standard: str) -> BatchCodec:
    """The codec of these messages."""
    return batch_codec("etsi", "cam")


def to_records(batch: AwarenessBatch, frame: Frame, standard: str) -> tuple[BatchCodec, Records]:
    """CAM records of a batch."""
    codec = codec_of(standard)
    n = len(batch.station)
    records = allocate(codec, {"": n, _FAST: n})
    c, fast = Columns(records), Columns(records, f"{_FAST}.")
    latitude, longitude, convergence = frame.geo(batch.x, batch.y)
    header(c, 2, CAM_ID, batch.station)
    c["cam.generationDeltaTime"] = frame.its_time(batch.time) & 0xFFFF
    c[f"{_BASIC}stationType"] = STATION_TYPE[batch.kind]
    reference_position(c.under(f"{_BASIC}referencePosition."), latitude, longitude)
    c[f"{_FAST}@"] = np.arange(n)
    course = limited(bearing(batch.heading, convergence) * 10, 0, 3600, 3601)
    fast["heading.headingValue"] = np.where(course == 3600, 0, course)
    fast["heading.headingConfidence"] = 127
    fast["speed.speedValue"] = limited(np.abs(batch.speed) * 100, 0, 16382, 16383)
    fast["speed.speedConfidence"] = 127
    fast["driveDirection"] = batch.speed < 0
    fast["vehicleLength.vehicleLengthValue"] = limited(batch.length * 10, 1, 1022, 1023)
    fast["vehicleLength.vehicleLengthConfidenceIndication"] = 4
    fast["vehicleWidth"] = limited(batch.width * 10, 1, 61, 62)
    fast["longitudinalAcceleration.longitudinalAccelerationValue"] = limited(batch.accel * 10, -160, 160, 161)
    fast["longitudinalAcceleration.longitudinalAccelerationConfidence"] = 102
    fast["curvature.curvatureValue"] = 1023
    fast["curvature.curvatureConfidence"] = 7
    fast["curvatureCalculationMode"] = 2
    fast["yawRate.yawRateValue"] = limited(np.degrees(batch.yaw_rate) * 100, -32766, 32766, 32767)
    fast["yawRate.yawRateConfidence"] = 8
    return codec, records


def from_records(records: Records, frame: Frame, standard: str) -> AwarenessBatch:
    """The batch in CAM records; a roadside unit's CAM has no motion (NaN)."""
    c, fast = Columns(records), Columns(records, f"{_FAST}.")
    n = len(records.error)
    place = c.under(f"{_BASIC}referencePosition.")
    x, y, convergence = frame.enu(place["latitude"], place["longitude"])
    vehicle = (c["cam.camParameters.highFrequencyContainer:"] == 0) & (records.error == 0)
    row = c[f"{_FAST}@"][vehicle]

    def field(path: str, unavailable: int, resolution: float) -> np.ndarray:
        """A field of the vehicles' container, NaN for other stations."""
        column = np.full(n, np.nan)
        column[vehicle] = available(fast[path][row], unavailable, resolution)
        return column

    backward = field("driveDirection", 2, 1.0) == 1
    speed = field("speed.speedValue", 16383, 0.01)
    return AwarenessBatch(
        station=station_from(c["header.stationID"]),
        time=frame.from_its_short(c["cam.generationDeltaTime"]),
        x=x,
        y=y,
        heading=enu_heading(field("heading.headingValue", 3601, 0.1), convergence),
        speed=np.where(backward, -speed, speed),
        accel=field("longitudinalAcceleration.longitudinalAccelerationValue", 161, 0.1),
        yaw_rate=np.radians(field("yawRate.yawRateValue", 32767, 0.01)),
        length=field("vehicleLength.vehicleLengthValue", 1023, 0.1),
        width=field("vehicleWidth", 62, 0.1),
        kind=KIND_OF_STATION[c[f"{_BASIC}stationType"]].astype(np.int32),
        events=np.zeros(n, np.int32),
    )

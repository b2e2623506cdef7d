"""What turns SI content into wire integers and back: position, heading, clock, and the tables of road-user classes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from cloverleaf.algo.geo import Projection, convergence, degrees, metres, projection
from cloverleaf.map.graph import GeoReference
from cloverleaf.types.state import F64, I64, Kind

DEFAULT_CLOCK = 1_767_225_600.0
"""UTC of simulation time 0 unless told: 2026-01-01T00:00:00Z, s since 1970."""

TAI_2004 = 1_072_915_200.0
TAI_LEAP = 5.0
"""TAI seconds gained on UTC since 2004-01-01, the origin of ETSI's TimestampIts."""

MAX_LATITUDE, MAX_LONGITUDE = 900_000_000, 1_800_000_000


@dataclass
class Frame:
    """Where and when a world is on the globe.

    projection: of the base map.
    clock: UTC of simulation time 0, s since 1970.
    now: simulation time to which short wire times (ms of the minute, tenths of the hour) are resolved, s.
    """

    projection: Projection
    clock: float = DEFAULT_CLOCK
    now: float = field(default=0.0)

    def geo(self, x: F64, y: F64) -> tuple[I64, I64, F64]:
        """ENU metres to (latitude, longitude) in 1e-7 deg and the grid's convergence, rad."""
        latitude, longitude, turned = degrees(self.projection, x, y)
        return rounded(latitude * 1e7), rounded(longitude * 1e7), turned

    def enu(self, latitude: I64, longitude: I64) -> tuple[F64, F64, F64]:
        """(latitude, longitude) in 1e-7 deg to ENU metres and the convergence there, rad; NaN if unavailable."""
        north, east = latitude.astype(float) * 1e-7, longitude.astype(float) * 1e-7
        x, y = metres(self.projection, north, east)
        bad = (np.abs(latitude) > MAX_LATITUDE) | (np.abs(longitude) > MAX_LONGITUDE)
        x[bad] = np.nan
        y[bad] = np.nan
        return x, y, convergence(self.projection, north, east)

    def phase(self, t: F64, unit: float, period: int) -> I64:
        """Simulation times as counts of `unit` s within a period of `period` units of UTC."""
        return np.remainder(rounded((self.clock + t) / unit), period)

    def unphase(self, count: I64, unit: float, period: int) -> F64:
        """The simulation times nearest to `now` that have these counts."""
        return self.unwrap(count, (self.clock + self.now) / unit, period, unit) - self.clock

    @staticmethod
    def unwrap(count: I64, around: float, period: int, unit: float) -> F64:
        """Counts of `unit` s, known modulo `period`, as the seconds nearest to `around` units."""
        turns = np.round((around - count) / period)
        seconds: F64 = (count + turns * period).astype(np.float64) * np.float64(unit)
        return seconds

    def its_time(self, t: F64) -> I64:
        """Simulation times as TimestampIts: TAI ms since 2004-01-01."""
        return rounded((self.clock + t - TAI_2004 + TAI_LEAP) * 1e3)

    def from_its(self, stamp: I64) -> F64:
        """TimestampIts to simulation times."""
        return stamp.astype(np.float64) * 1e-3 + TAI_2004 - TAI_LEAP - self.clock

    def from_its_short(self, stamp: I64) -> F64:
        """Generation delta times (TimestampIts mod 65536) to the simulation times nearest to `now`."""
        around = (self.clock + self.now - TAI_2004 + TAI_LEAP) * 1e3
        return self.unwrap(stamp, around, 65536, 1e-3) + TAI_2004 - TAI_LEAP - self.clock


def frame_of(geo: GeoReference, clock: float = DEFAULT_CLOCK) -> Frame:
    """The frame of a base map."""
    return Frame(projection(geo.proj, geo.offset_x, geo.offset_y, geo.origin_lat_deg, geo.origin_lon_deg), clock)


def rounded(values: F64) -> I64:
    """To the nearest integer; NaN becomes the smallest int64, which every `limited` cuts off."""
    with np.errstate(invalid="ignore"):
        return np.rint(values).astype(np.int64)


def limited(values: F64, low: int, high: int, unavailable: int) -> I64:
    """Rounded and limited to the range of a field; NaN becomes its `unavailable` code."""
    return np.where(np.isnan(values), unavailable, np.clip(rounded(values), low, high))


def available(values: I64, unavailable: int, resolution: float) -> F64:
    """Wire integers times their resolution; the `unavailable` code becomes NaN."""
    return np.where(values == unavailable, np.nan, values * resolution)


def bearing(heading: F64, convergence: F64) -> F64:
    """ENU headings (rad, anticlockwise from east) to degrees clockwise from true north, 0 <= b < 360."""
    return np.remainder(90.0 + np.degrees(convergence - heading), 360.0)


def enu_heading(degrees_north: F64, convergence: F64) -> F64:
    """Degrees clockwise from true north to ENU headings in (-pi, pi]."""
    heading = math.pi / 2 + convergence - np.radians(degrees_north)
    return np.pi - np.remainder(np.pi - heading, 2 * np.pi)


def station_bits(station: I64) -> I64:
    """Station ids as the 32 bits of ETSI and SAE: CLOUD_STATION (-2) and its like wrap to the top of the range."""
    return station & 0xFFFFFFFF


def station_from(bits: I64) -> I64:
    """32-bit station ids back; the top of the range is negative again."""
    return np.where(bits >= 0xFFFFFF00, bits - (1 << 32), bits)


def _table(size: int, default: int, pairs: dict[int, int]) -> I64:
    table = np.full(size, default, np.int64)
    for key, value in pairs.items():
        table[key] = value
    return table


_CLASS = {Kind.CAR: 10, Kind.TRUCK: 25, Kind.BUS: 50, Kind.MOTORCYCLE: 40, Kind.EBIKE: 84, Kind.BICYCLE: 84, Kind.PEDESTRIAN: 81,
          Kind.EMERGENCY: 60}  # fmt: skip
VEHICLE_CLASS = _table(16, 0, {int(k): v for k, v in _CLASS.items()})
"""Kind -> BasicVehicleClass of CSAE and SAE. An e-bike is a bicycle there."""

KIND_OF_CLASS = _table(256, int(Kind.CAR), {})
for _low, _high, _kind in ((20, 40, Kind.TRUCK), (40, 50, Kind.MOTORCYCLE), (50, 60, Kind.BUS), (60, 80, Kind.EMERGENCY),
                           (80, 84, Kind.PEDESTRIAN), (84, 85, Kind.BICYCLE), (85, 90, Kind.PEDESTRIAN)):  # fmt: skip
    KIND_OF_CLASS[_low:_high] = int(_kind)

_STATION = {Kind.CAR: 5, Kind.TRUCK: 8, Kind.BUS: 6, Kind.MOTORCYCLE: 4, Kind.EBIKE: 3, Kind.BICYCLE: 2, Kind.PEDESTRIAN: 1,
            Kind.EMERGENCY: 10}  # fmt: skip
STATION_TYPE = _table(16, 0, {int(k): v for k, v in _STATION.items()})
"""Kind -> StationType of ETSI."""

KIND_OF_STATION = _table(256, int(Kind.CAR), {v: int(k) for k, v in _STATION.items()} | {7: int(Kind.TRUCK)})

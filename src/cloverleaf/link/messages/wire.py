"""Between SI numbers and wire integers: scaling with an "unavailable" code, short clocks, bearings, bit strings, offsets on the globe."""

from __future__ import annotations

import calendar
import math
import time as clock
from collections.abc import Iterable
from typing import Any

from cloverleaf.link.its_time import ITS_EPOCH as ITS_EPOCH
from cloverleaf.link.messages.records import Place
from cloverleaf.types.state import Kind

_A, _E2 = 6_378_137.0, 6.694379990141e-3
"""WGS 84: semi-major axis in m, first eccentricity squared."""
NO_LATITUDE, NO_LONGITUDE = 900_000_001, 1_800_000_001
MINUTE_MS, HOUR_MARKS, DELTA_MS = 60_000, 36_000, 65_536


def si(value: int | None, resolution: float, unavailable: int | None = None) -> float | None:
    """A wire integer in SI; None if it is absent or says unavailable."""
    return None if value is None or value == unavailable else value * resolution


def wire(value: float | None, resolution: float, low: int, high: int, unavailable: int) -> int:
    """An SI number as a wire integer, limited to its range; `unavailable` for None."""
    return unavailable if value is None else min(max(round(value / resolution), low), high)


def heading_of(bearing_deg: float | None) -> float | None:
    """Degrees clockwise from north to rad anticlockwise from east, in (-pi, pi]."""
    if bearing_deg is None:
        return None
    angle = math.radians(90.0 - bearing_deg)
    return math.pi - (math.pi - angle) % (2.0 * math.pi)


def bearing_of(heading: float | None) -> float | None:
    """rad anticlockwise from east to degrees clockwise from north, 0 <= b < 360."""
    return None if heading is None else (90.0 - math.degrees(heading)) % 360.0


def bearing_wire(heading: float | None, resolution: float, full: int, unavailable: int) -> int:
    """A heading as a wire bearing; rounding up to a full turn gives 0."""
    bearing = bearing_of(heading)
    return unavailable if bearing is None else round(bearing / resolution) % full


def nearest_time(
    count: int | None, unit: float, period: int, now: float, unavailable: int | None = None
) -> float | None:
    """The moment nearest to `now` whose count of `unit` s within `period` units of the epoch is `count`."""
    if count is None or count == unavailable or not 0 <= count < period:
        return None
    around = now / unit
    return (count + round((around - count) / period) * period) * unit


def count_of(time: float | None, unit: float, period: int, unavailable: int) -> int:
    """A moment as a count of `unit` s within `period` units."""
    return unavailable if time is None else round(time / unit) % period


def its_ms(time: float) -> int:
    """A moment as TimestampIts."""
    return round((time - ITS_EPOCH) * 1000)


def from_its_ms(stamp: int) -> float:
    """TimestampIts as a moment."""
    return stamp * 1e-3 + ITS_EPOCH


def minute_of_year(time: float) -> int:
    """Minute of the UTC year of a moment."""
    return int(time - _year_start(clock.gmtime(time).tm_year)) // 60


def from_minute_of_year(minute: int | None, now: float) -> float | None:
    """The moment nearest to `now` that is this minute of a year; 527040 is unavailable."""
    if minute is None or minute >= 527_040:
        return None
    year = clock.gmtime(now).tm_year
    options = [_year_start(y) + 60.0 * minute for y in (year - 1, year, year + 1)]
    return min(options, key=lambda t: abs(t - now))


def _year_start(year: int) -> int:
    return calendar.timegm((year, 1, 1, 0, 0, 0))


def place_of(lat: int, long: int, elevation: float | None = None) -> Place | None:
    """A place from 0.1 microdegrees; None if it is unavailable."""
    if abs(lat) > 900_000_000 or abs(long) > 1_800_000_000:
        return None
    return Place(lat * 1e-7, long * 1e-7, elevation)


def microdegrees(place: Place | None) -> tuple[int, int]:
    """(latitude, longitude) in 0.1 microdegrees; the unavailable codes for None."""
    if place is None:
        return NO_LATITUDE, NO_LONGITUDE
    longitude = 1_800_000_000 - (1_800_000_000 - round(place.longitude_deg * 1e7)) % 3_600_000_000
    return min(max(round(place.latitude_deg * 1e7), -900_000_000), 900_000_000), longitude


def metres_per_degree(latitude_deg: float) -> tuple[float, float]:
    """(north, east) m per degree of latitude and longitude on the ellipsoid."""
    s = math.sin(math.radians(latitude_deg)) ** 2
    north = _A * (1.0 - _E2) / (1.0 - _E2 * s) ** 1.5
    east = _A / math.sqrt(1.0 - _E2 * s) * math.cos(math.radians(latitude_deg))
    return math.radians(north), math.radians(east)


def shifted(origin: Place, east: float, north: float) -> Place:
    """The place `east` and `north` m away, for distances of some km."""
    per_north, per_east = metres_per_degree(origin.latitude_deg)
    return Place(origin.latitude_deg + north / per_north, origin.longitude_deg + east / max(per_east, 1e-6))


def offset(origin: Place, place: Place) -> tuple[float, float]:
    """(east, north) m from one place to another."""
    per_north, per_east = metres_per_degree(origin.latitude_deg)
    north = (place.latitude_deg - origin.latitude_deg) * per_north
    return (place.longitude_deg - origin.longitude_deg) * per_east, north


def set_bits(value: dict[str, Any] | None) -> frozenset[int] | None:
    """Positions of the bits that are set in a BIT STRING value."""
    if value is None:
        return None
    number, width = int(value["hex"] or "0", 16), 4 * len(value["hex"])
    return frozenset(i for i in range(value["bits"]) if number >> (width - 1 - i) & 1)


def bit_string(positions: Iterable[int], bits: int) -> dict[str, Any]:
    """A BIT STRING value with these bits set."""
    octets = (bits + 7) // 8
    number = sum(1 << (8 * octets - 1 - i) for i in positions if i < bits)
    return {"hex": f"{number:0{2 * octets}x}", "bits": bits}


def named_bits(value: dict[str, Any] | None, names: tuple[str, ...]) -> frozenset[str]:
    """Names of the bits that are set."""
    return frozenset(names[i] for i in set_bits(value) or () if i < len(names))


_CLASS = {Kind.CAR: 10, Kind.TRUCK: 25, Kind.BUS: 50, Kind.MOTORCYCLE: 40, Kind.EBIKE: 84, Kind.BICYCLE: 84, Kind.PEDESTRIAN: 81,
          Kind.EMERGENCY: 60}  # fmt: skip
_CLASSES = ((10, 20, Kind.CAR), (20, 40, Kind.TRUCK), (40, 50, Kind.MOTORCYCLE), (50, 60, Kind.BUS), (60, 80, Kind.EMERGENCY),
            (80, 84, Kind.PEDESTRIAN), (84, 85, Kind.BICYCLE), (85, 90, Kind.PEDESTRIAN))  # fmt: skip
_STATION = {Kind.CAR: 5, Kind.TRUCK: 8, Kind.BUS: 6, Kind.MOTORCYCLE: 4, Kind.EBIKE: 3, Kind.BICYCLE: 2, Kind.PEDESTRIAN: 1,
            Kind.EMERGENCY: 10}  # fmt: skip
_OF_STATION = {v: k for k, v in _STATION.items()} | {7: Kind.TRUCK}


def class_of(kind: Kind | None) -> int:
    """BasicVehicleClass of CSAE and SAE."""
    return _CLASS.get(kind, 0) if kind is not None else 0


def kind_of_class(number: int) -> Kind | None:
    """Road-user kind of a BasicVehicleClass."""
    return next((kind for low, high, kind in _CLASSES if low <= number < high), None)


def station_type_of(kind: Kind | None) -> int:
    """StationType of ETSI."""
    return _STATION.get(kind, 0) if kind is not None else 0


def kind_of_station(number: int) -> Kind | None:
    """Road-user kind of an ETSI StationType."""
    return _OF_STATION.get(number)


def station_hex(station: int | None, octets: int) -> dict[str, str]:
    """A station id as an OCTET STRING value, cut to its low bytes."""
    return {"hex": ((station or 0) & (1 << 8 * octets) - 1).to_bytes(octets, "big").hex()}


def station_int(value: dict[str, str]) -> int:
    """A station id from an OCTET STRING value."""
    return int(value["hex"] or "0", 16)

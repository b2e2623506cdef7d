"""The messages of a capture as a log: when, from whom, from where, which bytes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cloverleaf.link.inspection.packets import Inspector
from cloverleaf.link.io.captures import read_capture
from cloverleaf.types.errors import InputError

Place = tuple[float, float]
"""(latitude, longitude) in degrees."""
METRES_PER_DEGREE = 111_195.0
_STATION_KEYS = ("stationID", "stationId", "id")
_PLACE_KEYS = (("latitude", "longitude"), ("lat", "long"))
_MAX_LATITUDE, _MAX_LONGITUDE = 900_000_000, 1_800_000_000


class Entry(NamedTuple):
    """One message of a log."""

    time: float  # s since 1970, of the capture
    kind: str  # standard and message, e.g. "etsi cam"
    station: str  # as the message names its sender, empty if it does not
    place: Place | None  # where the message says it is from
    data: bytes  # the message


def read_log(path: Path) -> tuple[list[Entry], str]:
    """Messages of a capture in file order, frames that are none left out; and what is wrong behind the last one, empty if nothing is.

    Raises:
        InputError: no such file, no capture, or no message in it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(str(error.strerror or error), file=path) from None
    capture = read_capture(raw)
    if capture is None:
        raise InputError("not a capture file", file=path, hint="pcap and pcapng are read")
    inspector, out = Inspector(), []
    for packet in capture.packets:
        for finding in inspector.frame(packet.link_type, packet.data):
            if finding.readings:
                best = finding.readings[0]
                kind = f"{best.standard.partition('_')[0]} {best.name}"
                out.append(Entry(packet.time, kind, station_of(best.value), place_of(best.value), finding.data))
    if not out:
        raise InputError(
            "no V2X message in this capture", file=path, hint="`cloverleaf link inspect` says what is in it"
        )
    return out, capture.problem


def place_of(value: Any) -> Place | None:
    """The first available position in a message value, in degrees; None without one."""
    for inner in _objects(value):
        for first, second in _PLACE_KEYS:
            a, b = inner.get(first), inner.get(second)
            if isinstance(a, int) and isinstance(b, int) and abs(a) <= _MAX_LATITUDE and abs(b) <= _MAX_LONGITUDE:
                return a * 1e-7, b * 1e-7
    return None


def station_of(value: Any) -> str:
    """How a message names its sender; empty if it does not."""
    for inner in _objects(value):
        for key in _STATION_KEYS:
            if isinstance(inner.get(key), int):
                return str(inner[key])
            if isinstance(inner.get(key), dict) and isinstance(inner[key].get("hex"), str):
                return str(inner[key]["hex"])
    return ""


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a value, outermost first."""
    waiting = [value]
    while waiting:
        here = waiting.pop(0)
        if isinstance(here, dict):
            yield here
            waiting += [v for v in here.values() if isinstance(v, (dict, list))]
        elif isinstance(here, list):
            waiting += [v for v in here if isinstance(v, (dict, list))]


def metres_between(a: Place, b: Place) -> float:
    """Distance over ground in m, good for a few kilometres."""
    north = (a[0] - b[0]) * METRES_PER_DEGREE
    east = (a[1] - b[1]) * METRES_PER_DEGREE * math.cos(math.radians(0.5 * (a[0] + b[0])))
    return math.hypot(north, east)


class Track:
    """Where a receiver was: a fixed place, or places over time with straight lines between them."""

    def __init__(self, times: list[float], places: list[Place]) -> None:
        order = sorted(range(len(times)), key=times.__getitem__)
        self.times, self.places = [times[i] for i in order], [places[i] for i in order]

    def at(self, time: float) -> Place | None:
        """The place at a time; None more than two seconds outside of the track."""
        if len(self.times) == 1:
            return self.places[0]
        if not self.times or not self.times[0] - 2.0 <= time <= self.times[-1] + 2.0:
            return None
        k = min(max(bisect_right(self.times, time), 1), len(self.times) - 1)
        (t0, t1), (a, b) = self.times[k - 1 : k + 1], self.places[k - 1 : k + 1]
        share = min(max((time - t0) / (t1 - t0), 0.0), 1.0) if t1 > t0 else 0.0
        return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def track_of(path: Path) -> Track:
    """A receiver's track: CSV with a header and the columns time (s since 1970), latitude, longitude (degrees).

    Raises:
        InputError: missing columns, or a line that is not numbers.
    """
    import csv

    try:
        with open(path, newline="", encoding="utf-8") as source:
            reader = csv.DictReader(source)
            missing = {"time", "latitude", "longitude"} - set(reader.fieldnames or ())
            if missing:
                raise InputError(f"no column {', '.join(sorted(missing))}", file=path, line=1)
            rows = []
            for number, row in enumerate(reader, 2):
                try:
                    rows.append((float(row["time"]), float(row["latitude"]), float(row["longitude"])))
                except (TypeError, ValueError):
                    raise InputError("not numbers", file=path, line=number) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(getattr(error, "strerror", None) or error), file=path) from None
    return Track([r[0] for r in rows], [(r[1], r[2]) for r in rows])

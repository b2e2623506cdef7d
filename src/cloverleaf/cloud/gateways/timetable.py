"""When buses should be at their stops: the arrivals of a GTFS feed's `stop_times.txt`, in the time zone of its `agency.txt`.

Times count from noon minus 12 h of the service day and may pass 24:00:00 (GTFS Schedule reference, field type Time). Every trip is
taken to run every day.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloverleaf.types.errors import InputError

NEAR = 12 * 3600.0
"""s around now in which arrivals are looked for."""
_TIME = re.compile(r"\s*(\d{1,3}):([0-5]\d):([0-5]\d)\s*")


class Timetable:
    """Planned arrivals by stop. `arrivals`: stop -> s since noon minus 12 h, in order."""

    def __init__(self, arrivals: dict[str, list[int]], zone: str = "UTC") -> None:
        self.arrivals, self.zone = {k: sorted(v) for k, v in arrivals.items()}, ZoneInfo(zone)

    def near(self, stop: str, now: float) -> list[float]:
        """Arrivals planned at a stop within `NEAR` of `now`, s since 1970."""
        out = []
        today = datetime.fromtimestamp(now, self.zone)
        for day in (-2, -1, 0, 1):  # a service day lasts into the next
            noon = (today + timedelta(days=day)).replace(hour=12, minute=0, second=0, microsecond=0)
            begin = noon.timestamp() - 43_200.0
            out += [begin + s for s in self.arrivals.get(stop, ()) if abs(begin + s - now) <= NEAR]
        return sorted(out)


def read_timetable(folder: Path) -> Timetable:
    """The timetable of a GTFS feed that lies unpacked in `folder`.

    Raises:
        InputError: with file and line, what cannot be read.
    """
    path, zone = folder / "stop_times.txt", "UTC"
    agency = folder / "agency.txt"
    arrivals: dict[str, list[int]] = {}
    try:
        if agency.exists():
            with open(agency, encoding="utf-8-sig", newline="") as f:
                zone = next((row.get("agency_timezone") or "UTC" for row in csv.DictReader(f)), "UTC")
        with open(path, encoding="utf-8-sig", newline="") as f:
            rows = csv.DictReader(f)
            for row in rows:
                stop, text = row.get("stop_id"), row.get("arrival_time") or row.get("departure_time")
                if not text and stop:
                    continue  # a stop between two that have a time
                found = _TIME.fullmatch(text or "")
                if not stop or found is None:
                    raise InputError(
                        f"no stop_id with an arrival_time, but '{stop}' and '{text}'", file=path, line=rows.line_num,
                        hint="GTFS times are HH:MM:SS",
                    )  # fmt: skip
                h, m, s = map(int, found.groups())
                arrivals.setdefault(stop, []).append(3600 * h + 60 * m + s)
        return Timetable(arrivals, zone)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"not a GTFS feed: {error}", file=path, hint="stop_times.txt of the feed, unpacked") from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"no time zone '{zone}'", file=agency, hint="a name such as Asia/Shanghai") from error

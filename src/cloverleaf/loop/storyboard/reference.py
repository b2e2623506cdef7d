"""A run held against a recorded reference run: how far entities are apart, and which storyboard events differ in time.

The reference is a table of `Episode` columns (CSV, gzip) and a JSON file as `Episode.events` gives it.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.loop.storyboard.episode import Episode
from cloverleaf.types.state import F64

DISTANCE, SPEED, STEPS = 0.05, 0.05, 1.05
"""Bounds: m, m/s, steps by which an event may be early or late."""
Key = tuple[str, str, str]


class Motion(NamedTuple):
    """One entity against its reference: largest distance (m) and speed difference (m/s), first time out of bounds (s, NaN never)."""

    distance: float
    speed: float
    since: float

    @property
    def close(self) -> bool:
        """Within the bounds all the time."""
        return math.isnan(self.since)


class Reference(NamedTuple):
    """A recorded run: rows (time, x, y, heading, speed) per entity, events, and from when an entity has a driver of its own."""

    rows: dict[str, F64]
    events: dict[str, Any]
    scripted_until: dict[str, float]


def read_reference(table: Path) -> Reference:
    """Read `X.csv.gz` and `X.events.json` beside it."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    with gzip.open(table, "rt") as lines:
        for row in csv.DictReader(lines):
            found[row["entity"]].append([float(row[k]) for k in ("time", "x", "y", "heading", "speed")])
    events = json.loads(Path(str(table).replace(".csv.gz", ".events.json")).read_text(encoding="utf-8"))
    until = {}
    for name, entity in events["entities"].items():
        changed = [time for time, code in entity.get("controller_types", []) if code != 0]
        until[name] = min(changed, default=math.inf)
    return Reference({k: np.array(v) for k, v in found.items()}, events, until)


def compare_motion(episode: Episode, reference: Reference, until: float = math.inf) -> dict[str, Motion]:
    """Every entity that the storyboard moves, as long as it does, before the time `until` (s); rows are matched by time."""
    own: dict[str, dict[int, tuple[float, ...]]] = defaultdict(dict)
    step = episode.worlds.dt
    for time, name, x, y, _, _, speed, *_ in episode.rows():
        own[name][round(time / step)] = (x, y, speed)
    out = {}
    for name, rows in reference.rows.items():
        worst_distance, worst_speed, since = 0.0, 0.0, math.nan
        shared = 0
        if len(rows) > 2 and rows[-1, 0] - rows[-2, 0] < 0.99 * (rows[1, 0] - rows[0, 0]):
            rows = rows[:-1]  # the reference's last row may lie a step after its time
        for time, x, y, _, speed in rows:
            mine = own[name].get(round(time / step)) if name in own else None
            if mine is None or time >= min(reference.scripted_until.get(name, math.inf), until):
                continue
            shared += 1
            distance, difference = math.hypot(mine[0] - x, mine[1] - y), abs(mine[2] - speed)
            worst_distance, worst_speed = max(worst_distance, distance), max(worst_speed, difference)
            if (distance > DISTANCE or difference > SPEED) and math.isnan(since):
                since = float(time)
        if shared:
            out[name] = Motion(worst_distance, worst_speed, since)
    return out


def _by_element(events: Mapping[str, Any]) -> dict[Key, list[float]]:
    found: dict[Key, list[float]] = defaultdict(list)
    for e in events["storyboard"]:
        if e["type"] != "storyboard" and e["path"] and not e["path"].startswith("Init "):
            found[e["type"], e["path"], e["state"]].append(float(e["time"]))
    return found


def compare_events(episode: Episode, reference: Reference, until: float = math.inf) -> list[str]:
    """Storyboard transitions of the reference, before the time `until` (s), that come more than a step early or late here, or not at
    all."""
    own, wanted = _by_element(episode.events()), _by_element(reference.events)
    slack = STEPS * episode.worlds.dt
    out = []
    for key, times in wanted.items():
        for time in sorted(t for t in set(times) if t < until):
            nearest = min(own.get(key, []), key=lambda t: abs(t - time), default=None)
            if nearest is None or abs(nearest - time) > slack:
                out.append(f"{key[0]} {key[1]} {key[2]}: {time:.2f} s in the reference, here {nearest}")
    return out

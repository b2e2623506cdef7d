"""Which perceived objects are worth sharing now: the inclusion rules of TS 103 324, clause 6.1.2, for many senders at once.

Vehicles and things: seen for the first time; moved more than 4 m, changed speed by more than 0.5 m/s or direction by more than 4 degrees
since they were last included; or not included for T_GenCpmMax. People and animals: if one of them was not included for half of that, all
of them are. Objects older than 1.5 s are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.batches import take
from cloverleaf.types.messages import PerceptionBatch
from cloverleaf.types.state import F64, I64, Kind


class InclusionRules(NamedTuple):
    """Thresholds of TS 103 324; s, m, m/s, rad."""

    shortest: float = 0.1  # T_GenCpmMin
    longest: float = 1.0  # T_GenCpmMax
    people: float = 0.5
    sensors: float = 1.0  # T_AddSensorInformation
    distance: float = 4.0
    speed: float = 0.5
    heading: float = float(np.radians(4.0))
    oldest: float = 1.5


_SLACK = 1e-6
_FORGET = 10.0
_PEOPLE = (int(Kind.PEDESTRIAN), int(Kind.BICYCLE), int(Kind.EBIKE))


class _Last(NamedTuple):
    """What was last said about known objects, sorted by key; shape (n,)."""

    key: I64
    time: F64
    x: F64
    y: F64
    speed: F64
    heading: F64


class ObjectSelection:
    """Remembers what each sender said about each object."""

    def __init__(self, rules: InclusionRules | None = None) -> None:
        self.rules = rules or InclusionRules()
        none = np.zeros(0)
        self._last = _Last(np.zeros(0, np.int64), none, none, none, none, none)
        self._sent: dict[int, float] = {}
        self._sensors: dict[int, float] = {}

    def select(self, batch: PerceptionBatch, t: float) -> PerceptionBatch:
        """The messages that go out at `t`, with the objects that belong in them.

        A message goes out if T_GenCpmMin has passed and it has an object, or if sensor information is due (then maybe without objects).
        """
        rules, n = self.rules, len(batch.station)
        ready = np.array([t - self._sent.get(int(s), -np.inf) >= rules.shortest - _SLACK for s in batch.station], bool)
        count = np.diff(batch.object_start)
        message = np.repeat(np.arange(n), count)
        chosen = self._due(batch, message, t) & ready[message]
        held = np.bincount(message[chosen], minlength=n) if len(message) else np.zeros(n, np.int64)
        sensors = np.array(
            [t - self._sensors.get(int(s), -np.inf) >= rules.sensors - _SLACK for s in batch.station], bool
        )
        goes = ready & ((held > 0) | sensors)
        for s in batch.station[goes].tolist():
            self._sent[s] = t
            if t - self._sensors.get(s, -np.inf) >= rules.sensors - _SLACK:
                self._sensors[s] = t
        self._remember(batch, message, chosen, t)
        start = np.concatenate(([0], np.cumsum(held))).astype(np.int64)
        rows = np.flatnonzero(chosen)
        columns = {f: getattr(batch, f)[rows] for f in batch._fields if f not in ("station", "time", "object_start")}
        return take(batch._replace(object_start=start, **columns), np.flatnonzero(goes))

    def _due(self, batch: PerceptionBatch, message: I64, t: float) -> np.ndarray:
        """Mask of the objects that the rules include."""
        rules, key = self.rules, _key(batch, message)
        at = np.searchsorted(self._last.key, key)
        known = at < len(self._last.key)
        at = np.minimum(at, max(len(self._last.key) - 1, 0))
        if len(self._last.key):
            known &= self._last.key[at] == key
            o = self._last
            last = _Last(o.key[at], o.time[at], o.x[at], o.y[at], o.speed[at], o.heading[at])
            turn = np.abs(np.remainder(batch.heading - last.heading + np.pi, 2 * np.pi) - np.pi)
            moved = np.hypot(batch.x - last.x, batch.y - last.y) > rules.distance
            changed = moved | (np.abs(batch.speed - last.speed) > rules.speed) | (turn > rules.heading)
            since = t - last.time
        else:
            changed, since = np.zeros(len(key), bool), np.full(len(key), np.inf)
        people = np.isin(batch.kind, _PEOPLE)
        due = ~known | changed | (since >= rules.longest - _SLACK)
        waiting = people & (~known | (since >= rules.people - _SLACK))
        group = np.zeros(len(batch.station), bool)
        group[message[waiting]] = True
        young = t - batch.object_time <= rules.oldest + _SLACK
        return np.asarray(np.where(people, group[message], due) & young)

    def _remember(self, batch: PerceptionBatch, message: I64, chosen: np.ndarray, t: float) -> None:
        """Store what goes out now; entries of objects long gone are dropped."""
        key = _key(batch, message)[chosen]
        stay = ~np.isin(self._last.key, key) & (t - self._last.time < _FORGET)
        o, now = self._last, np.full(len(key), t)
        keys = np.concatenate((o.key[stay], key))
        order = np.argsort(keys, kind="stable")

        def column(old: F64, new: F64) -> F64:
            return np.concatenate((old[stay], new))[order]

        self._last = _Last(
            keys[order],
            column(o.time, now),
            column(o.x, batch.x[chosen]),
            column(o.y, batch.y[chosen]),
            column(o.speed, batch.speed[chosen]),
            column(o.heading, batch.heading[chosen]),
        )


def _key(batch: PerceptionBatch, message: I64) -> I64:
    """One number per sender and object."""
    return np.asarray(batch.station[message].astype(np.int64) << 20 | batch.object_id.astype(np.int64) & 0xFFFFF)

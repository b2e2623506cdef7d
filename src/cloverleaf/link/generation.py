"""When a message is sent: fixed rates of T/CSAE 53, the CAM triggers of EN 302 637-2, repetition of events and advice.

Congestion control (`congestion.py`) stretches the interval of awareness messages. Objects of a CPM are chosen by its inclusion rules.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.link.batches import take
from cloverleaf.link.congestion import OF_STANDARD, Congestion
from cloverleaf.link.life.event_sender import EventSender
from cloverleaf.link.life.living import LivingEvents
from cloverleaf.link.life.object_selection import ObjectSelection
from cloverleaf.types.messages import AdviceBatch, AwarenessBatch, EventBatch, PerceptionBatch, SignalBatch
from cloverleaf.types.state import F64, I64, U8

NEVER = -1.0e9
_SLACK = 1.0e-6  # s, tick times are sums of steps


class Rates(NamedTuple):
    """Intervals in s between two messages of one kind from one sender."""

    awareness: float = 0.1
    signal: float = 0.1
    topology: float = 1.0
    perception: float = 0.1
    advice: float = 1.0  # repetition of unchanged advice
    event: float = 0.1  # repetition while the event lasts


CAM_MIN = 0.1
"""T_GenCamMin, s."""
CAM_MAX = 1.0
"""T_GenCamMax, s."""
CAM_REPEAT = 3
"""N_GenCam: time-triggered CAMs after which the interval goes back to CAM_MAX."""
CAM_HEADING = math.radians(4.0)
CAM_DISTANCE = 4.0
CAM_SPEED = 0.5
ADVICE_CHANGE = 0.5
"""m/s by which advice must change to be sent before its repetition is due."""


class Awareness(NamedTuple):
    """What each station sent last; shape (stations,)."""

    time: F64
    x: F64
    y: F64
    heading: F64
    speed: F64
    interval: F64  # T_GenCam
    repeats: I64  # consecutive time-triggered messages


def awareness_state(stations: int) -> Awareness:
    """Nobody has sent anything."""
    never, zero = np.full(stations, NEVER), np.zeros(stations)
    return Awareness(
        never, zero, zero.copy(), zero.copy(), zero.copy(), np.full(stations, CAM_MAX), np.zeros(stations, np.int64)
    )


def fixed_due(last: Awareness, key: I64, interval: F64, t: float) -> np.ndarray:
    """Awareness at a fixed rate: mask of the stations `key` that send now."""
    due: np.ndarray = t - last.time[key] >= interval - _SLACK
    last.time[key[due]] = t
    return due


def cam_due(last: Awareness, batch: AwarenessBatch, floor: F64, t: float) -> np.ndarray:
    """CAM triggers: condition 1 (moved, turned or changed speed), condition 2 (T_GenCam has passed); EN 302 637-2, 6.1.3."""
    key = batch.station
    elapsed = t - last.time[key] + _SLACK
    turn = np.abs(np.remainder(batch.heading - last.heading[key] + np.pi, 2 * np.pi) - np.pi)
    moved = np.hypot(batch.x - last.x[key], batch.y - last.y[key]) > CAM_DISTANCE
    changed = moved | (turn > CAM_HEADING) | (np.abs(batch.speed - last.speed[key]) > CAM_SPEED)
    free = elapsed >= floor
    first = free & changed
    second = free & ~changed & (elapsed >= last.interval[key])
    last.interval[key[first]] = np.minimum(elapsed[first], CAM_MAX)
    last.repeats[key[first]] = 0
    last.repeats[key[second]] += 1
    done = second & (last.repeats[key] >= CAM_REPEAT)
    last.interval[key[done]] = CAM_MAX
    due: np.ndarray = first | second
    rows = key[due]
    last.time[rows] = t
    for column, value in (
        (last.x, batch.x),
        (last.y, batch.y),
        (last.heading, batch.heading),
        (last.speed, batch.speed),
    ):
        column[rows] = value[due]
    return due


class _Repeat:
    """Last time and value per key, grown on demand; keys are small non-negative integers."""

    def __init__(self) -> None:
        self.time = np.full(64, NEVER)
        self.value = np.zeros(64)

    def due(self, key: np.ndarray, t: float, interval: float, value: np.ndarray | None, change: float) -> U8:
        if not len(key):
            return np.zeros(0, np.uint8)
        top = int(key.max())
        if top >= len(self.time):
            more = max(top + 1, 2 * len(self.time)) - len(self.time)
            self.time = np.append(self.time, np.full(more, NEVER))
            self.value = np.append(self.value, np.zeros(more))
        mask = t - self.time[key] >= interval - _SLACK
        if value is not None:
            mask |= np.abs(value - self.value[key]) > change
            self.value[key[mask]] = value[mask]
        self.time[key[mask]] = t
        return mask.astype(np.uint8)


class Generation:
    """Decides which of the offered messages go out; one instance per link.

    `standard` selects the awareness rule: names starting with "etsi" follow the CAM triggers, all others a fixed rate.
    Station ids below `unit_base` are rows of trips; ids from there on are roadside units.
    """

    def __init__(
        self, standard: str, rates: Rates | None = None, *, congestion: str = "auto", step: float = 0.1
    ) -> None:
        self.rates = rates or Rates()
        self.triggered = standard.startswith("etsi")
        self.congestion = Congestion(OF_STANDARD.get(standard, "none") if congestion == "auto" else congestion, step)
        self.objects = ObjectSelection() if self.triggered else None
        self.last = awareness_state(256)
        self._signal, self._topology, self._perception = _Repeat(), _Repeat(), _Repeat()
        self._advice = _Repeat()
        self._shared: dict[int, float] = {}  # time of the newest object that each station has shared
        self._events = EventSender(self.rates.event, cancels=self.triggered)

    def _grow(self, station: I64) -> None:
        top = int(station.max()) if len(station) else 0
        if top >= len(self.last.time):
            more = max(top + 1, 2 * len(self.last.time)) - len(self.last.time)
            fresh = awareness_state(more)
            self.last = Awareness(*[np.concatenate(pair) for pair in zip(self.last, fresh)])

    def awareness(self, batch: AwarenessBatch, t: float) -> np.ndarray:
        """Due mask, shape (n,); remembers what goes out. `t` in s."""
        self._grow(batch.station)
        floor = self.congestion.of(batch.station)
        if self.triggered:
            return cam_due(self.last, batch, floor, t)
        return fixed_due(self.last, batch.station, np.maximum(floor, self.rates.awareness), t)

    def signal(self, batch: SignalBatch, t: float) -> U8:
        """Due mask of SPAT, per intersection."""
        return self._signal.due(batch.intersection, t, self.rates.signal, None, 0.0)

    def topology(self, station: I64, unit_base: int, t: float) -> U8:
        """Due mask of MAP, per roadside unit."""
        return self._topology.due(station - unit_base, t, self.rates.topology, None, 0.0)

    def perception(self, batch: PerceptionBatch, unit_base: int, t: float) -> PerceptionBatch:
        """What is shared now: by the inclusion rules of the CPM, or everything at a fixed rate unless no object is newer than before.

        Cars have even keys, roadside units odd ones.
        """
        if self.objects is not None:
            return self.objects.select(batch, t)
        newest = np.full(len(batch.station), NEVER)
        np.maximum.at(newest, np.repeat(np.arange(len(newest)), np.diff(batch.object_start)), batch.object_time)
        newer = newest > np.array([self._shared.get(s, NEVER) for s in batch.station.tolist()]) + _SLACK
        unit = batch.station >= unit_base
        key = np.where(unit, 2 * (batch.station - unit_base) + 1, 2 * batch.station)[newer]
        rows = np.flatnonzero(newer)[self._perception.due(key, t, self.rates.perception, None, 0.0) != 0]
        self._shared.update(zip(batch.station[rows].tolist(), newest[rows].tolist()))
        return batch if len(rows) == len(newest) else take(batch, rows)

    def advice(self, batch: AdviceBatch, t: float) -> U8:
        """Due mask of advice: when it changed noticeably or its repetition is due; nothing that has already expired."""
        speed = np.nan_to_num(batch.speed, nan=-1.0)
        fresh = batch.valid_until > t
        due = self._advice.due(batch.target[fresh], t, self.rates.advice, speed[fresh], ADVICE_CHANGE)
        mask = np.zeros(len(fresh), np.uint8)
        mask[fresh] = due
        return mask

    def event(self, batch: EventBatch, t: float) -> LivingEvents:
        """Events that go out: new and changed ones, repetitions, and cancellations of those that are not offered any more."""
        return self._events.due(batch, t)

"""When a message is sent: fixed rates of T/CSAE 53, the CAM triggers of EN 302 637-2, repetition of events and advice.

Congestion control stretches the interval of awareness messages by channel busy ratio (reactive table of TS 102 687).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
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

DCC_BUSY = (0.30, 0.40, 0.50, 0.60)
"""Channel busy ratios at which the reactive table changes state (packets up to 1 ms on air)."""
DCC_INTERVAL = (0.1, 0.2, 0.4, 0.5, 1.0)
"""s between messages in the states relaxed, active 1-3, restrictive."""


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


@kernel
def congestion_interval(busy):
    """Shortest allowed interval in s at a channel busy ratio: the reactive table of TS 102 687."""
    if busy < 0.30:
        return 0.1
    if busy < 0.40:
        return 0.2
    if busy < 0.50:
        return 0.4
    if busy < 0.60:
        return 0.5
    return 1.0


@kernel
def fixed_due(last: Awareness, key, busy, control, interval, t, due):
    """Awareness at a fixed rate: `due[i] = 1` where station `key[i]` sends now."""
    for i in range(len(key)):
        k = key[i]
        gap = interval
        if control != 0:
            gap = max(gap, congestion_interval(busy[k]))
        due[i] = 1 if t - last.time[k] >= gap - 1.0e-6 else 0
        if due[i] == 1:
            last.time[k] = t


@kernel
def cam_due(last: Awareness, key, x, y, heading, speed, busy, control, t, due):
    """CAM triggers: condition 1 (moved, turned or changed speed), condition 2 (T_GenCam has passed); EN 302 637-2 6.1.3."""
    for i in range(len(key)):
        k = key[i]
        elapsed = t - last.time[k] + 1.0e-6
        floor = 0.1
        if control != 0:
            floor = congestion_interval(busy[k])
        due[i] = 0
        if elapsed < floor:
            continue
        turn = heading[i] - last.heading[k]
        turn = math.fabs(turn - 2.0 * math.pi * math.floor(turn / (2.0 * math.pi) + 0.5))
        moved = math.hypot(x[i] - last.x[k], y[i] - last.y[k])
        if turn > 0.06981317007977318 or moved > 4.0 or math.fabs(speed[i] - last.speed[k]) > 0.5:
            due[i] = 1
            last.interval[k] = min(elapsed, 1.0)
            last.repeats[k] = 0
        elif elapsed >= last.interval[k]:
            due[i] = 1
            last.repeats[k] += 1
            if last.repeats[k] >= 3:
                last.interval[k] = 1.0
        if due[i] == 1:
            last.time[k] = t
            last.x[k] = x[i]
            last.y[k] = y[i]
            last.heading[k] = heading[i]
            last.speed[k] = speed[i]


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

    def __init__(self, standard: str, rates: Rates | None = None, *, congestion_control: bool = True) -> None:
        self.rates = rates or Rates()
        self.triggered = standard.startswith("etsi")
        self.control = np.int64(congestion_control)
        self.last = awareness_state(256)
        self.busy = np.zeros(256)
        self._signal, self._topology, self._perception = _Repeat(), _Repeat(), _Repeat()
        self._advice = _Repeat()
        self._event: dict[tuple[int, int], float] = {}

    def hear_busy(self, station: I64, ratio: F64) -> None:
        """Tell the rule how busy each car finds its channel (0..1), for congestion control."""
        self._grow(station)
        self.busy[station] = ratio

    def _grow(self, station: I64) -> None:
        top = int(station.max()) if len(station) else 0
        if top >= len(self.busy):
            more = max(top + 1, 2 * len(self.busy)) - len(self.busy)
            fresh = awareness_state(more)
            self.last = Awareness(*[np.concatenate(pair) for pair in zip(self.last, fresh)])
            self.busy = np.append(self.busy, np.zeros(more))

    def awareness(self, batch: AwarenessBatch, t: float) -> U8:
        """Due mask, shape (n,); remembers what goes out. `t` in s."""
        self._grow(batch.station)
        due = np.zeros(len(batch.station), np.uint8)
        now = np.float64(t)
        if self.triggered:
            cam_due(
                self.last,
                batch.station,
                batch.x,
                batch.y,
                batch.heading,
                batch.speed,
                self.busy,
                self.control,
                now,
                due,
            )
        else:
            fixed_due(self.last, batch.station, self.busy, self.control, np.float64(self.rates.awareness), now, due)
        return due

    def signal(self, batch: SignalBatch, t: float) -> U8:
        """Due mask of SPAT, per intersection."""
        return self._signal.due(batch.intersection, t, self.rates.signal, None, 0.0)

    def topology(self, station: I64, unit_base: int, t: float) -> U8:
        """Due mask of MAP, per roadside unit."""
        return self._topology.due(station - unit_base, t, self.rates.topology, None, 0.0)

    def perception(self, batch: PerceptionBatch, unit_base: int, t: float) -> U8:
        """Due mask of shared perception: cars on even keys, roadside units on odd ones."""
        unit = batch.station >= unit_base
        key = np.where(unit, 2 * (batch.station - unit_base) + 1, 2 * batch.station)
        return self._perception.due(key, t, self.rates.perception, None, 0.0)

    def advice(self, batch: AdviceBatch, t: float) -> U8:
        """Due mask of advice: when it changed noticeably or its repetition is due; nothing that has already expired."""
        speed = np.nan_to_num(batch.speed, nan=-1.0)
        fresh = batch.valid_until > t
        due = self._advice.due(batch.target[fresh], t, self.rates.advice, speed[fresh], ADVICE_CHANGE)
        mask = np.zeros(len(fresh), np.uint8)
        mask[fresh] = due
        return mask

    def event(self, batch: EventBatch, t: float) -> U8:
        """Due mask of events: new ones at once, then repeated; an event not offered for 2 s is forgotten."""
        mask = np.zeros(len(batch.station), np.uint8)
        for i in range(len(mask)):  # events are rare: a handful per tick
            key = (int(batch.event[i]), int(batch.target[i]))
            if t - self._event.get(key, NEVER) >= self.rates.event - _SLACK:
                self._event[key] = t
                mask[i] = 1
        if len(self._event) > 4096:
            self._event = {k: v for k, v in self._event.items() if t - v < 2.0}
        return mask

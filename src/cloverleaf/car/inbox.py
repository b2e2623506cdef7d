"""The door of messages: what a car may use of its inbox, and why it may not use the rest.

A message goes on if it is finite, possible, fresh and newer than the one before of the same sender. Objects and signal phases that fail are
taken out of their message alone. Everything else is dropped and counted, once for each car that received it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import stream
from cloverleaf.car.fuse import ADVICE_KIND, AWARENESS, EVENT, OLDEST, PERCEPTION, SIGNAL
from cloverleaf.car.heard import (
    A_SPEED,
    A_TARGET,
    A_TIME,
    A_UNTIL,
    E_AFTER,
    E_TARGET,
    E_TIME,
    E_X,
    E_Y,
    G_END,
    G_GROUP,
    G_LIGHT,
    G_NEXT,
    G_NEXT_END,
    G_PLACE,
    G_TIME,
    O_HEADING,
    O_KIND,
    O_LENGTH,
    O_SIGMA,
    O_SPEED,
    O_STATION,
    O_TIME,
    O_WIDTH,
    O_X,
    O_Y,
    P_STATION,
    P_TIME,
    Heard,
    heard,
)  # fmt: skip
from cloverleaf.car.limits import FARTHEST_PLACE, FASTEST, KINDS, LARGEST, LEAST_SURE, TURNED
from cloverleaf.car.rows import rows_of
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.types.messages import Received
from cloverleaf.types.state import F64, I64

OLDEST_ADVICE = 5.0  # s
AHEAD = 0.05  # s that a sender's clock may run ahead
LONGEST_PHASE = 3600.0  # s, of a signal: as far as a time mark within the hour reaches
SOONEST, LATEST = -10.0, 600.0  # s from a warning to its conflict
LETTERS = 8  # the highest of LightState
PEDESTRIAN, RIDERS = 7, (4, 5, 6)
SENDERS, PROBES = 256, 8  # messages remembered per car, places where one may be

REASONS = (
    Reason.BROKEN, Reason.IMPOSSIBLE, Reason.EMPTY, Reason.STALE, Reason.FUTURE, Reason.DUPLICATED, Reason.OUT_OF_ORDER,
)  # fmt: skip
"""In the order of verdicts; verdict 0 is good."""
GOOD, BROKEN, IMPOSSIBLE, EMPTY, STALE, FUTURE, DUPLICATED, OUT_OF_ORDER = range(8)


class Admitted(NamedTuple):
    """What may be used; n cars in the order of the fleet."""

    told: Heard  # messages of car k are `message[start[k]:start[k + 1]]`
    good: I64  # (n,) messages that went on
    dropped: I64  # (n,) messages that did not
    youngest: F64  # (n,) s, age of the newest one over the air, inf none


@kernel
def moment(time, now, oldest):
    """Verdict on a time of origin, s."""
    if not math.isfinite(time):
        return BROKEN
    if now - time > oldest:
        return STALE
    return FUTURE if time - now > AHEAD else GOOD


@kernel
def size_or_typical(size, kind, person, rider, vehicle):
    """A size in m, or where it is unknown (0 or not a number) that of its kind."""
    if size != 0.0 and not math.isnan(size):
        return size
    return person if kind == PEDESTRIAN else (rider if kind in RIDERS else vehicle)


@kernel
def judge_object(table, r, now):
    """Verdict on row r of `Heard.object`; an unknown size becomes a typical one."""
    kind = np.int64(table[r, O_KIND])
    length = size_or_typical(table[r, O_LENGTH], kind, 0.5, 1.8, 4.5)
    width = size_or_typical(table[r, O_WIDTH], kind, 0.5, 0.7, 1.8)
    table[r, O_LENGTH], table[r, O_WIDTH] = length, width
    x, y, heading, speed, sigma = (
        table[r, O_X],
        table[r, O_Y],
        table[r, O_HEADING],
        table[r, O_SPEED],
        table[r, O_SIGMA],
    )
    if not math.isfinite(x + y + heading + speed + sigma + length + width):
        return BROKEN
    if abs(x) > FARTHEST_PLACE or abs(y) > FARTHEST_PLACE or abs(heading) > TURNED or abs(speed) > FASTEST:
        return IMPOSSIBLE
    if not (0.0 < length <= LARGEST and 0.0 < width <= LARGEST and 0.0 <= sigma <= LEAST_SURE and 0 <= kind <= KINDS):
        return IMPOSSIBLE
    return moment(table[r, O_TIME], now, OLDEST)


@kernel
def judge_phase(table, r, now):
    """Verdict on row r of `Heard.signal`; an end that is not known is not a number."""
    time, end, after = table[r, G_TIME], table[r, G_END], table[r, G_NEXT_END]
    verdict = moment(time, now, OLDEST)
    if verdict != GOOD:
        return verdict
    if math.isinf(end) or math.isinf(after):
        return BROKEN
    if (
        abs(end - time) > LONGEST_PHASE
        or abs(after - time) > LONGEST_PHASE
        or table[r, G_PLACE] < 0
        or table[r, G_GROUP] < 0
    ):
        return IMPOSSIBLE
    if not (0 <= table[r, G_LIGHT] <= LETTERS and 0 <= table[r, G_NEXT] <= LETTERS):
        return IMPOSSIBLE
    return GOOD


@kernel
def judge_advice(table, r, now):
    """Verdict on row r of `Heard.advice`; a speed that is not a number advises nothing."""
    speed, until = table[r, A_SPEED], table[r, A_UNTIL]
    verdict = moment(table[r, A_TIME], now, OLDEST_ADVICE)
    if verdict != GOOD:
        return verdict
    if math.isnan(speed):
        return EMPTY
    if not math.isfinite(speed + until):
        return BROKEN
    if not 0.0 <= speed <= FASTEST or until - now > LONGEST_PHASE:
        return IMPOSSIBLE
    return STALE if until < now else GOOD


@kernel
def judge_event(table, r, now):
    """Verdict on row r of `Heard.event`; a warning without a time of conflict is none to act upon."""
    x, y, after = table[r, E_X], table[r, E_Y], table[r, E_AFTER]
    verdict = moment(table[r, E_TIME], now, OLDEST)
    if verdict != GOOD:
        return verdict
    if math.isnan(after):
        return EMPTY
    if not math.isfinite(x + y + after):
        return BROKEN
    far = abs(x) > FARTHEST_PLACE or abs(y) > FARTHEST_PLACE
    return IMPOSSIBLE if far or not SOONEST <= after <= LATEST else GOOD


@kernel
def judge_rows(told, now, announced, objects, phases, advice, events):
    """Fill the verdicts on all rows. The first `announced` objects are messages themselves; a bad one leaves nothing behind."""
    for r in range(objects.shape[0]):
        objects[r] = judge_object(told.object, r, now)
        if r < announced and objects[r] != GOOD:
            told.object[r, :] = 0.0
    for r in range(phases.shape[0]):
        phases[r] = judge_phase(told.signal, r, now)
    for r in range(advice.shape[0]):
        advice[r] = judge_advice(told.advice, r, now)
        if advice[r] != GOOD:
            told.advice[r, :] = 0.0
    for r in range(events.shape[0]):
        events[r] = judge_event(told.event, r, now)
        if events[r] != GOOD:
            told.event[r, :] = 0.0


@kernel
def thin_out(table, verdict, old, start, lost):
    """Move the good rows of the lists table[old[m]:old[m + 1]] together, in place; returns the number of rows used.

    start (lists + 1,): where the lists are now. lost (lists, 8): how many rows of each verdict went.
    """
    to = old[0]
    start[0] = to
    for m in range(old.shape[0] - 1):
        for r in range(old[m], old[m + 1]):
            if verdict[r] == GOOD:
                for c in range(table.shape[1]):
                    table[to, c] = table[r, c]
                to += 1
            lost[m, verdict[r]] += 1
        start[m + 1] = to
    return to


@kernel
def judge_list(lost, m):
    """Verdict on a list of which `lost[m]` counts the verdicts on its rows: good if one row is, else what most of them are."""
    if lost[m, GOOD] > 0:
        return GOOD
    most = EMPTY
    for v in range(1, 8):
        if lost[m, v] > lost[m, most]:
            most = v
    return most


@kernel
def newer(keys, times, slot, key, time):
    """Verdict on a message of a sender and kind (`key`) beside those before it; the car in this slot remembers a good one."""
    oldest = np.int64(key & np.uint64(SENDERS - 1))
    for probe in range(PROBES):
        at = np.int64((key + np.uint64(probe)) & np.uint64(SENDERS - 1))
        if keys[slot, at] == key:
            if time <= times[slot, at]:
                return DUPLICATED if time == times[slot, at] else OUT_OF_ORDER
            times[slot, at] = time
            return GOOD
        if times[slot, at] < times[slot, oldest]:
            oldest = at
    keys[slot, oldest], times[slot, oldest] = key, time
    return GOOD


@kernel
def judge_message(told, kind, m, now, verdicts, lists, keys, times, slot):
    """Verdict on message m of a kind for the car in `slot`, and its time of origin."""
    objects, advice, events = verdicts
    seen, phases = lists
    if kind == AWARENESS and 0 <= m < objects.shape[0]:
        verdict, time, sender = np.int64(objects[m]), told.object[m, O_TIME], told.object[m, O_STATION]
        key = stream(1, np.int64(sender), 0, 0)
    elif kind == PERCEPTION and 0 <= m < told.perception.shape[0]:
        time, sender = told.perception[m, P_TIME], told.perception[m, P_STATION]
        verdict = moment(time, now, OLDEST)
        verdict = judge_list(seen, m) if verdict == GOOD else verdict
        key = stream(2, np.int64(sender), 0, 0)
    elif kind == SIGNAL and 0 <= m < told.signal_start.shape[0] - 1:
        verdict, r = judge_list(phases, m), told.signal_start[m]
        time, group = (told.signal[r, G_TIME], told.signal[r, G_GROUP]) if verdict == GOOD else (now, -1.0)
        key = stream(3, np.int64(group), 0, 0)
    elif kind == ADVICE_KIND and 0 <= m < advice.shape[0]:
        verdict, time = np.int64(advice[m]), told.advice[m, A_TIME]
        key = stream(4, np.int64(told.advice[m, A_TARGET]), 0, 0)
    elif kind == EVENT and 0 <= m < events.shape[0]:
        verdict, time, e = np.int64(events[m]), told.event[m, E_TIME], told.event
        key = stream(5, np.int64(e[m, E_TARGET]), np.int64(100.0 * e[m, E_X]), np.int64(100.0 * e[m, E_Y]))
    else:
        return np.int64(IMPOSSIBLE), now
    if verdict == GOOD:
        verdict = np.int64(newer(keys, times, slot, key, time))
    return verdict, time


@kernel
def sift(told, receivers, slots, now, verdicts, lists, keys, times, start, kinds, messages, counts, inside, youngest):
    """Hand on the good messages of each car; receivers[k] is its row of `told`, -1 none.

    start (n + 1,), kinds, messages: what goes on. counts (n, 8): messages by verdict. inside (n, 8): rows of their lists by verdict.
    youngest (n,) s: age of the newest good message over the air, inf none.
    """
    to = np.int64(0)
    seen, phases = lists
    for k in range(receivers.shape[0]):
        start[k], youngest[k], r = to, math.inf, receivers[k]
        if r >= 0:
            for p in range(told.start[r], told.start[r + 1]):
                kind, m = told.kind[p], np.int64(told.message[p])
                verdict, time = judge_message(told, kind, m, now, verdicts, lists, keys, times, slots[k])
                counts[k, verdict] += 1
                if verdict != GOOD:
                    continue
                kinds[to], messages[to] = kind, m
                to += 1
                if kind in (AWARENESS, PERCEPTION, SIGNAL):
                    youngest[k] = min(youngest[k], now - time)
                for v in range(8):
                    if kind == PERCEPTION:
                        inside[k, v] += seen[m, v]
                    elif kind == SIGNAL:
                        inside[k, v] += phases[m, v]
    start[receivers.shape[0]] = to


def well_formed(inbox: Received) -> bool:
    """Whether offsets and columns of an inbox fit together, so that no reader runs out of them."""

    def offsets(start: I64, lists: int, rows: int) -> bool:
        return len(start) == lists + 1 and start[0] == 0 and start[-1] == rows and bool((np.diff(start) >= 0).all())

    def even(batch: tuple[np.ndarray, ...], count: int) -> bool:
        return all(len(column) == count for column in batch)

    p, c = inbox.perception, inbox.signal
    return (
        offsets(inbox.start, len(inbox.receivers), len(inbox.kind))
        and len(inbox.message) == len(inbox.kind)
        and offsets(p.object_start, len(p.station), len(p.x))
        and offsets(c.phase_start, len(c.station), len(c.light))
        and even(p[:2], len(p.station)) and even(p[3:], len(p.x))
        and even(c[:3], len(c.station)) and even(c[4:], len(c.light))
        and all(even(batch, len(batch.station)) for batch in (inbox.awareness, inbox.advice, inbox.event))
    )  # fmt: skip


class InboxDoor:
    """Memory of one fleet's messages; call `admit` once a tick."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._stations: I64 = np.zeros(0, np.int64)
        self._slot: I64 = np.zeros(0, np.int64)
        self._keys, self._times = np.zeros((0, SENDERS), np.uint64), np.zeros((0, SENDERS))

    def _arrange(self, stations: I64) -> None:
        self.tally.arrange(stations)
        if np.array_equal(stations, self._stations):
            return
        old = rows_of(stations, self._stations)
        if len(stations) > len(self._keys):
            more = 2 * len(stations) - len(self._keys)
            self._keys = np.concatenate((self._keys, np.zeros((more, SENDERS), np.uint64)))
            self._times = np.concatenate((self._times, np.full((more, SENDERS), -np.inf)))
        slot, new = np.full(len(stations), -1, np.int64), old < 0
        slot[~new] = self._slot[old[~new]]
        slot[new] = np.setdiff1d(np.arange(len(self._keys)), slot[~new])[: int(new.sum())]
        self._keys[slot[new]], self._times[slot[new]] = 0, -np.inf
        self._stations, self._slot = stations.copy(), slot

    def admit(self, stations: I64, inbox: Received, t: float) -> Admitted:
        """What the cars `stations` (n,) may use of `inbox` at time `t` (s)."""
        self._arrange(stations)
        n = len(stations)
        if not well_formed(inbox):
            self.tally.add("inbox", Reason.LOST, np.ones(n, np.int64))
            return Admitted(_nothing(n), np.zeros(n, np.int64), np.ones(n, np.int64), np.full(n, np.inf))
        told, now, announced = heard(inbox), float(t), len(inbox.awareness.station)
        objects, phases = np.empty(len(told.object), np.int64), np.empty(len(told.signal), np.int64)
        advice, events = np.empty(len(told.advice), np.int64), np.empty(len(told.event), np.int64)
        judge_rows(told, now, announced, objects, phases, advice, events)
        seen = np.zeros((len(told.object_start) - 1, 8), np.int64)
        timing = np.zeros((len(told.signal_start) - 1, 8), np.int64)
        object_start, signal_start = np.empty_like(told.object_start), np.empty_like(told.signal_start)
        object_rows = thin_out(told.object, objects, told.object_start, object_start, seen)
        signal_rows = thin_out(told.signal, phases, told.signal_start, signal_start, timing)
        told = told._replace(
            object=told.object[:object_rows], object_start=object_start, signal=told.signal[:signal_rows], signal_start=signal_start
        )  # fmt: skip
        receivers = rows_of(stations, inbox.receivers)
        start, kinds, messages = np.empty(n + 1, np.int64), np.empty_like(told.kind), np.empty_like(told.message)
        counts, inside, youngest = np.zeros((n, 8), np.int64), np.zeros((n, 8), np.int64), np.empty(n)
        sift(
            told, receivers, self._slot, now, (objects[:announced], advice, events), (seen, timing), self._keys, self._times,
            start, kinds, messages, counts, inside, youngest,
        )  # fmt: skip
        for verdict, reason in enumerate(REASONS, start=1):
            self.tally.add("inbox", reason, counts[:, verdict])
            self.tally.add("inbox content", reason, inside[:, verdict])
        kept = int(start[-1])
        told = told._replace(start=start, kind=kinds[:kept], message=messages[:kept])
        return Admitted(told, counts[:, GOOD].copy(), counts[:, 1:].sum(1), youngest)


def _nothing(n: int) -> Heard:
    """Nothing heard by n cars."""
    none, start = np.zeros(0, np.int32), np.zeros(1, np.int64)
    return Heard(
        np.zeros(n + 1, np.int64), none, none, np.zeros((0, 11)), start, np.zeros((0, 7)), start, np.zeros((0, 4)),
        np.zeros((0, 5)), np.zeros((0, 2)),
    )  # fmt: skip

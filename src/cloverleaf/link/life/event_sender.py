"""Events at their senders: new, changed, repeated, cancelled (EN 302 637-3, clauses 6 and 8; RSI of T/CSAE 53 has no cancellation).

Applications offer at each tick what they warn of; here it is seen which of that is the same event as before. A warning of a predicted
conflict ends by itself, soon after the predicted moment. Another event is cancelled by its sender when it is not offered any more, and the
cancellation is repeated for as long as the event would have been valid, so that late comers hear of its end.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from cloverleaf.link.batches import take
from cloverleaf.link.life.living import CANCELLED, LivingEvents, living
from cloverleaf.types.messages import EventBatch
from cloverleaf.types.state import U8

VALIDITY = 600.0
"""s that an event without a predicted moment holds."""
AFTER = 2.0
"""s after the predicted moment of a conflict for which its warning holds."""
RENEWAL = 0.5
"""s after which an event that is still offered gets a new reference time, changed or not."""
GIVEN_UP = 2.0
"""s after which an event that is not offered any more is over for its sender."""
END_INTERVAL = 1.0
"""s between repetitions of a cancellation."""
_MOMENT, _PLACE = 0.02, 0.05
"""s and m by which a warning changes noticeably."""
_SAME_PLACE = 5.0
"""m within which two warnings of one kind to everyone are the same event, at least."""
_SLACK = 1e-6
_NUMBERS = 1 << 16


@dataclass
class _Sent:
    """An event being sent."""

    row: EventBatch  # one row, as of its last change
    number: int
    start: float
    end: float
    offered: float  # when the application last offered it
    last: float  # when it last went out
    termination: int = 0


class EventSender:
    """The events of all senders of a world; times are s of one clock.

    Args:
        interval: s between repetitions.
        cancels: whether the standard can say that an event is over.
    """

    def __init__(self, interval: float, cancels: bool) -> None:
        self.interval, self.cancels = interval, cancels
        self._next: Counter[int] = Counter()
        self._sent: list[_Sent] = []

    def due(self, batch: EventBatch, t: float) -> LivingEvents:
        """What goes out at `t`, of what is offered and of what has to be cancelled; rows in the order of `batch`, cancellations last."""
        out: list[_Sent] = []
        for i in range(len(batch.station)):  # events are rare: a handful per tick
            event = self._offer(take(batch, np.array([i])), t)
            if t - event.last >= self.interval - _SLACK:
                event.last = t
                out.append(event)
        out += self._ends(t)
        return _rows(out, batch)

    def _offer(self, row: EventBatch, t: float) -> _Sent:
        """The event that a row is about, with the row's content if that is news."""
        known = next((e for e in self._sent if not e.termination and _same(e.row, row)), None)
        time = float(row.time[0])
        end = time + _lasts(row)
        if known is None:
            station = int(row.station[0])
            known = _Sent(row, self._next[station], time, end, t, -math.inf)
            self._next[station] = (known.number + 1) % _NUMBERS
            self._sent.append(known)
        elif _changed(known.row, row) or time - float(known.row.time[0]) >= RENEWAL - _SLACK:
            known.row, known.end = row, end
        known.offered = t
        return known

    def _ends(self, t: float) -> list[_Sent]:
        """Cancellations to send now; what has ended is forgotten."""
        out, held = [], []
        for event in self._sent:
            if not event.termination and t - event.offered > GIVEN_UP:
                if not self.cancels or not math.isnan(float(event.row.time_to_conflict[0])):
                    continue
                event.termination, event.last = CANCELLED, -math.inf
                event.row = event.row._replace(time=np.array([t]))
            if event.termination:
                if t > event.end + _SLACK:
                    continue
                if t - event.last >= END_INTERVAL - _SLACK:
                    event.last = t
                    out.append(event)
            held.append(event)
        self._sent = held
        return out


def _rows(events: list[_Sent], like: EventBatch) -> LivingEvents:
    if not events:
        none = np.zeros(0)
        return living(take(like, np.zeros(0, np.int64)), np.zeros(0, np.int64), none, none)
    batch = EventBatch(*[np.concatenate(columns) for columns in zip(*[e.row for e in events])])
    over: U8 = np.array([e.termination for e in events], np.uint8)
    number = np.array([e.number for e in events], np.int64)
    return living(batch, number, np.array([e.start for e in events]), np.array([e.end for e in events]), over)


def _lasts(row: EventBatch) -> float:
    """s from the row's time for which its event holds."""
    ahead = float(row.time_to_conflict[0])
    return VALIDITY if math.isnan(ahead) else max(ahead, 0.0) + AFTER


def _same(a: EventBatch, b: EventBatch) -> bool:
    """Whether two rows are about one event: to one station all warnings of a kind, to everyone those of one place."""
    if (a.station[0], a.event[0], a.target[0]) != (b.station[0], b.event[0], b.target[0]):
        return False
    apart = math.hypot(float(a.x[0] - b.x[0]), float(a.y[0] - b.y[0]))
    return bool(a.target[0] >= 0) or apart <= max(_SAME_PLACE, float(a.radius[0]))


def _changed(a: EventBatch, b: EventBatch) -> bool:
    """Whether the second row says anything new."""
    moved = [abs(float(getattr(a, f)[0] - getattr(b, f)[0])) for f in ("x", "y", "radius", "conflict_x", "conflict_y")]
    ahead = float(a.time_to_conflict[0]), float(b.time_to_conflict[0])
    sooner = abs(float(a.time[0]) + ahead[0] - float(b.time[0]) - ahead[1])
    return max(moved) > _PLACE or sooner > _MOMENT or math.isnan(ahead[0]) != math.isnan(ahead[1])

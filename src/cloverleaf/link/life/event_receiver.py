"""Events heard from others: which are news, which repeat, which have ended; old, early and unentitled ones are told apart.

DENM: an event is known by originator and number; only a newer reference time changes it; only the originator may cancel, only others may
negate; it is forgotten at its end. RSI: the number has eight bits, so the addressee counts too; an event may have no reference time and
has no termination; it changes when its content does, and ends with its end time or when its sender has not repeated it for `silence` s.
"""

from __future__ import annotations

import math
from collections import Counter
from enum import Enum
from typing import NamedTuple

from cloverleaf.link.life.living import CANCELLED, LivingEvents

SILENCE = 5.0
"""s without repetition after which an event without reference time counts as ended."""
AHEAD = 2.0
"""s that a sender's clock may run ahead."""
_FULL = 4096
"""Known events from which on those that have ended are looked for."""


class News(Enum):
    """What a heard event is."""

    NEW = "new"
    UPDATED = "updated"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    NEGATED = "negated"
    STALE = "stale event"  # older than what is known
    EXPIRED = "expired event"
    FUTURE = "event from the future"  # from a clock that runs ahead
    NOT_ENTITLED = "not entitled to end the event"  # cancelled by another station, or negated by its originator


HOLDS = (News.NEW, News.UPDATED, News.REPEATED)
"""Events to act upon."""
ENDS = (News.CANCELLED, News.NEGATED)
"""Events that are over by what was heard."""


class _Held(NamedTuple):
    """A known event: its content, reference time (NaN without one), end, when it was last heard, whether it was ended."""

    content: tuple[float, ...]
    reference: float
    end: float
    heard: float
    ended: bool


class EventReceiver:
    """The events that one receiver knows; times are s of one clock. `counts` has one entry per `News` that occurred."""

    def __init__(self, silence: float = SILENCE) -> None:
        self.silence = silence
        self.counts: Counter[str] = Counter()
        self._held: dict[tuple[int, int, int], _Held] = {}

    def hear(self, events: LivingEvents, t: float) -> list[News]:
        """Take in events at `t`; what each of them is."""
        if len(self._held) > _FULL:
            self._forget(t)
        found = [self._take(events, i, t) for i in range(len(events.station))]
        self.counts.update(news.value for news in found)
        return found

    def active(self, t: float) -> set[tuple[int, int]]:
        """(originator, number) of the events that hold at `t`."""
        self._forget(t)
        return {key[:2] for key, held in self._held.items() if not held.ended}

    def _take(self, events: LivingEvents, i: int, t: float) -> News:
        key = int(events.originator[i]), int(events.number[i]), int(events.target[i])
        reference, end = float(events.time[i]), float(events.end[i])
        if t > end:
            return News.EXPIRED
        if reference > t + AHEAD:
            return News.FUTURE
        known = self._held.get(key)
        if known is not None and (t > known.end or self._silent(known, t)):
            known = None
        if events.termination[i]:
            return self._end(key, events, i, known, t)
        content = tuple(
            float(c[i]) for c in (events.event, events.x, events.y, events.radius, events.conflict_x, events.conflict_y)
        )  # fmt: skip
        if known is not None and not (math.isnan(known.reference) or math.isnan(reference)):
            if reference < known.reference:
                return News.STALE
            if reference == known.reference:
                self._held[key] = known._replace(heard=t)
                return News.REPEATED
        elif known is not None and not known.ended and repr(known.content) == repr(content):  # NaN equals NaN
            self._held[key] = known._replace(heard=t, end=end)
            return News.REPEATED
        self._held[key] = _Held(content, reference, end, t, False)
        return News.NEW if known is None else News.UPDATED

    def _end(self, key: tuple[int, int, int], events: LivingEvents, i: int, known: _Held | None, t: float) -> News:
        own = int(events.station[i]) == key[0]
        if (events.termination[i] == CANCELLED) != own:
            return News.NOT_ENTITLED
        reference, end = float(events.time[i]), float(events.end[i])
        if known is not None and reference < known.reference:
            return News.STALE
        if known is not None and known.ended and reference == known.reference:
            return News.CANCELLED if own else News.NEGATED
        content = known.content if known is not None else ()
        self._held[key] = _Held(content, reference, end, t, True)
        return News.CANCELLED if own else News.NEGATED

    def _silent(self, held: _Held, t: float) -> bool:
        return math.isnan(held.reference) and t - held.heard > self.silence

    def _forget(self, t: float) -> None:
        self._held = {k: h for k, h in self._held.items() if t <= h.end and not self._silent(h, t)}

"""Events heard from others: which are news, which repeat, which have ended; duplicates and stale ones are counted, not acted upon.

DENM: an event is known by originator and sequence number; only a newer reference time changes it; only the originator may cancel,
only others may negate; it is forgotten at its end. RSI: an event has no reference time and no termination; it changes when its content
does, and ends with its end time or when its sender has not repeated it for `silence` s.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

from cloverleaf.link.messages.records import RoadEvent, RoadInformation, Termination

SILENCE = 5.0
"""s without repetition after which an event without reference time counts as ended."""
AHEAD = 2.0
"""s that a sender's clock may run ahead."""


class News(Enum):
    """What a heard event is."""

    NEW = "new"
    UPDATED = "updated"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    NEGATED = "negated"
    STALE = "stale"  # older than what is known
    EXPIRED = "expired"
    FUTURE = "future"  # from a clock that runs ahead
    NOT_ENTITLED = "not entitled"  # cancelled by another station, or negated by its originator


class Held(NamedTuple):
    """A known event."""

    event: RoadEvent
    reference: float | None
    heard: float
    ended: bool


class EventReceiver:
    """The events that one receiver knows; times are s since 1970. `counts` has one entry per `News` that occurred."""

    def __init__(self, silence: float = SILENCE) -> None:
        self.silence = silence
        self.counts: Counter[str] = Counter()
        self._held: dict[tuple[int, int], Held] = {}

    def hear(self, message: RoadInformation, t: float) -> list[tuple[News, RoadEvent]]:
        """Take in a message; what each of its events is."""
        out = []
        for event in message.events:
            news = self._take(message, event, t)
            self.counts[news.value] += 1
            out.append((news, event))
        return out

    def _take(self, message: RoadInformation, event: RoadEvent, t: float) -> News:
        sender = message.station if message.station is not None else -1
        key = (event.originator if event.originator is not None else sender, event.id)
        reference = message.time if event.cause is not None or event.termination is not None else None
        if event.end is not None and t > event.end:
            return News.EXPIRED
        if reference is not None and reference > t + AHEAD:
            return News.FUTURE
        known = self._held.get(key)
        if known is not None and known.event.end is not None and t > known.event.end:
            known = None
        if event.termination is not None:
            return self._end(key, event, sender, reference, known, t)
        if known is not None and known.reference is not None and reference is not None:
            if reference < known.reference:
                return News.STALE
            if reference == known.reference:
                self._held[key] = known._replace(heard=t)
                return News.REPEATED
        elif known is not None and not known.ended and replace(known.event, end=event.end) == event:
            self._held[key] = known._replace(heard=t, event=event)
            return News.REPEATED
        self._held[key] = Held(event, reference, t, False)
        return News.NEW if known is None else News.UPDATED

    def _end(
        self, key: tuple[int, int], event: RoadEvent, sender: int, reference: float | None, known: Held | None, t: float
    ) -> News:
        own = sender == key[0]
        if (event.termination is Termination.CANCELLED) != own:
            return News.NOT_ENTITLED
        if known is not None and known.reference is not None and reference is not None:
            if reference < known.reference:
                return News.STALE
            if known.ended and reference == known.reference:
                return News.REPEATED
        base = known.event if known is not None else event
        self._held[key] = Held(
            replace(base, termination=event.termination, end=event.end or base.end), reference, t, True
        )
        return News.CANCELLED if own else News.NEGATED

    def active(self, t: float) -> list[RoadEvent]:
        """Events that hold at `t`; those past their end or silent for too long are forgotten."""
        for key, held in list(self._held.items()):
            over = held.event.end is not None and t > held.event.end
            silent = held.reference is None and t - held.heard > self.silence
            if over or silent:
                del self._held[key]
        return [held.event for held in self._held.values() if not held.ended]

"""Events of one sender: new, updated, cancelled, and those of others negated; repeated while they last (EN 302 637-3, clauses 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cloverleaf.link.messages.records import RoadEvent, RoadInformation, Termination
from cloverleaf.types.errors import InputError

VALIDITY = 600.0
"""s that an event holds unless its sender says otherwise."""
REPETITION = 1.0
"""s between repetitions unless told."""
_SLACK = 1e-6


@dataclass
class _Sent:
    """An event being sent."""

    event: RoadEvent
    reference: float  # s since 1970, of its last change
    repeat_until: float
    interval: float
    last: float | None = None


class EventSender:
    """Keeps the events of one station; `due` says what goes out now. Times are s since 1970.

    A cancelled or negated event is repeated for as long as the event would have been valid, so that late comers hear of its end.
    """

    def __init__(self, station: int) -> None:
        self.station = station
        self._next = 0
        self._sent: dict[tuple[int, int], _Sent] = {}

    def new(
        self,
        event: RoadEvent,
        t: float,
        *,
        validity: float = VALIDITY,
        interval: float = REPETITION,
        repeat_for: float | None = None,
    ) -> RoadEvent:
        """Begin an event: it gets the next sequence number, a start and an end. `repeat_for` s, by default as long as it is valid."""
        made = replace(
            event, id=self._next, start=t if event.start is None else event.start, end=t + validity, originator=None
        )
        self._next = (self._next + 1) & 0xFFFF
        until = t + (validity if repeat_for is None else min(repeat_for, validity))
        self._sent[self.station, made.id] = _Sent(made, t, until, interval)
        return made

    def update(self, event: RoadEvent, t: float, *, validity: float = VALIDITY) -> RoadEvent:
        """Change an event of ours; sent at once with a newer reference time. InputError if it is not ours or has ended."""
        held = self._own(event.id)
        held.event = replace(event, start=held.event.start, end=t + validity, originator=None)
        held.reference, held.repeat_until, held.last = t, t + validity, None
        return held.event

    def cancel(self, number: int, t: float) -> None:
        """End an event of ours. InputError if it is not ours or has ended."""
        held = self._own(number)
        held.event = replace(held.event, termination=Termination.CANCELLED)
        held.reference, held.last, held.repeat_until = t, None, held.event.end or t

    def negate(self, event: RoadEvent, originator: int, t: float) -> None:
        """Contradict an event of another station that is not there any more."""
        ended = replace(event, termination=Termination.NEGATED, originator=originator)
        self._sent[originator, event.id] = _Sent(ended, t, event.end or t + VALIDITY, REPETITION)

    def due(self, t: float) -> list[RoadInformation]:
        """Messages to send at `t`, one event each; events past their end are forgotten."""
        out = []
        for key, held in list(self._sent.items()):
            end = held.event.end
            if t > held.repeat_until + _SLACK or (end is not None and t > end + _SLACK):
                del self._sent[key]
            elif held.last is None or t - held.last >= held.interval - _SLACK:
                held.last = t
                out.append(RoadInformation(self.station, held.reference, held.event.place, (held.event,)))
        return out

    def _own(self, number: int) -> _Sent:
        held = self._sent.get((self.station, number))
        if held is None or held.event.termination is not None:
            raise InputError(f"event {number} is not ours, or has ended")
        return held

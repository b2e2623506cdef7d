"""Events on their way: what an application warns of, and where in its life each event is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.messages import EventBatch
from cloverleaf.types.state import F64, I32, I64, U8

GOES_ON, CANCELLED, NEGATED = 0, 1, 2
"""Termination of a DENM: none, by its originator, by somebody else. An RSI has none: it stops being sent."""


class LivingEvents(NamedTuple):
    """The columns of an `EventBatch` and the life of each event; shape (n,). Times are simulation s, NaN where a message has none."""

    station: I64
    time: F64  # of the last change: the reference time of a DENM
    event: I32
    x: F64
    y: F64
    radius: F64
    target: I64
    conflict_x: F64
    conflict_y: F64
    time_to_conflict: F64
    originator: I64  # station that reported it first
    number: I64  # of the event at its originator: sequence number, rteId
    start: F64  # when it was detected
    end: F64  # until when it holds
    termination: U8


def living(batch: EventBatch, number: I64, start: F64, end: F64, termination: U8 | None = None) -> LivingEvents:
    """Events of their own senders, with their lives."""
    over = np.zeros(len(number), np.uint8) if termination is None else termination
    return LivingEvents(*batch, batch.station, number, start, end, over)


def content(events: LivingEvents, t: float) -> EventBatch:
    """What applications read; an event without a time counts from `t`, when it was heard."""
    batch = EventBatch(*[getattr(events, f) for f in EventBatch._fields])
    return batch._replace(time=np.where(np.isnan(batch.time), t, batch.time))

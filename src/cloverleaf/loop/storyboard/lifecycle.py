"""States of storyboard elements and their transitions, counted and logged (clause "States and transitions")."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.state import (
    COMPLETE,
    EVENTS,
    FINISHED_AT,
    L_ELEMENT,
    L_STATE,
    L_TIME,
    L_TRANSITION,
    LOGGED,
    RUNNING,
    STANDBY,
    STARTED_AT,
    STATE,
    STOPPED_AT,
    TIME,
)


@kernel
def change(clock, el, log, e, state, transition):
    """Put element e into a state by a transition (one of the *_AT columns, or -1: none)."""
    clock[EVENTS] += 1.0
    if transition >= 0:
        el[e, transition] = clock[EVENTS]
    if el[e, STATE] != state and clock[LOGGED] < log.shape[0]:
        row = int(clock[LOGGED])
        log[row, L_TIME], log[row, L_ELEMENT], log[row, L_STATE], log[row, L_TRANSITION] = (
            clock[TIME],
            e,
            state,
            transition,
        )
        clock[LOGGED] += 1.0
    el[e, STATE] = state


@kernel
def begin(clock, el, log, e):
    """startTransition."""
    change(clock, el, log, e, RUNNING, STARTED_AT)


@kernel
def finish(clock, el, log, e):
    """endTransition of something that runs."""
    if el[e, STATE] == RUNNING:
        change(clock, el, log, e, COMPLETE, FINISHED_AT)


@kernel
def halt(clock, el, log, e):
    """stopTransition of something that waits or runs."""
    if el[e, STATE] == RUNNING or el[e, STATE] == STANDBY:
        change(clock, el, log, e, COMPLETE, STOPPED_AT)

"""Which storyboard elements a step has to look at: those whose trigger is asked, and the actions that run.

Most elements wait under a parent that does not run, or are complete. The rows of the others are listed in the order in which they are
looked at, and anew only when an element has made a transition: each one counts EVENTS up, and a list knows the count it was made at.
"""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.state import LIST_COUNT, LIST_ROWS, RUNNING, STANDBY, STATE
from cloverleaf.scenario.storyboard import tables as T


@kernel
def list_asked(elements, init, el, asked, e):
    """Elements from row e on whose trigger is asked: those in standby, and those that run and have a stop trigger."""
    count = 0
    while e < init:
        state = el[e, STATE]
        if state == STANDBY or (state == RUNNING and elements[e, T.E_STOP] >= 0):
            asked[LIST_ROWS + count] = e
            count += 1
        below = state == RUNNING and elements[e, T.E_KIND] < T.EVENT
        e = e + 1 if below else elements[e, T.E_END]
    asked[LIST_COUNT] = count


@kernel
def list_running(elements, init, el, running, first, e):
    """Actions that run: those of Init from row `first` on, then those of the storyboard from row e on, in document order."""
    count = 0
    for k in range(first, elements.shape[0]):
        if el[k, STATE] == RUNNING:
            running[LIST_ROWS + count] = k
            count += 1
    while e < init:
        if el[e, STATE] != RUNNING:
            e = elements[e, T.E_END]
            continue
        if elements[e, T.E_KIND] == T.ACTION:
            running[LIST_ROWS + count] = e
            count += 1
        e += 1
    running[LIST_COUNT] = count

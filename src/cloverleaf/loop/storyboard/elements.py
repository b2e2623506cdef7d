"""The storyboard state machine: who starts, who ends, and what follows from it for parents and children.

Standard: clauses "Storyboard element states", "Event priority", "maximumExecutionCount". An element with a start trigger waits in standby,
one without starts with its parent. An element ends when all its children are complete; events and maneuver groups may then run again.
"""

from __future__ import annotations

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.actions import leave_action, start_action, step_action
from cloverleaf.loop.storyboard.awake import list_asked, list_running
from cloverleaf.loop.storyboard.conditions import forget_trigger, trigger_fires
from cloverleaf.loop.storyboard.lifecycle import begin, change, finish, halt
from cloverleaf.loop.storyboard.state import (
    COMPLETE,
    COUNT,
    ENDED,
    EVENTS,
    FINISHED_AT,
    FIRED,
    LIST_COUNT,
    LIST_ROWS,
    LIST_STAMP,
    RUNNING,
    SKIPPED_AT,
    STANDBY,
    STATE,
    WAITING,
)
from cloverleaf.scenario.storyboard import tables as T


@kernel
def settle_parents(p, clock, el, co, delayed, log, e):
    """After element e became complete: end its parents as far as all their children are complete."""
    parent = p.elements[e, T.E_PARENT]
    while parent > 0 and el[parent, STATE] != COMPLETE:
        k = parent + 1
        while k < p.elements[parent, T.E_END]:
            if el[k, STATE] != COMPLETE:
                return
            k = p.elements[k, T.E_END]
        kind = p.elements[parent, T.E_KIND]
        if kind == T.EVENT or kind == T.GROUP:
            most = p.elements[parent, T.E_COUNT]
            if most >= 0 and el[parent, COUNT] < most:
                change(clock, el, log, parent, STANDBY, FINISHED_AT)
                forget_trigger(p, co, delayed, p.elements[parent, T.E_START])
                for c in range(parent + 1, p.elements[parent, T.E_END]):
                    change(clock, el, log, c, WAITING, -1)
                    if kind == T.GROUP:
                        el[c, COUNT] = 0.0
                        forget_trigger(p, co, delayed, p.elements[c, T.E_START])
                return
        change(clock, el, log, parent, COMPLETE, FINISHED_AT)
        parent = p.elements[parent, T.E_PARENT]


@kernel
def stop_element(p, clock, a, el, co, delayed, log, e):
    """stopTransition of an element and all below it, the innermost first."""
    for k in range(p.elements[e, T.E_END] - 1, e - 1, -1):
        if p.elements[k, T.E_KIND] == T.ACTION and el[k, STATE] == RUNNING:
            leave_action(p, a, k)
        halt(clock, el, log, k)
    settle_parents(p, clock, el, co, delayed, log, e)


@kernel
def end_conflicts(p, clock, a, el, co, delayed, log, e):
    """A new private action stops what runs on the same actor in the same domain (clause "Conflicting actions")."""
    k = p.elements[e, T.E_ACTION]
    actor, domain = p.actions[k, T.A_ACTOR], p.actions[k, T.A_DOMAIN]
    if actor < 0 or domain == 0:
        return
    for other in range(p.elements.shape[0]):
        if other == e or el[other, STATE] != RUNNING or p.elements[other, T.E_KIND] != T.ACTION:
            continue
        q = p.elements[other, T.E_ACTION]
        if p.actions[q, T.A_ACTOR] == actor and (p.actions[q, T.A_DOMAIN] & domain) != 0:
            stop_element(p, clock, a, el, co, delayed, log, other)


@kernel
def start_event(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, e):
    """Start an event as its priority allows, with all its actions."""
    maneuver, priority = p.elements[e, T.E_PARENT], p.elements[e, T.E_PRIORITY]
    k = maneuver + 1
    while k < p.elements[maneuver, T.E_END]:
        if k != e and el[k, STATE] == RUNNING:
            if priority == T.SKIP:
                el[e, COUNT] += 1.0
                used_up = 0 <= p.elements[e, T.E_COUNT] <= el[e, COUNT]
                change(clock, el, log, e, COMPLETE if used_up else STANDBY, SKIPPED_AT)
                settle_parents(p, clock, el, co, delayed, log, e)
                return
            if priority == T.OVERWRITE:
                stop_element(p, clock, a, el, co, delayed, log, k)
        k = p.elements[k, T.E_END]
    begin(clock, el, log, e)
    el[e, COUNT] += 1.0
    mask = el[e, FIRED]
    for k in range(e + 1, p.elements[e, T.E_END]):
        el[k, STATE] = WAITING
    for k in range(e + 1, p.elements[e, T.E_END]):
        if p.elements[k, T.E_PRIORITY] == 1:
            # it acts only if its entity fired the trigger
            actor = p.actions[p.elements[k, T.E_ACTION], T.A_ACTOR]
            if int(mask / 2.0**actor) % 2 == 0:
                el[k, STATE] = COMPLETE
                continue
        end_conflicts(p, clock, a, el, co, delayed, log, k)
        start_action(p, v, m, g, n, clock, a, el, path, variable, log, k)
    last = p.elements[e, T.E_END] - 1
    if last > e:
        settle_parents(p, clock, el, co, delayed, log, last)
    else:
        finish(clock, el, log, e)
        settle_parents(p, clock, el, co, delayed, log, e)


@kernel
def start_element(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, e):
    """Start an element and what starts with it."""
    if p.elements[e, T.E_KIND] == T.EVENT:
        start_event(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, e)
        return
    begin(clock, el, log, e)
    el[e, COUNT] += 1.0
    k = e + 1
    while k < p.elements[e, T.E_END]:
        if el[p.elements[k, T.E_PARENT], STATE] != RUNNING or el[k, STATE] != WAITING:
            k = p.elements[k, T.E_END]
            continue
        if p.elements[k, T.E_START] >= 0:
            change(clock, el, log, k, STANDBY, -1)
            k = p.elements[k, T.E_END]
        elif p.elements[k, T.E_KIND] == T.EVENT:
            start_event(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, k)
            k = p.elements[k, T.E_END]
        else:
            begin(clock, el, log, k)
            el[k, COUNT] += 1.0
            k += 1


@inlined
def evaluate_triggers(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, fired, asked):
    """Stop and start triggers of all elements that run or wait, parents before children."""
    init = p.sizes[T.Z_INIT]
    if asked[LIST_STAMP] != int(clock[EVENTS]):
        list_asked(p.elements, init, el, asked, 0)
        asked[LIST_STAMP] = int(clock[EVENTS])
    q = 0
    while q < asked[LIST_COUNT]:
        e = asked[LIST_ROWS + q]
        q += 1
        running = el[e, STATE] == RUNNING
        trigger = p.elements[e, T.E_STOP] if running else p.elements[e, T.E_START]
        fires = trigger < 0
        fired[0] = 0.0
        if trigger >= 0:
            fires = trigger_fires(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, trigger, fired)
        if not fires:
            continue
        if running:
            stop_element(p, clock, a, el, co, delayed, log, e)
            if e == 0:
                clock[ENDED] = 1.0
                return
        else:
            el[e, FIRED] = fired[0]
            start_element(p, v, m, g, n, clock, a, el, path, variable, co, delayed, log, e)
        below = el[e, STATE] == RUNNING and p.elements[e, T.E_KIND] < T.EVENT
        list_asked(p.elements, init, el, asked, e + 1 if below else p.elements[e, T.E_END])
        asked[LIST_STAMP], q = -1, 0


@inlined
def step_actions(p, v, m, g, n, clock, a, el, path, co, delayed, log, running):
    """Step the Init actions that still run, then those of the storyboard, in document order."""
    init = p.sizes[T.Z_INIT]
    if running[LIST_STAMP] != int(clock[EVENTS]):
        list_running(p.elements, init, el, running, init, 0)
        running[LIST_STAMP] = int(clock[EVENTS])
    q = 0
    while q < running[LIST_COUNT]:
        e, before = running[LIST_ROWS + q], clock[EVENTS]
        q += 1
        step_action(p, v, m, g, n, clock, a, el, path, log, e)
        if e < init and el[e, STATE] == COMPLETE:
            settle_parents(p, clock, el, co, delayed, log, e)
        if clock[EVENTS] != before:
            if e < init:
                list_running(p.elements, init, el, running, p.elements.shape[0], e + 1)
            else:
                list_running(p.elements, init, el, running, e + 1, 0)
            running[LIST_STAMP], q = -1, 0

"""Many worlds, each from start to end: the kernel that steps them, writes traces and watches one entity."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.distance import direction
from cloverleaf.loop.storyboard.driver import COMPILED, DX, GAP, NEAR_BESIDE, NEAR_SPEED, PRESENT_HERE, look
from cloverleaf.loop.storyboard.state import (
    ACCEL,
    ENDED,
    HEADING,
    LANE,
    OFFSET,
    PRESENT,
    ROAD,
    SPEED,
    TICK,
    TIME,
    TOUCHED,
    TOUCHED_BY,
    VX,
    VY,
    S,
    X,
    Y,
    Z,
)
from cloverleaf.loop.storyboard.step import start_world, step_world
from cloverleaf.scenario.storyboard import tables as T

TR_TIME, TR_X, TR_Y, TR_Z, TR_HEADING, TR_SPEED, TR_ROAD, TR_LANE, TR_S, TR_OFFSET, TR_PRESENT = range(11)
TRACE = 11
"""Columns of a trace row; TR_TIME repeats the time for every entity, TR_ROAD is a road row (-1 off the map)."""
(
    OUT_END, OUT_TIME, OUT_CRASH, OUT_CRASH_TIME, OUT_CRASH_WITH, OUT_IMPACT_SPEED, OUT_MIN_TTC, OUT_MIN_GAP, OUT_MAX_DECEL,
    OUT_FINAL_SPEED, OUT_ROWS, OUT_STEPS,
) = range(12)  # fmt: skip
OUTCOME = 12
GOES_ON, STOPPED, TIME_LIMIT = range(3)  # OUT_END


@kernel
def write_trace(p, clock, a, trace, row):
    """One row of a trace for every entity."""
    for i in range(p.entities.shape[0]):
        t = trace[row, i]
        t[TR_TIME], t[TR_X], t[TR_Y], t[TR_Z] = clock[TIME], a[i, X], a[i, Y], a[i, Z]
        t[TR_HEADING], t[TR_SPEED], t[TR_ROAD], t[TR_LANE] = a[i, HEADING], a[i, SPEED], a[i, ROAD], a[i, LANE]
        t[TR_S], t[TR_OFFSET], t[TR_PRESENT] = a[i, S], a[i, OFFSET], a[i, PRESENT]


@inlined
def watch_step(p, clock, a, near, out, i):
    """What befell the watched entity: contact, time to collision and gap to whoever overlaps its path, braking."""
    if a[i, PRESENT] == 0.0:
        return
    out[OUT_FINAL_SPEED] = a[i, SPEED]
    if clock[TICK] > 2.0:
        out[OUT_MAX_DECEL] = max(out[OUT_MAX_DECEL], -a[i, ACCEL])
    if out[OUT_CRASH] == 1.0:
        return
    if not math.isnan(a[i, TOUCHED]):
        k = int(a[i, TOUCHED_BY])
        c, s = direction(a, i)
        out[OUT_CRASH], out[OUT_CRASH_TIME], out[OUT_CRASH_WITH] = 1.0, a[i, TOUCHED], k
        out[OUT_IMPACT_SPEED] = (a[i, VX] - a[k, VX]) * c + (a[i, VY] - a[k, VY]) * s
        out[OUT_MIN_TTC], out[OUT_MIN_GAP] = 0.0, 0.0
        return
    for k in range(p.entities.shape[0]):
        ahead = near[k, PRESENT_HERE] == 1.0 and near[k, GAP] == near[k, GAP] and near[k, DX] >= 0.0
        if ahead and near[k, NEAR_BESIDE] == 0.0:
            closing = a[i, SPEED] - near[k, NEAR_SPEED]
            out[OUT_MIN_GAP] = min(out[OUT_MIN_GAP], near[k, GAP])
            if closing > 1e-6:
                out[OUT_MIN_TTC] = min(out[OUT_MIN_TTC], near[k, GAP] / closing)


@inlined
def look_around(p, m, n, clock, a, limit, watch, sees, own, near):
    """What is seen by every entity that a compiled driver moves, and by those that are watched or observed."""
    for i in range(p.entities.shape[0]):
        if i in (watch, sees) or p.entities[i, T.N_DRIVER] == COMPILED:
            look(p, m, n, clock, a, limit, i, own[i], near[i])


@kernel
def view_worlds(p, m, n, limit, st, i, own, near):
    """What the driver of entity i sees now, in every world."""
    for w in range(own.shape[0]):
        look(p, m, n, st.clock[w], st.actor[w], limit, i, own[w], near[w])


@inlined
def reset_outcome(out):
    """Nothing has happened yet."""
    for c in range(out.shape[0]):
        out[c] = 0.0
    out[OUT_CRASH_TIME], out[OUT_CRASH_WITH], out[OUT_IMPACT_SPEED] = math.nan, -1.0, math.nan
    out[OUT_MIN_TTC], out[OUT_MIN_GAP] = math.inf, math.inf


@kernel
def run_worlds(
    act,
    see,
    p,
    value,
    m,
    g,
    n,
    limit,
    first,
    dt,
    until,
    steps,
    watch,
    sees,
    every,
    st,
    outcome,
    broken,
    trace,
    own,
    near,
    seen,
):
    """Step worlds one after the other until they end, reach the time `until` (s), or have made `steps` steps.

    With `first` (the column of the first variable, -1: not now) they run their Init actions before, or once more: one kernel for both,
    because compiling costs more than either. The first step of a world has no duration: what is due at time 0 starts. Entity `sees`
    (-1: none) is observed by `see` after the motion, which keeps what it notes in a row of `seen`. `own` (A, OWN) and `near`
    (A, A, NEAR) hold what entities see. Returns the actor-steps made.
    """
    done = 0
    for w in range(value.shape[0]):
        if broken[w]:
            continue
        clock, a = st.clock[w], st.actor[w]
        if first >= 0:
            reset_outcome(outcome[w])
            start_world(
                p, value[w], m, g, n, first, dt, clock, a, st.element[w], st.path[w], st.variable[w], st.condition[w],
                st.asked[w], st.running[w], st.delayed[w], st.log[w],
            )  # fmt: skip
        look_around(p, m, n, clock, a, limit, watch, sees, own, near)
        for _ in range(steps):
            if outcome[w, OUT_END] != GOES_ON:
                break
            length = dt if clock[TICK] > 0.0 else 0.0
            step_world(
                p, value[w], m, g, n, limit, length, clock, a, st.element[w], st.path[w], st.variable[w], st.condition[w],
                st.asked[w], st.running[w], st.delayed[w], st.log[w], st.scratch[w], st.command[w], st.memory[w], own, near, act,
            )  # fmt: skip
            done += p.entities.shape[0]
            outcome[w, OUT_TIME] = clock[TIME]
            if clock[ENDED] == 1.0:
                outcome[w, OUT_END] = STOPPED
                break
            look_around(p, m, n, clock, a, limit, watch, sees, own, near)
            if watch >= 0:
                watch_step(p, clock, a, near[watch], outcome[w], watch)
            if sees >= 0 and a[sees, PRESENT] == 1.0:
                see(own[sees], near[sees], seen[w], st.scratch[w])
            row = int(outcome[w, OUT_ROWS])
            if every > 0 and row < trace.shape[1] and (int(clock[TICK]) - 1) % every == 0:
                write_trace(p, clock, a, trace[w], row)
                outcome[w, OUT_ROWS] += 1.0
            if clock[TIME] > until - 0.5 * dt:
                outcome[w, OUT_END] = TIME_LIMIT
    return done

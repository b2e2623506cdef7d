"""SpeedProfileAction: from entry to entry at constant acceleration, or (following mode `follow`) with limited jerk at the corners.

In mode `follow` the speed over time is made of parts of constant jerk: ramps of the acceleration, tangent to the straight lines between the
entries. With a single entry the ramps are chosen so that its speed is reached at its time, later if the constraints demand it.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.lifecycle import finish
from cloverleaf.loop.storyboard.state import (
    ACCEL,
    DESIRED,
    DT,
    MAX_SPEED,
    SPEED,
    TIME,
    W0,
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
    W8,
    W9,
)
from cloverleaf.scenario.storyboard import tables as T

TINY = 1e-6
MAX_ACCELERATION, MAX_DECELERATION, TOP_SPEED, RATE_UP, RATE_DOWN, ENTRIES = range(6)  # slots from A_SLOT on


@kernel
def entry_speed(p, v, a, k, entry):
    """Speed of an entry, m/s; relative to the entity that the profile names."""
    ref = p.actions[k, T.A_REF]
    return v[p.actions[k, T.A_SLOT] + ENTRIES + 2 * entry] + (a[ref, SPEED] if ref >= 0 else 0.0)


@kernel
def entry_duration(p, v, a, k, entry, start):
    """Seconds from one entry to the next: the time given, longer if the constraints are too tight; without one as they allow."""
    slot = p.actions[k, T.A_SLOT]
    given, change = v[slot + ENTRIES + 1 + 2 * entry], entry_speed(p, v, a, k, entry) - start
    limit = v[slot + MAX_ACCELERATION] if change > 0.0 else v[slot + MAX_DECELERATION]
    shortest = abs(change) / limit if limit > 0.0 else 0.0
    return max(shortest if math.isnan(given) else max(given, shortest), 1e-3)


@kernel
def first_entry(p, v, k):
    """The first entry counts from the start; one at time 0 says what is so already in mode `follow`."""
    follows = p.actions[k, T.A_MODE] == 1
    at_once = abs(v[p.actions[k, T.A_SLOT] + ENTRIES + 1]) < TINY
    return 1 if follows and at_once and p.actions[k, T.A_EXTRA] > 1 else 0


@kernel
def line(p, v, a, el, e, k, i):
    """Slope and value at time 0 of line i of the profile: from corner i to the next, level after the last; and whether it is level."""
    at, speed = el[e, W8], el[e, W9]
    first, entries = first_entry(p, v, k), p.actions[k, T.A_EXTRA]
    for entry in range(first, entries):
        duration = entry_duration(p, v, a, k, entry, speed)
        target = entry_speed(p, v, a, k, entry)
        if entry - first == i:
            slope = (target - speed) / duration
            return slope, speed - slope * at, False
        at += duration
        speed = target
    return 0.0, speed, True


@kernel
def jerk_to(p, v, k, change):
    """The jerk that the constraints allow for a change of acceleration, with its sign."""
    slot = p.actions[k, T.A_SLOT]
    return min(v[slot + RATE_UP], 1e6) if change >= 0.0 else -min(v[slot + RATE_DOWN], 1e6)


@kernel
def set_part(el, e, start, speed, accel, jerk, end):
    """Speed from `start` (s) on: speed + accel t + jerk t^2 / 2, until `end`."""
    el[e, W0], el[e, W1], el[e, W2], el[e, W3], el[e, W4] = start, speed, accel, jerk, end


@kernel
def start_profile(p, v, clock, a, el, e, k, i):
    """W0..W4 the part of now, W5 its number, W6 value at time 0 of the line of now or acceleration, W7 seconds to hold it, W8 and W9
    time and speed at the start. Mode `position`: W0 start, W1 entry, W2 and W3 its first speed and time."""
    time, speed = clock[TIME], a[i, SPEED]
    el[e, W8], el[e, W9] = time, speed
    if p.actions[k, T.A_MODE] == 0:
        el[e, W0], el[e, W1], el[e, W2], el[e, W3] = time, 0.0, speed, time
        return
    before = a[i, ACCEL]
    slope, _, _ = line(p, v, a, el, e, k, 0)
    el[e, W5] = 0.0
    j = jerk_to(p, v, k, slope - before)
    if p.actions[k, T.A_EXTRA] - first_entry(p, v, k) == 1:
        peak, hold = single_target(p, v, a, el, e, k, before)
        j = jerk_to(p, v, k, peak - before)
        el[e, W6], el[e, W7] = peak, hold
        set_part(el, e, time, speed, before, j, time + (peak - before) / j)
        return
    set_part(el, e, time, speed, before, j, time + (slope - before) / j)


@kernel
def single_target(p, v, a, el, e, k, before):
    """(acceleration between the two ramps, seconds to hold it) that reach the speed of the only entry at its time.

    With ramps of jerk j0 and j1 the change of speed over T is dv = k^2 (1/j1 - 1/j0)/2 + k (T + a0/j0) - a0^2/(2 j0).
    """
    slot, entry = p.actions[k, T.A_SLOT], first_entry(p, v, k)
    change = entry_speed(p, v, a, k, entry) - el[e, W9]
    time = entry_duration(p, v, a, k, entry, el[e, W9])
    sense = 1.0 if change / time >= before else -1.0
    j0, j1 = jerk_to(p, v, k, sense), jerk_to(p, v, k, -sense)
    square, linear = 0.5 * (1.0 / j1 - 1.0 / j0), time + before / j0
    constant = -before * before / (2.0 * j0) - change
    inside = linear * linear - 4.0 * square * constant
    if inside >= 0.0:
        peak = (-linear + math.sqrt(inside)) / (2.0 * square)
        hold = time - (peak - before) / j0 + peak / j1
    else:
        peak = sense * math.sqrt(max((change + before * before / (2.0 * j0)) / (0.5 / j0 - 0.5 / j1), 0.0))
        hold = 0.0
    limit = v[slot + MAX_ACCELERATION] if peak > 0.0 else v[slot + MAX_DECELERATION]
    if abs(peak) > limit:
        peak = limit if peak > 0.0 else -limit
        hold = (change - (peak * peak - before * before) / (2.0 * j0) + peak * peak / (2.0 * j1)) / peak
    return peak, max(hold, 0.0)


@kernel
def next_part(p, v, a, el, e, k):
    """Go on to the following part of a profile in mode `follow`."""
    t = el[e, W4] - el[e, W0]
    time = el[e, W4]
    speed, accel = el[e, W1] + t * (el[e, W2] + 0.5 * t * el[e, W3]), el[e, W2] + t * el[e, W3]
    number = int(el[e, W5]) + 1
    el[e, W5] = number
    if p.actions[k, T.A_EXTRA] - first_entry(p, v, k) == 1:
        peak = el[e, W6]
        if number == 1:
            set_part(el, e, time, speed, peak, 0.0, time + el[e, W7])
        elif number == 2:
            j = jerk_to(p, v, k, -peak)
            set_part(el, e, time, speed, peak, j, time - peak / j)
        else:
            set_part(el, e, time, entry_speed(p, v, a, k, p.actions[k, T.A_EXTRA] - 1), 0.0, 0.0, math.inf)
        return
    if number % 2 == 1:
        # on line (number - 1) / 2 until the ramp to the next one begins
        slope, value, level = line(p, v, a, el, e, k, number // 2)
        if number == 1:
            value = speed - slope * time  # the first ramp has shifted it
        if level:
            set_part(el, e, time, value, 0.0, 0.0, math.inf)
            return
        onward, other, _ = line(p, v, a, el, e, k, number // 2 + 1)
        end = time
        if abs(slope - onward) > TINY:
            j = jerk_to(p, v, k, onward - slope)
            bend = slope - onward
            end = (bend * bend - 2.0 * j * (value - other)) / (2.0 * j * bend)
        set_part(el, e, time, speed, slope, 0.0, max(end, time))
        return
    onward, _, _ = line(p, v, a, el, e, k, number // 2)
    j = jerk_to(p, v, k, onward - accel)
    set_part(el, e, time, speed, accel, j, time + (onward - accel) / j)


@kernel
def step_profile(p, v, clock, a, el, log, e, k, i):
    """The speed at the end of this step."""
    time, top = clock[TIME] + clock[DT], min(v[p.actions[k, T.A_SLOT] + TOP_SPEED], a[i, MAX_SPEED])
    entries = p.actions[k, T.A_EXTRA]
    if p.actions[k, T.A_MODE] == 1:
        for _ in range(2 * entries + 4):
            if time < el[e, W4] - TINY:
                break
            next_part(p, v, a, el, e, k)
        t = time - el[e, W0]
        wanted = el[e, W1] + t * (el[e, W2] + 0.5 * t * el[e, W3])
        done = el[e, W4] == math.inf
    else:
        entry = int(el[e, W1])
        while entry < entries:
            duration = entry_duration(p, v, a, k, entry, el[e, W2])
            if time < el[e, W3] + duration - TINY:
                break
            el[e, W2], el[e, W3] = entry_speed(p, v, a, k, entry), el[e, W3] + duration
            entry += 1
        el[e, W1] = entry
        wanted, done = el[e, W2], entry >= entries
        if not done:
            duration = entry_duration(p, v, a, k, entry, el[e, W2])
            wanted += (entry_speed(p, v, a, k, entry) - el[e, W2]) / duration * (time - el[e, W3])
    a[i, SPEED] = min(max(wanted, -top), top)
    a[i, DESIRED] = wanted
    if done:
        finish(clock, el, log, e)

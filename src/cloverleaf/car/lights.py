"""What a signal means for the way ahead: the camera says the colour, SPAT says when it changes."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import path_index, top_speed_at
from cloverleaf.car.roadbook import (
    SIGNAL,
    SIGNAL_PLACE,
)
from cloverleaf.car.state import (
    ASK,
    COMMITTED,
    HALTING,
    KEEP_CLEAR,
    LENGTH,
    RED_STOP,
    SPAT_END,
    SPAT_LIGHT,
    SPAT_LINK,
    SPAT_NEXT,
    SPAT_NEXT_END,
    SPAT_TIME,
    SPEED,
    YELLOW_AT,
)  # fmt: skip
from cloverleaf.measure.legality import RED, RED_YELLOW, YELLOW, must_stop

_MAJOR, _MINOR = ord("G"), ord("g")
_GREEN_TO, _SPAT_RED, _SPAT_YELLOW, _FLASHING_GREEN = 6, 3, 7, 4  # types.messages.LightState
FRESH = 2.0  # s, SPAT older than this is not used
STOP_DECEL, FIRM_DECEL, STRONGEST = 2.8, 4.0, 6.5  # m/s2: comfort, firm, what is left once a stop was chosen
YELLOW_LEAST = 3.0  # s, the shortest yellow
LATE_DECEL = 4.0  # m/s2, with which a car that had chosen to go stops once it is red
CROSSED = (
    -0.5
)  # m; a front so far over the line under green has crossed it by right, also if the own position errs a little
STILL = 0.3  # m/s; who is slower and not across waits at the line, whatever he had chosen
LAG = 0.65  # s, of the whole chain with the build-up of brakes at comfortable jerk
BRAKING = 1.0  # m/s2, from which a car brakes rather than coasts
LATE_REACTION = 0.2  # s, once braking has begun
START_DELAY = 0.3  # s after the change to green
SIGHT = 70.0  # m; a signalled gate nearer than this without any known light is taken as red


@kernel
def first_signal(book, path):
    """Index of the first gate with a signal ahead of the car, -1 none."""
    for g in range(path.n[2]):
        if path.gate_s[g] > 0.0 and book.link_i[path.gate_link[g], SIGNAL] >= 0:
            return g
    return -1


@kernel
def _known_light(book, fleet, i, link, seen_link, seen_light, now):
    """The letter that holds at `link` as far as the car knows, 0 unknown."""
    if seen_light > 0 and seen_link >= 0:
        same = seen_link == link
        if same or (
            book.link_i[seen_link, SIGNAL] == book.link_i[link, SIGNAL]
            and book.link_i[seen_link, SIGNAL_PLACE] == book.link_i[link, SIGNAL_PLACE]
        ):
            return seen_light
    if fleet.i[i, SPAT_LINK] == link and now - fleet.f[i, SPAT_TIME] < FRESH:
        state = fleet.i[i, SPAT_LIGHT]
        if _FLASHING_GREEN <= state <= _GREEN_TO:
            return ord("G") if state == _GREEN_TO else ord("g")
        if state == _SPAT_YELLOW:
            return YELLOW
        if state == _SPAT_RED:
            return RED
    return 0


@kernel
def can_wait(v, distance, decel, delay):
    """Whether a car can stay behind the line: it can stop with `decel` after `delay`, or it stands at the line and is not across.

    A standing car's front may seem to be over the line by as much as the own position errs.
    """
    return must_stop(v, distance, decel, delay) or (v < STILL and distance > CROSSED)


@kernel
def _choose(fleet, path, i, g, link, distance, now):
    """Stop for yellow, or drive on: chosen when it appears, and kept unless what was chosen has become impossible.

    He stops who can do so in comfort, or firmly if he would not be across before red; who is slowed down by something else after
    he had chosen to go, stops if his present braking does it anyhow, or firmly if he has become too late.
    """
    f, ints = fleet.f, fleet.i
    v = f[i, SPEED]
    if ints[i, HALTING] != link and ints[i, COMMITTED] != link:
        f[i, YELLOW_AT] = now
        at = path_index(path, path.gate_s[g], np.int64(0))
        pace = 0.5 * (v + min(v, top_speed_at(path, path.gate_s[g], at)))
        late = distance > pace * (YELLOW_LEAST - LAG)
        if can_wait(v, distance, STOP_DECEL, LAG) or (late and must_stop(v, distance, FIRM_DECEL, LAG)):
            ints[i, HALTING] = link
        else:
            ints[i, COMMITTED] = link
    elif ints[i, HALTING] == link:
        if not can_wait(v, distance, STRONGEST, 0.1):
            ints[i, HALTING], ints[i, COMMITTED] = -1, link
    elif distance > CROSSED and f[i, ASK] < -BRAKING:
        rest = YELLOW_LEAST - (now - f[i, YELLOW_AT])
        late = distance > v * rest + 0.5 * f[i, ASK] * rest * rest
        if must_stop(v, distance, -f[i, ASK], 0.0) or (late and must_stop(v, distance, STRONGEST, LATE_REACTION)):
            ints[i, HALTING], ints[i, COMMITTED] = link, -1


@kernel
def rule_lights(book, fleet, path, i, seen_link, seen_light, now):
    """Set rules and times of the signalled gates of `path`; returns the letter at the first of them, 0 unknown or none."""
    f, ints = fleet.f, fleet.i
    first = first_signal(book, path)
    shown = 0
    for g in range(path.n[2]):
        link = path.gate_link[g]
        if book.link_i[link, SIGNAL] < 0 or path.gate_s[g] <= 0.0:
            continue
        distance = path.gate_s[g] - 0.5 * f[i, LENGTH]
        light = _known_light(book, fleet, i, link, seen_link, seen_light, now) if g == first else 0
        if g == first:
            shown = light
        if ints[i, COMMITTED] == link and distance > f[i, SPEED] * 3.0 + 1.0:
            ints[i, COMMITTED] = -1
        if light not in (YELLOW, RED, RED_YELLOW) and light != 0 and ints[i, HALTING] == link:
            ints[i, HALTING] = -1
        # A green or dark light hands over to right of way; red and yellow need none.
        if light == _MAJOR:
            path.gate_rule[g] &= KEEP_CLEAR
        if light in (_MAJOR, _MINOR) and distance < CROSSED:
            ints[i, COMMITTED] = link  # the line is crossed by right: whatever comes now, drive on
        if light == YELLOW:
            _choose(fleet, path, i, g, link, distance, now)
            if ints[i, COMMITTED] != link:
                path.gate_rule[g] |= RED_STOP
        elif light in (RED, RED_YELLOW):
            if distance > CROSSED and can_wait(f[i, SPEED], distance, max(LATE_DECEL, -f[i, ASK]), LATE_REACTION):
                ints[i, COMMITTED] = -1
            if ints[i, COMMITTED] != link:
                path.gate_rule[g] |= RED_STOP
        elif light == 0 and 0.0 < distance < SIGHT and g == first:
            path.gate_rule[g] |= RED_STOP
        if ints[i, SPAT_LINK] == link and now - f[i, SPAT_TIME] < FRESH and math.isfinite(f[i, SPAT_END]):
            state, end = ints[i, SPAT_LIGHT], f[i, SPAT_END] - now
            if state == _SPAT_RED and _FLASHING_GREEN <= ints[i, SPAT_NEXT] <= _GREEN_TO:
                path.gate_open[g] = max(end, 0.0) + START_DELAY
                if math.isfinite(f[i, SPAT_NEXT_END]):
                    path.gate_shut[g] = f[i, SPAT_NEXT_END] - now
            elif _FLASHING_GREEN <= state <= _GREEN_TO:
                path.gate_shut[g] = max(end, 0.0) + 0.5
    return shown

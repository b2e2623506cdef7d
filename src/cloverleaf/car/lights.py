"""What a signal means for the way ahead: the camera says the colour, SPAT says when it changes."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.car.roadbook import (
    SIGNAL,
    SIGNAL_PLACE,
)
from cloverleaf.car.state import (
    COMMITTED,
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
)  # fmt: skip
from cloverleaf.measure.legality import RED, RED_YELLOW, YELLOW, must_stop

_MAJOR, _MINOR = ord("G"), ord("g")
_GREEN_TO, _SPAT_RED, _SPAT_YELLOW, _FLASHING_GREEN = 6, 3, 7, 4  # types.messages.LightState
FRESH = 2.0  # s, SPAT older than this is not used
STOP_DECEL = 2.8  # m/s2, with which a car stops for yellow
REACTION = 0.35  # s, of the whole chain
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
        # A green or dark light hands over to right of way; red and yellow need none.
        if light == _MAJOR:
            path.gate_rule[g] &= KEEP_CLEAR
        if light in (_MAJOR, _MINOR) and distance < 0.4:
            ints[i, COMMITTED] = link  # the line is crossed by right: whatever comes now, drive on
        if light in (RED, RED_YELLOW) and ints[i, COMMITTED] != link:
            path.gate_rule[g] |= RED_STOP
        elif light == YELLOW:
            if ints[i, COMMITTED] != link and must_stop(f[i, SPEED], distance, STOP_DECEL, REACTION):
                path.gate_rule[g] |= RED_STOP
            else:
                ints[i, COMMITTED] = link
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

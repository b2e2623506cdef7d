"""People on crosswalks go first: the car halts before a crosswalk on which somebody has yet to cross its way.

Prediction alone finds the gaps between people and drives through them; the law asks for more, that whoever is on the crosswalk is let
pass (Road Traffic Safety Law of China, article 47; Vienna Convention on Road Traffic, article 21).
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import path_index
from cloverleaf.car.predict import CONFIRMED, PEDESTRIAN
from cloverleaf.car.roadbook import WALK_AX, WALK_AY, WALK_BEGIN, WALK_BX, WALK_BY, WALK_END, WALK_WIDTH
from cloverleaf.car.state import (
    ASK,
    COUNT,
    LENGTH,
    SPEED,
    T_KIND,
    T_TRUST,
    T_VX,
    T_VY,
    T_X,
    T_Y,
    WIDTH,
)  # fmt: skip
from cloverleaf.measure.legality import must_stop
from cloverleaf.types.traffic import LANE_INTERNAL, LANE_LENGTH, LANE_NEXT, LINK_ENTRY, LINK_VIA

SOON = 6.0  # s within which somebody on the crosswalk comes into our way
BESIDE = 0.5  # m kept to those who have passed
STANDS = 0.3  # m/s; who stands near our way may walk on any time
STANDS_NEAR = 2.0  # m
AROUND = 0.5  # m that people stray from the crosswalk
CLEARED = 1.0  # s that somebody has been gone when we come: nothing to wait for
DECEL, LAG = 3.5, 0.4  # m/s2, s, of a stop that was not foreseen
ROOM = 3.0  # m; who has less room than this and its own length between line and crosswalk waits at the line
SIGHT = 60.0  # m


@kernel
def has_to_cross(u, du, way, strip, arrival):
    """True if a person at `u` m along the crosswalk, at `du` m/s, has yet to cross our way at `way` +- `strip` m before we may.

    `arrival`: s until we are there at our present speed.
    """
    off = abs(way - u)
    if abs(du) < STANDS:
        return off < strip + STANDS_NEAR
    if (way - u) * du < 0.0 and off > strip:
        return False
    to_leave = (strip + (off if (way - u) * du >= 0.0 else -off)) / abs(du)
    if arrival > to_leave + CLEARED:
        return False
    return off < strip + SOON * abs(du)


@kernel
def is_taken(book, path, fleet, i, row, begin, arrival):
    """True if somebody on crosswalk `row`, which starts at `begin` m of the path, has to be let pass."""
    ax, ay = book.walk[row, WALK_AX], book.walk[row, WALK_AY]
    bx, by = book.walk[row, WALK_BX], book.walk[row, WALK_BY]
    length = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
    if length < 0.1:
        return False
    c, q = (bx - ax) / length, (by - ay) / length
    middle = begin + 0.5 * (book.walk[row, WALK_END] - book.walk[row, WALK_BEGIN])
    k = path_index(path, middle, 0)
    x = path.x[k] + (middle - path.s[k]) * path.cos[k]
    y = path.y[k] + (middle - path.s[k]) * path.sin[k]
    way, strip = (x - ax) * c + (y - ay) * q, 0.5 * fleet.f[i, WIDTH] + BESIDE
    for n in range(fleet.i[i, COUNT]):
        if fleet.track_i[i, n, T_KIND] != PEDESTRIAN or fleet.track[i, n, T_TRUST] < CONFIRMED:
            continue
        dx, dy = fleet.track[i, n, T_X] - ax, fleet.track[i, n, T_Y] - ay
        u = dx * c + dy * q
        if not 0.0 <= u <= length or abs(dy * c - dx * q) > 0.5 * book.walk[row, WALK_WIDTH] + AROUND:
            continue
        if has_to_cross(u, fleet.track[i, n, T_VX] * c + fleet.track[i, n, T_VY] * q, way, strip, arrival):
            return True
    return False


@kernel
def _halt_on(book, path, fleet, i, link, start, line):
    """Nearest place (m) on the way over `link`, which starts at `start` m, to halt at for people; inf none. `line`: 1 if before it."""
    f = fleet.f
    half, halt = 0.5 * f[i, LENGTH], math.inf
    for row in range(book.walk_start[link], book.walk_start[link + 1]):
        begin = start + book.walk[row, WALK_BEGIN]
        at = start if line == 1 and book.walk[row, WALK_BEGIN] < ROOM + f[i, LENGTH] and start > half else begin
        if at <= half or at - half > SIGHT or at >= halt:
            continue
        if not must_stop(f[i, SPEED], at - half, max(DECEL, -f[i, ASK]), LAG if f[i, ASK] > -1.0 else 0.0):
            continue
        if is_taken(book, path, fleet, i, row, begin, (begin - half) / max(f[i, SPEED], 1.0)):
            halt = at
    return halt


@kernel
def halt_for_people(book, path, fleet, i, lane, s):
    """Set `path.halt`: where the car, `s` m along `lane`, halts to let people cross, m; inf nowhere."""
    halt = math.inf
    if book.lane_i[lane, LANE_INTERNAL] > 0:
        entry = book.link_i[book.lane_i[lane, LANE_NEXT], LINK_ENTRY]
        first = book.link_i[entry, LINK_VIA]
        start = -s if first == lane else -s - book.lane_f[first, LANE_LENGTH]
        halt = _halt_on(book, path, fleet, i, entry, start, 0)
    for g in range(path.n[2]):
        link = path.gate_link[g]
        if book.link_i[link, LINK_ENTRY] == link:
            halt = min(halt, _halt_on(book, path, fleet, i, link, path.gate_s[g], 1))
    path.halt[0] = halt

"""What others say: awareness and perception messages become measurements of tracks, joined by covariance intersection.

A message can repeat what the own sensors or another message already contain, so correlation is unknown and the intersection of
covariances (Julier, Uhlmann 1997) is the safe way to join them. Objects that only messages know become tracks of their own.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo import imm
from cloverleaf.algo.filters import intersection_weight
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.heard import (
    A_SPEED,
    A_TARGET,
    A_TIME,
    A_UNTIL,
    E_AFTER,
    E_TARGET,
    E_TIME,
    E_X,
    E_Y,
    G_END,
    G_GROUP,
    G_LIGHT,
    G_NEXT,
    G_NEXT_END,
    G_PLACE,
    G_TIME,
    O_HEADING,
    O_KIND,
    O_LENGTH,
    O_SENDER,
    O_SIGMA,
    O_SPEED,
    O_STATION,
    O_TIME,
    O_WIDTH,
    O_X,
    O_Y,
)  # fmt: skip
from cloverleaf.car.locate import INTEGRITY
from cloverleaf.car.state import (
    ADVICE,
    ADVICE_UNTIL,
    COUNT,
    EVENT_AT,
    EVENT_X,
    EVENT_Y,
    MODELS,
    PROTECTION,
    SIGNAL_GROUP,
    SIGNAL_INDEX,
    SIGNAL_LINK,
    SPAT_END,
    SPAT_LIGHT,
    SPAT_LINK,
    SPAT_NEXT,
    SPAT_NEXT_END,
    SPAT_TIME,
    STATION,
    T_BODY,
    T_CV,
    T_FILTERED,
    T_HEADING,
    T_KIND,
    T_PP,
    T_SEEN,
    T_STATION,
    T_TOLD,
    T_TRUST,
    T_X,
    T_Y,
    X,
    Y,
)  # fmt: skip
from cloverleaf.car.track import advance, show, start_track

AWARENESS, SIGNAL, PERCEPTION, ADVICE_KIND, EVENT = 0, 1, 3, 4, 5
OLDEST = 1.0  # s; older content is not used
RANGE = 150.0  # m; farther objects do not matter
GATE = 9.21  # chi-square 0.99 for two degrees of freedom
SPEED_SIGMA = 0.5  # m/s
NEARLY_ALL = 0.98  # weight of the own estimate from which another adds nothing worth its while
LOSTNESS = 3.0  # m, deviation of the own place that counts at most
FRESH = 0.35  # s; a track seen as lately is what own eyes say
DISBELIEF = 25.0  # squared deviations between own sight and message beyond which the message counts as false


@kernel
def _join(fleet, scratch, i, k, x, y, vx, vy, variance, time, now):
    """Covariance intersection of track k with another estimate of the same object at `time` (s)."""
    track, cov = fleet.track, fleet.motion_cov
    advance(fleet, scratch, i, k, time)
    after = track[i, k, T_FILTERED] - time
    pp = pv = vv = 0.0
    for m in range(MODELS):
        share = 0.5 * track[i, k, T_CV + m]
        pp += share * (cov[i, k, m, 0, 0] + cov[i, k, m, 1, 1])
        pv += share * (cov[i, k, m, 0, 2] + cov[i, k, m, 1, 3])
        vv += share * (cov[i, k, m, 2, 2] + cov[i, k, m, 3, 3])
    w = intersection_weight(pp, pv, vv, variance, 0.0, SPEED_SIGMA * SPEED_SIGMA)
    if w < NEARLY_ALL:
        imm.intersect(
            fleet.motion[i, k], cov[i, k], x + vx * after, y + vy * after, vx, vy, variance, SPEED_SIGMA * SPEED_SIGMA,
            max(w, 1.0 - NEARLY_ALL), scratch.motion_gain,
        )  # fmt: skip
        show(fleet, i, k, now)


@kernel
def trust_in(fleet, i, k, x, y, variance):
    """Weight 0..1 of a told place for track k: 1 where own eyes say the same or nothing, falling as they differ, 0 beyond all gates."""
    if fleet.track[i, k, T_SEEN] > FRESH:
        return 1.0
    ex, ey = x - fleet.track[i, k, T_X], y - fleet.track[i, k, T_Y]
    square = (ex * ex + ey * ey) / (fleet.track[i, k, T_PP] + variance)
    if square > DISBELIEF:
        return 0.0
    return 1.0 / (1.0 + square / GATE)


@kernel
def told_object(fleet, scratch, i, table, row, now):
    """One object from a message: joined with the track that it is, or a new track. Own echoes and stale content are ignored."""
    time, x, y, heading = table[row, O_TIME], table[row, O_X], table[row, O_Y], table[row, O_HEADING]
    speed, sigma, station = table[row, O_SPEED], table[row, O_SIGMA], np.int64(table[row, O_STATION])
    age = now - time
    if not math.isfinite(x + y + heading + speed + time + sigma) or age > OLDEST or age < -0.05:
        return
    own = fleet.i[i, STATION]
    if (station >= 0 and station == own) or np.int64(table[row, O_SENDER]) == own:
        return
    length, width, kind = table[row, O_LENGTH], table[row, O_WIDTH], np.int64(table[row, O_KIND])
    vx, vy = speed * math.cos(heading), speed * math.sin(heading)
    age = max(age, 0.0)
    x += vx * age
    y += vy * age
    dx, dy = x - fleet.f[i, X], y - fleet.f[i, Y]
    if dx * dx + dy * dy > RANGE * RANGE:
        return
    if station < 0 and dx * dx + dy * dy < 2.0 * 2.0:
        return  # somebody's sight of ourselves
    # Tracks share the error of the own place, messages do not.
    place = min(fleet.f[i, PROTECTION] / INTEGRITY, LOSTNESS)
    variance = sigma * sigma + (0.5 * age) ** 2 + place * place + 0.05
    k = np.int64(-1)
    if station >= 0:
        for j in range(fleet.i[i, COUNT]):
            if fleet.track_i[i, j, T_STATION] == station:
                k = np.int64(j)
                break
    if k < 0:
        # Several messages may tell of one track within a tick, so used tracks stay open.
        best, least = np.int64(-1), GATE
        for j in range(fleet.i[i, COUNT]):
            ex, ey = x - fleet.track[i, j, T_X], y - fleet.track[i, j, T_Y]
            if ex * ex + ey * ey > 36.0:
                continue
            if station >= 0 and fleet.track_i[i, j, T_STATION] >= 0:
                continue
            distance = (ex * ex + ey * ey) / (fleet.track[i, j, T_PP] + variance)
            if distance < least:
                best, least = np.int64(j), distance
        k = best
    if k < 0:
        k = start_track(
            fleet, i, x - vx * age, y - vy * age, heading, vx, vy, length, width, kind, variance, 0.6, now - age
        )
        if k < 0:
            return
        show(fleet, i, k, now)
    else:
        trust = trust_in(fleet, i, k, x, y, variance)
        if trust <= 0.0:
            fleet.track_i[i, k, T_STATION] = -1  # whoever it is, it is not what we see there
            return
        _join(fleet, scratch, i, k, x - vx * age, y - vy * age, vx, vy, variance / trust, now - age, now)
        turn = wrap_angle(heading - fleet.track[i, k, T_HEADING])
        fleet.track[i, k, T_BODY] = wrap_angle(fleet.track[i, k, T_BODY] + 0.2 * turn)
        fleet.track[i, k, T_HEADING] = wrap_angle(fleet.track[i, k, T_HEADING] + 0.2 * turn)
        fleet.track[i, k, T_TRUST] = max(fleet.track[i, k, T_TRUST], 0.6)
    fleet.track[i, k, T_TOLD] = 0.0
    if station >= 0:
        fleet.track_i[i, k, T_STATION] = station
        fleet.track_i[i, k, T_KIND] = kind


@kernel
def _take_timing(f, ints, i, heard, m, now):
    """Timing of the signal that the car approaches, from signal message m."""
    link = ints[i, SIGNAL_LINK]
    for r in range(heard.signal_start[m], heard.signal_start[m + 1]):
        time = heard.signal[r, G_TIME]
        if np.int64(heard.signal[r, G_GROUP]) != ints[i, SIGNAL_GROUP] or now - time > OLDEST:
            return
        if ints[i, SPAT_LINK] == link and time < f[i, SPAT_TIME]:
            return
        if np.int64(heard.signal[r, G_PLACE]) == ints[i, SIGNAL_INDEX]:
            ints[i, SPAT_LINK] = link
            ints[i, SPAT_LIGHT], ints[i, SPAT_NEXT] = heard.signal[r, G_LIGHT], heard.signal[r, G_NEXT]
            f[i, SPAT_TIME], f[i, SPAT_END] = time, heard.signal[r, G_END]
            f[i, SPAT_NEXT_END] = heard.signal[r, G_NEXT_END]
            return


@kernel
def take_messages(fleet, scratch, i, heard, receiver, now):
    """Read the inbox of `receiver`: objects, the timing of the next signal, advice, warnings."""
    f, ints = fleet.f, fleet.i
    own = ints[i, STATION]
    for p in range(heard.start[receiver], heard.start[receiver + 1]):
        kind, m = heard.kind[p], np.int64(heard.message[p])
        if kind in (AWARENESS, PERCEPTION):
            first = m if kind == AWARENESS else heard.object_start[m]
            end = m + 1 if kind == AWARENESS else heard.object_start[m + 1]
            for row in range(first, end):
                told_object(fleet, scratch, i, heard.object, row, now)
        elif kind == SIGNAL and ints[i, SIGNAL_LINK] >= 0:
            _take_timing(f, ints, i, heard, m, now)
        elif kind == ADVICE_KIND:
            d = heard.advice
            if np.int64(d[m, A_TARGET]) == own and now - d[m, A_TIME] <= 5.0 and d[m, A_SPEED] >= 0.0:
                f[i, ADVICE], f[i, ADVICE_UNTIL] = d[m, A_SPEED], d[m, A_UNTIL]
        elif kind == EVENT:
            e = heard.event
            target = np.int64(e[m, E_TARGET])
            if (target == own or target == -1) and now - e[m, E_TIME] <= OLDEST and math.isfinite(e[m, E_AFTER]):
                f[i, EVENT_X], f[i, EVENT_Y] = e[m, E_X], e[m, E_Y]
                f[i, EVENT_AT] = e[m, E_TIME] + e[m, E_AFTER]

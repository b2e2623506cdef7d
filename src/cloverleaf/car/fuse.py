"""What others say: awareness and perception messages become measurements of tracks, joined by covariance intersection.

A message can repeat what the own sensors or another message already contain, so correlation is unknown and the intersection of
covariances (Julier, Uhlmann 1997) is the safe way to join them. Objects that only messages know become tracks of their own.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.filters import intersect, intersection_mean, intersection_weight
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.state import (
    ADVICE,
    ADVICE_UNTIL,
    COUNT,
    EVENT_AT,
    EVENT_X,
    EVENT_Y,
    SPAT_END,
    SPAT_LIGHT,
    SPAT_LINK,
    SPAT_NEXT,
    SPAT_NEXT_END,
    SPAT_TIME,
    STATION,
    T_HEADING,
    T_KIND,
    T_PP,
    T_PV,
    T_STATION,
    T_TOLD,
    T_TRUST,
    T_VV,
    T_VX,
    T_VY,
    T_X,
    T_Y,
    X,
    Y,
)  # fmt: skip
from cloverleaf.car.track import start_track

AWARENESS, SIGNAL, PERCEPTION, ADVICE_KIND, EVENT = 0, 1, 3, 4, 5
OLDEST = 1.0  # s; older content is not used
RANGE = 150.0  # m; farther objects do not matter
GATE = 9.21  # chi-square 0.99 for two degrees of freedom
SELF_SIGMA = 0.8  # m, position of a station that announces itself
SPEED_SIGMA = 0.5  # m/s


@kernel
def _join(fleet, i, k, x, y, vx, vy, variance):
    """Covariance intersection of track k with another estimate of the same object."""
    track = fleet.track
    pp, pv, vv = track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV]
    qp, qq = variance, SPEED_SIGMA * SPEED_SIGMA
    w = intersection_weight(pp, pv, vv, qp, 0.0, qq)
    track[i, k, T_X], track[i, k, T_VX] = intersection_mean(
        track[i, k, T_X], track[i, k, T_VX], pp, pv, vv, x, vx, qp, 0.0, qq, w
    )
    track[i, k, T_Y], track[i, k, T_VY] = intersection_mean(
        track[i, k, T_Y], track[i, k, T_VY], pp, pv, vv, y, vy, qp, 0.0, qq, w
    )
    track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV] = intersect(pp, pv, vv, qp, 0.0, qq, w)


@kernel
def told_object(fleet, i, station, time, x, y, heading, speed, length, width, kind, sigma, now):
    """One object from a message: joined with the track that it is, or a new track. Own echoes and stale content are ignored."""
    age = now - time
    if not math.isfinite(x + y + heading + speed + time + sigma) or age > OLDEST or age < -0.05:
        return
    if station >= 0 and station == fleet.i[i, STATION]:
        return
    vx, vy = speed * math.cos(heading), speed * math.sin(heading)
    x += vx * max(age, 0.0)
    y += vy * max(age, 0.0)
    dx, dy = x - fleet.f[i, X], y - fleet.f[i, Y]
    if dx * dx + dy * dy > RANGE * RANGE:
        return
    if station < 0 and dx * dx + dy * dy < 2.0 * 2.0:
        return  # somebody's sight of ourselves
    variance = sigma * sigma + (0.5 * max(age, 0.0)) ** 2 + 0.05
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
        k = start_track(fleet, i, x, y, heading, vx, vy, length, width, kind, variance, 0.6, now)
        if k < 0:
            return
    else:
        _join(fleet, i, k, x, y, vx, vy, variance)
        turn = wrap_angle(heading - fleet.track[i, k, T_HEADING])
        fleet.track[i, k, T_HEADING] = wrap_angle(fleet.track[i, k, T_HEADING] + 0.2 * turn)
        fleet.track[i, k, T_TRUST] = max(fleet.track[i, k, T_TRUST], 0.6)
    fleet.track[i, k, T_TOLD] = 0.0
    if station >= 0:
        fleet.track_i[i, k, T_STATION] = station
        fleet.track_i[i, k, T_KIND] = kind


@kernel
def take_messages(fleet, i, inbox, receiver, group, index, link, now):
    """Read the inbox of `receiver`: objects, the timing of the next signal (group, index of `link`), advice, warnings."""
    f, ints = fleet.f, fleet.i
    own = ints[i, STATION]
    for p in range(inbox.start[receiver], inbox.start[receiver + 1]):
        kind, m = inbox.kind[p], inbox.message[p]
        if kind == AWARENESS:
            a = inbox.awareness
            told_object(
                fleet, i, a.station[m], a.time[m], a.x[m], a.y[m], a.heading[m], a.speed[m], a.length[m], a.width[m],
                np.int64(a.kind[m]), SELF_SIGMA, now,
            )  # fmt: skip
        elif kind == PERCEPTION:
            b = inbox.perception
            if b.station[m] == own:
                continue
            for o in range(b.object_start[m], b.object_start[m + 1]):
                told_object(
                    fleet, i, b.object_station[o], b.object_time[o], b.x[o], b.y[o], b.heading[o], b.speed[o], b.length[o],
                    b.width[o], np.int64(b.kind[o]), b.sigma[o], now,
                )  # fmt: skip
        elif kind == SIGNAL and group >= 0:
            c = inbox.signal
            if (
                c.intersection[m] != group
                or now - c.time[m] > OLDEST
                or (ints[i, SPAT_LINK] == link and c.time[m] < f[i, SPAT_TIME])
            ):
                continue
            for r in range(c.phase_start[m], c.phase_start[m + 1]):
                if c.link_index[r] == index:
                    ints[i, SPAT_LINK], ints[i, SPAT_LIGHT], ints[i, SPAT_NEXT] = link, c.light[r], c.next_light[r]
                    f[i, SPAT_TIME], f[i, SPAT_NEXT_END] = c.time[m], c.next_end[r]
                    f[i, SPAT_END] = c.likely_end[r] if math.isfinite(c.likely_end[r]) else c.max_end[r]
                    break
        elif kind == ADVICE_KIND:
            d = inbox.advice
            if d.target[m] == own and now - d.time[m] <= 5.0 and d.speed[m] >= 0.0:
                f[i, ADVICE], f[i, ADVICE_UNTIL] = d.speed[m], d.valid_until[m]
        elif kind == EVENT:
            e = inbox.event
            if (
                (e.target[m] == own or e.target[m] == -1)
                and now - e.time[m] <= OLDEST
                and math.isfinite(e.time_to_conflict[m])
            ):
                f[i, EVENT_X], f[i, EVENT_Y] = e.conflict_x[m], e.conflict_y[m]
                f[i, EVENT_AT] = e.time[m] + e.time_to_conflict[m]

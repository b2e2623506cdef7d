"""Multi-object tracking: one table of tracks per car, in ENU, fed by the car's own object list.

A track is a constant-velocity Kalman filter on each axis (the covariance is shared, since noise is isotropic), with a
smoothed heading, yaw rate, acceleration and box. Detections are assigned by gated distance; unassigned ones start tracks that
count once a second look confirms them; tracks that are not seen lose trust and end.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.filters import after_position, after_speed, position_gain, predict_axis, speed_gain
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.heard import (
    D_CONFIDENCE,
    D_HEADING,
    D_KIND,
    D_LENGTH,
    D_SIGMA,
    D_TIME,
    D_VX,
    D_VY,
    D_WIDTH,
    D_X,
    D_Y,
)  # fmt: skip
from cloverleaf.car.state import (
    COUNT,
    HEADING,
    NEXT_ID,
    SPEED,
    T_ACCEL,
    T_HEADING,
    T_HITS,
    T_ID,
    T_KIND,
    T_LANE,
    T_LENGTH,
    T_PP,
    T_PV,
    T_SEEN,
    T_STATION,
    T_TIME,
    T_TOLD,
    T_TRUST,
    T_USED,
    T_VV,
    T_VX,
    T_VY,
    T_WIDTH,
    T_X,
    T_Y,
    T_YAW,
    TRACK_F,
    TRACK_I,
    TRACKS,
    YAW_RATE,
    X,
    Y,
)  # fmt: skip

CAR_ACCEL, WALK_ACCEL = 2.5, 1.0  # m/s2, deviation of the process noise
SPEED_SIGMA = 0.5  # m/s, of measured velocities
GATE = 11.34  # chi-square 0.99 for three degrees of freedom
CONFIRMED = 0.5
MEMORY = 1.2  # s, a confirmed track is kept unseen
TOLD_MEMORY = 1.0  # s, the same for objects known from messages only
PEDESTRIAN = 7


@kernel
def predict_tracks(fleet, i, now):
    """Carry all tracks of car i to `now`."""
    track, ints = fleet.track, fleet.track_i
    for k in range(fleet.i[i, COUNT]):
        dt = now - track[i, k, T_TIME]
        if dt <= 0.0:
            continue
        vx, vy = track[i, k, T_VX], track[i, k, T_VY]
        track[i, k, T_X] += vx * dt
        track[i, k, T_Y] += vy * dt
        sigma = WALK_ACCEL if ints[i, k, T_KIND] == PEDESTRIAN else CAR_ACCEL
        pp, pv, vv = predict_axis(track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV], sigma, dt)
        track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV] = pp, pv, vv
        turn = track[i, k, T_YAW] * dt
        track[i, k, T_HEADING] = wrap_angle(track[i, k, T_HEADING] + turn)
        c, s = math.cos(turn), math.sin(turn)
        track[i, k, T_VX], track[i, k, T_VY] = vx * c - vy * s, vx * s + vy * c
        track[i, k, T_SEEN] += dt
        track[i, k, T_TOLD] += dt
        track[i, k, T_TIME] = now
        ints[i, k, T_USED] = 0


@kernel
def measure_track(fleet, i, k, x, y, heading, vx, vy, length, width, variance, speed_variance, dt):
    """Update track k of car i with a full measurement in ENU; dt is the time since its last one."""
    track = fleet.track
    pp, pv, vv = track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV]
    gp, gv = position_gain(pp, pv, variance)
    ex, ey = x - track[i, k, T_X], y - track[i, k, T_Y]
    before = math.sqrt(track[i, k, T_VX] ** 2 + track[i, k, T_VY] ** 2)
    track[i, k, T_X] += gp * ex
    track[i, k, T_Y] += gp * ey
    track[i, k, T_VX] += gv * ex
    track[i, k, T_VY] += gv * ey
    pp, pv, vv = after_position(pp, pv, vv, gp, gv)
    gp, gv = speed_gain(pv, vv, speed_variance)
    ex, ey = vx - track[i, k, T_VX], vy - track[i, k, T_VY]
    track[i, k, T_X] += gp * ex
    track[i, k, T_Y] += gp * ey
    track[i, k, T_VX] += gv * ex
    track[i, k, T_VY] += gv * ey
    pp, pv, vv = after_speed(pp, pv, vv, gp, gv)
    track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV] = pp, pv, vv
    turn = wrap_angle(heading - track[i, k, T_HEADING])
    track[i, k, T_HEADING] = wrap_angle(track[i, k, T_HEADING] + 0.4 * turn)
    if dt > 0.0:
        after = math.sqrt(track[i, k, T_VX] ** 2 + track[i, k, T_VY] ** 2)
        if after < 0.5:
            track[i, k, T_YAW] = 0.0
        else:
            track[i, k, T_YAW] = min(max(track[i, k, T_YAW] + 0.05 * turn / dt, -0.8), 0.8) * 0.95
        track[i, k, T_ACCEL] += 0.15 * (min(max((after - before) / dt, -8.0), 5.0) - track[i, k, T_ACCEL])
    track[i, k, T_LENGTH] += 0.2 * (length - track[i, k, T_LENGTH])
    track[i, k, T_WIDTH] += 0.2 * (width - track[i, k, T_WIDTH])


@kernel
def start_track(fleet, i, x, y, heading, vx, vy, length, width, kind, variance, trust, now):
    """A new track of car i; returns its row, or -1 if the table is full of better ones."""
    k = fleet.i[i, COUNT]
    if k >= TRACKS:
        # Give up the farthest one if the newcomer is nearer.
        worst, far = np.int64(-1), (x - fleet.f[i, X]) ** 2 + (y - fleet.f[i, Y]) ** 2
        for j in range(TRACKS):
            away = (fleet.track[i, j, T_X] - fleet.f[i, X]) ** 2 + (fleet.track[i, j, T_Y] - fleet.f[i, Y]) ** 2
            if away > far:
                worst, far = np.int64(j), away
        if worst < 0:
            return np.int64(-1)
        k = worst
    else:
        fleet.i[i, COUNT] = k + 1
    track, ints = fleet.track, fleet.track_i
    track[i, k, T_X], track[i, k, T_Y], track[i, k, T_HEADING] = x, y, heading
    track[i, k, T_VX], track[i, k, T_VY], track[i, k, T_YAW], track[i, k, T_ACCEL] = vx, vy, 0.0, 0.0
    track[i, k, T_PP], track[i, k, T_PV], track[i, k, T_VV] = variance, 0.0, SPEED_SIGMA * SPEED_SIGMA * 2.0
    track[i, k, T_LENGTH], track[i, k, T_WIDTH], track[i, k, T_TRUST] = length, width, trust
    track[i, k, T_SEEN], track[i, k, T_TOLD], track[i, k, T_TIME] = 1e9, 1e9, now
    ints[i, k, T_ID] = fleet.i[i, NEXT_ID]
    fleet.i[i, NEXT_ID] += 1
    ints[i, k, T_KIND], ints[i, k, T_STATION], ints[i, k, T_LANE] = kind, -1, -1
    ints[i, k, T_HITS], ints[i, k, T_USED] = 1, 1
    return np.int64(k)


@kernel
def drop_track(fleet, i, k):
    """Remove track k of car i; the last row takes its place."""
    last = fleet.i[i, COUNT] - 1
    for c in range(TRACK_F):
        fleet.track[i, k, c] = fleet.track[i, last, c]
    for c in range(TRACK_I):
        fleet.track_i[i, k, c] = fleet.track_i[i, last, c]
    fleet.i[i, COUNT] = last


@kernel
def gate_distance(fleet, i, k, x, y, vx, vy, variance):
    """Squared Mahalanobis distance of a measurement to track k, in position and (mildly) speed."""
    track = fleet.track
    ex, ey = x - track[i, k, T_X], y - track[i, k, T_Y]
    ux, uy = vx - track[i, k, T_VX], vy - track[i, k, T_VY]
    return (ex * ex + ey * ey) / (track[i, k, T_PP] + variance + 0.15) + (ux * ux + uy * uy) / (track[i, k, T_VV] + 4.0)


@kernel
def nearest_track(fleet, i, x, y, vx, vy, variance, gate):
    """Unused track of car i nearest to a measurement within `gate`, -1 none."""
    best, least = np.int64(-1), gate
    for k in range(fleet.i[i, COUNT]):
        dx, dy = x - fleet.track[i, k, T_X], y - fleet.track[i, k, T_Y]
        if fleet.track_i[i, k, T_USED] != 0 or dx * dx + dy * dy > 100.0:
            continue
        distance = gate_distance(fleet, i, k, x, y, vx, vy, variance)
        if distance < least:
            best, least = np.int64(k), distance
    return best


@kernel
def _sane(x, y, heading, vx, vy, sigma, confidence):
    """A detection that can be used: finite, within 400 m, below 90 m/s."""
    total = x + y + heading + vx + vy + sigma + confidence
    return (
        math.isfinite(total)
        and abs(x) < 400.0
        and abs(y) < 400.0
        and abs(vx) < 90.0
        and abs(vy) < 90.0
        and sigma >= 0.0
    )


@kernel
def take_objects(fleet, i, seen, first, end, now):
    """Assign detections first..end to the tracks of car i. Detections with good scores choose first."""
    f = fleet.f
    for stage in range(2):
        for m in range(first, end):
            confidence = seen[m, D_CONFIDENCE]
            good = confidence >= 0.5
            if good != (stage == 0):
                continue
            bx, by, bh, sigma = seen[m, D_X], seen[m, D_Y], seen[m, D_HEADING], seen[m, D_SIGMA]
            if not _sane(bx, by, bh, seen[m, D_VX], seen[m, D_VY], sigma, confidence):
                continue
            late = min(max(now - seen[m, D_TIME], 0.0), 0.6)
            # The frame is the body's at the time of measurement: turn and shift it back by the own motion since.
            turn = -f[i, YAW_RATE] * late
            c, s = math.cos(f[i, HEADING] + turn), math.sin(f[i, HEADING] + turn)
            mid = f[i, HEADING] + 0.5 * turn
            ox = f[i, X] - f[i, SPEED] * late * math.cos(mid)
            oy = f[i, Y] - f[i, SPEED] * late * math.sin(mid)
            vx, vy = seen[m, D_VX] * c - seen[m, D_VY] * s, seen[m, D_VX] * s + seen[m, D_VY] * c
            x, y = ox + bx * c - by * s + vx * late, oy + bx * s + by * c + vy * late
            heading = wrap_angle(bh + f[i, HEADING] + turn)
            variance = sigma * sigma + 0.01
            length, width = max(seen[m, D_LENGTH], 0.3), max(seen[m, D_WIDTH], 0.3)
            k = nearest_track(fleet, i, x, y, vx, vy, variance, GATE)
            if k >= 0:
                fresh = min(fleet.track[i, k, T_SEEN], fleet.track[i, k, T_TOLD])
                measure_track(
                    fleet, i, k, x, y, heading, vx, vy, length, width, variance, SPEED_SIGMA * SPEED_SIGMA, fresh
                )
                fleet.track[i, k, T_SEEN] = 0.0
                fleet.track[i, k, T_TRUST] += 0.4 * (1.0 - fleet.track[i, k, T_TRUST]) * (0.5 + 0.5 * confidence)
                fleet.track_i[i, k, T_USED] = 1
                fleet.track_i[i, k, T_HITS] += 1
                fleet.track_i[i, k, T_KIND] = np.int64(seen[m, D_KIND])
            elif stage == 0:
                k = start_track(
                    fleet, i, x, y, heading, vx, vy, length, width, np.int64(seen[m, D_KIND]), variance,
                    0.4 * confidence, now,
                )  # fmt: skip
                if k >= 0:
                    fleet.track[i, k, T_SEEN] = 0.0


@kernel
def end_tracks(fleet, i, dt):
    """Age tracks that nobody saw or told of, and end those that are old or were never confirmed."""
    k = np.int64(0)
    while k < fleet.i[i, COUNT]:
        seen, told = fleet.track[i, k, T_SEEN], fleet.track[i, k, T_TOLD]
        if seen > 0.0 and told > 0.3:
            fleet.track[i, k, T_TRUST] *= math.exp(-dt / 0.9)
        fresh = min(seen, told)
        memory = MEMORY if seen < 1e8 else TOLD_MEMORY
        if fresh > memory or fleet.track[i, k, T_TRUST] < 0.12:
            drop_track(fleet, i, k)
        else:
            k += 1

"""Multi-object tracking: one table of tracks per car, in ENU, fed by the car's own object list.

A track is a pair of interacting motion models (`algo/imm.py`: constant velocity, constant turn rate and acceleration) with a heading
filter and a smoothed box. The filter stands at the time of its last measurement; what others read is carried from there to now.
Detections are assigned by gated distance; unassigned ones start tracks that count once a second look confirms them; tracks that are
not seen lose trust and end.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo import imm
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
    MODELS,
    MOTION_STATES,
    NEXT_ID,
    SPEED,
    T_ACCEL,
    T_BODY,
    T_CTRA,
    T_CV,
    T_FILTERED,
    T_HEADING,
    T_HH,
    T_HITS,
    T_ID,
    T_KIND,
    T_LANE,
    T_LENGTH,
    T_PP,
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

SPEED_SIGMA = 0.3  # m/s, of measured velocities
HEADING_WALK = 0.1  # rad per sqrt(s), of a heading beside the turn rate
STILL = 0.5  # m/s below which a track does not turn
FIRST_ACCEL, FIRST_TURN, FIRST_HEADING = 1.5, 0.2, 0.1  # m/s2, rad/s, rad: deviations of a new track
MOST_TURN, MOST_ACCEL, MOST_BRAKING = 0.8, 5.0, -8.0  # rad/s, m/s2 that are told of a track
MOVED_ACCEL = 1.5  # m/s2 that a look carried ahead does not know of
LATEST = 0.6  # s; older detections count as so old
GATE = 11.34  # chi-square 0.99 for three degrees of freedom
CONFIRMED = 0.5
MEMORY = 1.2  # s, a confirmed track is kept unseen
TOLD_MEMORY = 1.0  # s, the same for objects known from messages only
PEDESTRIAN = 7


@kernel
def _slow(mean, share):
    """True for who hardly moves."""
    vx, vy = share[0] * mean[0, 2] + share[1] * mean[1, 2], share[0] * mean[0, 3] + share[1] * mean[1, 3]
    return vx * vx + vy * vy < STILL * STILL


@kernel
def _turn(mean, share):
    """Turn rate (rad/s) to tell of a motion; 0 for who hardly moves."""
    if _slow(mean, share):
        return 0.0
    return min(max(share[0] * mean[0, 5] + share[1] * mean[1, 5], -MOST_TURN), MOST_TURN)


@kernel
def advance(fleet, scratch, i, k, time):
    """Carry the filter of track k of car i to `time` (s); not back."""
    track = fleet.track
    dt = time - track[i, k, T_FILTERED]
    if dt <= 0.0:
        return
    noise = scratch.noise[1 if fleet.track_i[i, k, T_KIND] == PEDESTRIAN else 0]
    share = track[i, k, T_CV : T_CTRA + 1]
    turn = _turn(fleet.motion[i, k], share)
    imm.predict(fleet.motion[i, k], fleet.motion_cov[i, k], share, dt, noise, scratch.old_mean, scratch.old_cov)
    if turn == 0.0 and _slow(fleet.motion[i, k], share):
        # Who stands shows neither: what the filter made of noise must not wait for him to start.
        fleet.motion[i, k, 1, 4] = fleet.motion[i, k, 1, 5] = 0.0
    track[i, k, T_BODY] = wrap_angle(track[i, k, T_BODY] + turn * dt)
    track[i, k, T_HH] += HEADING_WALK * HEADING_WALK * dt
    track[i, k, T_FILTERED] = time


@kernel
def show(fleet, i, k, now):
    """Fill what others read of track k of car i: its state at `now` (s), carried ahead from the filter's."""
    track, cov = fleet.track, fleet.motion_cov
    share = track[i, k, T_CV : T_CTRA + 1]
    dt = max(now - track[i, k, T_FILTERED], 0.0)
    x, y, vx, vy, accel, _w = imm.combined_ahead(fleet.motion[i, k], share, dt)
    track[i, k, T_X], track[i, k, T_Y], track[i, k, T_VX], track[i, k, T_VY] = x, y, vx, vy
    turn = _turn(fleet.motion[i, k], share)
    track[i, k, T_YAW] = turn
    track[i, k, T_ACCEL] = min(max(accel, MOST_BRAKING), MOST_ACCEL)
    track[i, k, T_HEADING] = wrap_angle(track[i, k, T_BODY] + turn * dt)
    pp = pv = vv = 0.0
    for m in range(MODELS):
        pp += 0.5 * share[m] * (cov[i, k, m, 0, 0] + cov[i, k, m, 1, 1])
        pv += 0.5 * share[m] * (cov[i, k, m, 0, 2] + cov[i, k, m, 1, 3])
        vv += 0.5 * share[m] * (cov[i, k, m, 2, 2] + cov[i, k, m, 3, 3])
    track[i, k, T_PP], track[i, k, T_VV] = pp + 2.0 * dt * pv + dt * dt * vv, vv
    track[i, k, T_TIME] = now


@kernel
def predict_tracks(fleet, scratch, i, time, dt):
    """Carry all tracks of car i to `time` (s), that of its newest detections, and let `dt` s pass since they were seen."""
    for k in range(fleet.i[i, COUNT]):
        advance(fleet, scratch, i, k, time)
        show(fleet, i, k, time)
        fleet.track[i, k, T_SEEN] += dt
        fleet.track[i, k, T_TOLD] += dt
        fleet.track_i[i, k, T_USED] = 0


@kernel
def measure_track(fleet, scratch, i, k, x, y, heading, vx, vy, length, width, variance, turn_variance):
    """Update track k of car i with a full measurement in ENU of the filter's time."""
    track = fleet.track
    share = track[i, k, T_CV : T_CTRA + 1]
    imm.update_moving(
        fleet.motion[i, k], fleet.motion_cov[i, k], share, x, y, vx, vy, variance, SPEED_SIGMA * SPEED_SIGMA,
        scratch.motion_gain,
    )  # fmt: skip
    gain = track[i, k, T_HH] / (track[i, k, T_HH] + turn_variance)
    track[i, k, T_BODY] = wrap_angle(track[i, k, T_BODY] + gain * wrap_angle(heading - track[i, k, T_BODY]))
    track[i, k, T_HH] *= 1.0 - gain
    track[i, k, T_LENGTH] += 0.2 * (length - track[i, k, T_LENGTH])
    track[i, k, T_WIDTH] += 0.2 * (width - track[i, k, T_WIDTH])


@kernel
def start_track(fleet, i, x, y, heading, vx, vy, length, width, kind, variance, trust, now):
    """A new track of car i, as it was at `now` (s); returns its row, or -1 if the table is full of better ones."""
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
    mean, cov = fleet.motion, fleet.motion_cov
    for m in range(MODELS):
        for r in range(MOTION_STATES):
            mean[i, k, m, r] = 0.0
            for c in range(MOTION_STATES):
                cov[i, k, m, r, c] = 0.0
        mean[i, k, m, 0], mean[i, k, m, 1], mean[i, k, m, 2], mean[i, k, m, 3] = x, y, vx, vy
        cov[i, k, m, 0, 0] = cov[i, k, m, 1, 1] = variance
        cov[i, k, m, 2, 2] = cov[i, k, m, 3, 3] = 2.0 * SPEED_SIGMA * SPEED_SIGMA
        cov[i, k, m, 4, 4], cov[i, k, m, 5, 5] = FIRST_ACCEL * FIRST_ACCEL, FIRST_TURN * FIRST_TURN
    track[i, k, T_CV], track[i, k, T_CTRA] = 0.5, 0.5
    track[i, k, T_BODY], track[i, k, T_HH] = heading, FIRST_HEADING * FIRST_HEADING
    track[i, k, T_LENGTH], track[i, k, T_WIDTH], track[i, k, T_TRUST] = length, width, trust
    track[i, k, T_SEEN], track[i, k, T_TOLD], track[i, k, T_FILTERED] = 1e9, 1e9, now
    show(fleet, i, k, now)
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
    for m in range(MODELS):
        for r in range(MOTION_STATES):
            fleet.motion[i, k, m, r] = fleet.motion[i, last, m, r]
            for c in range(MOTION_STATES):
                fleet.motion_cov[i, k, m, r, c] = fleet.motion_cov[i, last, m, r, c]
    fleet.i[i, COUNT] = last


@kernel
def moved_on(fleet, i, k, x, y, vx, vy, variance, time):
    """(x, y, variance) of a look at `time` (s), carried to the filter of track k, which a newer message or detection may have advanced."""
    after = max(fleet.track[i, k, T_FILTERED] - time, 0.0)
    doubt = SPEED_SIGMA * after + 0.5 * MOVED_ACCEL * after * after
    return x + vx * after, y + vy * after, variance + doubt * doubt


@kernel
def gate_distance(fleet, i, k, x, y, vx, vy, variance):
    """Squared Mahalanobis distance of a measurement to track k, in position and (mildly) speed."""
    track = fleet.track
    ex, ey = x - track[i, k, T_X], y - track[i, k, T_Y]
    ux, uy = vx - track[i, k, T_VX], vy - track[i, k, T_VY]
    return (ex * ex + ey * ey) / (track[i, k, T_PP] + variance + 0.15) + (ux * ux + uy * uy) / (track[i, k, T_VV] + 4.0)


@kernel
def nearest_track(fleet, i, x, y, vx, vy, variance, time, gate):
    """Unused track of car i nearest to a measurement of `time` (s) within `gate`, -1 none."""
    best, least = np.int64(-1), gate
    for k in range(fleet.i[i, COUNT]):
        if fleet.track_i[i, k, T_USED] != 0:
            continue
        mx, my, doubt = moved_on(fleet, i, k, x, y, vx, vy, variance, time)
        dx, dy = mx - fleet.track[i, k, T_X], my - fleet.track[i, k, T_Y]
        if dx * dx + dy * dy > 100.0:
            continue
        distance = gate_distance(fleet, i, k, mx, my, vx, vy, doubt)
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
def frame_time(seen, first, end, now):
    """When (s) the newest of the detections first..end was measured, at most `now`; -inf where there is none."""
    newest = -math.inf
    for m in range(first, end):
        if newest < seen[m, D_TIME] <= now:
            newest = seen[m, D_TIME]
    return newest


@kernel
def take_objects(fleet, scratch, i, seen, first, end, now):
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
            late = min(max(now - seen[m, D_TIME], 0.0), LATEST)
            # The frame is the body's at the time of measurement: turn and shift it back by the own motion since.
            turn = -f[i, YAW_RATE] * late
            c, s = math.cos(f[i, HEADING] + turn), math.sin(f[i, HEADING] + turn)
            mid = f[i, HEADING] + 0.5 * turn
            ox = f[i, X] - f[i, SPEED] * late * math.cos(mid)
            oy = f[i, Y] - f[i, SPEED] * late * math.sin(mid)
            vx, vy = seen[m, D_VX] * c - seen[m, D_VY] * s, seen[m, D_VX] * s + seen[m, D_VY] * c
            x, y = ox + bx * c - by * s, oy + bx * s + by * c
            heading = wrap_angle(bh + f[i, HEADING] + turn)
            variance = sigma * sigma + 0.01
            length, width = max(seen[m, D_LENGTH], 0.3), max(seen[m, D_WIDTH], 0.3)
            k = nearest_track(fleet, i, x, y, vx, vy, variance, now - late, GATE)
            if k >= 0:
                ends = max(0.5 * length, 0.5)  # m; a box is turned by about the position error of its ends
                turn_variance = 0.5 * variance / (ends * ends)
                x, y, variance = moved_on(fleet, i, k, x, y, vx, vy, variance, now - late)
                measure_track(fleet, scratch, i, k, x, y, heading, vx, vy, length, width, variance, turn_variance)
                fleet.track[i, k, T_SEEN] = 0.0
                fleet.track[i, k, T_TRUST] += 0.4 * (1.0 - fleet.track[i, k, T_TRUST]) * (0.5 + 0.5 * confidence)
                fleet.track_i[i, k, T_USED] = 1
                fleet.track_i[i, k, T_HITS] += 1
                fleet.track_i[i, k, T_KIND] = np.int64(seen[m, D_KIND])
            elif stage == 0:
                k = start_track(
                    fleet, i, x, y, heading, vx, vy, length, width, np.int64(seen[m, D_KIND]), variance,
                    0.4 * confidence, now - late,
                )  # fmt: skip
                if k >= 0:
                    fleet.track[i, k, T_SEEN] = 0.0
    for k in range(fleet.i[i, COUNT]):
        show(fleet, i, k, now)


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

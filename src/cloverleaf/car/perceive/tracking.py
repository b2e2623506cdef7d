"""One frame of multi-object tracking: predict all tracks, assign detections in two stages, update, start and end (compiled).

Belief of a track is a log odds that it is real: hits add what the detection's score says, misses subtract (score-aware birth and
death). Strong detections choose first among all tracks; weak ones may only continue tracks (Zhang et al. 2022, "ByteTrack"). Costs mix
generalised IoU of the bodies with the Mahalanobis distance of the centres; assignments are optimal within gates.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo import imm
from cloverleaf.algo.assignment_optimal import assign_least
from cloverleaf.algo.filters import after_position, position_gain, predict_axis
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.overlap import box_iou
from cloverleaf.car.perceive import tracks as T

HEIGHT_ACCEL, YAW_ACCEL = 1.0, 1.0  # m/s2 and rad/s2, process noise of height and heading
HEIGHT_SIGMA = 0.15  # m
FOREIGN_CLASS = 0.25  # cost of a pair whose classes differ
CONFUSED = 0.1  # chance that a detector names the wrong class


@kernel
def log_odds(score, p):
    """Log odds that a detection of this score is real, within +-6."""
    return min(max((score - p[T.P_MIDDLE]) / p[T.P_SCALE], -6.0), 6.0)


@kernel
def position_variance(det, d, p):
    """Variance (m2) of the position of detection d."""
    sigma = det[d, T.D_SIGMA]
    if sigma <= 0.0:
        away = math.sqrt(det[d, T.D_X] * det[d, T.D_X] + det[d, T.D_Y] * det[d, T.D_Y])
        sigma = p[T.P_SIGMA] + p[T.P_SIGMA_M] * away
    return sigma * sigma


@kernel
def _show(tracks, k):
    """Copy the combined motion of track k to the columns that others read."""
    f = tracks.f
    mean, cov, share = tracks.mean[k], tracks.cov[k], f[k, T.SHARE_CV : T.SHARE_CTRA + 1]
    f[k, T.X], _a = imm.combined(mean, cov, share, 0)
    f[k, T.Y], _b = imm.combined(mean, cov, share, 1)
    f[k, T.VX], _c = imm.combined(mean, cov, share, 2)
    f[k, T.VY], _d = imm.combined(mean, cov, share, 3)


@kernel
def predict_all(tracks, now, p, s):
    """Carry every track to `now` (s); a track that is already there stays."""
    f = tracks.f
    for k in range(tracks.n[0]):
        dt = now - f[k, T.TIME]
        if dt > 0.0:
            share = f[k, T.SHARE_CV : T.SHARE_CTRA + 1]
            imm.predict(tracks.mean[k], tracks.cov[k], share, dt, p, s.mean, s.cov)
            f[k, T.Z] += f[k, T.VZ] * dt
            f[k, T.ZPP], f[k, T.ZPV], f[k, T.ZVV] = predict_axis(
                f[k, T.ZPP], f[k, T.ZPV], f[k, T.ZVV], HEIGHT_ACCEL, dt
            )
            f[k, T.HEADING] = wrap_angle(f[k, T.HEADING] + f[k, T.RATE] * dt)
            f[k, T.HPP], f[k, T.HPV], f[k, T.HVV] = predict_axis(f[k, T.HPP], f[k, T.HPV], f[k, T.HVV], YAW_ACCEL, dt)
            f[k, T.TIME] = now
        tracks.i[k, T.DETECTED] = -1
        tracks.i[k, T.AGE] += 1
        _show(tracks, k)


@kernel
def _pair_cost(tracks, k, det, d, p, s):
    """Cost of giving detection d to track k, 0 best; inf outside the gates."""
    f = tracks.f
    dx, dy = det[d, T.D_X] - f[k, T.X], det[d, T.D_Y] - f[k, T.Y]
    if dx * dx + dy * dy > p[T.P_REACH] * p[T.P_REACH]:
        return math.inf
    r = position_variance(det, d, p)
    share = f[k, T.SHARE_CV : T.SHARE_CTRA + 1]
    square = imm.position_distance(tracks.mean[k], tracks.cov[k], share, det[d, T.D_X], det[d, T.D_Y], r, 0.0, r)
    if square > p[T.P_GATE]:
        return math.inf
    cost = square / p[T.P_GATE]
    if det[d, T.D_LENGTH] > 0.0 and p[T.P_OVERLAP] > 0.0:
        a, b = s.body[0], s.body[1]
        a[0], a[1], a[2], a[3] = f[k, T.X], f[k, T.Y], f[k, T.Z], f[k, T.HEADING]
        a[4], a[5], a[6] = f[k, T.LENGTH], f[k, T.WIDTH], f[k, T.HEIGHT]
        for c in range(7):
            b[c] = det[d, c]
        cost += p[T.P_OVERLAP] * (0.5 - 0.5 * box_iou(a, b, True, s.poly) - cost)
    if tracks.i[k, T.CLASS] != np.int64(det[d, T.D_CLASS]):
        cost += FOREIGN_CLASS
    return cost


@kernel
def _hit(tracks, k, det, d, now, p, s):
    """Update track k with detection d."""
    f, ints = tracks.f, tracks.i
    r = position_variance(det, d, p)
    share = f[k, T.SHARE_CV : T.SHARE_CTRA + 1]
    imm.update(tracks.mean[k], tracks.cov[k], share, det[d, T.D_X], det[d, T.D_Y], r, s.gain)
    gp, gv = position_gain(f[k, T.ZPP], f[k, T.ZPV], HEIGHT_SIGMA * HEIGHT_SIGMA)
    off = det[d, T.D_Z] - f[k, T.Z]
    f[k, T.Z] += gp * off
    f[k, T.VZ] += gv * off
    f[k, T.ZPP], f[k, T.ZPV], f[k, T.ZVV] = after_position(f[k, T.ZPP], f[k, T.ZPV], f[k, T.ZVV], gp, gv)
    # Detectors confuse front and rear: the nearer of both directions corrects the heading.
    off = wrap_angle(det[d, T.D_HEADING] - f[k, T.HEADING])
    if abs(off) > 0.5 * math.pi:
        off = wrap_angle(off + math.pi)
    gp, gv = position_gain(f[k, T.HPP], f[k, T.HPV], p[T.P_HEADING] * p[T.P_HEADING])
    f[k, T.HEADING] = wrap_angle(f[k, T.HEADING] + gp * off)
    f[k, T.RATE] += gv * off
    f[k, T.HPP], f[k, T.HPV], f[k, T.HVV] = after_position(f[k, T.HPP], f[k, T.HPV], f[k, T.HVV], gp, gv)
    odds = log_odds(det[d, T.D_SCORE], p)
    weight = 1.0 / (1.0 + math.exp(-odds))
    f[k, T.SIZES] = min(f[k, T.SIZES] + weight, p[T.P_SIZE])
    for c in range(3):
        f[k, T.LENGTH + c] += (det[d, T.D_LENGTH + c] - f[k, T.LENGTH + c]) * weight / f[k, T.SIZES]
    f[k, T.SCORE] += p[T.P_SCORE] * (det[d, T.D_SCORE] - f[k, T.SCORE])
    f[k, T.PEAK] = max(f[k, T.PEAK], det[d, T.D_SCORE])
    f[k, T.BELIEF] = min(f[k, T.BELIEF] + p[T.P_HIT] + p[T.P_GAIN] * odds, p[T.P_MOST])
    f[k, T.SEEN] = now
    ints[k, T.HITS] += 1
    ints[k, T.MISSES] = 0
    ints[k, T.DETECTED] = d
    _vote(tracks, k, np.int64(det[d, T.D_CLASS]))
    _show(tracks, k)


@kernel
def _vote(tracks, k, kind):
    """Bayes over the classes: a detector names the true class with 1 - CONFUSED."""
    best = np.int64(0)
    for c in range(T.CLASSES):
        tracks.votes[k, c] += math.log(1.0 - CONFUSED) if c == kind else math.log(CONFUSED / (T.CLASSES - 1))
        if tracks.votes[k, c] > tracks.votes[k, best]:
            best = np.int64(c)
    tracks.i[k, T.CLASS] = best


@kernel
def _start(tracks, det, d, now, p):
    """A new track from detection d, if the table has room."""
    k = tracks.n[0]
    if k >= tracks.f.shape[0]:
        return
    tracks.n[0] = k + 1
    f, ints = tracks.f, tracks.i
    for c in range(T.TRACK_F):
        f[k, c] = 0.0
    for c in range(T.CLASSES):
        tracks.votes[k, c] = 0.0
    r = position_variance(det, d, p)
    for m in range(2):
        for a in range(imm.STATES):
            tracks.mean[k, m, a] = 0.0
            for b in range(imm.STATES):
                tracks.cov[k, m, a, b] = 0.0
        tracks.mean[k, m, 0], tracks.mean[k, m, 1] = det[d, T.D_X], det[d, T.D_Y]
        tracks.cov[k, m, 0, 0] = tracks.cov[k, m, 1, 1] = r
        tracks.cov[k, m, 2, 2] = tracks.cov[k, m, 3, 3] = p[T.P_VELOCITY] * p[T.P_VELOCITY]
        tracks.cov[k, m, 4, 4] = p[T.P_ACCEL_PRIOR] * p[T.P_ACCEL_PRIOR]
        tracks.cov[k, m, 5, 5] = p[T.P_TURN_PRIOR] * p[T.P_TURN_PRIOR]
    f[k, T.SHARE_CV], f[k, T.SHARE_CTRA] = 0.8, 0.2
    f[k, T.Z], f[k, T.ZPP], f[k, T.ZVV] = det[d, T.D_Z], HEIGHT_SIGMA * HEIGHT_SIGMA, 1.0
    f[k, T.HEADING], f[k, T.HPP], f[k, T.HVV] = det[d, T.D_HEADING], p[T.P_HEADING] * p[T.P_HEADING], 0.25
    for c in range(3):
        f[k, T.LENGTH + c] = det[d, T.D_LENGTH + c]
    odds = log_odds(det[d, T.D_SCORE], p)
    f[k, T.SIZES] = 1.0 / (1.0 + math.exp(-odds))
    f[k, T.SCORE] = f[k, T.PEAK] = det[d, T.D_SCORE]
    f[k, T.BELIEF] = min(p[T.P_START] * odds, p[T.P_MOST])
    f[k, T.TIME] = f[k, T.SEEN] = now
    ints[k, T.ID] = tracks.n[1]
    tracks.n[1] += 1
    ints[k, T.HITS], ints[k, T.MISSES], ints[k, T.AGE], ints[k, T.DETECTED] = 1, 0, 1, d
    ints[k, T.CONFIRMED] = 1 if f[k, T.BELIEF] >= p[T.P_CONFIRM] else 0
    _vote(tracks, k, np.int64(det[d, T.D_CLASS]))
    _show(tracks, k)


@kernel
def _drop(tracks, k):
    """Remove track k; the last row takes its place."""
    last = tracks.n[0] - 1
    for c in range(T.TRACK_F):
        tracks.f[k, c] = tracks.f[last, c]
    for c in range(T.TRACK_I):
        tracks.i[k, c] = tracks.i[last, c]
    for c in range(T.CLASSES):
        tracks.votes[k, c] = tracks.votes[last, c]
    for m in range(2):
        for a in range(imm.STATES):
            tracks.mean[k, m, a] = tracks.mean[last, m, a]
            for b in range(imm.STATES):
                tracks.cov[k, m, a, b] = tracks.cov[last, m, a, b]
    tracks.n[0] = last


@kernel
def _usable(det, d):
    """A detection whose numbers are finite and whose place and sizes are possible."""
    total = 0.0
    for c in range(T.DETECTION):
        total += det[d, c]
    return (
        math.isfinite(total)
        and abs(det[d, T.D_X]) < 1e4
        and abs(det[d, T.D_Y]) < 1e4
        and min(min(det[d, T.D_LENGTH], det[d, T.D_WIDTH]), det[d, T.D_HEIGHT]) >= 0.0
        and max(max(det[d, T.D_LENGTH], det[d, T.D_WIDTH]), det[d, T.D_HEIGHT]) < 100.0
        and 0.0 <= det[d, T.D_CLASS] < T.CLASSES
    )


@kernel
def track_frame(tracks, det, count, now, p, s):
    """Take the first `count` rows of `det` (n, DETECTION), measured at `now` (s), into the tracks.

    p: the row of a `Tuning`. Returns the number of detections dropped because they are impossible.
    """
    f, ints = tracks.f, tracks.i
    predict_all(tracks, now, p, s)
    dropped = 0
    for d in range(count):
        s.column[2, d] = 1
        if not _usable(det, d):
            dropped += 1
            continue
        belief = 1.0 / (1.0 + math.exp(-log_odds(det[d, T.D_SCORE], p)))
        if belief >= p[T.P_STRONG]:
            s.column[2, d] = 0
        elif belief >= p[T.P_WEAK]:
            s.column[2, d] = 2
    for stage in range(2):
        rows = columns = 0
        for k in range(tracks.n[0]):
            if ints[k, T.DETECTED] < 0:
                s.row[0, rows] = k
                rows += 1
        for d in range(count):
            # The second look offers weak detections, and strong ones that found nothing, to what is left.
            if s.column[2, d] == 0 or (stage == 1 and s.column[2, d] == 2):
                s.column[0, columns] = d
                columns += 1
        gate = p[T.P_COST] if stage == 0 else p[T.P_COST2]
        for a in range(rows):
            for b in range(columns):
                s.cost[a, b] = _pair_cost(tracks, s.row[0, a], det, s.column[0, b], p, s)
        assign_least(s.cost, rows, columns, gate, s.row[1], s.column[1], s.work, s.link)
        for a in range(rows):
            if s.row[1, a] >= 0:
                d = s.column[0, s.row[1, a]]
                s.column[2, d] = 1
                _hit(tracks, s.row[0, a], det, d, now, p, s)
    k = np.int64(0)
    while k < tracks.n[0]:
        if ints[k, T.DETECTED] < 0:
            ints[k, T.MISSES] += 1
            f[k, T.BELIEF] -= p[T.P_MISS]
        if f[k, T.BELIEF] < p[T.P_DROP] or ints[k, T.MISSES] > p[T.P_MISSES]:
            _drop(tracks, k)
            continue
        if f[k, T.BELIEF] >= p[T.P_CONFIRM]:
            ints[k, T.CONFIRMED] = 1
        k += 1
    for d in range(count):
        if s.column[2, d] == 0:
            _start(tracks, det, d, now, p)
    return dropped

"""Where others will be: each confirmed track rolled out along the lanes it can take, people on foot straight on.

A vehicle gets one hypothesis per link out of its lane (at most three), inside a junction one per way that it can be on. If our way
makes it give way - by right of way or because its light cannot be green with ours - and it can still stop at its line, it is taken to
stop there; if it cannot, it comes.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.locate import project_on_lane
from cloverleaf.car.roadbook import (
    FOE_TOGETHER,
    LANE_LINKS,
    LANE_LINKS_END,
    LANE_POINTS,
    LANE_POINTS_END,
    PCOS,
    PS,
    PSIN,
    PX,
    PY,
    SIGNAL,
)
from cloverleaf.car.state import (
    COUNT,
    DT,
    HEADING,
    HYPOTHESES,
    STEPS,
    T_ACCEL,
    T_HEADING,
    T_KIND,
    T_LANE,
    T_LENGTH,
    T_SEEN,
    T_TOLD,
    T_TRUST,
    T_VX,
    T_VY,
    T_WIDTH,
    T_X,
    T_Y,
    T_YAW,
    X,
    Y,
)  # fmt: skip
from cloverleaf.types.traffic import (
    FOE_LINK,
    FOE_YIELD,
    LANE_INTERNAL,
    LANE_LENGTH,
    LANE_NEXT,
    LANE_SPEED,
    LANE_WIDTH,
    LINK_DIRECTION,
    LINK_ENTRY,
    LINK_FOES,
    LINK_FOES_END,
    LINK_FROM,
    LINK_TO,
    LINK_VIA,
)  # fmt: skip

NONE, GOES_FIRST, GIVES_WAY, CLEARS = 0, 1, 2, 3
PEDESTRIAN = 7
STOPPING = 3.5  # m/s2 at which somebody who has to stop is believed to do so
REACH = 130.0  # m
CONFIRMED = 0.45
EAGER = 0.8  # m/s2
STARTING = 6.0  # m/s
DRIFT_DOUBT = 0.5  # m/s sideways that noise alone makes of somebody who keeps his lane
CENTRED = 0.04  # of an offset from the middle of the lane is lost in the next metre driven, and at most in one step
STRAIGHTENED = 6.0  # m after which a body that stood askew follows the lane
DRIFT_LASTS = 0.9  # of it is left a step later: a lane change takes about three seconds
STRAIGHT_SHARE, TURN_SHARE = 0.6, 0.25  # of the links out of a lane
USUAL_BRAKING, BRAKING_SPREAD = 1.5, 1.0  # m/s2, before a bend
NEAR_JUNCTION, SPEED_SPREAD = 25.0, 6.0  # m, m/s: within this, speed tells what is meant
FORK_OFFSET, FORK_TURN = 0.4, 0.08  # m, rad: spread about the middle of a lane by which the way at a fork shows
FORK_LEAST = 0.1  # share of the best way's likelihood below which another way is not expected
CREEPING, CLEARING = 1.5, 3.0  # m/s: who is slower inside a junction is waited for; speed at which he is taken to leave

_GREEN = ord("G")


@kernel
def mark_foes(book, path, relation, used, light):
    """Note in `relation` (K,) how the foes of the links ahead relate to us; `used` lists the rows to clear. Returns their number.

    `light` is the letter seen at the first signalled gate, 0 unknown.
    """
    count = 0
    for g in range(path.n[2]):
        link = np.int64(book.link_i[path.gate_link[g], LINK_ENTRY])
        signalled = book.link_i[link, SIGNAL] >= 0
        protected = signalled and light == _GREEN
        for r in range(book.link_i[link, LINK_FOES], book.link_i[link, LINK_FOES_END]):
            foe = book.foe_i[r, FOE_LINK]
            if signalled and book.foe_i[r, FOE_TOGETHER] == 0:
                value = GIVES_WAY
            elif book.foe_i[r, FOE_YIELD] > 0 and not protected:
                value = GOES_FIRST
            else:
                value = GIVES_WAY
            if count < used.shape[0] and relation[foe] == 0:
                relation[foe] = value
                used[count] = foe
                count += 1
    return count


@kernel
def clear_foes(relation, used, count):
    """Undo `mark_foes`."""
    for k in range(count):
        relation[used[k]] = 0


@kernel
def _fit(book, lane, x, y, heading):
    """How badly a lane explains a vehicle: distance plus heading error; inf if it does not."""
    s, _d, along, distance = project_on_lane(book, lane, x, y)
    turn = abs(wrap_angle(heading - along))
    if turn > 1.0 or distance > 0.5 * book.lane_f[lane, LANE_WIDTH] + 1.0 or s > book.lane_f[lane, LANE_LENGTH] + 0.5:
        return math.inf
    return distance + 2.5 * turn


@kernel
def match_lane(book, track, ints, i, k):
    """Lane of track k of car i (-1 none): the last one if it still fits, else the best of the cell that holds the track."""
    x, y, heading = track[i, k, T_X], track[i, k, T_Y], track[i, k, T_HEADING]
    lane = ints[i, k, T_LANE]
    if lane >= 0:
        s, d, along, _distance = project_on_lane(book, lane, x, y)
        if (
            0.0 <= s <= book.lane_f[lane, LANE_LENGTH]
            and abs(d) < 0.5 * book.lane_f[lane, LANE_WIDTH] + 0.2
            and abs(wrap_angle(heading - along)) < 0.35
        ):
            return lane
    best, least = np.int64(-1), math.inf
    column = np.int64((x - book.grid[0]) / book.grid[2])
    row = np.int64((y - book.grid[1]) / book.grid[2])
    if 0 <= column < book.grid[3] and 0 <= row < book.grid[4]:
        cell = row * np.int64(book.grid[3]) + column
        for c in range(book.cell_start[cell], book.cell_start[cell + 1]):
            candidate = np.int64(book.cell_lane[c])
            fit = _fit(book, candidate, x, y, heading)
            if fit < least:
                best, least = candidate, fit
    ints[i, k, T_LANE] = best
    return best


@kernel
def _put(hyp, h, step, x, y, c, s, v):
    hyp.x[h, step], hyp.y[h, step], hyp.cos[h, step], hyp.sin[h, step], hyp.v[h, step] = x, y, c, s, v


@kernel
def _describe(hyp, h, track, ints, i, k, relation, link):
    age = min(track[i, k, T_SEEN], track[i, k, T_TOLD])
    hyp.f[h, 0], hyp.f[h, 1], hyp.f[h, 2], hyp.f[h, 3] = (
        track[i, k, T_LENGTH],
        track[i, k, T_WIDTH],
        track[i, k, T_TRUST],
        age,
    )
    hyp.f[h, 4] = 1.0
    hyp.i[h, 0], hyp.i[h, 1], hyp.i[h, 2], hyp.i[h, 3] = ints[i, k, T_KIND], k, relation, link


@kernel
def roll_free(hyp, h, x, y, heading, speed, yaw, sideways):
    """Constant speed and (fading) yaw rate."""
    for step in range(STEPS + 1):
        c, s = math.cos(heading), math.sin(heading)
        _put(hyp, h, step, x, y, c, s, speed)
        x += (speed * c - sideways * s) * DT
        y += (speed * s + sideways * c) * DT
        heading += yaw * DT
        yaw *= 0.85


@kernel
def roll_lanes(book, hyp, h, lane, s, d, link, speed, accel, stop_at, drift, turn):
    """Along `lane` from (s, d), then over `link` and straight on; stops `stop_at` m from here (inf: does not).

    Who moves sideways at `drift` m/s (left positive) does so for a while; everybody else comes to the middle of the lane as he drives
    on, and out of `turn`, rad by which his body stands askew of the lane. Who stands stays as he stands.
    """
    travelled = 0.0
    k = book.lane_i[lane, LANE_POINTS]
    first_lane = lane
    for step in range(STEPS + 1):
        # Go on to the lane that holds s.
        for _ in range(4):
            length = book.lane_f[lane, LANE_LENGTH]
            if s <= length:
                break
            onward = link if lane == first_lane else np.int64(book.lane_i[lane, LANE_LINKS])
            if lane != first_lane and book.lane_i[lane, LANE_LINKS] >= book.lane_i[lane, LANE_LINKS_END]:
                break
            if onward < 0:
                break
            s -= length
            via = book.link_i[onward, LINK_VIA]
            lane = np.int64(via) if via >= 0 else np.int64(book.link_i[onward, LINK_TO])
            if lane == first_lane:
                first_lane = -1
            k = book.lane_i[lane, LANE_POINTS]
            d *= 0.5
        last = book.lane_i[lane, LANE_POINTS_END] - 2
        while k < last and book.point[k + 1, PS] <= s:
            k += 1
        t = s - book.point[k, PS]
        c, q = book.point[k, PCOS], book.point[k, PSIN]
        x, y = book.point[k, PX] + t * c - d * q, book.point[k, PY] + t * q + d * c
        if turn != 0.0 and travelled < STRAIGHTENED:
            askew = turn * (1.0 - travelled / STRAIGHTENED)
            a, b = math.cos(askew), math.sin(askew)
            c, q = c * a - q * b, q * a + c * b
        _put(hyp, h, step, x, y, c, q, speed)
        room = stop_at - travelled
        if room < math.inf:
            if room <= 0.3:
                speed = 0.0
            else:
                speed = max(
                    0.0,
                    speed - max(speed * speed / (2.0 * room) if room < 0.35 * speed * speed + 2.0 else 0.0, 0.0) * DT,
                )
        else:
            limit = max(book.lane_f[lane, LANE_SPEED] * 1.15, 3.0)
            speed = min(max(speed + accel * DT, 0.0), max(limit, speed))
            accel *= 0.95 if accel > 0.0 and speed < STARTING else 0.8  # who starts goes on accelerating
        move = speed * DT
        if move > room:
            move = max(room, 0.0)
        s += move
        travelled += move
        d = d + drift * DT if drift != 0.0 else d * (1.0 - CENTRED * min(move, 1.0))
        drift = drift * DRIFT_LASTS if abs(drift) > 0.1 else 0.0


@kernel
def _entry_relation(book, relation, lane, link):
    """(relation, entry link) of a vehicle on `lane` that takes `link`."""
    if book.lane_i[lane, LANE_INTERNAL] > 0:
        entry = np.int64(book.link_i[book.lane_i[lane, LANE_NEXT], LINK_ENTRY])
    else:
        entry = link
    if entry < 0:
        return np.int64(0), np.int64(-1)
    return relation[entry], entry


@kernel
def way_weight(book, link, speed, room):
    """How likely a vehicle at `speed` (m/s), `room` m before the junction, is to take `link`, up to a factor common to its links.

    Most go straight on; who could not slow down comfortably for the bend any more will hardly take it, who is slower than going
    straight on asks for probably will.
    """
    direction = book.link_i[link, LINK_DIRECTION]
    via = book.link_i[link, LINK_VIA]
    lane = np.int64(via) if via >= 0 else np.int64(book.link_i[link, LINK_TO])
    slack = book.lane_f[lane, LANE_SPEED] - speed
    if slack < 0.0:
        needed = (speed * speed - book.lane_f[lane, LANE_SPEED] ** 2) / (2.0 * max(room, 1.0))
        fits = math.exp(-max(needed - USUAL_BRAKING, 0.0) / BRAKING_SPREAD)
    else:
        fits = math.exp(-slack / SPEED_SPREAD) if room < NEAR_JUNCTION else 1.0
    return (STRAIGHT_SHARE if direction == 0 else TURN_SHARE) * fits + 1e-3


@kernel
def way_fit(book, lane, x, y, heading):
    """How likely a vehicle at this pose is on internal lane `lane`, up to a common factor; 0 if it has left it."""
    s, d, along, _distance = project_on_lane(book, lane, x, y)
    if s > book.lane_f[lane, LANE_LENGTH] or s < -1.0:
        return 0.0
    off, turn = d / FORK_OFFSET, wrap_angle(heading - along) / FORK_TURN
    return math.exp(-0.5 * min(off * off + turn * turn, 100.0))


@kernel
def predict_fork(book, hyp, relation, track, ints, i, k, lane, speed, accel):
    """Append one hypothesis for each way out of the lane before the junction that track k, on internal `lane`, can be on.

    Returns how many; 0 (nothing appended) if it can only be on one.
    """
    entry = np.int64(book.link_i[book.lane_i[lane, LANE_NEXT], LINK_ENTRY])
    if entry < 0 or book.link_i[entry, LINK_VIA] != lane:
        return 0
    x, y, heading = track[i, k, T_X], track[i, k, T_Y], track[i, k, T_HEADING]
    before = np.int64(book.link_i[entry, LINK_FROM])
    first, end = book.lane_i[before, LANE_LINKS], book.lane_i[before, LANE_LINKS_END]
    best, ways = 0.0, 0
    for link in range(first, end):
        if book.link_i[link, LINK_VIA] >= 0:
            best = max(best, way_fit(book, np.int64(book.link_i[link, LINK_VIA]), x, y, heading))
    h, total = hyp.n[0], 0.0
    for link in range(first, end):
        via = np.int64(book.link_i[link, LINK_VIA])
        if via < 0 or ways == 3:
            continue
        fit = way_fit(book, via, x, y, heading)
        if fit <= FORK_LEAST * best:
            continue
        if fit == best:
            ints[i, k, T_LANE] = via
        rel = relation[link]
        push = max(accel, EAGER) if rel == GOES_FIRST and accel > -1.0 else accel
        at, d, _along, _distance = project_on_lane(book, via, x, y)
        _describe(hyp, h + ways, track, ints, i, k, rel, np.int64(link))
        hyp.f[h + ways, 4] = fit * way_weight(book, link, speed, 0.0)
        total += hyp.f[h + ways, 4]
        roll_lanes(book, hyp, h + ways, via, at, d, np.int64(book.lane_i[via, LANE_LINKS]), speed, push, math.inf, 0.0, 0.0)
        ways += 1
    for row in range(h, h + ways):
        hyp.f[row, 4] /= total
    hyp.n[0] = h + ways
    return ways


@kernel
def predict_clearing(book, hyp, track, ints, i, k):
    """Append the rest of the way through the junction of track k, which stands or creeps in it, as where it will want to be.

    It is no motion that is expected: `occupy` keeps this way free if the vehicle already stands in ours, so that it can leave.
    """
    h, lane = hyp.n[0], np.int64(ints[i, k, T_LANE])
    _describe(hyp, h, track, ints, i, k, np.int64(CLEARS), np.int64(-1))
    hyp.f[h, 4] = 0.0
    at, d, _along, _distance = project_on_lane(book, lane, track[i, k, T_X], track[i, k, T_Y])
    roll_lanes(book, hyp, h, lane, at, d, np.int64(book.lane_i[lane, LANE_LINKS]), CLEARING, 0.0, math.inf, 0.0, 0.0)
    hyp.n[0] = h + 1


@kernel
def predict_track(book, hyp, relation, track, ints, i, k):
    """Append the hypotheses of track k of car i."""
    h = hyp.n[0]
    if h >= HYPOTHESES - 4:
        return
    x, y, heading = track[i, k, T_X], track[i, k, T_Y], track[i, k, T_HEADING]
    vx, vy = track[i, k, T_VX], track[i, k, T_VY]
    c, s = math.cos(heading), math.sin(heading)
    speed, sideways = vx * c + vy * s, vy * c - vx * s
    kind = ints[i, k, T_KIND]
    lane = np.int64(-1)
    if kind != PEDESTRIAN:
        lane = match_lane(book, track, ints, i, k)
    if kind == PEDESTRIAN:
        _describe(hyp, h, track, ints, i, k, np.int64(GOES_FIRST), np.int64(-1))
        v = math.sqrt(vx * vx + vy * vy)
        roll_free(hyp, h, x, y, math.atan2(vy, vx) if v > 0.15 else heading, v if v > 0.15 else 0.0, 0.0, 0.0)
        hyp.n[0] = h + 1
        return
    if lane < 0 or speed < -0.3:
        _describe(hyp, h, track, ints, i, k, np.int64(NONE), np.int64(-1))
        roll_free(hyp, h, x, y, heading, speed, track[i, k, T_YAW], 0.0 if abs(speed) > 1.0 else sideways * 0.5)
        hyp.n[0] = h + 1
        return
    speed = max(speed, 0.0) if speed > 0.25 else 0.0
    at, d, along, _distance = project_on_lane(book, lane, x, y)
    half = 0.5 * track[i, k, T_LENGTH]
    accel = min(max(track[i, k, T_ACCEL], -3.0), 1.5)
    first, end = book.lane_i[lane, LANE_LINKS], book.lane_i[lane, LANE_LINKS_END]
    length = book.lane_f[lane, LANE_LENGTH]
    inside = book.lane_i[lane, LANE_INTERNAL] > 0
    drift = vy * math.cos(along) - vx * math.sin(along)
    if inside or abs(drift) < DRIFT_DOUBT:
        drift = 0.0
    if inside and speed > 0.0 and predict_fork(book, hyp, relation, track, ints, i, k, lane, speed, accel) > 0:
        if speed < CREEPING:
            predict_clearing(book, hyp, track, ints, i, k)
        return
    if speed == 0.0 or first >= end or at + (speed + 2.0) * STEPS * DT < length:
        # It does not leave this lane within the horizon.
        turn = wrap_angle(heading - along) if speed == 0.0 else 0.0
        rel, entry = _entry_relation(book, relation, lane, first if first < end and inside else np.int64(-1))
        _describe(hyp, h, track, ints, i, k, rel, entry)
        roll_lanes(book, hyp, h, lane, at, d, np.int64(-1), speed, accel, math.inf, drift, turn)
        hyp.n[0] = h + 1
        if inside and speed < CREEPING:
            predict_clearing(book, hyp, track, ints, i, k)
        return
    begin, total = h, 0.0
    for link in range(first, min(end, first + 3)):
        rel, entry = _entry_relation(book, relation, lane, np.int64(link))
        stop_at = math.inf
        # Whoever goes first may speed up at any time: expect it early.
        push = max(accel, EAGER) if rel == GOES_FIRST and accel > -1.0 else accel
        if rel == GIVES_WAY and not inside:
            room = length - at - half - 0.3
            if room > 0.0 and speed * speed / (2.0 * STOPPING) + 0.3 * speed <= room:
                stop_at = room
        _describe(hyp, h, track, ints, i, k, rel, entry)
        hyp.f[h, 4] = way_weight(book, link, speed, length - at - half)
        total += hyp.f[h, 4]
        roll_lanes(book, hyp, h, lane, at, d, np.int64(link), speed, push, stop_at, drift, 0.0)
        h += 1
    for row in range(begin, h):
        hyp.f[row, 4] /= total
    hyp.n[0] = h


@kernel
def predict_all(book, fleet, hyp, relation, i):
    """Predict all confirmed tracks of car i that can matter."""
    hyp.n[0] = 0
    f = fleet.f
    c, s = math.cos(f[i, HEADING]), math.sin(f[i, HEADING])
    for k in range(fleet.i[i, COUNT]):
        if fleet.track[i, k, T_TRUST] < CONFIRMED:
            continue
        dx, dy = fleet.track[i, k, T_X] - f[i, X], fleet.track[i, k, T_Y] - f[i, Y]
        if dx * dx + dy * dy > REACH * REACH or dx * c + dy * s < -60.0:
            continue
        predict_track(book, hyp, relation, fleet.track, fleet.track_i, i, np.int64(k))

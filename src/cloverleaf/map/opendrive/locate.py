"""Kernels from (x, y) to (road, lane, s, offset): grid cell, chord filter, exact projection, then the lanes across."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.opendrive.geometry import piece_frame
from cloverleaf.map.opendrive.grid import chord_distance
from cloverleaf.map.opendrive.lanes import cubic_at, profile_at, section_at
from cloverleaf.map.opendrive.tables import (
    BORDER,
    CENTER,
    COEF,
    CUBIC_BEGIN,
    CUBIC_END,
    KIND,
    LANE_BEGIN,
    LANE_END,
    LANE_ID,
    LEFT_HAND,
    PIECE_COS,
    PIECE_HEADING,
    PIECE_SIN,
    PIECE_X,
    PIECE_Y,
    SPAN_DX,
    SPAN_DY,
    SPAN_LEFT,
    SPAN_LENGTH,
    SPAN_PIECE,
    SPAN_REACH,
    SPAN_RIGHT,
    SPAN_ROAD,
    SPAN_S,
    SPAN_X,
    SPAN_Y,
    USE,
)

OFF_ROAD = 10.0  # weight of 1 m off the lanes against 1 m off a lane's centre


@kernel
def foot_on_curve(m, piece, x, y, guess, length):
    """`project` on a spiral or polynomial, by Newton's method."""
    s, t, heading = guess, 0.0, 0.0
    for _ in range(8):
        px, py, heading, sine, cosine, k = piece_frame(m, piece, s)
        ex, ey = x - px, y - py
        along = ex * cosine + ey * sine
        t = ey * cosine - ex * sine
        step = along / max(1.0 - k * t, 0.2)
        if abs(step) < 1e-7 or (s + step > length and s >= length) or (s + step < 0.0 and s <= 0.0):
            s += step
            break
        s = min(max(s + step, -1e-9), length + 1e-9)
    return s, t, heading


@inlined
def project(m, piece, x, y, guess, length):
    """s from the start of a piece (may leave [0, length]), lateral offset and heading of the foot of a point."""
    kind = m.piece_i[piece, KIND]
    if kind > 1:
        return foot_on_curve(m, piece, x, y, guess, length)
    dx, dy = x - m.piece_f[piece, PIECE_X], y - m.piece_f[piece, PIECE_Y]
    sine, cosine = m.piece_f[piece, PIECE_SIN], m.piece_f[piece, PIECE_COS]
    u, v = dx * cosine + dy * sine, dy * cosine - dx * sine
    heading = m.piece_f[piece, PIECE_HEADING]
    k = m.piece_f[piece, COEF]
    if kind == 0 or abs(k) < 1e-9:
        return u, v, heading
    # Seen from the centre, the angle travelled is that of (u, 1/k - v); take the turn nearest to the guess.
    s = math.atan2(k * u, 1.0 - k * v) / k
    round_trip = 2.0 * math.pi / abs(k)
    if abs(guess - s) > 0.5 * round_trip:
        s += round_trip * math.floor((guess - s) / round_trip + 0.5)
    radius = math.sqrt(k * u * (k * u) + (1.0 - k * v) * (1.0 - k * v))
    return s, (1.0 - radius) / k, heading + k * s


@inlined
def lane_across(m, road, s, t):
    """Lane row, offset from its centre and distance outside the road (0 inside) at lateral position t of (road, s)."""
    base, _ = profile_at(m, road, 2, s)
    section = section_at(m, road, s)
    ds = s - m.section_s[section]
    side = t - base
    step = -1 if side > 0.0 else 1
    away = abs(side)
    at = m.section_i[section, CENTER]
    stop = m.section_i[section, LANE_BEGIN] - 1 if side > 0.0 else m.section_i[section, LANE_END]
    inner, outer, row = 0.0, 0.0, -1
    width = 0.0
    at += step
    while at != stop:
        value, _ = cubic_at(m, m.lane_i[at, CUBIC_BEGIN], m.lane_i[at, CUBIC_END], ds)
        if m.lane_i[at, BORDER] == 1:
            value = -step * value - inner
        outer = inner + value
        if value > 1e-6:
            row = at
            width = value
            if away <= outer:
                break
        inner = outer
        at += step
    if row < 0:
        return row, side, away
    off = away - (outer - 0.5 * width) if away <= outer else away - inner + 0.5 * width
    return row, -step * off, max(away - outer, 0.0)


@kernel
def untilt(m, road, s, t):
    """Road position and lateral distance along the tilted surface of a point seen from above at (s, t)."""
    found, lateral = s, t
    for _ in range(8):
        roll, _ = profile_at(m, road, 1, found)
        if roll == 0.0:
            return found, t
        _, slope = profile_at(m, road, 0, found)
        lateral = t / math.cos(roll)
        onward = s + lateral * math.sin(roll) * slope / math.sqrt(1.0 + slope * slope)
        if abs(onward - found) < 1e-9:
            break
        found = onward
    return found, lateral


@inlined
def try_span(m, grid, span, x, y, heading, best):
    """A point on one span: score (smaller is better), road, lane id, s, offset; score 1e18 if it cannot beat `best`."""
    piece, road = grid.span_i[span, SPAN_PIECE], grid.span_i[span, SPAN_ROAD]
    along = (x - grid.span_f[span, SPAN_X]) * grid.span_f[span, SPAN_DX]
    along += (y - grid.span_f[span, SPAN_Y]) * grid.span_f[span, SPAN_DY]
    start = m.piece_s[piece]
    low, length = grid.span_f[span, SPAN_S], grid.span_f[span, SPAN_LENGTH]
    guess = low - start + min(max(along, 0.0), length)
    local, t, direction = project(m, piece, x, y, guess, low - start + length)
    s = start + local
    s, t = untilt(m, road, s, t)
    beyond = max(low - s, s - low - length, 0.0)
    if OFF_ROAD * (beyond + max(t - grid.span_f[span, SPAN_LEFT], grid.span_f[span, SPAN_RIGHT] - t, 0.0)) > best:
        return 1e18, road, 0, s, t
    s = min(max(s, low), low + length)
    row, offset, outside = lane_across(m, road, s, t)
    score = OFF_ROAD * (outside + beyond) + abs(offset)
    lane_id = 0
    if row >= 0:
        lane_id = m.lane_i[row, LANE_ID]
        score += 3.0 * (2 - m.lane_i[row, USE])
    if heading == heading:
        if (lane_id > 0) != (m.road_i[road, LEFT_HAND] == 1):
            direction += math.pi
        score += 2.0 * (1.0 - math.cos(direction - heading))
    if beyond > 1e-6:
        score += 0.01
    return score, road, lane_id, s, offset


@inlined
def locate(m, grid, x, y, heading):
    """road (-1: no road within reach), lane id, s, offset of a point; `heading` NaN or a hint where roads overlap."""
    best, road, lane_id, s, offset = 1e18, -1, 0, 0.0, 0.0
    col = int(math.floor((x - grid.frame[0]) / grid.frame[2]))
    row = int(math.floor((y - grid.frame[1]) / grid.frame[2]))
    if 0 <= col < grid.shape[0] and 0 <= row < grid.shape[1]:
        cell = row * grid.shape[0] + col
        for i in range(grid.cell_start[cell], grid.cell_start[cell + 1]):
            span = grid.cell_span[i]
            d, _ = chord_distance(grid, span, x, y)
            if d <= grid.span_f[span, SPAN_REACH]:
                score, r, lane, at, off = try_span(m, grid, span, x, y, heading, best)
                if score < best:
                    best, road, lane_id, s, offset = score, r, lane, at, off
    return road, lane_id, s, offset


@kernel
def locate_far(m, grid, x, y):
    """`locate` for a point that no lane is near: the span with the nearest chord."""
    nearest, found = 1e18, 0
    for span in range(len(grid.span_f)):
        d, _ = chord_distance(grid, span, x, y)
        if d < nearest:
            nearest, found = d, span
    _, road, lane_id, s, offset = try_span(m, grid, found, x, y, math.nan, 1e18)
    return road, lane_id, s, offset


@kernel
def fill_located(m, grid, x, y, heading, ids, out):
    """Rows of `ids` (n, 2): road row, lane id; of `out` (n, 2): s, offset. Every point gets the nearest road."""
    for i in range(len(x)):
        road, lane_id, s, offset = locate(m, grid, x[i], y[i], heading[i])
        if road < 0:
            road, lane_id, s, offset = locate_far(m, grid, x[i], y[i])
        ids[i, 0] = road
        ids[i, 1] = lane_id
        out[i, 0] = s
        out[i, 1] = offset

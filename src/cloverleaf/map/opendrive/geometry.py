"""Kernels for reference lines: pose and curvature at (road, s), by piece kind.

Clothoids by 4-point Gauss-Legendre from the knot before (at most 0.25 rad away: error below 1e-12 of the distance);
polynomials through a cubic Hermite map from arc length to parameter. ASAM OpenDRIVE 1.8, clause 9 (Geometry).
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.opendrive.tables import (
    COEF,
    KIND,
    KNOT_BEGIN,
    KNOT_END,
    PIECE_BEGIN,
    PIECE_COS,
    PIECE_END,
    PIECE_HEADING,
    PIECE_LENGTH,
    PIECE_SIN,
    PIECE_X,
    PIECE_Y,
)

_N1, _N2, _N3, _N4 = 0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263
_W1, _W2 = 0.17392742256872692, 0.32607257743127305


@inlined
def last_at_or_before(values, begin, end, x):
    """Row in [begin, end) of the last value <= x, or `begin`."""
    low, high = begin, end
    while high - low > 1:
        middle = (low + high) >> 1
        if values[middle] <= x:
            low = middle
        else:
            high = middle
    return low


@kernel
def spiral_local(m, piece, s):
    """Local (x, y) on a spiral piece."""
    first = m.piece_i[piece, KNOT_BEGIN]
    count = m.piece_i[piece, KNOT_END] - first - 1
    step = m.piece_f[piece, PIECE_LENGTH] / count
    i = min(max(int(s / step), 0), count - 1) if step > 0.0 else 0
    a = i * step
    d = s - a
    k, r = m.piece_f[piece, COEF], 0.5 * m.piece_f[piece, COEF + 1]
    u1, u2, u3, u4 = a + d * _N1, a + d * _N2, a + d * _N3, a + d * _N4
    t1, t2, t3, t4 = u1 * (k + r * u1), u2 * (k + r * u2), u3 * (k + r * u3), u4 * (k + r * u4)
    x = _W1 * (math.cos(t1) + math.cos(t4)) + _W2 * (math.cos(t2) + math.cos(t3))
    y = _W1 * (math.sin(t1) + math.sin(t4)) + _W2 * (math.sin(t2) + math.sin(t3))
    return m.knot[first + i, 0] + d * x, m.knot[first + i, 1] + d * y


@kernel
def poly_parameter(m, piece, s):
    """Parameter p of a polynomial piece at arc length s."""
    first = m.piece_i[piece, KNOT_BEGIN]
    count = m.piece_i[piece, KNOT_END] - first - 1
    step = m.piece_f[piece, PIECE_LENGTH] / count
    if step <= 0.0:
        return 0.0
    i = min(max(int(s / step), 0), count - 1)
    f = s / step - i
    p0, p1 = m.knot[first + i, 0], m.knot[first + i + 1, 0]
    d0, d1 = m.knot[first + i, 1] * step, m.knot[first + i + 1, 1] * step
    g = f - 1.0
    return p0 * (1.0 + 2.0 * f) * g * g + d0 * f * g * g + p1 * f * f * (3.0 - 2.0 * f) + d1 * f * f * g


@kernel
def poly_local(m, piece, s):
    """Local x, y, heading, curvature on a polynomial piece."""
    c = COEF
    f = m.piece_f
    p = poly_parameter(m, piece, s)
    u = f[piece, c] + p * (f[piece, c + 1] + p * (f[piece, c + 2] + p * f[piece, c + 3]))
    v = f[piece, c + 4] + p * (f[piece, c + 5] + p * (f[piece, c + 6] + p * f[piece, c + 7]))
    du = f[piece, c + 1] + p * (2.0 * f[piece, c + 2] + p * 3.0 * f[piece, c + 3])
    dv = f[piece, c + 5] + p * (2.0 * f[piece, c + 6] + p * 3.0 * f[piece, c + 7])
    ddu = 2.0 * f[piece, c + 2] + p * 6.0 * f[piece, c + 3]
    ddv = 2.0 * f[piece, c + 6] + p * 6.0 * f[piece, c + 7]
    speed = math.sqrt(du * du + dv * dv)
    return u, v, math.atan2(dv, du), (du * ddv - dv * ddu) / max(speed * speed * speed, 1e-30)


@inlined
def piece_frame(m, piece, s):
    """x, y, heading, its sine and cosine, curvature at `s` metres from the start of a piece; m is a MapTables."""
    kind = m.piece_i[piece, KIND]
    sine, cosine = m.piece_f[piece, PIECE_SIN], m.piece_f[piece, PIECE_COS]
    u, v, turn, curvature = s, 0.0, 0.0, 0.0
    sin_t, cos_t = 0.0, 1.0
    if kind == 1:
        curvature = m.piece_f[piece, COEF]
        turn = curvature * s
        half = 0.5 * turn
        v = half * s
        if abs(half) > 1e-12:
            sin_h, cos_h = math.sin(half), math.cos(half)
            chord = s * sin_h / half
            u, v = chord * cos_h, chord * sin_h
            sin_t, cos_t = 2.0 * sin_h * cos_h, 1.0 - 2.0 * sin_h * sin_h
    elif kind > 1:
        if kind == 2:
            rate = m.piece_f[piece, COEF + 1]
            curvature = m.piece_f[piece, COEF] + rate * s
            u, v = spiral_local(m, piece, s)
            turn = s * (m.piece_f[piece, COEF] + 0.5 * rate * s)
        else:
            u, v, turn, curvature = poly_local(m, piece, s)
        sin_t, cos_t = math.sin(turn), math.cos(turn)
    x = m.piece_f[piece, PIECE_X] + u * cosine - v * sine
    y = m.piece_f[piece, PIECE_Y] + u * sine + v * cosine
    heading = m.piece_f[piece, PIECE_HEADING] + turn
    return x, y, heading, sine * cos_t + cosine * sin_t, cosine * cos_t - sine * sin_t, curvature


@kernel
def piece_pose(m, piece, s):
    """x, y, heading, curvature at `s` metres from the start of a piece."""
    x, y, heading, _, _, curvature = piece_frame(m, piece, s)
    return x, y, heading, curvature


@inlined
def road_frame(m, road, s):
    """`piece_frame` at road position s (clamped to the road)."""
    s = min(max(s, 0.0), m.road_length[road])
    piece = last_at_or_before(m.piece_s, m.road_i[road, PIECE_BEGIN], m.road_i[road, PIECE_END], s)
    return piece_frame(m, piece, s - m.piece_s[piece])


@kernel
def road_pose(m, road, s):
    """x, y, heading, curvature of the reference line at road position s (clamped to the road)."""
    x, y, heading, _, _, curvature = road_frame(m, road, s)
    return x, y, heading, curvature

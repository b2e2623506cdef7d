"""Kernels for reference lines: pose and curvature at (road, s), by piece kind.

Clothoids by 4-point Gauss-Legendre from the nearest knot (at most 0.25 rad away: error below 1e-12 of the distance);
polynomials through a cubic Hermite map from arc length to parameter. ASAM OpenDRIVE 1.8, clause 9 (Geometry).
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

_N1, _N2, _N3, _N4 = 0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263
_W1, _W2 = 0.17392742256872692, 0.32607257743127305
_STRAIGHT = 1e-12  # 1/m, an arc below this is a line


@kernel
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
def arc_local(curvature, s):
    """Local (x, y) after s metres of constant curvature, starting along x."""
    half = 0.5 * curvature * s
    if abs(curvature) < _STRAIGHT or half == 0.0:
        return s, half * s
    chord = s * math.sin(half) / half
    return chord * math.cos(half), chord * math.sin(half)


@kernel
def spiral_local(m, piece, s):
    """Local (x, y) on a spiral piece."""
    first = m.piece_knot_start[piece]
    count = m.piece_knot_start[piece + 1] - first - 1
    step = m.piece_length[piece] / count
    i = min(max(int(s / step), 0), count - 1) if step > 0.0 else 0
    a = i * step
    d = s - a
    k, r = m.piece_coef[piece, 0], 0.5 * m.piece_coef[piece, 1]
    u1, u2, u3, u4 = a + d * _N1, a + d * _N2, a + d * _N3, a + d * _N4
    t1, t2, t3, t4 = u1 * (k + r * u1), u2 * (k + r * u2), u3 * (k + r * u3), u4 * (k + r * u4)
    x = _W1 * (math.cos(t1) + math.cos(t4)) + _W2 * (math.cos(t2) + math.cos(t3))
    y = _W1 * (math.sin(t1) + math.sin(t4)) + _W2 * (math.sin(t2) + math.sin(t3))
    return m.knot[first + i, 0] + d * x, m.knot[first + i, 1] + d * y


@kernel
def poly_parameter(m, piece, s):
    """Parameter p of a polynomial piece at arc length s."""
    first = m.piece_knot_start[piece]
    count = m.piece_knot_start[piece + 1] - first - 1
    step = m.piece_length[piece] / count
    if step <= 0.0:
        return 0.0
    i = min(max(int(s / step), 0), count - 1)
    f = s / step - i
    p0, p1 = m.knot[first + i, 0], m.knot[first + i + 1, 0]
    d0, d1 = m.knot[first + i, 1] * step, m.knot[first + i + 1, 1] * step
    g = f - 1.0
    return p0 * (1.0 + 2.0 * f) * g * g + d0 * f * g * g + p1 * f * f * (3.0 - 2.0 * f) + d1 * f * f * g


@kernel
def piece_pose(m, piece, s):
    """x, y, heading, curvature at `s` metres from the start of a piece."""
    kind = m.piece_kind[piece]
    h0 = m.piece_heading[piece]
    u, v, turn, curvature = s, 0.0, 0.0, 0.0
    if kind == 1:
        curvature = m.piece_coef[piece, 0]
        u, v = arc_local(curvature, s)
        turn = curvature * s
    elif kind == 2:
        rate = m.piece_coef[piece, 1]
        curvature = m.piece_coef[piece, 0] + rate * s
        u, v = spiral_local(m, piece, s)
        turn = s * (m.piece_coef[piece, 0] + 0.5 * rate * s)
    elif kind == 3:
        c = m.piece_coef
        p = poly_parameter(m, piece, s)
        u = c[piece, 0] + p * (c[piece, 1] + p * (c[piece, 2] + p * c[piece, 3]))
        v = c[piece, 4] + p * (c[piece, 5] + p * (c[piece, 6] + p * c[piece, 7]))
        du = c[piece, 1] + p * (2.0 * c[piece, 2] + p * 3.0 * c[piece, 3])
        dv = c[piece, 5] + p * (2.0 * c[piece, 6] + p * 3.0 * c[piece, 7])
        ddu = 2.0 * c[piece, 2] + p * 6.0 * c[piece, 3]
        ddv = 2.0 * c[piece, 6] + p * 6.0 * c[piece, 7]
        turn = math.atan2(dv, du)
        speed = math.sqrt(du * du + dv * dv)
        curvature = (du * ddv - dv * ddu) / max(speed * speed * speed, 1e-30)
    sine, cosine = math.sin(h0), math.cos(h0)
    return m.piece_x[piece] + u * cosine - v * sine, m.piece_y[piece] + u * sine + v * cosine, h0 + turn, curvature


@kernel
def road_pose(m, road, s):
    """x, y, heading, curvature of the reference line at road position s (clamped to the road)."""
    begin, end = m.road_piece_start[road], m.road_piece_start[road + 1]
    s = min(max(s, 0.0), m.road_length[road])
    piece = last_at_or_before(m.piece_s, begin, end, s)
    return piece_pose(m, piece, s - m.piece_s[piece])

"""Points on trajectories: pieces that are straight or spirals, laid out in the path buffer of a world."""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.state import PA, PDK, PFIXED, PH, PK, PLEN, PS, PSLOPE, PT, PV, PX, PY, PZ

CORNER = 2.0  # m before and after a corner of a polyline over which the heading turns
TINY = 1e-6
_N1, _N2, _N3, _N4 = 0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263
_W1, _W2 = 0.17392742256872692, 0.32607257743127305


@kernel
def spiral_point(x, y, h, k, dk, u):
    """Point u metres along a spiral: curvature k + dk u; x, y, heading. Gauss-Legendre over parts of at most half a radian."""
    if k == 0.0 and dk == 0.0:
        return x + u * math.cos(h), y + u * math.sin(h), h
    parts = int(math.ceil(2.0 * max(abs(k * u), abs((k + dk * u) * u)))) + 1
    d = u / parts
    for part in range(parts):
        c, s = 0.0, 0.0
        for q in range(4):
            node = _N1 if q == 0 else (_N2 if q == 1 else (_N3 if q == 2 else _N4))
            weight = _W1 if q == 0 or q == 3 else _W2
            t = (part + node) * d
            angle = h + t * (k + 0.5 * dk * t)
            c += weight * math.cos(angle)
            s += weight * math.sin(angle)
        x += d * c
        y += d * s
    return x, y, h + u * (k + 0.5 * dk * u)


@kernel
def row_at(path, begin, end, s, guess):
    """Row whose piece holds s, from the row `guess` on; at a border the earlier piece."""
    row = min(max(guess, begin), end - 1)
    while row > begin and s < path[row, PS] + TINY:
        row -= 1
    while row < end - 1 and s > path[row + 1, PS] + TINY:
        row += 1
    return row


@kernel
def heading_at(path, begin, row):
    """Heading that a vertex asks for, or that of the piece that starts there."""
    return path[row, PH] if math.isnan(path[row, PFIXED]) else path[row, PFIXED]


@kernel
def point_on_path(path, begin, end, s, follow, guess):
    """x, y, z (NaN: that of the road), heading and row at s (clamped). The heading of a polyline turns around its corners, or
    (`follow` 1) all along its pieces."""
    last = end - 1
    s = min(max(s, 0.0), path[last, PS])
    row = row_at(path, begin, end, s, guess)
    u = min(max(s - path[row, PS], 0.0), path[row, PLEN])
    length = path[row, PLEN]
    x, y, h = spiral_point(path[row, PX], path[row, PY], path[row, PH], path[row, PK], path[row, PDK], u)
    z = path[row, PZ] + u * path[row, PSLOPE]
    straight = path[row, PK] == 0.0 and path[row, PDK] == 0.0
    if row == last:
        return x, y, z, heading_at(path, begin, row), row
    if not straight or length < TINY:
        return x, y, z, wrap_angle(h), row
    here, onward = heading_at(path, begin, row), heading_at(path, begin, row + 1)
    if follow == 1:
        return x, y, z, wrap_angle(here + u / length * wrap_angle(onward - here)), row
    reach = min(CORNER, 0.5 * length)
    if u < reach:
        if row > begin:
            before = heading_at(path, begin, row - 1)
            share = (reach + u) / (2.0 * reach)
            return x, y, z, wrap_angle(before + share * wrap_angle(here - before)), row
    elif u > length - reach:
        share = (reach + length - u) / (2.0 * reach) if row < last - 1 else (length - u) / reach
        return x, y, z, wrap_angle(here + (1.0 - share) * wrap_angle(onward - here)), row
    return x, y, z, wrap_angle(here), row


@kernel
def s_at_time(path, begin, end, time):
    """Path length at a time stamp, clamped."""
    last = end - 1
    if time <= path[begin, PT]:
        return 0.0
    for row in range(begin, last):
        if time < path[row + 1, PT]:
            t = time - path[row, PT]
            if path[row, PA] < 0.0:
                t = min(t, -path[row, PV] / path[row, PA])
            return min(path[row, PS] + t * (path[row, PV] + 0.5 * t * path[row, PA]), path[row + 1, PS])
    return path[last, PS]


@kernel
def time_pieces(path, begin, end, smooth, speed):
    """Motion between the time stamps: at constant speed, or (`smooth` 1) from `speed` on at constant acceleration over each piece,
    stopping early where a piece is too short for its time."""
    now = max(speed, 0.0)
    for row in range(begin, end - 1):
        way, time = path[row + 1, PS] - path[row, PS], path[row + 1, PT] - path[row, PT]
        path[row, PV] = way / time if time > TINY else 0.0
        path[row, PA] = 0.0
        if smooth == 1 and time > TINY:
            path[row, PV] = now
            if way > TINY:
                path[row, PA] = 2.0 * (way - now * time) / (time * time)
                if now + path[row, PA] * time < 0.0:
                    path[row, PA] = -now * now / (2.0 * way)
                    now = 0.0
                else:
                    now += path[row, PA] * time
            else:
                path[row, PV], now = 0.0, 0.0


@kernel
def finish_pieces(path, begin, end, polyline):
    """From points to pieces: directions and lengths of a polyline, path lengths of all."""
    last = end - 1
    heading = path[begin, PH]
    if polyline == 1:
        for row in range(begin, last):
            dx, dy = path[row + 1, PX] - path[row, PX], path[row + 1, PY] - path[row, PY]
            if dx * dx + dy * dy > TINY * TINY:
                heading = math.atan2(dy, dx)
                break
    total = 0.0
    for row in range(begin, end):
        path[row, PS] = total
        if row == last:
            path[row, PLEN] = 0.0
            path[row, PSLOPE] = 0.0
            if polyline == 1:
                path[row, PH] = heading
            break
        if polyline == 1:
            dx, dy = path[row + 1, PX] - path[row, PX], path[row + 1, PY] - path[row, PY]
            path[row, PLEN] = math.sqrt(dx * dx + dy * dy)
            if path[row, PLEN] > TINY:
                heading = math.atan2(dy, dx)
            path[row, PH] = heading
            path[row, PK], path[row, PDK] = 0.0, 0.0
        path[row, PSLOPE] = 0.0
        if path[row, PLEN] > TINY:
            path[row, PSLOPE] = (path[row + 1, PZ] - path[row, PZ]) / path[row, PLEN]
        total += path[row, PLEN]


@kernel
def nearest_on_path(path, begin, end, x, y):
    """Path length of the point of a trajectory nearest to (x, y), and its distance, by samples refined."""
    best, found = math.inf, 0.0
    total = path[end - 1, PS]
    step = max(total / 400.0, 0.05)
    guess = begin
    k = 0
    while k * step <= total + step:
        s = min(k * step, total)
        px, py, _, _, guess = point_on_path(path, begin, end, s, 0, guess)
        d = (px - x) * (px - x) + (py - y) * (py - y)
        if d < best:
            best, found = d, s
        k += 1
    width = step
    for _ in range(30):
        width *= 0.5
        for side in range(2):
            s = min(max(found + (width if side == 1 else -width), 0.0), total)
            px, py, _, _, _ = point_on_path(path, begin, end, s, 0, begin)
            d = (px - x) * (px - x) + (py - y) * (py - y)
            if d < best:
                best, found = d, s
    return found, math.sqrt(best)

"""Trajectories laid out: their positions worked out and turned into pieces, when an action or a position needs them."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.resolve import resolve
from cloverleaf.loop.storyboard.state import HEADING, PA, PDK, PFIXED, PH, PK, PLEN, PT, PV, PX, PY, PZ, X, Y, Z
from cloverleaf.loop.storyboard.trajectory import finish_pieces, spiral_point
from cloverleaf.scenario.storyboard.tables import (
    AT_TRAJECTORY,
    AT_WORLD,
    CLOTHOID,
    CLOTHOID_SPLINE,
    J_BEGIN,
    J_CLOSED,
    J_END,
    J_FIRST,
    J_ORDER,
    J_ROW,
    J_ROWS,
    J_SHAPE,
    J_SLOT,
    NO_ORIENTATION,
    NURBS,
    P_KIND,
    P_ORIENT,
    P_REF,
    P_SLOT,
    POLYLINE,
    V_POSITION,
    V_SLOT,
)

SPACING = 1.0  # m between samples of a NURBS, along its control polygon


@kernel
def lay_out(p, v, m, g, n, a, path, j, actor):
    """Lay out trajectory j and those that its positions refer to. `actor`: where a spline without a start position begins."""
    for k in range(p.trajectories[j, J_FIRST], j + 1):
        shape = p.trajectories[k, J_SHAPE]
        if shape == POLYLINE:
            _polyline(p, v, m, g, n, a, path, k)
        elif shape in (CLOTHOID, CLOTHOID_SPLINE):
            _spirals(p, v, m, g, n, a, path, k, actor)
        elif shape == NURBS:
            _nurbs(p, v, m, g, n, a, path, k)


@kernel
def settle(p, v, m, g, n, a, path, at, i):
    """`resolve` a position, after laying out the trajectory that it names."""
    if p.positions[at, P_KIND] == AT_TRAJECTORY:
        lay_out(p, v, m, g, n, a, path, p.positions[at, P_REF], i)
    resolve(p, v, m, g, n, a, path, at, i)


@kernel
def _corner(p, v, m, g, n, a, path, at, row):
    """Write the point of a position into a path row: heading only where the position asks for one, z only if it is given."""
    spare = a.shape[0] - 2
    resolve(p, v, m, g, n, a, path, at, spare)
    path[row, PX], path[row, PY] = a[spare, X], a[spare, Y]
    path[row, PH] = a[spare, HEADING]
    given = p.positions[at, P_KIND] == AT_WORLD and not math.isnan(v[p.positions[at, P_SLOT] + 2])
    path[row, PZ] = a[spare, Z] if given else math.nan
    fixed = p.positions[at, P_ORIENT] != NO_ORIENTATION and not math.isnan(v[p.positions[at, P_SLOT] + 3])
    path[row, PFIXED] = a[spare, HEADING] if fixed else math.nan


@kernel
def _polyline(p, v, m, g, n, a, path, j):
    row = p.trajectories[j, J_ROW]
    begin = row
    for k in range(p.trajectories[j, J_BEGIN], p.trajectories[j, J_END]):
        _corner(p, v, m, g, n, a, path, p.vertices[k, V_POSITION], row)
        path[row, PT] = v[p.vertices[k, V_SLOT]]
        row += 1
    if p.trajectories[j, J_CLOSED] == 1:
        for c in range(path.shape[1]):
            path[row, c] = path[begin, c]
        row += 1
    finish_pieces(path, begin, row, 1)


@kernel
def _spirals(p, v, m, g, n, a, path, j, actor):
    """One clothoid, or several in a row: each begins at its own position, or where the one before ends."""
    begin, row = p.trajectories[j, J_ROW], p.trajectories[j, J_ROW]
    single = p.trajectories[j, J_SHAPE] == CLOTHOID
    x, y, h, z = a[actor, X], a[actor, Y], a[actor, HEADING], math.nan
    for k in range(p.trajectories[j, J_BEGIN], p.trajectories[j, J_END]):
        slot = p.vertices[k, V_SLOT]
        if p.vertices[k, V_POSITION] >= 0:
            _corner(p, v, m, g, n, a, path, p.vertices[k, V_POSITION], row)
            x, y, h, z = path[row, PX], path[row, PY], path[row, PH], path[row, PZ]
        curvature, length = v[slot + 1], v[slot + 3]
        if single:
            rate = v[slot + 2]
        else:
            h += v[slot + 4]
            rate = (v[slot + 2] - curvature) / length if length > 0.0 else 0.0
        path[row, PX], path[row, PY], path[row, PZ], path[row, PH] = x, y, z, h
        path[row, PK], path[row, PDK], path[row, PLEN] = curvature, rate, length
        path[row, PFIXED], path[row, PT] = math.nan, v[slot]
        x, y, h = spiral_point(x, y, h, curvature, rate, length)
        row += 1
    path[row, PX], path[row, PY], path[row, PZ], path[row, PH] = x, y, z, h
    path[row, PK], path[row, PDK], path[row, PFIXED] = 0.0, 0.0, math.nan
    path[row, PT] = v[p.vertices[p.trajectories[j, J_BEGIN], V_SLOT] + 4] if single else v[p.trajectories[j, J_SLOT]]
    finish_pieces(path, begin, row + 1, 0)


@kernel
def _basis(v, knots, order, i, u):
    """B-spline basis function i of an order at u (Cox and de Boor), by the triangular scheme over at most eight values."""
    b0, b1, b2, b3, b4, b5, b6, b7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(order):
        inside = 1.0 if v[knots + i + k] <= u < v[knots + i + k + 1] else 0.0
        if k == 0:
            b0 = inside
        elif k == 1:
            b1 = inside
        elif k == 2:
            b2 = inside
        elif k == 3:
            b3 = inside
        elif k == 4:
            b4 = inside
        elif k == 5:
            b5 = inside
        elif k == 6:
            b6 = inside
        else:
            b7 = inside
    for d in range(2, order + 1):
        for k in range(order - d + 1):
            low, high = v[knots + i + k], v[knots + i + k + d]
            left = v[knots + i + k + d - 1] - low
            right = high - v[knots + i + k + 1]
            here, onward = b6, b7
            if k == 0:
                here, onward = b0, b1
            elif k == 1:
                here, onward = b1, b2
            elif k == 2:
                here, onward = b2, b3
            elif k == 3:
                here, onward = b3, b4
            elif k == 4:
                here, onward = b4, b5
            elif k == 5:
                here, onward = b5, b6
            value = 0.0
            if left > 0.0:
                value += (u - low) / left * here
            if right > 0.0:
                value += (high - u) / right * onward
            if k == 0:
                b0 = value
            elif k == 1:
                b1 = value
            elif k == 2:
                b2 = value
            elif k == 3:
                b3 = value
            elif k == 4:
                b4 = value
            elif k == 5:
                b5 = value
            else:
                b6 = value
    return b0


@kernel
def _nurbs(p, v, m, g, n, a, path, j):
    """Sample the curve evenly in its parameter."""
    begin, rows = p.trajectories[j, J_ROW], p.trajectories[j, J_ROWS]
    first, last = p.trajectories[j, J_BEGIN], p.trajectories[j, J_END]
    order, knots = p.trajectories[j, J_ORDER], p.trajectories[j, J_SLOT]
    points = last - first
    reach = 0.0
    for k in range(points):
        # columns that the samples do not use hold the control points meanwhile
        at = begin + k
        _corner(p, v, m, g, n, a, path, p.vertices[first + k, V_POSITION], at)
        path[at, PK], path[at, PDK] = path[at, PX], path[at, PY]
        path[at, PV], path[at, PA] = -1.0, 0.0
        if k > 0:
            dx, dy = path[at, PK] - path[at - 1, PK], path[at, PDK] - path[at - 1, PDK]
            reach += math.sqrt(dx * dx + dy * dy)
    samples = min(max(2 + int(reach / SPACING), points), rows)
    low, high = v[knots + order - 1], v[knots + points]
    for r in range(samples):
        u = low + (high - low) * r / (samples - 1)
        if r == samples - 1:
            u = high - 1e-12 * (high - low)
        x, y, total = 0.0, 0.0, 0.0
        for k in range(points):
            weight = v[p.vertices[first + k, V_SLOT] + 1] * _basis(v, knots, order, k, u)
            x += weight * path[begin + k, PK]
            y += weight * path[begin + k, PDK]
            total += weight
            if weight > path[begin + k, PV]:
                # a control point's time stamp belongs where it draws the curve most
                path[begin + k, PV], path[begin + k, PA] = weight, u
        row = begin + r
        path[row, PX], path[row, PY], path[row, PZ], path[row, PFIXED] = x / total, y / total, math.nan, math.nan
    k = 0
    for r in range(samples):
        u = low + (high - low) * r / (samples - 1)
        while k < points - 2 and u >= path[begin + k + 1, PA]:
            k += 1
        here, onward = v[p.vertices[first + k, V_SLOT]], v[p.vertices[first + k + 1, V_SLOT]]
        span = path[begin + k + 1, PA] - path[begin + k, PA]
        path[begin + r, PT] = here + (u - path[begin + k, PA]) / span * (onward - here) if span > 0.0 else here
    for row in range(begin + samples, begin + rows):
        for c in range(path.shape[1]):
            path[row, c] = path[begin + samples - 1, c]  # unused rows repeat the end
    finish_pieces(path, begin, begin + rows, 1)

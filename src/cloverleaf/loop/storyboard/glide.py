"""Motion along stretches of a lane whose shape is known in closed form: straight or circular, of constant width, evenly sloped.

Most steps of most actors stay on such a stretch. It is worked out when an actor enters it (`find_stretch`) and kept in its columns;
`advance` then needs a few multiplications. Everything else goes through `place.move_along`, with the same result.
"""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.loop.storyboard.place import move_along
from cloverleaf.loop.storyboard.state import (
    AT_END,
    DIR_OF,
    DIR_X,
    DIR_Y,
    G_CURVATURE,
    G_HEADING,
    G_HIGH,
    G_LOW,
    G_NONE,
    G_RADIUS,
    G_ROW,
    G_S,
    G_SCALE,
    G_SKIP_HIGH,
    G_SKIP_LOW,
    G_SLOPE,
    G_WIDTH,
    G_X,
    G_Y,
    G_Z,
    HEADING,
    ROW,
    STEERED,
    T_ROAD,
    TURN,
    S,
    X,
    Y,
    Z,
)
from cloverleaf.map.opendrive.geometry import last_at_or_before
from cloverleaf.map.opendrive.lanes import lane_extent
from cloverleaf.map.opendrive.tables import (
    CENTER,
    COEF,
    CUBIC_BEGIN,
    CUBIC_END,
    HEIGHT_BEGIN,
    HEIGHT_END,
    KIND,
    LANE_ROAD,
    LANE_SECTION,
    PIECE_BEGIN,
    PIECE_COS,
    PIECE_END,
    PIECE_HEADING,
    PIECE_SIN,
    PROFILES,
)

HALF_TURN = 0.5 * math.pi


@kernel
def even_record(m, begin, end, s, sloped):
    """(slope, low, high) of the record of a chain of cubics that holds s, if it is constant (or, `sloped` 1, linear); else low > high."""
    if end <= begin:
        return 0.0, -math.inf, math.inf
    row = begin
    while row + 1 < end and m.cubic[row + 1, 0] <= s:
        row += 1
    if m.cubic[row, 3] != 0.0 or m.cubic[row, 4] != 0.0 or (sloped == 0 and m.cubic[row, 2] != 0.0):
        return 0.0, 1.0, 0.0
    low = m.cubic[row, 0] if row > begin or m.cubic[row, 2] != 0.0 else -math.inf
    return m.cubic[row, 2], low, m.cubic[row + 1, 0] if row + 1 < end else math.inf


@kernel
def find_stretch(m, n, a, i):
    """Work out the stretch that an actor stands on; if there is none, remember where not to look again (G_NONE, G_SKIP_*)."""
    row, s = int(a[i, ROW]), a[i, S]
    road, section = m.lane_i[row, LANE_ROAD], m.lane_i[row, LANE_SECTION]
    piece = last_at_or_before(m.piece_s, m.road_i[road, PIECE_BEGIN], m.road_i[road, PIECE_END], s)
    low, high = max(m.section_s[section], m.piece_s[piece]), n.section_end[section]
    if piece + 1 < m.road_i[road, PIECE_END]:
        high = min(high, m.piece_s[piece + 1])
    a[i, G_ROW], a[i, G_SKIP_LOW], a[i, G_SKIP_HIGH], a[i, G_NONE] = row, low, high, 1.0
    if m.piece_i[piece, KIND] > 1 or m.lane_i[row, HEIGHT_END] > m.lane_i[row, HEIGHT_BEGIN]:
        return
    slope = 0.0
    for profile in range(5):
        column = PROFILES + 2 * profile
        begin, end = m.road_i[road, column], m.road_i[road, column + 1]
        b, first, last = even_record(m, begin, end, s, 1 if profile == 0 else 0)
        low, high = max(low, first), min(high, last)
        if profile == 0:
            slope = b
        elif profile != 2:
            # tilted roads go the long way round
            for r in range(begin, end):
                if m.cubic[r, 1] != 0.0 or m.cubic[r, 2] != 0.0:
                    return
    at = m.section_i[section, CENTER]
    step = 1 if row > at else -1
    start = m.section_s[section]
    while at != row:
        at += step
        _, first, last = even_record(m, m.lane_i[at, CUBIC_BEGIN], m.lane_i[at, CUBIC_END], s - start, 0)
        low, high = max(low, start + first), min(high, start + last)
    if not low <= s <= high:
        return
    k = m.piece_f[piece, COEF] if m.piece_i[piece, KIND] == 1 else 0.0
    scale = 1.0 - k * a[i, T_ROAD]
    if scale < 0.05:
        return
    heading = m.piece_f[piece, PIECE_HEADING] + k * (s - m.piece_s[piece])
    a[i, G_NONE] = 0.0
    a[i, G_LOW], a[i, G_HIGH], a[i, G_S], a[i, G_Z], a[i, G_SLOPE] = low, high, s, a[i, Z], slope
    a[i, G_CURVATURE], a[i, G_HEADING], a[i, G_SCALE] = k, heading, 1.0 / scale
    inner, outer, _, _, _, _ = lane_extent(m, row, s)
    a[i, G_WIDTH] = outer - inner
    if k == 0.0:
        a[i, G_X], a[i, G_Y] = a[i, X], a[i, Y]
        a[i, G_RADIUS], a[i, G_HEADING] = m.piece_f[piece, PIECE_COS], m.piece_f[piece, PIECE_SIN]
        return
    # seen from the centre of the circle
    radius = 1.0 / k - a[i, T_ROAD]
    a[i, G_RADIUS] = radius
    a[i, G_X], a[i, G_Y] = a[i, X] - radius * math.sin(heading), a[i, Y] + radius * math.cos(heading)


@inlined
def advance(m, n, a, i, distance):
    """`move_along` by metres travelled, on the stretch kept if the step stays on it."""
    ds = distance * a[i, G_SCALE] if abs(a[i, TURN]) <= HALF_TURN else -distance * a[i, G_SCALE]
    s = a[i, S] + ds
    if a[i, G_LOW] <= s <= a[i, G_HIGH]:
        d = s - a[i, G_S]
        a[i, S] = s
        a[i, Z] = a[i, G_Z] + d * a[i, G_SLOPE]
        a[i, AT_END] = 0.0
        k = a[i, G_CURVATURE]
        if k == 0.0:
            a[i, X], a[i, Y] = a[i, G_X] + d * a[i, G_RADIUS], a[i, G_Y] + d * a[i, G_HEADING]
        else:
            h = a[i, G_HEADING] + k * d
            sine, cosine = math.sin(h), math.cos(h)
            a[i, X], a[i, Y] = a[i, G_X] + a[i, G_RADIUS] * sine, a[i, G_Y] - a[i, G_RADIUS] * cosine
            a[i, HEADING] = wrap_angle(h + a[i, TURN])
            if a[i, HEADING] == h:
                a[i, DIR_OF], a[i, DIR_X], a[i, DIR_Y] = h, cosine, sine  # what `direction` would work out again
    else:
        move_along(m, n, a, i, distance, 1)
        known = a[i, G_NONE] == 1.0 and a[i, ROW] == a[i, G_ROW] and a[i, G_SKIP_LOW] <= a[i, S] <= a[i, G_SKIP_HIGH]
        if a[i, ROW] >= 0.0 and a[i, STEERED] == 0.0 and not known:
            find_stretch(m, n, a, i)

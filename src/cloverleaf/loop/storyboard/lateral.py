"""LaneChangeAction, LaneOffsetAction and LateralDistanceAction.

Offsets are counted so that a lane keeps its sides when its road runs the other way: offset times the sign of the lane id. The path
length of a step is speed times dt; what the transition needs across is taken from it.
"""

from __future__ import annotations

import math

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.distance import lane_gap
from cloverleaf.loop.storyboard.lifecycle import finish
from cloverleaf.loop.storyboard.place import (
    find_lane,
    force_lane,
    lane_by_count,
    move_along,
    place_on_lane,
    place_on_road,
)
from cloverleaf.loop.storyboard.state import (
    AT_END,
    DT,
    HEADING,
    LANE,
    MOVED,
    OFFSET,
    ROAD,
    ROW,
    SPEED,
    STEERED,
    T_ROAD,
    TURN,
    W0,
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
    W8,
    WIDTH,
    S,
    X,
    Y,
)
from cloverleaf.loop.storyboard.transition import (
    range_by_acceleration,
    range_by_dimension,
    shape_rate,
    shape_value,
)
from cloverleaf.scenario.storyboard import tables as T

TINY = 1e-6
REACHED = 0.01  # m


@kernel
def sign(x):
    """1, or -1 for negative values."""
    return -1.0 if x < 0.0 else 1.0


@kernel
def face(a, i, aside):
    """Turn an actor `aside` (rad, to the left of the direction it faces along the road)."""
    before = a[i, TURN]
    along = 0.0 if math.cos(before) >= 0.0 else math.pi
    a[i, TURN] = wrap_angle(along + aside)
    a[i, HEADING] = wrap_angle(a[i, HEADING] - before + a[i, TURN])


@kernel
def start_lane_change(p, v, m, a, el, e, k, i):
    """W0 start, W1 target offset from the target lane, W2 parameter, W3 its range, W5 target lane, W6 offset, W7 road, W8 s; W4 1: no
    such lane."""
    slot, other = p.actions[k, T.A_SLOT], p.actions[k, T.A_REF]
    value = int(v[slot])
    target = value
    if other >= 0:
        facing = 1 if math.cos(a[other, TURN]) >= 0.0 else -1
        target = lane_by_count(int(a[other, LANE]), value * facing)
    road = int(a[i, ROAD])
    el[e, W4] = 1.0
    if road < 0:
        return
    face(a, i, 0.0)
    row, offset = force_lane(m, road, a[i, S], a[i, T_ROAD], target)
    if row < 0:
        return
    side = sign(target)
    start, end = side * offset, side * v[slot + 2]
    el[e, W4], el[e, W5], el[e, W6], el[e, W7], el[e, W8] = 0.0, target, offset, road, a[i, S]
    el[e, W0], el[e, W1], el[e, W2] = start, end, 0.0
    shape, dimension = p.actions[k, T.A_SHAPE], p.actions[k, T.A_DIMENSION]
    el[e, W3] = range_by_dimension(shape, dimension, v[slot + 1], end - start)


@kernel
def step_lane_change(p, v, m, n, clock, a, el, log, e, k, i):
    """One step along the target lane, at the offset of the transition."""
    if el[e, W4] == 1.0:
        finish(clock, el, log, e)
        return
    a[i, MOVED] = 1.0
    speed, dt = a[i, SPEED], clock[DT]
    if abs(speed) < TINY:
        return
    shape, dimension = p.actions[k, T.A_SHAPE], p.actions[k, T.A_DIMENSION]
    start, end, c = el[e, W0], el[e, W1], el[e, W3]
    instant = shape == T.STEP or c < TINY
    way = abs(speed) * dt
    rate = shape_rate(shape, start, end, el[e, W2], c)
    along, aside = way, 0.0
    if instant:
        offset = end
    elif dimension == T.OF_DISTANCE:
        along = way / math.sqrt(1.0 + rate * rate)
        el[e, W2] = min(el[e, W2] + along, c)
        offset = shape_value(shape, start, end, el[e, W2], c)
        aside = math.atan(rate)
    else:
        across = dt * abs(rate)
        if across < way + TINY:
            along = math.sqrt(max(way * way - across * across, 0.0))
            el[e, W2] = min(el[e, W2] + dt, c)
            offset = shape_value(shape, start, end, el[e, W2], c)
            aside = math.atan2(sign(speed) * sign(rate) * across, along)
        else:
            # the entity is too slow for the transition asked for: straight across
            along = 0.0
            el[e, W2] = min(el[e, W2] + way * c / abs(end - start), c)
            offset = shape_value(T.LINEAR, start, end, el[e, W2], c)
            aside = sign(speed) * sign(rate) * (0.5 * math.pi - TINY)
    lane_id = int(el[e, W5])
    side = sign(lane_id)
    a[i, TURN] = 0.0 if math.cos(a[i, TURN]) >= 0.0 else math.pi
    place_on_lane(m, a, i, int(el[e, W7]), lane_id, el[e, W8], offset * side)
    move_along(m, n, a, i, sign(speed) * along, 1)
    el[e, W5], el[e, W6], el[e, W7], el[e, W8] = a[i, LANE], a[i, OFFSET], a[i, ROAD], a[i, S]
    passed = el[e, W2] > 0.0 and (offset - end) * (start - end) < 0.0
    done = instant or el[e, W2] > c - TINY or abs(offset - end) < TINY or passed
    facing = 1.0 if math.cos(a[i, TURN]) >= 0.0 else -1.0
    face(a, i, 0.0 if done else facing * sign(a[i, LANE]) * aside)
    if a[i, ROAD] >= 0:
        place_on_road(m, a, i, int(a[i, ROAD]), a[i, S], a[i, T_ROAD])
    if done or a[i, AT_END] == 1.0:
        finish(clock, el, log, e)


@kernel
def start_lane_offset(p, v, m, n, a, el, e, k, i):
    """W0 start, W1 target, W2 time, W3 duration, W4 1: not on a lane."""
    slot, other = p.actions[k, T.A_SLOT], p.actions[k, T.A_REF]
    el[e, W4] = 1.0
    if a[i, ROW] < 0:
        return
    target = v[slot]
    if other >= 0:
        # the lateral place beside the other entity, seen from the actor's own lane
        _, dt = lane_gap(m, n, a, i, other)
        if not abs(dt) < math.inf:
            return
        facing = 1.0 if math.cos(a[i, TURN]) >= 0.0 else -1.0
        target = a[i, OFFSET] + facing * dt + target * (1.0 if math.cos(a[other, TURN]) >= 0.0 else -1.0)
    side = sign(a[i, LANE])
    el[e, W0], el[e, W1], el[e, W2], el[e, W4] = side * a[i, OFFSET], side * target, 0.0, 0.0
    el[e, W3] = range_by_acceleration(p.actions[k, T.A_SHAPE], el[e, W1] - el[e, W0], v[slot + 1])


@kernel
def step_lane_offset(p, v, m, n, clock, a, el, log, e, k, i):
    """Put the actor at the offset of this moment; it moves along its lane afterwards."""
    if el[e, W4] == 1.0 or a[i, ROW] < 0:
        finish(clock, el, log, e)
        return
    shape, c = p.actions[k, T.A_SHAPE], el[e, W3]
    offset = shape_value(shape, el[e, W0], el[e, W1], el[e, W2], c)
    side = sign(a[i, LANE])
    done = el[e, W2] > c - TINY or abs(offset - el[e, W1]) < TINY
    if done:
        offset = el[e, W1]
        if p.actions[k, T.A_CONTINUOUS] == 0:
            finish(clock, el, log, e)
        face(a, i, 0.0)
    else:
        facing = 1.0 if math.cos(a[i, TURN]) >= 0.0 else -1.0
        rate = shape_rate(shape, el[e, W0], el[e, W1], el[e, W2], c)
        speed = a[i, SPEED]
        face(a, i, facing * side * math.atan(rate / (speed if abs(speed) > TINY else TINY)))
    place_on_lane(m, a, i, int(a[i, ROAD]), int(a[i, LANE]), a[i, S], side * offset)
    a[i, STEERED] = 1.0
    el[e, W2] = min(el[e, W2] + clock[DT], c)


@kernel
def start_lateral(p, v, a, el, e, k, i):
    """W0 lateral distance to the other entity asked for (m, of it as seen by this one, left positive), W1 lateral speed."""
    slot, other = p.actions[k, T.A_SLOT], p.actions[k, T.A_REF]
    wanted = abs(v[slot])
    if p.actions[k, T.A_FREE] == 1:
        wanted += 0.5 * (a[i, WIDTH] + a[other, WIDTH])
    el[e, W0] = wanted if p.actions[k, T.A_MODE] == T.RIGHT else -wanted
    el[e, W1] = 0.0


@kernel
def step_lateral(p, v, m, g, n, clock, a, el, log, e, k, i):
    """Hold the lateral distance: at once without constraints, else by a critically damped spring within them."""
    slot, other, dt = p.actions[k, T.A_SLOT], p.actions[k, T.A_REF], clock[DT]
    if p.actions[k, T.A_SYSTEM] == T.ENTITY_SYSTEM or a[i, ROAD] < 0:
        c, s = math.cos(a[other, HEADING]), math.sin(a[other, HEADING])
        across = (a[other, Y] - a[i, Y]) * c - (a[other, X] - a[i, X]) * s
        error = across - el[e, W0]
        shift_x, shift_y = -s, c
    else:
        _, across = lane_gap(m, n, a, i, other)
        if not abs(across) < math.inf:
            return
        error = across - el[e, W0]
        h = a[i, HEADING] - a[i, TURN] + (0.0 if math.cos(a[i, TURN]) >= 0.0 else math.pi)
        shift_x, shift_y = -math.sin(h), math.cos(h)
    accel, top = v[slot + 1], v[slot + 3]
    if not accel < math.inf and not top < math.inf:
        move = error
    elif accel < math.inf:
        stiffness = 0.4 * accel
        ask = stiffness * error - 2.0 * math.sqrt(stiffness) * el[e, W1]
        ask = min(max(ask, -accel), accel)
        limit = max(min(top, abs(a[i, SPEED]) - TINY), 0.0)
        el[e, W1] = min(max(el[e, W1] + ask * dt, -limit), limit)
        move = el[e, W1] * dt
    else:
        limit = max(min(top, abs(a[i, SPEED]) - TINY), 0.0) * dt
        move = min(max(error, -limit), limit)
    if a[i, ROAD] >= 0 and p.actions[k, T.A_SYSTEM] != T.ENTITY_SYSTEM:
        facing = 1.0 if math.cos(a[i, TURN]) >= 0.0 else -1.0
        place_on_road(m, a, i, int(a[i, ROAD]), a[i, S], a[i, T_ROAD] + facing * move)
    else:
        a[i, X] += shift_x * move
        a[i, Y] += shift_y * move
        find_lane(m, g, a, i)
    a[i, STEERED] = 1.0
    if p.actions[k, T.A_CONTINUOUS] == 0 and abs(error - move) < REACHED:
        finish(clock, el, log, e)

"""Where am I: a Kalman filter over the measured pose, and the lane of the base map on the own route."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import onward_link
from cloverleaf.car.roadbook import (
    EDGE,
    FIRST_ROW,
    LANE_POINTS,
    LANE_POINTS_END,
    PCOS,
    PHEADING,
    PS,
    PSIN,
    PX,
    PY,
)
from cloverleaf.car.state import (
    ACCEL,
    HEADING,
    LANE,
    LANE_D,
    LANE_S,
    LAST_LANE,
    LOST,
    P_HH,
    P_XH,
    P_XX,
    P_XY,
    P_YH,
    P_YY,
    POS,
    ROUTE,
    SHIFT,
    SHIFT_DONE,
    SHIFT_LENGTH,
    SPEED,
    TIME,
    YAW_RATE,
    X,
    Y,
)  # fmt: skip
from cloverleaf.types.traffic import (
    LANE_INTERNAL,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_WIDTH,
    LINK_TO,
    LINK_VIA,
)  # fmt: skip

HEADING_SIGMA = 0.01  # rad, of the measured heading
DRIFT = 0.15  # m/sqrt(s), growth of the position error between fixes
TURN_DRIFT = 0.01  # rad/sqrt(s)
JUMP = 25.0  # m; farther than this from the filter, a fix starts it afresh


@kernel
def start_filter(f, i, x, y, heading, speed, sigma, time):
    """Believe the first fix."""
    f[i, X], f[i, Y], f[i, HEADING], f[i, SPEED], f[i, TIME] = x, y, heading, speed, time
    f[i, P_XX] = f[i, P_YY] = sigma * sigma
    f[i, P_XY] = f[i, P_XH] = f[i, P_YH] = 0.0
    f[i, P_HH] = HEADING_SIGMA * HEADING_SIGMA


@kernel
def predict_pose(f, i, dt):
    """Carry pose and covariance `dt` s ahead by measured speed, acceleration and yaw rate."""
    v = max(0.0, f[i, SPEED] + 0.5 * f[i, ACCEL] * dt)
    turn = f[i, YAW_RATE] * dt
    mid = f[i, HEADING] + 0.5 * turn
    c, s = math.cos(mid), math.sin(mid)
    f[i, X] += v * c * dt
    f[i, Y] += v * s * dt
    f[i, HEADING] = wrap_angle(f[i, HEADING] + turn)
    f[i, SPEED] = max(0.0, f[i, SPEED] + f[i, ACCEL] * dt)
    gx, gy = -v * s * dt, v * c * dt
    xh, yh, hh = f[i, P_XH], f[i, P_YH], f[i, P_HH]
    q = DRIFT * DRIFT * dt
    f[i, P_XX] += 2.0 * gx * xh + gx * gx * hh + q
    f[i, P_YY] += 2.0 * gy * yh + gy * gy * hh + q
    f[i, P_XY] += gx * yh + gy * xh + gx * gy * hh
    f[i, P_XH] += gx * hh
    f[i, P_YH] += gy * hh
    f[i, P_HH] += TURN_DRIFT * TURN_DRIFT * dt


@kernel
def _correct(f, i, innovation, px, py, ph, variance):
    """Kalman update with one scalar that measures the component whose covariance column is (px, py, ph)."""
    kx, ky, kh = px / variance, py / variance, ph / variance
    f[i, X] += kx * innovation
    f[i, Y] += ky * innovation
    f[i, HEADING] = wrap_angle(f[i, HEADING] + kh * innovation)
    f[i, P_XX] -= kx * px
    f[i, P_XY] -= kx * py
    f[i, P_YY] -= ky * py
    f[i, P_XH] -= kx * ph
    f[i, P_YH] -= ky * ph
    f[i, P_HH] -= kh * ph


@kernel
def filter_pose(f, i, x, y, heading, speed, accel, yaw_rate, sigma, time, now):
    """Take one measurement of time `time` into the pose and carry it to `now`; values that are not finite are not used."""
    if not (math.isfinite(x + y + heading + speed + accel + yaw_rate + sigma + time)):
        predict_pose(f, i, max(0.0, min(now - f[i, TIME], 1.0)))
        f[i, TIME] = now
        return
    dx, dy = x - f[i, X], y - f[i, Y]
    if f[i, P_XX] <= 0.0 or dx * dx + dy * dy > JUMP * JUMP:
        start_filter(f, i, x, y, heading, speed, sigma, time)
    # The filter stands at the time of the last tick; go to the measurement (back by its latency, if any), then to now.
    predict_pose(f, i, max(0.0, min(now - f[i, TIME], 1.0)))
    f[i, SPEED], f[i, ACCEL], f[i, YAW_RATE] = max(speed, 0.0), accel, yaw_rate
    late = max(0.0, min(now - time, 1.0))
    x += speed * math.cos(heading + 0.5 * yaw_rate * late) * late
    y += speed * math.sin(heading + 0.5 * yaw_rate * late) * late
    heading += yaw_rate * late
    f[i, SPEED] = max(0.0, speed + accel * late)
    variance = sigma * sigma + 1e-4
    _correct(f, i, x - f[i, X], f[i, P_XX], f[i, P_XY], f[i, P_XH], f[i, P_XX] + variance)
    _correct(f, i, y - f[i, Y], f[i, P_XY], f[i, P_YY], f[i, P_YH], f[i, P_YY] + variance)
    turn = wrap_angle(heading - f[i, HEADING])
    _correct(f, i, turn, f[i, P_XH], f[i, P_YH], f[i, P_HH], f[i, P_HH] + HEADING_SIGMA * HEADING_SIGMA)
    f[i, TIME] = now


@kernel
def project_on_lane(book, lane, x, y):
    """Foot on a lane: (s, d, heading of the lane there, distance beyond the ends included, m)."""
    first, end = book.lane_i[lane, LANE_POINTS], book.lane_i[lane, LANE_POINTS_END]
    best, best_square, best_t = first, math.inf, 0.0
    for k in range(first, end - 1):
        dx, dy = x - book.point[k, PX], y - book.point[k, PY]
        t = dx * book.point[k, PCOS] + dy * book.point[k, PSIN]
        span = math.sqrt(
            (book.point[k + 1, PX] - book.point[k, PX]) ** 2 + (book.point[k + 1, PY] - book.point[k, PY]) ** 2
        )
        u = min(max(t, 0.0), span)
        side = dy * book.point[k, PCOS] - dx * book.point[k, PSIN]
        square = side * side + (t - u) * (t - u)
        if square < best_square:
            # Beyond the lane's own ends s runs on, so that a car notices that it has left the lane.
            if (k == end - 2 and t > span) or (k == first and t < 0.0):
                u = t
            best, best_square, best_t = k, square, u
    span = math.sqrt(
        (book.point[best + 1, PX] - book.point[best, PX]) ** 2 + (book.point[best + 1, PY] - book.point[best, PY]) ** 2
    )
    scale = (book.point[best + 1, PS] - book.point[best, PS]) / span if span > 1e-6 else 1.0
    dx, dy = x - book.point[best, PX], y - book.point[best, PY]
    d = dy * book.point[best, PCOS] - dx * book.point[best, PSIN]
    return book.point[best, PS] + best_t * scale, d, book.point[best, PHEADING], math.sqrt(best_square)


@kernel
def find_lane(book, f, ints, i):
    """Search the edges of the route around the known position for the lane under the car; marks the car lost if there is none."""
    route = ints[i, ROUTE]
    first, end = book.pos_start[route], book.pos_start[route + 1]
    low = max(first, first + ints[i, POS] - 1)
    high = min(end, first + ints[i, POS] + 3)
    best, best_pos, best_cost = np.int64(-1), np.int64(0), 8.0
    for at in range(low, high):
        edge = book.pos[at, EDGE]
        for lane in range(book.edge_lane[edge], book.edge_lane[edge + 1]):
            current = np.int64(lane)
            position = np.int64(at - first)
            for _ in range(4):
                s, _d, heading, distance = project_on_lane(book, current, f[i, X], f[i, Y])
                cost = (
                    distance
                    + 4.0 * abs(wrap_angle(heading - f[i, HEADING]))
                    + (2.0 if s > book.lane_f[current, LANE_LENGTH] else 0.0)
                )
                if book.row_f[book.pos[at, FIRST_ROW] + lane - book.edge_lane[edge]] < 0.0:
                    cost += 2.0
                if cost < best_cost:
                    best, best_pos, best_cost = current, position, cost
                link = onward_link(book, route, position, current)
                if link < 0 or book.link_i[link, LINK_VIA] < 0:
                    break
                current = np.int64(book.link_i[link, LINK_VIA])
    ints[i, LOST] = 1 if best < 0 else 0
    if best >= 0:
        ints[i, LANE], ints[i, POS] = best, best_pos
    f[i, SHIFT] = 0.0


@kernel
def follow_lane(book, f, ints, i):
    """Carry the lane along the route, switch to a neighbour that the car is really on; fills LANE_S and LANE_D."""
    if ints[i, LOST] == 1 or ints[i, LANE] < 0:
        find_lane(book, f, ints, i)
    if ints[i, LOST] == 1:
        return
    route = ints[i, ROUTE]
    for _ in range(6):
        lane = ints[i, LANE]
        s, d, _along, distance = project_on_lane(book, lane, f[i, X], f[i, Y])
        f[i, LANE_S], f[i, LANE_D] = s, d
        if s <= book.lane_f[lane, LANE_LENGTH]:
            break
        link = onward_link(book, route, ints[i, POS], lane)
        if link < 0:
            break
        via = book.link_i[link, LINK_VIA]
        if via >= 0:
            ints[i, LANE] = via
        else:
            ints[i, LANE] = book.link_i[link, LINK_TO]
            ints[i, POS] += 1
    lane = ints[i, LANE]
    changing = f[i, SHIFT] != 0.0 and f[i, SHIFT_DONE] < f[i, SHIFT_LENGTH]
    if distance > 8.0:
        find_lane(book, f, ints, i)
    elif not changing and abs(d) > 0.5 * book.lane_f[lane, LANE_WIDTH] + 0.4 and book.lane_i[lane, LANE_INTERNAL] == 0:
        side = np.int64(book.lane_i[lane, LANE_LEFT] if d > 0.0 else book.lane_i[lane, LANE_RIGHT])
        if side >= 0:
            s, e, _heading, distance = project_on_lane(book, side, f[i, X], f[i, Y])
            if abs(e) < abs(d):
                ints[i, LANE] = side
                f[i, LANE_S], f[i, LANE_D] = s, e
    ints[i, LAST_LANE] = ints[i, LANE]

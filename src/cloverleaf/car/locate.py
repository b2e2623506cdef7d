"""Where am I: the error-state filter of `car/localisation.py` over the fleet, and the lane of the base map on the own route."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.localisation import (
    ACCEL_BIAS,
    ACCEL_WALK,
    COMMON,
    COMMON_TIME,
    CX,
    CY,
    GYRO_BIAS,
    GYRO_NOISE,
    GYRO_WALK,
    SCALE_WALK,
    SLIP,
    WHEEL_SCALE,
    correct,
    propagate,
)
from cloverleaf.car.localisation import ACCEL_NOISE as ACCEL_NOISE_AT
from cloverleaf.car.localisation import HEADING as L_HEADING
from cloverleaf.car.localisation import SPEED as L_SPEED
from cloverleaf.car.localisation import X as L_X
from cloverleaf.car.localisation import Y as L_Y
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
    LENGTH,
    LOST,
    POS,
    POSE,
    PROTECTION,
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

HEADING_SIGMA = 0.01  # rad, of the first heading
HEADING_LOOK = (
    0.17  # rad, that each later one counts as: an error of 0.005 that wanders over 60 s, as if it were new at 10 Hz
)
SPEED_SIGMA, STILL_SIGMA = 0.05, 0.003  # m/s, of wheels that turn and that stand
ACCEL_NOISE, TURN_NOISE = 0.04, 0.001  # m/s2 and rad/s per sqrt(Hz)
UNKNOWN_TURN, UNKNOWN_ACCEL = 0.1, 1.0  # the same where nothing was measured: the car goes on as before, or not
WHITE_SHARE = 0.1  # of a fix's deviation that changes from fix to fix; the rest lasts
JUMP = 25.0  # m; farther than this from the filter, a fix starts it afresh
INTEGRITY = 5.33  # deviations that a Gaussian error exceeds with 1e-7


@kernel
def start_filter(fleet, i, x, y, heading, speed, sigma):
    """Believe the first fix, whose error is the common one of the fixes to come. sigma: m, per axis."""
    m, p = fleet.pose[i], fleet.pose_cov[i]
    for r in range(POSE):
        m[r] = 0.0
        for c in range(POSE):
            p[r, c] = 0.0
    m[L_X], m[L_Y], m[L_HEADING], m[L_SPEED] = x, y, heading, speed
    common = sigma * sigma
    p[L_X, L_X] = p[L_Y, L_Y] = common * (1.0 + WHITE_SHARE * WHITE_SHARE) + 1e-4
    p[CX, CX] = p[CY, CY] = common
    p[L_X, CX] = p[CX, L_X] = p[L_Y, CY] = p[CY, L_Y] = -common
    p[L_HEADING, L_HEADING], p[L_SPEED, L_SPEED] = HEADING_SIGMA * HEADING_SIGMA, SPEED_SIGMA * SPEED_SIGMA
    p[GYRO_BIAS, GYRO_BIAS], p[ACCEL_BIAS, ACCEL_BIAS], p[WHEEL_SCALE, WHEEL_SCALE] = 0.003**2, 0.05**2, 0.01**2


@kernel
def _take(m, p, scratch, off, variance):
    """Take one scalar measurement whose derivative stands in `scratch`, and clear it."""
    correct(m, p, scratch.derivative, off, variance, math.inf, scratch.gain)
    for r in range(POSE):
        scratch.derivative[r] = 0.0


@kernel
def _measure(m, p, scratch, x, y, heading, speed, sigma):
    """Wheels, heading and fix (sigma: m, per axis) into state m and covariance p."""
    h = scratch.derivative
    h[L_SPEED], h[WHEEL_SCALE] = 1.0 + m[WHEEL_SCALE], m[L_SPEED]
    deviation = STILL_SIGMA if abs(speed) < 0.01 else SPEED_SIGMA
    _take(m, p, scratch, speed - m[L_SPEED] * (1.0 + m[WHEEL_SCALE]), deviation * deviation)
    h[L_HEADING] = 1.0
    _take(m, p, scratch, wrap_angle(heading - m[L_HEADING]), HEADING_LOOK * HEADING_LOOK)
    white = WHITE_SHARE * WHITE_SHARE * sigma * sigma + 1e-4
    h[L_X] = h[CX] = 1.0
    _take(m, p, scratch, x - m[L_X] - m[CX], white)
    h[L_Y] = h[CY] = 1.0
    _take(m, p, scratch, y - m[L_Y] - m[CY], white)


@kernel
def filter_pose(fleet, scratch, i, x, y, heading, speed, accel, yaw_rate, sigma, time, now):
    """Carry the error-state filter of `car/localisation.py` to `now` and take one measurement of time `time` into it.

    sigma: radial deviation (m) that the receiver claims. The filter carries the rear axle, which goes where the car points: in a bend the
    centre does not, and the filter would have to take that for drift. Values that are not finite are not used. Fills the pose and
    PROTECTION (m).
    """
    f, m, p = fleet.f, fleet.pose[i], fleet.pose_cov[i]
    good = math.isfinite(x + y + heading + speed + accel + yaw_rate + sigma + time)
    axis = max(sigma * math.sqrt(0.5), 0.02) if good else 1.0
    known = p[L_X, L_X] > 0.0
    back = 0.5 * wheelbase(f[i, LENGTH])
    if good:
        late = max(0.0, min(now - time, 1.0))
        x += speed * math.cos(heading + 0.5 * yaw_rate * late) * late
        y += speed * math.sin(heading + 0.5 * yaw_rate * late) * late
        heading += yaw_rate * late
        speed += accel * late
        x -= back * math.cos(heading)
        y -= back * math.sin(heading)
        far = (x - m[L_X]) ** 2 + (y - m[L_Y]) ** 2 > JUMP * JUMP
        if not known or far:
            start_filter(fleet, i, x, y, heading, speed, axis)
            f[i, TIME] = now
            known = True
    elif not known:
        f[i, PROTECTION] = math.inf
        return
    dt = max(0.0, min(now - f[i, TIME], 1.0))
    if dt > 0.0:
        s = scratch.sensors
        s[GYRO_NOISE], s[ACCEL_NOISE_AT] = (TURN_NOISE, ACCEL_NOISE) if good else (UNKNOWN_TURN, UNKNOWN_ACCEL)
        s[GYRO_WALK], s[ACCEL_WALK] = 2e-5, 1e-3
        s[SCALE_WALK], s[SLIP], s[COMMON], s[COMMON_TIME] = 1e-5, 0.02, axis, 30.0
        a = accel if good else f[i, ACCEL] + m[ACCEL_BIAS]
        w = yaw_rate if good else f[i, YAW_RATE] + m[GYRO_BIAS]
        propagate(m, p, a, w, dt, s, scratch.transition, scratch.work)
    if good:
        _measure(m, p, scratch, x, y, heading, speed, axis)
        f[i, ACCEL], f[i, YAW_RATE] = accel - m[ACCEL_BIAS], yaw_rate - m[GYRO_BIAS]
    m[L_SPEED] = max(m[L_SPEED], 0.0)
    f[i, TIME] = now
    show_pose(fleet, i)


@kernel
def show_pose(fleet, i):
    """Fill the pose of the body's centre and PROTECTION (m) from the filter of car i."""
    f, m, p = fleet.f, fleet.pose[i], fleet.pose_cov[i]
    back = 0.5 * wheelbase(f[i, LENGTH])
    f[i, X], f[i, Y] = m[L_X] + back * math.cos(m[L_HEADING]), m[L_Y] + back * math.sin(m[L_HEADING])
    f[i, HEADING], f[i, SPEED] = m[L_HEADING], m[L_SPEED]
    mean, half = 0.5 * (p[L_X, L_X] + p[L_Y, L_Y]), 0.5 * (p[L_X, L_X] - p[L_Y, L_Y])
    f[i, PROTECTION] = INTEGRITY * math.sqrt(mean + math.sqrt(half * half + p[L_X, L_Y] * p[L_X, L_Y]))


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

"""Match the lane markings that the camera sees with the lanes of the base map, and correct the pose by them.

A receiver's error lasts for tens of seconds and may reach a metre, as much as the room between two cars side by side; across the lane the
markings hold a decimetre. The filter learns the receiver's common error from them, so what one street taught about it holds in the next
junction.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.algo.jit import kernel
from cloverleaf.car.localisation import GATE_SCALAR, correct
from cloverleaf.car.localisation import HEADING as L_HEADING
from cloverleaf.car.localisation import X as L_X
from cloverleaf.car.localisation import Y as L_Y
from cloverleaf.car.locate import project_on_lane
from cloverleaf.car.state import LANE, LENGTH, LOST, POSE, X, Y
from cloverleaf.types.traffic import LANE_INTERNAL, LANE_LEFT, LANE_LENGTH, LANE_RIGHT

MAP_SIGMA = 0.05  # m, by which the map's lane may lie beside the painted one
LASTING = 4.0  # looks of one slow error that count as one: the deviation of each is taken larger by the root of it
LARGEST = 1.2  # m; a larger difference may mean the next lane as well
NEAR_END = 3.0  # m from the ends of a lane, where markings end


@kernel
def lane_and_offset(book, f, ints, i, offset):
    """The lane, own or neighbour, whose middle is off by nearest to what the camera says: (lane, difference m, its heading); -1 none."""
    own = ints[i, LANE]
    best, least, along = np.int64(-1), math.inf, 0.0
    for k in range(3):
        lane = own
        if k == 1:
            lane = np.int64(book.lane_i[own, LANE_LEFT])
        elif k == 2:
            lane = np.int64(book.lane_i[own, LANE_RIGHT])
        if lane < 0 or book.lane_i[lane, LANE_INTERNAL] > 0:
            continue
        s, d, heading, _distance = project_on_lane(book, lane, f[i, X], f[i, Y])
        if s < NEAR_END or s > book.lane_f[lane, LANE_LENGTH] - NEAR_END:
            continue
        if abs(offset - d) < abs(least):
            best, least, along = lane, offset - d, heading
    return best, least, along


@kernel
def match_lane(book, fleet, scratch, i, offset, sigma):
    """Take the camera's `offset` (m left of the lane's middle, deviation `sigma` m) into the filter of car i. True if it was used."""
    f, ints = fleet.f, fleet.i
    if not math.isfinite(offset + sigma) or sigma <= 0.0 or ints[i, LOST] == 1 or ints[i, LANE] < 0:
        return False
    lane, off, along = lane_and_offset(book, f, ints, i, offset)
    if lane < 0 or abs(off) > LARGEST:
        return False
    m, p, h = fleet.pose[i], fleet.pose_cov[i], scratch.derivative
    back = 0.5 * wheelbase(f[i, LENGTH])
    for r in range(POSE):
        h[r] = 0.0
    h[L_X], h[L_Y] = -math.sin(along), math.cos(along)
    h[L_HEADING] = back * math.cos(wrap_angle(m[L_HEADING] - along))
    variance = LASTING * (sigma * sigma + MAP_SIGMA * MAP_SIGMA)
    used = correct(m, p, h, off, variance, GATE_SCALAR, scratch.gain)
    for r in range(POSE):
        h[r] = 0.0
    return used

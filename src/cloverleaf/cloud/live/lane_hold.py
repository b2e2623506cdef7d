"""Is a road user still on the lane where it was? A look along that lane, so that few need the search of `cloud/matching.py`."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel


@kernel
def hold_lane(lane_point_start, point_x, point_y, point_s, x, y, heading, length, lane, s, held):
    """Keep `lane[i]` and move `s[i]` (m, front bumper) where a road user is within 1.2 m and 15 degrees of that lane's centre line.

    `held[i]` is 0 where it is not, or where it has passed an end: those need a search. Shapes (n,).
    """
    for i in range(len(x)):
        held[i] = 0
        if lane[i] < 0:
            continue
        first, last = lane_point_start[lane[i]], lane_point_start[lane[i] + 1] - 1
        middle = s[i] - 0.5 * length[i]
        low, high = first, last - 1
        while low < high:  # the segment where it was
            p = (low + high + 1) // 2
            if point_s[p] <= middle:
                low = p
            else:
                high = p - 1
        for p in range(low, min(low + 8, last)):
            ux, uy = point_x[p + 1] - point_x[p], point_y[p + 1] - point_y[p]
            size = math.sqrt(ux * ux + uy * uy)
            if size < 1e-9:
                continue
            ux, uy = ux / size, uy / size
            dx, dy = x[i] - point_x[p], y[i] - point_y[p]
            along = dx * ux + dy * uy
            if along > size:
                continue
            aside = dx * uy - dy * ux
            if along < -0.5 or math.fabs(aside) > 1.2 or ux * math.cos(heading[i]) + uy * math.sin(heading[i]) < 0.966:
                break
            s[i] = point_s[p] + max(along, 0.0) / size * (point_s[p + 1] - point_s[p]) + 0.5 * length[i]
            held[i] = 1
            break

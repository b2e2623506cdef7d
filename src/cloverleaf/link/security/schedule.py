"""Verification under overload: a station checks what threatens it most and gives up the rest.

Messages are not encrypted, so a station reads position and speed before it pays for the signature. Messages of infrastructure and
events come first; then senders by the time until they could be here, near ones before far ones.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.selection import kth_smallest


@kernel
def urgency(dx, dy, vx, vy):
    """Rank of a sender at (dx, dy) m from us, moving relative to us at (vx, vy) m/s; smaller is more urgent, in s.

    Time to closest approach, lengthened by the miss distance there; for a sender that moves away its distance over 5 m/s.
    """
    distance = math.hypot(dx, dy)
    speed2 = vx * vx + vy * vy
    calm = distance / 5.0
    if speed2 < 0.01:
        return calm
    at = -(dx * vx + dy * vy) / speed2
    if at <= 0.0:
        return calm
    miss = math.hypot(dx + at * vx, dy + at * vy)
    return min(at + miss / 2.0, calm)


@kernel
def choose_verified(start, message, delay, moving, x, y, vx, vy, own_x, own_y, own_vx, own_vy, capacity, score, work, out_start,
                    out_message, out_delay):  # fmt: skip
    """Keep at most `capacity` messages per receiver, the most urgent ones; returns how many were given up.

    `moving[m]`: 1 where message m tells the sender's own motion, 0 for infrastructure and events, which go first. `score`, `work`
    are scratch of the longest list's length. The order within a receiver's list stays.
    """
    n = 0
    given_up = 0
    for r in range(len(start) - 1):
        out_start[r] = n
        begin, many = start[r], start[r + 1] - start[r]
        limit = 1.0e300
        if many > capacity:
            for p in range(many):
                m = message[begin + p]
                score[p] = -1.0
                if moving[m] != 0:
                    score[p] = urgency(x[m] - own_x[r], y[m] - own_y[r], vx[m] - own_vx[r], vy[m] - own_vy[r])
                work[p] = score[p]
            limit = kth_smallest(work, many, capacity - 1)
        level = capacity  # how many of those at the limit fit beside the more urgent ones
        if many > capacity:
            for p in range(many):
                if score[p] < limit:
                    level -= 1
        for p in range(many):
            if many > capacity:
                if score[p] > limit or (score[p] == limit and level <= 0):
                    given_up += 1
                    continue
                if score[p] == limit:
                    level -= 1
            out_message[n] = message[begin + p]
            out_delay[n] = delay[begin + p]
            n += 1
    out_start[len(start) - 1] = n
    return given_up

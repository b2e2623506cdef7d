"""Dangerous moments behind a leader: short times to collision, unsafe RSS distances, and braking forced by those who cut in.

All are counted as episodes. An episode of a pair begins when the condition becomes true and ends after it was false for
`RELEASE` seconds or the leader changed; a queue that creeps is therefore not a thousand conflicts.

- TTC: gap / closing speed < 1.5 s with the leader on the own path.
- RSS: gap below the longitudinal safe distance of Shalev-Shwartz, Shammah, Shashua 2017 with the published conservative
  response (rho 1 s, a_max 3.5, b_min 4, b_max 8 m/s2).
- Imposed braking: a vehicle came between (the new leader was neither the leader nor the leader's leader before) and the follower
  brakes harder than 2 m/s2 within 3 s. Booked once per cut-in, to the one who cut in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, I64, Control, Kind

TTC_LIMIT = 1.5  # s
RELEASE = 2.0  # s
CUT_IN_MEMORY = 3.0  # s
FORCED_BRAKING = 2.0  # m/s2
RHO, A_MAX, B_MIN, B_MAX = 1.0, 3.5, 4.0, 8.0  # s, m/s2

# columns of Exposure.f
TTC_SEEN, RSS_SEEN, CUT_IN = range(3)
# columns of Exposure.i
TTC_WITH, RSS_WITH, LEADER, IMPOSER = range(4)
# entries of Exposure.n; the second half counts episodes whose follower (TTC, RSS) or imposer is a smart car
TTC_EVENTS, RSS_EVENTS, IMPOSED, SMART_TTC, SMART_RSS, SMART_IMPOSED = range(6)

_PEDESTRIAN = int(Kind.PEDESTRIAN)
_SMART = int(Control.SMART)
_LONG_AGO = -1e9


class Exposure(NamedTuple):
    """Memory of episodes by trip, and their counts."""

    f: F64  # (trips, 3) s, when the condition was last true; time of the last cut-in
    i: I32  # (trips, 4) trips, -1 none
    n: I64  # (6,)
    smallest_ttc: F64  # (1,) s


def empty_exposure(trips: int) -> Exposure:
    """Before the first tick."""
    return Exposure(
        np.full((trips, 3), _LONG_AGO), np.full((trips, 4), -1, np.int32), np.zeros(6, np.int64), np.full(1, np.inf)
    )


@kernel
def rss_safe_gap(v_rear, v_front):
    """Safe longitudinal gap (m) between rear and front vehicle (m/s), same direction."""
    v = v_rear + RHO * A_MAX
    gap = v_rear * RHO + 0.5 * A_MAX * RHO * RHO + v * v / (2.0 * B_MIN) - v_front * v_front / (2.0 * B_MAX)
    return max(0.0, gap)


@kernel
def book_episode(e, trip, other, seen, pair, count, t):
    """Count a new episode of `trip` with `other` unless the present one goes on."""
    if e.i[trip, pair] != other or t - e.f[trip, seen] > RELEASE:
        e.n[count] += 1
        e.i[trip, pair] = other
        e.f[trip, seen] = t
        return True
    e.f[trip, seen] = t
    return False


@kernel
def watch_cut_in(e, trip, other, other_leader, accel, other_control, t):
    """Notice who came between, and whether the follower had to brake for it."""
    before = e.i[trip, LEADER]
    if other != before:
        # the vehicle that came between is now followed by nobody else, and follows the one that was followed before
        if before >= 0 and other >= 0 and other_leader == before:
            e.f[trip, CUT_IN] = t
            e.i[trip, IMPOSER] = other
        e.i[trip, LEADER] = other
    if accel < -FORCED_BRAKING and e.i[trip, IMPOSER] >= 0:
        if t - e.f[trip, CUT_IN] <= CUT_IN_MEMORY and other == e.i[trip, IMPOSER]:
            e.n[IMPOSED] += 1
            if other_control == _SMART:
                e.n[SMART_IMPOSED] += 1
        e.i[trip, IMPOSER] = -1


@kernel
def expose(actors, order, e, t):
    """Book one sample of all followers; `find_leaders` must have run on the same actors. t: s."""
    for slot in range(actors.trip.shape[0]):
        trip = actors.trip[slot]
        if trip < 0 or actors.kind[slot] == _PEDESTRIAN:
            continue
        leader = order.leader[slot]
        if leader < 0:
            e.i[trip, LEADER] = -1
            continue
        other = np.int32(actors.trip[leader])
        second = order.leader[leader]
        beyond = np.int32(actors.trip[second]) if second >= 0 else np.int32(-1)
        watch_cut_in(e, trip, other, beyond, actors.accel[slot], actors.control[leader], t)
        gap, v, v_front = order.gap[slot], actors.speed[slot], actors.speed[leader]
        smart = actors.control[slot] == _SMART
        closing = v - v_front
        if closing > 0.0 and gap < TTC_LIMIT * closing:
            e.smallest_ttc[0] = min(e.smallest_ttc[0], max(gap, 0.0) / closing)
            if book_episode(e, trip, other, TTC_SEEN, TTC_WITH, TTC_EVENTS, t) and smart:
                e.n[SMART_TTC] += 1
        if v > 0.0 and gap < rss_safe_gap(v, v_front):
            if book_episode(e, trip, other, RSS_SEEN, RSS_WITH, RSS_EVENTS, t) and smart:
                e.n[SMART_RSS] += 1

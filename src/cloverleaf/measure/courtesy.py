"""Yielding to people on crosswalks, and the comfort of those inside: what `civilised` counts beyond cut-ins and box blocking.

- Yield rate: encounters in which the vehicle let people cross / all encounters. An encounter that was yielded: the vehicle came
  below 1.5 m/s within 8 m before the crosswalk while somebody was on it and no red light held it, and later passed. One that was
  not: its front came onto the crosswalk while somebody was on it, and had been for longer than a calm stop takes
  (1 s + v / (2 x 3 m/s2)). NaN without encounters.
- Uncomfortable time: windows of 0.5 s in which the mean longitudinal acceleration lies outside [-4.05, 2.40] m/s2, the lateral
  one at its end above 4.89 m/s2 (both nuPlan), or which differ from the window before by more than 5 m/s3 (draft GB 47955), as
  share of the time of all vehicles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.measure.journey import is_red
from cloverleaf.types.state import F64, I32, I64, Kind

NEAR = 8.0  # m before the crosswalk
CREEP = 1.5  # m/s
CALM = 3.0  # m/s2
REACTION = 1.0  # s
ACCEL_MAX, ACCEL_MIN, LATERAL_MAX, JERK_MAX = 2.40, -4.05, 4.89, 5.0  # m/s2, m/s3
WINDOW = 0.5  # s

_PEDESTRIAN = int(Kind.PEDESTRIAN)
# entries of Courtesy.n
YIELDED, PUSHED, WINDOWS, UNCOMFORTABLE, SMART_PUSHED = range(5)


class Courtesy(NamedTuple):
    """Memory by crossing lane (L) and by trip."""

    people: I32  # (L,) persons on the crossing lane now
    since: F64  # (L,) s, since when there has been somebody
    yields: I32  # (trips,) crossing lane at which the vehicle gave way, -1
    lane: I32  # (trips,)
    front: F64  # (trips,)
    speed: F64  # (trips,) m/s at the end of the last window, -1 before the first
    accel: F64  # (trips,) m/s2 in the last window; NaN before the second
    n: I64  # (5,)


def empty_courtesy(lanes: int, trips: int) -> Courtesy:
    """Before the first tick."""
    return Courtesy(
        np.zeros(lanes, np.int32),
        np.zeros(lanes),
        np.full(trips, -1, np.int32),
        np.full(trips, -1, np.int32),
        np.zeros(trips),
        np.full(trips, -1.0),
        np.full(trips, np.nan),
        np.zeros(5, np.int64),
    )


@kernel
def count_people(actors, c, crossings, t):
    """People on each of `crossings` (lanes, int32), and since when; returns how many there are (int64)."""
    total = 0
    for n in range(crossings.shape[0]):
        lane = crossings[n]
        total += c.people[lane]
        if c.people[lane] == 0:
            c.since[lane] = t
        c.people[lane] = 0
    for slot in range(actors.trip.shape[0]):
        if actors.kind[slot] == _PEDESTRIAN and actors.lane[slot] >= 0:
            c.people[actors.lane[slot]] += 1
            total += 1
    return total


@kernel
def meet_people(c, site, light, trip, link, lane, before, now, offset, v, smart, t):
    """Compare one vehicle with the crosswalks of `lane`, which begins `offset` metres after the vehicle's own lane does.

    before, now: front position on the vehicle's own lane, m.
    """
    head = site.link_head[link] if link >= 0 else np.int32(-1)
    held = head >= 0 and is_red(light[head])
    for w in range(site.walk_start[lane], site.walk_start[lane + 1]):
        crossing = site.walk_lane[w]
        begin = site.walk_begin[w] + offset
        busy = c.people[crossing] > 0
        if busy and not held and now < begin <= now + NEAR and v < CREEP:
            c.yields[trip] = crossing
        if before < begin <= now:
            if busy and t - c.since[crossing] > REACTION + v / (2.0 * CALM):
                c.n[PUSHED] += 1
                c.n[SMART_PUSHED] += smart
            elif c.yields[trip] == crossing:
                c.n[YIELDED] += 1
            c.yields[trip] = -1


@kernel
def watch_crosswalks(actors, site, light, c, t):
    """Book one step of all vehicles near crosswalks; call every step, after `count_people`."""
    for slot in range(actors.trip.shape[0]):
        trip = actors.trip[slot]
        lane = actors.lane[slot]
        if trip < 0 or lane < 0 or actors.kind[slot] == _PEDESTRIAN:
            continue
        now, v = actors.s[slot], abs(actors.speed[slot])
        smart = 1 if actors.control[slot] == 1 else 0
        before = c.front[trip] if c.lane[trip] == lane else -1.0
        if site.lane_inside[lane] == 1:
            link = site.lane_link[lane]
            meet_people(c, site, light, trip, link, lane, before, now, 0.0, v, smart, t)
        elif v < CREEP and now > site.lane_length[lane] - NEAR:
            for k in range(site.lane_link_start[lane], site.lane_link_start[lane + 1]):
                if site.link_via[k] >= 0:
                    meet_people(
                        c, site, light, trip, k, site.link_via[k], now, now, site.lane_length[lane], v, smart, t
                    )
        c.lane[trip] = lane
        c.front[trip] = now


@kernel
def feel(actors, c, window):
    """Book the comfort of the window that ends now; window: s since the last call."""
    for slot in range(actors.trip.shape[0]):
        trip = actors.trip[slot]
        if trip < 0 or actors.kind[slot] == _PEDESTRIAN:
            continue
        v = abs(actors.speed[slot])
        if c.speed[trip] < 0.0:
            c.speed[trip] = v
            continue
        accel = (v - c.speed[trip]) / window
        lateral = v * abs(actors.yaw_rate[slot])
        jerk = abs(accel - c.accel[trip]) / window
        c.n[WINDOWS] += 1
        # the jerk of the first window is NaN and compares false
        if accel > ACCEL_MAX or accel < ACCEL_MIN or lateral > LATERAL_MAX or jerk > JERK_MAX:
            c.n[UNCOMFORTABLE] += 1
        c.speed[trip] = v
        c.accel[trip] = accel
